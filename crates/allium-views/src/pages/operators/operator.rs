//! `/operator/<id>`: how reliable is this operator, and what can it do.

use std::collections::BTreeMap;

use allium_analysis::leaderboards::Category;
use allium_analysis::operators::{OperatorFigures, Portfolio, portfolio};
use allium_analysis::{AroiState, Issue, PastStandings, diagnose};
use allium_model::{Operator, OperatorId, Period, Timestamp};
use allium_service::{Snapshot, View};
use allium_words::format;
use allium_words::inert::inert;
use askama::Template;

use super::advice::{self, AdviceGroup};
use super::dashboard::{self, Dashboard};
use super::families::answer;
use super::{claim, claim_words, identity};
use crate::error::RequestError;
use crate::foreign::Foreign;
use crate::form::Form;
use crate::markup::{Html, Percent, When};
use crate::page::{Alternate, Frame, PageHtml, framed, render};
use crate::pages::earlier::Earlier;
use crate::pages::forecasts::{Together, group_panel};
use crate::pages::incidents::Mentions;
use crate::pages::issues::IssueWords;
use crate::pages::leaderboards::score_words;
use crate::pages::members::{self, Member};
use crate::pages::relay::relay_link;
use crate::params::Params;
use crate::route::{Data, FixedPage, href};
use crate::table::TableHtml;

/// Last rank that counts as a badge.
const BADGE_RANKS: usize = 25;

/// Periods of the tables of flags.
const FLAG_PERIODS: [Period; 4] = [Period::OneMonth, Period::SixMonths, Period::OneYear, Period::FiveYears];

#[derive(Template)]
#[template(path = "operator.html")]
struct OperatorPage {
    page: Frame,
    title: String,
    name: String,
    id: String,
    answer: String,
    under: String,
    closer: Html,
    contact: Option<String>,
    facts: Vec<(&'static str, Html)>,
    aroi: Vec<(String, String, String)>,
    findings: Vec<Html>,
    badges: Vec<(String, String)>,
    earlier: String,
    dashboard: Dashboard,
    periods: Vec<PeriodRow>,
    offline: String,
    offline_relays: Vec<Html>,
    unlike: Vec<UnlikeRow>,
    unlike_note: String,
    flag_periods: Vec<&'static str>,
    flags: Vec<FlagRow>,
    relevant: String,
    carried: Vec<String>,
    versions: String,
    diversity: String,
    issues: Vec<IssueRow>,
    mentions: Mentions,
    forecast: Html,
    advice: Vec<AdviceGroup>,
    /// The address of its maintenance calendar, where there is one.
    calendar: Option<String>,
    table: TableHtml,
}

framed!(OperatorPage);

struct PeriodRow {
    label: &'static str,
    n: String,
    figures: Vec<Percent>,
    std_dev: String,
    peers: String,
}

struct UnlikeRow {
    period: &'static str,
    relay: Html,
    uptime: Percent,
    median: Percent,
    z: String,
}

struct FlagRow {
    flag: &'static str,
    n: String,
    shares: Vec<(Percent, Percent)>,
}

struct IssueRow {
    words: IssueWords,
    n: String,
    relays: Vec<Html>,
}

/// The operator with this id and its figures.
fn find<'a>(view: &'a View, id: &OperatorId) -> Result<(usize, &'a Operator, &'a OperatorFigures), RequestError> {
    let (operator_idx, figures) = view.operators.find(id).ok_or(RequestError::NoSuchPage)?;
    Ok((operator_idx, &view.operators.list()[operator_idx], figures))
}

