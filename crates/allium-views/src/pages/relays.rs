//! `/relays`: which relays are there, and how reliable is each.

use allium_analysis::{SortKey, Strip, daily_strip};
use allium_model::{Period, Relay, RelayFlag, Timestamp};
use allium_service::{Snapshot, View};
use allium_words::format;
use askama::Template;

use crate::error::RequestError;
use crate::foreign::Foreign;
use crate::markup::{Day, FlagLetters, Html, Percent, State, short_fingerprint};
use crate::page::{Alternate, Frame, PageHtml, framed, render};
use crate::relay_query::{ListState, PER_PAGE_CHOICES, STATUSES, sort_value, status_of};
use crate::route::{FixedPage, href};
use crate::strips::{Labels, StripHtml, legend};

/// Days in the strip of a row.
const STRIP_DAYS: usize = 30;

/// Flags that the form offers; others work in the address.
const FORM_FLAGS: [RelayFlag; 9] = [
    RelayFlag::Guard,
    RelayFlag::Exit,
    RelayFlag::Fast,
    RelayFlag::Stable,
    RelayFlag::HSDir,
    RelayFlag::V2Dir,
    RelayFlag::Authority,
    RelayFlag::BadExit,
    RelayFlag::MiddleOnly,
];

#[derive(Template)]
#[template(path = "relays.html")]
struct Relays<'a> {
    page: Frame,
    state: &'a ListState,
    sentence: String,
    statuses: Vec<(&'static str, &'static str, bool)>,
    countries: Vec<(String, String, bool)>,
    asn: String,
    flags: Vec<(&'static str, bool)>,
    hidden: Vec<(&'static str, String)>,
    per_choices: Vec<(usize, bool)>,
    rows: Vec<Row<'a>>,
    onward: Vec<(String, String)>,
    range: String,
    sort_words: String,
    /// The same list with more columns, or with fewer.
    columns_href: String,
    json_href: String,
    csv_href: String,
    columns: Vec<Column>,
    pages: Vec<PageLink>,
    legend: String,
}

framed!(Relays<'_>);

struct Row<'a> {
    state: State,
    fingerprint: String,
    nickname: Foreign<'a>,
    short: String,
    strip: String,
    uptime_1_month: Percent,
    uptime_6_months: Percent,
    uptime_1_year: Percent,
    weight_share: Percent,
    bandwidth: String,
    flags: Vec<FlagLetters>,
    country: Html,
    autonomous_system: Html,
    version: Html,
    first_seen: Html,
    last_restarted: Html,
    more: Vec<Html>,
}

struct Column {
    label: &'static str,
    title: Option<&'static str>,
    class: &'static str,
    sort: Option<SortLink>,
    /// Where it is defined.
    method: Option<&'static str>,
}

struct SortLink {
    href: String,
    label: String,
    aria: Option<&'static str>,
}

struct PageLink {
    label: String,
    href: Option<String>,
    rel: Option<&'static str>,
    current: bool,
}

/// Renders the page.
pub(crate) fn html(snapshot: &Snapshot, view: &View, now: Timestamp, state: &ListState) -> Result<PageHtml, RequestError> {
    let found = view.select(&state.query);
    let n_pages = found.len().div_ceil(state.per_page).max(1);
    if state.page > n_pages {
        return Err(RequestError::bad("page", &state.page.to_string(), format!("a whole number from 1 to {n_pages}")));
    }
    let start = (state.page - 1) * state.per_page;
    let shown = &found[start..(start + state.per_page).min(found.len())];
    let json_href = state.href_at("/api/v1/relays");
    let csv_href = state.href_at("/api/v1/relays.csv");
    let mut page = Frame::of(snapshot, view, now, FixedPage::Relays.path())
        .with_alternate(Alternate { json: json_href.clone(), csv: Some(csv_href.clone()) });
    page.search = state.q_shown();
    let list = Relays {
        page,
        sentence: sentence(view, state, &found),
        statuses: STATUSES.map(|(value, label)| (value, label, value == status_of(&state.query))).to_vec(),
        countries: countries(view, state),
        asn: state.query.asn.map_or_else(String::new, |asn| asn.to_string()),
        flags: form_flags(state),
        hidden: hidden(state),
        per_choices: PER_PAGE_CHOICES.map(|n| (n, n == state.per_page)).to_vec(),
        rows: shown.iter().filter_map(|i| row(view, state, *i)).collect(),
        onward: onward(state),
        range: format!(
            "{} to {} of {}",
            format::count(start as u64 + 1),
            format::count((start + shown.len()) as u64),
            format::count(found.len() as u64)
        ),
        sort_words: sort_words(state),
        columns_href: ListState { all_columns: !state.all_columns, ..state.clone() }.href(),
        json_href,
        csv_href,
        columns: columns(state),
        pages: page_links(state, n_pages),
        legend: legend(),
        state,
    };
    render(&list)
}

fn sentence(view: &View, state: &ListState, found: &[usize]) -> String {
    let n_running = found.iter().filter(|i| view.record.relays[**i].relay.running).count();
    let words = if found.len() == 1 { "relay fits" } else { "relays fit" };
    let total = found.len();
    let [n_running_shown, total_shown] = [n_running, total].map(|n| format::count(n as u64));
    match state.query.running {
        _ if total == 0 => "No relay fits this search.".to_owned(),
        Some(true) => format!("{} running now.", format::counted(total, "relay")),
        Some(false) => format!("{} down now.", format::counted(total, "relay")),
        None if state.with(|_| ()).query
            == allium_analysis::RelayQuery { sort: state.query.sort, descending: state.query.descending, ..Default::default() } =>
        {
            format!("{n_running_shown} of {total_shown} relays run now.")
        }
        None => format!("{total_shown} {words}; {n_running_shown} of them running now."),
    }
}

fn countries(view: &View, state: &ListState) -> Vec<(String, String, bool)> {
    let mut known: Vec<_> = view.countries.iter().map(|(code, group)| (*code, group.name.clone(), group.n_relays)).collect();
    if let Some(wanted) = state.query.country
        && !known.iter().any(|(code, ..)| *code == wanted)
    {
        known.push((wanted, None, 0));
    }
    known.sort_by(|a, b| b.2.cmp(&a.2).then(a.0.cmp(&b.0)));
    let option = |(code, name, n): (allium_model::CountryCode, Option<String>, usize)| {
        let upper = code.as_str().to_uppercase();
        let name = name.map_or_else(|| upper.clone(), |name| allium_words::inert::inert(&name.chars().take(40).collect::<String>()));
        (code.to_string(), format!("{name} ({})", format::count(n as u64)), state.query.country == Some(code))
    };
    known.into_iter().map(option).collect()
}

fn form_flags(state: &ListState) -> Vec<(&'static str, bool)> {
    let offered = |flag: &RelayFlag| FORM_FLAGS.contains(flag) || state.query.flags.contains(*flag);
    RelayFlag::ALL.into_iter().filter(offered).map(|flag| (flag.name(), state.query.flags.contains(flag))).collect()
}

/// What the form carries along without showing it.
fn hidden(state: &ListState) -> Vec<(&'static str, String)> {
    let query = &state.query;
    let sort = ("sort", sort_value(query.sort, query.descending));
    let version = query.version.clone().map(|version| ("version", version));
    let family = query.family_of.map(|fingerprint| ("family", fingerprint.to_string()));
    let columns = state.all_columns.then(|| ("columns", "all".to_owned()));
    std::iter::once(sort).chain(version).chain(family).chain(columns).collect()
}

fn row<'a>(view: &'a View, state: &ListState, relay_idx: usize) -> Option<Row<'a>> {
    let (record, report) = view.relay(relay_idx)?;
    let relay = &record.relay;
    let uptime = |period| Percent(report.uptime_in(period), 2);
    Some(Row {
        state: State(relay.running),
        fingerprint: relay.fingerprint.to_string(),
        nickname: Foreign::short(relay.display_name()),
        short: short_fingerprint(&relay.fingerprint),
        strip: strip(&daily_strip(record, &view.record.known, view.as_of(), STRIP_DAYS)),
        uptime_1_month: uptime(Period::OneMonth),
        uptime_6_months: uptime(Period::SixMonths),
        uptime_1_year: uptime(Period::OneYear),
        weight_share: Percent(relay.consensus_weight_fraction, 3),
        bandwidth: relay.advertised_bandwidth.map_or_else(|| "\u{2013}".to_owned(), format::megabytes),
        flags: relay.flags.iter().filter(|f| !matches!(f, RelayFlag::Running | RelayFlag::Valid)).map(FlagLetters).collect(),
        country: country(relay),
        autonomous_system: autonomous_system(relay),
        version: relay.version.as_deref().map_or_else(dash, |v| Html::safe(Foreign::short(v))),
        first_seen: relay.first_seen.map_or_else(dash, |hour| Html::safe(Day(hour.start()))),
        last_restarted: relay.last_restarted.map_or_else(dash, |at| Html::safe(Day(at))),
        more: if state.all_columns { more_cells(view, relay_idx, relay) } else { Vec::new() },
    })
}

