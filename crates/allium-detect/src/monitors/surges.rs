//! Relays that nobody had seen before and that join together: floods.
//!
//! For every scope the rate of first appearances is counted with weights that halve every 14 days. What appeared within the last
//! lists is compared with it (a negative binomial tail; operators set up relays in batches, so the dispersion is 4). The scope
//! named is the one with the largest Poisson log-likelihood ratio `n ln(n / μ) − (n − μ)`. Relays of a surge do not count as lost
//! for 30 days: a flood that leaves again resolves the surge and is no outage.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use allium_stats::ln_count_tail;
use serde::{Deserialize, Serialize};

use crate::book::{Book, NETWORK, RelayIdx, ScopeIdx};
use crate::case::{Case, PERMANENT_HOURS};
use crate::cases::Start;
use crate::context::Context;
use crate::incident::{Event, Kind, Status};
use crate::network::{Network, RECENT_LISTS};
use crate::scan::{Cluster, Look};
use crate::scope::ScopeKind;

/// Half-life of the rates, in hours.
const HALF_LIFE: f64 = 14.0 * 24.0;
/// First appearances per hour that any scope is granted, and the network.
const PRIOR: [f64; 2] = [3.0, 0.02];
const DISPERSION: f64 = 4.0;
/// Hours after its last wave in which a surge takes in what joins its scope.
const WAVE_HOURS: i32 = 24;
/// Hours for which relays of a surge do not count as lost.
const NEWCOMER_HOURS: i32 = 30 * 24;
/// Other scopes that a surge may be explained by.
const MOST_RIVALS: usize = 5;

/// Watches for surges.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Surges {
    /// Per scope the count of first appearances and the hour of the last one.
    counts: Vec<(f32, i32)>,
}

impl Surges {
    /// Moves open surges along, and opens one for each cluster of relays that joined.
    pub(crate) fn step(&mut self, context: &mut Context<'_>) {
        settle(context);
        self.swell(context);
        let mut pool: Vec<RelayIdx> = context.network.recent(RECENT_LISTS).iter().flat_map(|changes| &changes.joined).copied().collect();
        pool.retain(|relay| is_free(*relay, context.network));
        while let Some(cluster) = self.joined_together(&pool, context) {
            pool.retain(|relay| !cluster.lost.contains(relay));
            mark(&cluster.lost, context.network);
            let started = first_joined(&cluster, context.network);
            context.open(Start { kind: Kind::Surge, detail: None, flag: 0, cluster: &cluster, started });
        }
    }

    /// Learns the rates from the last list.
    pub(crate) fn learn(&mut self, context: &Context<'_>) {
        let Context { network, book, .. } = context;
        if network.n_lists() < 2 {
            return;
        }
        for relay in network.latest().joined.iter().filter(|relay| is_free(**relay, network)) {
            self.count(NETWORK, network.hour());
            book.scopes_of(*relay).iter().for_each(|scope| self.count(*scope, network.hour()));
        }
    }

    fn count(&mut self, scope: ScopeIdx, hour: i32) {
        let count = self.counted(scope, hour) + 1.0;
        if self.counts.len() <= scope as usize {
            self.counts.resize(scope as usize + 1, (0.0, hour));
        }
        self.counts[scope as usize] = (count as f32, hour);
    }

    fn counted(&self, scope: ScopeIdx, hour: i32) -> f64 {
        self.counts.get(scope as usize).map_or(0.0, |(count, at)| f64::from(*count) * (-f64::from(hour - at) / HALF_LIFE).exp2())
    }

    /// First appearances expected in a scope within the last lists.
    fn expected(&self, scope: ScopeIdx, window: usize, network: &Network) -> f64 {
        let known_for = f64::from(network.known_for().max(1));
        let hours = (1.0 - (-known_for / HALF_LIFE).exp2()) * HALF_LIFE / std::f64::consts::LN_2;
        let prior = PRIOR[usize::from(scope != NETWORK)];
        (self.counted(scope, network.hour()) + prior * 100.0) / (hours + 100.0) * network.elapsed(window)
    }

    /// Adds the relays that joined the scope of a surge that goes on.
    fn swell(&self, context: &mut Context<'_>) {
        for index in 0..context.cases.len() {
            let Some(wave) = self.wave(context.cases.case(index), context) else { continue };
            mark(&wave, context.network);
            context.cases.add(index, &wave, context.book, context.network);
        }
    }

    /// Relays of the last list that belong to an open surge, where they are more than chance.
    fn wave(&self, case: &Case, context: &Context<'_>) -> Option<Vec<RelayIdx>> {
        let Context { network, book, .. } = context;
        if case.kind != Kind::Surge || !case.status.is_open() || network.hour() - case.last_wave > WAVE_HOURS {
            return None;
        }
        let scope = book.find_scope(&case.scope)?;
        let joined = &network.latest().joined;
        let is_in_wave = |relay: &&RelayIdx| book.belongs(**relay, scope) && is_free(**relay, network);
        let wave: Vec<RelayIdx> = joined.iter().filter(is_in_wave).copied().collect();
        (wave.len() >= 3 && wave.len() as f64 > 3.0 * self.expected(scope, 1, network)).then_some(wave)
    }

