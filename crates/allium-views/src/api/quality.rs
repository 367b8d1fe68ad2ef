//! Quality of the data.

use allium_model::{ConsensusHour, SourceFailure, SourceReport, Timestamp};
use allium_service::{FRESH_HOURS, View};
use allium_words::format::{origin, rfc3339};
use serde::Serialize;

use crate::pages::data_quality::recent_failures;

/// Sources, rejects and gaps.
#[derive(Debug, Clone, Serialize)]
pub struct DataQualityJson<'a> {
    /// The newest consensus taken in.
    pub as_of: String,
    /// Its age.
    pub age_hours: i32,
    /// True if a newer one should have arrived.
    pub stale: bool,
    /// True if the newest lies ahead of the clock; its age is then 0.
    pub ahead: bool,
    /// At more than this age.
    pub stale_after_hours: i32,
    /// State of each source.
    pub asked: Vec<AskedJson<'a>>,
    /// Failures of the last seven days, the newest first.
    pub failures: Vec<FailureJson<'a>>,
    /// Documents in use.
    pub sources: Vec<SourceJson<'a>>,
    /// Number of parts of documents that could not be understood, listed or not.
    pub n_rejects: usize,
    /// These parts, as far as listed.
    pub rejects: Vec<RejectJson<'a>>,
    /// Our own record of consensuses.
    pub history: HistoryJson,
}

/// State of a source.
#[derive(Debug, Clone, Serialize)]
pub struct AskedJson<'a> {
    /// Its name: `onionoo`, `directory`, `collector`, `presence`.
    pub source: &'a str,
    /// The newest consensus from it.
    pub newest: Option<String>,
    /// Time at which it was last asked or read.
    pub asked_at: String,
    /// Time of its last proper answer.
    pub answered_at: Option<String>,
    /// Failure of the last visit.
    pub failure: Option<&'a str>,
    /// Rejects in the consensuses or the pack that it last brought.
    pub n_rejects: usize,
}

/// A failure of a source.
#[derive(Debug, Clone, Serialize)]
pub struct FailureJson<'a> {
    /// The source.
    pub source: &'a str,
    /// Time of the visit.
    pub at: String,
    /// Reason of the failure.
    pub reason: &'a str,
}

/// A document in use.
#[derive(Debug, Clone, Serialize)]
pub struct SourceJson<'a> {
    /// Its kind.
    pub kind: &'static str,
    /// File or address.
    pub origin: &'a str,
    /// Newest consensus in it.
    pub published: String,
    /// Time at which it was fetched or read.
    pub obtained_at: String,
    /// Size after decompression.
    pub size_bytes: u64,
    /// Relays understood.
    pub n_relays: usize,
    /// Rejects.
    pub n_rejects: usize,
}

/// Something that could not be understood.
#[derive(Debug, Clone, Serialize)]
pub struct RejectJson<'a> {
    /// File or address.
    pub origin: &'a str,
    /// Location in it.
    pub place: &'a str,
    /// The relay concerned.
    pub fingerprint: Option<String>,
    /// Reason.
    pub reason: &'a str,
}

/// Hours of our own record.
#[derive(Debug, Clone, Serialize)]
pub struct HistoryJson {
    /// The earliest consensus on record.
    pub first: Option<String>,
    /// The newest.
    pub last: Option<String>,
    /// Consensuses on record.
    pub n_known: usize,
    /// Hours in between without one, up to `as_of`.
    pub n_missing: usize,
    /// These hours as half-open stretches.
    pub gaps: Vec<GapJson>,
}

/// A stretch without a consensus, half-open.
#[derive(Debug, Clone, Serialize)]
pub struct GapJson {
    /// First hour without.
    pub start: String,
    /// First hour with again, or the hour after `as_of`.
    pub end: String,
}

impl<'a> DataQualityJson<'a> {
    /// The data quality of a view and of the sources at a time.
    pub(crate) fn of(view: &'a View, reports: &'a [SourceReport], now: Timestamp) -> Self {
        let record = &view.record;
        let source_rejects = reports.iter().flat_map(|report| &report.rejects);
        Self {
            as_of: view.as_of().to_string(),
            age_hours: view.age_hours(now),
            stale: view.is_stale(now),
            ahead: view.is_ahead(now),
            stale_after_hours: FRESH_HOURS,
            asked: reports.iter().map(asked).collect(),
            failures: recent_failures(reports, now).into_iter().map(failure).collect(),
            sources: record.sources.iter().map(source).collect(),
            n_rejects: record.n_rejects(reports),
            rejects: record.rejects.iter().chain(source_rejects).map(reject).collect(),
            history: history(view),
        }
    }
}

fn asked(report: &SourceReport) -> AskedJson<'_> {
    AskedJson {
        source: &report.source,
        newest: report.newest.map(|newest| newest.to_string()),
        asked_at: rfc3339(report.asked_at),
        answered_at: report.answered_at.map(rfc3339),
        failure: report.failure.as_deref(),
        n_rejects: report.n_rejects,
    }
}

fn failure<'a>((source, failure): (&'a str, &'a SourceFailure)) -> FailureJson<'a> {
    FailureJson { source, at: rfc3339(failure.at), reason: &failure.reason }
}

fn source(source: &allium_model::SourceStatus) -> SourceJson<'_> {
    SourceJson {
        kind: source.kind.name(),
        origin: origin(&source.origin),
        published: source.published.to_string(),
        obtained_at: rfc3339(source.obtained_at),
        size_bytes: source.size_bytes,
        n_relays: source.n_relays,
        n_rejects: source.n_rejects,
    }
}

fn reject(reject: &allium_model::Reject) -> RejectJson<'_> {
    let fingerprint = reject.relay.as_ref().map(ToString::to_string);
    RejectJson { origin: origin(&reject.origin), place: &reject.location, fingerprint, reason: &reject.reason }
}

fn history(view: &View) -> HistoryJson {
    let known = &view.record.known;
    let gaps = view.gaps();
    let text = |hour: ConsensusHour| hour.to_string();
    HistoryJson {
        first: known.first().map(text),
        last: known.last().map(text),
        n_known: known.hours().len(),
        n_missing: gaps.iter().map(|(start, end)| usize::try_from(end.hours_since(*start)).unwrap_or(0)).sum(),
        gaps: gaps.into_iter().map(|(start, end)| GapJson { start: text(start), end: text(end) }).collect(),
    }
}
