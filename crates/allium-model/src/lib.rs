//! The words and units that every Allium crate shares.
//!
//! Input: text and numbers from the Tor network, already split into fields. Output: types that cannot hold a wrong unit. A [`Fraction`]
//! lies in 0..=1, a [`ConsensusHour`] is a whole hour of UTC, a [`Series`] knows where each of its intervals starts and keeps *missing*
//! (nobody measured) apart from *down* (measured, not Running).
//!
//! Deliberately unknown here: files, sockets, the clock. A function that needs "now" takes it as an argument.
//!
//! ```
//! use allium_model::{ConsensusHour, Period};
//! let end: ConsensusHour = "2026-02-15T19:00:00Z".parse().unwrap();
//! assert_eq!(Period::OneMonth.start_before(end).to_string(), "2026-01-15T19:00:00Z");
//! ```

mod bounds;
pub mod first_seen;
pub mod flags;
mod hash;
pub mod history;
pub mod identity;
pub mod network;
pub mod note;
pub mod operator;
pub mod period;
mod prefix;
pub mod relay;
pub mod selection_weights;
pub mod series;
pub mod time;
pub mod version;

pub use bounds::{Bounds, CLOCK_TOLERANCE_SECS, ImpossibleTime, TOR_BEGAN};
pub use first_seen::{FirstSeen, FirstSeenClues};
pub use flags::{RelayFlag, RelayFlags};
pub use hash::fnv_1a;
pub use history::{GraphPeriod, Known, PublishedGraph, Quantity, RelayHistories, RelayState, StateSpan, span_at};
pub use identity::{Asn, CountryCode, Fingerprint, Fraction, ParseError};
pub use network::{DocumentKind, NetworkRecord, Reject, RelayRecord, SourceFailure, SourceReport, SourceStatus};
pub use note::{IncidentNote, NoteAction};
pub use operator::{
    AroiCheck, AroiClaim, AroiContact, AroiDomain, AroiResult, Families, Family, Operator, OperatorId, Operators, ProofMethod,
    ProofStanding, ProofVerdict,
};
pub use period::Period;
pub use prefix::IpPrefix;
pub use relay::{PortSummary, Relay};
pub use selection_weights::{BandwidthWeights, PositionFactors, SelectionProbabilities, WeightRole};
pub use series::Series;
pub use time::ConsensusHour;
pub use version::TorVersion;

/// An instant in UTC; formatted as RFC 3339 with `Z`.
pub use jiff::Timestamp;
