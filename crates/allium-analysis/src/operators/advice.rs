//! Advice for an operator: each piece with its reason and its effect as numbers.
//!
//! Nothing here is a guess at causes. Reasons are figures of the operator's own relays; effects are what the figures would be if the
//! advice were followed and everything else stayed.

use std::collections::BTreeSet;

use allium_model::{AroiDomain, Asn, CountryCode, Fraction, Period};
use allium_stats::median;

use super::members::{FamilyState, Network};
use super::portfolio::{Portfolio, effective_number};
use super::{AroiState, OperatorReport};
use crate::groups::{Expansion, Groups};
use crate::report::{NetworkReport, Trend};

/// A relay with this trend of uptime or a worse one is declining: one percentage point in 30 days.
const DECLINES: f64 = -0.01;

/// Relays that an operator needs before the advice that one provider holds most of them.
const MIN_SPREAD_RELAYS: usize = 3;

/// The share of an operator's running relays from which on one provider holds most of them.
const MOST: f64 = 0.5;

/// Relays that an operator needs before the advice on light ones.
const MIN_LIGHT_RELAYS: usize = 5;

/// A relay is light below this share of the median weight of its siblings.
const LIGHT: f64 = 0.1;

/// Countries that are suggested.
const SUGGESTED: usize = 3;

/// Something to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Advice {
    /// Bring back relays that are down.
    BringBack {
        /// Their indices in the record.
        relays: Vec<u32>,
        /// Their last weight as a share of the operator's.
        share_of_operator: Option<Fraction>,
        /// The same as a share of the running network's.
        share_of_network: Option<Fraction>,
    },
    /// Look after a relay that is down more than its siblings.
    LookAfter {
        /// Its index in the record.
        relay_idx: u32,
        /// The period in which it differs.
        period: Period,
        /// Its uptime.
        uptime: Fraction,
        /// The median of its siblings.
        median: Fraction,
        /// The rise of the operator's mean if it were as its siblings.
        gain: f64,
    },
    /// Look after a relay whose uptime falls.
    Declining {
        /// Its index in the record.
        relay_idx: u32,
        /// The slope of its fall.
        trend: Trend,
    },
    /// Update relays whose version the authorities do not recommend.
    Update {
        /// Their indices in the record.
        relays: Vec<u32>,
        /// Their share of the operator's running weight.
        weight_share: Option<Fraction>,
    },
    /// Let relays that are named as family name the others back.
    NameBack {
        /// Relays that name others which do not name them back.
        relays: Vec<u32>,
    },
    /// Prove the domain that contacts claim.
    Prove {
        /// The domain.
        domain: AroiDomain,
        /// Relays that it does not name.
        n_relays: usize,
    },
    /// Place relays with another provider.
    Spread {
        /// The provider that holds most.
        asn: Asn,
        /// Its share of the operator's running relays.
        share: Fraction,
        /// The operator's effective number of providers.
        before: f64,
        /// The same with one more relay elsewhere.
        after: f64,
    },
    /// Place a relay where the network has few.
    Expand {
        /// The countries, and the gain for the network; the best first.
        expansions: Vec<Expansion>,
        /// The weight that the relay is taken to have: the median of the operator's.
        weight: f64,
        /// The operator's effective number of countries.
        before: f64,
        /// The same with one more relay in another country.
        after: f64,
    },
    /// Put light relays together.
    Combine {
        /// Their indices in the record.
        relays: Vec<u32>,
        /// Their share of the running network's weight, all together.
        share_of_network: Option<Fraction>,
    },
}

/// The urgency of a piece of advice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Something is wrong now.
    High,
    /// Something could be better.
    Medium,
    /// A choice for the long run.
    Strategic,
}

impl Priority {
    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Strategic => "strategic",
        }
    }
}

impl Advice {
    /// Its priority.
    pub const fn priority(&self) -> Priority {
        match self {
            Self::BringBack { .. } | Self::LookAfter { .. } | Self::Declining { .. } | Self::Update { .. } => Priority::High,
            Self::NameBack { .. } | Self::Prove { .. } => Priority::Medium,
            Self::Spread { .. } | Self::Expand { .. } | Self::Combine { .. } => Priority::Strategic,
        }
    }

