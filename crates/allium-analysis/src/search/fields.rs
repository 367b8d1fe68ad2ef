//! Texts of relays, prepared for comparison: lower case, single spaces.

use allium_model::{NetworkRecord, Relay};

use super::grammar::is_separator;
use super::mail::mails_in;

/// A text of a relay that terms can ask for by name; the order is that of the prepared lines. The country name is in a line behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Nickname,
    Contact,
    /// Mail addresses in the contact, with a space around each.
    Mails,
    AsName,
    /// Host names, with a space around each.
    HostNames,
}

/// The prepared texts of all relays of a record.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    /// One line per field, all relays behind each other.
    lines: String,
    /// The index in `lines` at which the lines of relay `i` end.
    ends: Vec<usize>,
}

impl Fields {
    pub(super) fn of(record: &NetworkRecord) -> Self {
        let mut lines = String::new();
        let ends = record.relays.iter().map(|recorded| {
            push(&mut lines, &recorded.relay);
            lines.len()
        });
        let ends = ends.collect();
        Self { lines, ends }
    }

    /// The number of relays.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// All lines of a relay.
    pub(super) fn all(&self, relay_idx: usize) -> &str {
        let start = if relay_idx == 0 { 0 } else { self.ends[relay_idx - 1] };
        &self.lines[start..self.ends[relay_idx]]
    }

    /// One of them.
    pub(super) fn get(&self, relay_idx: usize, field: Field) -> &str {
        self.all(relay_idx).split('\n').nth(field as usize).unwrap_or_default()
    }
}

fn push(lines: &mut String, relay: &Relay) {
    let contact = relay.contact.as_deref().unwrap_or_default();
    let hosts = relay.verified_host_names.iter().chain(&relay.unverified_host_names);
    push_line(lines, relay.nickname.as_deref().unwrap_or_default());
    push_line(lines, contact);
    push_list(lines, mails_in(contact));
    push_line(lines, relay.as_name.as_deref().unwrap_or_default());
    push_list(lines, hosts.cloned());
    push_line(lines, relay.country_name.as_deref().unwrap_or_default());
}

fn push_line(lines: &mut String, text: &str) {
    let words = text.split(is_separator).filter(|word| !word.is_empty());
    for (i, word) in words.enumerate() {
        lines.push_str(if i == 0 { "" } else { " " });
        lines.extend(word.chars().flat_map(char::to_lowercase));
    }
    lines.push('\n');
}

fn push_list(lines: &mut String, texts: impl IntoIterator<Item = String>) {
    for text in texts {
        lines.push(' ');
        lines.push_str(&text.split(is_separator).collect::<String>().to_lowercase());
        lines.push(' ');
    }
    lines.push('\n');
}
