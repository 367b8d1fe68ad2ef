//! The interface of a store, whatever database is behind it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::path::Path;

use allium_model::{
    Asn, ConsensusHour, CountryCode, DocumentKind, Fingerprint, Fraction, NetworkRecord, ProofStanding, Reject, Relay, RelayFlag,
    RelayFlags, RelayHistories, RelayState, SourceReport, SourceStatus, StateSpan, Timestamp,
};

use crate::error::Error;
use crate::timeline::Timeline;

/// A store of the network's history. One writes at a time, any number read meanwhile.
pub trait History {
    /// Takes in what one visit to a source brought: all of it or, on any error, nothing.
    ///
    /// A details document also stands for the consensus of its hour: the relays that it calls running, with their flags,
    /// country, AS and version. What its relays' rows said before is replaced; relays that it does not list stay recorded.
    ///
    /// # Errors
    /// [`Error::Older`] if a document is older than the stored one of its kind; [`Error::Locked`], [`Error::ReadOnly`] and
    /// [`Error::DiskFull`] if nothing can be written.
    fn apply(&mut self, update: &Update) -> Result<Applied, Error>;

    /// Takes in one consensus, older or newer than those known; `false` if its hour is known already, and then nothing changes.
    /// An hour known from a [`ConsensusSource::Presence`] list only is replaced by what any other source brings.
    ///
    /// `listed` are the relays in it; a relay that is not in it was down. Of a relay listed twice the later entry counts.
    /// Where the source does not tell them ([`ConsensusSource::tells_places`]), country and AS of `listed` are ignored and carried over
    /// from the consensuses before; a details document of the same hour fills them in later.
    ///
    /// # Errors
    /// As [`History::apply`].
    fn append_consensus(&mut self, info: &ConsensusInfo, listed: &[(Fingerprint, RelayState)]) -> Result<bool, Error>;

    /// As [`History::append_consensus`], with all that a consensus says of its relays: addresses and weights beside states.
    ///
    /// # Errors
    /// As [`History::apply`].
    fn append_full_consensus(&mut self, consensus: &FullConsensus) -> Result<bool, Error>;

    /// Takes in consensus weights alone, for consensuses that come as spans; returns of how many hours.
    ///
    /// Those of an hour that is weighed already stay, except that any source replaces a details document. [`History::apply`] and
    /// [`History::append_full_consensus`] take them in by themselves.
    ///
    /// # Errors
    /// As [`History::apply`].
    fn append_weights(&mut self, consensuses: &[ConsensusWeights]) -> Result<usize, Error>;

    /// [`History::append_spans`] and [`History::append_weights`] in one.
    ///
    /// # Errors
    /// As [`History::append_spans`].
    fn append_weighed_spans(
        &mut self,
        consensuses: &[ConsensusInfo],
        spans: &mut dyn Iterator<Item = (Fingerprint, StateSpan)>,
        weights: &[ConsensusWeights],
    ) -> Result<AppliedSpans, Error>;

    /// Weight, probabilities and bandwidths of one relay, day by day from the one of `from` to that before `to`: means over the
    /// consensuses in `[from, to)` that list it. Days of which nothing is known are missing.
    ///
    /// # Errors
    /// As [`History::load`].
    fn relay_days(&self, relay: &Fingerprint, from: ConsensusHour, to: ConsensusHour) -> Result<Vec<RelayDay>, Error>;

    /// Gives those of every relay to `take`, by day and fingerprint, until it has enough. Takes the memory of what holds in
    /// `[from, to)`, not of all that is given.
    ///
    /// # Errors
    /// As [`History::load`].
    fn each_relay_day(
        &self,
        from: ConsensusHour,
        to: ConsensusHour,
        take: &mut dyn FnMut(&Fingerprint, &RelayDay) -> ControlFlow<()>,
    ) -> Result<(), Error>;

    /// The same of groups, hour by hour: sums over the relays that the consensus lists in the group. Hours of which nothing is known
    /// are missing.
    ///
    /// # Errors
    /// As [`History::load`].
    fn group_hours(&self, by: Grouping, from: ConsensusHour, to: ConsensusHour) -> Result<BTreeMap<GroupKey, Vec<GroupHour>>, Error>;

    /// Gives these to `take`, by hour and group, until it has enough; memory as in [`History::each_relay_day`].
    ///
    /// # Errors
    /// As [`History::load`].
    fn each_group_hour(
        &self,
        by: Grouping,
        from: ConsensusHour,
        to: ConsensusHour,
        take: &mut dyn FnMut(&GroupKey, &GroupHour) -> ControlFlow<()>,
    ) -> Result<(), Error>;

