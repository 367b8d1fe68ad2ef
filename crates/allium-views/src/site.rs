//! What the running server holds: the newest view, a clock, and what it says of itself.

use std::sync::{Arc, RwLock};

use allium_model::{SourceReport, Timestamp};

use crate::incidents::IncidentLog;
use crate::outlook::Outlook;
use crate::view::View;

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
}

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
    changes: tokio::sync::watch::Sender<()>,
    waiting_for: RwLock<String>,
    sources: RwLock<Arc<[SourceReport]>>,
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
                changes: tokio::sync::watch::Sender::new(()),
                waiting_for,
                sources: RwLock::default(),
            }),
        }
    }

    /// Publishes a view; requests that began earlier finish with the one before.
    pub fn set_view(&self, view: View) {
        let mut slot = self.shared.view.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        *slot = Some(Arc::new(view));
        drop(slot);
        self.shared.changes.send_replace(());
    }

    /// Tells whenever a view was published.
    pub fn changes(&self) -> tokio::sync::watch::Receiver<()> {
        self.shared.changes.subscribe()
    }

    /// Publishes forecasts, or why there are none.
    pub fn set_outlook(&self, outlook: Outlook) {
        let mut slot = self.shared.outlook.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        *slot = outlook;
    }

    /// What is known of the weeks ahead; cheap.
    pub fn outlook(&self) -> Outlook {
        self.shared.outlook.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// The newest view.
    pub fn view(&self) -> Option<Arc<View>> {
        self.shared.view.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Publishes what was detected.
    pub fn set_incidents(&self, log: IncidentLog) {
        let mut slot = self.shared.incidents.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        *slot = Some(Arc::new(log));
    }

    /// What was detected; `None` until that is worked out.
    pub fn incidents(&self) -> Option<Arc<IncidentLog>> {
        self.shared.incidents.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Says why there is no view yet, such as "the first fetch failed: connection refused".
    pub fn set_waiting_for(&self, reason: impl Into<String>) {
        let mut slot = self.shared.waiting_for.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        *slot = reason.into();
    }

    /// Why there is no view yet.
    pub fn waiting_for(&self) -> String {
        self.shared.waiting_for.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Says how it goes with the sources, whether or not they brought anything that makes a new view.
    pub fn set_sources(&self, sources: Vec<SourceReport>) {
        let mut slot = self.shared.sources.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        *slot = sources.into();
    }

    /// How it goes with the sources, by name.
    pub fn sources(&self) -> Arc<[SourceReport]> {
        self.shared.sources.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
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
