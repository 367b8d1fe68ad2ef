//! Details documents: the attributes of each relay.
//!
//! A relay is kept whatever its fields look like, as long as its fingerprint can be read. Of a relay given twice the
//! entry with the newest `last_seen` counts, else the first. An entry with nothing but a fingerprint (a stub) is left out. Relays last
//! seen more than 7 days ago are kept and counted: Onionoo lists them by mistake now and then, and a view of the network leaves them out
//! with `RelayRecord::is_current`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use allium_model::{Bounds, DocumentKind, Fingerprint, Relay, RelayFlag, RelayFlags, RelayRecord};

use super::envelope::{Header, MAX_RELAYS, Visit, walk};
use super::fields::{Fields, fingerprint};
use super::json::{Broken, Cursor};
use super::rejects::{FieldRejects, Rejects};
use super::salvage::readable_members;
use super::text::{Text, TextField, cap_list};
use super::wire::WireRelay;
use crate::error::Error;

const FINGERPRINT_CHARS: usize = 40;
const MAX_CONTACT_CHARS: usize = 64 * 1024;
const MAX_ADDRESSES: usize = 64;
const MAX_FLAGS: usize = 64;
const MAX_HOST_NAMES: usize = 64;
const MAX_POLICY_LINES: usize = 10_000;
const MAX_FAMILY: usize = 20_000;

/// A decoded details document.
#[derive(Debug, Clone, PartialEq)]
pub struct DetailsDocument {
    /// The document as a whole.
    pub header: Header,
    /// Its relays in the order of the document.
    pub relays: Vec<Relay>,
    /// Relays among these that were last seen more than 7 days before the newest consensus.
    pub n_stale: usize,
    /// Entries left out because their relay has another one.
    pub n_duplicates: usize,
    /// Entries left out because they hold nothing but a fingerprint.
    pub n_stubs: usize,
}

pub(super) fn decode(bytes: &[u8], origin: &str, bounds: Bounds) -> Result<DetailsDocument, Error> {
    let mut rejects = Rejects::new(origin);
    let mut list = RelayList::default();
    let frame = walk(bytes, bounds, &mut rejects, |cursor, visit| list.entry(cursor, visit))?;
    let is_stale = |relay: &&Relay| relay.last_seen.is_some_and(|seen| frame.published.hours_since(seen) > RelayRecord::CURRENT_HOURS);
    let n_stale = list.relays.iter().filter(is_stale).count();
    let header = Header::new(DocumentKind::Details, bytes, &frame, rejects);
    Ok(DetailsDocument { header, relays: list.relays, n_stale, n_duplicates: list.n_duplicates, n_stubs: list.n_stubs })
}

#[derive(Default)]
struct RelayList {
    relays: Vec<Relay>,
    indexes: HashMap<Fingerprint, usize>,
    n_duplicates: usize,
    n_stubs: usize,
}

impl RelayList {
    fn entry(&mut self, cursor: &mut Cursor<'_>, visit: &mut Visit<'_>) -> Result<(), Broken> {
        let bytes = cursor.skip()?;
        let mut fields = FieldRejects::default();
        match relay(bytes, visit, &mut fields) {
            Ok(relay) => {
                let is_stub = fields == FieldRejects::default() && relay == Relay::unknown(relay.fingerprint);
                visit.rejects.add_fields(visit.entry_idx, Some(relay.fingerprint), fields);
                self.n_stubs += usize::from(is_stub);
                if !is_stub {
                    self.add(relay, visit);
                }
            }
            Err(reason) => {
                visit.rejects.add_fields(visit.entry_idx, None, fields);
                visit.rejects.add_entry(visit.entry_idx, None, &reason);
            }
        }
        Ok(())
    }

    fn add(&mut self, relay: Relay, visit: &mut Visit<'_>) {
        let fingerprint = relay.fingerprint;
        if self.relays.len() >= MAX_RELAYS {
            return visit.rejects.add_entry(visit.entry_idx, Some(fingerprint), "more relays than any network has");
        }
        match self.indexes.entry(fingerprint) {
            Entry::Vacant(index) => {
                index.insert(self.relays.len());
                self.relays.push(relay);
            }
            Entry::Occupied(index) => {
                let known = &mut self.relays[*index.get()];
                let newer = relay.last_seen > known.last_seen;
                let reason =
                    if newer { "relay given twice; this newer entry counts" } else { "relay given twice; the earlier entry counts" };
                visit.rejects.add_entry(visit.entry_idx, Some(fingerprint), reason);
                self.n_duplicates += 1;
                if newer {
                    *known = relay;
                }
            }
        }
    }
}

fn relay(bytes: &[u8], visit: &Visit<'_>, rejects: &mut FieldRejects) -> Result<Relay, String> {
    if let Ok(wire) = serde_json::from_slice::<WireRelay<'_>>(bytes) {
        return from_wire(wire, visit, rejects);
    }
    let try_read = |text: &str| serde_json::from_str::<WireRelay<'_>>(text).map(drop);
    let text = readable_members(bytes, try_read, rejects).map_err(|broken| broken.reason.to_owned())?;
    let wire = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    from_wire(wire, visit, rejects)
}

