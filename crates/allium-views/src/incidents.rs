//! What the detector has found, in the form that pages read: made once per consensus, then only read.

use std::collections::BTreeMap;
use std::sync::Arc;

use allium_detect::{Capacity, Incident, Scope};
use allium_model::{ConsensusHour, Fingerprint};

/// All incidents as of one consensus.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IncidentLog {
    /// What was watched.
    pub watched: Watched,
    /// Running relays by role against what is usual.
    pub capacity: Vec<Capacity>,
    incidents: Vec<Arc<Incident>>,
    by_id: BTreeMap<String, usize>,
    by_relay: BTreeMap<Fingerprint, Vec<usize>>,
    by_scope: BTreeMap<Scope, Vec<usize>>,
}

/// Which consensuses the detector has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Watched {
    /// The last one.
    pub as_of: Option<ConsensusHour>,
    /// The first one whose incidents are reported; before it the detector only learned. `None` while it learns.
    pub from: Option<ConsensusHour>,
    /// How many.
    pub n_lists: u32,
    /// How many it learns from before it reports anything.
    pub n_learning: u32,
}

impl IncidentLog {
    /// The log of these incidents, in any order.
    pub fn new(watched: Watched, capacity: Vec<Capacity>, mut incidents: Vec<Arc<Incident>>) -> Self {
        incidents.sort_by(|a, b| (a.detected_at, &a.id).cmp(&(b.detected_at, &b.id)));
        let mut log = Self { watched, capacity, incidents, ..Self::default() };
        for (place, incident) in log.incidents.iter().enumerate() {
            log.by_id.insert(incident.id.clone(), place);
            log.by_scope.entry(incident.scope.clone()).or_default().push(place);
            for fingerprint in &incident.relays {
                log.by_relay.entry(*fingerprint).or_default().push(place);
            }
        }
        log
    }

    /// All incidents, by detection and id.
    pub fn incidents(&self) -> &[Arc<Incident>] {
        &self.incidents
    }

    /// Those that go on: the most severe first, then the largest, then the latest.
    pub fn open(&self) -> Vec<&Incident> {
        let mut open: Vec<&Incident> = self.incidents.iter().map(AsRef::as_ref).filter(|incident| incident.status.is_open()).collect();
        open.sort_by(|a, b| (b.severity, b.n_affected, b.detected_at, &a.id).cmp(&(a.severity, a.n_affected, a.detected_at, &b.id)));
        open
    }

    /// The incident of that id.
    pub fn get(&self, id: &str) -> Option<&Incident> {
        self.by_id.get(id).map(|place| self.incidents[*place].as_ref())
    }

    /// The incidents that a relay is part of, newest first.
    pub fn of_relay(&self, fingerprint: &Fingerprint) -> impl Iterator<Item = &Incident> {
        self.at(self.by_relay.get(fingerprint))
    }

    /// The incidents of a scope, newest first.
    pub fn of_scope(&self, scope: &Scope) -> impl Iterator<Item = &Incident> {
        self.at(self.by_scope.get(scope))
    }

    /// Those that something was seen of after a consensus, earliest first.
    pub fn changed_after(&self, hour: ConsensusHour) -> Vec<&Incident> {
        let mut changed: Vec<&Incident> = self.incidents.iter().map(AsRef::as_ref).filter(|incident| updated_at(incident) > hour).collect();
        changed.sort_by_key(|incident| updated_at(incident));
        changed
    }

    fn at<'a>(&'a self, places: Option<&'a Vec<usize>>) -> impl Iterator<Item = &'a Incident> {
        places.into_iter().flatten().rev().map(|place| self.incidents[*place].as_ref())
    }
}

/// The consensus in which something was last seen of an incident.
pub fn updated_at(incident: &Incident) -> ConsensusHour {
    incident.timeline.iter().map(|(hour, _)| *hour).chain(incident.resolved_at).max().unwrap_or(incident.detected_at)
}
