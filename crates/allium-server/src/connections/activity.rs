//! Requests under way on one connection, and the time at which it must end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::limits::Limits;

/// Requests under way on one connection, or on one stream of changes.
#[derive(Debug)]
pub(crate) struct Activity {
    state: Mutex<State>,
    end: Notify,
}

#[derive(Debug)]
struct State {
    next: u64,
    /// Beginnings of the requests under way; `None` for those that may last.
    requests: BTreeMap<u64, Option<Instant>>,
    /// Since when there is none.
    idle_since: Instant,
}

/// One request under way; it ends when this is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Request(Arc<Held>);

#[derive(Debug)]
struct Held {
    activity: Arc<Activity>,
    number: u64,
}

impl Activity {
    pub(crate) fn new() -> Arc<Self> {
        let state = State { next: 0, requests: BTreeMap::new(), idle_since: Instant::now() };
        Arc::new(Self { state: Mutex::new(state), end: Notify::new() })
    }

    /// Begins a request.
    pub(crate) fn begin(self: &Arc<Self>) -> Request {
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        state.requests.insert(number, Some(Instant::now()));
        drop(state);
        Request(Arc::new(Held { activity: Arc::clone(self), number }))
    }

    /// Asks whoever keeps the connection to end it.
    pub(crate) fn end(&self) {
        self.end.notify_one();
    }

    /// Completes when somebody asked to end the connection.
    pub(crate) async fn asked_to_end(&self) {
        self.end.notified().await;
    }

    /// Since when no request is under way; `None` while one is.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        let state = self.state();
        state.requests.is_empty().then_some(state.idle_since)
    }

    /// Completes when the connection was idle for too long, or a client takes too long over an answer; with the reason.
    pub(crate) async fn overdue(&self, limits: &Limits) -> &'static str {
        loop {
            let (deadline, reason) = self.deadline(limits);
            if deadline <= Instant::now() {
                return reason;
            }
            sleep_until(deadline).await;
        }
    }

    fn deadline(&self, limits: &Limits) -> (Instant, &'static str) {
        let state = self.state();
        match state.requests.values().flatten().min() {
            Some(begun) => (*begun + limits.answer, "slow"),
            None if state.requests.is_empty() => (state.idle_since + limits.idle, "idle"),
            None => (Instant::now() + limits.idle, "idle"),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Request {
    /// Lets the answer last: it is a stream.
    pub(crate) fn may_last(&self) {
        if let Some(begun) = self.0.activity.state().requests.get_mut(&self.0.number) {
            *begun = None;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.activity.state();
        state.requests.remove(&self.number);
        state.idle_since = Instant::now();
    }
}
