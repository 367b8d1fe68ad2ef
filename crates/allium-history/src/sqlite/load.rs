//! Rows out: everything recorded, as of the newest consensus or of an earlier one.

use std::collections::{BTreeMap, HashMap};

use allium_model::{
    ConsensusHour, DocumentKind, Fingerprint, Known, NetworkRecord, PublishedGraph, Reject, Relay, RelayFlag, RelayState, SourceStatus,
    StateSpan, TOR_BEGAN,
};
use rusqlite::{Connection, Row};

use super::columns::{hour, optional_hour, parsed};
use super::describe::Descriptions;
use super::failure::Failure;
use super::hours::known;
use super::relay_states::states;
use super::relays::{relay, select_relays};
use super::{hour_weights, proofs, statements};
use crate::assemble::{HistoryParts, Parts, RelayParts, finish};
use crate::blob::graphs::Decoder;
use crate::complete::Weights;

/// Everything recorded.
pub(super) fn load(conn: &Connection) -> Result<Option<NetworkRecord>, Failure> {
    let (relays, indices) = load_relays(conn)?;
    complete(conn, relays, &indices, None)
}

/// The record of the time up to and including `until`, with relays as they were described then.
pub(super) fn load_as_of(conn: &Connection, until: ConsensusHour) -> Result<Option<NetworkRecord>, Failure> {
    let (relays, indices) = load_relays_as_of(conn, until)?;
    complete(conn, relays, &indices, Some(until))
}

fn complete(
    conn: &Connection,
    mut relays: Vec<RelayParts>,
    indices: &HashMap<i64, usize>,
    as_of: Option<ConsensusHour>,
) -> Result<Option<NetworkRecord>, Failure> {
    let until = as_of.unwrap_or(NO_LIMIT);
    let known = known(conn, until)?;
    let sources = documents(conn)?.into_iter().filter(|source| source.published <= until).collect::<Vec<_>>();
    load_spans(conn, &mut relays, indices, &known)?;
    load_histories(conn, &mut relays, indices, until)?;
    relays.retain(|parts| !is_empty(parts));
    if as_of.is_some() {
        relays.iter_mut().for_each(|parts| take_spans(parts, &known));
    }
    let weights = newest_weights(conn, &known, as_of)?;
    Ok(finish(Parts { known, relays, rejects: rejects(conn, &sources)?, sources, weights }))
}

/// Every relay that a details document or a known consensus lists, as last known.
pub(super) fn relays(conn: &Connection) -> Result<Vec<Relay>, Failure> {
    let (relays, indices) = load_relays(conn)?;
    listed_relays(conn, relays, &indices, None)
}

/// Every relay that a details document or a known consensus through `until` lists, as described then.
pub(super) fn relays_as_of(conn: &Connection, until: ConsensusHour) -> Result<Vec<Relay>, Failure> {
    let (relays, indices) = load_relays_as_of(conn, until)?;
    listed_relays(conn, relays, &indices, Some(until))
}

fn listed_relays(
    conn: &Connection,
    mut relays: Vec<RelayParts>,
    indices: &HashMap<i64, usize>,
    as_of: Option<ConsensusHour>,
) -> Result<Vec<Relay>, Failure> {
    let known = known(conn, as_of.unwrap_or(NO_LIMIT))?;
    load_spans(conn, &mut relays, indices, &known)?;
    relays.retain(|parts| !is_empty(parts));
    if as_of.is_some() {
        relays.iter_mut().for_each(|parts| take_spans(parts, &known));
    }
    let weights = newest_weights(conn, &known, as_of)?;
    let record = finish(Parts { known, relays, sources: Vec::new(), rejects: Vec::new(), weights });
    Ok(record.map_or_else(Vec::new, |record| record.relays.into_iter().map(|recorded| recorded.relay).collect()))
}

/// The weights of the newest weighed consensus, which speak for the present and for no time before.
fn newest_weights(conn: &Connection, known: &Known, as_of: Option<ConsensusHour>) -> Result<Option<Weights>, Failure> {
    let Some(as_of) = known.last().filter(|_| as_of.is_none()) else { return Ok(None) };
    let mut newest = None;
    hour_weights::each(conn, &[(TOR_BEGAN, as_of)], &mut |_, weights| newest = Weights::of(weights, as_of))?;
    Ok(newest)
}

/// Later than every consensus.
const NO_LIMIT: ConsensusHour = ConsensusHour::new(i32::MAX);

