//! Faults, put into a record.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use allium_model::{Fingerprint, RelayFlag};

use super::dice::Dice;
use crate::book::{Book, RelayIdx, RelayInfo};
use crate::observation::Observation;
use crate::record::{Presence, Record};
use crate::scope::{Scope, ScopeKind};

/// A kind of change to the record.
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
    /// Its kind.
    pub kind: FaultKind,
    /// The scope of its relays; the network for relays chosen anywhere.
    pub scope: Scope,
    /// Its relays, sorted.
    pub relays: Vec<RelayIdx>,
    /// The lists concerned.
    pub lists: Range<usize>,
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
    pub fn walk(&self, lists: Range<usize>, mut see: impl FnMut(usize, &Observation<'_>)) {
        let (mut held, mut described) = (Vec::new(), Vec::new());
        self.record.walk(lists, |index, list| {
            described.extend_from_slice(list.described);
            if self.missing.contains(&index) {
                return;
            }
            let is_stale = self.stale.contains(&index);
            if !is_stale && self.stale.contains(&(index + 1)) {
                held = list.listed.to_vec();
            }
            let listed = if is_stale { &held } else { list.listed };
            see(index, &Observation { listed, described: &described, ..*list });
            described.clear();
        });
    }
}

/// Fewest departures of relays that flap.
const FEWEST_DROPS: usize = 3;
/// Lists between the starts of two faults, on average.
const SPACING: usize = 14;

/// Puts faults into these lists.
pub fn inject(record: &Record, lists: Range<usize>, seed: u64) -> Injected {
    let mut workshop = Workshop::new(record, seed);
    let mut index = lists.start;
    while index + 80 < lists.end {
        workshop.dice_fault(index);
        index += SPACING / 2 + workshop.dice.below(SPACING);
    }
    workshop.injected
}

struct Workshop {
    dice: Dice,
    book: Book,
    injected: Injected,
    /// The list until which a relay is part of a fault.
    busy: BTreeMap<RelayIdx, usize>,
    n_made: u32,
}

impl Workshop {
    fn new(record: &Record, seed: u64) -> Self {
        let injected = Injected::of(record);
        Self { dice: Dice::new(seed), book: Book::new(record.relays.clone()), injected, busy: BTreeMap::new(), n_made: 0 }
    }

    fn dice_fault(&mut self, index: usize) {
        let hours = self.dice.pick(&[1usize, 2, 3, 6, 12, 24, 48]);
        let flap_hours = 12 + self.dice.below(3) * 12;
        match self.dice.below(100) {
            0..70 => self.relay_fault(FaultKind::Outage, index, hours),
            70..78 => self.relay_fault(FaultKind::Flap, index, flap_hours),
            78..86 => self.relay_fault(FaultKind::FlagLoss, index, hours),
            86..92 => self.join(index, hours.max(6)),
            92..96 => self.list_fault(FaultKind::Missing, index),
            _ => self.list_fault(FaultKind::Stale, index),
        }
    }

    fn list_fault(&mut self, kind: FaultKind, index: usize) {
        let lists = index..index + 1 + self.dice.below(4);
        let target = if kind == FaultKind::Missing { &mut self.injected.missing } else { &mut self.injected.stale };
        target.extend(lists.clone());
        self.injected.faults.push(Fault { kind, scope: Scope::network(), relays: Vec::new(), half_at: index, lists });
    }

    fn relay_fault(&mut self, kind: FaultKind, index: usize, hours: usize) {
        let flag = if kind == FaultKind::FlagLoss { Some(self.dice.pick(&[RelayFlag::Guard, RelayFlag::Exit])) } else { None };
        let Some((scope, relays)) = self.choose(index, flag) else { return };
        let onset = if kind == FaultKind::Outage && self.dice.below(5) == 0 { 1 + self.dice.below(2) } else { 0 };
        let period = 1 + self.dice.below(4);
        let hours = if kind == FaultKind::Flap { hours.max(FEWEST_DROPS * 2 * period) } else { hours };
        let lists = index..index + hours + onset;
        for (i, relay) in relays.iter().enumerate() {
            let first = index + i % (onset + 1);
            let down: Vec<Range<usize>> = match kind {
                FaultKind::Flap => (index..lists.end).step_by(2 * period).map(|start| start..start + period).collect(),
                _ => std::iter::once(first..lists.end).collect(),
            };
            for lists in down {
                self.change(*relay, lists.start as u32..lists.end as u32, flag);
            }
            self.busy.insert(*relay, lists.end + 72);
        }
        let n_per_list = relays.len().div_ceil(onset + 1);
        let half_at = index + (relays.len().div_ceil(2) - 1) / n_per_list.max(1);
        self.injected.faults.push(Fault { kind, scope, relays, lists, half_at });
    }

