//! The part of the program that benchmarks share with it: how documents become what the store takes, and the detector beside a service.
//!
//! Everything else of the program is in `main.rs` and below it.

pub mod effects;
pub mod intake;
pub mod record;
pub mod watch;
