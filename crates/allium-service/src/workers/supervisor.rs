//! Keeps workers going: a thread for each, rests, another try after errors and panics, and an orderly end.
//!
//! Threads are the program's own, not the runtime's, so that training for minutes never keeps the program from ending. After a failed
//! run a worker rests, longer each time, and runs again. One that panicked is made anew first: whatever it remembered may be broken.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::runtime::Handle;
use tracing::Dispatch;

use super::wait::{Counts, Events, Stop};
use super::{Context, Next, SharedStore, Step, Worker};
use crate::report::WorkerReport;
use crate::site::Site;
use crate::snapshot::Patch;

/// Rests after failures: the first is this long, every further one twice as long as the one before, up to a limit.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Rest after the first failure.
    pub first: Duration,
    /// The longest rest.
    pub longest: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { first: Duration::from_secs(10), longest: Duration::from_secs(600) }
    }
}

impl Pace {
    /// The rest after so many failures in a row.
    fn rest(&self, n_failures: u32) -> Duration {
        let factor = 2_u32.saturating_pow(n_failures.saturating_sub(1));
        self.first.saturating_mul(factor).min(self.longest)
    }
}

/// Runs workers until they are asked to stop.
pub struct Supervisor {
    shared: Arc<Shared>,
    pace: Pace,
    threads: Vec<Thread>,
}

/// State that the threads of all workers share.
struct Shared {
    site: Site,
    context: Context,
    events: Arc<Events>,
    reports: Mutex<Vec<WorkerReport>>,
}

/// The thread of a worker.
struct Thread {
    name: &'static str,
    only_reads: bool,
    handle: JoinHandle<()>,
}

impl Supervisor {
    /// Workers of a site and its store, of which none runs yet; what is asynchronous in them runs in `runtime`.
    pub fn new(site: Site, store: SharedStore, runtime: Handle, pace: Pace) -> Self {
        let events = Arc::new(Events::new());
        let context = Context { store: Arc::new(store), stop: Stop::new(events.clone(), runtime) };
        Self { shared: Arc::new(Shared { site, context, events, reports: Mutex::default() }), pace, threads: Vec::new() }
    }

    /// Starts a worker, which is made once here and again after each panic.
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub fn start<W: Worker + 'static>(&mut self, mut make: impl FnMut() -> W + Send + 'static) -> anyhow::Result<()> {
        let worker = make();
        let (name, only_reads) = (worker.name(), worker.only_reads());
        let post = Post { index: self.shared.enrol(name), name, shared: self.shared.clone(), pace: self.pace };
        let log = tracing::dispatcher::get_default(Dispatch::clone);
        let work = move || tracing::dispatcher::with_default(&log, || post.keep(worker, make));
        let handle = std::thread::Builder::new().name(name.to_owned()).spawn(work).with_context(|| format!("no thread for {name}"))?;
        self.threads.push(Thread { name, only_reads, handle });
        Ok(())
    }

    /// The store that the workers share.
    pub fn store(&self) -> Arc<SharedStore> {
        self.shared.context.store.clone()
    }

    /// Asks the workers to stop and waits for those that do more than read, up to `grace`. The others are cut off with the program.
    pub fn end(self, grace: Duration) {
        self.shared.context.stop.raise();
        let begun = Instant::now();
        let is_awaited = |thread: &Thread| !thread.only_reads && !thread.handle.is_finished();
        while self.threads.iter().any(is_awaited) && begun.elapsed() < grace {
            std::thread::sleep(Duration::from_millis(10));
        }
        for thread in self.threads.iter().filter(|thread| is_awaited(thread)) {
            tracing::warn!(worker = thread.name, "cut off at the end of the program");
        }
    }
}

impl Shared {
    /// Adds a worker to the reports and gives its index there.
    fn enrol(&self, name: &str) -> usize {
        self.report(|reports| {
            reports.push(WorkerReport::new(name));
            reports.len() - 1
        })
    }

    /// Changes the reports and publishes them.
    fn report<T>(&self, change: impl FnOnce(&mut Vec<WorkerReport>) -> T) -> T {
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = change(&mut reports);
        self.site.set_workers(reports.clone());
        changed
    }

    /// Shows what a step came to, and lets those know who wait for it.
    fn apply(&self, patches: Vec<Patch>, has_stored: bool) {
        let has_network = patches.iter().any(|patch| matches!(patch, Patch::Network(_)));
        if !patches.is_empty() {
            self.site.publish(patches);
        }
        if has_network || has_stored {
            self.events.note(|counts| {
                counts.networks += u64::from(has_network);
                counts.stored += u64::from(has_stored);
            });
        }
    }
}

/// A worker's entry with the supervisor.
struct Post {
    index: usize,
    name: &'static str,
    shared: Arc<Shared>,
    pace: Pace,
}

/// End of a run.
enum Outcome {
    Done { next: Next },
    Failed(String),
    Panicked(String),
}

impl Outcome {
    /// True if the run succeeded and left nothing to do at once: only then has a worker recovered that failed before.
    fn is_complete(&self) -> bool {
        matches!(self, Self::Done { next } if *next != Next::Now)
    }
}

/// Time of a worker's next run.
#[derive(Clone, Copy)]
struct Plan {
    rest: Duration,
    next: Next,
    /// Counts of events at the step before.
    seen: Counts,
    n_failures: u32,
}

