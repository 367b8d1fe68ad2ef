//! Features of the relays around a relay: its autonomous system, country, the relays that appeared with it, the network.
//!
//! Shares leave the relay itself out, so that a small group does not echo its own history. Relays that came with a flood count
//! for less in the figures of systems, countries, ages and the network, so that thousands that came and went within a day do
//! not drown those that stay; only the figures of their own batch count them whole.

use std::collections::BTreeMap;

use allium_model::{Asn, CountryCode};

use super::own::{Clock, share};
use crate::past::{CURRENT_HOURS, Past, RelayPast};

/// Days of a debut whose relays are counted as young.
const YOUNG_DAYS: f64 = 30.0;
/// Relays first listed on one day count for no more than this many usual days together.
const FLOOD_DAYS: f64 = 5.0;

/// Relays first listed on one day in one autonomous system are most likely of one operator and fail together: beside more than
/// this many others, a relay learns with a weight that falls with their number.
const BATCH_OTHERS: f64 = 3.0;

/// The part of one relay in the figures of its groups; NaN where it does not count.
#[derive(Debug, Clone, Copy, Default)]
struct Member {
    asn: Option<Asn>,
    country: Option<CountryCode>,
    debut_day: i32,
    debut_known: bool,
    weight: f64,
    age_class: u8,
    is_current: bool,
    is_young: bool,
    is_running: bool,
    up_7d: f64,
    up_30d: f64,
    /// Of a relay listed within the last year: uptime of the last 180 days, or since it was first listed.
    up_180d: Option<f64>,
    /// Of a relay that was current 30 days ago: uptime since, and whether it is gone.
    kept_30d: Option<(f64, bool)>,
    /// Of a relay that was current 120 days ago: whether it is gone.
    gone_120d: Option<bool>,
    last_change: Option<u32>,
}

/// Sums over the members of a group.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    n: f64,
    n_current: f64,
    n_young: f64,
    n_down: f64,
    up_7d: f64,
    up_30d: f64,
    n_year: f64,
    up_180d: f64,
    n_kept: f64,
    kept: f64,
    gone: f64,
    n_120: f64,
    gone_120: f64,
}

impl Sums {
    fn add(&mut self, member: &Member, sign: f64) {
        self.n += sign;
        if member.is_current {
            self.n_current += sign;
            self.n_young += sign * f64::from(u8::from(member.is_young));
            self.n_down += sign * f64::from(u8::from(!member.is_running));
            self.up_30d += sign * member.up_30d;
        }
        if let Some(up_180d) = member.up_180d {
            self.n_year += sign;
            self.up_180d += sign * up_180d;
        }
        self.up_7d += sign * member.up_7d;
        if let Some((kept, gone)) = member.kept_30d {
            self.n_kept += sign;
            self.kept += sign * kept;
            self.gone += sign * f64::from(u8::from(gone));
        }
        if let Some(gone) = member.gone_120d {
            self.n_120 += sign;
            self.gone_120 += sign * f64::from(u8::from(gone));
        }
    }

