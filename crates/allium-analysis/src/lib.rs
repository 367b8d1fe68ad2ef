//! Questions about Tor, answered from history.
//!
//! What comes in: a [`NetworkRecord`](allium_model::NetworkRecord), everything the store knows as of one consensus. What goes out: a
//! [`NetworkReport`], every figure that pages, API and exports show; [`strip`] and [`daily_strip`] for drawing one relay's history;
//! a [`SearchIndex`] that answers which relays a visitor means. Deliberately unknown here: files, sockets, SQL, the clock.
//!
//! `docs/methods.md` states every formula; the modules state how gaps are treated and where each method ends.
//!
//! ```
//! use allium_analysis::NetworkReport;
//! use allium_model::{ConsensusHour, Known, NetworkRecord};
//! let as_of: ConsensusHour = "2026-02-15T18:00:00Z".parse().unwrap();
//! let nothing = NetworkRecord { as_of, known: Known::default(), relays: Vec::new(), sources: Vec::new(), rejects: Vec::new() };
//! assert_eq!(NetworkReport::compute(&nothing).network.n_relays, 0);
//! ```

mod carried;
pub mod census;
mod compute;
mod course;
mod daily;
pub mod diagnostics;
mod dips;
mod exact;
mod grid;
pub mod groups;
mod image;
pub mod leaderboards;
mod network;
pub mod operators;
mod over_time;
mod query;
mod relations;
pub mod report;
mod search;
mod sizes;
pub mod standings;
pub mod statistics;
mod strip;
mod succession;
mod sum;
mod timeline;
mod uptime;

pub use allium_stats::quantile;
pub use census::Census;
pub use compute::relay_position;
pub use diagnostics::{Issue, Severity, diagnose};
pub use dips::{Dip, dips};
pub use groups::Groups;
pub use image::{ImageRow, UptimeImage, uptime_image};
pub use leaderboards::{Category, Leaderboards};
pub use operators::{AroiState, OperatorReport, operators_of};
pub use over_time::{Concentration, Selection, Standing, diversity, flows, group_strip, published_sums, running_counts, uptime_between};
pub use query::{RelayQuery, SortKey};
pub use relations::{RelayQuantity, correlations};
pub use report::{
    FlagFigures, FlagUptime, MonthUptime, NetworkFigures, NetworkReport, Outage, OutageSummary, PeriodFigures, Recent, RelayReport,
    RoleCounts, Since, Spread, Strip, StripCell, Trend, UptimeFigure, UptimeSource,
};
pub use search::{Condition, Days, Key, MOST_BYTES, MOST_TERMS, Prefix, Question, QuestionError, SearchIndex, Term, Versions};
pub use sizes::{SizeHour, SizeOf, SizeQuantity, Sizes};
pub use standings::{PastStandings, Standings};
pub use statistics::NetworkStatistics;
pub use strip::{daily_strip, hourly_strip, strip};
pub use succession::followed_by;