    /// The indices of the relays concerned, where it is about certain ones.
    pub fn relays(&self) -> &[u32] {
        match self {
            Self::BringBack { relays, .. } | Self::Update { relays, .. } | Self::NameBack { relays } | Self::Combine { relays, .. } => {
                relays
            }
            Self::LookAfter { relay_idx, .. } | Self::Declining { relay_idx, .. } => std::slice::from_ref(relay_idx),
            Self::Prove { .. } | Self::Spread { .. } | Self::Expand { .. } => &[],
        }
    }

    /// The name in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::BringBack { .. } => "bring_back",
            Self::LookAfter { .. } => "look_after",
            Self::Declining { .. } => "declining",
            Self::Update { .. } => "update",
            Self::NameBack { .. } => "name_back",
            Self::Prove { .. } => "prove",
            Self::Spread { .. } => "spread",
            Self::Expand { .. } => "expand",
            Self::Combine { .. } => "combine",
        }
    }
}

/// The relays of an operator with what advice rests on.
pub struct Advised<'a> {
    /// The record.
    pub record: &'a allium_model::NetworkRecord,
    /// Its report.
    pub report: &'a NetworkReport,
    /// Its operators.
    pub operators: &'a OperatorReport,
    /// Its groups.
    pub groups: &'a Groups,
    /// The operator's index among the operators.
    pub operator_idx: usize,
}

/// Advice for an operator, most urgent first; of equals in the order of relays.
pub fn advice(of: &Advised<'_>, details: &Portfolio) -> Vec<Advice> {
    let network = Network::of(of.record, of.report);
    let members = &of.operators.list()[of.operator_idx].members;
    let current: Vec<u32> = members.iter().copied().filter(|i| network.is_current(*i)).collect();
    let running: Vec<u32> = current.iter().copied().filter(|i| network.relay(*i).running).collect();
    let facts = Facts { of, network: &network, current: &current, running: &running };
    let mut found: Vec<Advice> = facts.bring_back(details).into_iter().collect();
    let unlike = facts.look_after(details);
    let looked_after: BTreeSet<u32> =
        unlike.iter().filter_map(|advice| if let Advice::LookAfter { relay_idx, .. } = advice { Some(*relay_idx) } else { None }).collect();
    found.extend(unlike);
    found.extend(facts.declining().filter(|(relay_idx, _)| !looked_after.contains(relay_idx)).map(|(_, advice)| advice));
    found.extend(facts.update());
    found.extend(facts.name_back());
    found.extend(facts.prove());
    found.extend(facts.spread());
    found.extend(facts.expand());
    found.extend(facts.combine());
    found.sort_by_key(Advice::priority);
    found
}

struct Facts<'a> {
    of: &'a Advised<'a>,
    network: &'a Network<'a>,
    current: &'a [u32],
    running: &'a [u32],
}

