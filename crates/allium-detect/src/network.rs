//! The network as its lists have shown it: who runs, how often each relay leaves, and what the last lists changed.

use allium_model::{FirstSeen, RelayFlag, RelayFlags};
use serde::{Deserialize, Serialize};

use crate::book::RelayIdx;
use crate::observation::Observation;
use crate::track::{AgeCounts, Ages, Track};

/// Lists whose changes are kept.
pub(crate) const RECENT_LISTS: usize = 6;
/// Age of the relays of the very first list, in hours: as old as anything.
const FOREVER: i32 = 100_000;
/// Lists after which the hazard of a running relay is computed again.
const REFRESH_EVERY: u32 = 24;
/// The flags whose loss is watched.
const WATCHED: [RelayFlag; 5] = [RelayFlag::Exit, RelayFlag::Fast, RelayFlag::Guard, RelayFlag::HSDir, RelayFlag::Stable];

/// Everything remembered of the lists believed so far.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Network {
    n_lists: u32,
    first_hour: i32,
    hour: i32,
    tracks: Vec<Track>,
    running: Vec<RelayIdx>,
    /// Bits of the flags that the last list reports.
    reported: u32,
    /// Changes of the last lists, newest last.
    recent: Vec<Changes>,
    ages: Ages,
}

/// The changes between a list and the one before it.
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

impl Network {
    /// Makes room for relays up to this number.
    pub(crate) fn resize(&mut self, n_relays: usize) {
        self.tracks.resize(n_relays, Track::default());
    }

    /// Lists believed so far.
    pub(crate) fn n_lists(&self) -> u32 {
        self.n_lists
    }

    /// Hour of the last list.
    pub(crate) fn hour(&self) -> i32 {
        self.hour
    }

    /// Hours between the first list and the last.
    pub(crate) fn known_for(&self) -> i32 {
        self.hour - self.first_hour
    }

    pub(crate) fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    pub(crate) fn track(&self, relay: RelayIdx) -> &Track {
        &self.tracks[relay as usize]
    }

    pub(crate) fn track_mut(&mut self, relay: RelayIdx) -> &mut Track {
        &mut self.tracks[relay as usize]
    }

    /// The relays of the last list.
    pub(crate) fn running(&self) -> &[RelayIdx] {
        &self.running
    }

    /// The flags that the last list reports.
    pub(crate) fn reported(&self) -> RelayFlags {
        RelayFlags::from_bits(self.reported)
    }

    /// Number of lists among the last `window` ones whose changes are kept.
    pub(crate) fn window(&self, window: usize) -> usize {
        window.min(self.recent.len())
    }

    /// Changes of the last `window` lists, earliest first, or of as many as are kept.
    pub(crate) fn recent(&self, window: usize) -> &[Changes] {
        &self.recent[self.recent.len() - self.window(window)..]
    }

    /// Changes of the last list.
    pub(crate) fn latest(&self) -> &Changes {
        self.recent.last().expect("monitors step after a list was taken in")
    }

    /// Hour of the list before the last `window` ones.
    pub(crate) fn since(&self, window: usize) -> i32 {
        self.recent(window).first().map_or(self.hour, |changes| changes.before)
    }

    /// Hours in the last `window` lists, at least 1.
    pub(crate) fn elapsed(&self, window: usize) -> f64 {
        f64::from((self.hour - self.since(window)).max(1))
    }

    /// Takes in a list: compares it with the one before and makes it the last one.
    pub(crate) fn take_in(&mut self, list: &Observation<'_>, mature_hours: i32) {
        let hour = list.hour.get();
        let is_first = self.n_lists == 0;
        if is_first {
            (self.first_hour, self.hour) = (hour, hour);
        }
        let elapsed = if is_first { 1 } else { hour - self.hour };
        self.n_lists += 1;
        let mut changes = Changes { before: self.hour, hour, ..Changes::default() };
        let mut counts = AgeCounts::default();
        let before = std::mem::replace(&mut self.running, Vec::with_capacity(list.listed.len()));
        let shows_debuts = !is_first && elapsed <= FirstSeen::MAX_GAP_HOURS;
        self.note_listed(list, shows_debuts, &mut changes, &mut counts);
        self.note_gone(&before, mature_hours, &mut changes, &mut counts);
        self.ages.learn(f64::from(elapsed), &counts);
        self.reported = list.reported.bits();
        self.hour = hour;
        self.recent.push(changes);
        if self.recent.len() > RECENT_LISTS {
            self.recent.remove(0);
        }
    }

    /// Goes through the relays of a list. Whoever is in the first one, or in one after a long gap, may be old and has not joined.
    fn note_listed(&mut self, list: &Observation<'_>, shows_debuts: bool, changes: &mut Changes, counts: &mut AgeCounts) {
        let hour = changes.hour;
        let comparable = self.reported & list.reported.bits();
        let bits = WATCHED.iter().map(|flag| 1 << *flag as u32);
        changes.flags_lost = bits.filter(|bit| comparable & bit != 0).map(|bit| (bit, Vec::new())).collect();
        for (relay, flags) in list.listed.iter().filter(|(_, flags)| flags.contains(RelayFlag::Running)) {
            let track = &mut self.tracks[*relay as usize];
            if track.is_in(self.n_lists) {
                continue;
            }
            self.running.push(*relay);
            if !track.is_known() {
                track.appear(hour, if shows_debuts { hour } else { hour - FOREVER });
                track.refresh(hour, &self.ages);
                changes.joined.extend(shows_debuts.then_some(*relay));
            } else if track.running {
                note_flags(*relay, track, comparable & !flags.bits(), changes, counts);
            } else {
                track.refresh(hour, &self.ages);
                // Whoever is back can be lost again, whatever becomes of the others.
                track.case = None;
            }
            track.list(self.n_lists, hour, *flags);
        }
    }

    /// Goes through the relays of the list before: those that the last one lacks have left.
    fn note_gone(&mut self, before: &[RelayIdx], mature_hours: i32, changes: &mut Changes, counts: &mut AgeCounts) {
        let hour = changes.hour;
        for relay in before {
            let track = &mut self.tracks[*relay as usize];
            let age = Ages::class(changes.before - track.first_seen);
            counts.at_risk[age] += 1;
            if track.is_in(self.n_lists) {
                if (relay + self.n_lists).is_multiple_of(REFRESH_EVERY) {
                    track.refresh(hour, &self.ages);
                }
                continue;
            }
            if track.is_mature(hour, mature_hours) {
                changes.lost.push((*relay, track.hazard));
            }
            track.leave(hour);
            counts.leaves[age] += 1;
        }
    }
}

/// Notes the watched flags among `missing` that a relay had in the list before.
fn note_flags(relay: RelayIdx, track: &mut Track, missing: u32, changes: &mut Changes, counts: &mut AgeCounts) {
    let lost = track.flags & missing;
    let age = Ages::class(changes.hour - track.first_seen);
    for (_, relays) in changes.flags_lost.iter_mut().filter(|(bit, _)| lost & bit != 0) {
        relays.push(relay);
        counts.flag_losses[age] += 1;
        track.count_flag_loss();
    }
}
