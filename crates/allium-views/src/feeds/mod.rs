//! Incidents as feeds: Atom and RSS of the same entries, the latest changes first.
//!
//! What comes in: the incidents that an address asks for. An entry's id follows from the incident's own and stays the same for ever
//! and everywhere, whatever address the service has; its time is that of the last sign of the incident or of its last note. Everything that
//! strangers wrote is plain text: characters that XML cannot hold or that deceive appear as their code points, and where RSS readers
//! take text for HTML it is escaped once more.

mod atom;
mod rss;

use std::sync::Arc;

use allium_detect::Incident;
use allium_model::{Fraction, IncidentNote, NoteAction, Timestamp};
use allium_service::{IncidentLog, View};
use allium_words::format;
use allium_words::incidents as words;
use allium_words::inert::inert;

use crate::error::RequestError;
use crate::pages::incidents::List;
use crate::params::Params;
use crate::route::{FeedForm, FixedPage, href};

/// Entries at most.
const ENTRIES: usize = 50;

/// A feed before it is written.
struct Feed {
    title: String,
    /// Stays the same for the same selection.
    id: String,
    /// Its own address.
    itself: String,
    /// The page that shows the same.
    page: String,
    updated: Timestamp,
    entries: Vec<Entry>,
}

struct Entry {
    id: String,
    title: String,
    link: String,
    published: Timestamp,
    updated: Timestamp,
    summary: String,
    /// Kind, scope, severity and status.
    categories: [&'static str; 4],
}

/// The incidents that an address asks for; `base` is what our addresses start with, such as `https://tor.example`.
pub(crate) fn incidents(view: &View, log: &IncidentLog, params: &Params, base: &str, form: FeedForm) -> Result<String, RequestError> {
    let list = List::of(view, log, params)?;
    let mut found: Vec<&Arc<Incident>> = list.table.found(&list.rows, params)?;
    found.sort_by_key(|incident| (std::cmp::Reverse(log.updated(incident)), incident.id.clone()));
    found.truncate(ENTRIES);
    let itself = list.table.moved(form.path(), params)?;
    let entries: Vec<Entry> = found.into_iter().map(|incident| entry(view, log, incident, base)).collect();
    let as_of = log.watched.as_of.unwrap_or(view.as_of()).start();
    let feed = Feed {
        title: title(&itself),
        id: urn(0, &crate::assets::content_hash(itself.trim_start_matches(form.path()).as_bytes()).to_be_bytes()),
        page: format!("{base}{}", list.table.moved(FixedPage::Incidents.path(), params)?),
        itself: format!("{base}{itself}"),
        updated: entries.iter().map(|entry| entry.updated).max().unwrap_or(as_of),
        entries,
    };
    match form {
        FeedForm::Atom => atom::written(feed),
        FeedForm::Rss => rss::written(feed),
    }
}

fn title(itself: &str) -> String {
    match itself.split_once('?') {
        None => "Incidents in the Tor network".to_owned(),
        Some((_, query)) => format!("Incidents in the Tor network ({})", xml_text(query)),
    }
}

fn entry(view: &View, log: &IncidentLog, incident: &Incident, base: &str) -> Entry {
    Entry {
        id: urn(1, &u64::from_str_radix(&incident.id, 16).unwrap_or_default().to_be_bytes()),
        title: xml_text(&words::headline(incident, view)),
        link: format!("{base}{}", href::incident(&incident.id)),
        published: incident.detected_at.start(),
        updated: log.updated(incident),
        summary: xml_text(&summary(view, log, incident)),
        categories: [incident.kind.name(), incident.scope.kind.name(), incident.severity.name(), incident.status.name()],
    }
}

fn summary(view: &View, log: &IncidentLog, incident: &Incident) -> String {
    let as_of = log.watched.as_of.unwrap_or(view.as_of());
    let mut sentences = vec![words::course(incident, view, as_of)];
    let weight = incident.weight_share.and_then(Fraction::clamped);
    let weight = weight.map_or_else(|| "an unknown share".to_owned(), |share| format!("{} %", format::percent(share, 2)));
    sentences.push(format!("Severity {}: the relays had {weight} of path selection.", incident.severity.name()));
    sentences.extend(
        incident
            .causes
            .first()
            .map(|cause| format!("Likely cause: {} ({}). {}.", cause.cause, words::probability(cause.probability), inert(&cause.evidence))),
    );
    sentences.extend(log.merged_into(&incident.id).map(|into| format!("Held to be part of: {}.", words::headline(into, view))));
    sentences.extend(log.notes_of(&incident.id).iter().map(said));
    sentences.join(" ")
}

fn said(note: &IncidentNote) -> String {
    let what = match note.action {
        NoteAction::Acknowledge => "acknowledged it",
        NoteAction::Annotate => "noted",
        NoteAction::Merge(_) => "merged it into another incident",
        NoteAction::Separate => "separated it again",
    };
    let text = if note.text.is_empty() { String::new() } else { format!(": {}", inert(&note.text)) };
    format!("{}, {} {what}{text}.", format::instant(note.at), inert(&note.by))
}

/// A UUID of version 8 (RFC 9562) that holds a kind and 64 bits of ours, as a URN.
fn urn(kind: u8, bits: &[u8; 8]) -> String {
    let [a, b, c, d, e, f, g, h] = bits;
    let (high, low) = (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]) & 0x3fff | 0x8000);
    // "allium" in ASCII marks the UUID as ours; the two bits that the variant takes go to the group before.
    let group = 0x8000 | (u16::from(kind) << 4) | u16::from(c >> 6);
    format!("urn:uuid:616c6c69-{high:04x}-{group:04x}-{low:04x}-756d{e:02x}{f:02x}{g:02x}{h:02x}")
}

/// The text with what XML 1.0 cannot hold as code points.
fn xml_text(text: &str) -> String {
    inert(text).replace('\u{FFFE}', "[U+FFFE]").replace('\u{FFFF}', "[U+FFFF]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_hold_all_bits_in_the_form_of_uuids() {
        let of = |n: u64| urn(1, &n.to_be_bytes());
        assert_eq!(of(0), "urn:uuid:616c6c69-0000-8010-8000-756d00000000");
        assert_eq!(of(u64::MAX), "urn:uuid:616c6c69-ffff-8013-bfff-756dffffffff");
        let one_bit: std::collections::BTreeSet<String> = (0..64).map(|bit| of(1 << bit)).collect();
        assert_eq!(one_bit.len(), 64);
        assert!(one_bit.iter().all(|id| id.as_bytes()[23] == b'8' && b"89ab".contains(&id.as_bytes()[28])), "{one_bit:?}");
    }
}
