//! The detector beside a running service: brought up to date from the stored history, then stepped once per consensus.
//!
//! It walks the same lists as `allium replay`, so both find the same incidents.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use allium_detect::{Detector, Incident, Observation, RelayIdx, RelayInfo, Settings};
use allium_history::{Error, SqliteHistory};
use allium_model::{ConsensusHour, IncidentNote, NetworkRecord, RelayFlag, RelayFlags, RelayRecord};
use allium_views::text::inert;
use allium_views::{IncidentLog, Site, View, Watched};

use crate::effects::Effects;
use crate::record;

/// Keeps the incidents of a site up to date with its view, for as long as the site is served. What fails is logged and tried again
/// with the next view.
pub async fn keep(site: Site, store: PathBuf, settings: Settings) {
    let mut views = site.changes();
    let mut watch = None;
    loop {
        views.mark_unchanged();
        if let Some(view) = site.view() {
            let (store, settings) = (store.clone(), settings.clone());
            let work = tokio::task::spawn_blocking(move || {
                Ok::<_, anyhow::Error>((brought_up_to_date(watch, &view, &store, settings)?, notes(&store)?))
            });
            watch = match work.await {
                Ok(Ok((watch, notes))) => {
                    site.set_incidents(watch.log().with_notes(&notes));
                    Some(watch)
                }
                Ok(Err(error)) => {
                    let reason = inert(&format!("{error:#}"));
                    tracing::error!(%reason, "incidents not worked out");
                    None
                }
                Err(_) => None,
            };
        }
        if views.changed().await.is_err() {
            return;
        }
    }
}

/// What people say about incidents.
fn notes(store: &Path) -> anyhow::Result<Vec<IncidentNote>> {
    Ok(SqliteHistory::open_read_only(store)?.incident_notes()?)
}

/// The watch after everything that the view knows; made anew from the store where there is none, or where it does not fit any more.
fn brought_up_to_date(watch: Option<Watch>, view: &View, store: &Path, settings: Settings) -> anyhow::Result<Watch> {
    let start = Instant::now();
    if let Some(mut watch) = watch
        && watch.follow(view)
    {
        watch.measure(store, &view.record)?;
        tracing::info!(as_of = %view.as_of(), millis = start.elapsed().as_millis(), "detector stepped");
        return Ok(watch);
    }
    let mut watch = Watch::of(&SqliteHistory::open_read_only(store)?, settings)?;
    watch.follow(view);
    watch.measure(store, &view.record)?;
    let (lists, incidents) = (watch.detector.n_lists(), watch.incidents.len());
    tracing::info!(lists, incidents, millis = start.elapsed().as_millis(), "history walked through the detector");
    Ok(watch)
}

/// A detector with what it has found.
pub struct Watch {
    detector: Detector,
    incidents: BTreeMap<usize, Arc<Incident>>,
    /// The first consensus whose incidents are reported.
    reports_from: Option<ConsensusHour>,
    /// The last consensus that it was given, and how many consensuses that makes.
    given: Option<(ConsensusHour, usize)>,
    effects: Effects,
    /// Incidents that changed since effects were last measured.
    changed: Vec<usize>,
}

impl Watch {
    /// Walks a whole history.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn of(store: &SqliteHistory, settings: Settings) -> Result<Self, Error> {
        let mut record = record::of(store)?;
        let detector = Detector::new(settings, std::mem::take(&mut record.relays));
        let mut watch = Self {
            detector,
            incidents: BTreeMap::new(),
            reports_from: None,
            given: None,
            effects: Effects::default(),
            changed: Vec::new(),
        };
        record.walk(0..record.hours.len(), |_, list| {
            watch.step(list);
        });
        watch.refresh(0..watch.detector.n_incidents());
        Ok(watch)
    }

    /// Steps through the consensuses of a view that are later than the last one given. `false` if its record does not go on where this
    /// stopped: earlier consensuses have come or gone.
    pub fn follow(&mut self, view: &View) -> bool {
        let network = &view.record;
        let hours = network.known.hours();
        let (n_before, n_given) = self.given.map_or((0, 0), |(last, n)| (network.known.place(last.next()), n));
        if n_before != n_given {
            return false;
        }
        if n_before == hours.len() {
            return true;
        }
        let numbers = self.describe(view);
        for (hour, told) in record::hours(&network.known).into_iter().skip(n_before) {
            let listed = listed(network, &numbers, hour);
            let changed = self.step(&Observation { hour, listed: &listed, reported: told, described: &[] });
            self.refresh(changed);
        }
        true
    }

    /// Tells the detector who the relays are, and gives their numbers in the order of the record.
    fn describe(&mut self, view: &View) -> Vec<Option<RelayIdx>> {
        let mut number = |info: Option<RelayInfo>| {
            let info = info?;
            let known = self.detector.find(&info.fingerprint);
            Some(known.filter(|relay| *self.detector.relay(*relay) == info).unwrap_or_else(|| self.detector.describe(info)))
        };
        record::infos(&view.record, &view.operators.directory).into_iter().map(&mut number).collect()
    }

    fn step(&mut self, list: &Observation<'_>) -> Vec<usize> {
        let step = self.detector.step(list);
        let n = self.given.map_or(0, |(_, n)| n);
        self.given = Some((list.hour, n + 1));
        if self.reports_from.is_none() && self.detector.n_lists() > Settings::default().warm_up_lists {
            self.reports_from = Some(list.hour);
        }
        step.changed
    }

    /// Looks into the stored weights for what incidents took from the network.
    fn measure(&mut self, store: &Path, network: &NetworkRecord) -> anyhow::Result<()> {
        let store = SqliteHistory::open_read_only(store)?;
        let changed = std::mem::take(&mut self.changed);
        Ok(self.effects.measure(&store, &self.detector, &self.incidents, &changed, Some(network))?)
    }

    fn refresh(&mut self, places: impl IntoIterator<Item = usize>) {
        for place in places {
            self.changed.push(place);
            match self.detector.incident(place) {
                Some(incident) => self.incidents.insert(place, Arc::new(incident)),
                None => self.incidents.remove(&place),
            };
        }
    }

    /// What the pages show of it.
    pub fn log(&self) -> IncidentLog {
        let watched = Watched {
            as_of: self.given.map(|(hour, _)| hour),
            from: self.reports_from,
            n_lists: self.detector.n_lists(),
            n_learning: Settings::default().warm_up_lists,
        };
        let weighed = |(place, incident): (&usize, &Arc<Incident>)| Arc::new(self.effects.weighed(*place, incident, &self.detector));
        let incidents = self.incidents.iter().map(weighed).collect();
        let effects = watched.as_of.map(|as_of| self.effects.recent(&self.incidents, as_of)).unwrap_or_default();
        IncidentLog::new(watched, self.detector.capacity(), incidents).with_effects(effects)
    }
}

/// The relays that the consensus of an hour lists as running, by number.
fn listed(network: &NetworkRecord, numbers: &[Option<RelayIdx>], hour: ConsensusHour) -> Vec<(RelayIdx, RelayFlags)> {
    let flags = |relay: &RelayRecord| {
        let span = relay.spans.get(relay.spans.partition_point(|span| span.end <= hour));
        span.filter(|span| span.start <= hour).map(|span| span.state.flags).filter(|flags| flags.contains(RelayFlag::Running))
    };
    let relays = network.relays.iter().zip(numbers);
    let mut listed: Vec<_> = relays.filter_map(|(relay, number)| Some(((*number)?, flags(relay)?))).collect();
    listed.sort_unstable_by_key(|(number, _)| *number);
    listed
}
