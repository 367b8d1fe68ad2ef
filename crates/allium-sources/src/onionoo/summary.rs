//! Summary documents: names and addresses only.

use std::collections::HashSet;
use std::net::IpAddr;

use allium_model::{Bounds, DocumentKind, Fingerprint};

use super::envelope::{Header, MAX_RELAYS, Visit, walk};
use super::fields::{Fields, fingerprint};
use super::json::{Broken, Cursor};
use super::rejects::{FieldRejects, Rejects};
use super::salvage::readable_members;
use super::wire::WireSummary;
use crate::error::Error;

/// A decoded summary document.
#[derive(Debug, Clone, PartialEq)]
pub struct SummaryDocument {
    /// The document as a whole.
    pub header: Header,
    /// Its relays in the order of the document; of a relay given twice the first entry.
    pub relays: Vec<SummaryRelay>,
}

/// A relay in a summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryRelay {
    /// Its identity.
    pub fingerprint: Fingerprint,
    /// The name that it gives itself.
    pub nickname: Option<String>,
    /// Its addresses, the primary one first, with those seen leaving the network in the last 24 hours.
    pub addresses: Vec<IpAddr>,
    /// True if the newest consensus lists it as Running.
    pub running: bool,
}

pub(super) fn decode(bytes: &[u8], origin: &str, bounds: Bounds) -> Result<SummaryDocument, Error> {
    let mut rejects = Rejects::new(origin);
    let mut relays = Vec::new();
    let mut known = HashSet::new();
    let frame = walk(bytes, bounds, &mut rejects, |cursor, visit| entry(cursor, visit, &mut known, &mut relays))?;
    Ok(SummaryDocument { header: Header::new(DocumentKind::Summary, bytes, &frame, rejects), relays })
}

fn entry(
    cursor: &mut Cursor<'_>,
    visit: &mut Visit<'_>,
    known: &mut HashSet<Fingerprint>,
    relays: &mut Vec<SummaryRelay>,
) -> Result<(), Broken> {
    let bytes = cursor.skip()?;
    let mut fields = FieldRejects::default();
    match relay(bytes, visit, &mut fields) {
        Ok(relay) => {
            visit.rejects.add_fields(visit.entry_idx, Some(relay.fingerprint), fields);
            if relays.len() >= MAX_RELAYS {
                visit.rejects.add_entry(visit.entry_idx, Some(relay.fingerprint), "more relays than any network has");
            } else if known.insert(relay.fingerprint) {
                relays.push(relay);
            } else {
                visit.rejects.add_entry(visit.entry_idx, Some(relay.fingerprint), "relay given twice; the earlier entry counts");
            }
        }
        Err(reason) => {
            visit.rejects.add_fields(visit.entry_idx, None, fields);
            visit.rejects.add_entry(visit.entry_idx, None, &reason);
        }
    }
    Ok(())
}

fn relay(bytes: &[u8], visit: &Visit<'_>, rejects: &mut FieldRejects) -> Result<SummaryRelay, String> {
    if let Ok(wire) = serde_json::from_slice::<WireSummary<'_>>(bytes) {
        return from_wire(wire, visit, rejects);
    }
    let try_read = |text: &str| serde_json::from_str::<WireSummary<'_>>(text).map(drop);
    let text = readable_members(bytes, try_read, rejects).map_err(|broken| broken.reason.to_owned())?;
    let wire = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    from_wire(wire, visit, rejects)
}

fn from_wire(wire: WireSummary<'_>, visit: &Visit<'_>, rejects: &mut FieldRejects) -> Result<SummaryRelay, String> {
    let fingerprint = fingerprint(wire.f)?;
    let mut fields = Fields { published: visit.published, bounds: visit.bounds, rejects };
    Ok(SummaryRelay {
        fingerprint,
        nickname: fields.text("n", 64, wire.n),
        addresses: fields.all_parsed("a", 64, wire.a),
        running: wire.r.unwrap_or(false),
    })
}