/// Renders the page.
pub(crate) fn html(snapshot: &Snapshot, view: &View, now: Timestamp, id: &OperatorId, params: &Params) -> Result<PageHtml, RequestError> {
    let (operator_idx, operator, figures) = find(view, id)?;
    let members = Member::current(view, &operator.members);
    let api = Data::Operator(id.clone()).address();
    let table = members::table(view, href::operator(id), format!("{api}/relays"));
    let state = table.strict_state(params)?;
    let details = portfolio(&view.record, &view.report, &operator.members);
    let badges = badges(view, snapshot.past_standings(), id, operator_idx);
    let name = view.operator_name(operator_idx);
    let log = snapshot.incidents();
    let mentions = Mentions::of_operator(view, log, id, &operator.members);
    let contact = figures.contact_of.and_then(|i| super::relay(view, i)?.contact.clone());
    let page = OperatorPage {
        page: Frame::of(snapshot, view, now, FixedPage::Operators.path())
            .with_alternate(Alternate { json: api.clone(), csv: Some(format!("{api}/relays.csv")) })
            .with_charts()
            .with_feeds("Incidents of this operator", &mentions.query),
        mentions,
        title: inert(&name.chars().take(60).collect::<String>()),
        answer: format!("{}{}", answer(&figures.members), peers_sentence(figures)),
        under: under(operator, figures),
        closer: crate::pages::explore::links(&format!("operator:{id}")),
        facts: facts(view, operator, figures, now),
        aroi: aroi(id, figures),
        findings: claim::findings(members.iter().filter_map(|member| super::relay(view, member.relay_idx as u32))),
        dashboard: Dashboard::of(view, operator_idx, &format!("{}/charts", href::operator(id)), badges.len()),
        advice: advice::groups(view, snapshot.outlook(), operator_idx, &details, &forecast_list(id)),
        calendar: snapshot.outlook().forecasts().is_ok().then(|| format!("{}/maintenance.ics", href::operator(id))),
        badges,
        earlier: earlier_words(view, snapshot.past_standings()),
        periods: Period::ALL.into_iter().filter_map(|period| period_row(figures, period)).collect(),
        offline: offline_sentence(&details),
        offline_relays: offline_relays(view, &details),
        unlike: unlike_rows(view, &details),
        unlike_note: unlike_note(&details),
        flag_periods: FLAG_PERIODS.map(Period::label).to_vec(),
        flags: flag_rows(&details),
        relevant: relevant_words(&details),
        carried: carried_words(&details),
        versions: versions_words(&details, figures),
        diversity: diversity_words(&details, figures),
        issues: issues(view, &members),
        forecast: forecast(snapshot, view, operator),
        table: table.html(&members, &state)?,
        id: id.to_string(),
        contact,
        name,
    };
    render(&page)
}

/// Forecast for the operator's relays.
fn forecast(snapshot: &Snapshot, view: &View, operator: &Operator) -> Html {
    let members = operator.members.iter().map(|relay_idx| *relay_idx as usize);
    group_panel(snapshot.outlook(), view, members, Together::Operator, &forecast_list(&operator.id))
}

/// The address of its forecasts.
fn forecast_list(id: &OperatorId) -> String {
    format!("/forecasts?operator={}", allium_words::inert::url_encoded(&id.to_string()))
}

fn under(operator: &Operator, figures: &OperatorFigures) -> String {
    let known = match &operator.id {
        OperatorId::Domain(_) => "Known by a domain that names its relays.",
        OperatorId::Family(_) => "Known as a family: relays that name each other.",
        OperatorId::Contact(_) => "Known by its contact only, which anybody could write.",
    };
    let claim = claim_words(figures).filter(|_| !matches!(operator.id, OperatorId::Domain(_)));
    match claim {
        Some(claim) => format!("{known} Most of its relays claim {claim}."),
        None => known.to_owned(),
    }
}

fn peers_sentence(figures: &OperatorFigures) -> String {
    let rank = [Period::SixMonths, Period::OneMonth].into_iter().find_map(|period| figures.peers[period.index()]);
    rank.map_or_else(String::new, |rank| {
        let n = format::count(rank.n_operators as u64 - 1);
        format!(
            " That is better than {}\u{a0}% of {n} other operators with {}.",
            format::percent(rank.percentile, 0),
            class_words(rank.class)
        )
    })
}

pub(super) fn class_words(class: allium_analysis::operators::SizeClass) -> String {
    match (class.from, class.to) {
        (1, 1) => "1 relay".to_owned(),
        (from, usize::MAX) => format!("{from} relays and more"),
        (from, to) => format!("{from} to {to} relays"),
    }
}

