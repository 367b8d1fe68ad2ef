//! The changes of incidents, one after the other, for programs that follow them.
//!
//! A change is an entry of an incident's timeline or a note about it. The latest are kept; a listener that was away names the
//! last change that it saw and goes on from there, also after a restart, because changes have names that follow from the record:
//! time, incident, index in the timeline. Where that change is no longer kept, the listener is asked to start afresh. Nothing is queued
//! for a listener: each reads from the same list, however slow it is.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use allium_detect::{Event, Incident};
use allium_model::{ConsensusHour, IncidentNote, Timestamp};
use allium_words::format::rfc3339;

use crate::incidents::IncidentLog;

/// Changes that are kept.
const KEPT: usize = 1_024;

/// Something that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its name: time, incident, which of its changes.
    pub id: String,
    /// Time of the consensus that showed the change, or of a note.
    pub at: Timestamp,
    /// The id of the incident.
    pub incident: String,
    /// Kind of change: `opened`, `updated`, `recovering`, `resolved`, `reopened`, `permanent`, `withdrawn`, or the action of a note.
    pub what: &'static str,
}

impl Change {
    fn new(at: Timestamp, incident: &str, which: &str, what: &'static str) -> Self {
        Self { id: format!("{}/{incident}/{which}", rfc3339(at)), at, incident: incident.to_owned(), what }
    }

    fn seen(incident: &Incident, index: usize, (hour, event): &(ConsensusHour, Event)) -> Self {
        let what = match event {
            Event::Detected(_) => "opened",
            Event::Grew(_) | Event::Flapping => "updated",
            Event::HalfBack => "recovering",
            Event::Resolved => "resolved",
            Event::Reopened(_) => "reopened",
            Event::Permanent => "permanent",
        };
        Self::new(hour.start(), &incident.id, &index.to_string(), what)
    }

    fn said(note: &IncidentNote) -> Self {
        Self::new(note.at, &note.incident, &format!("note{}", note.id), note.action.name())
    }
}

/// The latest changes, numbered from the first ever.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    kept: VecDeque<Change>,
    n_before: u64,
}

/// The next changes for a listener.
pub struct News {
    /// True where changes are missing before these.
    pub is_broken: bool,
    /// The changes.
    pub changes: Vec<Change>,
    /// The number from which to go on.
    pub next: u64,
}

impl Changes {
    /// The number of changes that there ever were.
    pub fn n(&self) -> u64 {
        self.n_before + self.kept.len() as u64
    }

    /// The changes with those by which a log differs from the one before; of a first log, the latest entries of its timelines and notes.
    pub(crate) fn followed(&self, before: Option<&IncidentLog>, log: &IncidentLog) -> Self {
        let mut followed = self.clone();
        let mut changes = before.map_or_else(|| whole(log), |before| differences(before, log));
        changes.sort_by(|a, b| (a.at, &a.incident).cmp(&(b.at, &b.incident)));
        changes.into_iter().for_each(|change| followed.push(change));
        followed
    }

    fn push(&mut self, change: Change) {
        self.kept.push_back(change);
        if self.kept.len() > KEPT {
            self.kept.pop_front();
            self.n_before += 1;
        }
    }

    /// The number from which a listener goes on that saw the change of this name last, and true where changes are missing before it: the
    /// one behind it or, where it is not known, the first that is as late.
    pub fn after(&self, last_seen: &str) -> (u64, bool) {
        if let Some(index) = self.kept.iter().rposition(|change| change.id == last_seen) {
            return (self.n_before + index as u64 + 1, false);
        }
        let at: Option<Timestamp> = last_seen.split('/').next().and_then(|at| at.parse().ok());
        let first = self.kept.iter().position(|change| at.is_some_and(|at| change.at >= at)).unwrap_or(self.kept.len());
        let is_kept = at.is_some_and(|at| self.n_before == 0 || self.kept.front().is_some_and(|first| first.at < at));
        (self.n_before + first as u64, !is_kept)
    }

    /// The changes from a number on, at most `most`.
    pub fn from(&self, number: u64, most: usize) -> News {
        let start = number.max(self.n_before);
        let changes: Vec<Change> = self.kept.iter().skip((start - self.n_before) as usize).take(most).cloned().collect();
        News { is_broken: start > number, next: start + changes.len() as u64, changes }
    }
}

fn whole(log: &IncidentLog) -> Vec<Change> {
    let mut all: Vec<Change> = log.incidents().iter().flat_map(|incident| entries(incident, log, 0, 0)).collect();
    all.sort_by(|a, b| (a.at, &a.incident).cmp(&(b.at, &b.incident)));
    all.split_off(all.len().saturating_sub(KEPT))
}

/// Entries of the timeline and notes of an incident, without so many of each.
fn entries(incident: &Incident, log: &IncidentLog, n_seen: usize, n_said: usize) -> Vec<Change> {
    let seen = incident.timeline.iter().enumerate().skip(n_seen).map(|(index, entry)| Change::seen(incident, index, entry));
    let said = log.notes_of(&incident.id).iter().skip(n_said).map(Change::said);
    seen.chain(said).collect()
}

fn differences(before: &IncidentLog, log: &IncidentLog) -> Vec<Change> {
    let known: BTreeMap<&str, &Arc<Incident>> = before.incidents().iter().map(|incident| (incident.id.as_str(), incident)).collect();
    let at = log.watched.as_of.map_or(Timestamp::UNIX_EPOCH, ConsensusHour::start);
    let mut changes = Vec::new();
    for incident in log.incidents() {
        let Some(old) = known.get(incident.id.as_str()) else {
            changes.extend(entries(incident, log, 0, 0));
            continue;
        };
        let n_said = before.notes_of(&incident.id).len();
        let further = entries(incident, log, old.timeline.len(), n_said);
        if further.is_empty() && !Arc::ptr_eq(old, incident) && is_otherwise(old, incident) {
            changes.push(Change::new(at, &incident.id, "otherwise", "updated"));
        }
        changes.extend(further);
    }
    let withdrawn = known.keys().filter(|id| log.get(id).is_none());
    changes.extend(withdrawn.map(|id| Change::new(at, id, "withdrawn", "withdrawn")));
    changes
}

/// True where an incident differs though nothing is new on its timeline.
fn is_otherwise(old: &Incident, incident: &Incident) -> bool {
    (old.kind, &old.scope, old.status, old.n_affected) != (incident.kind, &incident.scope, incident.status, incident.n_affected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(n: i64) -> Change {
        Change::new(allium_words::format::at_secs(n * 3_600), "a1", "0", "opened")
    }

    fn changes(n: i64) -> Changes {
        let mut changes = Changes::default();
        (0..n).for_each(|n| changes.push(change(n)));
        changes
    }

    #[test]
    fn a_listener_goes_on_behind_what_it_saw_last() {
        let few = changes(10);
        assert_eq!(few.after(&change(3).id), (4, false));
        assert_eq!(few.from(4, 100).changes.len(), 6);
        assert_eq!(few.after("1970-01-01T03:00:00Z/other/0"), (3, false), "what is as late comes again rather than never");
        assert_eq!(few.after("nonsense"), (10, true));
    }

    #[test]
    fn what_is_not_kept_any_more_is_said_to_be_missing() {
        let many = changes(KEPT as i64 + 50);
        assert_eq!(many.after(&change(3).id), (50, true));
        let news = many.from(10, 5);
        assert!(news.is_broken);
        assert_eq!((news.changes.first(), news.next), (Some(&change(50)), 55));
    }
}