fn from_wire(wire: WireRelay<'_>, visit: &Visit<'_>, rejects: &mut FieldRejects) -> Result<Relay, String> {
    let fingerprint = fingerprint(wire.fingerprint)?;
    let (flags, other_flags) = relay_flags(wire.flags.unwrap_or_default(), rejects);
    let mut fields = Fields { published: visit.published, bounds: visit.bounds, rejects };
    let last_seen = fields.hour("last_seen", wire.last_seen);
    let first_seen = fields.hour("first_seen", wire.first_seen);
    Ok(Relay {
        fingerprint,
        nickname: fields.text("nickname", 64, wire.nickname),
        or_addresses: fields.all_parsed("or_addresses", MAX_ADDRESSES, wire.or_addresses),
        bare_address: None,
        exit_addresses: fields.all_parsed("exit_addresses", MAX_ADDRESSES, wire.exit_addresses),
        dir_address: fields.parsed("dir_address", wire.dir_address),
        unreachable_or_addresses: fields.all_parsed("unreachable_or_addresses", MAX_ADDRESSES, wire.unreachable_or_addresses),
        first_seen: fields.not_after("first_seen", first_seen, last_seen).into(),
        last_seen,
        last_changed_address_or_port: fields.hour("last_changed_address_or_port", wire.last_changed_address_or_port),
        last_restarted: fields.descriptor_time("last_restarted", wire.last_restarted),
        // The source defines Running in this way, where it does not state it.
        running: wire.running.unwrap_or(flags.contains(RelayFlag::Running) && last_seen == Some(visit.published)),
        hibernating: wire.hibernating.unwrap_or(false),
        flags,
        other_flags,
        country: fields.location_code("country", &["??", "xz"], wire.country),
        country_name: fields.text("country_name", 128, wire.country_name),
        asn: fields.location_code("as", &["AS0"], wire.asn),
        as_name: fields.text("as_name", 256, wire.as_name),
        consensus_weight: fields.amount("consensus_weight", wire.consensus_weight),
        consensus_weight_fraction: fields.share("consensus_weight_fraction", wire.consensus_weight_fraction),
        guard_probability: fields.share("guard_probability", wire.guard_probability),
        middle_probability: fields.share("middle_probability", wire.middle_probability),
        exit_probability: fields.share("exit_probability", wire.exit_probability),
        measured: wire.measured,
        verified_host_names: fields.texts("verified_host_names", 255, MAX_HOST_NAMES, wire.verified_host_names),
        unverified_host_names: fields.texts("unverified_host_names", 255, MAX_HOST_NAMES, wire.unverified_host_names),
        bandwidth_rate: fields.amount("bandwidth_rate", wire.bandwidth_rate),
        bandwidth_burst: fields.amount("bandwidth_burst", wire.bandwidth_burst),
        observed_bandwidth: fields.amount("observed_bandwidth", wire.observed_bandwidth),
        advertised_bandwidth: fields.amount("advertised_bandwidth", wire.advertised_bandwidth),
        overload_general_at: fields.millis("overload_general_timestamp", wire.overload_general_timestamp),
        exit_policy: fields.texts("exit_policy", 256, MAX_POLICY_LINES, wire.exit_policy),
        exit_policy_summary: fields.ports("exit_policy_summary", wire.exit_policy_summary),
        exit_policy_v6_summary: fields.ports("exit_policy_v6_summary", wire.exit_policy_v6_summary),
        contact: fields.text("contact", MAX_CONTACT_CHARS, wire.contact),
        platform: fields.text("platform", 256, wire.platform),
        version: fields.text("version", 64, wire.version),
        recommended_version: wire.recommended_version,
        version_status: fields.text("version_status", 64, wire.version_status),
        effective_family: fields.all_parsed("effective_family", MAX_FAMILY, wire.effective_family),
        // Members are named by fingerprint, sometimes with `$`, or by nickname.
        alleged_family: fields.texts("alleged_family", FINGERPRINT_CHARS + 24, MAX_FAMILY, wire.alleged_family),
        indirect_family: fields.all_parsed("indirect_family", MAX_FAMILY, wire.indirect_family),
        aroi_check: None,
    })
}

fn relay_flags(names: Vec<Text<'_>>, rejects: &mut FieldRejects) -> (RelayFlags, Vec<String>) {
    let mut flags = RelayFlags::EMPTY;
    let mut others = Vec::new();
    for name in cap_list("flags", names, MAX_FLAGS, rejects) {
        match RelayFlag::from_name(&name.0) {
            Some(flag) => flags.insert(flag),
            None => others.extend(TextField { name: "flags", max_chars: 64 }.clean(name.0, rejects)),
        }
    }
    (flags, others)
}
