//! Records from their parts, whether these come from a store or straight from documents.
//!
//! Rules: a relay is Running if the newest known consensus lists it so; where consensuses later than its details
//! document list it, its flags, country, AS and version are theirs; graphs of a document older than the
//! newest of its kind are completed with known-down intervals; its first appearance is what [`FirstSeen::decide`] makes of all of
//! these; what one source leaves out another completes ([`crate::complete`]).

use std::collections::{BTreeMap, HashMap};

use allium_model::{
    ConsensusHour, DocumentKind, Fingerprint, FirstSeen, FirstSeenClues, Known, NetworkRecord, PublishedGraph, Reject, Relay, RelayFlag,
    RelayHistories, RelayRecord, RelayState, SourceStatus, StateSpan, TOR_BEGAN, Timestamp,
};

use crate::complete::{Weights, take_graphs, take_statement, take_weight};
use crate::consensus::Statement;
use crate::update::Update;

/// Everything that a record is made of.
pub(crate) struct Parts {
    pub(crate) known: Known,
    /// Sorted by fingerprint.
    pub(crate) relays: Vec<RelayParts>,
    /// One per kind.
    pub(crate) sources: Vec<SourceStatus>,
    /// By kind.
    pub(crate) rejects: Vec<Reject>,
    /// The newest weights, where they are to be taken over.
    pub(crate) weights: Option<Weights>,
}

/// Everything recorded of one relay.
pub(crate) struct RelayParts {
    pub(crate) relay: Relay,
    /// The newest details document that lists it.
    pub(crate) details_hour: Option<ConsensusHour>,
    pub(crate) spans: Vec<StateSpan>,
    pub(crate) histories: Vec<HistoryParts>,
    /// The newest statement of a consensus, and the hour since which it holds.
    pub(crate) stated: Option<(ConsensusHour, Statement)>,
}

/// The graphs of one relay from one document.
pub(crate) struct HistoryParts {
    pub(crate) kind: DocumentKind,
    pub(crate) published: ConsensusHour,
    pub(crate) graphs: Vec<PublishedGraph>,
}

impl RelayParts {
    /// A relay of which no document and no consensus is known yet.
    pub(crate) fn new(relay: Relay) -> Self {
        Self { relay, details_hour: None, spans: Vec::new(), histories: Vec::new(), stated: None }
    }
}

/// The record of one update alone, without any store: what an empty store holds after [`crate::Record::apply`].
///
/// `None` if the update brings no document. Of several documents of one kind the newest is taken.
pub fn assemble(update: &Update) -> Option<NetworkRecord> {
    let mut relays: BTreeMap<Fingerprint, RelayParts> = BTreeMap::new();
    let mut sources: BTreeMap<DocumentKind, SourceStatus> = BTreeMap::new();
    let mut known = Vec::new();
    if let Some((status, listed)) = &update.details {
        let is_whole = !update.parts.contains(&status.kind);
        known.extend(is_whole.then_some(status.published));
        sources.insert(status.kind, status.clone());
        for relay in listed {
            let parts = relays.entry(relay.fingerprint).or_insert_with(|| RelayParts::new(Relay::unknown(relay.fingerprint)));
            parts.relay = relay.clone();
            parts.details_hour = Some(status.published);
            let span = |state| StateSpan { start: status.published, end: status.published.next(), state };
            parts.spans = state(relay).filter(|_| is_whole).map(span).into_iter().collect();
        }
    }
    for (status, histories) in &update.histories {
        if sources.get(&status.kind).is_none_or(|accepted| accepted.published < status.published) {
            sources.insert(status.kind, status.clone());
            histories.iter().for_each(|history| take_history(&mut relays, status, history));
        }
    }
    let mut rejects: Vec<&(DocumentKind, Reject)> = update.rejects.iter().filter(|(kind, _)| sources.contains_key(kind)).collect();
    rejects.sort_by_key(|(kind, _)| *kind);
    finish(Parts {
        known: Known::new(known),
        relays: relays.into_values().collect(),
        sources: sources.into_values().collect(),
        rejects: rejects.into_iter().map(|(_, reject)| reject.clone()).collect(),
        weights: update.details.as_ref().map(|(status, listed)| Weights::of_document(status.published, listed)),
    })
}

fn take_history(relays: &mut BTreeMap<Fingerprint, RelayParts>, status: &SourceStatus, history: &RelayHistories) {
    let parts = relays.entry(history.fingerprint).or_insert_with(|| RelayParts::new(Relay::unknown(history.fingerprint)));
    parts.histories.retain(|older| older.kind != status.kind);
    parts.histories.push(HistoryParts { kind: status.kind, published: status.published, graphs: history.graphs.clone() });
}

/// The state in which a details document lists a relay; `None` for one that is not running.
pub(crate) fn state(relay: &Relay) -> Option<RelayState> {
    relay.running.then(|| {
        let mut flags = relay.flags;
        flags.insert(RelayFlag::Running);
        RelayState { flags, country: relay.country, asn: relay.asn, version: relay.version.as_deref().map(Into::into) }
    })
}

