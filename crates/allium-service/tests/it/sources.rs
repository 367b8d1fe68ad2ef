//! Sources that lie, hang and drip, and a store that takes nothing: what failed is named while it lasts and gone after, nothing false is
//! kept, and other sources go on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use allium_history::{KnownConsensus, StoreUrl};
use allium_model::{DocumentKind, SourceReport};
use allium_service::workers::sources::{Fetcher, Road, Source};
use allium_service::workers::{Pace, SharedStore, Supervisor};
use allium_service::{Clock, Site, SiteInfo};
use allium_sources::collector::{Collector, CollectorOptions};
use allium_sources::onionoo::{Client, ClientOptions};
use allium_sources::read::Limits;
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::liar::{Conduct, Liar};

const NOW: &str = "2026-03-10T13:30:00Z";
/// Time that anything may take that must happen at last.
const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(50);
const LIMITS: Limits = Limits { max_bytes: 4 << 20, max_compressed_bytes: 1 << 20, max_ratio: 1000 };

/// A service that visits Onionoo and an archive, both on loopback.
struct Trial {
    dir: TempDir,
    _runtime: Runtime,
    site: Site,
    supervisor: Option<Supervisor>,
    onionoo: Liar,
    archive: Liar,
}

impl Trial {
    /// A service of which a visit may take so long, once it has the network as of noon.
    fn start(deadline: Duration) -> Self {
        let (dir, runtime) = (tempfile::tempdir().unwrap(), Runtime::new().unwrap());
        let clock: Clock = Arc::new(|| NOW.parse().unwrap());
        let site = Site::new(SiteInfo::default(), clock.clone());
        let url = store(&dir);
        drop(url.open().unwrap());
        let (onionoo, archive) = (Liar::start(Conduct::Good(12)), Liar::start(Conduct::Index));
        let pace = Pace { first: POLL, longest: POLL };
        let mut supervisor = Supervisor::new(site.clone(), SharedStore::new(url, true), runtime.handle().clone(), pace);
        let options = ClientOptions {
            limits: LIMITS,
            retries: 1,
            retry_pause: POLL,
            timeout: PATIENCE,
            ..ClientOptions::new(&onionoo.url, dir.path().join("cache"))
        };
        let client = Box::new(Client::new(options).unwrap());
        let options = CollectorOptions { base_url: archive.url.clone(), ..CollectorOptions::default() };
        let collector = Box::new(Collector::new(options).unwrap());
        let kinds = vec![DocumentKind::Details, DocumentKind::Uptime];
        for road in [Road::Onionoo { client, kinds }, Road::Collector { collector, directory: None }] {
            let fetcher = Arc::new(Fetcher { road, clock: clock.clone(), poll: POLL, deadline, tolerance_secs: 7200 });
            supervisor.start(move || Source { fetcher: fetcher.clone() }).unwrap();
        }
        let trial = Self { dir, _runtime: runtime, site, supervisor: Some(supervisor), onionoo, archive };
        trial.wait_until("the network of noon is stored", || trial.failure().is_none() && trial.hours() == ["2026-03-10T12:00:00Z"]);
        trial
    }

    fn report(&self, source: &str) -> Option<SourceReport> {
        self.site.snapshot().sources().iter().find(|report| report.source == source).cloned()
    }

    /// The failure of Onionoo's last visit; a text where it was never asked.
    fn failure(&self) -> Option<String> {
        self.report("onionoo").map_or_else(|| Some("never asked".to_owned()), |report| report.failure)
    }

    /// Hours of the consensuses in the store, with the number of running relays where it is not that of the network.
    fn hours(&self) -> Vec<String> {
        let store = store(&self.dir).open_read_only().unwrap();
        let word = |KnownConsensus { info, n_running, .. }: KnownConsensus| match n_running {
            50 => info.hour.to_string(),
            _ => format!("{}: {n_running} running", info.hour),
        };
        store.known().unwrap().into_iter().map(word).collect()
    }

    fn wait_until(&self, what: &str, mut is_true: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !is_true() {
            assert!(begun.elapsed() < PATIENCE, "{what}: {:?} {:?}", self.site.snapshot().sources(), self.hours());
            std::thread::sleep(POLL);
        }
    }