    /// What happened in `[from, to)` to a relay, or to all, by time and relay.
    ///
    /// # Errors
    /// As [`History::load`].
    fn events(&self, relay: Option<&Fingerprint>, from: Timestamp, to: Timestamp) -> Result<Vec<Event>, Error>;

    /// Takes in many consensuses at once, given as spans: in each of `consensuses` that lies in a span, the relay was listed in
    /// its state. Hours that are known already stay as they are, as with [`History::append_consensus`].
    ///
    /// The spans of a relay may come in any order. Where one hour is named twice, the first entry tells its origin.
    ///
    /// # Errors
    /// [`Error::Overlap`] if spans of one relay overlap; else as [`History::apply`].
    fn append_spans(
        &mut self,
        consensuses: &[ConsensusInfo],
        spans: &mut dyn Iterator<Item = (Fingerprint, StateSpan)>,
    ) -> Result<AppliedSpans, Error>;

    /// As [`History::append_spans`], with what the same source knows of the relays beside: nickname, address, country, AS,
    /// contact and effective family.
    ///
    /// A description is as last known, at no particular time. It is kept beside those of details documents, which have the word
    /// from the first that lists the relay on; of two packs the one with the newest of `consensuses` describes.
    ///
    /// # Errors
    /// As [`History::append_spans`].
    fn append_pack(
        &mut self,
        consensuses: &[ConsensusInfo],
        spans: &mut dyn Iterator<Item = (Fingerprint, StateSpan)>,
        relays: &[Relay],
    ) -> Result<AppliedPack, Error>;

    /// Notes what became of a visit to a source, for [`History::sources`].
    ///
    /// # Errors
    /// As [`History::apply`].
    fn note_source(&mut self, visit: &SourceVisit) -> Result<(), Error>;

    /// How it goes with every source that was ever asked, by name.
    ///
    /// # Errors
    /// As [`History::load`].
    fn sources(&self) -> Result<Vec<SourceReport>, Error>;

    /// Notes how it goes with the proofs of claims, in the place of what was noted of the same relays; says of how many. Relays that were
    /// never recorded are passed over.
    ///
    /// # Errors
    /// As [`History::apply`].
    fn note_proofs(&mut self, standings: &[ProofStanding]) -> Result<usize, Error>;

    /// How it goes with the proofs of claims, by fingerprint: of relays that claim something else by now as well.
    ///
    /// # Errors
    /// As [`History::load`].
    fn proofs(&self) -> Result<Vec<ProofStanding>, Error>;

    /// The known consensuses, earliest first: who brought them and their totals, without what they say of each relay.
    ///
    /// # Errors
    /// As [`History::load`].
    fn known(&self) -> Result<Vec<KnownConsensus>, Error>;

    /// Forgets all consensuses before an hour, and relays, with their attributes and graphs, that were last seen before it.
    ///
    /// # Errors
    /// As [`History::apply`].
    fn prune(&mut self, before: ConsensusHour) -> Result<Pruned, Error>;

    /// The whole exact history in a compact form, for questions about all of it.
    ///
    /// # Errors
    /// As [`History::load`].
    fn timeline(&self) -> Result<Timeline, Error>;

    /// The whole exact history, the totals of its consensuses and who its relays are, read as of one moment.
    ///
    /// # Errors
    /// As [`History::load`].
    fn exact(&self) -> Result<ExactHistory, Error>;

    /// As [`History::exact`], of the time up to and including `at`: the same whether or not the store holds anything later.
    ///
    /// Relays are described as in [`History::load_as_of`].
    ///
    /// # Errors
    /// As [`History::load`].
    fn exact_as_of(&self, at: ConsensusHour) -> Result<ExactHistory, Error>;

    /// Everything recorded, relays with all attributes as last known; `None` if that is nothing yet.
    ///
    /// # Errors
    /// [`Error::Corrupt`] names the relay or table that cannot be read.
    fn load(&self) -> Result<Option<NetworkRecord>, Error>;

    /// What was recorded of the time up to and including `at`: the same whether or not the store holds anything later, but for
    /// graphs, source status and rejects, which are kept of the newest document of a kind and left out where that is later.
    ///
    /// Relays have the attributes that are kept over time: flags, version, country and AS as in consensuses; nickname, addresses,
    /// country and AS with their names, contact, platform, effective family and first appearance as the newest details document
    /// by then that lists them says, else as a pack does, which is as last known at any time. What changes with every document
    /// (weights, bandwidths, probabilities) and other attributes that are kept as last known only are left out, even where `at`
    /// is the newest hour.
    ///
    /// # Errors
    /// As [`History::load`].
    fn load_as_of(&self, at: ConsensusHour) -> Result<Option<NetworkRecord>, Error>;

