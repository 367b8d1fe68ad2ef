//! `/healthz`: state and age of the data, and the workers that fail, for machines that watch over the service.

use allium_model::Timestamp;
use allium_service::{Snapshot, WorkerReport};
use allium_views::Answer;
use allium_words::format::rfc3339;
use allium_words::json::to_json;
use serde::Serialize;

/// Reason why data is stale that is as of a time after now.
const AHEAD: &str = "the newest consensus lies ahead of the clock; if the clock is right, `allium store mend` removes it";

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
pub(crate) fn answer(snapshot: &Snapshot, workers: &[WorkerReport], now: Timestamp) -> Answer {
    let view = snapshot.view();
    let is_stale = view.is_some_and(|view| view.is_stale(now));
    let health = Health {
        status: match (view, is_stale) {
            (None, _) => "no data",
            (Some(_), true) => "stale",
            (Some(_), false) => "ok",
        },
        reason: match view {
            None => Some(snapshot.waiting_for().to_owned()),
            Some(view) => view.is_ahead(now).then(|| AHEAD.to_owned()),
        },
        as_of: view.map(|view| view.as_of().to_string()),
        age_secs: view.and_then(|view| view.age_secs(now)),
        now: rfc3339(now),
        version: snapshot.info().version.clone(),
        workers: workers.iter().map(WorkerHealth::of).collect(),
    };
    let status = if view.is_some() { 200 } else { 503 };
    Answer::not_kept(status, "application/json", to_json(&health).unwrap_or_default())
}
