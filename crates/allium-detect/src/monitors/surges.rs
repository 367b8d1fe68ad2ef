//! Relays that nobody had seen before and that join together: floods.
//!
//! For every scope the rate of first appearances is counted with weights that halve every 14 days. What appeared within the last
//! lists is compared with it (a negative binomial tail; operators set up relays in batches, so the dispersion is 4). The scope
//! named is the one with the largest Poisson log-likelihood ratio `n ln(n / μ) − (n − μ)`. Relays of a surge do not count as lost
//! for 30 days: a flood that leaves again resolves the surge and is no outage.

use allium_stats::ln_count_tail;
use serde::{Deserialize, Serialize};

use crate::book::{NETWORK, RelayIdx, ScopeIdx};
use crate::detector::{Detector, State, Step};
use crate::incident::{Event, Kind, Status};
use crate::monitors::losses::{PERMANENT_HOURS, is_network};
use crate::scan::{Cluster, Look};
use crate::scope::ScopeKind;

/// Lists over which first appearances are added up.
pub(crate) const WINDOW: usize = 6;
/// Half-life of the rates, in hours.
const HALF_LIFE: f64 = 14.0 * 24.0;
/// First appearances per hour that any scope is granted, and the network.
const PRIOR: [f64; 2] = [3.0, 0.02];
const DISPERSION: f64 = 4.0;
/// What joins a surge's scope so many hours after its last wave belongs to it.
const WAVE_HOURS: i32 = 24;
/// Hours for which relays of a surge do not count as lost.
const NEWCOMER_HOURS: i32 = 30 * 24;

/// First appearances per scope.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct JoinRates {
    counts: Vec<(f32, i32)>,
}

impl JoinRates {
    fn count(&self, scope: ScopeIdx, hour: i32) -> f64 {
        self.counts.get(scope as usize).map_or(0.0, |(count, at)| f64::from(*count) * (-f64::from(hour - at) / HALF_LIFE).exp2())
    }

    fn add(&mut self, scope: ScopeIdx, hour: i32) {
        let count = self.count(scope, hour) + 1.0;
        if self.counts.len() <= scope as usize {
            self.counts.resize(scope as usize + 1, (0.0, hour));
        }
        self.counts[scope as usize] = (count as f32, hour);
    }
}

impl Detector {
    /// Learns the rates from the last list.
    pub(crate) fn learn_joins(&mut self) {
        let State { recent, join_rates, tracks, hour, n_lists, .. } = &mut self.state;
        if *n_lists < 2 {
            return;
        }
        let Some(last) = recent.last() else { return };
        for relay in last.joined.iter().filter(|relay| tracks[**relay as usize].newcomer_until < *hour) {
            join_rates.add(NETWORK, *hour);
            self.book.scopes_of(*relay).iter().for_each(|scope| join_rates.add(*scope, *hour));
        }
    }

    pub(crate) fn follow_surges(&mut self, step: &mut Step) {
        self.settle_surges(step);
        self.swell(step);
        let mut pool: Vec<RelayIdx> = self.state.recent.iter().flat_map(|changes| &changes.joined).copied().collect();
        pool.retain(|relay| self.state.tracks[*relay as usize].newcomer_until < self.state.hour);
        while let Some(cluster) = self.joined_together(&pool) {
            pool.retain(|relay| !cluster.lost.contains(relay));
            let started = self.state.recent.iter().find(|changes| changes.joined.iter().any(|relay| cluster.lost.contains(relay)));
            let started = started.map_or(self.state.hour, |changes| changes.before);
            self.mark(&cluster.lost);
            let case = self.case(Kind::Surge, None, 0, &cluster, started);
            self.open(case, step);
        }
    }

    fn mark(&mut self, relays: &[RelayIdx]) {
        let until = self.state.hour + NEWCOMER_HOURS;
        relays.iter().for_each(|relay| self.state.tracks[*relay as usize].newcomer_until = until);
    }

    /// Adds what joined the scope of a surge that goes on.
    fn swell(&mut self, step: &mut Step) {
        let hour = self.state.hour;
        for place in 0..self.state.cases.len() {
            let case = &self.state.cases[place];
            if case.kind != Kind::Surge || !case.status.is_open() || hour - case.last_wave > WAVE_HOURS {
                continue;
            }
            let Some(scope) = self.book.find_scope(&case.scope) else { continue };
            let joined = &self.state.recent.last().expect("the list just taken in").joined;
            let is_free = |relay: &&RelayIdx| self.state.tracks[**relay as usize].newcomer_until < hour;
            let wave: Vec<RelayIdx> = joined.iter().filter(|relay| self.book.belongs(**relay, scope)).filter(is_free).copied().collect();
            if wave.len() >= 3 && wave.len() as f64 > 3.0 * self.expected_joins(scope, 1) {
                self.mark(&wave);
                let mut case = self.state.cases[place].clone();
                case.relays.extend(&wave);
                case.relays.sort_unstable();
                case.last_wave = hour;
                case.timeline.push((hour, Event::Grew(wave.len() as u32)));
                self.weigh(&mut case);
                self.state.cases[place] = case;
                step.changed.push(place);
            }
        }
    }

