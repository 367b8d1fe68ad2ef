//! `/healthz`: whether there is data, how old it is, and which worker fails, for machines that watch over the service.

use allium_model::Timestamp;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::api::to_json;
use crate::format::rfc3339;
use crate::site::Site;
use crate::workers::WorkerReport;

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
    workers: Vec<WorkerHealth>,
}

/// State of a worker.
#[derive(Debug, Clone, Serialize)]
struct WorkerHealth {
    name: String,
    /// `failing`, `running`, `waiting`, or `starting` before the first run.
    status: &'static str,
    /// Start of the run or of the failures, end of the last run of one that waits.
    since: Option<String>,
    reason: Option<String>,
    last_success: Option<String>,
}

impl WorkerHealth {
    fn of(worker: &WorkerReport) -> Self {
        let (status, since) = status(worker);
        Self {
            name: worker.name.clone(),
            status,
            since: since.map(rfc3339),
            reason: worker.reason.clone(),
            last_success: worker.last_success.map(rfc3339),
        }
    }
}

fn status(worker: &WorkerReport) -> (&'static str, Option<Timestamp>) {
    match worker {
        WorkerReport { failing_since: Some(since), .. } => ("failing", Some(*since)),
        WorkerReport { running_since: Some(since), .. } => ("running", Some(*since)),
        WorkerReport { last_success: Some(since), .. } => ("waiting", Some(*since)),
        _ => ("starting", None),
    }
}

/// 200 with data, however old and whichever worker fails; 503 without.
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
        workers: site.workers().iter().map(WorkerHealth::of).collect(),
    };
    let status = if view.is_some() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = to_json(&health).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], body).into_response()
}
