//! Documents in: those of one visit to a source become rows.

use std::collections::BTreeMap;

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
        let outcome = take_in(conn, &mut relay_ids, status, update.bounds, |ids| {
            applied.consensus_is_new = store_details(conn, ids, status, relays)?;
            Ok(())
        })?;
        applied.documents.push(outcome);
    }
    for (status, histories) in &update.histories {
        let outcome = take_in(conn, &mut relay_ids, status, update.bounds, |ids| store_histories(conn, ids, status, histories))?;
        applied.documents.push(outcome);
    }
    for document in applied.documents.iter().filter(|document| document.outcome == Outcome::Stored) {
        store_rejects(conn, document.kind, &update.rejects)?;
    }
    Ok(applied)
}

/// Stores a document unless it is in use already.
fn take_in<F>(
    conn: &Connection,
    relay_ids: &mut RelayIds,
    status: &SourceStatus,
    bounds: Bounds,
    store: F,
) -> Result<AppliedDocument, Failure>
where
    F: FnOnce(&mut RelayIds) -> Result<(), Failure>,
{
    let n_before = relay_ids.n_created();
    let outcome = if is_additional(conn, status, bounds)? {
        store_status(conn, status)?;
        store(relay_ids)?;
        Outcome::Stored
    } else {
        Outcome::AlreadyStored
    };
    let n_new = relay_ids.n_created() - n_before;
    Ok(AppliedDocument { kind: status.kind, published: status.published, outcome, n_relays: status.n_relays, n_new })
}

/// True if the document is newer than the one in use, or that one is of a time that cannot be; an older one is an error.
fn is_additional(conn: &Connection, status: &SourceStatus, bounds: Bounds) -> Result<bool, Failure> {
    let stored = conn
        .query_row("SELECT published_hour FROM documents WHERE kind = ?", [status.kind.name()], |row| row.get(0).map(ConsensusHour::new))
        .optional()?;
    let Some(stored) = stored.filter(|stored| bounds.contain(*stored)) else { return Ok(true) };
    if status.published < stored {
        let (kind, offered, origin) = (status.kind, status.published, status.origin.clone());
        return Err(Error::Older { kind, stored, offered, origin }.into());
    }
    Ok(status.published > stored)
}

fn store_details(conn: &Connection, relay_ids: &mut RelayIds, status: &SourceStatus, relays: &[Relay]) -> Result<bool, Failure> {
    let last_entries: BTreeMap<Fingerprint, &Relay> = relays.iter().map(|relay| (relay.fingerprint, relay)).collect();
    events::of_details(conn, relay_ids, status.published, &last_entries.values().copied().collect::<Vec<_>>())?;
    let mut writer = RelayWriter::new(conn)?;
    for (fingerprint, relay) in &last_entries {
        writer.write(conn, relay_ids.id(conn, fingerprint)?, status.published, relay)?;
    }
    forget_unused_families(conn)?;
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
    Listed { fingerprint: relay.fingerprint, state, address: relay.primary_ip(), weight: relay.consensus_weight }
}

fn store_histories(
    conn: &Connection,
    relay_ids: &mut RelayIds,
    status: &SourceStatus,
    histories: &[RelayHistories],
) -> Result<(), Failure> {
    let mut encoder = Encoder::new();
    let mut insert = conn.prepare(
        "INSERT INTO published_histories (relay_id, kind, published_hour, graphs) VALUES (?, ?, ?, ?)
         ON CONFLICT (relay_id, kind) DO UPDATE SET published_hour = excluded.published_hour, graphs = excluded.graphs",
    )?;
    for history in histories {
        let (relay, kind) = (history.fingerprint, status.kind);
        let blob = encoder.encode(&history.graphs).map_err(|n_bytes| Error::TooLarge { relay, kind, n_bytes })?;
        insert.execute(params![relay_ids.id(conn, &relay)?, kind.name(), status.published.get(), blob])?;
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
    let mut insert = conn.prepare_cached("INSERT INTO rejects (kind, origin, place, relay, reason) VALUES (?, ?, ?, ?, ?)")?;
    for (_, reject) in rejects.iter().filter(|(reject_kind, _)| *reject_kind == kind) {
        let relay = reject.relay.as_ref().map(Fingerprint::as_bytes);
        insert.execute(params![kind.name(), reject.origin, reject.location, relay, reject.reason])?;
    }
    Ok(())
}
