//! Attributes of the relays of a pack.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::str::FromStr;

use allium_model::{Fingerprint, Relay};

use super::rejects::Rejects;
use super::table::{Row, Table};
use crate::error::Error;

const COLUMNS: [&str; 8] = ["fingerprint", "nickname", "ipv4", "as", "as_name", "country", "contact", "family"];
/// Caps on text, in characters.
const MAX_NICKNAME: usize = 64;
const MAX_AS_NAME: usize = 256;
const MAX_CONTACT: usize = 64 * 1024;
/// Fingerprints in the families of all relays together: each relay names its whole family. The network of 2026 has 0.7 million.
const MAX_FAMILY_ENTRIES: usize = 8_000_000;

/// The relays, sorted by fingerprint.
pub(super) fn decode(bytes: &[u8], origin: &str, rejects: &mut Rejects) -> Result<Vec<Relay>, Error> {
    let mut table = Table::open(bytes, origin, COLUMNS)?;
    let (mut relays, mut families) = (BTreeMap::new(), BTreeMap::<Fingerprint, Vec<Fingerprint>>::new());
    while let Some(row) = table.next_row() {
        let row = match row {
            Ok(row) => row,
            Err((line, reason)) => {
                rejects.add(origin, || format!("line {line}"), None, reason);
                continue;
            }
        };
        let fingerprint: Fingerprint = match row.text(0).parse() {
            Ok(fingerprint) => fingerprint,
            Err(error) => {
                rejects.add(origin, || format!("line {} field fingerprint", row.line), None, error.to_string());
                continue;
            }
        };
        if relays.contains_key(&fingerprint) {
            rejects.add(origin, || format!("line {}", row.line), Some(fingerprint), "a second row of this relay");
            continue;
        }
        let mut fields = Fields { row: &row, origin, fingerprint, rejects };
        if let Some(family) = fields.parsed(7) {
            families.entry(family).or_default().push(fingerprint);
        }
        relays.insert(fingerprint, fields.relay());
    }
    join_families(&mut relays, families, origin, rejects);
    Ok(relays.into_values().collect())
}

/// The fields of one row.
struct Fields<'a> {
    row: &'a Row<'a, 8>,
    origin: &'a str,
    fingerprint: Fingerprint,
    rejects: &'a mut Rejects,
}

impl Fields<'_> {
    fn relay(&mut self) -> Relay {
        Relay {
            nickname: self.clean(1, MAX_NICKNAME),
            bare_address: self.parsed::<Ipv4Addr>(2).map(Into::into),
            asn: self.parsed(3),
            as_name: self.clean(4, MAX_AS_NAME),
            country: self.parsed(5),
            contact: self.clean(6, MAX_CONTACT),
            ..Relay::unknown(self.fingerprint)
        }
    }

    /// `None` for an empty field, and for one that is a reject.
    fn parsed<T: FromStr<Err: std::fmt::Display>>(&mut self, column: usize) -> Option<T> {
        let text = self.row.text(column);
        if text.is_empty() {
            return None;
        }
        text.parse().map_err(|error: T::Err| self.reject(column, error.to_string())).ok()
    }

    /// Text cut to a length, with control characters and bytes that are no UTF-8 as U+FFFD; each change is a reject.
    fn clean(&mut self, column: usize, max_chars: usize) -> Option<String> {
        let text = self.row.text(column);
        if matches!(text, Cow::Owned(_)) {
            self.reject(column, "no UTF-8");
        }
        let n_chars = text.chars().count();
        if n_chars > max_chars {
            self.reject(column, format!("{n_chars} characters, cut to {max_chars}"));
        }
        if text.contains(char::is_control) {
            self.reject(column, "control characters, replaced by U+FFFD");
        }
        let text: String = text.chars().take(max_chars).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        (!text.is_empty()).then_some(text)
    }

    fn reject(&mut self, column: usize, reason: impl Into<String>) {
        let location = || format!("line {} field {}", self.row.line, COLUMNS[column]);
        self.rejects.add(self.origin, location, Some(self.fingerprint), reason);
    }
}

/// Gives each relay the relays that name the same family, itself included.
fn join_families(
    relays: &mut BTreeMap<Fingerprint, Relay>,
    families: BTreeMap<Fingerprint, Vec<Fingerprint>>,
    origin: &str,
    rejects: &mut Rejects,
) {
    let mut n_entries = 0usize;
    for (family, mut members) in families {
        n_entries = n_entries.saturating_add(members.len().saturating_mul(members.len()));
        if n_entries > MAX_FAMILY_ENTRIES {
            rejects.add(origin, || format!("family {family}"), None, format!("{} members, too many in all families", members.len()));
            continue;
        }
        members.sort_unstable();
        for member in &members {
            if let Some(relay) = relays.get_mut(member) {
                relay.effective_family.clone_from(&members);
            }
        }
    }
}
