//! Part of the program that benchmarks and tests share with it: what runs beside the pages.
//!
//! Everything else of the program is in `main.rs` and below it.

pub mod workers;
