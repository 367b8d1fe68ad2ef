//! Simpler methods, scored by the same rules.

use std::collections::BTreeMap;
use std::ops::Range;

use allium_model::RelayFlag;
use allium_stats::{ln_choose, ln_count_tail};

use super::dice::Dice;
use super::inject::Injected;
use super::score::Finding;
use crate::book::{Book, NETWORK, RelayIdx, ScopeIdx};
use crate::incident::Kind;
use crate::scope::ScopeKind;

/// A simpler method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Baseline {
    /// The plan's thresholds: 5 % of the network (relays where no weight is known), 50 relays or 10 % of exits lost in one list.
    Thresholds,
    /// At least 50 relays join in one list.
    Joins,
    /// The network, a country or an AS (of at least 8 relays) below 80 % of its median over seven days.
    Median,
    /// Joins and losses, as a share of the network, above 0.012, averaged over 24 lists.
    Churn,
    /// A Poisson tail below 1e-6 around the mean losses per list of the network, a country or an AS.
    Poisson,
    /// A binomial tail below 1e-6 with the loss rate per relay of the network, a country or an AS.
    Binomial,
    /// An AS at random every ten lists.
    Random,
}

impl Baseline {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Thresholds, Self::Joins, Self::Median, Self::Churn, Self::Poisson, Self::Binomial, Self::Random];

    /// A name for tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Thresholds => "5 %, 50 relays, 10 % of exits",
            Self::Joins => "50 joins an hour",
            Self::Median => "80 % of the 7-day median",
            Self::Churn => "churn above 0.012",
            Self::Poisson => "Poisson",
            Self::Binomial => "binomial",
            Self::Random => "random",
        }
    }

    /// Finds what it can in these lists.
    pub fn findings(self, injected: &Injected, lists: Range<usize>) -> Vec<Finding> {
        let mut watch = Watch::new(self, injected);
        let before = lists.start.saturating_sub(14 * 24);
        injected.walk(before..lists.end, |index, list| {
            let exits = |relay: &(RelayIdx, allium_model::RelayFlags)| relay.1.contains(RelayFlag::Exit);
            let running: Vec<RelayIdx> = list.listed.iter().map(|(relay, _)| *relay).collect();
            watch.look(index, running, list.listed.iter().filter(|relay| exits(relay)).map(|(relay, _)| *relay).collect());
        });
        watch.findings.retain(|finding| lists.contains(&finding.list));
        watch.findings
    }
}

/// Mean losses and sizes of a scope with a half-life of a week, and counts of the last seven days.
#[derive(Debug, Clone, Default)]
struct Past {
    n_lists: f64,
    losses: f64,
    relay_lists: f64,
    counts: Vec<u32>,
    alarm_at: Option<usize>,
}

struct Watch {
    baseline: Baseline,
    book: Book,
    dice: Dice,
    running: Vec<RelayIdx>,
    exits: Vec<RelayIdx>,
    past: BTreeMap<ScopeIdx, Past>,
    gone: BTreeMap<RelayIdx, usize>,
    churn: Vec<f64>,
    findings: Vec<Finding>,
}

/// Lists for which a scope is not reported again.
const QUIET: usize = 24;
const LN_ALPHA: f64 = -13.8;
const WEEK: usize = 168;

impl Watch {
    fn new(baseline: Baseline, injected: &Injected) -> Self {
        Self {
            baseline,
            book: Book::new(injected.record.relays.clone()),
            dice: Dice::new(7),
            running: Vec::new(),
            exits: Vec::new(),
            past: BTreeMap::new(),
            gone: BTreeMap::new(),
            churn: Vec::new(),
            findings: Vec::new(),
        }
    }

    fn look(&mut self, index: usize, running: Vec<RelayIdx>, exits: Vec<RelayIdx>) {
        let lost = difference(&self.running, &running);
        let joined = difference(&running, &self.running);
        let lost_exits = lost.iter().filter(|relay| self.exits.binary_search(relay).is_ok()).count();
        self.gone.extend(lost.iter().map(|relay| (*relay, index)));
        self.gone.retain(|relay, _| joined.binary_search(relay).is_err());
        let n_before = self.running.len().max(1) as f64;
        self.churn.push((lost.len() + joined.len()) as f64 / 2.0 / n_before);
        if !self.running.is_empty() {
            match self.baseline {
                Baseline::Thresholds => {
                    let exits_lost = lost_exits as f64 >= 0.1 * self.exits.len().max(1) as f64;
                    if lost.len() >= 50 || lost.len() as f64 >= 0.05 * n_before || exits_lost {
                        self.report(index, Kind::Outage, NETWORK, lost);
                    }
                }
                Baseline::Joins if joined.len() >= 50 => self.report(index, Kind::Surge, NETWORK, joined),
                Baseline::Churn if self.churn.iter().rev().take(24).sum::<f64>() / 24.0 > 0.012 => {
                    self.report(index, Kind::Outage, NETWORK, lost);
                }
                Baseline::Random if index.is_multiple_of(10) => {
                    let relay = self.dice.pick(&self.running);
                    let scope = self.book.scopes_of(relay).iter().copied().find(|scope| self.book.scope(*scope).kind == ScopeKind::As);
                    self.report(index, Kind::Outage, scope.unwrap_or(NETWORK), lost);
                }
                Baseline::Median | Baseline::Poisson | Baseline::Binomial => self.by_scope(index, &running, &lost),
                Baseline::Joins | Baseline::Churn | Baseline::Random => {}
            }
        }
        (self.running, self.exits) = (running, exits);
    }

