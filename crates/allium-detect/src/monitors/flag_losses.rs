//! Relays that lose a flag together while they keep running.
//!
//! As with relays that leave: every relay has a probability per hour of losing a flag, and the same search finds the scope that
//! explains best who lost it. Thresholds of the authorities move every few days, and relays anywhere lose a flag by that: the network
//! as a whole is named where more lose it than half as many again as in any list of the last 28 days, and where several scopes lose it
//! in one list. Where more than half of all holders lose a flag at once, the list does not report that flag.

use std::collections::{BTreeMap, VecDeque};

use allium_model::{RelayFlag, RelayFlags};
use serde::{Deserialize, Serialize};

use crate::book::RelayIdx;
use crate::case::Case;
use crate::cases::Start;
use crate::context::Context;
use crate::incident::{Event, Kind, Status};
use crate::network::Network;
use crate::risk::{Lost, clip};
use crate::scan::{Cluster, Thresholds};
use crate::settings::Settings;
use crate::track::CaseIdx;

/// Variance over mean of the count of losses: thresholds of the authorities move for many relays at once.
const DISPERSION: f64 = 1.5;
/// Variation of the part of a scope where a threshold moved.
const UNEVEN: f64 = 1.0;
/// Lists in which the number of relays that lost a flag anywhere is remembered: 28 days.
const REMEMBERED: usize = 28 * 24;
/// Fewest of those lists that show what is usual.
const FEWEST: usize = 7 * 24;
/// So many times the most of those lists are more than a threshold that moved.
const MORE_THAN_EVER: f64 = 1.5;
/// Hours for which a resolved case is opened again rather than another one.
const DORMANT_HOURS: i32 = 168;

/// Watches for losses of flags.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct FlagLosses {
    /// By the bit of the flag.
    counts: BTreeMap<u32, Counts>,
}

/// Numbers of relays that lost a flag in each of the last lists.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Counts(VecDeque<u32>);

impl Counts {
    /// Adds a list, and answers whether more lost the flag in it than in any before by far.
    fn take_in(&mut self, n: u32) -> bool {
        let most = self.0.iter().max().copied().unwrap_or_default();
        let is_more = self.0.len() >= FEWEST && f64::from(n) > MORE_THAN_EVER * f64::from(most);
        self.0.push_back(n);
        if self.0.len() > REMEMBERED {
            self.0.pop_front();
        }
        is_more
    }
}

impl FlagLosses {
    /// Moves open cases along, and opens one for each cluster of relays that lost a flag, or opens one again.
    pub(super) fn step(&mut self, context: &mut Context<'_>) {
        recover(context);
        for (flag, relays) in context.network.latest().flags_lost.clone() {
            for cluster in one_event(self.clusters(flag, &relays, context), &relays) {
                let index = reopened(flag, &cluster.lost, context).unwrap_or_else(|| open(flag, &cluster, context));
                claim(index, context);
            }
        }
    }

    fn clusters(&mut self, flag: u32, relays: &[RelayIdx], context: &mut Context<'_>) -> Vec<Cluster> {
        let is_more_than_ever = self.counts.entry(flag).or_default().take_in(relays.len() as u32);
        let elapsed = context.network.elapsed(1);
        let pool = pool(relays, elapsed, context);
        if pool.len() < context.settings.min_flag_lost as usize {
            return Vec::new();
        }
        let (hazards, n_holders) = hazards(flag, context.network);
        if pool.len() > n_holders {
            return Vec::new();
        }
        context.clusters(pool, &hazards, elapsed, &thresholds(context.settings, is_more_than_ever, elapsed))
    }
}

/// Of relays that lost a flag, those that belong to no open case about a flag.
fn pool(relays: &[RelayIdx], elapsed: f64, context: &Context<'_>) -> Vec<Lost> {
    let is_free = |relay: &&RelayIdx| context.cases.open_index(context.network.track(**relay).flag_case).is_none();
    let risk = |relay: RelayIdx| clip(f64::from(context.network.track(relay).flag_hazard) * elapsed);
    relays.iter().filter(is_free).map(|relay| Lost { relay: *relay, risk: risk(*relay) }).collect()
}

