//! Documents in: those of one visit to a source become rows.

use std::collections::{BTreeMap, BTreeSet};

use allium_model::{
    BandwidthWeights, Bounds, ConsensusHour, DocumentKind, Fingerprint, Reject, Relay, RelayHistories, RelayState, SourceStatus,
};
use rusqlite::{Connection, OptionalExtension, params};

use super::consensuses::{append_consensus, details_consensus};
use super::events;
use super::failure::Failure;
use super::families::forget_unused_families;
use super::locations::fill_in;
use super::measures::{add_bandwidths, add_weights};
use super::relay_ids::RelayIds;
use super::relays::RelayWriter;
use crate::assemble::state;
use crate::blob::graphs::Encoder;
use crate::consensus::{FullConsensus, Listed};
use crate::error::Error;
use crate::update::{Applied, AppliedDocument, Outcome, Update};

/// Takes an update in; runs inside a transaction that the caller ends.
pub(super) fn apply(conn: &Connection, update: &Update) -> Result<Applied, Failure> {
    let mut relay_ids = RelayIds::load(conn)?;
    let mut applied = Applied { documents: Vec::new(), consensus_is_new: false };
    if let Some((status, relays)) = &update.details {
        let is_part = update.parts.contains(&status.kind);
        let outcome = take_in(conn, &mut relay_ids, status, update, |ids, _| {
            store_relays(conn, ids, status, relays, update.bounds)?;
            applied.consensus_is_new = !is_part && store_list(conn, ids, status, relays)?;
            Ok(())
        })?;
        applied.documents.push(outcome);
    }
    for (status, histories) in &update.histories {
        let outcome =
            take_in(conn, &mut relay_ids, status, update, |ids, in_use| store_histories(conn, ids, status.kind, in_use, histories))?;
        applied.documents.push(outcome);
    }
    for document in &applied.documents {
        match document.outcome {
            Outcome::Stored => store_rejects(conn, document.kind, &update.rejects)?,
            Outcome::Described => add_rejects(conn, document.kind, &update.rejects)?,
            Outcome::AlreadyStored => {}
        }
    }
    Ok(applied)
}

/// Stores a document unless it is in use already; a part stays beside the one in use, if there is one. `store` is given the hour of the
/// document in use.
fn take_in<F>(
    conn: &Connection,
    relay_ids: &mut RelayIds,
    status: &SourceStatus,
    update: &Update,
    store: F,
) -> Result<AppliedDocument, Failure>
where
    F: FnOnce(&mut RelayIds, ConsensusHour) -> Result<(), Failure>,
{
    let n_before = relay_ids.n_created();
    let in_use = in_use(conn, status.kind, update.bounds)?;
    let is_part = update.parts.contains(&status.kind);
    let outcome = match in_use {
        in_use if !is_additional(status, in_use)? => Outcome::AlreadyStored,
        Some((hour, _)) if is_part => {
            store(relay_ids, hour)?;
            Outcome::Described
        }
        _ => {
            store_status(conn, status)?;
            store(relay_ids, status.published)?;
            Outcome::Stored
        }
    };
    let n_new = relay_ids.n_created() - n_before;
    Ok(AppliedDocument { kind: status.kind, published: status.published, outcome, n_relays: status.n_relays, n_new })
}

/// Hour and number of relays of the document in use; one of a time that cannot be is none.
fn in_use(conn: &Connection, kind: DocumentKind, bounds: Bounds) -> Result<Option<(ConsensusHour, usize)>, Failure> {
    let stored = conn
        .query_row("SELECT published_hour, n_relays FROM documents WHERE kind = ?", [kind.name()], |row| {
            Ok((ConsensusHour::new(row.get(0)?), row.get::<_, i64>(1)?.unsigned_abs() as usize))
        })
        .optional()?;
    Ok(stored.filter(|(hour, _)| bounds.contain(*hour)))
}

/// True if the document is newer than the one in use, or of the same hour with more relays; an older one is an error.
fn is_additional(status: &SourceStatus, in_use: Option<(ConsensusHour, usize)>) -> Result<bool, Failure> {
    let Some((stored, n_relays)) = in_use else { return Ok(true) };
    if status.published < stored {
        let (kind, offered, origin) = (status.kind, status.published, status.origin.clone());
        return Err(Error::Older { kind, stored, offered, origin }.into());
    }
    Ok(status.published > stored || status.n_relays > n_relays)
}

/// Stores what a details document says of its relays, but of those that a later one has described already.
fn store_relays(
    conn: &Connection,
    relay_ids: &mut RelayIds,
    status: &SourceStatus,
    relays: &[Relay],
    bounds: Bounds,
) -> Result<(), Failure> {
    let later = later_described(conn, status.published, bounds)?;
    let mut last_entries: BTreeMap<Fingerprint, &Relay> = relays.iter().map(|relay| (relay.fingerprint, relay)).collect();
    last_entries.retain(|fingerprint, _| !later.contains(fingerprint));
    events::of_details(conn, relay_ids, status.published, &last_entries.values().copied().collect::<Vec<_>>())?;
    let mut writer = RelayWriter::new(conn)?;
    for (fingerprint, relay) in &last_entries {
        writer.write(conn, relay_ids.id(conn, fingerprint)?, status.published, relay)?;
    }
    forget_unused_families(conn)
}

