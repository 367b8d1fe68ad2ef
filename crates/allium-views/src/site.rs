//! What the running server holds: the newest view, a clock, and what it says of itself.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use allium_analysis::{PastStandings, Sizes};
use allium_model::{IncidentNote, SourceReport, Timestamp};
use tokio::sync::watch::{Receiver, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::desk::{Desk, SharedDesk};
use crate::incidents::IncidentLog;
use crate::outlook::Outlook;
use crate::scoreboard::Scoreboard;
use crate::stream::{Changes, News};
use crate::view::View;
use crate::workers::WorkerReport;

/// Tells the time. Pages need it for ages and for nothing else.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What the service says of itself on every page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SiteInfo {
    /// Version of the program.
    pub version: String,
    /// Whether the network shown is simulated; every page says so.
    pub demo: bool,
    /// How to reach whoever runs this service, as plain text.
    pub contact: Option<String>,
    /// Address of the same service as an onion service, such as `http://….onion`; sent as `Onion-Location`.
    pub onion: Option<String>,
    /// What the addresses of this service start with, such as `https://tor.example`, for feeds; as clients call it unless set.
    pub address: Option<String>,
}

/// How many may listen to changes at a time.
const MAX_LISTENERS: usize = 64;

/// The state behind the pages: cheap to clone, shared by all requests.
#[derive(Clone)]
pub struct Site {
    shared: Arc<Shared>,
}

struct Shared {
    info: SiteInfo,
    clock: Clock,
    view: RwLock<Option<Arc<View>>>,
    incidents: RwLock<Option<Arc<IncidentLog>>>,
    outlook: RwLock<Outlook>,
    scoreboard: RwLock<Option<Arc<Scoreboard>>>,
    sizes: RwLock<Arc<Sizes>>,
    past_standings: RwLock<Option<Arc<PastStandings>>>,
    changes: Sender<()>,
    stream: Mutex<Changes>,
    /// How many changes of incidents there ever were.
    news: Sender<u64>,
    closing: Sender<bool>,
    desk: RwLock<Option<SharedDesk>>,
    listeners: Arc<Semaphore>,
    waiting_for: RwLock<String>,
    sources: RwLock<Arc<[SourceReport]>>,
    workers: RwLock<Arc<[WorkerReport]>>,
}

impl Site {
    /// A site without a view: every page says that there is no data yet.
    pub fn new(info: SiteInfo, clock: Clock) -> Self {
        let waiting_for = RwLock::new("the first fetch is under way".to_owned());
        Self {
            shared: Arc::new(Shared {
                info,
                clock,
                view: RwLock::new(None),
                incidents: RwLock::new(None),
                outlook: RwLock::new(Outlook::default()),
                scoreboard: RwLock::new(None),
                sizes: RwLock::default(),
                past_standings: RwLock::new(None),
                changes: Sender::new(()),
                stream: Mutex::default(),
                news: Sender::new(0),
                closing: Sender::new(false),
                desk: RwLock::new(None),
                listeners: Arc::new(Semaphore::new(MAX_LISTENERS)),
                waiting_for,
                sources: RwLock::default(),
                workers: RwLock::default(),
            }),
        }
    }

    /// Publishes a view; requests that began earlier finish with the one before.
    pub fn set_view(&self, view: View) {
        let mut slot = self.shared.view.write().unwrap_or_else(PoisonError::into_inner);
        *slot = Some(Arc::new(view));
        drop(slot);
        self.shared.changes.send_replace(());
    }

    /// Tells whenever a view was published.
    pub fn changes(&self) -> Receiver<()> {
        self.shared.changes.subscribe()
    }

    /// Publishes forecasts, or why there are none.
    pub fn set_outlook(&self, outlook: Outlook) {
        let mut slot = self.shared.outlook.write().unwrap_or_else(PoisonError::into_inner);
        *slot = outlook;
    }

