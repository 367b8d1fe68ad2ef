//! Questions about Tor, answered from history.
//!
//! What comes in: a [`NetworkRecord`](allium_model::NetworkRecord), everything the store knows as of one consensus. What goes out: a
//! [`NetworkReport`], every figure that pages, API and exports show. Deliberately unknown here: files, sockets, SQL, the clock.

pub mod report;

pub use report::{
    FlagFigures, FlagUptime, MonthUptime, NetworkFigures, NetworkReport, Outage, OutageSummary, PeriodFigures, RelayReport, RoleCounts,
    Since, Spread, Strip, StripCell, Trend, UptimeFigure, UptimeSource,
};