/// The relays whose attributes are those of a document later than `published` that is a part; one of a time that cannot be is none.
fn later_described(conn: &Connection, published: ConsensusHour, bounds: Bounds) -> Result<BTreeSet<Fingerprint>, Failure> {
    let mut statement = conn.prepare(
        "SELECT fingerprint FROM relays WHERE details_hour > ?1 AND details_hour <= ?2
         AND NOT EXISTS (SELECT 1 FROM documents WHERE kind = 'details' AND published_hour > ?1)",
    )?;
    Ok(statement
        .query_map([published.get(), bounds.latest_hour().get()], |row| row.get(0).map(Fingerprint::new))?
        .collect::<Result<_, _>>()?)
}

/// Stores a details document as the consensus of its hour; true if that was not known.
fn store_list(conn: &Connection, relay_ids: &mut RelayIds, status: &SourceStatus, relays: &[Relay]) -> Result<bool, Failure> {
    let last_entries: BTreeMap<Fingerprint, &Relay> = relays.iter().map(|relay| (relay.fingerprint, relay)).collect();
    let states = last_entries.values().filter_map(|relay| Some((*relay, state(relay)?)));
    let listed: Vec<Listed> = states.map(|(relay, state)| listed(relay, state)).collect();
    let info = details_consensus(status.published, status.obtained_at);
    let is_new = append_consensus(conn, relay_ids, &info, &listed)?;
    let weights = FullConsensus { info, listed, bandwidth_weights: BandwidthWeights::default() }.weights();
    add_weights(conn, relay_ids, std::slice::from_ref(&weights))?;
    add_bandwidths(conn, relay_ids, status.published, &last_entries.values().copied().collect::<Vec<_>>())?;
    if !is_new {
        fill_in(conn, relay_ids, status.published, &last_entries.into_values().collect::<Vec<_>>())?;
    }
    Ok(is_new)
}

fn listed(relay: &Relay, state: RelayState) -> Listed {
    Listed { address: relay.primary_ip(), weight: relay.consensus_weight, ..Listed::of(relay.fingerprint, state) }
}

fn store_histories(
    conn: &Connection,
    relay_ids: &mut RelayIds,
    kind: DocumentKind,
    in_use: ConsensusHour,
    histories: &[RelayHistories],
) -> Result<(), Failure> {
    let mut encoder = Encoder::new();
    let mut insert = conn.prepare(
        "INSERT INTO published_histories (relay_id, kind, published_hour, graphs) VALUES (?, ?, ?, ?)
         ON CONFLICT (relay_id, kind) DO UPDATE SET published_hour = excluded.published_hour, graphs = excluded.graphs",
    )?;
    for history in histories {
        let relay = history.fingerprint;
        let blob = encoder.encode(&history.graphs).map_err(|n_bytes| Error::TooLarge { relay, kind, n_bytes })?;
        insert.execute(params![relay_ids.id(conn, &relay)?, kind.name(), in_use.get(), blob])?;
    }
    Ok(())
}

fn store_status(conn: &Connection, status: &SourceStatus) -> Result<(), Failure> {
    conn.execute(
        "INSERT INTO documents (kind, origin, published_hour, obtained_at, size_bytes, n_relays, n_rejects) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (kind) DO UPDATE SET origin = excluded.origin, published_hour = excluded.published_hour,
         obtained_at = excluded.obtained_at, size_bytes = excluded.size_bytes, n_relays = excluded.n_relays, n_rejects = excluded.n_rejects",
        params![
            status.kind.name(),
            status.origin,
            status.published.get(),
            status.obtained_at.to_string(),
            status.size_bytes.cast_signed(),
            (status.n_relays as u64).cast_signed(),
            (status.n_rejects as u64).cast_signed()
        ],
    )?;
    Ok(())
}

fn store_rejects(conn: &Connection, kind: DocumentKind, rejects: &[(DocumentKind, Reject)]) -> Result<(), Failure> {
    conn.execute("DELETE FROM rejects WHERE kind = ?", [kind.name()])?;
    insert_rejects(conn, kind, rejects)
}

/// Adds the rejects of a part to those of the document in use; they replace those of an earlier part from the same place.
fn add_rejects(conn: &Connection, kind: DocumentKind, rejects: &[(DocumentKind, Reject)]) -> Result<(), Failure> {
    let origins: BTreeSet<&str> = rejects.iter().filter(|(of, _)| *of == kind).map(|(_, reject)| reject.origin.as_str()).collect();
    for origin in origins {
        let removed = conn.execute("DELETE FROM rejects WHERE kind = ? AND origin = ?", [kind.name(), origin])?;
        conn.execute("UPDATE documents SET n_rejects = max(n_rejects - ?, 0) WHERE kind = ?", params![removed as i64, kind.name()])?;
    }
    let n_added = rejects.iter().filter(|(of, _)| *of == kind).count();
    conn.execute("UPDATE documents SET n_rejects = n_rejects + ? WHERE kind = ?", params![n_added as i64, kind.name()])?;
    insert_rejects(conn, kind, rejects)
}

fn insert_rejects(conn: &Connection, kind: DocumentKind, rejects: &[(DocumentKind, Reject)]) -> Result<(), Failure> {
    let mut insert = conn.prepare_cached("INSERT INTO rejects (kind, origin, place, relay, reason) VALUES (?, ?, ?, ?, ?)")?;
    for (_, reject) in rejects.iter().filter(|(reject_kind, _)| *reject_kind == kind) {
        let relay = reject.relay.as_ref().map(Fingerprint::as_bytes);
        insert.execute(params![kind.name(), reject.origin, reject.location, relay, reject.reason])?;
    }
    Ok(())
}
