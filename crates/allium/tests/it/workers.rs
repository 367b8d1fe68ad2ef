//! The supervisor and its workers: what fails is named and tried again, the others go on, and everything ends in order.
#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise, helpers included")]

use std::io::{self, Read as _, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use allium_detect::Settings;
use allium_history::{ConsensusInfo, ConsensusSource, FullConsensus, Listed, StoreUrl};
use allium_model::{ConsensusHour, Fingerprint, RelayFlag, RelayState};
use allium_server::router;
use allium_service::workers::detector::DetectorWorker;
use allium_service::workers::network::Network;
use allium_service::workers::{Context, Next, Pace, SharedStore, Step, Supervisor, Worker};
use allium_service::{Site, SiteInfo, Snapshot};
use serde_json::Value;
use tokio::runtime::Runtime;

const NOW: &str = "2026-02-15T19:00:00Z";
/// Time that anything may take that must happen at last.
const PATIENCE: Duration = Duration::from_secs(30);
const SOON: Duration = Duration::from_millis(5);

/// A log that can be read.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A service with workers, whose pages are served.
struct Trial {
    runtime: Runtime,
    site: Site,
    address: SocketAddr,
    log: Log,
}

impl Trial {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let site = Site::new(SiteInfo::default(), Arc::new(|| NOW.parse().unwrap()));
        let listener = runtime.block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0))).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(axum::serve(listener, router(site.clone())).into_future());
        Self { runtime, site, address, log: Log::default() }
    }

    /// Starts workers on a store.
    fn supervise(&self, store: &Path, start: impl FnOnce(&mut Supervisor)) -> Supervisor {
        let pace = Pace { first: SOON, longest: 4 * SOON };
        let log = self.log.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || log.clone()).with_ansi(false).with_target(false).finish();
        let mut supervisor = Supervisor::new(self.site.clone(), SharedStore::new(store.into(), true), self.runtime.handle().clone(), pace);
        tracing::subscriber::with_default(subscriber, || start(&mut supervisor));
        supervisor
    }

    /// The text at a path.
    fn text(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    /// The state of a worker in `/healthz`.
    fn health(&self, worker: &str) -> Value {
        let health: Value = serde_json::from_str(&self.text("/healthz")).unwrap();
        health["workers"].as_array().unwrap().iter().find(|state| state["name"] == worker).unwrap().clone()
    }

    /// The value of a figure of a worker in `/metrics`.
    fn figure(&self, name: &str, worker: &str) -> Option<f64> {
        let series = format!("{name}{{worker=\"{worker}\"}} ");
        self.text("/metrics").lines().find_map(|line| line.strip_prefix(&series)?.parse().ok())
    }
}

#[track_caller]
fn wait_for(what: &str, mut happened: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !happened() {
        assert!(begun.elapsed() < PATIENCE, "{what} does not happen");
        std::thread::sleep(SOON);
    }
}

/// Counts its runs, and panics in each while it is broken.
struct Fragile {
    is_broken: Arc<AtomicBool>,
    n_runs: Arc<AtomicUsize>,
}

impl Worker for Fragile {
    fn name(&self) -> &'static str {
        "fragile"
    }

    fn first(&self) -> Next {
        Next::Now
    }

    fn step(&mut self, _: &Snapshot, _: &Context) -> anyhow::Result<Step> {
        let n = self.n_runs.fetch_add(1, Ordering::SeqCst);
        assert!(!self.is_broken.load(Ordering::SeqCst), "run {n} met what nobody thought of");
        Ok(Step::then(Next::After(SOON)))
    }
}

/// Does a step again and again, and something when the program ends.
struct Steady<S, F> {
    step: S,
    finish: F,
    only_reads: bool,
}

impl<S, F> Worker for Steady<S, F>
where
    S: FnMut(&Context) -> anyhow::Result<Step> + Send,
    F: FnMut() + Send,
{
    fn name(&self) -> &'static str {
        "steady"
    }

    fn first(&self) -> Next {
        Next::Now
    }

    fn step(&mut self, _: &Snapshot, context: &Context) -> anyhow::Result<Step> {
        (self.step)(context)
    }

    fn finish(&mut self, _: &Context) -> anyhow::Result<()> {
        (self.finish)();
        Ok(())
    }

    fn only_reads(&self) -> bool {
        self.only_reads
    }
}