    fn without(mut self, member: &Member, weight: f64) -> Self {
        self.add(member, -weight);
        self
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.5 { (part / whole).clamp(0.0, 1.0) } else { f64::NAN }
}

/// Sets the weights of members by how many relays were first listed on the same day, beside the usual number: the median over the
/// days of the last 90 with any.
fn weigh(members: &mut [Option<Member>], clock: &Clock<'_>) {
    let mut debuts: BTreeMap<i32, f64> = BTreeMap::new();
    for member in members.iter().flatten().filter(|member| member.debut_known) {
        *debuts.entry(member.debut_day).or_default() += 1.0;
    }
    let today = clock.as_of.get().div_euclid(24);
    let days: Vec<f64> = debuts.range(today - 90..today).map(|(_, n)| *n).collect();
    let usual = allium_stats::median(&days).unwrap_or(1.0).max(1.0);
    for member in members.iter_mut().flatten() {
        let n = if member.debut_known { debuts[&member.debut_day] } else { 1.0 };
        member.weight = (FLOOD_DAYS * usual / n).min(1.0);
    }
}

/// The groups as of one origin.
pub(crate) struct Cohorts {
    members: Vec<Option<Member>>,
    network: Sums,
    by_as: BTreeMap<Asn, Sums>,
    by_country: BTreeMap<CountryCode, Sums>,
    by_batch: BTreeMap<(Option<Asn>, i32), Sums>,
    by_debut: BTreeMap<i32, Sums>,
    by_age: [Sums; 6],
    changes_as: BTreeMap<(Asn, u32), f64>,
    changes: BTreeMap<u32, f64>,
}

impl Cohorts {
    pub(crate) fn at(past: &Past, clock: &Clock<'_>) -> Self {
        let view = View::at(past, clock);
        let mut members: Vec<Option<Member>> = past.relays().iter().map(|relay| view.member(relay)).collect();
        weigh(&mut members, clock);
        let mut cohorts = Self {
            members: Vec::new(),
            network: Sums::default(),
            by_as: BTreeMap::new(),
            by_country: BTreeMap::new(),
            by_batch: BTreeMap::new(),
            by_debut: BTreeMap::new(),
            by_age: [Sums::default(); 6],
            changes_as: BTreeMap::new(),
            changes: BTreeMap::new(),
        };
        members.iter().flatten().for_each(|member| cohorts.add(member));
        cohorts.members = members;
        cohorts
    }

    fn add(&mut self, member: &Member) {
        self.network.add(member, member.weight);
        self.by_age[usize::from(member.age_class)].add(member, member.weight);
        if let Some(asn) = member.asn {
            self.by_as.entry(asn).or_default().add(member, member.weight);
        }
        if let Some(country) = member.country {
            self.by_country.entry(country).or_default().add(member, member.weight);
        }
        if member.debut_known {
            self.by_batch.entry((member.asn, member.debut_day)).or_default().add(member, 1.0);
            self.by_debut.entry(member.debut_day).or_default().add(member, 1.0);
        }
        if let (true, Some(index)) = (member.is_current, member.last_change) {
            *self.changes.entry(index).or_default() += 1.0;
            if let Some(asn) = member.asn {
                *self.changes_as.entry((asn, index)).or_default() += 1.0;
            }
        }
    }

    /// The weight of a relay, by its number, where models learn.
    pub(crate) fn weight(&self, relay: usize) -> f32 {
        let independent = |member: Member| {
            let batch = self.by_batch.get(&(member.asn, member.debut_day)).filter(|_| member.debut_known);
            let n_others = batch.map_or(0.0, |batch| batch.n - 1.0);
            member.weight * BATCH_OTHERS / n_others.max(BATCH_OTHERS)
        };
        self.members[relay].map_or(0.0, |member| independent(member) as f32)
    }

    /// Appends the features of a relay, by its number.
    pub(crate) fn push(&self, values: &mut Vec<f32>, relay: usize) {
        let Some(member) = &self.members[relay] else { return values.extend([f32::NAN; 23]) };
        let of = |sums: Option<&Sums>, weight: f64| sums.copied().unwrap_or_default().without(member, weight);
        let asn = of(member.asn.and_then(|asn| self.by_as.get(&asn)), member.weight);
        let country = of(member.country.and_then(|country| self.by_country.get(&country)), member.weight);
        let batch = of(self.by_batch.get(&(member.asn, member.debut_day)).filter(|_| member.debut_known), 1.0);
        let debut = of(self.by_debut.get(&member.debut_day).filter(|_| member.debut_known), 1.0);
        let network = self.network;
        let age = self.by_age[usize::from(member.age_class)];
        let features = [
            ratio(asn.n_down, asn.n_current),
            ratio(asn.up_7d, asn.n_current),
            ratio(asn.up_30d, asn.n_current),
            ratio(asn.up_180d, asn.n_year),
            ratio(asn.kept, asn.n_kept),
            ratio(asn.gone, asn.n_kept),
            ratio(asn.gone_120, asn.n_120),
            ratio(asn.n_young, asn.n_current),
            ratio(country.kept, country.n_kept),
            ratio(country.gone, country.n_kept),
            ratio(batch.n - batch.n_current, batch.n),
            ratio(batch.up_7d, batch.n),
            ratio(batch.kept, batch.n_kept),
            ratio(debut.n - debut.n_current, debut.n),
            ratio(debut.up_7d, debut.n),
            self.shared_in_as(member, &asn),
            self.shared_in_network(member),
            ratio(network.up_7d, network.n_current),
            ratio(network.kept, network.n_kept),
            ratio(network.gone, network.n_kept),
            ratio(network.n_young, network.n_current),
            ratio(age.gone, age.n_kept),
            ratio(age.kept, age.n_kept),
        ];
        values.extend(features.map(|feature| feature as f32));
    }

