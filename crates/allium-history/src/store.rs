//! The interfaces of a store, whatever database is behind it: one for each kind of content, and [`Store`] for all of them.
//!
//! One handle writes at a time, any number read meanwhile. Every method is one transaction: a change is made whole or not at all, an
//! answer is as of one moment.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::ops::ControlFlow;
use std::path::Path;

use allium_model::{
    Bounds, ConsensusHour, Fingerprint, IncidentNote, NetworkRecord, ProofStanding, Relay, RelayState, SourceReport, StateSpan, Timestamp,
};

use crate::consensus::{
    AppliedPack, AppliedSpans, ConsensusInfo, ConsensusWeights, ExactHistory, FullConsensus, KnownConsensus, Statements,
};
use crate::error::Error;
use crate::figures::{Event, GroupHour, GroupKey, Grouping, HourWeights, RelayDay};
use crate::notes::{NewNote, Token};
use crate::report::{CheckReport, Mended, Pruned, SourceVisit, Stats};
use crate::timeline::Timeline;
use crate::update::{Applied, Update};

/// Everything that Allium has learned.
pub trait Store: Record + Figures + Notes + Sources + State + Upkeep + Debug + Send {
    /// Calls `ask` once with a store that answers as of one moment. `at_one_moment` is easier to call.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn hold_moment(&self, ask: &mut dyn FnMut(&dyn Store)) -> Result<(), Error>;

    /// Leaves these hours out of every answer of this handle, as if their consensus were not known; nothing is written. They replace
    /// those named before. The care of the store and what is taken in are not concerned.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn leave_out(&mut self, hours: &BTreeSet<ConsensusHour>) -> Result<(), Error>;
}

impl dyn Store + '_ {
    /// Answers all questions that `ask` asks as of one moment, whatever others write meanwhile.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn at_one_moment<T>(&self, ask: impl FnOnce(&dyn Store) -> T) -> Result<T, Error> {
        let (mut ask, mut answer) = (Some(ask), None);
        self.hold_moment(&mut |store| answer = ask.take().map(|ask| ask(store)))?;
        Ok(answer.expect("hold_moment calls once"))
    }
}

/// Consensuses, and the documents that describe relays: taken in, and read as one record.
pub trait Record {
    /// Takes in the documents of one visit to a source: all of them or, on any error, none.
    ///
    /// A details document also stands for the consensus of its hour: the relays that it calls running, with their flags,
    /// country, AS and version. It replaces earlier attributes of its relays; relays that it does not list stay recorded.
    ///
    /// # Errors
    /// [`Error::Older`] if a document is older than the stored one of its kind; [`Error::Locked`], [`Error::ReadOnly`] and
    /// [`Error::DiskFull`] if nothing can be written.
    fn apply(&mut self, update: &Update) -> Result<Applied, Error>;

    /// Takes in one consensus, older or newer than those known; `false` if its hour is known already, and then nothing changes.
    /// An hour known from a [`ConsensusSource::Presence`] list only is replaced by any other source.
    ///
    /// `listed` are the relays in it; a relay that is not in it was down. Of a relay listed twice the later entry counts.
    /// Where the source has no locations ([`ConsensusSource::has_locations`]), country and AS of `listed` are ignored and carried
    /// over from the consensuses before; a details document of the same hour fills them in later.
    ///
    /// # Errors
    /// As [`Record::apply`].
    ///
    /// [`ConsensusSource::Presence`]: crate::ConsensusSource::Presence
    /// [`ConsensusSource::has_locations`]: crate::ConsensusSource::has_locations
    fn append_consensus(&mut self, info: &ConsensusInfo, listed: &[(Fingerprint, RelayState)]) -> Result<bool, Error>;

    /// As [`Record::append_consensus`], with the weights of its relays and what it states of them beside their state.
    ///
    /// # Errors
    /// As [`Record::apply`].
    fn append_full_consensus(&mut self, consensus: &FullConsensus) -> Result<bool, Error>;

