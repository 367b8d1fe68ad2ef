//! Fewer exits or guards than in the recent past.
//!
//! The number of running relays with the flag is compared with its median over the last 28 days of lists. Below 85 % of it for six
//! lists in a row the capacity is short; from 92 % on it is not. Relays that an open outage explains count as if they ran: one
//! incident tells of one event. Absolute floors can be set beside.

use allium_model::{RelayFlag, RelayFlags};
use serde::{Deserialize, Serialize};

use crate::detector::{Detector, State, Step};
use crate::incident::{Event, Kind, Status};
use crate::monitors::losses::whole_network;
use crate::track::Track;

const REMEMBERED: usize = 28 * 24;
const FEWEST: usize = 7 * 24;
const SHORT: f64 = 0.85;
const ENOUGH: f64 = 0.92;
const LISTS: u32 = 6;
const ROLES: [(RelayFlag, &str); 2] = [(RelayFlag::Exit, "exits"), (RelayFlag::Guard, "guards")];

/// How many relays with a role run, and how many are usual.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capacity {
    /// The role: `exits` or `guards`.
    pub role: &'static str,
    /// Running relays with it in the last list that tells.
    pub n_running: u32,
    /// The median over the 28 days of lists before; `None` while that is shorter than 7 days.
    pub usual: Option<u32>,
    /// Fewer than so many, in six lists in a row, are a shortage.
    pub short_below: Option<u32>,
}

/// Running relays per role and list.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Totals([Role; 2]);

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Role {
    counts: std::collections::VecDeque<u32>,
    n_short: u32,
    /// The open case, plus 1.
    case: usize,
}

impl Detector {
    /// Exits and guards against what is usual; a role that no list has told is left out.
    pub fn capacity(&self) -> Vec<Capacity> {
        let roles = ROLES.iter().zip(&self.state.totals.0).zip(self.settings.fewest);
        roles.filter_map(|(((_, name), role), floor)| role.capacity(name, floor)).collect()
    }

    pub(crate) fn follow_capacity(&mut self, step: &mut Step) {
        let told = RelayFlags::from_bits(self.state.told);
        for (i, (flag, name)) in ROLES.into_iter().enumerate().filter(|(_, (flag, _))| told.contains(*flag)) {
            let tracks = &self.state.tracks;
            let n = self.state.running.iter().filter(|relay| tracks[**relay as usize].flags & (1 << flag as u32) != 0).count() as u32;
            self.follow_role(i, n, self.n_missed(1 << flag as u32), name, step);
        }
    }

    /// Relays with a flag that are missing because of losses that go on: what they leave short is told with those.
    fn n_missed(&self, flag: u32) -> u32 {
        let State { cases, tracks, .. } = &self.state;
        let is_missed = |track: &&Track| !track.running && track.flags & flag != 0;
        let explained = tracks.iter().filter(is_missed).filter_map(|track| cases.get((track.case as usize).checked_sub(1)?));
        explained.filter(|case| case.is_loss() && case.status.is_open()).count() as u32
    }

    fn follow_role(&mut self, i: usize, n: u32, n_missed: u32, name: &str, step: &mut Step) {
        let floor = self.settings.fewest[i];
        let role = &mut self.state.totals.0[i];
        let usual = role.usual();
        role.counts.push_back(n);
        if role.counts.len() > REMEMBERED {
            role.counts.pop_front();
        }
        let Some(usual) = usual else { return };
        let is_short = f64::from(n + n_missed) < SHORT * f64::from(usual) || n + n_missed < floor;
        role.n_short = if is_short { role.n_short + 1 } else { 0 };
        let (n_short, open) = (role.n_short, role.case.checked_sub(1));
        match open {
            None if n_short >= LISTS => {
                let mut cluster = whole_network(Vec::new(), f64::from(usual), 0.0);
                (cluster.look.n_lost, cluster.look.n_at_risk) = (usual.saturating_sub(n), usual);
                let case = self.case(Kind::Capacity, Some(name.to_owned()), 0, &cluster, self.state.hour - LISTS as i32);
                self.state.totals.0[i].case = self.open(case, step) + 1;
            }
            Some(place) if f64::from(n) >= ENOUGH * f64::from(usual) && n >= floor => {
                let hour = self.state.hour;
                let case = &mut self.state.cases[place];
                (case.status, case.resolved) = (Status::Resolved, Some(hour));
                case.timeline.push((hour, Event::Resolved));
                step.changed.push(place);
                self.state.totals.0[i].case = 0;
            }
            _ => {}
        }
    }
}

impl Role {
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