/// Puts the parts together; `None` if neither a consensus nor a document is known.
pub(crate) fn finish(parts: Parts) -> Option<NetworkRecord> {
    let Parts { known, mut relays, sources, rejects, weights } = parts;
    let as_of = known.last().or_else(|| sources.iter().map(|source| source.published).max())?;
    complete_graphs(&mut relays, &sources);
    let relays = relays.into_iter().map(|parts| finish_relay(parts, as_of, &known, weights.as_ref())).collect();
    Some(NetworkRecord { as_of, known, relays, sources, rejects })
}

fn finish_relay(parts: RelayParts, as_of: ConsensusHour, known: &Known, weights: Option<&Weights>) -> RelayRecord {
    let RelayParts { mut relay, details_hour, spans, mut histories, stated } = parts;
    relay.running = false;
    forget_impossible_times(&mut relay);
    let stated_as_seen = relay.last_seen;
    if let Some(last) = spans.last() {
        let listed = last.end.plus(-1);
        relay.running = listed == as_of && last.state.flags.contains(RelayFlag::Running);
        relay.last_seen = relay.last_seen.max(Some(listed));
        if details_hour < Some(listed) {
            follow(&mut relay, &last.state, |flag| known.of_flag(flag).contains(listed));
        }
        relay.version = relay.version.or_else(|| last.state.version.as_deref().map(str::to_owned));
    }
    // A document that is a part may be later than the newest consensus; as of that one nothing later has been seen.
    relay.last_seen = relay.last_seen.map(|seen| seen.min(as_of));
    histories.sort_by_key(|history| history.kind);
    let published: Vec<PublishedGraph> = histories.into_iter().flat_map(|history| history.graphs).collect();
    if let Some((since, stated)) = stated {
        take_statement(&mut relay, details_hour, since, stated);
    }
    if let Some(weights) = weights {
        take_weight(&mut relay, details_hour, weights);
    }
    take_graphs(&mut relay, &published, as_of);
    relay.first_seen = FirstSeen::decide(&FirstSeenClues {
        documented: relay.first_seen.documented(),
        listed: spans.first().map(|span| span.start),
        last_seen: stated_as_seen,
        published: &published,
        known,
        as_of,
    });
    RelayRecord { relay, spans, published }
}

/// Makes times before Tor unknown: a document writes 1970 for "never".
fn forget_impossible_times(relay: &mut Relay) {
    let hour = |hour: &ConsensusHour| *hour >= TOR_BEGAN;
    let instant = |at: &Timestamp| *at >= TOR_BEGAN.start();
    relay.last_seen = relay.last_seen.filter(hour);
    relay.last_changed_address_or_port = relay.last_changed_address_or_port.filter(hour);
    relay.last_restarted = relay.last_restarted.filter(instant);
    relay.overload_general_at = relay.overload_general_at.filter(instant);
}

/// Takes over the state in a consensus later than the details document, with the flags that are known of it.
fn follow(relay: &mut Relay, state: &RelayState, is_known: impl Fn(RelayFlag) -> bool) {
    let has = |flag: &RelayFlag| if is_known(*flag) { state.flags.contains(*flag) } else { relay.flags.contains(*flag) };
    relay.flags = RelayFlag::ALL.into_iter().filter(has).collect();
    if state.country.is_some() && state.country != relay.country {
        (relay.country, relay.country_name) = (state.country, None);
    }
    if state.asn.is_some() && state.asn != relay.asn {
        (relay.asn, relay.as_name) = (state.asn, None);
    }
    if let Some(version) = &state.version {
        relay.version = Some(version.to_string());
    }
}

/// Completes graphs from documents that were superseded by one without the relay.
///
/// They are completed as far as the superseding document reaches in graphs of the same interval; where it has none of
/// that interval, to its newest consensus.
fn complete_graphs(relays: &mut [RelayParts], sources: &[SourceStatus]) {
    for source in sources {
        let of_kind = |history: &&HistoryParts| history.kind == source.kind;
        if relays.iter().flat_map(|relay| &relay.histories).filter(of_kind).all(|history| history.published == source.published) {
            continue;
        }
        let current =
            relays.iter().flat_map(|relay| &relay.histories).filter(of_kind).filter(|history| history.published == source.published);
        let mut ends: HashMap<u32, i64> = HashMap::new();
        for series in current.flat_map(|history| &history.graphs).map(|graph| &graph.series) {
            let end = ends.entry(series.interval_secs()).or_insert(i64::MIN);
            *end = series.end_secs().max(*end);
        }
        let measured_until = source.published.next().start_secs();
        for history in relays.iter_mut().flat_map(|relay| &mut relay.histories) {
            if history.kind == source.kind && history.published != source.published {
                for graph in &mut history.graphs {
                    let end = ends.get(&graph.series.interval_secs()).copied().unwrap_or(measured_until);
                    graph.complete_down(end.min(measured_until));
                }
            }
        }
    }
}