    /// The share of the other relays of its AS that changed state in the same consensus as the relay did last.
    fn shared_in_as(&self, member: &Member, others: &Sums) -> f64 {
        let (Some(asn), Some(index)) = (member.asn, member.last_change) else { return f64::NAN };
        let own = if member.is_current { 1.0 } else { 0.0 };
        ratio(self.changes_as.get(&(asn, index)).copied().unwrap_or(own) - own, others.n_current)
    }

    fn shared_in_network(&self, member: &Member) -> f64 {
        member.last_change.map_or(f64::NAN, |index| self.changes.get(&index).copied().unwrap_or(0.0))
    }
}

/// The indices that the figures of members need.
struct View<'a> {
    clock: &'a Clock<'a>,
    seen: u32,
    ago_30: (u32, u32),
    ago_120: (u32, u32),
}

impl<'a> View<'a> {
    fn at(past: &Past, clock: &'a Clock<'a>) -> Self {
        let seen_at = |days: i32| {
            let as_of = clock.as_of.plus(-24 * days);
            let window = past.window(as_of, CURRENT_HOURS + 1);
            (window.start, window.end)
        };
        Self { clock, seen: seen_at(0).0, ago_30: seen_at(30), ago_120: seen_at(120) }
    }

    fn member(&self, relay: &RelayPast) -> Option<Member> {
        let clock = self.clock;
        let span = relay.spans_before(clock.end).last()?;
        let first = relay.first_listed()?;
        let was_current = |(start, end): (u32, u32)| relay.last_listed(end).is_some_and(|index| index >= start);
        let is_current = was_current((self.seen, clock.end));
        let age_days = clock.hours_since(first) / 24.0;
        let runs = relay.runs_before(clock.end);
        let change = runs.last().map(|run| if run.end < clock.end { run.end } else { run.start });
        let up_since = |start: u32| share(relay, &(start.max(first)..clock.end));
        Some(Member {
            asn: span.asn,
            country: span.country,
            debut_day: clock.hours[first as usize].get().div_euclid(24),
            debut_known: relay.debut(clock.hours).is_some(),
            weight: 1.0,
            age_class: [1.0, 7.0, 30.0, 120.0, 365.0].iter().filter(|limit| age_days > **limit).count() as u8,
            is_current,
            is_young: relay.debut(clock.hours).is_some() && age_days <= YOUNG_DAYS,
            up_7d: if is_current { up_since(clock.start(7)) } else { 0.0 },
            is_running: runs.last().is_some_and(|run| run.end >= clock.end),
            up_30d: up_since(clock.start(30)),
            up_180d: relay.last_listed(clock.end).filter(|index| *index >= clock.start(365)).map(|_| up_since(clock.start(180))),
            kept_30d: was_current(self.ago_30).then(|| (share(relay, &(self.ago_30.1..clock.end)), !is_current)),
            gone_120d: was_current(self.ago_120).then_some(!is_current),
            last_change: change,
        })
    }
}
