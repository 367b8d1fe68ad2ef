//! `/data-quality`: how old each source is, what could not be understood, which hours are missing.

use std::cmp::Reverse;

use std::collections::BTreeMap;

use allium_model::{Bounds, CLOCK_TOLERANCE_SECS, ConsensusHour, NetworkRecord, SourceFailure, SourceReport, SourceStatus, Timestamp};
use allium_service::{FRESH_HOURS, Snapshot, View};
use allium_words::format;
use allium_words::inert::inert;
use askama::Template;

use crate::error::RequestError;
use crate::foreign::Foreign;
use crate::markup::{Html, When, short_fingerprint};
use crate::page::{Alternate, Frame, PageHtml, framed, render};
use crate::route::{Data, FixedData, FixedPage, href};

/// At how many rejects and gaps the page stops; the API has all of them.
const SHOWN: usize = 200;

#[derive(Template)]
#[template(path = "data_quality.html")]
struct DataQuality<'a> {
    page: Frame,
    sentence: String,
    rule: String,
    asked_sentence: String,
    asked: Vec<AskedRow<'a>>,
    failures_sentence: String,
    failures: Vec<FailureRow<'a>>,
    sources: Vec<SourceRow>,
    gaps_sentence: String,
    gaps: Vec<GapRow>,
    rejects_sentence: String,
    rejects: Vec<RejectRow<'a>>,
}

framed!(DataQuality<'_>);

/// A document in use.
pub(crate) struct SourceRow {
    pub(crate) kind: &'static str,
    pub(crate) origin: Html,
    pub(crate) published: When,
    pub(crate) age: String,
    pub(crate) obtained: When,
    pub(crate) size: String,
    pub(crate) n_relays: String,
    pub(crate) n_rejects: String,
}

/// State of a source.
struct AskedRow<'a> {
    source: Foreign<'a>,
    newest: Html,
    age: String,
    asked: When,
    answered: Html,
    state: &'static str,
    failure: Option<Foreign<'a>>,
    n_rejects: String,
}

impl<'a> AskedRow<'a> {
    fn of(report: &'a SourceReport, now: Timestamp) -> Self {
        let none = || Html::words("\u{2013}");
        Self {
            source: Foreign::short(&report.source),
            newest: report.newest.map_or_else(none, |newest| Html::safe(When::from(newest))),
            age: report.newest.map_or_else(|| "\u{2013}".to_owned(), |newest| age(newest, now)),
            asked: When(report.asked_at),
            answered: report.answered_at.map_or_else(none, |at| Html::safe(When(at))),
            state: if report.failure.is_some() { "failed" } else { "answered" },
            failure: report.failure.as_deref().map(Foreign::long),
            n_rejects: format::count(report.n_rejects as u64),
        }
    }
}

/// A failure of a source.
struct FailureRow<'a> {
    source: Foreign<'a>,
    at: When,
    reason: Foreign<'a>,
}

impl<'a> FailureRow<'a> {
    fn of(source: &'a str, failure: &'a SourceFailure) -> Self {
        Self { source: Foreign::short(source), at: When(failure.at), reason: Foreign::long(&failure.reason) }
    }
}

fn failures_sentence(failures: &[(&str, &SourceFailure)]) -> String {
    let days = SourceReport::FAILURE_DAYS;
    if failures.is_empty() {
        return format!("No source has failed in the last {days} days.");
    }
    let mut n_by_source: BTreeMap<&str, usize> = BTreeMap::new();
    failures.iter().for_each(|(source, _)| *n_by_source.entry(source).or_default() += 1);
    let parts: Vec<String> = n_by_source.into_iter().map(|(source, n)| format!("{} {}", inert(source), format::count(n as u64))).collect();
    format!("{} in the last {days} days: {}.", format::counted(failures.len(), "failure"), parts.join(", "))
}

fn asked_sentence(reports: &[SourceReport]) -> String {
    let n_failing = reports.iter().filter(|report| report.failure.is_some()).count();
    match (reports.len(), n_failing) {
        (0, _) => "No source has been asked: the documents were read from files.".to_owned(),
        (_, 0) => "Every source answered when it was last asked or read.".to_owned(),
        (n, n_failing) => format!("{n_failing} of {n} sources failed when last asked; what they brought before stays in use."),
    }
}

struct GapRow {
    from: When,
    to: When,
    hours: i32,
}

struct RejectRow<'a> {
    origin: Foreign<'a>,
    location: Foreign<'a>,
    relay: Html,
    reason: Foreign<'a>,
}

impl SourceRow {
    /// All documents in use.
    pub(crate) fn all(view: &View, now: Timestamp) -> Vec<Self> {
        view.record.sources.iter().map(|source| Self::of(source, now)).collect()
    }

    fn of(source: &SourceStatus, now: Timestamp) -> Self {
        Self {
            kind: source.kind.name(),
            origin: Html::safe(Foreign::short(format::origin(&source.origin))),
            published: source.published.into(),
            age: age(source.published, now),
            obtained: When(source.obtained_at),
            size: format::size(source.size_bytes),
            n_relays: format::count(source.n_relays as u64),
            n_rejects: format::count(source.n_rejects as u64),
        }
    }
}

