//! Scripted misbehaviour.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Fault of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// This status with an error page: 500 while no index is ready, 503 for maintenance, 502 from a front end.
    Status(u16),
    /// Status 200 and only the first bytes of the document, as many as given, with a matching length.
    Truncated(usize),
    /// Status 200 and a page of HTML.
    Html,
    /// The document dated the given number of hours earlier, and modified as long ago.
    Older(u32),
    /// The right answer, after this time.
    Slow(Duration),
}

/// A script of faults, shared by its clones. Each is used up by one request.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Vec<Scripted>>>);

/// A fault that waits for its request, with the path it is for; `None` for any path.
#[derive(Debug, Clone)]
struct Scripted {
    path: Option<String>,
    fault: Fault,
}

impl Faults {
    /// Adds a fault to the next request, for any path.
    pub fn push(&self, fault: Fault) {
        self.script().push(Scripted { path: None, fault });
    }

    /// Adds a fault to the next request for this path, such as `/uptime`.
    pub fn push_for(&self, path: &str, fault: Fault) {
        self.script().push(Scripted { path: Some(path.to_owned()), fault });
    }

    /// Number of faults that still wait.
    pub fn remaining(&self) -> usize {
        self.script().len()
    }

    /// Takes the first fault that concerns this path.
    pub(super) fn next_for(&self, path: &str) -> Option<Fault> {
        let mut script = self.script();
        let index = script.iter().position(|scripted| scripted.path.as_deref().is_none_or(|only| only == path))?;
        Some(script.remove(index).fault)
    }

    fn script(&self) -> MutexGuard<'_, Vec<Scripted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