    /// Resolves surges whose relays are gone again or have stayed.
    fn settle_surges(&mut self, step: &mut Step) {
        let State { cases, tracks, hour, .. } = &mut self.state;
        for (place, case) in cases.iter_mut().enumerate().filter(|(_, case)| case.kind == Kind::Surge && case.status.is_open()) {
            let n_gone = case.relays.iter().filter(|relay| !tracks[**relay as usize].running).count();
            let share = n_gone as f64 / case.relays.len() as f64;
            if *hour > case.last_wave && case.progress(*hour, share) {
                step.changed.push(place);
            }
            if case.status.is_open() && *hour - case.last_wave >= PERMANENT_HOURS {
                case.status = Status::Permanent;
                case.timeline.push((*hour, Event::Permanent));
                step.changed.push(place);
            }
        }
    }

    /// First appearances expected in a scope within the last lists.
    fn expected_joins(&self, scope: ScopeIdx, window: usize) -> f64 {
        let state = &self.state;
        let known_for = f64::from((state.hour - state.first_hour).max(1));
        let hours = (1.0 - (-known_for / HALF_LIFE).exp2()) * HALF_LIFE / std::f64::consts::LN_2;
        let elapsed = f64::from(state.hour - state.recent[state.recent.len().saturating_sub(window)].before);
        let prior = PRIOR[usize::from(scope != NETWORK)];
        (state.join_rates.count(scope, state.hour) + prior * 100.0) / (hours + 100.0) * elapsed
    }

    fn joined_together(&mut self, pool: &[RelayIdx]) -> Option<Cluster> {
        let mut counts: std::collections::BTreeMap<ScopeIdx, u32> = std::collections::BTreeMap::from([(NETWORK, pool.len() as u32)]);
        pool.iter().flat_map(|relay| self.book.scopes_of(*relay)).for_each(|scope| *counts.entry(*scope).or_default() += 1);
        let fewest = self.settings.min_joined.into_iter().min().unwrap_or_default();
        let looks: Vec<Look> = counts.into_iter().filter(|(_, n)| *n >= fewest).map(|(scope, n)| self.look_at_joins(scope, n)).collect();
        let is_enough = |look: &&Look| look.n_lost >= self.settings.min_joined[usize::from(look.scope != NETWORK)];
        let is_unusual = |look: &&Look| look.ln_p <= self.settings.ln_alpha_surge && is_enough(look);
        let order = |a: &&Look, b: &&Look| a.gain.total_cmp(&b.gain).then_with(|| self.book.scope(b.scope).cmp(self.book.scope(a.scope)));
        let best = looks.iter().filter(is_unusual).max_by(order)?.clone();
        let lost: Vec<RelayIdx> = pool.iter().filter(|relay| self.book.belongs(**relay, best.scope)).copied().collect();
        let shares_most = |look: &&Look| 2 * lost.iter().filter(|relay| self.book.belongs(**relay, look.scope)).count() >= lost.len();
        let mut rivals: Vec<&Look> = looks.iter().filter(|look| look.scope != best.scope).filter(shares_most).collect();
        rivals.sort_by(|a, b| order(b, a));
        let rivals = rivals.into_iter().take(5).cloned().collect();
        Some(Cluster { look: best, lost, rivals })
    }

    fn look_at_joins(&self, scope: ScopeIdx, n: u32) -> Look {
        let expected = self.expected_joins(scope, WINDOW);
        let ln_p = ln_count_tail(u64::from(n), expected, DISPERSION).unwrap_or(0.0);
        let (count, mean) = (f64::from(n), expected.max(1e-6));
        let kind = self.book.scope(scope).kind;
        // Nicknames and versions are chosen by whoever sets relays up, so they name a flood only where nothing else does.
        let prior = if kind == ScopeKind::Nickname { -20.0 } else { 4.0 * kind.ln_prior() };
        let gain = if is_network(self.book.scope(scope)) { 0.0 } else { prior } + count * (count / mean).ln() - (count - mean);
        Look { scope, n_lost: n, n_at_risk: n, expected, ln_p, gain }
    }
}
