//! `/healthz`: state and age of the data, for machines that watch over the service.

use allium_views::api::to_json;
use allium_views::format::rfc3339;
use allium_views::{Answer, Site};
use serde::Serialize;

/// The health of the service.
#[derive(Debug, Clone, Serialize)]
struct Health {
    /// `ok`, `stale` or `no data`.
    status: &'static str,
    reason: Option<String>,
    as_of: Option<String>,
    age_secs: Option<i64>,
    now: String,
    version: String,
}

/// 200 with data, however old; 503 without.
pub(crate) fn answer(site: &Site) -> Answer {
    let now = site.now();
    let view = site.view();
    let is_stale = view.as_ref().is_some_and(|view| view.is_stale(now));
    let health = Health {
        status: match (&view, is_stale) {
            (None, _) => "no data",
            (Some(_), true) => "stale",
            (Some(_), false) => "ok",
        },
        reason: view.is_none().then(|| site.waiting_for()),
        as_of: view.as_ref().map(|view| view.as_of().to_string()),
        age_secs: view.as_ref().map(|view| now.as_second() - view.as_of().start_secs()),
        now: rfc3339(now),
        version: site.info().version.clone(),
    };
    let status = if view.is_some() { 200 } else { 503 };
    Answer::not_kept(status, "application/json", to_json(&health).unwrap_or_default())
}
