//! `/relay/<FINGERPRINT>`: is this relay up, how reliable is it, and what is known of it.

mod attributes;
mod charts;
mod history;

pub(crate) use self::charts::{Choice, chart, with_incidents};

use allium_analysis::{Issue, RelayReport, Severity, Since, Strip, UptimeFigure, UptimeSource, diagnose, strip};
use allium_forecast::advice::{Advice, Pattern, Reason};
use allium_model::{Fingerprint, Period, Relay, RelayFlag, RelayRecord, Timestamp};
use allium_service::{Outlook, Snapshot, View};
use allium_words::format;
use allium_words::inert::inert;
use askama::Template;

use self::attributes::{Family, Group};
use self::history::{DipRow, MonthRow, OutageRow, StateRow};
use crate::error::RequestError;
use crate::figure::Figure;
use crate::foreign::Foreign;
use crate::markup::{Html, Percent, State, When, flag_meaning, short_fingerprint};
use crate::page::{Alternate, Frame, PageHtml, framed, render};
use crate::pages::forecasts::Panel;
use crate::pages::incidents::Mentions;
use crate::pages::issues::IssueWords;
use crate::pages::operators::{claim, families, operator_link};
use crate::route::{Data, FixedPage, href};
use crate::strips::{Labels, Run, StripHtml, legend, runs};

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
    periods: Vec<PeriodRow>,
    forecast: Panel,
    figure: Figure<'a>,
    chosen: StripHtml<'a>,
    brief: Vec<(&'static str, Html)>,
    flag_figure: Figure<'a>,
    period_links: Vec<(&'static str, String, bool)>,
    beside_links: Vec<(String, String, bool)>,
    dips: Vec<DipRow>,
    year: Vec<MonthRow<'a>>,
    year_sentence: String,
    legend: String,
    strips: Vec<PeriodStrip<'a>>,
    outages_sentence: String,
    outages_title: String,
    outages: Vec<OutageRow>,
    mentions: Mentions,
    stability: Vec<(&'static str, String)>,
    states_title: String,
    states: Vec<StateRow>,
    flag_periods: Vec<&'static str>,
    flags: Vec<FlagRow<'a>>,
    groups: Vec<Group>,
    contact: Option<Foreign<'a>>,
    claim: Option<Html>,
    policy: Vec<Foreign<'a>>,
    families: Vec<Family>,
    operator: Html,
    family_page: Option<String>,
    /// What documents add to what the forecast calls for.
    covered: Vec<String>,
    issues_sentence: String,
    issues: Vec<IssueWords>,
}

framed!(RelayPage<'_>);

struct PeriodRow {
    label: &'static str,
    figure: Option<FigureCells>,
    why_none: &'static str,
}

struct FigureCells {
    uptime: Percent,
    coverage: Percent,
    from: When,
    to: When,
    source: String,
    as_published: String,
}

struct PeriodStrip<'a> {
    label: &'static str,
    note: String,
    html: Option<StripHtml<'a>>,
    runs: Vec<Run>,
}

struct FlagRow<'a> {
    name: Foreign<'a>,
    meaning: &'static str,
    held: &'static str,
    shares: Vec<Percent>,
}

/// Renders the page of the relay at this place in the view.
pub(crate) fn html(
    snapshot: &Snapshot,
    view: &View,
    now: Timestamp,
    relay_idx: usize,
    choice: Choice,
    outlook: &Outlook,
) -> Result<PageHtml, RequestError> {
    let (record, report) = view.relay(relay_idx).ok_or(RequestError::Internal)?;
    let relay = &record.relay;
    let as_of = view.as_of();
    let known = &view.record.known;
    let year = strip(record, known, as_of, Period::OneYear);
    let strips = Period::ALL.map(|period| (period, strip(record, known, as_of, period)));
    let states = history::states(record, as_of);
    let advice = outlook.forecasts().ok().and_then(|forecasts| forecasts.advice(forecasts.find(&relay.fingerprint)?));
    let (covered, issues): (Vec<Issue>, Vec<Issue>) =
        diagnose(record, report, as_of).into_iter().partition(|issue| advice.is_some_and(|advice| says_the_same(issue, advice)));
    let log = snapshot.incidents();
    let chart = charts::uptime(view, record, report, choice);
    let chart = with_incidents(chart, view, log, relay.fingerprint);
    let mentions = Mentions::of_relay(view, log, relay.fingerprint);
    let (base, query) = (href::charts(href::relay(&relay.fingerprint)), choice.query());
    let chosen = charts::own_strip(view, record, choice);
    let (flag_chart, dips) = (charts::flags(view, record, choice), charts::own_dips(view, record));
    let page = RelayPage {
        page: Frame::of(snapshot, view, now, FixedPage::Relays.path())
            .with_alternate(Alternate::of(&Data::Relay(relay.fingerprint)))
            .with_feeds("Incidents of this relay", &mentions.query)
            .with_charts(),
        title: format!("{} {}", inert(relay.display_name()), short_fingerprint(&relay.fingerprint)),
        nickname: Foreign::short(relay.display_name()),
        fingerprint: &relay.fingerprint,
        state: State(relay.running),
        summary: summary(view, record, report),
        basis: basis(view, report, now),
        forecast: Panel::of(view, outlook, record, now),
        periods: Period::ALL.into_iter().map(|period| period_row(period, report.uptime[period.index()].as_ref())).collect(),
        figure: Figure::of(&chart, &base, &query).quiet().with_rows(0),
        chosen: chosen_strip(&chosen, choice),
        brief: history::brief(view, record, report, &dips),
        flag_figure: Figure::of(&flag_chart, &base, &query).with_rows(0),
        period_links: choice.period_links(),
        beside_links: choice.beside_links(view, record),
        dips: history::dips(&dips, log, &relay.fingerprint),
        year_sentence: history::year_sentence(report),
        year: history::calendar(&year, report),
        legend: legend(),
        strips: strips.iter().map(|(period, strip)| period_strip(*period, strip, report)).collect(),
        outages_sentence: history::outages_sentence(report),
        outages_title: report
            .outages
            .as_ref()
            .map_or_else(String::new, |o| format!("List, {}", format::counted(o.outages.len(), "outage"))),
        outages: history::outages(report, log, &relay.fingerprint),
        mentions,
        stability: history::stability(report),
        states_title: history::states_title(record, &states),
        states,
        flag_periods: Period::ALL.map(Period::label).to_vec(),
        flags: flags(relay, report),
        groups: attributes::groups(relay, now),
        contact: relay.contact.as_deref().map(Foreign::long),
        claim: claim::sentence(relay),
        policy: relay.exit_policy.iter().map(|line| Foreign::long(line)).collect(),
        families: attributes::families(view, relay),
        operator: operator_link(view, relay_idx),
        family_page: families::key_of(view, &relay.fingerprint).map(|key| href::family(&key)),
        issues_sentence: issues_sentence(&issues, !covered.is_empty()),
        covered: covered.iter().map(|issue| IssueWords::of(issue).explanation).collect(),
        issues: issues.iter().map(IssueWords::of).collect(),
    };
    render(&page)
}

/// The strip of the chosen period.
fn chosen_strip(strip: &Strip, choice: Choice) -> StripHtml<'_> {
    let (what, labels) = choice.strip_words();
    StripHtml { cells: &strip.cells, what, layout: if strip.cells.len() > SHORT_STRIP { "long" } else { "line" }, labels, skip: 0 }
}

