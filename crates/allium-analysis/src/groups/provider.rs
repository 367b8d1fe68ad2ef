//! Autonomous systems as providers: how good, how risky, what to do, and what the network would be without them.

use std::collections::BTreeSet;

use allium_model::{Asn, CountryCode, Fraction, Period};

use super::anomaly::window_of;
use super::{Direction, Group, GroupFigures, GroupUptime, Groups, Member};

/// Relays that a grade, an alert and an alternative need.
const MIN_RELAYS: usize = 5;

/// An autonomous system with less than this share of the weight is under-used.
const UNDER_USED: f64 = 0.01;

/// Alternatives given with an alert.
const N_ALTERNATIVES: usize = 3;

/// A relay whose uptime fell by more than this is affected by a decline: one percentage point.
const FELL: f64 = 0.01;

/// A grade of the reliability of the relays of a group, by their mean uptime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// Below 80 %.
    VeryPoor,
    /// From 80 % on.
    Poor,
    /// From 90 % on.
    Fair,
    /// From 95 % on.
    Good,
    /// From 97 % on.
    Excellent,
}

impl Grade {
    /// The grade of a mean over at least five relays; `None` for fewer.
    pub fn of(uptime: &GroupUptime) -> Option<Self> {
        (uptime.n_relays >= MIN_RELAYS).then(|| Self::of_share(uptime.mean))
    }

    /// The grade of an uptime, however many relays it rests on.
    pub fn of_share(uptime: Fraction) -> Self {
        match uptime.get() {
            mean if mean >= 0.97 => Self::Excellent,
            mean if mean >= 0.95 => Self::Good,
            mean if mean >= 0.90 => Self::Fair,
            mean if mean >= 0.80 => Self::Poor,
            _ => Self::VeryPoor,
        }
    }

    /// Stars, 1 to 5.
    pub const fn stars(self) -> u8 {
        self as u8 + 1
    }

    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::VeryPoor => "very poor",
            Self::Poor => "poor",
            Self::Fair => "fair",
            Self::Good => "good",
            Self::Excellent => "excellent",
        }
    }
}

/// The risk of losing a group: by the largest of its shares of weight, guard and exit probability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Risk {
    /// Up to 5 %.
    Low,
    /// More than 5 %.
    Medium,
    /// More than 10 %.
    High,
}

impl Risk {
    /// The risk of depending on a group.
    pub fn of(figures: &GroupFigures) -> Self {
        let shares = [figures.weight_share, figures.guard_share, figures.exit_share];
        match shares.into_iter().flatten().map(Fraction::get).fold(0.0, f64::max) {
            share if share > 0.10 => Self::High,
            share if share > 0.05 => Self::Medium,
            _ => Self::Low,
        }
    }

    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Something about an autonomous system that its users should know.
#[derive(Debug, Clone, PartialEq)]
pub struct AsAlert {
    /// The autonomous system.
    pub asn: Asn,
    /// Its kind.
    pub kind: AsAlertKind,
    /// The difference behind it: the change against the network, or the mean less the network's.
    pub difference: f64,
    /// Relays concerned.
    pub n_affected: usize,
    /// The country in which most of its relays are.
    pub country: Option<CountryCode>,
    /// Under-used autonomous systems of the same country with relays at least as reliable as the network's, the best first.
    pub alternatives: Vec<Asn>,
}

/// The kind of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AsAlertKind {
    /// Its uptime falls, beyond chance and beyond the network's change.
    Declining,
    /// Its uptime is below the network's mean, beyond chance.
    BelowNetwork,
}

/// The loss of the network without some of its relays.
#[derive(Debug, Clone, PartialEq)]
pub struct Loss {
    /// Running relays lost.
    pub n_running: usize,
    /// Guards among them.
    pub n_guards: usize,
    /// Exits among them.
    pub n_exits: usize,
    /// Share of consensus weight lost.
    pub weight_share: Option<Fraction>,
    /// Share of guard probability lost.
    pub guard_share: Option<Fraction>,
    /// Share of exit probability lost.
    pub exit_share: Option<Fraction>,
    /// Share of advertised bandwidth lost.
    pub bandwidth_share: Option<Fraction>,
    /// Countries left without a running relay.
    pub countries: Vec<CountryCode>,
    /// Operators left without a running relay.
    pub n_operators: usize,
    /// Mean uptime of the relays that stay, in a period.
    pub uptime: Option<Fraction>,
}