    /// A scope and some of its relays: running for a day and without fault.
    fn choose(&mut self, index: usize, flag: Option<RelayFlag>) -> Option<(Scope, Vec<RelayIdx>)> {
        let n = (5.0 * 100f64.powf(self.dice.share())) as usize;
        let kind = self.dice.pick(&[ScopeKind::As, ScopeKind::Country, ScopeKind::Operator, ScopeKind::Network]);
        let running: Vec<RelayIdx> =
            (0..self.injected.record.presence.len() as u32).filter(|relay| self.is_free(*relay, index, flag)).collect();
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

    fn is_free(&self, relay: RelayIdx, index: usize, flag: Option<RelayFlag>) -> bool {
        let presence = &self.injected.record.presence[relay as usize];
        let before = index.saturating_sub(1) as u32;
        let i = presence.partition_point(|span| span.lists.end <= before);
        let holds = |span: &Presence| span.lists.start <= before && flag.is_none_or(|flag| span.flags.contains(flag));
        presence.get(i).is_some_and(holds)
            && presence.first().is_some_and(|first| first.lists.start as usize + 120 <= index || first.lists.start == 0)
            && self.busy.get(&relay).is_none_or(|until| *until < index)
    }

    /// Takes a relay, or one of its flags, out of some lists.
    fn change(&mut self, relay: RelayIdx, lists: Range<u32>, flag: Option<RelayFlag>) {
        let presence = &mut self.injected.record.presence[relay as usize];
        let mut changed = Vec::with_capacity(presence.len() + 2);
        for span in presence.drain(..) {
            let inside = span.lists.start.max(lists.start)..span.lists.end.min(lists.end);
            if inside.is_empty() {
                changed.push(span);
                continue;
            }
            let part = |lists: Range<u32>| Presence { lists, flags: span.flags };
            changed.extend(Some(part(span.lists.start..inside.start)).filter(|part| !part.lists.is_empty()));
            if let Some(flag) = flag {
                let mut flags = span.flags;
                flags.remove(flag);
                changed.push(Presence { lists: inside.clone(), flags });
            }
            changed.extend(Some(part(inside.end..span.lists.end)).filter(|part| !part.lists.is_empty()));
        }
        *presence = changed;
    }

    fn join(&mut self, index: usize, hours: usize) {
        let n = (40.0 * 12f64.powf(self.dice.share())) as usize;
        let n_relays = self.injected.record.relays.len();
        let model = self.injected.record.relays[self.dice.below(n_relays)].clone();
        let everywhere = self.dice.below(3) == 0 || model.asn.is_none();
        let mut relays = Vec::with_capacity(n);
        for _ in 0..n {
            let located = if everywhere { self.injected.record.relays[self.dice.below(n_relays)].clone() } else { model.clone() };
            let mut bytes = [0xfe; 20];
            bytes[..4].copy_from_slice(&self.n_made.to_be_bytes());
            self.n_made += 1;
            relays.push(self.injected.record.relays.len() as RelayIdx);
            self.injected.record.relays.push(RelayInfo {
                asn: located.asn,
                country: located.country,
                ..RelayInfo::unknown(Fingerprint::new(bytes))
            });
            let flags = [RelayFlag::Running].into_iter().collect();
            self.injected.record.presence.push(vec![Presence { lists: index as u32..(index + hours) as u32, flags }]);
        }
        let scope = model.asn.filter(|_| !everywhere).map_or_else(Scope::network, |asn| Scope::new(ScopeKind::As, asn));
        self.injected.faults.push(Fault { kind: FaultKind::Join, scope, relays, lists: index..index + hours, half_at: index });
    }
}
