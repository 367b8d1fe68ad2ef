//! The running state of Allium: one immutable [`Snapshot`], swapped in whole.
//!
//! What comes in: [`Patch`]es from workers, each a part of the state made anew. What goes out: the newest [`Snapshot`], and the
//! [`Changes`] of incidents for those who follow them. HTML, HTTP and how figures are computed are deliberately unknown here.
//!
//! ```
//! use std::sync::Arc;
//! use allium_service::{Patch, Site, SiteInfo};
//! let clock = Arc::new(|| "2026-02-15T19:00:00Z".parse().unwrap());
//! let site = Site::new(SiteInfo::default(), clock);
//! let before = site.snapshot();
//! site.publish([Patch::Waiting("the first fetch failed: connection refused".to_owned())]);
//! let after = site.snapshot();
//! assert_eq!((before.generation(), after.generation()), (0, 1));
//! assert_eq!(before.waiting_for(), "the first fetch is under way", "a snapshot never changes");
//! ```

mod address;
mod changes;
mod derived;
mod forecasts;
mod incidents;
mod info;
mod memo;
mod names;
mod notes;
mod questions;
mod report;
mod scoreboard;
mod site;
mod snapshot;
pub mod tokens;
mod unrecorded;
mod view;
pub mod workers;

pub use address::{AddressError, SiteAddress, folder, host_and_port, web_scheme};
pub use changes::{Change, Changes, News};
pub use forecasts::{Basis, Forecasts, GroupLikeness, ModelFacts, NetworkOutlook, Outlook};
pub use incidents::{IncidentLog, Watched};
pub use info::SiteInfo;
pub use memo::Memo;
pub use notes::{LONGEST_TEXT, MAX_NOTES, NewNote, NoteError, NoteStore, StoreError};
pub use report::WorkerReport;
pub use scoreboard::{OriginScores, Scoreboard, ScoreboardError, Scores};
pub use site::{Clock, Site};
pub use snapshot::{Patch, Snapshot};
pub use unrecorded::Unrecorded;
pub use view::{FRESH_HOURS, Group, Members, View};