/// Per relay the probability per hour that it loses the flag, negative where it has not got it; and the number of those that have it.
fn hazards(flag: u32, network: &Network) -> (Vec<f32>, usize) {
    let mut hazards = vec![-1.0; network.tracks().len()];
    let holders = network.running().iter().filter(|relay| network.track(**relay).flags & flag != 0);
    let n_holders = holders.map(|relay| hazards[*relay as usize] = network.track(*relay).flag_hazard).count();
    (hazards, n_holders)
}

fn thresholds(settings: &Settings, is_more_than_ever: bool, elapsed: f64) -> Thresholds {
    Thresholds {
        min_lost: settings.min_flag_lost,
        min_narrow_lost: 0,
        ln_alpha: settings.ln_alpha_flag,
        ln_alpha_network: if is_more_than_ever { settings.ln_alpha_flag } else { f64::NEG_INFINITY },
        dispersion: DISPERSION,
        network_dispersion: DISPERSION,
        stable_risk: settings.stable_hazards.map(|hazard| hazard * elapsed),
        uneven: UNEVEN,
        scatter: None,
    }
}

/// Moves open cases along as their relays get the flag back; relays that stopped running count as settled.
fn recover(context: &mut Context<'_>) {
    let network = &*context.network;
    context.cases.follow(|_, case| {
        if case.kind != Kind::FlagLoss || !case.status.is_open() || network.reported().bits() & case.flag == 0 {
            return false;
        }
        let is_settled = |relay: &&RelayIdx| {
            let track = network.track(**relay);
            !track.running || track.flags & case.flag != 0
        };
        let share = case.relays.iter().filter(is_settled).count() as f64 / case.relays.len() as f64;
        network.hour() > case.last_wave && case.progress(network.hour(), share)
    });
}

/// Opens a case again that resolved lately, if at least half of its relays are among those that lost the flag.
fn reopened(flag: u32, lost: &[RelayIdx], context: &mut Context<'_>) -> Option<usize> {
    let hour = context.network.hour();
    let is_dormant = |case: &Case| case.flag == flag && case.resolved.is_some_and(|resolved| hour - resolved <= DORMANT_HOURS);
    let is_same = |case: &Case| 2 * case.relays.iter().filter(|relay| lost.contains(relay)).count() >= case.relays.len().min(lost.len());
    let index = context.cases.newest(|case| is_dormant(case) && is_same(case))?;
    context.cases.change(index, |case| {
        case.add(lost);
        (case.status, case.resolved, case.last_wave) = (Status::Active, None, hour);
        case.timeline.push((hour, Event::Reopened(lost.len() as u32)));
    });
    Some(index)
}

fn open(flag: u32, cluster: &Cluster, context: &mut Context<'_>) -> usize {
    let detail = RelayFlags::from_bits(flag).iter().next().map(|flag: RelayFlag| flag.name().to_owned());
    let started = context.network.latest().before;
    context.open(Start { kind: Kind::FlagLoss, detail, flag, cluster, started })
}

/// Notes the case on its relays, so that they are not searched again while it is open.
fn claim(index: usize, context: &mut Context<'_>) {
    let relays = &context.cases.case(index).relays;
    relays.iter().for_each(|relay| context.network.track_mut(*relay).flag_case = Some(index as CaseIdx));
}

/// Several scopes that lost a flag in one list, the largest of them a minor part of all who lost it, are one event in the network.
fn one_event(clusters: Vec<Cluster>, relays: &[RelayIdx]) -> Vec<Cluster> {
    let largest = clusters.iter().map(|cluster| cluster.lost.len()).max().unwrap_or(0);
    if clusters.len() < 2 || 2 * largest >= relays.len() {
        return clusters;
    }
    let ln_p = clusters.iter().map(|cluster| cluster.look.ln_p).fold(0.0, f64::min);
    let expected = clusters.iter().map(|cluster| cluster.look.expected).sum();
    vec![Cluster::anywhere(relays.to_vec(), expected, ln_p)]
}
