//! Faults, put into a record.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use allium_model::{Fingerprint, RelayFlag};

use super::dice::Dice;
use crate::book::{Book, RelayIdx, RelayInfo};
use crate::detector::Observation;
use crate::record::{Presence, Record};
use crate::scope::{Scope, ScopeKind};

/// What is done to the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// Relays vanish for a while.
    Outage,
    /// Relays vanish and return several times.
    Flap,
    /// Relays lose the flag Guard or Exit for a while.
    FlagLoss,
    /// Relays that were never seen before appear for a while.
    Join,
    /// Lists are missing.
    Missing,
    /// Lists are repeated.
    Stale,
}

/// A fault.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// What.
    pub kind: FaultKind,
    /// Whose relays; the network for relays chosen anywhere.
    pub scope: Scope,
    /// Which, sorted.
    pub relays: Vec<RelayIdx>,
    /// The lists concerned.
    pub places: Range<usize>,
    /// The first list that shows at least half of it.
    pub half_at: usize,
}

/// A record with faults.
#[derive(Debug, Clone, Default)]
pub struct Injected {
    /// The changed record.
    pub record: Record,
    /// The faults, earliest first.
    pub faults: Vec<Fault>,
    missing: BTreeSet<usize>,
    stale: BTreeSet<usize>,
}

impl Injected {
    pub(super) fn of(record: &Record) -> Self {
        Self { record: record.clone(), ..Self::default() }
    }

    /// As [`Record::walk`], without the missing lists and with the repeated ones.
    pub fn walk(&self, places: Range<usize>, mut see: impl FnMut(usize, &Observation<'_>)) {
        let (mut held, mut described) = (Vec::new(), Vec::new());
        self.record.walk(places, |place, list| {
            described.extend_from_slice(list.described);
            if self.missing.contains(&place) {
                return;
            }
            let is_stale = self.stale.contains(&place);
            if !is_stale && self.stale.contains(&(place + 1)) {
                held = list.listed.to_vec();
            }
            let listed = if is_stale { &held } else { list.listed };
            see(place, &Observation { listed, described: &described, ..*list });
            described.clear();
        });
    }
}

/// How often relays that flap leave at least.
const FEWEST_DROPS: usize = 3;
/// Lists between the starts of two faults, on average.
const SPACING: usize = 14;

/// Puts faults into the lists at these places.
pub fn inject(record: &Record, places: Range<usize>, seed: u64) -> Injected {
    let mut workshop = Workshop::new(record, seed);
    let mut place = places.start;
    while place + 80 < places.end {
        workshop.dice_fault(place);
        place += SPACING / 2 + workshop.dice.below(SPACING);
    }
    workshop.injected
}

struct Workshop {
    dice: Dice,
    book: Book,
    injected: Injected,
    /// Until which place a relay is part of a fault.
    busy: BTreeMap<RelayIdx, usize>,
    n_made: u32,
}

impl Workshop {
    fn new(record: &Record, seed: u64) -> Self {
        let injected = Injected::of(record);
        Self { dice: Dice::new(seed), book: Book::new(record.relays.clone()), injected, busy: BTreeMap::new(), n_made: 0 }
    }

    fn dice_fault(&mut self, place: usize) {
        let hours = self.dice.pick(&[1usize, 2, 3, 6, 12, 24, 48]);
        let flap_hours = 12 + self.dice.below(3) * 12;
        match self.dice.below(100) {
            0..70 => self.relay_fault(FaultKind::Outage, place, hours),
            70..78 => self.relay_fault(FaultKind::Flap, place, flap_hours),
            78..86 => self.relay_fault(FaultKind::FlagLoss, place, hours),
            86..92 => self.join(place, hours.max(6)),
            92..96 => self.list_fault(FaultKind::Missing, place),
            _ => self.list_fault(FaultKind::Stale, place),
        }
    }

    fn list_fault(&mut self, kind: FaultKind, place: usize) {
        let places = place..place + 1 + self.dice.below(4);
        let target = if kind == FaultKind::Missing { &mut self.injected.missing } else { &mut self.injected.stale };
        target.extend(places.clone());
        self.injected.faults.push(Fault { kind, scope: Scope::network(), relays: Vec::new(), half_at: place, places });
    }

    fn relay_fault(&mut self, kind: FaultKind, place: usize, hours: usize) {
        let flag = if kind == FaultKind::FlagLoss { Some(self.dice.pick(&[RelayFlag::Guard, RelayFlag::Exit])) } else { None };
        let Some((scope, relays)) = self.choose(place, flag) else { return };
        let onset = if kind == FaultKind::Outage && self.dice.below(5) == 0 { 1 + self.dice.below(2) } else { 0 };
        let period = 1 + self.dice.below(4);
        let hours = if kind == FaultKind::Flap { hours.max(FEWEST_DROPS * 2 * period) } else { hours };
        let places = place..place + hours + onset;
        for (i, relay) in relays.iter().enumerate() {
            let first = place + i % (onset + 1);
            let down: Vec<Range<usize>> = match kind {
                FaultKind::Flap => (place..places.end).step_by(2 * period).map(|start| start..start + period).collect(),
                _ => std::iter::once(first..places.end).collect(),
            };
            for lists in down {
                self.change(*relay, lists.start as u32..lists.end as u32, flag);
            }
            self.busy.insert(*relay, places.end + 72);
        }
        let n_per_list = relays.len().div_ceil(onset + 1);
        let half_at = place + (relays.len().div_ceil(2) - 1) / n_per_list.max(1);
        self.injected.faults.push(Fault { kind, scope, relays, places, half_at });
    }

