//! A detector with what it has found, and what stands beside that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::{IncidentLog, View, Watched};
use allium_detect::{Detector, Incident, Kind, Observation, Record, RelayIdx, RelayInfo, Settings};
use allium_history::{Error, Store};
use allium_model::{ConsensusHour, NetworkRecord, RelayFlag, RelayFlags, RelayRecord, Timestamp};

use super::saved::pack_read_at;
use crate::workers::effects::Effects;
use crate::workers::record;

/// A detector with what it has found.
pub struct Watch {
    pub(super) detector: Detector,
    /// By their index among all incidents.
    incidents: BTreeMap<usize, Arc<Incident>>,
    /// The first consensus whose incidents are reported.
    pub(super) reports_from: Option<ConsensusHour>,
    /// The consensuses that it was given, earliest first, with the flags that their lists have.
    pub(super) given: Vec<(ConsensusHour, RelayFlags)>,
    /// Time at which the pack of lists was imported that describes relays.
    pub(super) pack_read_at: Option<Timestamp>,
    pub(super) effects: Effects,
    /// Incidents that changed since effects were last measured.
    pub(super) changed: Vec<usize>,
    /// Hours that were doubted at some time: whether a view knows them depends on when it was made.
    once_doubted: BTreeSet<ConsensusHour>,
}

impl Watch {
    pub(super) fn new(detector: Detector, pack_read_at: Option<Timestamp>) -> Self {
        Self {
            detector,
            incidents: BTreeMap::new(),
            reports_from: None,
            given: Vec::new(),
            pack_read_at,
            effects: Effects::default(),
            changed: Vec::new(),
            once_doubted: BTreeSet::new(),
        }
    }

    /// Walks the whole history of a store.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn replay(store: &dyn Store, settings: Settings) -> Result<Self, Error> {
        Ok(Self::walk(record::of(store)?, pack_read_at(store)?, settings, &|| false))
    }

    /// Walks a record, or only its beginning if it is stopped.
    pub(super) fn walk(mut record: Record, pack_read_at: Option<Timestamp>, settings: Settings, is_stopped: &dyn Fn() -> bool) -> Self {
        let detector = Detector::new(settings, std::mem::take(&mut record.relays));
        let mut watch = Self::new(detector, pack_read_at);
        record.walk(0..record.hours.len(), |_, list| {
            if !is_stopped() {
                watch.step(list);
            }
        });
        watch.refresh(0..watch.detector.n_incidents());
        watch
    }

    /// The hours whose list is reported as one that cannot be what the network was.
    pub fn doubted(&self) -> BTreeSet<ConsensusHour> {
        let reported = self.incidents.values().filter(|incident| incident.kind == Kind::DataQuality);
        let stretches: Vec<_> = reported.map(|incident| (incident.detected_at, incident.resolved_at)).collect();
        let is_doubted =
            |hour: &ConsensusHour| stretches.iter().any(|(from, until)| from <= hour && until.is_none_or(|until| *hour < until));
        self.given.iter().map(|(hour, _)| *hour).filter(is_doubted).collect()
    }

    /// Number of consensuses that the detector was given.
    pub fn n_given(&self) -> usize {
        self.given.len()
    }

    /// Number of consensuses that the detector believed.
    pub fn n_lists(&self) -> u32 {
        self.detector.n_lists()
    }

    /// Number of incidents that the detector has found.
    pub fn n_incidents(&self) -> usize {
        self.incidents.len()
    }

    /// Number of consensuses that a view knows beyond those given.
    pub fn n_behind(&self, view: &View) -> usize {
        view.record.known.hours().len().saturating_sub(self.n_given())
    }

    /// Steps through the consensuses of a view that are later than the last one given. `false` if its record does not go on where this
    /// stopped: earlier consensuses have come or gone, or are known otherwise.
    pub fn follow(&mut self, view: &View) -> bool {
        let network = &view.record;
        self.once_doubted.extend(self.doubted());
        let is_settled = |(hour, _): &(ConsensusHour, RelayFlags)| !self.once_doubted.contains(hour);
        let known: Vec<_> = record::hours(&network.known).into_iter().filter(is_settled).collect();
        let given: Vec<_> = self.given.iter().copied().filter(is_settled).collect();
        let Some(later) = known.strip_prefix(given.as_slice()) else { return false };
        if later.is_empty() {
            return true;
        }
        let relays = self.describe(view);
        for (hour, reported) in later.iter().copied() {
            let listed = listed(network, &relays, hour);
            let changed = self.step(&Observation { hour, listed: &listed, reported, described: &[] });
            self.refresh(changed);
        }
        true
    }

    /// Hands the detector what is known of the relays, and gives its indices of them in the order of the record.
    fn describe(&mut self, view: &View) -> Vec<Option<RelayIdx>> {
        let mut index = |info: Option<RelayInfo>| {
            let info = info?;
            let known = self.detector.find(&info.fingerprint);
            Some(known.filter(|relay| *self.detector.relay(*relay) == info).unwrap_or_else(|| self.detector.describe(info)))
        };
        record::infos(&view.record, &view.operators.directory).into_iter().map(&mut index).collect()
    }

    fn step(&mut self, list: &Observation<'_>) -> Vec<usize> {
        let step = self.detector.step(list);
        self.given.push((list.hour, list.reported));
        if self.reports_from.is_none() && self.detector.n_lists() > Settings::default().warm_up_lists {
            self.reports_from = Some(list.hour);
        }
        step.changed
    }

    /// Measures in the stored weights what incidents took from the network.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn measure(&mut self, store: &dyn Store, network: &NetworkRecord) -> Result<(), Error> {
        self.effects.measure(store, &self.detector, &self.incidents, &self.changed, Some(network))?;
        self.changed.clear();
        Ok(())
    }

    pub(super) fn refresh(&mut self, indices: impl IntoIterator<Item = usize>) {
        for index in indices {
            self.changed.push(index);
            match self.detector.incident(index) {
                Some(incident) => self.incidents.insert(index, Arc::new(incident)),
                None => self.incidents.remove(&index),
            };
        }
    }

    /// Its incidents in the form that pages read.
    pub fn log(&self) -> IncidentLog {
        let watched = Watched {
            as_of: self.given.last().map(|(hour, _)| *hour),
            from: self.reports_from,
            n_lists: self.detector.n_lists(),
            n_learning: Settings::default().warm_up_lists,
        };
        let weighed = |(index, incident): (&usize, &Arc<Incident>)| Arc::new(self.effects.weighed(*index, incident, &self.detector));
        let incidents = self.incidents.iter().map(weighed).collect();
        let effects = watched.as_of.map(|as_of| self.effects.recent(&self.incidents, as_of)).unwrap_or_default();
        IncidentLog::new(watched, self.detector.capacity(), incidents).with_effects(effects)
    }
}

/// The relays that the consensus of an hour lists as running, by index.
fn listed(network: &NetworkRecord, relays: &[Option<RelayIdx>], hour: ConsensusHour) -> Vec<(RelayIdx, RelayFlags)> {
    let flags = |relay: &RelayRecord| {
        let span = relay.spans.get(relay.spans.partition_point(|span| span.end <= hour));
        span.filter(|span| span.start <= hour).map(|span| span.state.flags).filter(|flags| flags.contains(RelayFlag::Running))
    };
    let all = network.relays.iter().zip(relays);
    let mut listed: Vec<_> = all.filter_map(|(relay, index)| Some(((*index)?, flags(relay)?))).collect();
    listed.sort_unstable_by_key(|(index, _)| *index);
    listed
}
