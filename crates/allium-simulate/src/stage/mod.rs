//! A scenario being played: who is concerned, who is away at which hour, what is published when.

mod cast;
mod play;

use allium_model::ConsensusHour;

use crate::dice::Dice;
use crate::scenario::{AuthorityFault, Event, Scenario, What};

pub(crate) const N_AUTHORITIES: usize = 9;
/// Hours by which a consensus can be late at most; a script that delays for ever is cut off here.
const LATEST_HOURS: i32 = 1_000_000;

/// The events with what has come of them.
#[derive(Debug)]
pub(crate) struct Stage {
    seed: u64,
    pub(crate) acts: Vec<Act>,
    /// Relays brought so far.
    n_guests: u32,
}

/// An event with what has come of it.
#[derive(Debug)]
pub(crate) struct Act {
    pub(crate) event: Event,
    /// The index of the event in the list: the key of its chance.
    number: u64,
    /// Set once it has begun.
    pub(crate) cast: Option<Cast>,
}

/// The relays concerned.
#[derive(Debug, Default)]
pub(crate) struct Cast {
    /// Positions of relays, in the order in which they are struck.
    pub(crate) relays: Vec<u32>,
    /// The key of the group, where there is one.
    pub(crate) key: Option<String>,
    /// Relays of the scope that were running when it began.
    pub(crate) n_in_scope: usize,
}

impl Stage {
    pub(crate) fn new(seed: u64, scenario: &Scenario) -> Self {
        let act = |(number, event): (usize, &Event)| Act { event: event.clone(), number: number as u64, cast: None };
        Self { seed, acts: scenario.events.iter().enumerate().map(act).collect(), n_guests: 0 }
    }

    pub(crate) const fn n_guests(&self) -> u32 {
        self.n_guests
    }

    /// Hour at which the consensus of this hour is published; `None` for never.
    pub(crate) fn publish_at(&self, hour: ConsensusHour) -> Option<ConsensusHour> {
        let events = || self.acts.iter().map(|act| &act.event);
        let missing = events().any(|event| event.what == What::Missing && event.covers(hour));
        let signed = self.authorities_at(hour).iter().filter(|fault| matches!(fault, None | Some(AuthorityFault::Garbled))).count();
        if missing || 2 * signed <= N_AUTHORITIES {
            return None;
        }
        let delay = |event: &Event| match event.what {
            What::Late { by_hours } if event.covers(hour) => Some(by_hours as i32),
            _ => None,
        };
        let mut at = hour.plus(events().filter_map(delay).max().unwrap_or(0));
        while let Some(stale) = events().find(|event| event.what == What::Stale && event.covers(at)) {
            at = stale.end();
            if at.hours_since(hour) > LATEST_HOURS {
                return None;
            }
        }
        Some(at)
    }

    /// Fault of each authority at this hour; of several events the last one counts.
    pub(crate) fn authorities_at(&self, hour: ConsensusHour) -> [Option<AuthorityFault>; N_AUTHORITIES] {
        let mut faults = [None; N_AUTHORITIES];
        for act in self.acts.iter().filter(|act| act.event.covers(hour)) {
            if let What::Authorities { n, fault } = act.event.what {
                act.failing_authorities(self.seed, n).for_each(|i| faults[i] = Some(fault));
            }
        }
        faults
    }
}

impl Act {
    fn dice(&self, seed: u64) -> Dice {
        Dice::keyed(&[seed, 40, self.number])
    }

    /// The authorities that fail, if `n` do.
    pub(crate) fn failing_authorities(&self, seed: u64, n: u8) -> impl Iterator<Item = usize> + use<> {
        let mut order: Vec<usize> = (0..N_AUTHORITIES).collect();
        shuffle(&mut self.dice(seed), &mut order);
        order.into_iter().take(usize::from(n))
    }

    /// Number of relays that come back, of `n` that vanish.
    fn n_back(&self, n: usize) -> usize {
        match self.event.what {
            What::Outage { back_percent, .. } => (n * usize::from(back_percent)).div_ceil(100),
            _ => n,
        }
    }

    /// The first hour in which no relay comes or goes because of it.
    pub(crate) fn settled_at(&self) -> ConsensusHour {
        let n = self.cast.as_ref().map_or(0, |cast| cast.relays.len());
        match self.event.what {
            What::Outage { recovery_hours, .. } if self.n_back(n) > 0 => {
                turn(self.event.end(), recovery_hours, self.n_back(n) - 1, self.n_back(n))
            }
            What::Flood { n_relays, recovery_hours, .. } => {
                let n = n_relays as usize;
                turn(self.event.end(), recovery_hours, n.saturating_sub(1), n)
            }
            _ => self.event.end(),
        }
    }

    /// True if the `i`th of `n` relays concerned is away at this hour.
    fn is_away(&self, i: usize, n: usize, hour: ConsensusHour) -> bool {
        let event = &self.event;
        match event.what {
            What::Outage { onset_hours, recovery_hours, .. } => {
                let n_back = self.n_back(n);
                let gone = hour >= turn(event.start, onset_hours.min(event.hours), i, n);
                gone && (i >= n_back || hour < turn(event.end(), recovery_hours, i, n_back))
            }
            What::Flap { every_hours, .. } => event.covers(hour) && (hour.hours_since(event.start) as u32 % every_hours) < every_hours / 2,
            _ => false,
        }
    }
}

/// The turn of the `i`th of `n` that follow each other over some hours.
fn turn(start: ConsensusHour, over_hours: u32, i: usize, n: usize) -> ConsensusHour {
    start.plus((u64::from(over_hours) * i as u64 / n.max(1) as u64) as i32)
}

fn shuffle<T>(dice: &mut Dice, items: &mut [T]) {
    for i in (1..items.len()).rev() {
        items.swap(i, dice.below(i as u64 + 1) as usize);
    }
}