    /// A scope and some of its relays: running for a day and without fault.
    fn choose(&mut self, place: usize, flag: Option<RelayFlag>) -> Option<(Scope, Vec<RelayIdx>)> {
        let n = (5.0 * 100f64.powf(self.dice.share())) as usize;
        let kind = self.dice.pick(&[ScopeKind::As, ScopeKind::Country, ScopeKind::Operator, ScopeKind::Network]);
        let running: Vec<RelayIdx> =
            (0..self.injected.record.presence.len() as u32).filter(|relay| self.is_free(*relay, place, flag)).collect();
        if kind == ScopeKind::Network {
            return (running.len() >= n).then(|| (Scope::network(), self.dice.sample(running, n)));
        }
        let mut by_scope: BTreeMap<u32, Vec<RelayIdx>> = BTreeMap::new();
        for relay in running {
            let scopes = self.book.scopes_of(relay).iter().filter(|scope| self.book.scope(**scope).kind == kind);
            scopes.for_each(|scope| by_scope.entry(*scope).or_default().push(relay));
        }
        let eligible: Vec<u32> = by_scope.iter().filter(|(_, relays)| relays.len() >= n).map(|(scope, _)| *scope).collect();
        let scope = *eligible.get(self.dice.below(eligible.len()))?;
        Some((self.book.scope(scope).clone(), self.dice.sample(by_scope.remove(&scope)?, n)))
    }

    fn is_free(&self, relay: RelayIdx, place: usize, flag: Option<RelayFlag>) -> bool {
        let presence = &self.injected.record.presence[relay as usize];
        let before = place.saturating_sub(1) as u32;
        let i = presence.partition_point(|span| span.places.end <= before);
        let holds = |span: &Presence| span.places.start <= before && flag.is_none_or(|flag| span.flags.contains(flag));
        presence.get(i).is_some_and(holds)
            && presence.first().is_some_and(|first| first.places.start as usize + 120 <= place || first.places.start == 0)
            && self.busy.get(&relay).is_none_or(|until| *until < place)
    }

    /// Takes a relay, or one of its flags, out of some lists.
    fn change(&mut self, relay: RelayIdx, lists: Range<u32>, flag: Option<RelayFlag>) {
        let presence = &mut self.injected.record.presence[relay as usize];
        let mut changed = Vec::with_capacity(presence.len() + 2);
        for span in presence.drain(..) {
            let inside = span.places.start.max(lists.start)..span.places.end.min(lists.end);
            if inside.is_empty() {
                changed.push(span);
                continue;
            }
            let part = |places: Range<u32>| Presence { places, flags: span.flags };
            changed.extend(Some(part(span.places.start..inside.start)).filter(|part| !part.places.is_empty()));
            if let Some(flag) = flag {
                let mut flags = span.flags;
                flags.remove(flag);
                changed.push(Presence { places: inside.clone(), flags });
            }
            changed.extend(Some(part(inside.end..span.places.end)).filter(|part| !part.places.is_empty()));
        }
        *presence = changed;
    }

    fn join(&mut self, place: usize, hours: usize) {
        let n = (40.0 * 12f64.powf(self.dice.share())) as usize;
        let n_relays = self.injected.record.relays.len();
        let model = self.injected.record.relays[self.dice.below(n_relays)].clone();
        let everywhere = self.dice.below(3) == 0 || model.asn.is_none();
        let mut relays = Vec::with_capacity(n);
        for _ in 0..n {
            let place_of = if everywhere { self.injected.record.relays[self.dice.below(n_relays)].clone() } else { model.clone() };
            let mut bytes = [0xfe; 20];
            bytes[..4].copy_from_slice(&self.n_made.to_be_bytes());
            self.n_made += 1;
            relays.push(self.injected.record.relays.len() as RelayIdx);
            self.injected.record.relays.push(RelayInfo {
                asn: place_of.asn,
                country: place_of.country,
                ..RelayInfo::unknown(Fingerprint::new(bytes))
            });
            let flags = [RelayFlag::Running].into_iter().collect();
            self.injected.record.presence.push(vec![Presence { places: place as u32..(place + hours) as u32, flags }]);
        }
        let scope = model.asn.filter(|_| !everywhere).map_or_else(Scope::network, |asn| Scope::new(ScopeKind::As, asn));
        self.injected.faults.push(Fault { kind: FaultKind::Join, scope, relays, places: place..place + hours, half_at: place });
    }
}
