//! Evidence about an outage beyond who left: how they came back, whether they had been switched off, who runs them.

use std::collections::BTreeMap;

use allium_model::{ConsensusHour, DocumentKind, Fingerprint, NetworkRecord, Relay, RelayFlag, RelayRecord, StateSpan};

use crate::incident::{Event, Incident, Status};
use crate::scope::{Scope, ScopeKind};

/// A number of relays, and of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// The number of relays for which it holds.
    pub n: usize,
    /// The number of relays for which it is known; 0 where there is no data.
    pub of: usize,
}

impl Share {
    /// The share, 0 to 1; `None` where it is known of fewer than `fewest`.
    pub fn get(self, fewest: usize) -> Option<f64> {
        (self.of >= fewest.max(1)).then(|| self.n as f64 / self.of as f64)
    }

    /// True if it holds for at least a share of those of which it is known; false where that is fewer than three.
    pub(super) fn is_at_least(self, share: f64) -> bool {
        self.get(3).is_some_and(|is| is >= share)
    }
}

/// The evidence. A share with `of == 0` means that there is no data.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The kind of its scope.
    pub scope: ScopeKind,
    /// Its status.
    pub status: Status,
    /// Relays in the consensus that showed it first, of all concerned.
    pub together: Share,
    /// Relays that came back in the one consensus in which most did, of those that came back.
    pub back_together: Share,
    /// Relays whose process was never restarted from before it until they were back: they were on and not reachable.
    pub kept_running: Share,
    /// Relays whose process was restarted between their last consensus and the first one after.
    pub restarted: Share,
    /// Relays that came back with another version of Tor, of those whose versions are known.
    pub other_version: Share,
    /// Relays that the authorities marked as bad, limited or Sybil, of all on record.
    pub marked: Share,
    /// Relays that were younger than 14 days, of all whose age is known.
    pub young: Share,
    /// Relays of the AS that has most of them, of those whose AS is known.
    pub in_one_system: Share,
    /// Different autonomous systems among them.
    pub n_systems: usize,
    /// Relays of the operator that has most of them, of those whose operator is known.
    pub of_one_operator: Share,
    /// Hours that it lasted or has lasted.
    pub lasted_hours: i32,
    /// Earlier outages of the same scope.
    pub n_before: usize,
    /// Those of them that began within an hour of the same time of day.
    pub n_same_time_of_day: usize,
}

/// Gathers it. `operator_of` names who runs a relay; `past` are other incidents, in any order; `as_of` is the newest consensus.
pub fn evidence<'a>(
    incident: &Incident,
    record: &NetworkRecord,
    operator_of: &dyn Fn(&Fingerprint) -> Option<String>,
    past: impl Iterator<Item = &'a Incident>,
    as_of: ConsensusHour,
) -> Evidence {
    let relays: Vec<&RelayRecord> = incident.relays.iter().filter_map(|fingerprint| find(record, fingerprint)).collect();
    let details = record.sources.iter().filter(|source| source.kind == DocumentKind::Details).map(|source| source.published).max();
    let absences: Vec<Absence<'_>> = relays.iter().filter_map(|relay| Absence::of(relay, incident.detected_at)).collect();
    let mut returns: BTreeMap<ConsensusHour, usize> = BTreeMap::new();
    absences.iter().filter_map(|absence| absence.after).for_each(|span| *returns.entry(span.start).or_default() += 1);
    let (in_one_system, n_systems) = most(relays.iter().filter_map(|relay| relay.relay.asn));
    let (of_one_operator, _) = most(incident.relays.iter().filter_map(operator_of));
    let before = before(incident, past);
    let first = incident.timeline.iter().find_map(|(_, event)| if let Event::Detected(n) = event { Some(*n as usize) } else { None });
    let end = incident.resolved_at.unwrap_or(as_of);
    Evidence {
        scope: incident.scope.kind,
        status: incident.status,
        together: Share { n: first.unwrap_or(incident.n_affected).min(incident.n_affected), of: incident.n_affected },
        back_together: Share { n: returns.values().copied().max().unwrap_or(0), of: returns.values().sum() },
        kept_running: counted(absences.iter().filter_map(|absence| absence.kept_running(details))),
        restarted: counted(absences.iter().filter_map(|absence| absence.kept_running(details)).map(|kept| !kept)),
        other_version: counted(absences.iter().filter_map(Absence::has_other_version)),
        marked: counted(absences.iter().map(Absence::is_marked)),
        young: counted(relays.iter().filter_map(|relay| is_young(&relay.relay, incident.started_at))),
        in_one_system,
        n_systems,
        of_one_operator,
        lasted_hours: end.hours_since(incident.detected_at).max(0),
        n_before: before.len(),
        n_same_time_of_day: before.iter().filter(|hour| is_same_time_of_day(**hour, incident.detected_at)).count(),
    }
}