/// The columns that are shown on demand, with the definition of each.
const MORE: [(&str, Option<&str>); 7] = [
    ("Operator", Some("operators")),
    ("AROI", Some("aroi")),
    ("Measured", Some("attributes")),
    ("Addresses", None),
    ("Platform", None),
    ("Family", Some("families")),
    ("Contact", None),
];

fn more_cells(view: &View, relay_idx: usize, relay: &Relay) -> Vec<Html> {
    let foreign = |text: Option<&str>| text.map_or_else(dash, |text| Html::safe(Foreign::short(text)));
    let measured = match relay.measured {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    };
    let addresses = relay.or_addresses.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>().join(" ");
    let family = crate::pages::operators::families::key_of(view, &relay.fingerprint);
    vec![
        crate::pages::operators::operator_link(view, relay_idx),
        Html::words(view.operators.aroi[relay_idx].name()),
        Html::words(measured),
        if addresses.is_empty() { dash() } else { Html::words(addresses) },
        foreign(relay.platform.as_deref()),
        family.map_or_else(dash, |key| Html::link(&href::family(&key), &Html::words(short_fingerprint(&key)))),
        foreign(relay.contact.as_deref()),
    ]
}

fn strip(days: &Strip) -> String {
    StripHtml { cells: &days.cells, what: "Last 30 days".to_owned(), layout: "row", labels: Labels::None, skip: 0 }.to_string()
}