    /// How relays were described over time: hands every description through `until` to `take`. What packs say, which is as last known
    /// at no particular time, comes first and without an hour; then what details documents say, each with the hour since which it
    /// holds, those of one relay earliest first. See [`History::load_as_of`] for what is described.
    ///
    /// # Errors
    /// As [`History::load`].
    fn each_description(&self, until: ConsensusHour, take: &mut dyn FnMut(Option<ConsensusHour>, Relay)) -> Result<(), Error>;

    /// How much is stored.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn stats(&self) -> Result<Stats, Error>;

    /// Whether every invariant holds; see `docs/store.md` for the list.
    ///
    /// # Errors
    /// If the store cannot be read at all; what is wrong inside is in the report.
    fn check(&self) -> Result<CheckReport, Error>;

    /// Writes a complete copy as of one moment to a new file, while others read and write.
    ///
    /// # Errors
    /// [`Error::Exists`] if there is a file of that name; [`Error::Io`] and [`Error::DiskFull`].
    fn backup(&self, to: &Path) -> Result<(), Error>;
}

/// What became of a visit to a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceVisit {
    /// Name of the source; `onionoo` or that of a [`ConsensusSource`].
    pub source: String,
    /// When.
    pub at: Timestamp,
    /// The newest consensus that it brought or is known to have; `None` leaves what is noted.
    pub newest: Option<ConsensusHour>,
    /// What went wrong; `None` if it answered as it should, though it may have had nothing newer.
    pub failure: Option<String>,
    /// How many rejects there are in the consensuses or the pack that it brought, and the first of them; `None` leaves what is noted.
    pub rejects: Option<(usize, Vec<Reject>)>,
}

/// What one visit to a source brought.
#[derive(Debug, Clone, Default)]
pub struct Update {
    /// A details document.
    pub details: Option<(SourceStatus, Vec<Relay>)>,
    /// Documents of graphs: uptime, bandwidth, weights.
    pub histories: Vec<(SourceStatus, Vec<RelayHistories>)>,
    /// What could not be understood in these documents; those of other kinds are ignored.
    pub rejects: Vec<(DocumentKind, Reject)>,
}

/// What became of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Its documents: details first, then the others as they came.
    pub documents: Vec<AppliedDocument>,
    /// Whether the details document brought a consensus that was not known.
    pub consensus_is_new: bool,
}

/// What became of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedDocument {
    /// Which kind.
    pub kind: DocumentKind,
    /// The newest consensus that it knows of.
    pub published: ConsensusHour,
    /// Whether it was taken in.
    pub outcome: Outcome,
    /// Relays in it.
    pub n_relays: usize,
    /// Relays that were recorded for the first time.
    pub n_new: usize,
}

/// Whether something was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is newer than what was stored.
    Stored,
    /// One of the same kind and hour is stored; nothing was done.
    AlreadyStored,
}

/// What became of many consensuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppliedSpans {
    /// Consensuses that were not known, or less well.
    pub n_consensuses: usize,
    /// Consensuses that were known already.
    pub n_already_known: usize,
    /// Relays that were recorded for the first time.
    pub n_new_relays: usize,
}

/// What became of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppliedPack {
    /// Its consensuses.
    pub spans: AppliedSpans,
    /// Relays of which the description was taken over.
    pub n_described: usize,
}

/// What was forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pruned {
    /// Consensuses.
    pub n_consensuses: usize,
    /// Spans that ended before; others were cut.
    pub n_spans: usize,
    /// Relays.
    pub n_relays: usize,
}

/// Where a consensus comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsensusInfo {
    /// Its valid-after.
    pub hour: ConsensusHour,
    /// Who brought it.
    pub source: ConsensusSource,
    /// Whether the signatures of the authorities were verified.
    pub verified: bool,
    /// When it was fetched or read.
    pub received_at: Timestamp,
}

/// A consensus with all that the store keeps of it.
#[derive(Debug, Clone, PartialEq)]
pub struct FullConsensus {
    /// Where it comes from.
    pub info: ConsensusInfo,
    /// The relays in it; of one listed twice the later entry counts.
    pub listed: Vec<Listed>,
    /// How consensus weights are weighed by position, in units of 1/10,000 (dir-spec, section 3.8.3): `Wgg`, `Wmd` and so on.
    pub bandwidth_weights: BTreeMap<String, i64>,
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
    /// Which relay.
    pub fingerprint: Fingerprint,
    /// Its state.
    pub state: RelayState,
    /// Its primary address.
    pub address: Option<IpAddr>,
    /// Its consensus weight.
    pub weight: Option<u64>,
}

impl Listed {
    /// A relay of which nothing but its state is known.
    pub fn of(fingerprint: Fingerprint, state: RelayState) -> Self {
        Self { fingerprint, state, address: None, weight: None }
    }
}