    fn by_scope(&mut self, index: usize, running: &[RelayIdx], lost: &[RelayIdx]) {
        let counts = self.counts(running);
        let losses = self.counts(lost);
        let scopes: Vec<ScopeIdx> = if self.baseline == Baseline::Median {
            counts.keys().chain(self.past.keys()).copied().collect::<std::collections::BTreeSet<_>>().into_iter().collect()
        } else {
            losses.keys().copied().collect()
        };
        for scope in scopes {
            let (n, n_lost) = (counts.get(&scope).copied().unwrap_or(0), losses.get(&scope).copied().unwrap_or(0));
            let past = self.past.get(&scope).cloned().unwrap_or_default();
            let is_unusual = match self.baseline {
                Baseline::Median => past.median().is_some_and(|median| median >= 8 && f64::from(n) < 0.8 * f64::from(median)),
                Baseline::Poisson => {
                    ln_count_tail(u64::from(n_lost), (past.losses + 0.1) / (past.n_lists + 10.0), 1.0).is_some_and(|p| p < LN_ALPHA)
                }
                _ => ln_binomial_tail(n_lost, n + n_lost, (past.losses + 0.1) / (past.relay_lists + 100.0)) < LN_ALPHA,
            };
            if is_unusual && n_lost.max(u32::from(self.baseline == Baseline::Median)) > 0 {
                let recent = self.gone.iter().filter(|(relay, at)| index - **at < QUIET && self.book.belongs(**relay, scope));
                let relays = recent.map(|(relay, _)| *relay).collect();
                self.report(index, Kind::Outage, scope, relays);
            }
        }
        self.learn(&counts, &losses);
    }

    fn counts(&self, relays: &[RelayIdx]) -> BTreeMap<ScopeIdx, u32> {
        let mut counts = BTreeMap::from([(NETWORK, relays.len() as u32)]);
        let watched = |scope: &&ScopeIdx| matches!(self.book.scope(**scope).kind, ScopeKind::As | ScopeKind::Country);
        relays
            .iter()
            .flat_map(|relay| self.book.scopes_of(*relay))
            .filter(watched)
            .for_each(|scope| *counts.entry(*scope).or_default() += 1);
        counts
    }

    fn learn(&mut self, counts: &BTreeMap<ScopeIdx, u32>, losses: &BTreeMap<ScopeIdx, u32>) {
        for scope in counts.keys() {
            self.past.entry(*scope).or_default();
        }
        for (scope, past) in &mut self.past {
            let kept = (-1.0 / WEEK as f64).exp2();
            let n = counts.get(scope).copied().unwrap_or(0);
            past.n_lists = past.n_lists * kept + 1.0;
            past.losses = past.losses * kept + f64::from(losses.get(scope).copied().unwrap_or(0));
            past.relay_lists = past.relay_lists * kept + f64::from(n);
            if self.baseline == Baseline::Median {
                past.counts.push(n);
                let excess = past.counts.len().saturating_sub(WEEK);
                past.counts.drain(..excess);
            }
        }
    }

    fn report(&mut self, index: usize, kind: Kind, scope: ScopeIdx, relays: Vec<RelayIdx>) {
        let past = self.past.entry(scope).or_default();
        let is_repeated = past.alarm_at.is_some_and(|at| index - at < QUIET);
        past.alarm_at = Some(index);
        if !is_repeated {
            let n_at_risk = if scope == NETWORK { self.running.len() } else { self.book.members(scope).len() };
            self.findings.push(Finding { list: index, kind, scopes: vec![self.book.scope(scope).clone()], relays, n_at_risk });
        }
    }
}

impl Past {
    fn median(&self) -> Option<u32> {
        let mut counts = self.counts.clone();
        let middle = counts.len() / 2;
        (counts.len() == WEEK).then(|| *counts.select_nth_unstable(middle).1)
    }
}

/// The elements of the first sorted list that are not in the second.
fn difference(a: &[RelayIdx], b: &[RelayIdx]) -> Vec<RelayIdx> {
    a.iter().filter(|relay| b.binary_search(relay).is_err()).copied().collect()
}

/// The natural logarithm of P(X ≥ n) for `size` trials with this probability.
fn ln_binomial_tail(n: u32, size: u32, probability: f64) -> f64 {
    let p = probability.clamp(1e-9, 0.5);
    if f64::from(n) <= f64::from(size) * p {
        return 0.0;
    }
    let term =
        |k: u32| ln_choose(u64::from(size), u64::from(k)).unwrap_or(0.0) + f64::from(k) * p.ln() + f64::from(size - k) * (1.0 - p).ln();
    let first = term(n);
    (n..=size).take(200).map(|k| (term(k) - first).exp()).sum::<f64>().ln() + first
}