fn dash() -> Html {
    Html::words("\u{2013}")
}

fn country(relay: &Relay) -> Html {
    relay.country.map_or_else(dash, |code| {
        let upper = Html::words(code.as_str().to_uppercase());
        Html::link(&format!("/relays?country={code}"), &upper)
    })
}

fn autonomous_system(relay: &Relay) -> Html {
    relay.asn.map_or_else(dash, |asn| {
        let name = relay.as_name.as_deref().map(|name| Html::safe(Foreign::short(name)));
        Html::joined(std::iter::once(Html::link(&format!("/relays?as={asn}"), &Html::words(asn))).chain(name), " ")
    })
}

fn columns(state: &ListState) -> Vec<Column> {
    let month = SortKey::Uptime(Period::OneMonth);
    let column = |label, title, class, key: Option<SortKey>| Column {
        label,
        title,
        class,
        sort: key.map(|key| sort_link(state, key)),
        method: method_of(class),
    };
    let mut columns = vec![
        column("State", None, "c-st", None),
        column("Nickname", None, "c-nm", Some(SortKey::Nickname)),
        column("Fingerprint", None, "c-fp", Some(SortKey::Fingerprint)),
        column("30 days", Some("uptime over 30 days"), "c-sp", Some(SortKey::Uptime(Period::ThirtyDays))),
        column("1 month, %", Some("uptime over 1 month"), "n c-u1", Some(month)),
        column("6 months, %", Some("uptime over 6 months"), "n c-u6", Some(SortKey::Uptime(Period::SixMonths))),
        column("1 year, %", Some("uptime over 1 year"), "n c-uy", Some(SortKey::Uptime(Period::OneYear))),
        column("Weight, %", Some("share of the network's consensus weight"), "n c-cw", Some(SortKey::ConsensusWeight)),
        column("MB/s", Some("advertised bandwidth"), "n c-bw", Some(SortKey::Bandwidth)),
        column("Flags", None, "c-fl", None),
        column("Country", None, "c-cc", Some(SortKey::Country)),
        column("AS", Some("autonomous system"), "c-as", Some(SortKey::AutonomousSystem)),
        column("Version", None, "c-vs", Some(SortKey::Version)),
        column("First seen", None, "n c-dt", Some(SortKey::FirstSeen)),
        column("Restarted", None, "n c-dt", None),
    ];
    let more = MORE.iter().filter(|_| state.all_columns);
    columns.extend(more.map(|(label, method)| Column { method: *method, ..column(label, None, "c-mo", None) }));
    columns
}

