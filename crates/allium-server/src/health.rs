//! `/healthz`: whether there is data, and how old it is, for machines that watch over the service.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::api::to_json;
use crate::format::rfc3339;
use crate::site::Site;

/// What the service says of its health.
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
pub(crate) async fn answer(State(site): State<Site>) -> Response {
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
    let status = if view.is_some() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = to_json(&health).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], body).into_response()
}
