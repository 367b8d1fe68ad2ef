//! Forecasts of the uptime of Tor relays, with honest uncertainty.
//!
//! What comes in: the exact history of all relays as spans of consensuses ([`Past`]). What goes out: for every relay seen in the
//! last 7 days the distribution of its uptime over the next 30 days, a label, and what moves it ([`Forecast`]); and the scores by
//! which models are judged ([`scores`]). Deliberately unknown here: files, sockets, the clock, chance (draws are seeded).
//!
//! ```
//! use allium_forecast::{HORIZON_DAYS, Model, Past, PastSpan, RelayPast};
//! use allium_model::{ConsensusHour, Fingerprint};
//! let hours: Vec<_> = (0..2000).map(ConsensusHour::new).collect();
//! let span = PastSpan { start: 100, end: 2000, running: true, guard: false, exit: false, asn: None, country: None };
//! let past = Past::new(hours, vec![RelayPast::new(Fingerprint::new([7; 20]), vec![span])]);
//! let as_of = ConsensusHour::new(1999);
//! let forecasts = Model::train(&past, as_of, HORIZON_DAYS).forecast(&past, as_of);
//! assert!(forecasts[0].mean.get() > 0.5);
//! ```

pub mod advice;
mod distribution;
mod error;
pub mod evaluate;
mod explain;
pub mod features;
mod forecast;
mod habits;
mod model;
pub mod models;
pub mod network;
mod past;
mod published;
pub mod scores;
mod stated;
mod summary;
pub mod totals;
mod training;
mod trees;
mod week;

pub use distribution::{Distribution, LEVELS, LIMITS};
pub use error::Error;
pub use explain::Usual;
pub use forecast::{Confidence, Driver, Forecast, HORIZON_DAYS, Label};
pub use habits::Habits;
pub use model::{Chosen, HeldOutScore, Model};
pub use past::{Past, PastSpan, RelayPast};
pub use published::Published;
pub use summary::Summary;
pub use totals::{Likeness, Total};
pub use training::{Schedule, Training};
pub use week::{Slot, Week};
