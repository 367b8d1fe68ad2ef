//! Documents kept ready, and answers made of them.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use allium_model::{ConsensusHour, DocumentKind, RelayFlag, Timestamp};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::fmt::rfc2822;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::query::Query;
use super::{Fault, Handle, error_page};
use crate::locations::COUNTRIES;
use crate::onionoo::{Context, bridges, envelope};

/// Bodies up to this size are not compressed.
const COMPRESS_ABOVE_BYTES: usize = 2048;
/// Time from valid-after until the index is written.
const PUBLISHED_AFTER_SECS: i64 = 75 * 60;
const MINUTE_SECS: u64 = 60;

/// Document that a path serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A document about relays.
    Relays(DocumentKind),
    /// Clients of bridges; the document lists none.
    Clients,
}

impl Kind {
    pub(super) fn of_path(path: &str) -> Option<Self> {
        let name = path.strip_prefix('/')?;
        if name == "clients" { Some(Self::Clients) } else { DocumentKind::from_name(name).map(Self::Relays) }
    }
}

/// Makes each document once per consensus.
pub(super) struct Documents {
    network: Handle,
    ready: Mutex<BTreeMap<Kind, Arc<Document>>>,
    published: Mutex<Instant>,
}

/// A document, relay by relay.
struct Document {
    published: ConsensusHour,
    entries: Vec<Entry>,
    whole: Vec<u8>,
    whole_gzip: Vec<u8>,
}

/// A relay's line, and what can be asked of it.
struct Entry {
    fingerprint: String,
    nickname: String,
    running: bool,
    country: &'static str,
    asn: String,
    flags: Vec<&'static str>,
    contact: String,
    line: String,
}

impl Documents {
    pub(super) fn new(network: Handle) -> Self {
        Self { network, ready: Mutex::new(BTreeMap::new()), published: Mutex::new(Instant::now()) }
    }

    /// Notes that there is a new consensus as of this moment.
    pub(super) fn published_now(&self) {
        *self.published.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Answers a request that is understood.
    pub(super) fn answer(&self, kind: Kind, query: &Query, headers: &HeaderMap, fault: Option<&Fault>) -> Response {
        if let Some(page) = fault.and_then(error_page) {
            return page;
        }
        let document = self.document(kind);
        let age_hours = if let Some(Fault::Older(hours)) = fault { *hours as i32 } else { 0 };
        let modified = Timestamp::from_second(document.published.plus(-age_hours).start_secs() + PUBLISHED_AFTER_SECS)
            .unwrap_or(Timestamp::UNIX_EPOCH);
        let common = self.common_headers(modified);
        if unchanged_since(headers, modified) {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        let accepted = accepts_gzip(headers);
        if query.is_everything() && matches!(fault, None | Some(Fault::Slow(_))) {
            return if accepted && document.whole.len() > COMPRESS_ABOVE_BYTES {
                (common, [(header::CONTENT_ENCODING, "gzip")], Body::from(document.whole_gzip.clone())).into_response()
            } else {
                (common, Body::from(document.whole.clone())).into_response()
            };
        }
        let mut body = select(&document, document.published.plus(-age_hours), kind, query);
        if let Some(Fault::Truncated(n_bytes)) = fault {
            body.truncate(*n_bytes);
        }
        if accepted && body.len() > COMPRESS_ABOVE_BYTES {
            return (common, [(header::CONTENT_ENCODING, "gzip")], Body::from(gzip(&body))).into_response();
        }
        (common, Body::from(body)).into_response()
    }

    /// Headers of good answers and of 304.
    fn common_headers(&self, modified: Timestamp) -> HeaderMap {
        let age = self.published.lock().unwrap_or_else(PoisonError::into_inner).elapsed().as_secs();
        let max_age = max_age_secs(age);
        let text = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
        HeaderMap::from_iter([
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json;charset=utf-8")),
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
            (header::VARY, HeaderValue::from_static("Accept-Encoding")),
            (header::LAST_MODIFIED, http_date(modified)),
            (header::CACHE_CONTROL, text(&format!("public, max-age={max_age}"))),
        ])
    }

    /// The document of the newest consensus.
    fn document(&self, kind: Kind) -> Arc<Document> {
        let network = self.network.read().unwrap_or_else(PoisonError::into_inner);
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = network.newest().unwrap_or(network.first_consensus());
        match ready.get(&kind) {
            Some(document) if document.published == newest => document.clone(),
            _ => {
                let document = Arc::new(Document::new(&Context::new(&network), kind, newest));
                ready.insert(kind, document.clone());
                document
            }
        }
    }
}

impl Document {
    fn new(context: &Context<'_>, kind: Kind, published: ConsensusHour) -> Self {
        let entries = match kind {
            Kind::Clients => Vec::new(),
            Kind::Relays(kind) => (0..context.listed.len()).map(|i| Entry::new(context, kind, i, published)).collect(),
        };
        let mut document = Self { published, entries, whole: Vec::new(), whole_gzip: Vec::new() };
        document.whole = select(&document, published, kind, &Query::default());
        document.whole_gzip = gzip(&document.whole);
        document
    }
}

impl Entry {
    fn new(context: &Context<'_>, kind: DocumentKind, index: usize, published: ConsensusHour) -> Self {
        let listed = &context.listed[index];
        let profile = &listed.relay.profile;
        let known = crate::onionoo::has_location(listed.relay);
        Self {
            fingerprint: profile.fingerprint.to_string(),
            nickname: profile.nickname.to_lowercase(),
            running: listed.last_seen == published,
            country: if known { COUNTRIES[usize::from(profile.country)].code } else { "xz" },
            asn: if known { context.asn(listed.relay).to_string() } else { "AS0".to_owned() },
            flags: listed.relay.spans.last().map(|span| span.flags.iter().map(RelayFlag::name).collect()).unwrap_or_default(),
            contact: context.contact(listed.relay).to_lowercase(),
            line: context.relay(kind, listed),
        }
    }

    fn fits(&self, query: &Query) -> bool {
        let is_named = |word: &String| {
            let upper = word.trim_start_matches('$').to_ascii_uppercase();
            self.nickname.contains(&word.to_lowercase()) || (!upper.is_empty() && self.fingerprint.starts_with(&upper))
        };
        query.relays != Some(false)
            && query.running.is_none_or(|running| running == self.running)
            && query.search.iter().all(is_named)
            && query.lookup.as_ref().is_none_or(|wanted| wanted.contains(&self.fingerprint))
            && query.country.as_ref().is_none_or(|country| country == self.country)
            && query.asns.as_ref().is_none_or(|asns| asns.contains(&self.asn))
            && query.flag.as_ref().is_none_or(|flag| self.flags.iter().any(|have| have.eq_ignore_ascii_case(flag)))
            && query.contact.iter().all(|word| self.contact.contains(word))
    }
}

/// The document with only what is asked for.
fn select(document: &Document, published: ConsensusHour, kind: Kind, query: &Query) -> Vec<u8> {
    let fitting: Vec<&Entry> = document.entries.iter().filter(|entry| entry.fits(query)).collect();
    let n_skipped = query.offset.min(fitting.len());
    let n_shown = query.limit.unwrap_or(usize::MAX).min(fitting.len() - n_skipped);
    let n_truncated = fitting.len() - n_skipped - n_shown;
    let mut out = envelope(published);
    push_count(&mut out, "relays_skipped", n_skipped);
    out.push_str("\"relays\":[");
    for (i, entry) in fitting[n_skipped..n_skipped + n_shown].iter().enumerate() {
        out.push_str(if i == 0 { "\n" } else { ",\n" });
        match &query.fields {
            Some(fields) if kind == Kind::Relays(DocumentKind::Details) => {
                out.push_str(&with_fields(&entry.line, |key| fields.contains(key)));
            }
            _ => out.push_str(&entry.line),
        }
    }
    out.push_str("\n],\n");
    push_count(&mut out, "relays_truncated", n_truncated);
    out.push_str(&bridges(published));
    out.push_str("\n]}\n");
    out.into_bytes()
}

fn push_count(out: &mut String, key: &str, n: usize) {
    if n > 0 {
        out.push_str(&format!("\"{key}\":{n},\n"));
    }
}

/// The object with only some of its fields, each as it was written.
fn with_fields(line: &str, wanted: impl Fn(&str) -> bool) -> String {
    let fields = serde_json::Deserializer::from_str(line).deserialize_map(InOrder).unwrap_or_default();
    let kept = fields.iter().filter(|(key, _)| wanted(key)).map(|(key, value)| format!("\"{key}\":{}", value.get()));
    format!("{{{}}}", kept.collect::<Vec<_>>().join(","))
}

/// Reads an object's fields in their order, values untouched.
struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Vec<(String, Box<RawValue>)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(fields)
    }
}

