//! `/healthz`: state and age of the data, for machines that watch over the service.

use allium_model::Timestamp;
use allium_service::Snapshot;
use allium_views::Answer;
use allium_words::format::rfc3339;
use allium_words::json::to_json;
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
pub(crate) fn answer(snapshot: &Snapshot, now: Timestamp) -> Answer {
    let view = snapshot.view();
    let is_stale = view.is_some_and(|view| view.is_stale(now));
    let health = Health {
        status: match (view, is_stale) {
            (None, _) => "no data",
            (Some(_), true) => "stale",
            (Some(_), false) => "ok",
        },
        reason: view.is_none().then(|| snapshot.waiting_for().to_owned()),
        as_of: view.map(|view| view.as_of().to_string()),
        age_secs: view.map(|view| now.as_second() - view.as_of().start_secs()),
        now: rfc3339(now),
        version: snapshot.info().version.clone(),
    };
    let status = if view.is_some() { 200 } else { 503 };
    Answer::not_kept(status, "application/json", to_json(&health).unwrap_or_default())
}
