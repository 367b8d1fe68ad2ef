//! Reports of workers, one per worker, for `/healthz` and `/metrics`.

use std::time::Duration;

use allium_model::Timestamp;

/// State of a worker as its supervisor sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorkerReport {
    /// Name of the worker, such as `detector`.
    pub name: String,
    /// Runs so far: completed, failed and panicked.
    pub runs: u64,
    /// Runs that ended in an error.
    pub failures: u64,
    /// Runs that ended in a panic.
    pub panics: u64,
    /// Start of the run under way; `None` while the worker rests or waits.
    pub running_since: Option<Timestamp>,
    /// End of the last run that succeeded.
    pub last_success: Option<Timestamp>,
    /// Time that the last run took, whatever its end.
    pub last_duration: Option<Duration>,
    /// End of the first failed run since the last one that succeeded; `None` while the worker does well.
    pub failing_since: Option<Timestamp>,
    /// Reason of the last failure while the worker fails, inert.
    pub reason: Option<String>,
}

impl WorkerReport {
    /// A worker that has not run.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }
}