fn is_empty(parts: &RelayParts) -> bool {
    parts.details_hour.is_none() && parts.spans.is_empty() && parts.histories.is_empty()
}

/// Takes flags and version from a relay's spans: each from the newest consensus that has it.
fn take_spans(parts: &mut RelayParts, known: &Known) {
    let newest_with = |flag| parts.spans.iter().rev().find(|span| known.of_flag(flag).count(span.start, span.end) > 0);
    let has = |flag: &RelayFlag| newest_with(*flag).is_some_and(|span| span.state.flags.contains(*flag));
    parts.relay.flags = RelayFlag::ALL.into_iter().filter(has).collect();
    parts.relay.version = parts.spans.iter().rev().find_map(|span| span.state.version.as_deref()).map(str::to_owned);
}

/// Relays by fingerprint, and the index of each relay's number: attributes as the newest details document has them, else a pack.
fn load_relays(conn: &Connection) -> Result<(Vec<RelayParts>, HashMap<i64, usize>), Failure> {
    let (descriptions, mut checks, mut stated) = (Descriptions::load(conn)?, proofs::checks(conn)?, statements::all(conn)?);
    let mut statement = conn.prepare(&select_relays())?;
    let mut rows = statement.query([])?;
    let n: usize = conn.query_row("SELECT count(*) FROM relays", [], |row| row.get::<_, u32>(0))? as usize;
    let (mut relays, mut indices) = (Vec::with_capacity(n), HashMap::with_capacity(n));
    while let Some(row) = rows.next()? {
        let (id, relay, details_hour) = relay(row, descriptions.families())?;
        indices.insert(id, relays.len());
        relays.push(RelayParts { details_hour, ..RelayParts::new(relay) });
    }
    describe_by_packs(conn, &descriptions, &mut relays, &indices)?;
    for (id, index) in &indices {
        relays[*index].relay.aroi_check = checks.remove(id);
        relays[*index].stated = stated.remove(id);
    }
    Ok((relays, indices))
}

/// Relays by fingerprint, and the index of each relay's number, as described at an hour.
fn load_relays_as_of(conn: &Connection, until: ConsensusHour) -> Result<(Vec<RelayParts>, HashMap<i64, usize>), Failure> {
    let descriptions = Descriptions::load(conn)?;
    let mut statement = conn.prepare("SELECT id, fingerprint FROM relays ORDER BY fingerprint")?;
    let mut rows = statement.query([])?;
    let (mut relays, mut indices) = (Vec::new(), HashMap::new());
    while let Some(row) = rows.next()? {
        indices.insert(row.get(0)?, relays.len());
        relays.push(RelayParts::new(Relay::unknown(Fingerprint::new(row.get(1)?))));
    }
    descriptions.of_details(conn, until, |id, since, relay| {
        let parts = parts_of(&mut relays, &indices, id)?;
        let fingerprint = parts.relay.fingerprint;
        *parts = RelayParts { details_hour: Some(since), ..RelayParts::new(Relay { fingerprint, ..relay }) };
        Ok(())
    })?;
    describe_by_packs(conn, &descriptions, &mut relays, &indices)?;
    Ok((relays, indices))
}

/// Takes descriptions over from packs, of relays that nothing else describes.
fn describe_by_packs(
    conn: &Connection,
    descriptions: &Descriptions,
    relays: &mut [RelayParts],
    indices: &HashMap<i64, usize>,
) -> Result<(), Failure> {
    descriptions.of_packs(conn, |id, relay| {
        let parts = parts_of(relays, indices, id)?;
        if parts.details_hour.is_none() {
            parts.relay = Relay { fingerprint: parts.relay.fingerprint, ..relay };
        }
        Ok(())
    })
}

fn load_spans(conn: &Connection, relays: &mut [RelayParts], indices: &HashMap<i64, usize>, known: &Known) -> Result<(), Failure> {
    let Some(last) = known.last() else { return Ok(()) };
    let states: HashMap<i64, RelayState> = states(conn)?.into_iter().collect();
    let mut statement =
        conn.prepare("SELECT relay_id, start_hour, end_hour, state_id FROM spans WHERE start_hour <= ? ORDER BY relay_id, start_hour")?;
    let mut rows = statement.query([last.get()])?;
    let mut of: Option<(i64, &mut RelayParts)> = None;
    while let Some(row) = rows.next()? {
        let state = states.get(&row.get(3)?).ok_or_else(|| Failure::Corrupt("a span whose state is missing".into()))?;
        let end = optional_hour(row, 2)?.map_or(last.next(), |end| end.min(last.next()));
        let end = known.before(end).map_or(end, ConsensusHour::next);
        let id = row.get(0)?;
        let parts = match of.take() {
            Some((of_id, parts)) if of_id == id => parts,
            _ => parts_of(relays, indices, id)?,
        };
        let start = hour(row, 1)?;
        parts.spans.extend((start < end).then(|| StateSpan { start, end, state: state.clone() }));
        of = Some((id, parts));
    }
    Ok(())
}

