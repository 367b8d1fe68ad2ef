//! Pages, API and tables of Allium.
//!
//! Input: a [`View`], made once per consensus from a record and its report, and a [`Route`]. Output: an [`Answer`], which holds a page,
//! the same figures as JSON or CSV, a chart, a feed or the stylesheet. This crate knows how numbers look; how they are computed is
//! deliberately unknown here, as are sockets, files, the clock and the sources.
//!
//! Pages work without scripts and without SVG, set no cookie, load nothing from elsewhere, and treat every text from the
//! network as hostile ([`text`]).
//!
//! ```
//! use std::sync::Arc;
//! use allium_views::{Asked, Parsed, Route, Site, SiteInfo, render};
//! let clock = Arc::new(|| "2026-02-15T19:00:00Z".parse().unwrap());
//! let site = Site::new(SiteInfo { version: "0.1.0".to_owned(), ..SiteInfo::default() }, clock);
//! let Ok(Parsed::Route(route)) = Route::parse("/methods") else { panic!("there is such a page") };
//! let asked = Asked { query: "", base: "https://tor.example", takes: &|_| false };
//! let answer = render(&site, site.now(), &route, &asked);
//! assert_eq!((answer.status, answer.media_type), (200, Some("text/html; charset=utf-8")));
//! ```

mod answer;
pub mod api;
mod assets;
mod calendar;
mod charts;
mod derived;
mod desk;
mod error;
mod feeds;
pub mod format;
mod incidents;
mod list;
mod markup;
mod outlook;
mod page;
mod pages;
mod params;
mod render;
pub mod route;
mod scoreboard;
mod site;
mod stream;
mod strips;
#[allow(dead_code, reason = "what tables offer is wider than what any one page takes")]
mod table;
pub mod text;
mod view;

pub use answer::{Answer, CachePolicy};
pub use api::{IncidentJson, network_report_json};
pub use desk::{Desk, DeskError, MAX_NOTES, Said};
pub use error::{RequestError, ScoreboardError};
pub use incidents::{IncidentLog, Watched, updated_at};
pub use outlook::{Basis, Forecasts, GroupLikeness, ModelFacts, NetworkOutlook, Outlook};
pub use params::Params;
pub use render::{Asked, render, render_moved};
pub use route::{Parsed, Route};
pub use scoreboard::Scoreboard;
pub use site::{Clock, Site, SiteInfo};
pub use stream::{Change, News};
pub use view::{FRESH_HOURS, Group, View};