    /// Takes in many consensuses at once, given as spans: in each of `consensuses` that lies in a span, the relay was listed in
    /// its state. Hours that are known already stay as they are, as with [`Record::append_consensus`].
    ///
    /// The spans of a relay may come in any order. Where one hour is named twice, the first entry is its origin.
    ///
    /// # Errors
    /// [`Error::Overlap`] if spans of one relay overlap; else as [`Record::apply`].
    fn append_spans(
        &mut self,
        consensuses: &[ConsensusInfo],
        spans: &mut dyn Iterator<Item = (Fingerprint, StateSpan)>,
    ) -> Result<AppliedSpans, Error>;

    /// [`Record::append_spans`] and [`Figures::append_weights`] in one, with what these consensuses state of their relays beside.
    ///
    /// # Errors
    /// As [`Record::append_spans`].
    fn append_weighed_spans(
        &mut self,
        consensuses: &[ConsensusInfo],
        spans: &mut dyn Iterator<Item = (Fingerprint, StateSpan)>,
        weights: &[ConsensusWeights],
        stated: &Statements,
    ) -> Result<AppliedSpans, Error>;

    /// As [`Record::append_spans`], with what the same source knows of the relays beside: nickname, address, country, AS,
    /// contact and effective family.
    ///
    /// A description is as last known, at no particular time. It is kept beside those of details documents, which prevail
    /// from the first that lists the relay on; of two packs the one with the newest of `consensuses` describes.
    ///
    /// # Errors
    /// As [`Record::append_spans`].
    fn append_pack(
        &mut self,
        consensuses: &[ConsensusInfo],
        spans: &mut dyn Iterator<Item = (Fingerprint, StateSpan)>,
        relays: &[Relay],
    ) -> Result<AppliedPack, Error>;

    /// The relays that known consensuses in `[since, until)` list, by fingerprint.
    ///
    /// # Errors
    /// As [`Record::load`].
    fn listed_between(&self, since: ConsensusHour, until: ConsensusHour) -> Result<Vec<Fingerprint>, Error>;

    /// The known consensuses, earliest first: their source and totals, without their relays.
    ///
    /// # Errors
    /// As [`Record::load`].
    fn known(&self) -> Result<Vec<KnownConsensus>, Error>;

    /// The whole exact history in a compact form, for questions about all of it.
    ///
    /// # Errors
    /// As [`Record::load`].
    fn timeline(&self) -> Result<Timeline, Error>;

    /// The whole exact history, the totals of its consensuses and who its relays are, read as of one moment.
    ///
    /// # Errors
    /// As [`Record::load`].
    fn exact(&self) -> Result<ExactHistory, Error>;

    /// As [`Record::exact`], of the time up to and including `at`: the same whether or not the store holds anything later.
    ///
    /// Relays are described as in [`Record::load_as_of`].
    ///
    /// # Errors
    /// As [`Record::load`].
    fn exact_as_of(&self, at: ConsensusHour) -> Result<ExactHistory, Error>;

    /// Everything recorded, relays with all attributes as last known; `None` if that is nothing yet.
    ///
    /// # Errors
    /// [`Error::Corrupt`] names the relay or table that cannot be read.
    fn load(&self) -> Result<Option<NetworkRecord>, Error>;

    /// The record of the time up to and including `at`: the same whether or not the store holds anything later, but for
    /// graphs, source status and rejects, which are kept of the newest document of a kind and left out where that is later.
    ///
    /// Relays have the attributes that are kept over time: flags, version, country and AS as in consensuses; nickname, addresses,
    /// country and AS with their names, contact, platform, effective family and first appearance as in the newest details document
    /// by then that lists them, else as in a pack, which is as last known at any time. What changes with every document
    /// (weights, bandwidths, probabilities) and other attributes that are kept as last known only are left out, even where `at`
    /// is the newest hour.
    ///
    /// # Errors
    /// As [`Record::load`].
    fn load_as_of(&self, at: ConsensusHour) -> Result<Option<NetworkRecord>, Error>;

