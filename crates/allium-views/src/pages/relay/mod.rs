//! `/relay/<FINGERPRINT>`: is this relay up, how reliable is it, and what is known of it.
//!
//! What comes in: a relay of the view, the chosen period, incidents and forecasts. What goes out: the page, section by section.

mod attributes;
mod charts;
mod history;
mod periods;
mod sections;

pub(crate) use self::charts::{Choice, chart, with_incidents};

use allium_analysis::{RelayReport, Since};
use allium_model::{Fingerprint, Period, Relay, RelayRecord, Timestamp};
use allium_service::{Outlook, Snapshot, View};
use allium_words::format;
use allium_words::inert::inert;
use askama::Template;

use self::periods::{PeriodRow, PeriodStrip};
use self::sections::{About, Drawn, Flags, Issues, Kin, Outages, Past, States, Year};
use crate::error::RequestError;
use crate::foreign::Foreign;
use crate::markup::{Html, State, When, short_fingerprint};
use crate::page::{Alternate, Frame, PageHtml, framed, render};
use crate::pages::forecasts::Panel;
use crate::pages::incidents::Mentions;
use crate::route::{Data, FixedPage, href};

#[derive(Template)]
#[template(path = "relay.html")]
struct RelayPage<'a> {
    page: Frame,
    title: String,
    nickname: Foreign<'a>,
    fingerprint: &'a Fingerprint,
    state: State,
    summary: Html,
    basis: String,
    past: Past<'a>,
    periods: Vec<PeriodRow>,
    forecast: Panel,
    issues: Issues,
    year: Year<'a>,
    strips: Vec<PeriodStrip<'a>>,
    outages: Outages,
    mentions: Mentions,
    stability: Vec<(&'static str, String)>,
    states: States,
    flags: Flags<'a>,
    about: About<'a>,
    kin: Kin,
}

framed!(RelayPage<'_>);

/// Renders the page of the relay at this index in the view.
pub(crate) fn html(
    snapshot: &Snapshot,
    view: &View,
    now: Timestamp,
    relay_idx: usize,
    choice: Choice,
    outlook: &Outlook,
) -> Result<PageHtml, RequestError> {
    let (record, report) = view.relay(relay_idx).ok_or(RequestError::Internal)?;
    let (relay, log) = (&record.relay, snapshot.incidents());
    let drawn = Drawn::of(view, record, report, choice, log);
    let mentions = Mentions::of_relay(view, log, relay.fingerprint);
    render(&RelayPage {
        page: frame(snapshot, view, now, relay, &mentions),
        title: format!("{} {}", inert(relay.display_name()), short_fingerprint(&relay.fingerprint)),
        nickname: Foreign::short(relay.display_name()),
        fingerprint: &relay.fingerprint,
        state: State(relay.running),
        summary: summary(view, record, report),
        basis: basis(view, report, now),
        past: Past::of(&drawn, view, record, report, choice),
        periods: periods::rows(report),
        forecast: Panel::of(view, outlook, record, now),
        issues: Issues::of(record, report, view.as_of(), outlook),
        year: Year::of(&drawn, report),
        strips: drawn.strips(report),
        outages: Outages::of(&drawn, relay, report, log),
        mentions,
        stability: history::stability(report),
        states: States::of(record, view.as_of()),
        flags: Flags::of(&drawn, relay, report),
        about: About::of(relay, now),
        kin: Kin::of(view, relay, relay_idx),
    })
}

fn frame(snapshot: &Snapshot, view: &View, now: Timestamp, relay: &Relay, mentions: &Mentions) -> Frame {
    Frame::of(snapshot, view, now, FixedPage::Relays.path())
        .with_alternate(Alternate::of(&Data::Relay(relay.fingerprint)))
        .with_feeds("Incidents of this relay", &mentions.query)
        .with_charts()
}

/// A link to a relay: nickname and the beginning of its fingerprint.
pub(crate) fn relay_link(relay: &Relay) -> Html {
    let label = Html::joined([Html::safe(Foreign::short(relay.display_name())), Html::words(short_fingerprint(&relay.fingerprint))], " ");
    Html::link(&href::relay(&relay.fingerprint), &label)
}

fn summary(view: &View, record: &RelayRecord, report: &RelayReport) -> Html {
    let state = state_sentence(view, record, report.since);
    let figure =
        |period: Period, words| report.uptime_in(period).map(|share| format!("{}\u{a0}% of the last {words}", format::percent(share, 2)));
    let shares: Vec<_> =
        [(Period::ThirtyDays, "30 days"), (Period::OneYear, "year")].into_iter().filter_map(|(p, words)| figure(p, words)).collect();
    let figures = if shares.is_empty() { "No uptime figure yet.".to_owned() } else { format!("It was up {}.", shares.join(" and ")) };
    Html::joined([Some(state), went_on(view, report), Some(Html::words(figures))].into_iter().flatten(), " ")
}

/// The key under which the relay went on.
fn went_on(view: &View, report: &RelayReport) -> Option<Html> {
    let next = view.record.relays.get(report.followed_by? as usize)?;
    Some(Html::joined([Html::words("It changed its key and goes on as"), relay_link(&next.relay), Html::words(".")], " ").tightened())
}

/// "Down since … (33 h), as of …": what a stressed operator reads first.
fn state_sentence(view: &View, record: &RelayRecord, since: Option<Since>) -> Html {
    let word = if record.relay.running { "Up" } else { "Down" };
    let as_of = Html::joined([Html::words("as of the consensus of"), Html::safe(When::from(view.as_of()))], " ");
    let Some(since) = since else { return Html::joined([Html::words(format!("{word},")), as_of, Html::words(".")], " ").tightened() };
    let lasted = format::hours(f64::from(view.as_of().next().hours_since(since.since)));
    let beginning = match since.after {
        Some(_) => format!("{word} since"),
        None => format!("{word} as far back as is known, since"),
    };
    Html::joined(
        [Html::words(beginning), Html::safe(When::from(since.since)), Html::words(format!("({lasted}),")), as_of, Html::words(".")],
        " ",
    )
    .tightened()
}

fn basis(view: &View, report: &RelayReport, now: Timestamp) -> String {
    let age = format::relative(view.as_of().start(), now);
    let gone = if report.current { "" } else { " Not seen for more than 7 days: it counts as having left the network." };
    let within = report.since.and_then(|since| since.after.map(|after| since.since.hours_since(after))).filter(|hours| *hours > 1);
    let within = within.map_or_else(String::new, |hours| format!(" The change is known to within {}.", format::hours(f64::from(hours))));
    format!("Consensus {age}; from {}.{within}{gone}", view.origin_words())
}