/// The graphs of the blob in a column, or the reason why it has none.
pub(super) fn decode_column(decoder: &mut Decoder, row: &Row<'_>, i: usize) -> rusqlite::Result<Result<Vec<PublishedGraph>, &'static str>> {
    Ok(row.get_ref(i)?.as_blob().map_err(|_| "not a blob").and_then(|blob| decoder.decode(blob)))
}

fn load_histories(
    conn: &Connection,
    relays: &mut [RelayParts],
    indices: &HashMap<i64, usize>,
    until: ConsensusHour,
) -> Result<(), Failure> {
    let mut decoder = Decoder::new();
    let mut statement = conn.prepare("SELECT relay_id, kind, published_hour, graphs FROM published_histories WHERE published_hour <= ?")?;
    let mut rows = statement.query([until.get()])?;
    while let Some(row) = rows.next()? {
        let parts = parts_of(relays, indices, row.get(0)?)?;
        let kind = kind(row, 1)?;
        let graphs = decode_column(&mut decoder, row, 3)?.map_err(|reason| {
            let relay = parts.relay.fingerprint;
            Failure::Corrupt(format!("{kind} graphs of relay {relay}: {reason}"))
        })?;
        parts.histories.push(HistoryParts { kind, published: hour(row, 2)?, graphs });
    }
    Ok(())
}

fn parts_of<'a>(relays: &'a mut [RelayParts], indices: &HashMap<i64, usize>, id: i64) -> Result<&'a mut RelayParts, Failure> {
    indices.get(&id).and_then(|index| relays.get_mut(*index)).ok_or_else(|| Failure::Corrupt(format!("relay {id} is missing")))
}

/// The newest accepted document of each kind, in the order of kinds.
pub(super) fn documents(conn: &Connection) -> Result<Vec<SourceStatus>, Failure> {
    let mut statement = conn.prepare("SELECT kind, origin, published_hour, obtained_at, size_bytes, n_relays, n_rejects FROM documents")?;
    let mut rows = statement.query([])?;
    let mut documents = Vec::new();
    while let Some(row) = rows.next()? {
        documents.push(SourceStatus {
            kind: kind(row, 0)?,
            origin: row.get(1)?,
            published: hour(row, 2)?,
            obtained_at: parsed(row, 3)?.ok_or_else(|| Failure::Corrupt("a document without time".into()))?,
            size_bytes: row.get::<_, i64>(4)?.cast_unsigned(),
            n_relays: row.get::<_, i64>(5)?.cast_unsigned() as usize,
            n_rejects: row.get::<_, i64>(6)?.cast_unsigned() as usize,
        });
    }
    documents.sort_by_key(|document| document.kind);
    Ok(documents)
}

/// The listed rejects of these documents, in the order of kinds.
pub(super) fn rejects(conn: &Connection, sources: &[SourceStatus]) -> Result<Vec<Reject>, Failure> {
    let mut by_kind: BTreeMap<DocumentKind, Vec<Reject>> = BTreeMap::new();
    let mut statement = conn.prepare("SELECT kind, origin, place, relay, reason FROM rejects ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let relay = row.get::<_, Option<[u8; 20]>>(3)?.map(Fingerprint::new);
        let reject = Reject { origin: row.get(1)?, location: row.get(2)?, relay, reason: row.get(4)? };
        by_kind.entry(kind(row, 0)?).or_default().push(reject);
    }
    by_kind.retain(|kind, _| sources.iter().any(|source| source.kind == *kind));
    Ok(by_kind.into_values().flatten().collect())
}

fn kind(row: &Row<'_>, i: usize) -> Result<DocumentKind, Failure> {
    let name: String = row.get(i)?;
    DocumentKind::from_name(&name).ok_or_else(|| Failure::Corrupt(format!("unknown kind of document {name:?}")))
}
