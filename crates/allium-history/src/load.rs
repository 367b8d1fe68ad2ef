//! Rows out: everything recorded, as of the newest consensus or of an earlier one.

use std::collections::{BTreeMap, HashMap};

use allium_model::{ConsensusHour, DocumentKind, Fingerprint, Known, NetworkRecord, Reject, Relay, SourceStatus, StateSpan};
use rusqlite::{Connection, Row};

use crate::assemble::{HistoryParts, Parts, RelayParts, finish};
use crate::blob::Decoder;
use crate::error::Failure;
use crate::relays::{Described, families, hour, optional_hour, parsed, relay, select_relays};
use crate::spans::{known, known_hours, states};

/// Everything recorded that does not come from after `until`.
pub(crate) fn load(conn: &Connection, until: ConsensusHour) -> Result<Option<NetworkRecord>, Failure> {
    let newest = known_hours(conn)?.last().copied();
    let known = known(conn, until)?;
    let sources = documents(conn)?.into_iter().filter(|source| source.published <= until).collect::<Vec<_>>();
    let (mut relays, places) = load_relays(conn, until)?;
    load_spans(conn, &mut relays, &places, &known, newest)?;
    load_histories(conn, &mut relays, &places, until)?;
    relays.retain(|parts| !is_empty(parts));
    Ok(finish(Parts { known, relays, rejects: rejects(conn, &sources)?, sources }))
}

/// Every relay that a details document or a known consensus lists, as last known.
pub(crate) fn relays(conn: &Connection) -> Result<Vec<Relay>, Failure> {
    let known = known(conn, NO_LIMIT)?;
    let newest = known.last();
    let (mut relays, places) = load_relays(conn, NO_LIMIT)?;
    load_spans(conn, &mut relays, &places, &known, newest)?;
    relays.retain(|parts| !is_empty(parts));
    let record = finish(Parts { known, relays, sources: Vec::new(), rejects: Vec::new() });
    Ok(record.map_or_else(Vec::new, |record| record.relays.into_iter().map(|recorded| recorded.relay).collect()))
}

/// Later than every consensus.
pub(crate) const NO_LIMIT: ConsensusHour = ConsensusHour::new(i32::MAX);

fn is_empty(parts: &RelayParts) -> bool {
    parts.details_hour.is_none() && parts.spans.is_empty() && parts.histories.is_empty()
}

/// Relays by fingerprint, and the place of each relay's number.
fn load_relays(conn: &Connection, until: ConsensusHour) -> Result<(Vec<RelayParts>, HashMap<i64, usize>), Failure> {
    let families = families(conn)?;
    let mut statement = conn.prepare(&select_relays())?;
    let mut rows = statement.query([])?;
    let (mut relays, mut places) = (Vec::new(), HashMap::new());
    while let Some(row) = rows.next()? {
        let (id, relay, described) = relay(row, &families)?;
        places.insert(id, relays.len());
        let nothing = RelayParts::unknown(relay.fingerprint);
        relays.push(match described {
            Described::ByDetails(hour) if hour <= until => RelayParts { details_hour: Some(hour), relay, ..nothing },
            Described::ByPack(hour) if hour <= until => RelayParts { relay, ..nothing },
            _ => nothing,
        });
    }
    Ok((relays, places))
}

fn load_spans(
    conn: &Connection,
    relays: &mut [RelayParts],
    places: &HashMap<i64, usize>,
    known: &Known,
    newest: Option<ConsensusHour>,
) -> Result<(), Failure> {
    let (Some(last), Some(newest)) = (known.last(), newest) else { return Ok(()) };
    let states = states(conn)?;
    let mut statement =
        conn.prepare("SELECT relay_id, start_hour, end_hour, state_id FROM spans WHERE start_hour <= ? ORDER BY relay_id, start_hour")?;
    let mut rows = statement.query([last.get()])?;
    while let Some(row) = rows.next()? {
        let state = states.get(&row.get(3)?).ok_or_else(|| Failure::Corrupt("a span whose state is missing".into()))?;
        let end = optional_hour(row, 2)?.unwrap_or(newest.next()).min(last.next());
        let end = known.before(end).map_or(end, ConsensusHour::next);
        let parts = parts_of(relays, places, row.get(0)?)?;
        parts.spans.push(StateSpan { start: hour(row, 1)?, end, state: state.clone() });
    }
    Ok(())
}

fn load_histories(conn: &Connection, relays: &mut [RelayParts], places: &HashMap<i64, usize>, until: ConsensusHour) -> Result<(), Failure> {
    let mut decoder = Decoder::new();
    let mut statement = conn.prepare("SELECT relay_id, kind, published_hour, graphs FROM published_histories WHERE published_hour <= ?")?;
    let mut rows = statement.query([until.get()])?;
    while let Some(row) = rows.next()? {
        let parts = parts_of(relays, places, row.get(0)?)?;
        let kind = kind(row, 1)?;
        let graphs = decoder.decode_column(row, 3)?.map_err(|reason| {
            let relay = parts.relay.fingerprint;
            Failure::Corrupt(format!("{kind} graphs of relay {relay}: {reason}"))
        })?;
        parts.histories.push(HistoryParts { kind, published: hour(row, 2)?, graphs });
    }
    Ok(())
}

fn parts_of<'a>(relays: &'a mut [RelayParts], places: &HashMap<i64, usize>, id: i64) -> Result<&'a mut RelayParts, Failure> {
    places.get(&id).and_then(|place| relays.get_mut(*place)).ok_or_else(|| Failure::Corrupt(format!("relay {id} is missing")))
}

/// The newest accepted document of each kind, in the order of kinds.
pub(crate) fn documents(conn: &Connection) -> Result<Vec<SourceStatus>, Failure> {
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
pub(crate) fn rejects(conn: &Connection, sources: &[SourceStatus]) -> Result<Vec<Reject>, Failure> {
    let mut by_kind: BTreeMap<DocumentKind, Vec<Reject>> = BTreeMap::new();
    let mut statement = conn.prepare("SELECT kind, origin, place, relay, reason FROM rejects ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let relay = row.get::<_, Option<[u8; 20]>>(3)?.map(Fingerprint::new);
        let reject = Reject { origin: row.get(1)?, place: row.get(2)?, relay, reason: row.get(4)? };
        by_kind.entry(kind(row, 0)?).or_default().push(reject);
    }
    by_kind.retain(|kind, _| sources.iter().any(|source| source.kind == *kind));
    Ok(by_kind.into_values().flatten().collect())
}

fn kind(row: &Row<'_>, i: usize) -> Result<DocumentKind, Failure> {
    let name: String = row.get(i)?;
    DocumentKind::from_name(&name).ok_or_else(|| Failure::Corrupt(format!("unknown kind of document {name:?}")))
}