/// The consensus weights of one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsensusWeights {
    /// Its valid-after.
    pub hour: ConsensusHour,
    /// Who brought them.
    pub source: ConsensusSource,
    /// Running relays with flags and weight; of one listed twice the later entry counts.
    pub listed: Vec<(Fingerprint, RelayFlags, u64)>,
    /// As in [`FullConsensus::bandwidth_weights`]; empty where the source does not tell them.
    pub bandwidth_weights: BTreeMap<String, i64>,
}

/// How large a relay was on one day: means over the consensuses that list it.
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
    /// Mean probability to be chosen as guard.
    pub guard_probability: Option<Fraction>,
    /// Mean probability to be chosen as middle relay.
    pub middle_probability: Option<Fraction>,
    /// Mean probability to be chosen as exit.
    pub exit_probability: Option<Fraction>,
    /// Mean advertised bandwidth, bytes per second.
    pub advertised_bandwidth: Option<f64>,
    /// Mean observed bandwidth, bytes per second.
    pub observed_bandwidth: Option<f64>,
}

/// By what relays are put into groups.
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

/// How large a group was at one hour.
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
    /// Probability that a guard is one of them.
    pub guard_probability: Option<Fraction>,
    /// Probability that a middle relay is one of them.
    pub middle_probability: Option<Fraction>,
    /// Probability that an exit is one of them.
    pub exit_probability: Option<Fraction>,
    /// Their advertised bandwidth, bytes per second; `None` where no details document tells the hour.
    pub advertised_bandwidth: Option<u64>,
    /// Their observed bandwidth, bytes per second.
    pub observed_bandwidth: Option<u64>,
}

/// Something that happened to a relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The relay.
    pub fingerprint: Fingerprint,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
}

/// What can happen to a relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// Its process started.
    Restart,
    /// It reported overload for this hour.
    Overload,
    /// A details document or consensus of this hour is the first that has it at this address.
    Address(IpAddr),
}

/// A known consensus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownConsensus {
    /// Where it comes from.
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
    /// Which relays they list, in which states.
    pub timeline: Timeline,
    /// Every relay that they or the details document list, as last known, sorted by fingerprint.
    pub relays: Vec<Relay>,
}

/// Who brings consensuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConsensusSource {
    /// Onionoo's details document.
    Details,
    /// A directory authority or mirror.
    Directory,
    /// CollecTor, live or from its archive.
    Collector,
    /// A pack of hourly lists of running relays, which tells the flags [`allium_model::Known::LISTED_FLAGS`] only.
    Presence,
}

impl ConsensusSource {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Details, Self::Directory, Self::Collector, Self::Presence];

    /// The source of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }

    /// Whether it knows the country and AS of each relay; where it does not, those last told are carried over.
    pub const fn tells_places(self) -> bool {
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

/// How much is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// Version of the format.
    pub format_version: i64,
    /// Size in bytes without the write-ahead log.
    pub size_bytes: u64,
    /// Relays ever recorded.
    pub n_relays: u64,
    /// Known consensuses.
    pub n_consensuses: u64,
    /// The earliest of them.
    pub first: Option<ConsensusHour>,
    /// The newest of them.
    pub last: Option<ConsensusHour>,
    /// Spans.
    pub n_spans: u64,
    /// Distinct states in them.
    pub n_states: u64,
    /// Descriptions of relays, by details documents and by packs.
    pub n_descriptions: u64,
    /// Hours whose consensus weights are known.
    pub n_weighed: u64,
    /// Bytes that weights and bandwidths take, compressed.
    pub measures_bytes: u64,
    /// Restarts, changes of address, overloads.
    pub n_events: u64,
    /// Relays whose claim of a domain was checked, or tried to.
    pub n_proofs: u64,
    /// Relay and document pairs with published graphs.
    pub n_published: u64,
    /// Bytes that these take, compressed.
    pub published_bytes: u64,
    /// Listed rejects of the documents in use.
    pub n_rejects: u64,
    /// The documents in use.
    pub documents: Vec<SourceStatus>,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckReport {
    /// What is wrong, a sentence each, at most [`CheckReport::MAX_PROBLEMS`].
    pub problems: Vec<String>,
    /// Relays looked at.
    pub n_relays: u64,
    /// Spans looked at.
    pub n_spans: u64,
    /// Consensuses whose totals were counted again.
    pub n_consensuses: u64,
    /// Blobs of published graphs that were decoded.
    pub n_published: u64,
}

impl CheckReport {
    /// How many problems are listed at most.
    pub const MAX_PROBLEMS: usize = 100;

    /// Whether every invariant holds.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }
}