    /// The cluster in a pool of newcomers that is explained best, if any is unusual.
    fn joined_together(&self, pool: &[RelayIdx], context: &Context<'_>) -> Option<Cluster> {
        let Context { book, settings, .. } = context;
        let looks = self.looks(pool, context);
        let is_enough = |look: &&Look| look.n_lost >= settings.min_joined[usize::from(look.scope != NETWORK)];
        let is_unusual = |look: &&Look| look.ln_p <= settings.ln_alpha_surge && is_enough(look);
        let best = looks.iter().filter(is_unusual).max_by(|a, b| by_gain(a, b, book))?.clone();
        let lost: Vec<RelayIdx> = pool.iter().filter(|relay| book.belongs(**relay, best.scope)).copied().collect();
        let rivals = rivals(&looks, &best, &lost, book);
        Some(Cluster { look: best, lost, rivals })
    }

    fn looks(&self, pool: &[RelayIdx], context: &Context<'_>) -> Vec<Look> {
        let Context { book, settings, network, .. } = context;
        let mut counts: BTreeMap<ScopeIdx, u32> = BTreeMap::from([(NETWORK, pool.len() as u32)]);
        pool.iter().flat_map(|relay| book.scopes_of(*relay)).for_each(|scope| *counts.entry(*scope).or_default() += 1);
        let fewest = settings.min_joined.into_iter().min().unwrap_or_default();
        counts.into_iter().filter(|(_, n)| *n >= fewest).map(|(scope, n)| self.look(scope, n, book, network)).collect()
    }

    fn look(&self, scope: ScopeIdx, n: u32, book: &Book, network: &Network) -> Look {
        let expected = self.expected(scope, RECENT_LISTS, network);
        let ln_p = ln_count_tail(u64::from(n), expected, DISPERSION).unwrap_or(0.0);
        let (count, mean) = (f64::from(n), expected.max(1e-6));
        // Nicknames and versions are chosen by whoever sets relays up, so they name a flood only where nothing else does.
        let prior = match book.scope(scope).kind {
            ScopeKind::Network => 0.0,
            ScopeKind::Nickname => -20.0,
            kind => 4.0 * kind.ln_prior(),
        };
        let gain = prior + count * (count / mean).ln() - (count - mean);
        Look { scope, n_lost: n, n_at_risk: n, expected, ln_p, gain }
    }
}

/// Resolves surges whose relays are gone again or have stayed.
fn settle(context: &mut Context<'_>) {
    let (network, hour) = (&*context.network, context.network.hour());
    context.cases.follow(|_, case| {
        if case.kind != Kind::Surge || !case.status.is_open() {
            return false;
        }
        let n_gone = case.relays.iter().filter(|relay| !network.track(**relay).running).count();
        let share = n_gone as f64 / case.relays.len() as f64;
        let is_moved = hour > case.last_wave && case.progress(hour, share);
        let has_stayed = case.status.is_open() && hour - case.last_wave >= PERMANENT_HOURS;
        if has_stayed {
            case.status = Status::Permanent;
            case.timeline.push((hour, Event::Permanent));
        }
        is_moved || has_stayed
    });
}

fn by_gain(a: &Look, b: &Look, book: &Book) -> Ordering {
    a.gain.total_cmp(&b.gain).then_with(|| book.scope(b.scope).cmp(book.scope(a.scope)))
}

/// Other scopes that hold at least half of the relays, best first.
fn rivals(looks: &[Look], best: &Look, lost: &[RelayIdx], book: &Book) -> Vec<Look> {
    let shares_most = |look: &&Look| 2 * lost.iter().filter(|relay| book.belongs(**relay, look.scope)).count() >= lost.len();
    let mut rivals: Vec<&Look> = looks.iter().filter(|look| look.scope != best.scope).filter(shares_most).collect();
    rivals.sort_by(|a, b| by_gain(b, a, book));
    rivals.into_iter().take(MOST_RIVALS).cloned().collect()
}

/// Hour of the list before the first one that a relay of the cluster joined in.
fn first_joined(cluster: &Cluster, network: &Network) -> i32 {
    let recent = network.recent(RECENT_LISTS);
    let first = recent.iter().find(|changes| changes.joined.iter().any(|relay| cluster.lost.contains(relay)));
    first.map_or(network.hour(), |changes| changes.before)
}

/// Keeps relays of a surge from counting as lost.
fn mark(relays: &[RelayIdx], network: &mut Network) {
    let until = network.hour() + NEWCOMER_HOURS;
    relays.iter().for_each(|relay| network.track_mut(*relay).newcomer_until = until);
}

/// True if a relay belongs to no surge.
fn is_free(relay: RelayIdx, network: &Network) -> bool {
    !network.track(relay).is_newcomer(network.hour())
}
