//! Pages, API and tables of Allium.
//!
//! Input: a [`Snapshot`](allium_service::Snapshot) of all that is known, and a [`Route`]. Output: an [`Answer`], which holds a page, the
//! same figures as JSON or CSV, a chart, a feed or the stylesheet. This crate knows how numbers look; how they are computed is
//! deliberately unknown here, as are sockets, files, the clock and the sources.
//!
//! Pages work without scripts and without SVG, set no cookie, load nothing from elsewhere, and treat every text from the
//! network as hostile ([`allium_words::inert`]).
//!
//! ```
//! use std::sync::Arc;
//! use allium_service::{Site, SiteInfo};
//! use allium_views::{Asked, Parsed, Route, render};
//! let site = Site::new(SiteInfo::default(), Arc::new(|| "2026-02-15T19:00:00Z".parse().unwrap()));
//! let Ok(Parsed::Route(route)) = Route::parse("/methods") else { panic!("there is such a page") };
//! let asked = Asked { query: "", base: "https://tor.example", takes: &|_| false };
//! let answer = render(&site.snapshot(), site.now(), &route, &asked);
//! assert_eq!((answer.status, answer.media_type), (200, Some("text/html; charset=utf-8")));
//! ```

#[macro_use]
mod fixed;
#[macro_use]
pub mod api;
#[macro_use]
mod pages;

mod answer;
mod assets;
mod below;
mod calendar;
mod error;
mod feeds;
mod figure;
mod foreign;
mod form;
mod markup;
mod page;
mod params;
mod relay_query;
mod render;
pub mod route;
mod shown;
mod strips;
mod table;

pub use answer::{Answer, CachePolicy};
pub use api::{IncidentJson, SearchJson, change_json, network_report_json};
pub use below::{below, holds_addresses};
pub use error::RequestError;
pub use params::Params;
pub use render::{Asked, render, render_moved};
pub use route::{Parsed, Route};
