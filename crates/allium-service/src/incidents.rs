//! The incidents that the detector has found, in the form that pages read: made once per consensus, then only read.

use std::collections::BTreeMap;
use std::sync::Arc;

use allium_detect::explain::Effect;
use allium_detect::{Capacity, Incident, Scope};
use allium_model::{ConsensusHour, Fingerprint, IncidentNote, NoteAction, Timestamp};
use allium_words::incidents::updated_at;

/// All incidents as of one consensus.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IncidentLog {
    /// Consensuses that the detector has seen.
    pub watched: Watched,
    /// Running relays by role against what is usual.
    pub capacity: Vec<Capacity>,
    incidents: Vec<Arc<Incident>>,
    by_id: BTreeMap<String, usize>,
    by_relay: BTreeMap<Fingerprint, Vec<usize>>,
    by_scope: BTreeMap<Scope, Vec<usize>>,
    /// By the id of the incident, earliest first.
    notes: BTreeMap<String, Vec<IncidentNote>>,
    /// By the id of the incident.
    effects: BTreeMap<String, Arc<Effect>>,
}

/// Consensuses that the detector has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Watched {
    /// The last one.
    pub as_of: Option<ConsensusHour>,
    /// The first one whose incidents are reported; before it the detector only learned. `None` while it learns.
    pub from: Option<ConsensusHour>,
    /// Number of these consensuses.
    pub n_lists: u32,
    /// Number of consensuses that the detector learns from before it reports anything.
    pub n_learning: u32,
}

impl IncidentLog {
    /// The log of these incidents, in any order.
    pub fn new(watched: Watched, capacity: Vec<Capacity>, mut incidents: Vec<Arc<Incident>>) -> Self {
        incidents.sort_by(|a, b| (a.detected_at, &a.id).cmp(&(b.detected_at, &b.id)));
        let mut log = Self { watched, capacity, incidents, ..Self::default() };
        for (index, incident) in log.incidents.iter().enumerate() {
            log.by_id.insert(incident.id.clone(), index);
            log.by_scope.entry(incident.scope.clone()).or_default().push(index);
            for fingerprint in &incident.relays {
                log.by_relay.entry(*fingerprint).or_default().push(index);
            }
        }
        log
    }

    /// The same with what people say about its incidents, in any order.
    pub fn with_notes(mut self, notes: &[IncidentNote]) -> Self {
        self.notes.clear();
        for note in notes {
            self.notes.entry(note.incident.clone()).or_default().push(note.clone());
        }
        self.notes.values_mut().for_each(|notes| notes.sort_by_key(|note| note.id));
        self
    }

    /// Adds the effects of incidents, by id, as stored weights show them.
    pub fn with_effects(self, effects: BTreeMap<String, Arc<Effect>>) -> Self {
        Self { effects, ..self }
    }

    /// Effect of an incident, as stored weights show it; `None` where the store has no weights of that time, or where it is long ago.
    pub fn effect(&self, id: &str) -> Option<&Effect> {
        self.effects.get(id).map(AsRef::as_ref)
    }

    /// The same with what people say in another log.
    pub fn with_notes_of(self, other: &Self) -> Self {
        if self.notes.is_empty() { Self { notes: other.notes.clone(), ..self } } else { self }
    }

    /// Notes about an incident, earliest first.
    pub fn notes_of(&self, id: &str) -> &[IncidentNote] {
        self.notes.get(id).map_or(&[], Vec::as_slice)
    }

    /// The latest acknowledgement of an incident.
    pub fn acknowledged(&self, id: &str) -> Option<&IncidentNote> {
        self.notes_of(id).iter().rev().find(|note| note.action == NoteAction::Acknowledge)
    }

    /// The incident that people hold this one to be part of, at the end of the chain; `None` where it is one of its own.
    pub fn merged_into(&self, id: &str) -> Option<&Incident> {
        let (mut at, mut seen) = (id, vec![id]);
        while let Some(into) = self.merged_once(at).filter(|into| !seen.contains(into)) {
            seen.push(into);
            at = into;
        }
        if at == id { None } else { self.get(at) }
    }

    /// True if merging one incident into another would lead back to it.
    pub fn would_circle(&self, id: &str, into: &str) -> bool {
        id == into || self.merged_into(into).is_some_and(|end| end.id == id)
    }

    /// The incidents that people hold to be part of this one.
    pub fn merged_from<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Incident> {
        let leads_here = move |other: &&str| self.merged_into(other).is_some_and(|end| end.id == id);
        self.notes.keys().map(String::as_str).filter(leads_here).filter_map(|other| self.get(other))
    }

    fn merged_once(&self, id: &str) -> Option<&str> {
        let decides = |note: &&IncidentNote| matches!(note.action, NoteAction::Merge(_) | NoteAction::Separate);
        match &self.notes_of(id).iter().rev().find(decides)?.action {
            NoteAction::Merge(into) => Some(into),
            _ => None,
        }
    }

    /// Time at which an incident was last seen to go on, or of its last note.
    pub fn updated(&self, incident: &Incident) -> Timestamp {
        let said = self.notes_of(&incident.id).iter().map(|note| note.at).max();
        let seen = updated_at(incident).start();
        said.map_or(seen, |said| said.max(seen))
    }

    /// All incidents, by detection and id.
    pub fn incidents(&self) -> &[Arc<Incident>] {
        &self.incidents
    }

    /// Those that go on and are not held to be part of another one: the most severe first, then the largest, then the latest.
    pub fn open(&self) -> Vec<&Incident> {
        let is_open = |incident: &&Incident| incident.status.is_open() && self.merged_into(&incident.id).is_none();
        let mut open: Vec<&Incident> = self.incidents.iter().map(AsRef::as_ref).filter(is_open).collect();
        open.sort_by(|a, b| (b.severity, b.n_affected, b.detected_at, &a.id).cmp(&(a.severity, a.n_affected, a.detected_at, &b.id)));
        open
    }

    /// The incident of that id.
    pub fn get(&self, id: &str) -> Option<&Incident> {
        self.by_id.get(id).map(|index| self.incidents[*index].as_ref())
    }

    /// The incidents that a relay is part of, newest first.
    pub fn of_relay(&self, fingerprint: &Fingerprint) -> impl Iterator<Item = &Incident> {
        self.at(self.by_relay.get(fingerprint))
    }

    /// The incidents of a scope, newest first.
    pub fn of_scope(&self, scope: &Scope) -> impl Iterator<Item = &Incident> {
        self.at(self.by_scope.get(scope))
    }

    /// The indexs of incidents that are about a scope or hold one of the relays; some more than once.
    pub fn indices_touching<'a>(&'a self, scope: Option<&Scope>, relays: &'a [Fingerprint]) -> impl Iterator<Item = usize> + 'a {
        let of_relays = relays.iter().filter_map(|relay| self.by_relay.get(relay)).flatten();
        scope.and_then(|scope| self.by_scope.get(scope)).into_iter().flatten().chain(of_relays).copied()
    }

    /// Those that something was seen of after a consensus, earliest first.
    pub fn changed_after(&self, hour: ConsensusHour) -> Vec<&Incident> {
        let mut changed: Vec<&Incident> = self.incidents.iter().map(AsRef::as_ref).filter(|incident| updated_at(incident) > hour).collect();
        changed.sort_by_key(|incident| updated_at(incident));
        changed
    }

    fn at<'a>(&'a self, indexs: Option<&'a Vec<usize>>) -> impl Iterator<Item = &'a Incident> {
        indexs.into_iter().flatten().rev().map(|index| self.incidents[*index].as_ref())
    }
}