/// Up to how many cells a strip stays on one line on a narrow screen.
const SHORT_STRIP: usize = 60;

/// A link to a relay: nickname and the beginning of its fingerprint.
pub(crate) fn relay_link(relay: &Relay) -> Html {
    let label = Html::joined([Html::safe(Foreign::short(relay.display_name())), Html::words(short_fingerprint(&relay.fingerprint))], " ");
    Html::link(&href::relay(&relay.fingerprint), &label)
}

/// Whether the advice of a forecast calls for what the issue would suggest.
const fn says_the_same(issue: &Issue, advice: &Advice) -> bool {
    match issue {
        Issue::NotRunning { .. } => matches!(advice.reason, Reason::Down(_)),
        Issue::ManyOutages { .. } => matches!(advice.pattern, Pattern::SameTime(_) | Pattern::Often(..)),
        _ => false,
    }
}

/// How many issues there are of each severity; `is_more` where others stand with the forecast's advice.
fn issues_sentence(issues: &[Issue], is_more: bool) -> String {
    let of = |severity: Severity, noun: &str| {
        let n = issues.iter().filter(|issue| issue.severity() == severity).count();
        (n > 0).then(|| format::counted(n, noun))
    };
    let parts: Vec<_> = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Notice, "notice")]
        .into_iter()
        .filter_map(|(s, noun)| of(s, noun))
        .collect();
    match (parts.is_empty(), is_more) {
        (true, false) => "Documents show nothing that should be changed.".to_owned(),
        (true, true) => "Documents show nothing else that should be changed.".to_owned(),
        (false, _) => format!("From documents: {}, worst first.", parts.join(", ")),
    }
}