#[test]
fn a_worker_that_panics_is_named_and_recovers_while_the_others_go_on() {
    let trial = Trial::new();
    let (is_broken, n_runs, n_made, n_steady) =
        (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let supervisor = trial.supervise(Path::new("none.db"), |supervisor| {
        let (is_broken, n_runs, n_made, n_steady) = (is_broken.clone(), n_runs.clone(), n_made.clone(), n_steady.clone());
        let make = move || {
            n_made.fetch_add(1, Ordering::SeqCst);
            Fragile { is_broken: is_broken.clone(), n_runs: n_runs.clone() }
        };
        supervisor.start(make).unwrap();
        let step = move |_: &Context| {
            n_steady.fetch_add(1, Ordering::SeqCst);
            Ok(Step::then(Next::After(SOON)))
        };
        supervisor.start(move || Steady { step: step.clone(), finish: || {}, only_reads: false }).unwrap();
    });
    wait_for("a second panic", || trial.figure("allium_worker_panics_total", "fragile") >= Some(2.0));
    let health = trial.health("fragile");
    assert!(["failing", "running"].contains(&health["status"].as_str().unwrap()), "{health}");
    assert_eq!(health["since"], NOW, "{health}");
    assert!(health["reason"].as_str().unwrap().contains("met what nobody thought of"), "{health}");
    assert_eq!(trial.figure("allium_worker_failing", "fragile"), Some(1.0));
    assert_eq!(trial.figure("allium_worker_failures_total", "fragile"), Some(0.0));
    assert_eq!(trial.figure("allium_worker_last_success_timestamp_seconds", "fragile"), None);
    assert!(trial.site.snapshot().waiting_for().starts_with("fragile failed: run "), "{}", trial.site.snapshot().waiting_for());
    let seen = n_steady.load(Ordering::SeqCst);
    wait_for("a step of the other worker", || n_steady.load(Ordering::SeqCst) > seen + 3);
    assert_eq!((trial.health("steady")["reason"].clone(), trial.figure("allium_worker_failing", "steady")), (Value::Null, Some(0.0)));

    is_broken.store(false, Ordering::SeqCst);
    wait_for("recovery", || trial.figure("allium_worker_failing", "fragile") == Some(0.0));
    assert_eq!(trial.health("fragile")["reason"], Value::Null);
    assert!(trial.figure("allium_worker_last_success_timestamp_seconds", "fragile").is_some());
    let panics = trial.figure("allium_worker_panics_total", "fragile").unwrap();
    assert_eq!(n_made.load(Ordering::SeqCst) as f64, panics + 1.0, "made anew after each panic");
    supervisor.end(PATIENCE);
    let log = trial.log.text();
    assert!(log.contains("ERROR worker panicked worker=\"fragile\" reason=run 0 met what nobody thought of"), "{log}");
    assert!(log.contains("INFO worker recovered worker=\"fragile\""), "{log}");
}

#[test]
fn a_worker_that_fails_is_tried_again_and_says_nothing_of_where_the_store_is() {
    let trial = Trial::new();
    let dir = tempfile::tempdir().unwrap();
    let n_runs = Arc::new(AtomicUsize::new(0));
    let counted = n_runs.clone();
    let supervisor = trial.supervise(&dir.path().join("missing.db"), |supervisor| {
        let step = move |context: &Context| {
            if counted.fetch_add(1, Ordering::SeqCst) < 3 {
                context.store.read()?;
            }
            Ok(Step::then(Next::Network))
        };
        supervisor.start(move || Steady { step: step.clone(), finish: || {}, only_reads: false }).unwrap();
    });
    wait_for("recovery", || trial.figure("allium_worker_last_success_timestamp_seconds", "steady").is_some());
    assert_eq!(
        ["runs", "failures", "panics"].map(|what| trial.figure(&format!("allium_worker_{what}_total"), "steady")),
        [Some(4.0), Some(3.0), Some(0.0)]
    );
    let shown = trial.site.snapshot();
    let reason = shown.waiting_for();
    assert!(reason.contains("missing.db") && !reason.contains(dir.path().to_str().unwrap()), "{reason}");
    supervisor.end(PATIENCE);
}

#[test]
fn the_end_waits_for_what_is_stored_and_for_nothing_else() {
    let trial = Trial::new();
    let (is_finished, n_stuck) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (finished, stuck) = (is_finished.clone(), n_stuck.clone());
    let supervisor = trial.supervise(Path::new("none.db"), |supervisor| {
        // A source that never answers, with something left to do.
        let hanging = |context: &Context| {
            assert!(context.stop.or_done(std::future::pending::<()>()).is_none());
            Ok(Step::then(Next::Now))
        };
        let finish = move || finished.store(true, Ordering::SeqCst);
        supervisor.start(move || Steady { step: hanging, finish: finish.clone(), only_reads: false }).unwrap();
        // A training that takes minutes.
        let training = move |_: &Context| {
            stuck.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(2 * PATIENCE);
            Ok(Step::then(Next::Network))
        };
        supervisor.start(move || Steady { step: training.clone(), finish: || {}, only_reads: true }).unwrap();
    });
    wait_for("a training", || n_stuck.load(Ordering::SeqCst) > 0);
    let begun = Instant::now();
    supervisor.end(PATIENCE);
    assert!(is_finished.load(Ordering::SeqCst));
    assert!(begun.elapsed() < PATIENCE / 2, "{:?}", begun.elapsed());
}

fn consensus(hour: ConsensusHour) -> FullConsensus {
    let state = || RelayState { flags: [RelayFlag::Running].into_iter().collect(), ..RelayState::default() };
    FullConsensus {
        info: ConsensusInfo { hour, source: ConsensusSource::Directory, verified: true, received_at: hour.start() },
        listed: (0..40).map(|n| Listed::of(Fingerprint::new([n; 20]), state())).collect(),
        bandwidth_weights: Default::default(),
    }
}

/// Starts network and detector, waits for incidents as of an hour, and ends.
fn detect(trial: &Trial, store: &Path, as_of: ConsensusHour) {
    let supervisor = trial.supervise(store, |supervisor| {
        supervisor.start(|| Network { if_empty: None }).unwrap();
        let mut is_first = true;
        supervisor.start(move || DetectorWorker::new(Settings::default(), std::mem::replace(&mut is_first, false))).unwrap();
    });
    wait_for("detection", || trial.site.snapshot().incidents().is_some_and(|log| log.watched.as_of == Some(as_of)));
    supervisor.end(PATIENCE);
}

#[test]
fn the_detector_takes_up_its_state_where_it_fits() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tor.db");
    let start: ConsensusHour = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut store = StoreUrl::from(path.as_path()).open().unwrap();
    (0..100).for_each(|n| assert!(store.append_full_consensus(&consensus(start.plus(n))).unwrap()));
    let walked = Trial::new();
    detect(&walked, &path, start.plus(99));
    assert!(walked.log.text().contains("history walked through the detector lists=100"), "{}", walked.log.text());
    let saved = store.load_state("detector").unwrap().unwrap();

    // Two consensuses came while the program was not running.
    (100..102).for_each(|n| assert!(store.append_full_consensus(&consensus(start.plus(n))).unwrap()));
    let restored = Trial::new();
    detect(&restored, &path, start.plus(101));
    let log = restored.log.text();
    assert!(log.contains("detector restored lists=100") && !log.contains("history walked"), "{log}");
    assert_ne!(store.load_state("detector").unwrap().unwrap(), saved, "saved again at the end");
    assert_eq!(restored.site.snapshot().incidents().unwrap().watched.n_lists, 102);

    store.prune(start.plus(1)).unwrap();
    let pruned = Trial::new();
    detect(&pruned, &path, start.plus(101));
    let log = pruned.log.text();
    assert!(log.contains("does not go on") && log.contains("history walked through the detector lists=101"), "{log}");
}