impl Groups {
    /// Alerts about autonomous systems over a period: the heaviest first.
    pub fn as_alerts(&self, period: Period) -> Vec<AsAlert> {
        let mut alerts: Vec<(Option<u64>, AsAlert)> = self
            .autonomous_systems
            .iter()
            .flat_map(|group| {
                [self.declining(group, period), self.below_network(group, period)].into_iter().flatten().map(move |a| (group, a))
            })
            .map(|(group, alert)| (group.figures.consensus_weight, alert))
            .collect();
        alerts.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| (a.1.asn, a.1.kind).cmp(&(b.1.asn, b.1.kind))));
        alerts.into_iter().map(|(_, alert)| alert).collect()
    }

    fn declining(&self, group: &Group<Asn>, period: Period) -> Option<AsAlert> {
        let window = window_of(period);
        let change = group.figures.changes[window].filter(|change| change.n_relays >= MIN_RELAYS)?;
        let fell = |member: &Member| member.recent[window].change().is_some_and(|change| change < -FELL);
        (change.direction() == Direction::Declining)
            .then(|| self.alert(group, period, AsAlertKind::Declining, change.against_network, fell))
    }

    fn below_network(&self, group: &Group<Asn>, period: Period) -> Option<AsAlert> {
        let (own, network) = (group.figures.uptime[period.index()]?, self.network.uptime[period.index()]?);
        let is_below = own.n_relays >= MIN_RELAYS && own.interval.is_some_and(|(_, high)| high < network.mean);
        let below = |member: &Member| member.uptime[period.index()].is_some_and(|uptime| uptime < network.mean.get());
        is_below.then(|| self.alert(group, period, AsAlertKind::BelowNetwork, own.mean.get() - network.mean.get(), below))
    }

    fn alert(&self, group: &Group<Asn>, period: Period, kind: AsAlertKind, difference: f64, concerns: impl Fn(&Member) -> bool) -> AsAlert {
        let country = self.main_country(&group.members);
        let n_affected = self.at(&group.members).into_iter().filter(|member| concerns(member)).count();
        let alternatives = country.map_or_else(Vec::new, |country| self.alternatives(country, Some(group.key), period));
        AsAlert { asn: group.key, kind, difference, n_affected, country, alternatives }
    }

    /// The country with most of some members; of equals the first by code.
    pub fn main_country(&self, members: &[u32]) -> Option<CountryCode> {
        let mut countries: Vec<CountryCode> = self.at(members).into_iter().filter_map(|member| member.country).collect();
        countries.sort_unstable();
        let runs = countries.chunk_by(|a, b| a == b);
        runs.max_by(|a, b| a.len().cmp(&b.len()).then(b[0].cmp(&a[0]))).map(|run| run[0])
    }

    /// Under-used autonomous systems with relays in a country and at least the network's mean uptime that do not decline, by the lower
    /// bound of theirs.
    pub fn alternatives(&self, country: CountryCode, to: Option<Asn>, period: Period) -> Vec<Asn> {
        let Some(network) = self.network.uptime[period.index()] else { return Vec::new() };
        let in_country: BTreeSet<Asn> = self
            .country(country)
            .map(|group| self.at(&group.members).into_iter().filter_map(|member| member.asn).collect())
            .unwrap_or_default();
        let groups = in_country.into_iter().filter(|asn| Some(*asn) != to).filter_map(|asn| self.autonomous_system(asn));
        let mut fitting: Vec<(f64, Asn)> = groups
            .filter(|group| group.figures.weight_share.is_none_or(|share| share.get() < UNDER_USED))
            .filter(|group| group.figures.changes[window_of(period)].is_none_or(|change| change.direction() != Direction::Declining))
            .filter_map(|group| Some((group.figures.uptime[period.index()]?, group.key)))
            .filter(|(uptime, _)| uptime.n_relays >= MIN_RELAYS && uptime.mean >= network.mean)
            .map(|(uptime, asn)| (uptime.interval.map_or(0.0, |(low, _)| low.get()), asn))
            .collect();
        fitting.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        fitting.into_iter().take(N_ALTERNATIVES).map(|(_, asn)| asn).collect()
    }

    /// The network without some members, which must be sorted; `lost` are their figures.
    pub fn without(&self, members: &[u32], lost: &GroupFigures, period: Period) -> Loss {
        let mut is_gone = vec![false; self.members.len()];
        members.iter().for_each(|index| is_gone[*index as usize] = true);
        let (mut gone, mut kept, mut uptime) = (Locations::default(), Locations::default(), Vec::new());
        for (member, is_gone) in self.members.iter().zip(is_gone) {
            if member.running {
                if is_gone { &mut gone } else { &mut kept }.add(member);
            }
            uptime.extend(member.uptime[period.index()].filter(|_| !is_gone));
        }
        let (countries, operators) = gone.less(kept);
        Loss {
            n_running: lost.n_running,
            n_guards: lost.running_by_role.guard,
            n_exits: lost.running_by_role.exit,
            weight_share: lost.weight_share,
            guard_share: lost.guard_share,
            exit_share: lost.exit_share,
            bandwidth_share: lost
                .bandwidth
                .all
                .zip(self.network.bandwidth.all)
                .and_then(|(lost, all)| Fraction::of(lost as f64, all as f64)),
            countries,
            n_operators: operators.len(),
            uptime: allium_stats::mean(&uptime).and_then(Fraction::clamped),
        }
    }
}

/// The locations of running relays and who runs them.
#[derive(Default)]
struct Locations {
    countries: Vec<CountryCode>,
    operators: Vec<u32>,
}

impl Locations {
    fn add(&mut self, member: &Member) {
        self.countries.extend(member.country);
        self.operators.extend(member.operator);
    }

    /// The countries and operators that are here and not there, each once.
    fn less(self, other: Self) -> (Vec<CountryCode>, Vec<u32>) {
        (missing(self.countries, other.countries), missing(self.operators, other.operators))
    }
}

fn missing<K: Ord>(mut own: Vec<K>, mut others: Vec<K>) -> Vec<K> {
    for list in [&mut own, &mut others] {
        list.sort_unstable();
        list.dedup();
    }
    own.retain(|key| others.binary_search(key).is_err());
    own
}