fn find<'a>(record: &'a NetworkRecord, fingerprint: &Fingerprint) -> Option<&'a RelayRecord> {
    record.relays.get(record.find(fingerprint)?)
}

/// A relay's absence around an hour.
struct Absence<'a> {
    relay: &'a Relay,
    before: &'a StateSpan,
    after: Option<&'a StateSpan>,
}

impl<'a> Absence<'a> {
    fn of(record: &'a RelayRecord, detected_at: ConsensusHour) -> Option<Self> {
        let is_running = |span: &&StateSpan| span.state.flags.contains(RelayFlag::Running);
        let before = record.spans.iter().rev().filter(is_running).find(|span| span.start < detected_at)?;
        let after = record.spans.iter().filter(is_running).find(|span| span.start > detected_at && span.start > before.end);
        Some(Self { relay: &record.relay, before, after })
    }

    /// Known only where it is back and a document is as late: an earlier document shows nothing of its absence.
    fn kept_running(&self, details: Option<ConsensusHour>) -> Option<bool> {
        let after = self.after.filter(|after| details.is_some_and(|details| details >= after.start))?;
        let restarted = self.relay.last_restarted?;
        let is_before_or_meanwhile = restarted < after.start.next().start();
        is_before_or_meanwhile.then(|| restarted < self.before.end.plus(-1).start())
    }

    fn has_other_version(&self) -> Option<bool> {
        let (before, after) = (self.before.state.version.as_ref()?, self.after?.state.version.as_ref()?);
        Some(before != after)
    }

    fn is_marked(&self) -> bool {
        let marks = [RelayFlag::BadExit, RelayFlag::MiddleOnly, RelayFlag::Sybil];
        marks.iter().any(|mark| self.before.state.flags.contains(*mark))
    }
}

fn is_young(relay: &Relay, started_at: ConsensusHour) -> Option<bool> {
    relay.first_seen.is_younger_than(14 * 24, started_at)
}

fn counted(known: impl Iterator<Item = bool>) -> Share {
    known.fold(Share::default(), |share, is| Share { n: share.n + usize::from(is), of: share.of + 1 })
}

/// The share that has the commonest value, and the number of values.
fn most<T: Ord>(values: impl Iterator<Item = T>) -> (Share, usize) {
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    values.for_each(|value| *counts.entry(value).or_default() += 1);
    (Share { n: counts.values().copied().max().unwrap_or(0), of: counts.values().sum() }, counts.len())
}

/// The detection times of earlier outages of the same scope; the network is no scope that repeats itself.
fn before<'a>(incident: &Incident, past: impl Iterator<Item = &'a Incident>) -> Vec<ConsensusHour> {
    let is_same = |scope: &Scope| scope.kind != ScopeKind::Network && *scope == incident.scope;
    past.filter(|other| other.detected_at < incident.detected_at && other.kind == incident.kind && is_same(&other.scope))
        .map(|other| other.detected_at)
        .collect()
}

fn is_same_time_of_day(a: ConsensusHour, b: ConsensusHour) -> bool {
    let apart = (a.get() - b.get()).rem_euclid(24);
    apart <= 1 || apart >= 23
}
