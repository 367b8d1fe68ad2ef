//! One list after the other: what changed, what was learned, what is wrong.

use allium_model::{ConsensusHour, Fingerprint, RelayFlag, RelayFlags};
use serde::{Deserialize, Serialize};

use crate::book::{Book, RelayIdx, RelayInfo};
use crate::case::Case;
use crate::incident::{Incident, Kind, Status};
use crate::monitors::quality::Doubt;
use crate::settings::Settings;
use crate::monitors::surges::JoinRates;
use crate::track::{Ages, N_AGES, Track};

/// A list of running relays, as a consensus has it.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    /// Its hour.
    pub hour: ConsensusHour,
    /// The relays in it with their flags; those without Running count as down.
    pub listed: &'a [(RelayIdx, RelayFlags)],
    /// The flags that it tells; what it says of others means nothing.
    pub told: RelayFlags,
    /// Relays of which something else is known with it than before; see [`Detector::describe`].
    pub described: &'a [RelayInfo],
}

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Step {
    /// Incidents that were opened, grew, changed their kind or scope, recovered or resolved, by their place among all incidents.
    pub changed: Vec<usize>,
    /// Whether the list was believed; an old or incomplete one is passed over.
    pub believed: bool,
}

/// Detects incidents. The same lists in the same order give the same incidents, whether in one go or with its state saved between.
#[derive(Debug, Clone)]
pub struct Detector {
    pub(crate) settings: Settings,
    pub(crate) book: Book,
    pub(crate) state: State,
    /// A zero for every scope.
    pub(crate) scratch: Vec<u32>,
    /// Per relay its hazard if it could be lost, else a negative number; made anew in every step.
    pub(crate) hazards: Vec<f32>,
}

/// Everything that it remembers of the lists seen.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// Lists believed so far.
    pub(crate) n_lists: u32,
    /// Number of the step, for marking relays.
    pub(crate) step: u32,
    pub(crate) first_hour: i32,
    /// Hour of the last list believed.
    pub(crate) hour: i32,
    pub(crate) tracks: Vec<Track>,
    pub(crate) running: Vec<RelayIdx>,
    /// Flags that the last list told.
    pub(crate) told: u32,
    /// The last lists, newest last.
    pub(crate) recent: Vec<Changes>,
    pub(crate) ages: Ages,
    pub(crate) network: NetworkPulse,
    pub(crate) scatter: crate::scatter::Past,
    pub(crate) cases: Vec<Case>,
    pub(crate) join_rates: JoinRates,
    pub(crate) flag_counts: std::collections::BTreeMap<u32, crate::monitors::flag_losses::Counts>,
    pub(crate) doubt: Doubt,
    pub(crate) totals: crate::monitors::capacity::Totals,
}

/// What one list changed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Changes {
    /// Hour of the list before.
    pub(crate) before: i32,
    pub(crate) hour: i32,
    /// Mature relays that left, with their hazard per hour then.
    pub(crate) lost: Vec<(RelayIdx, f32)>,
    /// Relays never seen before.
    pub(crate) joined: Vec<RelayIdx>,
    /// Flag bit, and relays that lost it while running.
    pub(crate) flags_lost: Vec<(u32, Vec<RelayIdx>)>,
}

/// How the count of losses in the whole network varies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct NetworkPulse {
    /// Expected departures per hour.
    pub(crate) expected_per_hour: f64,
    /// Departures in the last lists: seen, and expected by the relays' own hazards.
    pub(crate) beats: std::collections::VecDeque<(f64, f64)>,
    /// What the relays' own hazards are multiplied with, so that their sum meets what is seen: a median.
    pub(crate) calibration: f64,
    /// Variance of the count over its mean, by the median of squared deviations.
    pub(crate) dispersion: f64,
}

impl Default for NetworkPulse {
    fn default() -> Self {
        Self { expected_per_hour: 0.0, beats: std::collections::VecDeque::new(), calibration: 1.0, dispersion: 2.0 }
    }
}

impl Detector {
    /// A detector that has seen nothing. The number of a relay is its place in `relays`.
    pub fn new(settings: Settings, relays: Vec<RelayInfo>) -> Self {
        let book = Book::new(relays);
        let state = State { tracks: vec![Track::default(); book.n_relays()], ..State::default() };
        Self { settings, book, state, scratch: Vec::new(), hazards: Vec::new() }
    }

    /// The number of a relay.
    pub fn find(&self, fingerprint: &Fingerprint) -> Option<RelayIdx> {
        self.book.find(fingerprint)
    }

    /// What is known of a relay.
    pub fn relay(&self, relay: RelayIdx) -> &RelayInfo {
        self.book.info(relay)
    }

    /// Adds a relay, or replaces what is known of it, and gives its number.
    pub fn describe(&mut self, info: RelayInfo) -> RelayIdx {
        let relay = self.book.add(info);
        self.state.tracks.resize(self.book.n_relays(), Track::default());
        relay
    }

    /// The hour of the last list that was believed.
    pub fn hour(&self) -> Option<ConsensusHour> {
        (self.state.n_lists > 0).then(|| ConsensusHour::new(self.state.hour))
    }

    /// How many lists were believed so far; until there are more than [`Settings::warm_up_lists`] nothing is reported.
    pub fn n_lists(&self) -> u32 {
        self.state.n_lists
    }

    /// The number of incidents so far, those merged into others included.
    pub fn n_incidents(&self) -> usize {
        self.state.cases.len()
    }

    /// An incident by its place; `None` where it was merged into another one.
    pub fn incident(&self, place: usize) -> Option<Incident> {
        self.state.cases.get(place).filter(|case| case.status != Status::Merged).map(|case| case.incident(&self.book))
    }

