//! Documents that describe a part of the network: never a list of running relays.
//!
//! Question: does a document of Onionoo hold all relays of the last seven days, as a whole one does? A part says so itself
//! (`relays_truncated`, `relays_skipped`), or answers an address with a filter, or shows it by what it lacks: relays that consensuses
//! of the six days before its own list. A few may be missing for reasons of the source; more than a tenth are a part, and so is more than a fiftieth
//! where every relay in the document runs, as in the answer to `running=true`. A document of graphs is a part if it has fewer than half of
//! the relays of the one in use. A list without a running relay is no list of the Tor network.
//!
//! Limits: without a record to compare with, a document that has running relays and does not say so is taken for the whole.

use std::collections::HashSet;

use allium_history::{Error, Store};
use allium_model::{Fingerprint, Reject, Relay, RelayRecord};
use allium_sources::onionoo::{Document, Header};
use allium_words::format::{count, counted};

/// Hours before a document whose relays it must have: a day less than it has, for clocks and delays.
const COMPARED_HOURS: i32 = RelayRecord::CURRENT_HOURS - 24;
/// Fewest missing relays that make a part.
const MIN_MISSING: usize = 3;
/// Parameters of an address that leave no relay out.
const HARMLESS: [&str; 2] = ["fields", "order"];

/// Reason why a document is a part of the network, as a reject that says how many relays are left out; `None` for a whole one.
///
/// # Errors
/// If the store cannot be read.
pub fn part(document: &Document, store: &dyn Store) -> Result<Option<Reject>, Error> {
    let header = document.header();
    let reason = match stated(header) {
        Some(reason) => Some(reason),
        None => shown(document, store)?,
    };
    let taken = match document {
        Document::Histories(_) => "what it says of the relays in it is used, and nothing follows for the others",
        _ => "it is not taken as a list of running relays; what it says of the relays in it is used",
    };
    Ok(reason.map(|reason| Reject {
        origin: header.origin.clone(),
        location: "relays".to_owned(),
        relay: None,
        reason: format!("a part of the network: {reason}; {taken}"),
    }))
}

/// The reason that a document or its address states.
fn stated(header: &Header) -> Option<String> {
    if header.n_left_out > 0 {
        return Some(format!("by its own count {} left out", counted_are(header.n_left_out)));
    }
    let (_, query) = header.origin.split_once('?')?;
    let is_filter = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        !name.is_empty() && !HARMLESS.contains(&name) && !pair.eq_ignore_ascii_case("type=relay")
    };
    let filter = query.split('&').find(is_filter)?;
    Some(format!("it answers an address with the filter {filter}"))
}

/// The reason that a comparison with the record shows.
fn shown(document: &Document, store: &dyn Store) -> Result<Option<String>, Error> {
    match document {
        Document::Summary(_) => Ok(None),
        Document::Details(details) => {
            if details.relays.iter().all(|relay| !relay.running) {
                return Ok(Some("it has no running relay".to_owned()));
            }
            let published = details.header.published;
            let listed = store.listed_between(published.plus(-COMPARED_HOURS), published)?;
            Ok(lacking(&details.relays, &listed))
        }
        Document::Histories(histories) => {
            let in_use = store.stats()?.documents.into_iter().find(|status| status.kind == histories.header.kind);
            let (n, n_before) = (histories.relays.len(), in_use.map_or(0, |status| status.n_relays));
            let is_part = n_before >= n + MIN_MISSING && 2 * n < n_before;
            Ok(is_part.then(|| format!("it has {} relays, the document before it {}", count(n as u64), count(n_before as u64))))
        }
    }
}

fn lacking(relays: &[Relay], listed: &[Fingerprint]) -> Option<String> {
    let present: HashSet<&Fingerprint> = relays.iter().map(|relay| &relay.fingerprint).collect();
    let n_missing = listed.iter().filter(|relay| !present.contains(relay)).count();
    let tolerated = if relays.iter().all(|relay| relay.running) { listed.len() / 50 } else { listed.len() / 10 };
    let is_part = n_missing >= MIN_MISSING && n_missing > tolerated;
    is_part.then(|| {
        let (n_missing, n) = (count(n_missing as u64), count(listed.len() as u64));
        format!("it leaves out {n_missing} of the {n} relays that consensuses of the six days before it list")
    })
}

fn counted_are(n: u64) -> String {
    format!("{} {}", counted(usize::try_from(n).unwrap_or(usize::MAX), "relay"), if n == 1 { "is" } else { "are" })
}