fn summary(view: &View, record: &RelayRecord, report: &RelayReport) -> Html {
    let state = state_sentence(view, record, report.since);
    let figure =
        |period: Period, words| report.uptime_in(period).map(|share| format!("{}\u{a0}% of the last {words}", format::percent(share, 2)));
    let shares: Vec<_> =
        [(Period::ThirtyDays, "30 days"), (Period::OneYear, "year")].into_iter().filter_map(|(p, words)| figure(p, words)).collect();
    let figures = if shares.is_empty() { "No uptime figure yet.".to_owned() } else { format!("It was up {}.", shares.join(" and ")) };
    Html::joined([state, Html::words(figures)], " ")
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

fn period_row(period: Period, figure: Option<&UptimeFigure>) -> PeriodRow {
    let cells = |figure: &UptimeFigure| FigureCells {
        uptime: Percent(Some(figure.uptime), 2),
        coverage: Percent(Some(figure.coverage), 1),
        from: When(format::at_secs(figure.from_secs)),
        to: When(format::at_secs(figure.to_secs)),
        source: source_words(figure.source),
        as_published: figure.as_published.map_or_else(|| "\u{2013}".to_owned(), |share| format::percent(share, 2)),
    };
    let why_none = match period {
        Period::OneDay | Period::SevenDays | Period::ThirtyDays => "not measured in this period",
        _ => "no source has a history this long, as for a younger relay",
    };
    PeriodRow { label: period.label(), figure: figure.map(cells), why_none }
}

/// "720 consensuses, exact" or "180 published intervals of 4 h".
fn source_words(source: UptimeSource) -> String {
    match source {
        UptimeSource::Exact { n_consensuses } => {
            format!("exact: {}", format::counted_as(n_consensuses as usize, "consensus", "consensuses"))
        }
        UptimeSource::Published { interval_secs, n_intervals } => {
            format!(
                "published: {} of {}",
                format::counted(n_intervals as usize, "interval"),
                format::hours(f64::from(interval_secs) / 3600.0)
            )
        }
    }
}

fn period_strip<'a>(period: Period, strip: &'a Strip, report: &RelayReport) -> PeriodStrip<'a> {
    let labels = match period {
        Period::OneDay => Labels::FourHours,
        Period::SevenDays => Labels::Days,
        Period::ThirtyDays | Period::OneMonth => Labels::Weeks,
        Period::SixMonths | Period::OneYear => Labels::Months,
        Period::FiveYears => Labels::Years,
    };
    let what = format!("Uptime over {}", period.label());
    let html = strip.cells.iter().any(|cell| cell.uptime.is_some());
    PeriodStrip {
        label: period.label(),
        note: strip_note(strip, report.uptime[period.index()].as_ref()),
        html: html.then_some(StripHtml {
            cells: &strip.cells,
            what,
            layout: if strip.cells.len() > SHORT_STRIP { "long" } else { "line" },
            labels,
            skip: 0,
        }),
        runs: runs(strip),
    }
}

fn strip_note(strip: &Strip, figure: Option<&UptimeFigure>) -> String {
    let step = strip.cells.first().map_or(0, |cell| cell.end_secs - cell.start_secs);
    match figure {
        Some(figure) => format!("{}\u{a0}%, one cell per {}", format::percent(figure.uptime, 2), format::hours(step as f64 / 3600.0)),
        None => String::new(),
    }
}

fn flags<'a>(relay: &'a Relay, report: &RelayReport) -> Vec<FlagRow<'a>> {
    let share_of = |flag: RelayFlag, period: Period| match flag {
        RelayFlag::Running => report.uptime_in(period),
        _ => report.flag_uptime.iter().find(|f| f.flag == flag).and_then(|f| f.share[period.index()]),
    };
    let ever = |flag: &RelayFlag| relay.has(*flag) || report.flag_uptime.iter().any(|f| f.flag == *flag);
    let named = RelayFlag::ALL.into_iter().filter(ever).map(|flag| FlagRow {
        name: Foreign::short(flag.name()),
        meaning: flag_meaning(flag),
        held: if relay.has(flag) { "yes" } else { "no" },
        shares: Period::ALL.map(|period| Percent(share_of(flag, period), 2)).to_vec(),
    });
    let others = relay.other_flags.iter().map(|name| FlagRow {
        name: Foreign::short(name),
        meaning: "",
        held: "yes",
        shares: vec![Percent(None, 2); 7],
    });
    named.chain(others).collect()
}