    /// All incidents in the order of their detection.
    pub fn incidents(&self) -> impl Iterator<Item = Incident> {
        (0..self.n_incidents()).filter_map(|place| self.incident(place))
    }

    /// Takes in a list. One that is not later than the last is passed over, as are hours without a list: they are simply never given.
    pub fn step(&mut self, list: &Observation<'_>) -> Step {
        let mut step = Step::default();
        let hour = list.hour.get();
        for info in list.described {
            self.describe(info.clone());
        }
        if self.state.n_lists > 0 && hour <= self.state.hour || !self.believe(list, &mut step) {
            return step;
        }
        step.believed = true;
        let elapsed = if self.state.n_lists == 0 { 1 } else { hour - self.state.hour };
        let changes = self.take_in(list, elapsed);
        self.state.recent.push(changes);
        if self.state.recent.len() > crate::monitors::surges::WINDOW {
            self.state.recent.remove(0);
        }
        if self.state.n_lists > self.settings.warm_up_lists {
            self.follow_surges(&mut step);
            self.follow_losses(&mut step);
            self.follow_declines(&mut step);
            self.follow_flags(&mut step);
            self.follow_capacity(&mut step);
        }
        self.learn_joins();
        step.changed.sort_unstable();
        step.changed.dedup();
        step
    }

    /// Compares the list with the one before and makes it the last one.
    fn take_in(&mut self, list: &Observation<'_>, elapsed: i32) -> Changes {
        let hour = list.hour.get();
        let state = &mut self.state;
        let is_first = state.n_lists == 0;
        if is_first {
            state.first_hour = hour;
        }
        let before = if is_first { hour } else { state.hour };
        let mut changes = Changes { before, hour, ..Changes::default() };
        state.step += 1;
        let step = state.step;
        let (mut running, mut flag_losses) = (Vec::with_capacity(list.listed.len()), [0; N_AGES]);
        let comparable = RelayFlags::from_bits(state.told & list.told.bits());
        let mut flags_lost: Vec<(u32, Vec<RelayIdx>)> =
            WATCHED.iter().filter(|flag| comparable.contains(**flag)).map(|flag| (1 << *flag as u32, Vec::new())).collect();
        for (relay, flags) in list.listed.iter().filter(|(_, flags)| flags.contains(RelayFlag::Running)) {
            let track = &mut state.tracks[*relay as usize];
            if track.step == step {
                continue;
            }
            track.step = step;
            running.push(*relay);
            if !track.is_known() {
                track.appear(hour, if is_first { hour - FOREVER } else { hour });
                track.refresh(hour, &state.ages);
                if !is_first {
                    changes.joined.push(*relay);
                }
            } else if !track.running {
                track.refresh(hour, &state.ages);
                // Whoever is back can be lost again, whatever becomes of the others.
                track.case = 0;
            } else {
                let lost = track.flags & comparable.bits() & !flags.bits();
                let age = Ages::class(hour - track.first_seen);
                for (_, relays) in flags_lost.iter_mut().filter(|(bit, _)| lost & bit != 0) {
                    relays.push(*relay);
                    flag_losses[age] += 1;
                    track.count_flag_loss();
                }
            }
            track.running = true;
            track.last_seen = hour;
            track.flags = flags.bits();
        }
        let (mut at_risk, mut leaves) = ([0; N_AGES], [0; N_AGES]);
        for relay in std::mem::take(&mut state.running) {
            let track = &mut state.tracks[relay as usize];
            let age = Ages::class(before - track.first_seen);
            at_risk[age] += 1;
            if track.step == step {
                if (relay + step).is_multiple_of(REFRESH_EVERY) {
                    track.refresh(hour, &state.ages);
                }
                continue;
            }
            if track.is_mature(hour, self.settings.mature_hours) {
                changes.lost.push((relay, track.hazard));
            }
            track.advance(hour);
            track.running = false;
            track.count_leave();
            leaves[age] += 1;
        }
        state.ages.learn(f64::from(elapsed), &at_risk, &leaves, &flag_losses);
        changes.flags_lost = flags_lost;
        state.running = running;
        state.told = list.told.bits();
        state.hour = hour;
        state.n_lists += 1;
        changes
    }

    /// Opens a case and gives its place.
    pub(crate) fn open(&mut self, case: Case, step: &mut Step) -> usize {
        let place = self.state.cases.len();
        self.state.cases.push(case);
        step.changed.push(place);
        place
    }

    /// Earlier cases of the same kind and scope, or with at least half of the same relays; newest first, at most five.
    pub(crate) fn similar(&self, kind: Kind, scope: &crate::scope::Scope, relays: &[RelayIdx]) -> Vec<u64> {
        let is_similar = |case: &&Case| {
            let is_kin = case.kind == kind || case.is_loss() && matches!(kind, Kind::Outage | Kind::Flap);
            is_kin && case.status != Status::Merged && (case.scope == *scope || shares_half(&case.relays, relays))
        };
        self.state.cases.iter().rev().filter(is_similar).take(5).map(|case| case.id).collect()
    }
}

/// Whether at least half of the larger of two sorted sets lies in the other.
fn shares_half(a: &[RelayIdx], b: &[RelayIdx]) -> bool {
    let larger = a.len().max(b.len());
    2 * a.len().min(b.len()) >= larger && 2 * a.iter().filter(|relay| b.binary_search(relay).is_ok()).count() >= larger
}

/// Relays of the very first list are as old as anything.
const FOREVER: i32 = 100_000;
/// The hazard of a running relay is worked out again after so many lists.
const REFRESH_EVERY: u32 = 24;
/// The flags whose loss is watched.
const WATCHED: [RelayFlag; 5] = [RelayFlag::Exit, RelayFlag::Fast, RelayFlag::Guard, RelayFlag::HSDir, RelayFlag::Stable];
