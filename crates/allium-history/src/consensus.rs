//! Consensuses as they come in and as they are known.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use allium_model::{BandwidthWeights, ConsensusHour, Fingerprint, PortSummary, Relay, RelayFlags, RelayState, Timestamp};

use crate::timeline::Timeline;

/// The origin of a consensus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsensusInfo {
    /// Its valid-after.
    pub hour: ConsensusHour,
    /// The source that had it.
    pub source: ConsensusSource,
    /// True if the signatures of the authorities were verified.
    pub verified: bool,
    /// Time at which it was fetched or read.
    pub received_at: Timestamp,
}

/// A source of consensuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConsensusSource {
    /// Onionoo's details document.
    Details,
    /// A directory authority or mirror.
    Directory,
    /// CollecTor, live or from its archive.
    Collector,
    /// A pack of hourly lists of running relays, which has the flags [`allium_model::Known::LISTED_FLAGS`] only.
    Presence,
}

impl ConsensusSource {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Details, Self::Directory, Self::Collector, Self::Presence];

    /// The source of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }

    /// True if it knows the country and AS of each relay; where it does not, those last known are carried over.
    pub const fn has_locations(self) -> bool {
        matches!(self, Self::Details | Self::Presence)
    }

    /// The name in tables, such as `details`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Details => "details",
            Self::Directory => "directory",
            Self::Collector => "collector",
            Self::Presence => "presence",
        }
    }
}

/// A consensus with all that the store keeps of it.
#[derive(Debug, Clone, PartialEq)]
pub struct FullConsensus {
    /// Its origin.
    pub info: ConsensusInfo,
    /// The relays in it; of one listed twice the later entry counts.
    pub listed: Vec<Listed>,
    /// Its bandwidth weights.
    pub bandwidth_weights: BandwidthWeights,
}

impl FullConsensus {
    /// Its consensus weights.
    pub fn weights(&self) -> ConsensusWeights {
        let weighed = |listed: &Listed| Some((listed.fingerprint, listed.state.flags, listed.weight?));
        ConsensusWeights {
            hour: self.info.hour,
            source: self.info.source,
            listed: self.listed.iter().filter_map(weighed).collect(),
            bandwidth_weights: self.bandwidth_weights.clone(),
        }
    }
}

/// A relay as a consensus lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The relay.
    pub fingerprint: Fingerprint,
    /// Its state.
    pub state: RelayState,
    /// Its primary address.
    pub address: Option<IpAddr>,
    /// Its consensus weight.
    pub weight: Option<u64>,
    /// Everything else that is stated of it.
    pub statement: Statement,
}

impl Listed {
    /// A relay of which nothing but its state is known.
    pub fn of(fingerprint: Fingerprint, state: RelayState) -> Self {
        Self { fingerprint, state, address: None, weight: None, statement: Statement::default() }
    }
}

/// The attributes that a consensus states of a relay beside its state and weight; `None` or empty where it states none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statement {
    /// Its nickname.
    pub nickname: Option<String>,
    /// Addresses and ports for Tor connections, the primary one first.
    pub or_addresses: Vec<SocketAddr>,
    /// True if enough bandwidth authorities measured it.
    pub measured: Option<bool>,
    /// Its exit policy for IPv4, summarised by port.
    pub exit_policy_summary: Option<PortSummary>,
}

impl Statement {
    /// This statement, with what it leaves out as an earlier one has it.
    pub fn after(&self, earlier: &Self) -> Self {
        let Self { nickname, or_addresses, measured, exit_policy_summary } = self;
        Self {
            nickname: nickname.as_ref().or(earlier.nickname.as_ref()).cloned(),
            or_addresses: if or_addresses.is_empty() { &earlier.or_addresses } else { or_addresses }.clone(),
            measured: measured.or(earlier.measured),
            exit_policy_summary: exit_policy_summary.as_ref().or(earlier.exit_policy_summary.as_ref()).cloned(),
        }
    }

    /// True if it states nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The newest statements of many consensuses: of each relay the one of the latest consensus that lists it, and that hour.
pub type Statements = BTreeMap<Fingerprint, (ConsensusHour, Statement)>;

/// The consensus weights of one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsensusWeights {
    /// Its valid-after.
    pub hour: ConsensusHour,
    /// The source that had them.
    pub source: ConsensusSource,
    /// Running relays with flags and weight; of one listed twice the later entry counts.
    pub listed: Vec<(Fingerprint, RelayFlags, u64)>,
    /// Its bandwidth weights; empty where the source has none.
    pub bandwidth_weights: BandwidthWeights,
}

/// The outcome of many consensuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppliedSpans {
    /// Consensuses that were not known, or less well.
    pub n_consensuses: usize,
    /// Consensuses that were known already.
    pub n_already_known: usize,
    /// Relays that were recorded for the first time.
    pub n_new_relays: usize,
}

/// The outcome of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppliedPack {
    /// Its consensuses.
    pub spans: AppliedSpans,
    /// Relays of which the description was taken over.
    pub n_described: usize,
}

/// A known consensus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownConsensus {
    /// Its origin.
    pub info: ConsensusInfo,
    /// Relays in it.
    pub n_listed: u64,
    /// Relays in it that are Running.
    pub n_running: u64,
    /// Running guards.
    pub n_guard: u64,
    /// Running exits.
    pub n_exit: u64,
}

/// Everything that is known exactly.
#[derive(Debug, Clone, PartialEq)]
pub struct ExactHistory {
    /// The known consensuses, earliest first.
    pub consensuses: Vec<KnownConsensus>,
    /// The relays that they list, and their states.
    pub timeline: Timeline,
    /// Every relay that they or the details document list, as last known, sorted by fingerprint.
    pub relays: Vec<Relay>,
}
