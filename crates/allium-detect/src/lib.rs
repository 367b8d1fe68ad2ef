//! Deviation → outage → incident → likely cause.
//!
//! What comes in: who the relays are ([`RelayInfo`]) and, consensus by consensus, which of them run with which flags
//! ([`Observation`]). What goes out: [`Incident`]s, one for each thing that happened, with the smallest scope that explains it.
//! Deliberately unknown here: files, sockets, the clock, and what anybody does about an incident.
//!
//! The detector is incremental: [`Detector::step`] takes one list and touches what changed. Hours without a list are simply not
//! given. Nothing later than a step influences it, so walking a stored history and having lived through it give the same incidents,
//! also if the state was saved ([`Detector::save`]) and restored between. `docs/detection.md` describes the method and its results.
//!
//! ```
//! use allium_detect::{Detector, Observation, RelayInfo, Settings};
//! use allium_model::{Fingerprint, RelayFlag, RelayFlags};
//!
//! let relays = (0..30).map(|i| RelayInfo { asn: Some(allium_model::Asn(64496)), ..RelayInfo::unknown(Fingerprint::new([i; 20])) });
//! let mut detector = Detector::new(Settings { warm_up_lists: 10, ..Settings::default() }, relays.collect());
//! let flags = RelayFlags::from_iter([RelayFlag::Running]);
//! let start = "2026-01-01T00:00:00Z".parse::<allium_model::ConsensusHour>()?;
//! for hour in 0..101 {
//!     let n_up = if hour < 100 { 30 } else { 10 };
//!     let listed: Vec<_> = (0..n_up).map(|relay| (relay, flags)).collect();
//!     detector.step(&Observation { hour: start.plus(hour), listed: &listed, reported: flags, described: &[] });
//! }
//! let incidents: Vec<_> = detector.incidents().collect();
//! assert_eq!(incidents.len(), 1);
//! assert_eq!((incidents[0].scope.key.as_str(), incidents[0].n_affected), ("AS64496", 20));
//! # Ok::<_, allium_model::identity::ParseError>(())
//! ```

mod book;
mod case;
mod cases;
mod context;
mod detector;
pub mod evaluate;
pub mod explain;
mod extent;
mod incident;
mod monitors;
mod network;
mod observation;
mod record;
mod risk;
mod roles;
mod save;
mod scan;
mod scatter;
mod scope;
mod settings;
mod sudden;
mod track;

pub use book::{RelayIdx, RelayInfo};
pub use detector::Detector;
pub use incident::{Cause, Event, Incident, Kind, Part, Severity, Status};
pub use monitors::Capacity;
pub use observation::{Observation, Step};
pub use record::{Presence, Record};
pub use roles::Roles;
pub use save::RestoreError;
pub use scope::{Scope, ScopeKind};
pub use settings::Settings;
pub use sudden::{Listing, sudden};