fn facts(view: &View, operator: &Operator, figures: &OperatorFigures, now: Timestamp) -> Vec<(&'static str, Html)> {
    let of = &figures.members;
    let share = |share: Option<allium_model::Fraction>| Html::joined([Html::safe(Percent(share, 3)), Html::words("%")], "\u{a0}");
    let mut families: Vec<u32> = operator.members.iter().filter_map(|i| view.operators.directory.families.of_relay[*i as usize]).collect();
    families.sort_unstable();
    families.dedup();
    let family = |i: &u32| {
        let key = view.operators.directory.families.families[*i as usize].key;
        Html::link(&href::family(&key), &Html::words(crate::markup::short_fingerprint(&key)))
    };
    let n_families = families.len();
    let families = match n_families {
        0 => Html::words("none"),
        _ => Html::joined(
            families.iter().take(8).map(family).chain((n_families > 8).then(|| Html::words(format!("and {} more", n_families - 8)))),
            " ",
        ),
    };
    let rates = [of.advertised_bandwidth, of.observed_bandwidth].map(|bytes| crate::markup::words_of(bytes, format::megabytes));
    let keys = match of.n_earlier_keys {
        0 => None,
        n => Some(("Earlier keys of its relays", Html::words(format::counted(n, "earlier key")))),
    };
    let mut facts = vec![
        ("Known by", Html::words(identity(&operator.id))),
        ("Weight of guards, exits, others", Html::joined([of.guard_share, of.exit_share, of.middle_share].map(share), ", ")),
        ("Guards, exits, others running", {
            let roles = of.running_by_role;
            Html::words([roles.guard, roles.exit, roles.middle].map(|n| format::count(n as u64)).join(", "))
        }),
        ("Bandwidth, advertised and observed", { Html::words(format!("{} MB/s", rates.join(" and "))) }),
        ("Countries, autonomous systems, operating systems", {
            Html::words([of.n_countries, of.n_autonomous_systems, of.n_platforms].map(|n| format::count(n as u64)).join(", "))
        }),
        ("Addresses, IPv4 and IPv6", Html::words(format!("{} and {}", format::count(of.n_ipv4 as u64), format::count(of.n_ipv6 as u64)))),
        ("Families", families),
        ("First relay seen", Html::first_seen_at(of.first_seen, now)),
    ];
    facts.extend(keys);
    facts
}

/// Relays by what their claim is worth, with a link to those below.
fn aroi(id: &OperatorId, figures: &OperatorFigures) -> Vec<(String, String, String)> {
    let rows = AroiState::ALL.into_iter().zip(figures.by_aroi).filter(|(_, n)| *n > 0);
    let href = |state: AroiState| format!("/operator/{id}?aroi={}#relays", allium_words::inert::url_encoded(state.name()));
    rows.map(|(state, n)| (href(state), state.name().to_owned(), format::count(n as u64))).collect()
}

fn badges(view: &View, past: Option<&PastStandings>, id: &OperatorId, operator_idx: usize) -> Vec<(String, String)> {
    let places = view.operators.leaderboards.badges(operator_idx, BADGE_RANKS);
    let badge = |(category, ranked): (Category, allium_analysis::leaderboards::Ranked)| {
        let words = format!("No. {} in {}, {}", ranked.rank, crate::pages::leaderboards::title(category), score_words(category, &ranked));
        let earlier = Earlier::of(view, past, category).words(id, ranked.rank);
        (href::leaderboard(category), format!("{words}{earlier}"))
    };
    places.into_iter().map(badge).collect()
}

/// Reason why no earlier rank is known in any category; empty where one is.
fn earlier_words(view: &View, past: Option<&PastStandings>) -> String {
    let Some(past) = past else { return "Earlier places are being worked out.".to_owned() };
    let knows_any = Category::ALL.into_iter().any(|category| past.n_times(category, view.as_of()) > 0);
    if knows_any { String::new() } else { "Not enough history of our own for earlier places.".to_owned() }
}

fn period_row(figures: &OperatorFigures, period: Period) -> Option<PeriodRow> {
    let uptime = figures.members.uptime[period.index()]?;
    let shares = [Some(uptime.mean), Some(uptime.by_hours), uptime.weighted_mean, Some(uptime.min), Some(uptime.median), Some(uptime.max)];
    Some(PeriodRow {
        label: period.label(),
        n: format::count(uptime.n_relays as u64),
        figures: shares.map(|share| Percent(share, 2)).to_vec(),
        std_dev: uptime.std_dev.map_or_else(|| "\u{2013}".to_owned(), format::width),
        peers: figures.peers[period.index()].map_or_else(
            || "\u{2013}".to_owned(),
            |rank| format!("{}\u{a0}% of {}", format::percent(rank.percentile, 0), format::count(rank.n_operators as u64 - 1)),
        ),
    })
}

