//! The store: everything ever learned of the network, in a database that no crash can damage.
//!
//! What comes in: documents as `allium-model` types, one [`Update`] per visit to a source, and consensuses from anywhere in
//! any order. What goes out: a [`NetworkRecord`](allium_model::NetworkRecord) of everything known. Kept are the exact history
//! of every relay as spans of consensuses, its attributes at its last appearance, and the graphs that others publish of it.
//!
//! A [`StoreUrl`] says where a store is and opens it; a [`Store`] is whatever backend lies behind. [`sqlite`] is one: a file, described
//! in `docs/store.md`.
//!
//! Deliberately unknown here: sockets, the clock, the formats of documents, and what the history means for anybody.
//!
//! ```
//! use allium_history::Update;
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
//! let mut store = allium_history::in_memory()?;
//! assert!(store.load()?.is_none(), "nothing is recorded yet");
//! store.apply(&Update { details: Some((status, vec![relay])), ..Update::default() })?;
//! let record = store.load()?.expect("a consensus is recorded");
//! assert_eq!(record.relays[0].spans[0].start, record.as_of);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod assemble;
mod bits;
mod blob;
mod complete;
mod consensus;
mod error;
mod figures;
mod notes;
mod open;
mod report;
mod spans;
pub mod sqlite;
mod store;
mod timeline;
mod update;
mod url;

pub use assemble::assemble;
pub use bits::Bits;
pub use consensus::{
    AppliedPack, AppliedSpans, ConsensusInfo, ConsensusSource, ConsensusWeights, ExactHistory, FullConsensus, KnownConsensus, Listed,
    Statement, Statements,
};
pub use error::Error;
pub use figures::{Event, EventKind, GroupHour, GroupKey, Grouping, HourWeights, RelayDay};
pub use notes::{NewNote, Token};
pub use open::in_memory;
pub use report::{CheckReport, Mended, Pruned, Repaired, SalvagedTable, SourceVisit, Stats};
pub use store::{Figures, Notes, Record, Sources, State, Store, Upkeep};
pub use timeline::{IndexSpan, RelayTimeline, Timeline};
pub use update::{Applied, AppliedDocument, Outcome, Update};
pub use url::StoreUrl;
