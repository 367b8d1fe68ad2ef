//! The detector: believes a list or not, takes it into the network, and lets the monitors see what changed.

use allium_model::{ConsensusHour, Fingerprint};
use serde::{Deserialize, Serialize};

use crate::book::{Book, RelayIdx, RelayInfo};
use crate::cases::Cases;
use crate::context::Context;
use crate::incident::{Incident, Status};
use crate::monitors::{Capacity, Monitors};
use crate::network::Network;
use crate::observation::{Observation, Step};
use crate::settings::Settings;

/// Detects incidents. The same lists in the same order give the same incidents, whether in one go or with its state saved between.
#[derive(Debug, Clone)]
pub struct Detector {
    settings: Settings,
    book: Book,
    state: State,
    /// A zero for every scope.
    scratch: Vec<u32>,
}

/// Everything remembered of the lists.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct State {
    network: Network,
    cases: Cases,
    monitors: Monitors,
}

impl State {
    /// Number of relays that it remembers.
    pub(crate) fn n_relays(&self) -> usize {
        self.network.tracks().len()
    }
}

impl Detector {
    /// A detector that has seen nothing. The number of a relay is its index in `relays`.
    pub fn new(settings: Settings, relays: Vec<RelayInfo>) -> Self {
        let mut state = State::default();
        state.network.resize(relays.len());
        Self::of(settings, Book::new(relays), state)
    }

    /// A detector of these parts.
    pub(crate) fn of(settings: Settings, book: Book, state: State) -> Self {
        Self { settings, book, state, scratch: Vec::new() }
    }

    /// The parts that make up a detector.
    pub(crate) fn parts(&self) -> (&Settings, &Book, &State) {
        (&self.settings, &self.book, &self.state)
    }

    /// The number of a relay.
    pub fn find(&self, fingerprint: &Fingerprint) -> Option<RelayIdx> {
        self.book.find(fingerprint)
    }

    /// The description of a relay.
    pub fn relay(&self, relay: RelayIdx) -> &RelayInfo {
        self.book.info(relay)
    }

    /// Adds a relay, or replaces its description, and gives its number.
    pub fn describe(&mut self, info: RelayInfo) -> RelayIdx {
        let relay = self.book.add(info);
        self.state.network.resize(self.book.n_relays());
        relay
    }

    /// The hour of the last list that was believed.
    pub fn hour(&self) -> Option<ConsensusHour> {
        let network = &self.state.network;
        (network.n_lists() > 0).then(|| ConsensusHour::new(network.hour()))
    }

    /// The number of lists believed so far; until there are more than [`Settings::warm_up_lists`] nothing is reported.
    pub fn n_lists(&self) -> u32 {
        self.state.network.n_lists()
    }

    /// The number of incidents so far, those merged into others included.
    pub fn n_incidents(&self) -> usize {
        self.state.cases.len()
    }

    /// An incident by its index; `None` where it was merged into another one.
    pub fn incident(&self, index: usize) -> Option<Incident> {
        self.state.cases.get(index).filter(|case| case.status != Status::Merged).map(|case| case.incident(&self.book))
    }

    /// All incidents in the order of their detection.
    pub fn incidents(&self) -> impl Iterator<Item = Incident> {
        (0..self.n_incidents()).filter_map(|index| self.incident(index))
    }

    /// Exits and guards against what is usual; a role that no list has reported is left out.
    pub fn capacity(&self) -> Vec<Capacity> {
        self.state.monitors.capacity(&self.settings)
    }

    /// Takes in a list. One that is not later than the last is passed over, as are hours without a list: they are simply never given.
    pub fn step(&mut self, list: &Observation<'_>) -> Step {
        for info in list.described {
            self.describe(info.clone());
        }
        let is_later = self.hour().is_none_or(|last| list.hour > last);
        let believed = is_later && self.take_in(list);
        Step { changed: self.state.cases.take_changed(), believed }
    }

    fn take_in(&mut self, list: &Observation<'_>) -> bool {
        let Self { settings, book, state, scratch } = self;
        let State { network, cases, monitors } = state;
        let mut context = Context { settings, book, network, cases, scratch };
        if !monitors.believe(list, &mut context) {
            return false;
        }
        context.network.take_in(list, context.settings.mature_hours);
        monitors.step(&mut context);
        true
    }
}
