//! The newest snapshot, and whoever waits for the next one.

use std::sync::Arc;

use allium_model::Timestamp;
use tokio::sync::watch::{Receiver, Sender};

use crate::info::SiteInfo;
use crate::notes::NoteStore;
use crate::report::WorkerReport;
use crate::snapshot::{Patch, Snapshot};

/// Gives the present time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The state behind the pages: one slot that holds the newest [`Snapshot`]. Cheap to clone, shared by workers and requests.
#[derive(Clone)]
pub struct Site {
    newest: Sender<Arc<Snapshot>>,
    clock: Clock,
    notes: Option<Arc<dyn NoteStore>>,
    workers: Sender<Arc<[WorkerReport]>>,
}

impl Site {
    /// A site without data: every page says that there is none yet.
    pub fn new(info: SiteInfo, clock: Clock) -> Self {
        let newest = Sender::new(Arc::new(Snapshot::empty(info)));
        Self { newest, clock, notes: None, workers: Sender::default() }
    }

    /// The same with a store for notes; without one notes are refused.
    pub fn with_notes(self, notes: Arc<dyn NoteStore>) -> Self {
        Self { notes: Some(notes), ..self }
    }

    /// The newest snapshot.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.newest.borrow())
    }

    /// Publishes some parts made anew as one new snapshot; requests that began earlier finish with the one before.
    pub fn publish(&self, patches: impl IntoIterator<Item = Patch>) {
        let now = (self.clock)();
        self.newest.send_modify(|newest| *newest = Arc::new(newest.patched(patches, now)));
    }

    /// A receiver that wakes with each snapshot.
    pub fn subscribe(&self) -> Receiver<Arc<Snapshot>> {
        self.newest.subscribe()
    }

    /// The store for notes, where there is one.
    pub fn notes(&self) -> Option<Arc<dyn NoteStore>> {
        self.notes.clone()
    }

    /// Publishes the state of the workers, which no page shows.
    pub fn set_workers(&self, workers: Vec<WorkerReport>) {
        self.workers.send_replace(workers.into());
    }

    /// The state of the workers, in the order in which they were started.
    pub fn workers(&self) -> Arc<[WorkerReport]> {
        Arc::clone(&self.workers.borrow())
    }

    /// The present time.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }
}
