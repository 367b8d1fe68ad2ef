//! Pages, API and tables of Allium.
//!
//! What comes in: a [`View`], made once per consensus from a record and its report. What goes out: an [`axum::Router`] that
//! answers every page, the same figures as JSON and CSV, and the stylesheet. This crate knows how numbers look; how they
//! are computed is deliberately unknown here, as are files, the clock and the sources.
//!
//! Pages work without scripts and without SVG, set no cookie, load nothing from elsewhere, and treat every text from the
//! network as hostile ([`text`]).
//!
//! ```
//! use std::sync::Arc;
//! use allium_views::{Site, SiteInfo, router};
//! let clock = Arc::new(|| "2026-02-15T19:00:00Z".parse().unwrap());
//! let site = Site::new(SiteInfo { version: "0.1.0".to_owned(), ..SiteInfo::default() }, clock);
//! let app = router(site.clone());
//! // Later, for each consensus: site.set_view(View::new(record, report));
//! # let _: axum::Router = app;
//! ```

pub mod api;
mod assets;
mod calendar;
mod charts;
mod derived;
mod desk;
mod error;
mod feeds;
pub mod format;
mod health;
mod incidents;
mod list;
mod markup;
mod metrics;
mod outlook;
mod page;
mod pages;
mod params;
mod router;
mod scoreboard;
mod site;
mod stream;
mod strips;
#[allow(dead_code, reason = "what tables offer is wider than what any one page takes")]
mod table;
pub mod text;
mod view;
mod workers;

pub use api::{IncidentJson, network_report_json};
pub use desk::{Desk, DeskError, MAX_NOTES, Said};
pub use error::{RequestError, ScoreboardError};
pub use incidents::{IncidentLog, Watched, updated_at};
pub use outlook::{Basis, Forecasts, GroupLikeness, ModelFacts, NetworkOutlook, Outlook};
pub use router::router;
pub use scoreboard::Scoreboard;
pub use site::{Clock, Site, SiteInfo};
pub use view::{FRESH_HOURS, Group, View};
pub use workers::WorkerReport;
