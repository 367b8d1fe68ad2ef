//! Weights, bandwidths and events of relays and of groups of them.
//!
//! Pure code: a backend reads days of numbers and the states of relays ([`past`]), the rest follows from them.

pub(crate) mod groups;
pub(crate) mod past;

use std::net::IpAddr;

use allium_model::{
    Asn, ConsensusHour, CountryCode, Fingerprint, Fraction, RelayFlag, RelayFlags, SelectionProbabilities, Timestamp, WeightRole,
};

/// The size of a relay on one day: means over the consensuses that list it.
#[derive(Debug, Clone, PartialEq)]
pub struct RelayDay {
    /// The first hour of the day.
    pub start: ConsensusHour,
    /// Consensuses of the day that give it a weight.
    pub n_weighed: u32,
    /// Mean consensus weight.
    pub consensus_weight: Option<f64>,
    /// Mean share of the network's consensus weight.
    pub consensus_weight_fraction: Option<Fraction>,
    /// Mean probability of being selected as guard.
    pub guard_probability: Option<Fraction>,
    /// Mean probability of being selected as middle relay.
    pub middle_probability: Option<Fraction>,
    /// Mean probability of being selected as exit.
    pub exit_probability: Option<Fraction>,
    /// Mean advertised bandwidth, bytes per second.
    pub advertised_bandwidth: Option<f64>,
    /// Mean observed bandwidth, bytes per second.
    pub observed_bandwidth: Option<f64>,
}

/// A property by which relays are put into groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// All together.
    Network,
    /// By country.
    Country,
    /// By autonomous system.
    AutonomousSystem,
    /// By flag; a relay is in several groups.
    Flag,
}

impl Grouping {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Network, Self::Country, Self::AutonomousSystem, Self::Flag];
}

/// A group of relays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupKey {
    /// All of them.
    Network,
    /// Those of a country.
    Country(CountryCode),
    /// Those of an autonomous system.
    AutonomousSystem(Asn),
    /// Those with a flag.
    Flag(RelayFlag),
}

/// The size of a group at one hour.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupHour {
    /// The hour.
    pub hour: ConsensusHour,
    /// Relays of the group that have a weight.
    pub n_weighed: u32,
    /// Their consensus weight.
    pub consensus_weight: Option<f64>,
    /// Its share of the network's.
    pub consensus_weight_fraction: Option<Fraction>,
    /// Probability that a guard is selected among them.
    pub guard_probability: Option<Fraction>,
    /// Probability that a middle relay is selected among them.
    pub middle_probability: Option<Fraction>,
    /// Probability that an exit is selected among them.
    pub exit_probability: Option<Fraction>,
    /// Their advertised bandwidth, bytes per second; `None` where no details document is known of the hour.
    pub advertised_bandwidth: Option<u64>,
    /// Their observed bandwidth, bytes per second.
    pub observed_bandwidth: Option<u64>,
}

/// An event in the life of a relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The relay.
    pub fingerprint: Fingerprint,
    /// Time of the event.
    pub at: Timestamp,
    /// Its kind.
    pub kind: EventKind,
}

/// A kind of event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// Its process started.
    Restart,
    /// It reported overload for this hour.
    Overload,
    /// A details document or consensus of this hour is the first that has it at this address.
    Address(IpAddr),
}

/// The consensus weights of all relays at one hour.
#[derive(Debug, Clone)]
pub struct HourWeights {
    /// The hour.
    pub hour: ConsensusHour,
    /// Consensus weight of every relay that has one, by fingerprint.
    pub relays: Vec<(Fingerprint, u64)>,
    pub(crate) network: SelectionProbabilities,
}

impl HourWeights {
    /// The consensus weight of a relay; `None` where it has none at this hour.
    pub fn weight_of(&self, relay: &Fingerprint) -> Option<u64> {
        let index = self.relays.binary_search_by_key(relay, |(fingerprint, _)| *fingerprint).ok()?;
        Some(self.relays[index].1)
    }

    /// The consensus weight of the network.
    pub fn total(&self) -> f64 {
        self.network.weight()
    }

    /// The probability that a relay with these flags and this weight is selected as guard, middle relay and exit; `None` where the
    /// source has no bandwidth weights.
    pub fn probabilities(&self, flags: RelayFlags, weight: u64) -> [Option<f64>; 3] {
        self.network.of_relay(WeightRole::of_flags(flags), weight as f64)
    }
}