    /// What is known of the weeks ahead; cheap.
    pub fn outlook(&self) -> Outlook {
        self.shared.outlook.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Publishes how large the network and its parts were over time.
    pub fn set_sizes(&self, sizes: Sizes) {
        let mut slot = self.shared.sizes.write().unwrap_or_else(PoisonError::into_inner);
        *slot = Arc::new(sizes);
    }

    /// How large the network and its parts were over time; empty until that is read, and where the store holds no weights.
    pub fn sizes(&self) -> Arc<Sizes> {
        self.shared.sizes.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Publishes where operators stood in the leaderboards at earlier times.
    pub fn set_past_standings(&self, past: PastStandings) {
        let mut slot = self.shared.past_standings.write().unwrap_or_else(PoisonError::into_inner);
        *slot = Some(Arc::new(past));
    }

    /// Where operators stood at earlier times; `None` until that is worked out.
    pub fn past_standings(&self) -> Option<Arc<PastStandings>> {
        self.shared.past_standings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Publishes the scores of forecasts that an evaluation wrote, or that there are none.
    pub fn set_scoreboard(&self, scoreboard: Option<Scoreboard>) {
        let mut slot = self.shared.scoreboard.write().unwrap_or_else(PoisonError::into_inner);
        *slot = scoreboard.map(Arc::new);
    }

    /// The scores of forecasts, where an evaluation was run.
    pub fn scoreboard(&self) -> Option<Arc<Scoreboard>> {
        self.shared.scoreboard.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The newest view.
    pub fn view(&self) -> Option<Arc<View>> {
        self.shared.view.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Publishes what was detected, and tells those who listen what changed. What people said so far stays beside it.
    pub fn set_incidents(&self, log: IncidentLog) {
        let mut slot = self.shared.incidents.write().unwrap_or_else(PoisonError::into_inner);
        let log = match slot.as_deref() {
            Some(before) => log.with_notes_of(before),
            None => log,
        };
        self.replace(&mut slot, log);
    }

    /// Publishes all that people say about incidents; nothing happens before incidents are worked out.
    pub fn set_notes(&self, notes: &[IncidentNote]) {
        let mut slot = self.shared.incidents.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(log) = slot.as_deref().cloned() {
            self.replace(&mut slot, log.with_notes(notes));
        }
    }

    fn replace(&self, slot: &mut Option<Arc<IncidentLog>>, log: IncidentLog) {
        let mut stream = self.shared.stream.lock().unwrap_or_else(PoisonError::into_inner);
        stream.follow(slot.as_deref(), &log);
        *slot = Some(Arc::new(log));
        self.shared.news.send_replace(stream.n());
    }

    /// Says who takes down what people say; nobody does unless this is called.
    pub fn set_desk(&self, desk: Arc<dyn Desk>) {
        *self.shared.desk.write().unwrap_or_else(PoisonError::into_inner) = Some(desk);
    }

    /// Who takes down what people say.
    pub(crate) fn desk(&self) -> Option<SharedDesk> {
        self.shared.desk.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends all streams: the service stops.
    pub fn close(&self) {
        self.shared.closing.send_replace(true);
    }

    /// Tells of changes of incidents, and of the end.
    pub(crate) fn listen(&self) -> (Receiver<u64>, Receiver<bool>) {
        (self.shared.news.subscribe(), self.shared.closing.subscribe())
    }

    /// A place among those who listen, for as long as it is held; `None` where all are taken.
    pub(crate) fn listening_permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.shared.listeners).try_acquire_owned().ok()
    }

    /// The number of the change after the one of this name, and whether changes are missing before it; that of the next to come
    /// without a name.
    pub(crate) fn changes_after(&self, last_seen: Option<&str>) -> (u64, bool) {
        let stream = self.shared.stream.lock().unwrap_or_else(PoisonError::into_inner);
        last_seen.map_or_else(|| (stream.n(), false), |last_seen| stream.after(last_seen))
    }

    /// Changes of incidents from a number on.
    pub(crate) fn changes_from(&self, number: u64, most: usize) -> News {
        self.shared.stream.lock().unwrap_or_else(PoisonError::into_inner).from(number, most)
    }

    /// What was detected; `None` until that is worked out.
    pub fn incidents(&self) -> Option<Arc<IncidentLog>> {
        self.shared.incidents.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says why there is no view yet, such as "the first fetch failed: connection refused".
    pub fn set_waiting_for(&self, reason: impl Into<String>) {
        let mut slot = self.shared.waiting_for.write().unwrap_or_else(PoisonError::into_inner);
        *slot = reason.into();
    }

    /// Why there is no view yet.
    pub fn waiting_for(&self) -> String {
        self.shared.waiting_for.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says how it goes with the sources, whether or not they brought anything that makes a new view.
    pub fn set_sources(&self, sources: Vec<SourceReport>) {
        let mut slot = self.shared.sources.write().unwrap_or_else(PoisonError::into_inner);
        *slot = sources.into();
    }

    /// How it goes with the sources, by name.
    pub fn sources(&self) -> Arc<[SourceReport]> {
        self.shared.sources.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Publishes the state of the workers.
    pub fn set_workers(&self, workers: Vec<WorkerReport>) {
        let mut slot = self.shared.workers.write().unwrap_or_else(PoisonError::into_inner);
        *slot = workers.into();
    }

    /// The state of the workers, in the order in which they were started.
    pub fn workers(&self) -> Arc<[WorkerReport]> {
        self.shared.workers.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the service says of itself.
    pub fn info(&self) -> &SiteInfo {
        &self.shared.info
    }

    /// The present time.
    pub fn now(&self) -> Timestamp {
        (self.shared.clock)()
    }
}
