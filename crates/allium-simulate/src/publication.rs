//! Votes and published consensuses: one after the other, in order, some late, some never.
//!
//! A vote that is published at once goes straight into the relays' spans; others wait with their content.

use std::collections::VecDeque;

use allium_model::{ConsensusHour, RelayFlags};

use crate::Network;
use crate::relay::GUESTS;
use crate::traffic::BLOCK_HOURS;
use crate::votes::{Ballot, DECAY_EVERY_HOURS, Thresholds, Totals};

/// The published consensuses, and those that wait.
#[derive(Debug)]
pub(crate) struct Publication {
    start: ConsensusHour,
    /// Sums per hour, from `start` on; nothing for an hour without consensus.
    totals: Vec<Totals>,
    /// Stretches of hours that have a consensus.
    known: Vec<(ConsensusHour, ConsensusHour)>,
    /// The newest consensus at each hour.
    newest_by_hour: Vec<Option<ConsensusHour>>,
    waiting: VecDeque<Vote>,
    thresholds: Thresholds,
    ballots: Vec<Ballot>,
}

/// A vote that is not published, or not yet.
#[derive(Debug)]
struct Vote {
    hour: ConsensusHour,
    /// `None`: never.
    publish_at: Option<ConsensusHour>,
    listed: Vec<(u32, RelayFlags)>,
    totals: Totals,
}

impl Publication {
    pub(crate) fn new(start: ConsensusHour) -> Self {
        Self {
            start,
            totals: Vec::new(),
            known: Vec::new(),
            newest_by_hour: Vec::new(),
            waiting: VecDeque::new(),
            thresholds: Thresholds::among(&[]),
            ballots: Vec::new(),
        }
    }

    fn newest(&self) -> Option<ConsensusHour> {
        self.known.last().map(|(_, end)| end.plus(-1))
    }

    fn note(&mut self, hour: ConsensusHour, totals: Totals) {
        self.totals.push(totals);
        match self.known.last_mut() {
            Some((_, end)) if *end == hour => *end = hour.next(),
            _ => self.known.push((hour, hour.next())),
        }
    }

    /// The next vote that is due or will never be published; those behind it wait for it.
    fn next_due(&mut self, now: ConsensusHour) -> Option<Vote> {
        let due = self.waiting.front()?.publish_at.is_none_or(|publish_at| publish_at <= now);
        if due { self.waiting.pop_front() } else { None }
    }
}

impl Network {
    /// The newest published consensus; `None` if none ever was.
    pub fn newest(&self) -> Option<ConsensusHour> {
        self.publication.newest()
    }

    /// Stretches `[start, end)` of hours whose consensus is published, sorted and disjoint. All other hours are unknown.
    pub fn known(&self) -> &[(ConsensusHour, ConsensusHour)] {
        &self.publication.known
    }

    /// True if the consensus of this hour is published.
    pub fn is_known(&self, hour: ConsensusHour) -> bool {
        let index = self.known().partition_point(|(_, end)| *end <= hour);
        self.known().get(index).is_some_and(|(start, _)| *start <= hour)
    }

    /// The consensus that was the newest at this hour, with what was published by then.
    pub fn newest_at(&self, hour: ConsensusHour) -> Option<ConsensusHour> {
        let index = usize::try_from(hour.hours_since(self.start)).ok()?;
        self.publication.newest_by_hour.get(index).copied().flatten()
    }

    /// Known stretches before an hour.
    pub(crate) fn known_until(&self, end: ConsensusHour) -> impl Iterator<Item = (ConsensusHour, ConsensusHour)> {
        self.known().iter().take_while(move |(start, _)| *start < end).map(move |(start, stop)| (*start, end.min(*stop)))
    }

    /// The sums of the consensus of this hour.
    pub(crate) fn totals_at(&self, hour: ConsensusHour) -> Option<&Totals> {
        usize::try_from(hour.hours_since(self.publication.start)).ok().and_then(|i| self.publication.totals.get(i))
    }

    /// The authorities vote: flags, weights, sums.
    pub(crate) fn hold_consensus(&mut self) {
        let new_round = self.now.get() % DECAY_EVERY_HOURS == 0;
        if new_round || self.publication.newest_by_hour.is_empty() {
            self.set_thresholds();
        }
        let publish_at = self.stage.publish_at(self.now);
        if self.publication.waiting.is_empty() && publish_at == Some(self.now) {
            let before = self.newest();
            let totals = self.vote(new_round, |relay, _, hour, flags| relay.list(hour, flags, before));
            self.publication.note(self.now, totals);
        } else {
            let mut listed = Vec::new();
            let totals = self.vote(new_round, |_, index, _, flags| listed.push((index, flags)));
            self.publication.waiting.push_back(Vote { hour: self.now, publish_at, listed, totals });
        }
        while let Some(vote) = self.publication.next_due(self.now) {
            self.publish(vote);
        }
        let newest = self.newest();
        self.publication.newest_by_hour.push(newest);
    }

    /// Looks at every relay, and passes on those that are listed.
    fn vote(&mut self, new_round: bool, mut list: impl FnMut(&mut crate::relay::Relay, u32, ConsensusHour, RelayFlags)) -> Totals {
        let new_block = self.now.get() % BLOCK_HOURS == 0;
        let mut totals = Totals::default();
        self.n_up = 0;
        for index in &self.alive {
            let relay = &mut self.relays[*index as usize];
            self.n_up += u32::from(relay.up && relay.profile.index < GUESTS);
            if relay.count_hour(self.now, new_round, new_block) {
                let ballot = relay.ballot(self.now);
                let flags = self.publication.thresholds.flags(relay.profile.nature, &ballot, relay.process_hours(self.now));
                let flags = RelayFlags::from_bits(flags.bits() & !relay.withheld.bits());
                list(relay, *index, self.now, flags);
                totals.add(flags, relay.weight);
            }
        }
        totals
    }

    fn publish(&mut self, vote: Vote) {
        if vote.publish_at.is_none() {
            self.publication.totals.push(Totals::default());
            return;
        }
        let before = self.newest();
        for (index, flags) in vote.listed {
            self.relays[index as usize].list(vote.hour, flags, before);
        }
        self.publication.note(vote.hour, vote.totals);
    }

    fn set_thresholds(&mut self) {
        let Publication { ballots, thresholds, .. } = &mut self.publication;
        ballots.clear();
        for index in &self.alive {
            let relay = &mut self.relays[*index as usize];
            if relay.answers() {
                relay.refresh_weight(self.now);
                ballots.push(relay.ballot(self.now));
            }
        }
        *thresholds = Thresholds::among(ballots);
    }
}
