//! Fewer exits or guards than in the recent past.
//!
//! The number of running relays with the flag is compared with its median over the last 28 days of lists. Below 85 % of it for six
//! lists in a row the capacity is short; from 92 % on it is not. Relays that an open outage explains count as if they ran: one
//! event makes one incident. Absolute floors can be set beside.

use std::collections::VecDeque;

use allium_model::RelayFlag;
use serde::{Deserialize, Serialize};

use crate::cases::Start;
use crate::context::Context;
use crate::incident::{Kind, Status};
use crate::scan::Cluster;
use crate::settings::Settings;
use crate::track::Track;

const REMEMBERED: usize = 28 * 24;
const FEWEST: usize = 7 * 24;
const SHORT: f64 = 0.85;
const ENOUGH: f64 = 0.92;
const LISTS: u32 = 6;
const ROLES: [(RelayFlag, &str); 2] = [(RelayFlag::Exit, "exits"), (RelayFlag::Guard, "guards")];

/// The running relays with a role, against what is usual.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capacity {
    /// The role: `exits` or `guards`.
    pub role: &'static str,
    /// Running relays with it in the last list that reports the flag.
    pub n_running: u32,
    /// The median over the 28 days of lists before; `None` while that is shorter than 7 days.
    pub usual: Option<u32>,
    /// Fewer than so many, in six lists in a row, are a shortage.
    pub short_below: Option<u32>,
}

/// Watches the capacity of each role.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Capacities([Role; 2]);

/// Running relays of a role per list.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Role {
    counts: VecDeque<u32>,
    /// Last lists in a row that were short.
    n_short: u32,
    /// The index of the open case.
    case: Option<usize>,
}

/// The relays of a role in a list.
struct Count {
    n_running: u32,
    /// Relays that are missing because of losses that go on: what they leave short is reported with those.
    n_missed: u32,
    /// The least that is enough.
    floor: u32,
}

impl Count {
    fn is_short(&self, usual: u32) -> bool {
        let n = self.n_running + self.n_missed;
        f64::from(n) < SHORT * f64::from(usual) || n < self.floor
    }

    fn is_enough(&self, usual: u32) -> bool {
        f64::from(self.n_running) >= ENOUGH * f64::from(usual) && self.n_running >= self.floor
    }
}

impl Capacities {
    /// Exits and guards against what is usual; a role that no list has reported is left out.
    pub(super) fn reports(&self, settings: &Settings) -> Vec<Capacity> {
        let roles = ROLES.iter().zip(&self.0).zip(settings.fewest);
        roles.filter_map(|(((_, name), role), floor)| role.capacity(name, floor)).collect()
    }

    /// Counts the relays of each role, and opens or resolves its case.
    pub(super) fn step(&mut self, context: &mut Context<'_>) {
        let reported = context.network.reported();
        let roles = self.0.iter_mut().zip(ROLES).zip(context.settings.fewest);
        for ((role, (flag, name)), floor) in roles.filter(|((_, (flag, _)), _)| reported.contains(*flag)) {
            role.step(name, &count(1 << flag as u32, floor, context), context);
        }
    }
}

fn count(flag: u32, floor: u32, context: &Context<'_>) -> Count {
    let network = &*context.network;
    let has = |track: &&Track| track.flags & flag != 0;
    let is_lost = |track: &&Track| context.cases.open_index(track.case).is_some_and(|index| context.cases.case(index).is_loss());
    let n_running = network.running().iter().map(|relay| network.track(*relay)).filter(has).count() as u32;
    let n_missed = network.tracks().iter().filter(|track| !track.running).filter(has).filter(is_lost).count() as u32;
    Count { n_running, n_missed, floor }
}

impl Role {
    fn step(&mut self, name: &str, count: &Count, context: &mut Context<'_>) {
        let usual = self.usual();
        self.counts.push_back(count.n_running);
        if self.counts.len() > REMEMBERED {
            self.counts.pop_front();
        }
        let Some(usual) = usual else { return };
        self.n_short = if count.is_short(usual) { self.n_short + 1 } else { 0 };
        match self.case {
            None if self.n_short >= LISTS => self.case = Some(open(name, count, usual, context)),
            Some(index) if count.is_enough(usual) => {
                let hour = context.network.hour();
                context.cases.change(index, |case| case.end(Status::Resolved, hour));
                self.case = None;
            }
            _ => {}
        }
    }

    fn capacity(&self, role: &'static str, floor: u32) -> Option<Capacity> {
        let n_running = *self.counts.back()?;
        let before = Self { counts: self.counts.range(..self.counts.len() - 1).copied().collect(), ..Self::default() };
        let usual = before.usual();
        let short_below = usual.map(|usual| ((SHORT * f64::from(usual)).ceil() as u32).max(floor));
        Some(Capacity { role, n_running, usual, short_below })
    }

    /// The median over the recent past; `None` while that is short.
    fn usual(&self) -> Option<u32> {
        let mut counts: Vec<u32> = self.counts.iter().copied().collect();
        let middle = counts.len() / 2;
        (counts.len() >= FEWEST).then(|| *counts.select_nth_unstable(middle).1)
    }
}

fn open(name: &str, count: &Count, usual: u32, context: &mut Context<'_>) -> usize {
    let mut cluster = Cluster::anywhere(Vec::new(), f64::from(usual), 0.0);
    (cluster.look.n_lost, cluster.look.n_at_risk) = (usual.saturating_sub(count.n_running), usual);
    let started = context.network.hour() - LISTS as i32;
    context.open(Start { kind: Kind::Capacity, detail: Some(name.to_owned()), flag: 0, cluster: &cluster, started })
}
