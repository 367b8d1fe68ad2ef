//! Search for the relays that left together and the scope that explains them best.
//!
//! Input: relays lost in a window, relays that could have been lost, each with its probability of leaving by chance. For every
//! scope: how improbable is the count of its lost members (a negative binomial tail around the sum of their probabilities; once for
//! all members, once for its stable and once for its very stable ones: three times the smallest; where more than usual left elsewhere
//! too, more are expected), and how much better does "a fault struck this scope" explain what was
//! seen than chance: with `n` of `N` lost, every subset of a size equally likely and every size too,
//!
//! `gain = −ln(N + 1) − ln C(N, n) − Σ_lost ln hᵢ + Σ_left hᵢ + ln prior(kind)`.
//!
//! Among the scopes that are improbable enough the one with the largest gain is reported, its relays are taken out, and what remains is
//! looked at again. So an operator that lost everything wins over its AS that lost half, an AS over the country around it, and the
//! network where no narrower scope explains what is missing.

use allium_stats::{ln_choose, ln_count_tail};

use crate::book::{Book, NETWORK, RelayIdx, ScopeIdx};
use crate::risk::{Lost, Standing};
use crate::scatter::{Scale, weigh};

/// Thresholds of the search.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thresholds {
    pub(crate) min_lost: u32,
    /// Fewer relays of a narrow scope are taken out of the pool without being reported.
    pub(crate) min_narrow_lost: u32,
    pub(crate) ln_alpha: f64,
    pub(crate) ln_alpha_network: f64,
    pub(crate) dispersion: f64,
    pub(crate) network_dispersion: f64,
    /// Members with less risk than these in the window count as stable and as very stable.
    pub(crate) stable_risk: [f64; 2],
    /// Variation of the part of a scope where more than usual left elsewhere: a squared coefficient of variation.
    pub(crate) uneven: f64,
    /// Variation of the weights of losses anywhere, where the network is judged by who left.
    pub(crate) scatter: Option<Scale>,
}

/// The figures of a scope in a window.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Look {
    pub(crate) scope: ScopeIdx,
    pub(crate) n_lost: u32,
    pub(crate) n_at_risk: u32,
    pub(crate) expected: f64,
    pub(crate) ln_p: f64,
    pub(crate) gain: f64,
}

/// Relays that were lost together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cluster {
    pub(crate) look: Look,
    pub(crate) lost: Vec<RelayIdx>,
    /// Other scopes that most of them share, best first.
    pub(crate) rivals: Vec<Look>,
}

impl Cluster {
    /// The cluster of all these relays, for cases that nobody searched for.
    pub(crate) fn anywhere(lost: Vec<RelayIdx>, expected: f64, ln_p: f64) -> Self {
        let n = lost.len() as u32;
        Self { look: Look { scope: NETWORK, n_lost: n, n_at_risk: n, expected, ln_p, gain: 0.0 }, lost, rivals: Vec::new() }
    }
}

/// Finds the clusters in a pool of lost relays, best explained first. `scratch` has a zero for every scope and gets them back.
pub(crate) fn clusters(
    book: &Book,
    mut pool: Vec<Lost>,
    standing: &Standing<'_>,
    thresholds: &Thresholds,
    scratch: &mut Vec<u32>,
) -> Vec<Cluster> {
    let mut found = Vec::new();
    scratch.resize(book.n_scopes(), 0);
    while pool.len() >= thresholds.min_lost as usize {
        let looks = looks(book, &pool, standing, thresholds, scratch);
        let is_unusual = |look: &&Look| look.ln_p <= if look.scope == NETWORK { thresholds.ln_alpha_network } else { thresholds.ln_alpha };
        let Some(best) = looks.iter().filter(is_unusual).max_by(|a, b| by_gain(book, a, b)).cloned() else { break };
        let (taken, rest): (Vec<Lost>, Vec<Lost>) = pool.into_iter().partition(|lost| book.belongs(lost.relay, best.scope));
        pool = rest;
        if book.scope(best.scope).kind.is_narrow() && best.n_lost < thresholds.min_narrow_lost {
            continue;
        }
        let taken = if best.scope == NETWORK && thresholds.scatter.is_some() { struck(taken, &best, thresholds.min_lost) } else { taken };
        let rivals = rivals(book, looks, &best, &taken);
        found.push(Cluster { look: best, lost: taken.into_iter().map(|lost| lost.relay).collect(), rivals });
    }
    found
}

/// Of what was lost anywhere, the relays that were rather struck than left by chance, and at least `min_lost` of them.
fn struck(mut lost: Vec<Lost>, look: &Look, min_lost: u32) -> Vec<Lost> {
    let excess = (f64::from(look.n_lost) - look.expected).max(f64::from(min_lost));
    let share_struck = excess / f64::from(look.n_at_risk.max(1));
    lost.sort_by(|a, b| a.risk.total_cmp(&b.risk).then(a.relay.cmp(&b.relay)));
    let n_likely = lost.partition_point(|lost| lost.risk <= CHANCE * share_struck);
    lost.truncate(n_likely.max(min_lost as usize));
    lost.sort_unstable_by_key(|lost| lost.relay);
    lost
}