fn offline_sentence(details: &Portfolio) -> String {
    let offline = &details.offline;
    if offline.relays.is_empty() {
        return "All of its relays run.".to_owned();
    }
    let share = |share: Option<allium_model::Fraction>| {
        share.map_or_else(|| "an unknown share".to_owned(), |s| format!("{}\u{a0}%", format::percent(s, 2)))
    };
    format!(
        "{} down now: {} of its own weight and as much as {} of the running network's, each relay counted once. By last flags {} guards, {} exits, {} others.",
        match offline.relays.len() {
            1 => "1 relay is".to_owned(),
            n => format!("{} relays are", format::count(n as u64)),
        },
        share(offline.share_of_operator),
        share(offline.share_of_network),
        format::count(offline.by_role.guard as u64),
        format::count(offline.by_role.exit as u64),
        format::count(offline.by_role.middle as u64),
    )
}

fn offline_relays(view: &View, details: &Portfolio) -> Vec<Html> {
    let words = |(i, seen): &(u32, Option<allium_model::ConsensusHour>)| {
        let link = relay_link(super::relay(view, *i)?);
        let since = seen.map_or_else(Html::unknown, |seen| Html::joined([Html::words("last seen"), Html::safe(When::from(seen))], " "));
        Some(Html::joined([link, since], ", "))
    };
    details.offline.relays.iter().take(members::SHOWN).filter_map(words).collect()
}

fn unlike_rows(view: &View, details: &Portfolio) -> Vec<UnlikeRow> {
    let of_period = |period: Period| {
        let found = details.unlike[period.index()].iter().flatten();
        found.filter_map(move |unlike| {
            Some(UnlikeRow {
                period: period.label(),
                relay: relay_link(super::relay(view, unlike.relay.relay_idx)?),
                uptime: Percent(Some(unlike.relay.uptime), 2),
                median: Percent(Some(unlike.median), 2),
                z: format::number(unlike.z, 1),
            })
        })
    };
    [Period::OneMonth, Period::SixMonths, Period::OneYear].into_iter().flat_map(|period| of_period(period).take(10)).collect()
}

fn unlike_note(details: &Portfolio) -> String {
    let counts = [Period::OneMonth, Period::SixMonths, Period::OneYear]
        .map(|period| (period, details.unlike[period.index()].as_ref().map(Vec::len)));
    if counts.iter().all(|(_, n)| n.is_none()) {
        return format!("Too few relays to compare: {} with a figure are needed.", allium_analysis::operators::MIN_SIBLINGS);
    }
    let parts = counts.iter().filter_map(|(period, n)| n.map(|n| format!("{n} over {}", period.label())));
    format!("Relays whose uptime is unlike that of their siblings: {}.", parts.collect::<Vec<_>>().join(", "))
}

fn flag_rows(details: &Portfolio) -> Vec<FlagRow> {
    let row = |share: &allium_analysis::operators::FlagShare| FlagRow {
        flag: share.flag.name(),
        n: format::count(share.n_relays as u64),
        shares: FLAG_PERIODS
            .map(|period| (Percent(share.with_flag[period.index()], 2), Percent(share.running[period.index()], 2)))
            .to_vec(),
    };
    details.flags.iter().map(row).collect()
}

fn relevant_words(details: &Portfolio) -> String {
    let parts = details
        .relevant
        .iter()
        .filter(|(_, n)| *n > 0)
        .map(|(flag, n)| format!("{} for {}", flag.flag().name(), format::counted(*n, "relay")));
    format!("The flag that matters most is {}.", parts.collect::<Vec<_>>().join(", "))
}

