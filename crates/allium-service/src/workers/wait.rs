//! Waiting for what makes a step due: something published, something stored, time, or the end of the program.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::watch::Sender;

use super::Next;

/// Raised once, when the program ends.
#[derive(Clone)]
pub struct Stop {
    events: Arc<Events>,
    runtime: Handle,
}

impl Stop {
    pub(super) fn new(events: Arc<Events>, runtime: Handle) -> Self {
        Self { events, runtime }
    }

    /// Asks all workers to stop.
    pub fn raise(&self) {
        self.events.note(|counts| counts.is_stopping = true);
        self.events.stopping.send_replace(true);
    }

    /// True if the signal was raised.
    pub fn is_raised(&self) -> bool {
        self.events.counts().is_stopping
    }

    /// Runs asynchronous work on this thread to its end; `None` if the program ends first, and then the work is dropped.
    pub fn or_done<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut stopping = self.events.stopping.subscribe();
        self.runtime.block_on(async {
            tokio::select! {
                done = work => Some(done),
                _ = stopping.wait_for(|is_stopping| *is_stopping) => None,
            }
        })
    }
}

/// Events so far, and the condition variable that workers wait at.
pub(super) struct Events {
    counts: Mutex<Counts>,
    changed: Condvar,
    stopping: Sender<bool>,
}

/// Numbers of events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Networks published.
    pub(super) networks: u64,
    /// Changes of the store that a network has to show.
    pub(super) stored: u64,
    is_stopping: bool,
}

impl Counts {
    /// True if this is due, given the counts that the step before saw; time aside.
    fn is_due(&self, next: Next, seen: &Self) -> bool {
        match next {
            Next::Now => true,
            Next::Network | Next::NetworkOrAfter(_) => self.networks > seen.networks,
            Next::Stored => self.stored > seen.stored,
            Next::After(_) => false,
        }
    }
}

impl Events {
    pub(super) fn new() -> Self {
        Self { counts: Mutex::default(), changed: Condvar::new(), stopping: Sender::new(false) }
    }

    /// Numbers of events so far.
    pub(super) fn counts(&self) -> Counts {
        *self.lock()
    }

    /// Notes that something happened.
    pub(super) fn note(&self, happened: impl FnOnce(&mut Counts)) {
        happened(&mut self.lock());
        self.changed.notify_all();
    }

    /// Waits until a step is due; `false` if the program ends first.
    pub(super) fn wait(&self, rest: Duration, next: Next, seen: &Counts) -> bool {
        let begun = Instant::now();
        let deadline = match next {
            Next::After(pause) | Next::NetworkOrAfter(pause) => begun.checked_add(pause.max(rest)),
            _ => None,
        };
        let rested = begun.checked_add(rest);
        let mut counts = self.lock();
        loop {
            if counts.is_stopping {
                return false;
            }
            let is_over = |at: Option<Instant>| at.is_some_and(|at| at <= Instant::now());
            let is_rested = is_over(rested);
            if is_rested && counts.is_due(next, seen) || is_over(deadline) {
                return true;
            }
            let until = if is_rested { deadline } else { rested };
            counts = self.wait_until(counts, until);
        }
    }

    fn wait_until<'a>(&self, counts: MutexGuard<'a, Counts>, until: Option<Instant>) -> MutexGuard<'a, Counts> {
        match until {
            Some(at) => {
                let left = at.saturating_duration_since(Instant::now());
                self.changed.wait_timeout(counts, left).unwrap_or_else(PoisonError::into_inner).0
            }
            None => self.changed.wait(counts).unwrap_or_else(PoisonError::into_inner),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(20);

    #[test]
    fn a_step_is_due_when_what_it_waits_for_happened_since() {
        let events = Events::new();
        let before = events.counts();
        events.note(|counts| counts.networks += 1);
        let after = events.counts();
        for (next, seen, is_due) in [
            (Next::Now, after, true),
            (Next::Network, before, true),
            (Next::Network, after, false),
            (Next::Stored, before, false),
            (Next::NetworkOrAfter(SOON), before, true),
            (Next::After(SOON), before, false),
        ] {
            assert_eq!(events.counts().is_due(next, &seen), is_due, "{next:?}");
        }
    }

    #[test]
    fn rest_comes_first_and_time_passes() {
        let events = Events::new();
        let took = |rest, next| {
            let begun = Instant::now();
            assert!(events.wait(rest, next, &Counts::default()));
            begun.elapsed()
        };
        assert!(took(SOON, Next::Now) >= SOON);
        assert!(took(Duration::ZERO, Next::NetworkOrAfter(SOON)) >= SOON);
        assert!(took(SOON * 2, Next::After(SOON)) >= SOON * 2);
    }

    #[test]
    fn the_end_of_the_program_ends_every_wait() {
        let events = Events::new();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(SOON);
                events.note(|counts| counts.is_stopping = true);
            });
            assert!(!events.wait(Duration::ZERO, Next::Network, &Counts::default()));
        });
        assert!(!events.wait(Duration::from_secs(3_600), Next::Now, &Counts::default()));
    }
}