fn by_gain(book: &Book, a: &Look, b: &Look) -> std::cmp::Ordering {
    a.gain.total_cmp(&b.gain).then_with(|| book.scope(b.scope).cmp(book.scope(a.scope)))
}

/// Scopes that hold at least half of the relays taken.
fn rivals(book: &Book, looks: Vec<Look>, best: &Look, taken: &[Lost]) -> Vec<Look> {
    let shares_most = |look: &Look| 2 * taken.iter().filter(|lost| book.belongs(lost.relay, look.scope)).count() >= taken.len();
    let mut rivals: Vec<Look> = looks.into_iter().filter(|look| look.scope != best.scope && shares_most(look)).collect();
    rivals.sort_by(|a, b| by_gain(book, b, a));
    rivals.truncate(5);
    rivals
}

/// All scopes with enough lost relays.
fn looks(book: &Book, pool: &[Lost], standing: &Standing<'_>, thresholds: &Thresholds, scratch: &mut [u32]) -> Vec<Look> {
    let mut touched = vec![NETWORK];
    scratch[NETWORK as usize] = pool.len() as u32;
    for scope in pool.iter().flat_map(|lost| book.scopes_of(lost.relay)) {
        if scratch[*scope as usize] == 0 {
            touched.push(*scope);
        }
        scratch[*scope as usize] += 1;
    }
    let looks = touched.iter().filter(|scope| scratch[**scope as usize] >= thresholds.min_lost);
    let all = Sums::of(book, NETWORK, pool, standing, thresholds);
    let look = |scope: ScopeIdx| match scope {
        NETWORK => all.look(book, scope, &all, thresholds),
        _ => Sums::of(book, scope, pool, standing, thresholds).look(book, scope, &all, thresholds),
    };
    let mut looks: Vec<Look> = looks.map(|scope| look(*scope)).collect();
    if let (Some(scale), Some(network)) = (thresholds.scatter, looks.iter_mut().find(|look| look.scope == NETWORK)) {
        network.ln_p = weigh(book, pool, standing).ln_p(scale);
    }
    touched.iter().for_each(|scope| scratch[*scope as usize] = 0);
    looks
}

/// Counts and sums over the members of a scope: of all of them, the stable and the very stable ones.
#[derive(Default)]
struct Sums {
    n_left: u32,
    risk_left: f64,
    ln_risk_lost: f64,
    n_lost: [u32; 3],
    /// Of those lost and those left.
    risk: [f64; 3],
}

/// A relay that is so many times likelier to leave by chance than to be struck is not counted among those struck.
const CHANCE: f64 = 3.0;
/// Relays by which the level of losses elsewhere is held to what is usual.
const USUAL: f64 = 10.0;

impl Sums {
    fn of(book: &Book, scope: ScopeIdx, pool: &[Lost], standing: &Standing<'_>, thresholds: &Thresholds) -> Self {
        let limits = [f64::INFINITY, thresholds.stable_risk[0], thresholds.stable_risk[1]];
        let mut sums = Self::default();
        let members = if scope == NETWORK { standing.relays } else { book.members(scope) };
        for risk in standing.risks(members) {
            sums.n_left += 1;
            sums.risk_left += risk;
            sums.risk.iter_mut().zip(limits).for_each(|(sum, limit)| *sum += if risk < limit { risk } else { 0.0 });
        }
        for lost in pool.iter().filter(|lost| book.belongs(lost.relay, scope)) {
            sums.ln_risk_lost += lost.risk.ln();
            for i in (0..3).filter(|i| lost.risk < limits[*i]) {
                sums.n_lost[i] += 1;
                sums.risk[i] += lost.risk;
            }
        }
        sums
    }

    /// The ratio of losses elsewhere to what is usual; at least 1.
    fn level_elsewhere(&self, all: &Self, i: usize) -> f64 {
        let n = f64::from(all.n_lost[i].saturating_sub(self.n_lost[i]));
        let expected = (all.risk[i] - self.risk[i]).max(0.0);
        ((n + USUAL) / (expected + USUAL)).max(1.0)
    }

    fn look(&self, book: &Book, scope: ScopeIdx, all: &Self, thresholds: &Thresholds) -> Look {
        let dispersion = if scope == NETWORK { thresholds.network_dispersion } else { thresholds.dispersion };
        let tail = |i: usize| {
            let level = self.level_elsewhere(all, i);
            let expected = self.risk[i] * level;
            let dispersion = dispersion + thresholds.uneven * expected * (1.0 - 1.0 / level);
            ln_count_tail(u64::from(self.n_lost[i]), expected, dispersion).unwrap_or(0.0)
        };
        let ln_p = (0..3).map(tail).fold(0.0, f64::min) + 3f64.ln();
        let (n, n_at_risk) = (self.n_lost[0], self.n_left + self.n_lost[0]);
        let ways = ln_choose(u64::from(n_at_risk), u64::from(n)).unwrap_or(0.0);
        let gain = self.risk_left - self.ln_risk_lost - ways - f64::from(n_at_risk + 1).ln() + book.scope(scope).kind.ln_prior();
        Look { scope, n_lost: n, n_at_risk, expected: self.risk[0], ln_p: ln_p.min(0.0), gain }
    }
}
