//! The detector: restored or replayed at the start, then stepped once per consensus.
//!
//! It walks the same lists as `allium replay`, so both find the same incidents. Its state is kept in the store and taken up at the
//! start where it fits; where it does not, the whole stored history is walked.

mod saved;
mod watch;

use std::time::Instant;

use crate::View;
use allium_detect::Settings;
use allium_words::inert::inert;

use super::{Context, Next, Step, Worker, network_of, record};
use crate::snapshot::{Patch, Snapshot};

pub use watch::Watch;

/// Name of the worker and of its state in the store.
const NAME: &str = "detector";
/// Consensuses after which the state is saved again.
const SAVE_EVERY: usize = 24;
/// A restored detector follows so many consensuses at the most: it takes relays to have been all the time what they are now, and a
/// replay knows better.
const MAX_BEHIND: usize = 72;

/// Keeps incidents up to date with the network.
pub struct DetectorWorker {
    settings: Settings,
    /// True if the saved state has not been read yet.
    is_to_restore: bool,
    watch: Option<Watch>,
    /// True if the watch was restored and has followed nothing yet.
    is_restored: bool,
    /// Consensuses that the saved state does not have.
    n_unsaved: usize,
}

impl DetectorWorker {
    /// A detector with these settings, which takes up the saved state or, if not, walks the history: whoever panicked trusts no state.
    pub const fn new(settings: Settings, is_to_restore: bool) -> Self {
        Self { settings, is_to_restore, watch: None, is_restored: false, n_unsaved: 0 }
    }

    /// Reads the saved state; logs why there is none that can be used.
    fn restore(&mut self, context: &Context) {
        let begun = Instant::now();
        let restored = context.store.read_every_list().map_err(anyhow::Error::from).and_then(|store| {
            let Some(state) = store.load_state(NAME)? else { return Ok(None) };
            Watch::restore(&state, &self.settings, &*store).map(Some)
        });
        match restored {
            Ok(None) => {}
            Ok(Some(watch)) => {
                let (lists, incidents) = (watch.n_given(), watch.n_incidents());
                tracing::info!(lists, incidents, millis = begun.elapsed().as_millis(), "detector restored");
                (self.watch, self.is_restored) = (Some(watch), true);
            }
            Err(error) => {
                let reason = inert(&format!("{error:#}"));
                tracing::info!(%reason, "saved state of the detector not used");
            }
        }
    }

    /// The watch after everything that the view knows, if there is one that its history goes on from.
    fn catch_up(&mut self, view: &View) -> Option<Watch> {
        let begun = Instant::now();
        let mut watch = self.watch.take()?;
        let n_before = watch.n_given();
        let is_too_far = std::mem::take(&mut self.is_restored) && watch.n_behind(view) > MAX_BEHIND;
        if is_too_far || !watch.follow(view) {
            tracing::info!("the history does not go on from the state of the detector");
            return None;
        }
        self.n_unsaved += watch.n_given() - n_before;
        tracing::info!(as_of = %view.as_of(), millis = begun.elapsed().as_millis(), "detector stepped");
        Some(watch)
    }

    /// Walks the whole history; `None` if the program ends meanwhile.
    fn replay(&mut self, view: &View, context: &Context) -> anyhow::Result<Option<Watch>> {
        let begun = Instant::now();
        let mut watch = context.store.read_whole_with_every_list(|store| {
            let (record, pack_read_at) = (record::of(store)?, saved::pack_read_at(store)?);
            Ok(Watch::walk(record, pack_read_at, self.settings.clone(), &|| context.stop.is_raised()))
        })?;
        if context.stop.is_raised() {
            return Ok(None);
        }
        watch.follow(view);
        let (lists, incidents) = (watch.n_lists(), watch.n_incidents());
        tracing::info!(lists, incidents, millis = begun.elapsed().as_millis(), "history walked through the detector");
        self.n_unsaved = self.n_unsaved.max(SAVE_EVERY);
        Ok(Some(watch))
    }

    /// Saves the state if enough consensuses came since.
    fn save(&mut self, after: usize, context: &Context) -> anyhow::Result<()> {
        let Some(watch) = self.watch.as_ref().filter(|_| context.store.is_writable() && self.n_unsaved >= after) else { return Ok(()) };
        let begun = Instant::now();
        let state = watch.save(&*context.store.read()?)?;
        context.store.write(|store| Ok(store.save_state(NAME, &state)?))?;
        tracing::info!(bytes = state.len(), millis = begun.elapsed().as_millis(), "state of the detector saved");
        self.n_unsaved = 0;
        Ok(())
    }
}

impl Worker for DetectorWorker {
    fn name(&self) -> &'static str {
        NAME
    }

    /// The state is read while the network is being loaded.
    fn first(&self) -> Next {
        if self.is_to_restore { Next::Now } else { Next::Network }
    }

    fn step(&mut self, snapshot: &Snapshot, context: &Context) -> anyhow::Result<Step> {
        if std::mem::take(&mut self.is_to_restore) {
            self.restore(context);
            return Ok(Step::then(if snapshot.view().is_some() { Next::Now } else { Next::Network }));
        }
        let view = network_of(snapshot)?;
        let watch = match self.catch_up(view) {
            Some(watch) => Some(watch),
            None => self.replay(view, context)?,
        };
        let Some(watch) = watch else { return Ok(Step::then(Next::Network)) };
        let watch = self.watch.insert(watch);
        let store = context.store.read()?;
        watch.measure(&*store, &view.record)?;
        let doubted = watch.doubted();
        let log = watch.log().with_notes(&store.incident_notes()?);
        if let Err(error) = self.save(SAVE_EVERY, context) {
            let reason = inert(&format!("{error:#}"));
            tracing::error!(%reason, "state of the detector not saved");
        }
        let is_judged_otherwise = context.store.doubt(doubted);
        Ok(Step::then(Next::Network).with(Patch::Incidents(Box::new(log))).having_stored(is_judged_otherwise))
    }

    fn finish(&mut self, context: &Context) -> anyhow::Result<()> {
        self.save(1, context)
    }
}