fn carried_words(details: &Portfolio) -> Vec<String> {
    let of = |(period, figures): (Period, &Option<allium_analysis::operators::BandwidthFigures>)| {
        let figures = figures.as_ref()?;
        let share = |share: Option<f64>| share.map_or_else(|| "not known".to_owned(), |share| format!("{} points", format::points(share)));
        Some(format!(
            "Over {} {} wrote {} MB/s on average together, by {} of {}; coefficient of variation {}, last third against the first {}.",
            period.label(),
            format::counted(figures.n_relays, "relay"),
            format::megabytes(figures.mean_rate as u64),
            format::counted(figures.n_intervals, "interval"),
            format::hours(f64::from(figures.interval_secs) / 3600.0),
            figures.variation.map_or_else(|| "not known".to_owned(), |variation| format::number(variation, 2)),
            share(figures.growth)
        ))
    };
    let sentences: Vec<String> = [Period::SixMonths, Period::FiveYears].into_iter().zip(&details.carried).filter_map(of).collect();
    if sentences.is_empty() { vec!["No document in use tells what its relays carried.".to_owned()] } else { sentences }
}

fn versions_words(details: &Portfolio, figures: &OperatorFigures) -> String {
    let versions = &details.versions;
    let statuses: Vec<String> =
        versions.by_status.iter().take(6).map(|(status, n)| format!("{} {}", format::count(*n as u64), inert(status))).collect();
    format!(
        "{} of {} have a recommended version of Tor{}.",
        format::count(versions.n_recommended as u64),
        format::counted(figures.members.n_relays, "relay"),
        if statuses.is_empty() { String::new() } else { format!(" ({})", statuses.join(", ")) }
    )
}

fn diversity_words(details: &Portfolio, figures: &OperatorFigures) -> String {
    let Some([countries, autonomous_systems, platforms]) = details.diversity else {
        return "Nothing runs, so there is nothing to compare.".to_owned();
    };
    format!(
        "Its running relays are as spread as {} countries, {} autonomous systems and {} operating systems with equal numbers (of {}, {} and {} used).",
        format::number(countries, 1),
        format::number(autonomous_systems, 1),
        format::number(platforms, 1),
        figures.members.n_countries,
        figures.members.n_autonomous_systems,
        figures.members.n_platforms
    )
}

/// The issues of all members, worst first, then by how many have them.
fn issues(view: &View, members: &[Member<'_>]) -> Vec<IssueRow> {
    let mut found: BTreeMap<(allium_analysis::Severity, &'static str), (Issue, Vec<usize>)> = BTreeMap::new();
    for member in members {
        let Some((record, report)) = view.relay(member.relay_idx) else { continue };
        for issue in diagnose(record, report, view.as_of()) {
            let key = (issue.severity(), issue.name());
            found.entry(key).or_insert_with(|| (issue, Vec::new())).1.push(member.relay_idx);
        }
    }
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort_by_key(|((severity, name), (_, relays))| (*severity, std::cmp::Reverse(relays.len()), *name));
    let row = |(_, (issue, relays)): (_, (Issue, Vec<usize>))| {
        let words = IssueWords::of(&issue);
        // A sentence about one relay fits the others where it is the only one.
        let words =
            if relays.len() == 1 { words } else { IssueWords { title: general_title(&issue), explanation: String::new(), ..words } };
        let links = relays.iter().take(8).filter_map(|i| super::relay(view, *i as u32)).map(relay_link);
        IssueRow { words, n: format::counted(relays.len(), "relay"), relays: links.collect() }
    };
    found.into_iter().map(row).collect()
}

fn general_title(issue: &Issue) -> String {
    match issue {
        Issue::NotRunning { .. } => "Not running".to_owned(),
        Issue::ManyOutages { .. } => "Many outages in 30 days".to_owned(),
        Issue::OneSidedFamily { .. } => "Names relays as family that do not name it back".to_owned(),
        Issue::Version { .. } => "Version not recommended".to_owned(),
        other => IssueWords::of(other).title,
    }
}

/// Its relays for programs.
pub(crate) fn relays_data(view: &View, id: &OperatorId, params: &Params, form: Form) -> Result<String, RequestError> {
    let (_, operator, _) = find(view, id)?;
    let table = members::table(view, href::operator(id), Data::OperatorRelays(id.clone()).address());
    table.data(view.as_of(), &Member::current(view, &operator.members), params, form)
}

/// A chart of its page.
pub(crate) fn chart(view: &View, params: &Params, id: &OperatorId, name: &str) -> Result<allium_charts::Chart, RequestError> {
    let (operator_idx, ..) = find(view, id)?;
    dashboard::chart(view, params, operator_idx, name)
}