    /// Misbehaves, and checks that it is named for that until it has the network of this hour again, without a trace in the record.
    fn check(&self, conduct: Conduct, reason: &str, then: u8) {
        let (words, hours) = (format!("{conduct:?}: {reason}"), self.hours());
        self.onionoo.set(conduct);
        let is_named = || self.failure().is_some_and(|failure| failure.contains(reason));
        self.wait_until(&words, is_named);
        // Three visits later it is named still.
        let n_asked = self.archive.n_asked();
        self.wait_until(&words, || self.archive.n_asked() >= n_asked + 3);
        assert!(is_named(), "{words}: {:?}", self.failure());
        assert_eq!(self.report("collector").unwrap().failure, None, "{words}");
        assert_eq!(self.hours(), hours, "{words}");
        self.onionoo.set(Conduct::Good(then));
        self.wait_until(&format!("it answers again after {words}"), || self.failure().is_none());
        assert!(self.report("onionoo").unwrap().failures.iter().any(|failure| failure.reason.contains(reason)), "{words}");
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        self.supervisor.take().unwrap().end(PATIENCE);
    }
}

fn store(dir: &TempDir) -> StoreUrl {
    StoreUrl::from(dir.path().join("tor.db").as_path())
}

#[test]
fn a_source_that_hangs_or_drips_is_named_and_stops_no_other() {
    let trial = Trial::start(Duration::from_secs(1));
    for conduct in [Conduct::Hang, Conduct::Drip] {
        trial.check(conduct, "details: the visit took longer than 1 s and was ended", 12);
    }
}

#[test]
fn nothing_that_cannot_be_enters_the_record() {
    let trial = Trial::start(PATIENCE);
    let ahead = "refused, its relays_published";
    trial.check(Conduct::Dated("2030-01-01 00:00:00"), ahead, 12);
    trial.check(Conduct::Dated("9999-01-01 00:00:00"), ahead, 12);
    trial.check(Conduct::Dated("2026-03-10 16:00:00"), ahead, 12);
    trial.check(Conduct::Bomb, "more than", 12);
    trial.check(Conduct::Endless, "more than", 12);
    trial.check(Conduct::Relays(0, 0, 13), "a part of the network: it has no running relay", 13);
    trial.check(Conduct::Relays(60, 0, 14), "a part of the network: it has no running relay", 14);
    trial.check(Conduct::Relays(7, 7, 15), "a part of the network: it leaves out 43 of the 50 relays", 15);
    let hours = ["12", "13", "14", "15"].map(|hour| format!("2026-03-10T{hour}:00:00Z"));
    trial.wait_until("the true hours are stored", || trial.hours() == hours);
}

#[test]
fn a_store_that_takes_nothing_is_seen_where_a_source_that_gives_nothing_is() {
    let trial = Trial::start(PATIENCE);
    let conn = Connection::open(trial.dir.path().join("tor.db")).unwrap();
    conn.busy_timeout(PATIENCE).unwrap();
    // Another program writes and does not come to an end.
    conn.execute_batch("BEGIN IMMEDIATE").unwrap();
    trial.onionoo.set(Conduct::Good(13));
    for source in ["onionoo", "collector"] {
        trial.wait_until("the failure is shown", || {
            trial.report(source).unwrap().failure.is_some_and(|failure| failure.contains("is being written by another process"))
        });
    }
    let failure = trial.failure().unwrap();
    assert!(failure.contains("not stored") && !failure.contains(trial.dir.path().to_str().unwrap()), "{failure}");
    let stored = || store(&trial.dir).open_read_only().unwrap().sources().unwrap();
    assert!(stored().iter().all(|report| report.failure.is_none()), "the store cannot know of it: {:?}", stored());
    // A state from the store, as other workers publish it, does not hide it.
    trial.site.publish([allium_service::Patch::Sources(stored())]);
    assert!(trial.failure().is_some());
    conn.execute_batch("ROLLBACK").unwrap();
    let is_well = |source| trial.report(source).unwrap().failure.is_none();
    trial.wait_until("all is stored", || is_well("onionoo") && is_well("collector") && trial.hours().len() == 2);
    assert!(
        stored().iter().all(|report| report.failures.iter().any(|failure| failure.reason.contains("is being written by another process"))),
        "{:?}",
        stored()
    );
}