    /// Hands every description of a relay through `until` to `take`. Those of packs, which are as last known at no particular
    /// time, come first and without an hour; then those of details documents, each with the hour since which it holds, those of
    /// one relay earliest first. [`Record::load_as_of`] lists the attributes that are described.
    ///
    /// # Errors
    /// As [`Record::load`].
    fn each_description(&self, until: ConsensusHour, take: &mut dyn FnMut(Option<ConsensusHour>, Relay)) -> Result<(), Error>;
}

/// Weights, bandwidths and events: how large relays and groups of them were, and what happened to them.
pub trait Figures {
    /// Takes in consensus weights alone, for consensuses that come as spans; returns of how many hours.
    ///
    /// Those of an hour that is weighed already stay, except that any source replaces a details document. [`Record::apply`] and
    /// [`Record::append_full_consensus`] take them in by themselves.
    ///
    /// # Errors
    /// As [`Record::apply`].
    fn append_weights(&mut self, consensuses: &[ConsensusWeights]) -> Result<usize, Error>;

    /// Weight, probabilities and bandwidths of one relay, day by day from the one of `from` to that before `to`: means over the
    /// consensuses in `[from, to)` that list it. Days of which nothing is known are missing.
    ///
    /// # Errors
    /// As [`Record::load`].
    fn relay_days(&self, relay: &Fingerprint, from: ConsensusHour, to: ConsensusHour) -> Result<Vec<RelayDay>, Error>;

    /// Gives those of every relay to `take`, by day and fingerprint, until it has enough. Takes the memory of what holds in
    /// `[from, to)`, not of all that is given.
    ///
    /// # Errors
    /// As [`Record::load`].
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
    /// As [`Record::load`].
    fn group_hours(&self, by: Grouping, from: ConsensusHour, to: ConsensusHour) -> Result<BTreeMap<GroupKey, Vec<GroupHour>>, Error>;

    /// Gives these to `take`, by hour and group, until it has enough; memory as in [`Figures::each_relay_day`].
    ///
    /// # Errors
    /// As [`Record::load`].
    fn each_group_hour(
        &self,
        by: Grouping,
        from: ConsensusHour,
        to: ConsensusHour,
        take: &mut dyn FnMut(&GroupKey, &GroupHour) -> ControlFlow<()>,
    ) -> Result<(), Error>;

    /// Gives `take` the weights of all relays at the latest weighed hour of each of these ranges of hours, both ends included, with the
    /// index of the range; ranges without one are left out.
    ///
    /// # Errors
    /// As [`Record::load`].
    fn hour_weights(&self, ranges: &[(ConsensusHour, ConsensusHour)], take: &mut dyn FnMut(usize, &HourWeights)) -> Result<(), Error>;

    /// The events of a relay, or of all, in `[from, to)`, by time and relay.
    ///
    /// # Errors
    /// As [`Record::load`].
    fn events(&self, relay: Option<&Fingerprint>, from: Timestamp, to: Timestamp) -> Result<Vec<Event>, Error>;
}

/// Tokens, and the notes on incidents that their holders submit.
///
/// Both stand beside the record: nothing that is detected or computed depends on them. A token itself is never stored, only the
/// SHA-256 of it, so a copy of the store authorises nobody. Revoked tokens stay, because notes name them.
pub trait Notes {
    /// All tokens, revoked ones included, by number.
    ///
    /// # Errors
    /// As [`Record::load`].
    fn tokens(&self) -> Result<Vec<Token>, Error>;

    /// Adds a token by its hash; `false`, and nothing happens, if there is one of that name.
    ///
    /// # Errors
    /// As [`Record::apply`].
    fn add_token(&mut self, name: &str, hash: &[u8; 32], at: Timestamp) -> Result<bool, Error>;

    /// Revokes the valid token of that name; `false` if there is none.
    ///
    /// # Errors
    /// As [`Record::apply`].
    fn revoke_token(&mut self, name: &str, at: Timestamp) -> Result<bool, Error>;