/// Where a column of numbers is defined.
const fn method_of(class: &str) -> Option<&'static str> {
    match class.as_bytes() {
        b"c-sp" | b"n c-u1" | b"n c-u6" | b"n c-uy" => Some("uptime"),
        b"n c-cw" | b"n c-bw" | b"n c-dt" => Some("attributes"),
        b"c-st" => Some("states"),
        _ => None,
    }
}

/// A click on the column that already sorts turns the order round; numbers start with the largest, names with the first.
fn sort_link(state: &ListState, key: SortKey) -> SortLink {
    let query = &state.query;
    let is_current = query.sort == key;
    let descending = if is_current { !query.descending } else { starts_descending(key) };
    let target = state.with(|q| {
        q.sort = key;
        q.descending = descending;
    });
    let aria = is_current.then_some(if query.descending { "descending" } else { "ascending" });
    SortLink { href: target.href(), label: sort_name(key).to_owned(), aria }
}

const fn starts_descending(key: SortKey) -> bool {
    !matches!(key, SortKey::Nickname | SortKey::Fingerprint | SortKey::Country | SortKey::AutonomousSystem | SortKey::FirstSeen)
}

fn sort_words(state: &ListState) -> String {
    let order = if state.query.descending { "largest first" } else { "smallest first" };
    format!("{}, {order}", sort_name(state.query.sort))
}

const fn sort_name(key: SortKey) -> &'static str {
    match key {
        SortKey::ConsensusWeight => "consensus weight",
        SortKey::Bandwidth => "advertised bandwidth",
        SortKey::Nickname => "nickname",
        SortKey::Fingerprint => "fingerprint",
        SortKey::FirstSeen => "first seen",
        SortKey::LastSeen => "last seen",
        SortKey::Country => "country",
        SortKey::AutonomousSystem => "AS number",
        SortKey::Version => "version",
        SortKey::Trend => "trend of uptime",
        SortKey::Downtime => "hours down in the last year",
        SortKey::Uptime(Period::OneDay) => "uptime over 1 day",
        SortKey::Uptime(Period::SevenDays) => "uptime over 7 days",
        SortKey::Uptime(Period::ThirtyDays) => "uptime over 30 days",
        SortKey::Uptime(Period::OneMonth) => "uptime over 1 month",
        SortKey::Uptime(Period::SixMonths) => "uptime over 6 months",
        SortKey::Uptime(Period::OneYear) => "uptime over 1 year",
        SortKey::Uptime(Period::FiveYears) => "uptime over 5 years",
    }
}

/// Ways out of an empty result.
fn onward(state: &ListState) -> Vec<(String, String)> {
    let query = &state.query;
    let mut ways = Vec::new();
    if !query.text.is_empty() && query != &(allium_analysis::RelayQuery { text: query.text.clone(), ..Default::default() }) {
        let text_only = state.with(|q| *q = allium_analysis::RelayQuery { text: q.text.clone(), ..Default::default() });
        ways.push((text_only.href(), "The same search without filters".to_owned()));
    }
    if !query.include_gone {
        let wider = state.with(|q| {
            q.include_gone = true;
            q.running = None;
        });
        ways.push((wider.href(), "Include relays not seen in the last 7 days".to_owned()));
    }
    ways.push((FixedPage::Relays.path().to_owned(), "All relays".to_owned()));
    ways
}

/// First, last and the pages around the present one.
fn page_links(state: &ListState, n_pages: usize) -> Vec<PageLink> {
    let to =
        |page: usize, label: &str, rel| PageLink { label: label.to_owned(), href: Some(state.on_page(page).href()), rel, current: false };
    let mut links = Vec::new();
    if state.page > 1 {
        links.push(to(state.page - 1, "Previous", Some("prev")));
    }
    let near = |page: &usize| *page == 1 || *page == n_pages || page.abs_diff(state.page) <= 2;
    let mut before = 0;
    for page in (1..=n_pages).filter(near) {
        if page > before + 1 {
            links.push(PageLink { label: "…".to_owned(), href: None, rel: None, current: false });
        }
        links.push(match page == state.page {
            true => PageLink { label: page.to_string(), href: None, rel: None, current: true },
            false => to(page, &page.to_string(), None),
        });
        before = page;
    }
    if state.page < n_pages {
        links.push(to(state.page + 1, "Next", Some("next")));
    }
    links
}