impl Facts<'_> {
    fn weight(&self, relay_idx: u32) -> f64 {
        self.network.relay(relay_idx).consensus_weight.unwrap_or(0) as f64
    }

    fn weight_of(&self, relays: &[u32]) -> f64 {
        relays.iter().map(|i| self.weight(*i)).sum()
    }

    fn bring_back(&self, details: &Portfolio) -> Option<Advice> {
        let offline = &details.offline;
        (!offline.relays.is_empty()).then(|| Advice::BringBack {
            relays: offline.relays.iter().map(|(i, _)| *i).collect(),
            share_of_operator: offline.share_of_operator,
            share_of_network: offline.share_of_network,
        })
    }

    /// Running relays below their siblings, each in the shortest period in which it is.
    fn look_after(&self, details: &Portfolio) -> Vec<Advice> {
        let mut advised = BTreeSet::new();
        let mut found = Vec::new();
        for period in [Period::OneMonth, Period::SixMonths] {
            let n = self.current.iter().filter(|i| self.network.report(**i).uptime_in(period).is_some()).count() as f64;
            let below = details.unlike[period.index()].iter().flatten().filter(|unlike| unlike.z < 0.0);
            for unlike in below.filter(|unlike| self.network.relay(unlike.relay.relay_idx).running) {
                if advised.insert(unlike.relay.relay_idx) {
                    let gain = (unlike.median.get() - unlike.relay.uptime.get()) / n;
                    let (relay_idx, uptime, median) = (unlike.relay.relay_idx, unlike.relay.uptime, unlike.median);
                    found.push(Advice::LookAfter { relay_idx, period, uptime, median, gain });
                }
            }
        }
        found
    }

    fn declining(&self) -> impl Iterator<Item = (u32, Advice)> {
        self.running.iter().filter_map(|i| {
            let trend = self.network.report(*i).trend.filter(|trend| trend.is_significant() && trend.per_30_days <= DECLINES)?;
            Some((*i, Advice::Declining { relay_idx: *i, trend }))
        })
    }

    fn update(&self) -> Option<Advice> {
        let is_old = |i: &u32| self.network.relay(*i).recommended_version == Some(false);
        let relays: Vec<u32> = self.running.iter().copied().filter(is_old).collect();
        let weight_share = Fraction::of(self.weight_of(&relays), self.weight_of(self.running));
        (!relays.is_empty()).then_some(Advice::Update { relays, weight_share })
    }

    fn name_back(&self) -> Option<Advice> {
        let is_one_sided = |i: &u32| FamilyState::of(self.network.relay(*i)).is_misconfigured();
        let relays: Vec<u32> = self.current.iter().copied().filter(is_one_sided).collect();
        (!relays.is_empty()).then_some(Advice::NameBack { relays })
    }

    fn prove(&self) -> Option<Advice> {
        let figures = &self.of.operators.figures[self.of.operator_idx];
        let n_unproven: usize = AroiState::ALL
            .into_iter()
            .zip(figures.by_aroi)
            .filter(|(state, _)| !matches!(state, AroiState::Validated | AroiState::NotConfigured | AroiState::Unchecked))
            .map(|(_, n)| n)
            .sum();
        let domain = figures.claimed_domain.clone().filter(|_| n_unproven > 0)?;
        Some(Advice::Prove { domain, n_relays: n_unproven })
    }

    fn spread(&self) -> Option<Advice> {
        let systems: Vec<Asn> = self.running.iter().filter_map(|i| self.network.relay(*i).asn).collect();
        let mut sorted = systems.clone();
        sorted.sort_unstable();
        let largest = sorted.chunk_by(|a, b| a == b).max_by(|a, b| a.len().cmp(&b.len()).then(b[0].cmp(&a[0])))?;
        let share = Fraction::of(largest.len() as f64, systems.len() as f64)?;
        let (before, after) = one_more(&systems)?;
        (systems.len() >= MIN_SPREAD_RELAYS && share.get() > MOST).then_some(Advice::Spread { asn: largest[0], share, before, after })
    }

    fn expand(&self) -> Option<Advice> {
        let countries: Vec<CountryCode> = self.running.iter().filter_map(|i| self.network.relay(*i).country).collect();
        let weights: Vec<f64> = self.running.iter().map(|i| self.weight(*i)).filter(|weight| *weight > 0.0).collect();
        let (weight, (before, after)) = (median(&weights)?, one_more(&countries)?);
        let used: BTreeSet<CountryCode> = countries.into_iter().collect();
        let expansions = self.of.groups.expansions(Period::SixMonths, weight, &used, SUGGESTED);
        (!expansions.is_empty()).then_some(Advice::Expand { expansions, weight, before, after })
    }

    fn combine(&self) -> Option<Advice> {
        let weighed: Vec<u32> = self.running.iter().copied().filter(|i| self.weight(*i) > 0.0).collect();
        let weights: Vec<f64> = weighed.iter().map(|i| self.weight(*i)).collect();
        let limit = LIGHT * median(&weights)?;
        let relays: Vec<u32> = weighed.iter().copied().filter(|i| self.weight(*i) < limit).collect();
        let share_of_network = Fraction::of(self.weight_of(&relays), self.network.total_weight() as f64);
        (weighed.len() >= MIN_LIGHT_RELAYS && relays.len() >= 2).then_some(Advice::Combine { relays, share_of_network })
    }
}

/// The effective number of kinds, and the same with one more thing of a kind that is not among them.
fn one_more<K: Ord + Copy>(kinds: &[K]) -> Option<(f64, f64)> {
    let before = effective_number(kinds.iter().copied())?;
    // 1 / Σ p² = n² / Σ nₖ², so one more of another kind gives (n + 1)² / (Σ nₖ² + 1).
    let n = kinds.len() as f64;
    Some((before, (n + 1.0) * (n + 1.0) / (n * n / before + 1.0)))
}