    /// All notes, earliest first.
    ///
    /// # Errors
    /// As [`Record::load`].
    fn incident_notes(&self) -> Result<Vec<IncidentNote>, Error>;

    /// Records a note and returns its number.
    ///
    /// # Errors
    /// As [`Record::apply`], and if the token does not exist.
    fn add_incident_note(&mut self, note: &NewNote) -> Result<i64, Error>;
}

/// Visits to sources, and proofs of claimed domains.
pub trait Sources {
    /// Records the outcome of a visit, for [`Sources::sources`].
    ///
    /// # Errors
    /// As [`Record::apply`].
    fn record_visit(&mut self, visit: &SourceVisit) -> Result<(), Error>;

    /// Reports on every source that was ever visited, by name.
    ///
    /// # Errors
    /// As [`Record::load`].
    fn sources(&self) -> Result<Vec<SourceReport>, Error>;

    /// Records the standing of proofs, replacing earlier standings of the same relays; returns of how many relays. Relays that were
    /// never recorded are passed over.
    ///
    /// # Errors
    /// As [`Record::apply`].
    fn record_proofs(&mut self, standings: &[ProofStanding]) -> Result<usize, Error>;

    /// The standing of every proof, by fingerprint: of relays that claim something else by now as well.
    ///
    /// # Errors
    /// As [`Record::load`].
    fn proofs(&self) -> Result<Vec<ProofStanding>, Error>;
}

/// States of workers: blobs by name, which only the worker that saved one can read.
///
/// A state is a copy of what the record implies, kept to save time. Nothing else in the store depends on one.
pub trait State {
    /// Keeps the state of a worker, replacing the one before. It is compressed; up to 1 GiB is accepted.
    ///
    /// # Errors
    /// [`Error::StateTooLarge`]; else as [`Record::apply`].
    fn save_state(&mut self, name: &str, state: &[u8]) -> Result<(), Error>;

    /// Reads the state that a worker saved last; `None` if it saved none.
    ///
    /// # Errors
    /// [`Error::Corrupt`] names the worker whose state is damaged.
    fn load_state(&self, name: &str) -> Result<Option<Vec<u8>>, Error>;
}

/// The care of a store: its size, its soundness, its copies.
pub trait Upkeep {
    /// Counts what is stored.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn stats(&self) -> Result<Stats, Error>;

    /// Checks every invariant; `docs/store.md` lists them.
    ///
    /// # Errors
    /// If the store cannot be read at all; damage inside is in the report.
    fn check(&self) -> Result<CheckReport, Error>;

    /// Forgets all consensuses before an hour, and relays, with their attributes and graphs, that were last seen before it.
    ///
    /// # Errors
    /// As [`Record::apply`].
    fn prune(&mut self, before: ConsensusHour) -> Result<Pruned, Error>;

    /// Removes everything that lies at a time outside `bounds`: consensuses, documents, graphs, descriptions, weights, events, visits.
    /// Attributes from a removed document become those of the description before it. What lies within stays as it is.
    ///
    /// # Errors
    /// As [`Record::apply`].
    fn mend(&mut self, bounds: Bounds) -> Result<Mended, Error>;

    /// Tells what [`Upkeep::mend`] would remove, and removes nothing.
    ///
    /// # Errors
    /// As [`Upkeep::mend`].
    fn try_mending(&mut self, bounds: Bounds) -> Result<Mended, Error>;

    /// Gives back the space that nothing uses. It takes up to twice the size of the content in free space for a while. Readers are
    /// not disturbed; with readers at work the store may shrink later.
    ///
    /// # Errors
    /// As [`Record::apply`]; the content is the same afterwards.
    fn compact(&mut self) -> Result<(), Error>;

    /// Writes a complete copy as of one moment to a new file, while others read and write.
    ///
    /// # Errors
    /// [`Error::Exists`] if there is a file of that name; [`Error::Io`] and [`Error::DiskFull`].
    fn backup(&self, to: &Path) -> Result<(), Error>;
}