impl Plan {
    fn first(worker: &dyn Worker) -> Self {
        Self { rest: Duration::ZERO, next: worker.first(), seen: Counts::default(), n_failures: 0 }
    }
}

impl Post {
    /// Runs the worker until the program ends.
    fn keep<W: Worker>(&self, worker: W, mut make: impl FnMut() -> W) {
        let mut plan = Plan::first(&worker);
        let mut worker = Some(worker);
        while self.shared.events.wait(plan.rest, plan.next, &plan.seen) {
            let seen = self.shared.events.counts();
            let begun = Instant::now();
            self.note_start();
            let (outcome, kept) = self.run(worker.take(), &mut make);
            worker = kept;
            self.note_end(&outcome, begun.elapsed(), plan.n_failures);
            plan = self.plan(&outcome, worker.as_ref(), begun.elapsed(), Plan { seen, ..plan });
        }
        self.finish(worker);
    }

    /// Runs the worker once, made anew where there is none; it is gone if it panics.
    fn run<W: Worker>(&self, worker: Option<W>, make: &mut impl FnMut() -> W) -> (Outcome, Option<W>) {
        let mut kept = None;
        let run = || {
            let mut worker = worker.unwrap_or_else(make);
            let done = worker.step(&self.shared.site.snapshot(), &self.shared.context);
            let next = done.and_then(|Step { patches, next, has_stored, failure }| {
                self.shared.apply(patches, has_stored);
                failure.map_or(Ok(next), Err)
            });
            kept = Some(worker);
            next
        };
        let outcome = match catch_unwind(AssertUnwindSafe(run)) {
            Ok(Ok(next)) => Outcome::Done { next },
            Ok(Err(error)) => Outcome::Failed(self.in_public(&format!("{error:#}"))),
            Err(panic) => Outcome::Panicked(self.in_public(text_of(&*panic))),
        };
        (outcome, kept)
    }

    fn plan(&self, outcome: &Outcome, worker: Option<&impl Worker>, took: Duration, plan: Plan) -> Plan {
        match outcome {
            Outcome::Done { next } => {
                let rest = worker.map_or(Duration::ZERO, |worker| worker.rest(took));
                let n_failures = if outcome.is_complete() { 0 } else { plan.n_failures };
                Plan { rest, next: *next, n_failures, ..plan }
            }
            Outcome::Failed(_) | Outcome::Panicked(_) => {
                let n_failures = plan.n_failures.saturating_add(1);
                Plan { rest: self.pace.rest(n_failures), next: Next::Now, n_failures, ..plan }
            }
        }
    }

    fn note_start(&self) {
        let now = self.shared.site.now();
        self.shared.report(|reports| reports[self.index].running_since = Some(now));
    }

    fn note_end(&self, outcome: &Outcome, took: Duration, n_failures_before: u32) {
        self.log(outcome, n_failures_before);
        let now = self.shared.site.now();
        self.shared.report(|reports| {
            let report = &mut reports[self.index];
            report.runs += 1;
            report.running_since = None;
            report.last_duration = Some(took);
            report.failures += u64::from(matches!(outcome, Outcome::Failed(_)));
            report.panics += u64::from(matches!(outcome, Outcome::Panicked(_)));
            match outcome {
                Outcome::Done { .. } => {
                    report.last_success = Some(now);
                    if outcome.is_complete() {
                        (report.failing_since, report.reason) = (None, None);
                    }
                }
                Outcome::Failed(reason) | Outcome::Panicked(reason) => {
                    report.failing_since.get_or_insert(now);
                    report.reason = Some(reason.clone());
                }
            }
        });
        if let Outcome::Failed(reason) | Outcome::Panicked(reason) = outcome
            && self.shared.site.snapshot().view().is_none()
        {
            self.shared.site.publish([Patch::Waiting(format!("{} failed: {reason}", self.name))]);
        }
    }

    fn log(&self, outcome: &Outcome, n_failures_before: u32) {
        let (worker, retry_secs) = (self.name, self.pace.rest(n_failures_before.saturating_add(1)).as_secs());
        match outcome {
            Outcome::Failed(reason) => tracing::error!(worker, %reason, retry_secs, "worker failed"),
            Outcome::Panicked(reason) => tracing::error!(worker, %reason, retry_secs, "worker panicked"),
            Outcome::Done { .. } if n_failures_before > 0 && outcome.is_complete() => tracing::info!(worker, "worker recovered"),
            Outcome::Done { .. } => {}
        }
    }

    /// Lets the worker do what is left to do.
    fn finish(&self, worker: Option<impl Worker>) {
        let Some(mut worker) = worker else { return };
        let reason = match catch_unwind(AssertUnwindSafe(|| worker.finish(&self.shared.context))) {
            Ok(Ok(())) => return,
            Ok(Err(error)) => self.in_public(&format!("{error:#}")),
            Err(panic) => self.in_public(text_of(&*panic)),
        };
        tracing::error!(worker = self.name, %reason, "worker did not finish");
    }

    fn in_public(&self, reason: &str) -> String {
        self.shared.context.store.in_public(reason)
    }
}

/// The text of a panic.
fn text_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&'static str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without a text")
}
