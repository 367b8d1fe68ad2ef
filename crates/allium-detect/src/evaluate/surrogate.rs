//! Records in which nothing happens together, so that whatever is found in them is false.
//!
//! [`shifted`] moves the whole history of every relay by days of its own. How often each leaves and at about what time of the day stays;
//! how many leave in an hour no longer varies more than by chance. [`exchanged`] keeps that too: how many leave and return in each
//! hour is as in the record, but who it is that leaves is drawn again among relays that leave about as often and have the same flags.
//! A fault of a country, AS or operator in the record strikes relays anywhere in it: only findings in the network as a whole can
//! still be true there.

use std::collections::BTreeMap;

use super::dice::Dice;
use crate::book::RelayIdx;
use crate::record::{Presence, Record};

/// Lists in a day.
const DAY: u32 = 24;
/// Lists by which days are not met: the end of the record becomes a departure of those that were there then.
const JITTER: usize = 6;
/// Relays first seen more lately, in lists, keep what happens to them.
const YOUNG: u32 = 120;
/// Draws of a relay to exchange with, until it is left as it was.
const DRAWS: u32 = 20;

/// Every relay's history moved by days of its own, around the ends: nothing is left that happens together.
pub fn shifted(record: &Record, seed: u64) -> Record {
    let mut dice = Dice::new(seed);
    let n = record.hours.len() as u32;
    let mut shifted = record.clone();
    for presence in &mut shifted.presence {
        let by = (dice.below((n / DAY) as usize) as u32 * DAY + dice.below(JITTER) as u32) % n;
        let moved = presence.iter().flat_map(|span| {
            let (start, end) = ((span.lists.start + by) % n, (span.lists.end - 1 + by) % n + 1);
            let parts = if start < end { [Some(start..end), None] } else { [Some(start..n), Some(0..end)] };
            parts.into_iter().flatten().map(|lists| Presence { lists, flags: span.flags })
        });
        let mut moved: Vec<Presence> = moved.collect();
        moved.sort_by_key(|span| span.lists.start);
        *presence = moved;
    }
    shifted
}

/// Whenever a relay leaves, its further history and that of another relay like it are exchanged: another one leaves in its place.
pub fn exchanged(record: &Record, seed: u64) -> Record {
    let mut exchange = Exchange::new(record, seed);
    for (index, changes) in changes(record).into_iter().enumerate() {
        exchange.step(index as u32, &changes);
    }
    exchange.finish()
}

/// The changes of a list, as numbers of histories; each has the number of the relay whose it was.
#[derive(Clone, Default)]
struct Changes {
    ends: Vec<u32>,
    /// History, and index of its span that starts.
    starts: Vec<(u32, u32)>,
}

fn changes(record: &Record) -> Vec<Changes> {
    let mut changes = vec![Changes::default(); record.hours.len() + 1];
    for (history, spans) in record.presence.iter().enumerate() {
        for (i, span) in spans.iter().enumerate() {
            changes[span.lists.start as usize].starts.push((history as u32, i as u32));
            changes[span.lists.end as usize].ends.push(history as u32);
        }
    }
    changes
}

struct Exchange<'a> {
    record: &'a Record,
    dice: Dice,
    /// The relay that lives each history.
    relay_of: Vec<RelayIdx>,
    first_seen: Vec<Option<u32>>,
    /// Histories that go on, by how often they leave and the flags they have.
    going_on: BTreeMap<(u32, u32), Vec<u32>>,
    /// The key and index of each history in `going_on`.
    seat: Vec<((u32, u32), usize)>,
    /// The span that a relay is in, as far as it goes.
    open: Vec<Option<Presence>>,
    presence: Vec<Vec<Presence>>,
}

impl<'a> Exchange<'a> {
    fn new(record: &'a Record, seed: u64) -> Self {
        let n = record.presence.len();
        Self {
            record,
            dice: Dice::new(seed),
            relay_of: (0..n as u32).collect(),
            first_seen: vec![None; n],
            going_on: BTreeMap::new(),
            seat: record.presence.iter().map(|spans| ((habit(spans), 0), 0)).collect(),
            open: vec![None; n],
            presence: vec![Vec::new(); n],
        }
    }

    fn step(&mut self, index: u32, changes: &Changes) {
        changes.ends.iter().for_each(|history| self.leave_seat(*history));
        let goes_on = |history: &u32| changes.starts.iter().any(|(other, _)| other == history);
        let leaving: Vec<u32> = changes.ends.iter().filter(|history| !goes_on(history)).copied().collect();
        if (index as usize) < self.record.hours.len() {
            leaving.iter().for_each(|history| self.exchange(*history, index));
        }
        for history in &changes.ends {
            let relay = self.relay_of[*history as usize] as usize;
            if let Some(mut span) = self.open[relay].take() {
                span.lists.end = index;
                self.presence[relay].push(span);
            }
        }
        for (history, i) in &changes.starts {
            let relay = self.relay_of[*history as usize] as usize;
            let flags = self.record.presence[*history as usize][*i as usize].flags;
            self.first_seen[relay].get_or_insert(index);
            self.open[relay] = Some(Presence { lists: index..index, flags });
            self.take_seat(*history, flags.bits());
        }
    }

    /// Lets another relay leave in place of the one that lives this history.
    fn exchange(&mut self, history: u32, index: u32) {
        let is_old = |first: Option<u32>| first.is_some_and(|first| first == 0 || first + YOUNG <= index);
        let (key, _) = self.seat[history as usize];
        let Some(others) = self.going_on.get(&key).filter(|others| !others.is_empty()) else { return };
        if !is_old(self.first_seen[self.relay_of[history as usize] as usize]) {
            return;
        }
        for _ in 0..DRAWS {
            let other = self.dice.pick(others);
            if is_old(self.first_seen[self.relay_of[other as usize] as usize]) {
                self.relay_of.swap(history as usize, other as usize);
                return;
            }
        }
    }

    fn take_seat(&mut self, history: u32, flags: u32) {
        let key = (self.seat[history as usize].0.0, flags);
        let seats = self.going_on.entry(key).or_default();
        self.seat[history as usize] = (key, seats.len());
        seats.push(history);
    }

    fn leave_seat(&mut self, history: u32) {
        let (key, seat) = self.seat[history as usize];
        let Some(seats) = self.going_on.get_mut(&key) else { return };
        seats.swap_remove(seat);
        if let Some(moved) = seats.get(seat) {
            self.seat[*moved as usize].1 = seat;
        }
    }

    fn finish(self) -> Record {
        Record { presence: self.presence, ..self.record.clone() }
    }
}

/// The rate at which a history is interrupted: the logarithm of its departures per list.
fn habit(spans: &[Presence]) -> u32 {
    let n_lists: u32 = spans.iter().map(|span| span.lists.len() as u32).sum();
    let n_left = spans.windows(2).filter(|pair| pair[0].lists.end < pair[1].lists.start).count() + 1;
    (n_left as f64 / f64::from(n_lists.max(1)) * 8192.0).log2().clamp(0.0, 12.0) as u32
}
