//! Lanes for work of each cost: so much at a time, so many in waiting, for so long. Whatever a lane cannot take is shed at once, so that
//! nothing queues for longer than anybody would wait. Pages have a lane of their own, which large answers never enter.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use allium_views::route::Cost;
use tokio::sync::Semaphore;

/// The name of the lane for work of a cost, as metrics have it.
pub(crate) const fn name(cost: Cost) -> &'static str {
    match cost {
        Cost::Light => "page",
        Cost::Picture => "picture",
        Cost::Heavy => "heavy",
    }
}

/// Work that was not done: too much waits already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shed;

/// A lane for each cost, in the order of costs.
#[derive(Debug)]
pub(crate) struct Lanes([Lane; 3]);

#[derive(Debug)]
struct Lane {
    permits: Arc<Semaphore>,
    n_waiting: AtomicUsize,
    max_waiting: usize,
    patience: Duration,
}

/// One in waiting, until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Default for Lanes {
    fn default() -> Self {
        let n_cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let lane = |n_at_a_time, max_waiting, secs| Lane {
            permits: Arc::new(Semaphore::new(n_at_a_time)),
            n_waiting: AtomicUsize::new(0),
            max_waiting,
            patience: Duration::from_secs(secs),
        };
        Self([lane(n_cores.max(2), 1_024, 10), lane(n_cores.div_ceil(2), 128, 10), lane(n_cores.div_ceil(4), 64, 30)])
    }
}

impl Lanes {
    /// Does work on a thread of its own, as soon as its lane has room.
    ///
    /// # Errors
    /// [`Shed`] if too much waits, or room did not come in time. Work that panics panics here.
    pub(crate) async fn run<T: Send + 'static>(&self, cost: Cost, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Shed> {
        let lane = &self.0[cost as usize];
        let waiting = Waiting(&lane.n_waiting);
        if lane.n_waiting.fetch_add(1, Ordering::Relaxed) >= lane.max_waiting {
            return Err(Shed);
        }
        let room = tokio::time::timeout(lane.patience, Arc::clone(&lane.permits).acquire_owned());
        let permit = room.await.map_err(|_| Shed)?.map_err(|_| Shed)?;
        drop(waiting);
        let log = tracing::dispatcher::get_default(tracing::Dispatch::clone);
        let work = tokio::task::spawn_blocking(move || {
            // Held by the work itself: a client that goes away makes no room before its work is done.
            let _permit = permit;
            tracing::dispatcher::with_default(&log, work)
        });
        match work.await {
            Ok(done) => Ok(done),
            Err(error) => std::panic::resume_unwind(error.try_into_panic().map_err(|_| Shed)?),
        }
    }

    /// Requests in waiting, in all lanes.
    pub(crate) fn n_waiting(&self) -> usize {
        self.0.iter().map(|lane| lane.n_waiting.load(Ordering::Relaxed)).sum()
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_a_lane_cannot_take_is_shed() {
        let lane =
            Lane { permits: Arc::new(Semaphore::new(0)), n_waiting: AtomicUsize::new(0), max_waiting: 1, patience: Duration::from_secs(5) };
        let lanes = Arc::new(Lanes([lane, Lanes::default().0.into_iter().nth(1).unwrap(), Lanes::default().0.into_iter().nth(2).unwrap()]));
        let first = tokio::spawn({
            let lanes = Arc::clone(&lanes);
            async move { lanes.run(Cost::Light, || 1).await }
        });
        tokio::task::yield_now().await;
        assert_eq!((lanes.n_waiting(), lanes.run(Cost::Light, || 2).await), (1, Err(Shed)));
        assert_eq!(first.await.unwrap(), Err(Shed), "no room came in five seconds");
        assert_eq!((lanes.n_waiting(), lanes.run(Cost::Heavy, || 3).await), (0, Ok(3)));
    }
}