pub(super) fn http_date(instant: Timestamp) -> HeaderValue {
    let text = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&instant).unwrap_or_default();
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// Until three quarters of an hour after the index was written, in steps of five minutes; at least five minutes.
fn max_age_secs(index_age_secs: u64) -> u64 {
    let left = (45 * MINUTE_SECS).saturating_sub(index_age_secs);
    (left / (5 * MINUTE_SECS) * 5 * MINUTE_SECS).max(5 * MINUTE_SECS)
}

pub(super) fn unchanged_since(headers: &HeaderMap, modified: Timestamp) -> bool {
    let since = headers.get(header::IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok());
    let since = since.and_then(|text| rfc2822::DateTimeParser::new().parse_timestamp(text).ok());
    since.is_some_and(|since| modified <= since)
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    accepts(headers, "gzip") || accepts(headers, "*")
}

/// True if this is among the accepted encodings, and not with `q=0`.
pub(super) fn accepts(headers: &HeaderMap, name: &str) -> bool {
    let lists = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut encodings = lists.flat_map(|list| list.split(','));
    encodings.any(|encoding| {
        let mut parts = encoding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|encoding| encoding.eq_ignore_ascii_case(name));
        named && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

pub(super) fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 8), Compression::fast());
    // Writing to a vector cannot fail; if it did, the reader would see a body cut short.
    encoder.write_all(body).and_then(|()| encoder.finish()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_control_counts_down_in_steps_of_five_minutes() {
        for (age, max_age) in [(0, 2700), (1, 2400), (299, 2400), (301, 2100), (2500, 300), (9999, 300)] {
            assert_eq!(max_age_secs(age), max_age, "{age}");
        }
    }

    #[test]
    fn fields_keep_order_and_spelling() {
        assert_eq!(with_fields(r#"{"b":1.0E-5,"a":["x"],"c":null}"#, |key| key != "c"), r#"{"b":1.0E-5,"a":["x"]}"#);
    }
}
