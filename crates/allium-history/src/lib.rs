//! The store: everything ever learned of the network, in one file that no crash can damage.
//!
//! What comes in: documents as `allium-model` types, one [`Update`] per visit to a source, and consensuses from anywhere in
//! any order. What goes out: a [`NetworkRecord`](allium_model::NetworkRecord) of everything known. Kept are the exact history
//! of every relay as spans of consensuses, its attributes at its last appearance, and the graphs that others publish of it.
//! `docs/store.md` describes the file.
//!
//! Deliberately unknown here: sockets, the clock, the formats of documents, and what the history means for anybody.
//!
//! ```
//! use allium_history::{History, SqliteHistory, Update};
//! use allium_model::{DocumentKind, Relay, SourceStatus};
//!
//! let mut relay = Relay::unknown("000004ACBB9D29BCBA17256BB35928DDBFC8ABA9".parse()?);
//! relay.running = true;
//! let status = SourceStatus {
//!     kind: DocumentKind::Details,
//!     origin: "details.json".into(),
//!     published: "2026-02-15T18:00:00Z".parse()?,
//!     obtained_at: "2026-02-15T19:10:00Z".parse()?,
//!     size_bytes: 512,
//!     n_relays: 1,
//!     n_rejects: 0,
//! };
//! let mut store = SqliteHistory::open_in_memory()?;
//! assert!(store.load()?.is_none(), "nothing is recorded yet");
//! store.apply(&Update { details: Some((status, vec![relay])), ..Update::default() })?;
//! let record = store.load()?.expect("a consensus is recorded");
//! assert_eq!(record.relays[0].spans[0].start, record.as_of);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod assemble;
mod blob;
mod chances;
mod check;
mod day;
mod describe;
mod documents;
mod error;
mod events;
mod exact;
mod history;
mod hour_weights;
mod load;
mod measures;
mod merge;
mod notes;
mod places;
mod proofs;
mod prune;
mod relays;
mod schema;
mod sizes;
mod sources;
mod spans;
mod sqlite;
mod states;
mod store;
mod texts;
mod timeline;

pub use assemble::assemble;
pub use error::Error;
pub use history::{
    Applied, AppliedDocument, AppliedPack, AppliedSpans, CheckReport, ConsensusInfo, ConsensusSource, ConsensusWeights, Event, EventKind,
    ExactHistory, FullConsensus, GroupHour, GroupKey, Grouping, History, KnownConsensus, Listed, Outcome, Pruned, RelayDay, SourceVisit,
    Stats, Update,
};
pub use hour_weights::HourWeights;
pub use notes::{NewNote, Token};
pub use sqlite::SqliteHistory;
pub use store::State;
pub use timeline::{Bits, PlaceSpan, RelayTimeline, Timeline};