/// Renders the page.
pub(crate) fn html(snapshot: &Snapshot, view: &View, now: Timestamp) -> Result<PageHtml, RequestError> {
    let mut gaps = view.gaps();
    let gaps_sentence = gaps_sentence(&view.record, &gaps);
    gaps.sort_by_key(|(start, end)| (-end.hours_since(*start), *start));
    let reports = snapshot.sources();
    let failures = recent_failures(reports, now);
    let source_rejects = reports.iter().flat_map(|report| &report.rejects);
    let page = DataQuality {
        asked_sentence: asked_sentence(reports),
        asked: reports.iter().map(|report| AskedRow::of(report, now)).collect(),
        failures_sentence: failures_sentence(&failures),
        failures: failures.iter().take(SHOWN).map(|(source, failure)| FailureRow::of(source, failure)).collect(),
        page: Frame::of(snapshot, view, now, FixedPage::DataQuality.path())
            .with_alternate(Alternate::of(&Data::Fixed(FixedData::DataQuality))),
        sentence: sentence(view, reports, now),
        rule: format!(
            "Data counts as old when the newest consensus is more than {FRESH_HOURS} h old: then it is no longer valid, and a newer one should have arrived."
        ),
        sources: SourceRow::all(view, now),
        gaps_sentence,
        gaps: gaps
            .into_iter()
            .take(SHOWN)
            .map(|(from, to)| GapRow { from: from.into(), to: to.into(), hours: to.hours_since(from) })
            .collect(),
        rejects_sentence: rejects_sentence(&view.record, reports),
        rejects: view.record.rejects.iter().chain(source_rejects).take(SHOWN).map(reject_row).collect(),
    };
    render(&page)
}

fn sentence(view: &View, reports: &[SourceReport], now: Timestamp) -> String {
    let age = format::hours(f64::from(view.age_hours(now)));
    let state = if view.is_stale(now) { "old" } else { "fresh" };
    let n_rejects = view.record.n_rejects(reports);
    let rejects = if n_rejects == 0 {
        "everything in the documents was understood".to_owned()
    } else {
        format!("{} could not be understood", format::counted(n_rejects, "value"))
    };
    if view.is_ahead(now) {
        return format!(
            "The data is of no use: the newest consensus lies ahead of the clock. If the clock is right, the command \u{201c}allium store mend\u{201d} removes it; {rejects}."
        );
    }
    format!("The data is {state}: the newest consensus is {age} old; {rejects}.")
}

/// The age of a consensus in words.
fn age(hour: ConsensusHour, now: Timestamp) -> String {
    match Bounds::at(now, CLOCK_TOLERANCE_SECS).contain(hour) {
        true => format::hours(f64::from(ConsensusHour::containing(now).hours_since(hour).max(0))),
        false => "not possible".to_owned(),
    }
}

fn gaps_sentence(record: &NetworkRecord, gaps: &[(ConsensusHour, ConsensusHour)]) -> String {
    let Some(first) = record.known.first() else {
        return "No consensus has been recorded hour by hour yet; figures rest on what sources publish.".to_owned();
    };
    let total = record.as_of.next().hours_since(first).max(0);
    let known = record.known.hours().len();
    let missing: i32 = gaps.iter().map(|(start, end)| end.hours_since(*start)).sum();
    let missing = match missing.unsigned_abs() {
        0 => "none is missing".to_owned(),
        hours => format!("{} are missing, in {}", format::count(hours.into()), format::counted(gaps.len(), "gap")),
    };
    let (known, total) = (format::count(known as u64), format::count(total.unsigned_abs().into()));
    format!("{known} of {total} hours since {} are on record; {missing}.", format::hour(first))
}

fn rejects_sentence(record: &NetworkRecord, reports: &[SourceReport]) -> String {
    let total = record.n_rejects(reports);
    let n_listed = record.rejects.len() + reports.iter().map(|report| report.rejects.len()).sum::<usize>();
    let listed = n_listed.min(SHOWN);
    match total {
        0 => "None: every field of every document in use was understood.".to_owned(),
        _ if listed < total => format!(
            "{} in the documents in use; the first {listed} are listed. What surrounds a reject is kept.",
            format::counted(total, "reject")
        ),
        _ => format!("{} in the documents in use. What surrounds a reject is kept.", format::counted(total, "reject")),
    }
}

fn reject_row(reject: &allium_model::Reject) -> RejectRow<'_> {
    let link = |fingerprint| Html::link(&href::relay(fingerprint), &Html::words(short_fingerprint(fingerprint)));
    RejectRow {
        origin: Foreign::short(format::origin(&reject.origin)),
        location: Foreign::long(&reject.location),
        relay: reject.relay.as_ref().map_or_else(|| Html::words("\u{2013}"), link),
        reason: Foreign::long(&reject.reason),
    }
}

/// Failures in the [`SourceReport::FAILURE_DAYS`] days before `now` with the names of their sources, the newest first.
pub(crate) fn recent_failures(reports: &[SourceReport], now: Timestamp) -> Vec<(&str, &SourceFailure)> {
    let first_sec = now.as_second() - SourceReport::FAILURE_DAYS * 86_400;
    let all = reports.iter().flat_map(|report| report.failures.iter().map(|failure| (report.source.as_str(), failure)));
    let mut failures: Vec<_> = all.filter(|(_, failure)| failure.at.as_second() > first_sec).collect();
    failures.sort_by_key(|(_, failure)| Reverse(failure.at));
    failures
}
