//! Relays that lose a flag together while they keep running.
//!
//! As with relays that leave: every relay has a probability per hour of losing a flag, and the same search finds the scope that
//! explains best who lost it. Thresholds of the authorities move every few days, and relays anywhere lose a flag by that: the network
//! as a whole is named where more lose it than half as many again as in any list of the last 28 days, and where several scopes lose it
//! in one list. Where more than half of all holders lose a flag at once, the list does not tell that flag.

use std::collections::VecDeque;

use allium_model::{RelayFlag, RelayFlags};
use serde::{Deserialize, Serialize};

use crate::book::RelayIdx;
use crate::case::Case;
use crate::detector::{Detector, State, Step};
use crate::incident::{Event, Kind, Status};
use crate::monitors::losses::whole_network;
use crate::scan::{Cluster, Lost, Standing, Thresholds, clip, clusters};

/// Variance over mean of the count of losses: thresholds of the authorities move for many relays at once.
const DISPERSION: f64 = 1.5;
/// How much the part of a scope varies where a threshold moved.
const UNEVEN: f64 = 1.0;
/// Lists in which the number of relays that lost a flag anywhere is remembered: 28 days.
const REMEMBERED: usize = 28 * 24;
/// Fewest of those lists that tell what is usual.
const FEWEST: usize = 7 * 24;
/// So many times the most of those lists are more than a threshold that moved.
const MORE_THAN_EVER: f64 = 1.5;
/// Hours for which a resolved case is opened again rather than another one.
const DORMANT_HOURS: i32 = 168;

/// How many relays lost a flag in each of the last lists.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Counts(VecDeque<u32>);

impl Counts {
    /// Adds a list, and says whether more lost the flag in it than in any before by far.
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

impl Detector {
    pub(crate) fn follow_flags(&mut self, step: &mut Step) {
        self.recover_flags(step);
        let lost = self.state.recent.last().map(|changes| changes.flags_lost.clone()).unwrap_or_default();
        for (flag, relays) in lost {
            for cluster in one_event(self.flag_clusters(flag, &relays), &relays) {
                if self.reopen_flag_case(flag, &cluster.lost, step) {
                    continue;
                }
                let name = RelayFlags::from_bits(flag).iter().next().map(|flag: RelayFlag| flag.name().to_owned());
                let started = self.state.recent.last().map_or(self.state.hour, |changes| changes.before);
                let case = self.case(Kind::FlagLoss, name, flag, &cluster, started);
                let place = self.open(case, step);
                let State { cases, tracks, .. } = &mut self.state;
                cases[place].relays.iter().for_each(|relay| tracks[*relay as usize].flag_case = place as u32 + 1);
            }
        }
    }

    /// Opens a case again that resolved lately, if at least half of its relays are among those that lost the flag.
    fn reopen_flag_case(&mut self, flag: u32, lost: &[RelayIdx], step: &mut Step) -> bool {
        let State { cases, tracks, hour, .. } = &mut self.state;
        let is_dormant = |case: &Case| case.flag == flag && case.resolved.is_some_and(|resolved| *hour - resolved <= DORMANT_HOURS);
        let is_same =
            |case: &Case| 2 * case.relays.iter().filter(|relay| lost.contains(relay)).count() >= case.relays.len().min(lost.len());
        let Some(place) = cases.iter().rposition(|case| is_dormant(case) && is_same(case)) else { return false };
        let case = &mut cases[place];
        case.relays.extend(lost);
        case.relays.sort_unstable();
        case.relays.dedup();
        (case.status, case.resolved, case.last_wave) = (Status::Active, None, *hour);
        case.timeline.push((*hour, Event::Reopened(lost.len() as u32)));
        case.relays.iter().for_each(|relay| tracks[*relay as usize].flag_case = place as u32 + 1);
        step.changed.push(place);
        true
    }

    fn flag_clusters(&mut self, flag: u32, relays: &[RelayIdx]) -> Vec<Cluster> {
        let is_more_than_ever = self.state.flag_counts.entry(flag).or_default().take_in(relays.len() as u32);
        let Self { state, settings, book, scratch, .. } = self;
        let is_free = |relay: &&RelayIdx| {
            let place = state.tracks[**relay as usize].flag_case.checked_sub(1);
            place.is_none_or(|place| !state.cases[place as usize].status.is_open())
        };
        let elapsed = f64::from(state.hour - state.recent.last().map_or(state.hour - 1, |changes| changes.before)).max(1.0);
        let risk = |relay: RelayIdx| clip(f64::from(state.tracks[relay as usize].flag_hazard) * elapsed);
        let pool: Vec<Lost> = relays.iter().filter(is_free).map(|relay| Lost { relay: *relay, risk: risk(*relay) }).collect();
        if pool.len() < settings.min_flag_lost as usize {
            return Vec::new();
        }
        let mut hazards = vec![-1.0; state.tracks.len()];
        let holders = state.running.iter().filter(|relay| state.tracks[**relay as usize].flags & flag != 0);
        let n_holders = holders.map(|relay| hazards[*relay as usize] = state.tracks[*relay as usize].flag_hazard).count();
        if pool.len() > n_holders {
            return Vec::new();
        }
        let standing = Standing { relays: &state.running, hazards: &hazards, elapsed };
        let thresholds = Thresholds {
            min_lost: settings.min_flag_lost,
            min_narrow_lost: 0,
            ln_alpha: settings.ln_alpha_flag,
            ln_alpha_network: if is_more_than_ever { settings.ln_alpha_flag } else { f64::NEG_INFINITY },
            dispersion: DISPERSION,
            network_dispersion: DISPERSION,
            stable_risk: settings.stable_hazards.map(|hazard| hazard * elapsed),
            uneven: UNEVEN,
            scatter: None,
        };
        clusters(book, pool, &standing, &thresholds, scratch)
    }

    /// Moves open cases along as their relays get the flag back; relays that stopped running count as settled.
    fn recover_flags(&mut self, step: &mut Step) {
        let State { cases, tracks, hour, told, .. } = &mut self.state;
        for (place, case) in cases.iter_mut().enumerate().filter(|(_, case)| case.kind == Kind::FlagLoss && case.status.is_open()) {
            if *told & case.flag == 0 {
                continue;
            }
            let is_settled = |relay: &&RelayIdx| {
                let track = &tracks[**relay as usize];
                !track.running || track.flags & case.flag != 0
            };
            let share = case.relays.iter().filter(is_settled).count() as f64 / case.relays.len() as f64;
            if *hour > case.last_wave && case.progress(*hour, share) {
                step.changed.push(place);
            }
        }
    }
}

/// Several scopes that lost a flag in one list, the largest of them a minor part of all who lost it, are one event in the network.
fn one_event(clusters: Vec<Cluster>, relays: &[RelayIdx]) -> Vec<Cluster> {
    let largest = clusters.iter().map(|cluster| cluster.lost.len()).max().unwrap_or(0);
    if clusters.len() < 2 || 2 * largest >= relays.len() {
        return clusters;
    }
    let ln_p = clusters.iter().map(|cluster| cluster.look.ln_p).fold(0.0, f64::min);
    let expected = clusters.iter().map(|cluster| cluster.look.expected).sum();
    vec![whole_network(relays.to_vec(), expected, ln_p)]
}
