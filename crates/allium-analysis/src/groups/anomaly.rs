//! Countries unlike the rest of their subregion, or unlike their own past.
//!
//! Against the subregion: the mean uptime of the country's relays and that of all other relays of the subregion, by Welch's test with
//! the moderated variances of both and the smaller degrees of freedom. Against the past: the change against the network over 7, 30
//! or 90 days. Of all these tests at once, those are reported that Benjamini and Hochberg's procedure (1995) keeps at a false discovery
//! rate of 5 % and that differ by at least two percentage points.

use std::collections::BTreeMap;

use allium_model::{Asn, CountryCode, Fraction, OperatorId, Period};

use super::spread::p_of;
use super::{Group, Groups, Member, Region};
use crate::report::Recent;

/// Relays that a country, and the rest of its subregion, need.
const MIN_RELAYS: usize = 5;

/// The smallest difference that is reported.
const SMALLEST_DIFFERENCE: f64 = 0.02;

/// Expected share of false ones among those reported.
const FALSE_DISCOVERY_RATE: f64 = 0.05;

/// The share of a difference from which on one operator or autonomous system explains it.
const EXPLAINS: f64 = 0.5;

/// A country unlike its reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Anomaly {
    /// The country.
    pub country: CountryCode,
    /// The comparison in which it is unlike.
    pub against: Against,
    /// Relays with a figure.
    pub n_relays: usize,
    /// Of these on the country's side of the reference.
    pub n_affected: usize,
    /// Mean uptime of its relays.
    pub uptime: Fraction,
    /// The expected value.
    pub expected: Fraction,
    /// `uptime` less `expected`.
    pub difference: f64,
    /// The probability of so large a difference by chance, for this one test.
    pub p_value: f64,
    /// The one operator or autonomous system that explains at least half of it.
    pub explanation: Option<Explanation>,
}

/// The comparison in which a country is unlike others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Against {
    /// The other countries of its subregion.
    Subregion(Region),
    /// As many days before, changed as the network did.
    Past {
        /// Days compared.
        days: usize,
    },
}

/// The operator whose relays make most of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Explanation {
    /// An operator's.
    Operator(OperatorId),
    /// Those of an autonomous system.
    AutonomousSystem(Asn),
}

/// A relay's uptime with what was to be expected of it.
struct Point<'a> {
    member: &'a Member,
    deviation: f64,
}

impl Groups {
    /// The countries unlike their subregion over a period or unlike their own past, the least likely first.
    pub fn anomalies(&self, period: Period) -> Vec<Anomaly> {
        let tests = self.countries.iter().flat_map(|country| {
            let region = self.against_subregion(country, period);
            region.into_iter().chain(self.against_past(country, period))
        });
        let mut found = discoveries(tests.collect());
        found.retain(|anomaly| anomaly.difference.abs() >= SMALLEST_DIFFERENCE);
        found
    }

    fn against_subregion(&self, country: &Group<CountryCode>, period: Period) -> Option<Anomaly> {
        let subregion = Region::subregion_of(country.key)?;
        let others: Vec<u32> =
            self.region(subregion)?.members.iter().copied().filter(|i| self.members[*i as usize].country != Some(country.key)).collect();
        let own = country.figures.uptime[period.index()]?;
        let rest = self.context.uptime_in(&self.at(&others), period.index())?;
        if own.n_relays < MIN_RELAYS || rest.n_relays < MIN_RELAYS {
            return None;
        }
        let difference = own.mean.get() - rest.mean.get();
        let degrees_of_freedom = own.degrees_of_freedom().min(rest.degrees_of_freedom());
        let members = self.at(&country.members);
        let uptime = |member: &Member| member.uptime[period.index()].map(|uptime| uptime - rest.mean.get());
        let points = points(&members, uptime);
        Some(Anomaly {
            country: country.key,
            against: Against::Subregion(subregion),
            n_relays: own.n_relays,
            n_affected: affected(&points, difference),
            uptime: own.mean,
            expected: rest.mean,
            difference,
            p_value: p_of(difference, own.variance + rest.variance, degrees_of_freedom),
            explanation: self.explain(&points),
        })
    }

    fn against_past(&self, country: &Group<CountryCode>, period: Period) -> Option<Anomaly> {
        let window = window_of(period);
        let change = country.figures.changes[window].filter(|change| change.n_relays >= MIN_RELAYS)?;
        let network_change = change.last.get() - change.before.get() - change.against_network;
        let members = self.at(&country.members);
        let points = points(&members, |member| member.recent[window].change().map(|change| change - network_change));
        Some(Anomaly {
            country: country.key,
            against: Against::Past { days: Recent::DAYS[window] },
            n_relays: change.n_relays,
            n_affected: affected(&points, change.against_network),
            uptime: change.last,
            expected: Fraction::clamped(change.before.get() + network_change)?,
            difference: change.against_network,
            p_value: change.p_value(),
            explanation: self.explain(&points),
        })
    }

    /// The operator, else the autonomous system, whose relays hold at least half of all deviation.
    fn explain(&self, points: &[Point<'_>]) -> Option<Explanation> {
        let operator = most_of(points, |member| member.operator).map(|i| self.operators[i as usize].clone());
        operator.map(Explanation::Operator).or_else(|| most_of(points, |member| member.asn).map(Explanation::AutonomousSystem))
    }
}

/// The window that is nearest to a period.
pub(super) const fn window_of(period: Period) -> usize {
    match period {
        Period::OneDay | Period::SevenDays => 0,
        Period::ThirtyDays | Period::OneMonth => 1,
        Period::SixMonths | Period::OneYear | Period::FiveYears => 2,
    }
}

fn points<'a>(members: &[&'a Member], deviation: impl Fn(&Member) -> Option<f64>) -> Vec<Point<'a>> {
    members.iter().filter_map(|member| deviation(member).map(|deviation| Point { member, deviation })).collect()
}

fn affected(points: &[Point<'_>], difference: f64) -> usize {
    points.iter().filter(|point| point.deviation * difference > 0.0).count()
}

fn most_of<K: Ord + Copy>(points: &[Point<'_>], key: impl Fn(&Member) -> Option<K>) -> Option<K> {
    let total: f64 = points.iter().map(|point| point.deviation).sum();
    let mut sums: BTreeMap<K, f64> = BTreeMap::new();
    for point in points {
        if let Some(key) = key(point.member) {
            *sums.entry(key).or_default() += point.deviation / total;
        }
    }
    sums.into_iter().filter(|(_, share)| *share >= EXPLAINS).max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))).map(|(key, _)| key)
}

/// Those that Benjamini and Hochberg's procedure keeps, the least likely first.
fn discoveries(mut tests: Vec<Anomaly>) -> Vec<Anomaly> {
    tests.sort_by(|a, b| a.p_value.total_cmp(&b.p_value).then_with(|| (a.country, a.against).cmp(&(b.country, b.against))));
    let n = tests.len() as f64;
    let is_kept = |(i, test): (usize, &Anomaly)| test.p_value <= FALSE_DISCOVERY_RATE * (i + 1) as f64 / n;
    let kept = tests.iter().enumerate().rposition(is_kept).map_or(0, |last| last + 1);
    tests.truncate(kept);
    tests
}
