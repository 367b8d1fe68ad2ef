//! The columns of relays, defined once: the CSV has those of the data in this order, the page those of [`PAGE`].

use allium_analysis::groups::flag_names as names_of_flags;
use allium_analysis::{AroiState, SortKey, UptimeSource, daily_strip};
use allium_model::{AroiContact, FirstSeen, Period, RelayFlag};
use allium_service::View;

use crate::foreign::Foreign;
use crate::markup::{FlagLetters, Html, State, short_fingerprint};
use crate::pages::members::Member;
use crate::pages::operators::{families, operator_link};
use crate::route::href;
use crate::strips::{Labels, StripHtml};
use crate::table::{Cell, Column};

/// Days in the strip of a row.
const STRIP_DAYS: usize = 30;

/// The columns of the page, in their order; those from the operator on are shown on demand.
pub(super) const PAGE: &[&str] = &[
    "running",
    "nickname",
    "fingerprint",
    "uptime_30_days",
    "uptime_1_month",
    "uptime_6_months",
    "uptime_1_year",
    "consensus_weight_fraction",
    "advertised_bandwidth_bytes_per_sec",
    "flags",
    "country",
    "as",
    "version",
    "first_seen",
    "last_restarted",
    "operator",
    "aroi",
    "measured",
    "or_addresses",
    "platform",
    "family",
    "contact",
];

/// The names of uptimes as sources published them, in the order of [`Period::ALL`].
const PUBLISHED: [&str; 7] = [
    "uptime_as_published_1_day",
    "uptime_as_published_7_days",
    "uptime_as_published_30_days",
    "uptime_as_published_1_month",
    "uptime_as_published_6_months",
    "uptime_as_published_1_year",
    "uptime_as_published_5_years",
];

type Row<'a> = Member<'a>;
type Col<'a> = Column<'a, Row<'a>>;

/// All columns.
pub(super) fn columns(view: &View) -> Vec<Col<'_>> {
    let parts = [identity(), uptime(view), weights(), location(), software(), dates(), sources(), operators(view)];
    parts.into_iter().flatten().collect()
}

fn identity<'a>() -> Vec<Col<'a>> {
    vec![
        Column::text("fingerprint", "Fingerprint", |row: &Row<'_>| Cell::Words(row.relay().fingerprint.to_string()))
            .plain()
            .class("c-fp")
            .shown(|row| Html::words(short_fingerprint(&row.relay().fingerprint)))
            .sorted_by(SortKey::Fingerprint.name()),
        Column::text("nickname", "Nickname", |row: &Row<'_>| foreign(row.relay().nickname.as_deref()))
            .plain()
            .class("c-nm")
            .title_of_card()
            .shown(name)
            .sorted_by(SortKey::Nickname.name()),
        Column::text("running", "State", |row: &Row<'_>| Cell::Words(row.relay().running.to_string()))
            .plain()
            .class("c-st")
            .method("states")
            .shown(|row| Html::safe(State(row.relay().running)))
            .unsorted(),
        Column::data("current", |row: &Row<'_>| Cell::Words(row.report.current.to_string())),
        Column::data("since", |row: &Row<'_>| row.report.since.map_or(Cell::Missing, |since| Cell::Instant(since.since.start()))),
    ]
}

fn uptime(view: &View) -> Vec<Col<'_>> {
    let measured = Period::ALL.into_iter().map(|period| uptime_over(view, period));
    let published = Period::ALL.into_iter().zip(PUBLISHED).map(|(period, name)| {
        Column::data(name, move |row: &Row<'_>| Cell::share(row.report.uptime[period.index()].as_ref().and_then(|f| f.as_published), 2))
    });
    measured.chain(published).collect()
}

fn uptime_over(view: &View, period: Period) -> Col<'_> {
    let name = SortKey::Uptime(period).name();
    let cell = move |row: &Row<'_>| Cell::share(row.report.uptime_in(period), 2);
    let class = match period {
        Period::ThirtyDays => "c-sp",
        Period::OneMonth => "c-u1",
        Period::SixMonths => "c-u6",
        Period::OneYear => "c-uy",
        Period::OneDay | Period::SevenDays | Period::FiveYears => return Column::data(name, cell),
    };
    let column = match period {
        Period::ThirtyDays => Column::text(name, period.label(), cell).shown(|row| strip(view, row)),
        _ => Column::number(name, format!("{}, %", period.label()), cell),
    };
    column.about(format!("uptime over {}", period.label())).class(class).method("uptime")
}

fn weights<'a>() -> Vec<Col<'a>> {
    vec![
        Column::text("flags", "Flags", |row: &Row<'_>| Cell::Words(flag_names(row))).plain().class("c-fl").shown(flag_letters).unsorted(),
        Column::data("consensus_weight", |row: &Row<'_>| row.relay().consensus_weight.map_or(Cell::Missing, Cell::Count)),
        Column::number("consensus_weight_fraction", "Weight, %", |row: &Row<'_>| Cell::share(row.relay().consensus_weight_fraction, 3))
            .about("share of the network's consensus weight")
            .class("c-cw")
            .method("attributes")
            .sorted_by(SortKey::ConsensusWeight.name()),
        Column::data("guard_probability", |row: &Row<'_>| Cell::share(row.relay().guard_probability, 3)),
        Column::data("middle_probability", |row: &Row<'_>| Cell::share(row.relay().middle_probability, 3)),
        Column::data("exit_probability", |row: &Row<'_>| Cell::share(row.relay().exit_probability, 3)),
        Column::number("advertised_bandwidth_bytes_per_sec", "MB/s", |row: &Row<'_>| {
            row.relay().advertised_bandwidth.map_or(Cell::Nothing, Cell::Rate)
        })
        .about("advertised bandwidth")
        .class("c-bw")
        .method("attributes")
        .sorted_by(SortKey::Bandwidth.name()),
    ]
}

fn location<'a>() -> Vec<Col<'a>> {
    vec![
        Column::text("country", "Country", |row: &Row<'_>| words(row.relay().country))
            .plain()
            .class("c-cc")
            .shown(country)
            .sorted_by(SortKey::Country.name()),
        Column::data("country_name", |row: &Row<'_>| foreign(row.relay().country_name.as_deref())),
        Column::text("as", "AS", |row: &Row<'_>| words(row.relay().asn))
            .about("autonomous system")
            .class("c-as")
            .shown(autonomous_system)
            .sorted_by(SortKey::AutonomousSystem.name()),
        Column::data("as_name", |row: &Row<'_>| foreign(row.relay().as_name.as_deref())),
        on_demand("or_addresses", "Addresses", |row| {
            Cell::Words(row.relay().or_addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
        })
        .shown(addresses),
    ]
}

fn software<'a>() -> Vec<Col<'a>> {
    vec![
        Column::text("version", "Version", |row: &Row<'_>| foreign(row.relay().version.as_deref()))
            .plain()
            .class("c-vs")
            .sorted_by(SortKey::Version.name()),
        Column::data("version_status", |row: &Row<'_>| foreign(row.relay().version_status.as_deref())),
        on_demand("platform", "Platform", |row| foreign(row.relay().platform.as_deref())),
        on_demand("contact", "Contact", |row| foreign(row.relay().contact.as_deref())),
    ]
}

fn dates<'a>() -> Vec<Col<'a>> {
    vec![
        Column::number("first_seen", "First seen", |row: &Row<'_>| match row.relay().first_seen {
            FirstSeen::Unknown => Cell::Nothing,
            seen => Cell::first_seen(seen),
        })
        .plain()
        .class("c-dt")
        .method("attributes")
        .sorted_by(SortKey::FirstSeen.name()),
        Column::data("first_seen_bound", |row: &Row<'_>| Cell::first_seen_bound(row.relay().first_seen)),
        Column::data("first_seen_source", |row: &Row<'_>| {
            row.relay().first_seen.source().map_or(Cell::Nothing, |source| Cell::Words(source.to_owned()))
        }),
        Column::data("last_seen", |row: &Row<'_>| row.relay().last_seen.map_or(Cell::Missing, |hour| Cell::Instant(hour.start()))),
        Column::number("last_restarted", "Restarted", |row: &Row<'_>| row.relay().last_restarted.map_or(Cell::Nothing, Cell::Day))
            .plain()
            .class("c-dt")
            .method("attributes")
            .unsorted(),
    ]
}

/// The kind of source that the uptimes of the page rest on.
fn sources<'a>() -> Vec<Col<'a>> {
    let source = |period: Period| {
        move |row: &Row<'_>| match row.report.uptime[period.index()].as_ref().map(|figure| figure.source) {
            Some(UptimeSource::Exact { .. }) => Cell::Words("exact".to_owned()),
            Some(UptimeSource::Published { .. }) => Cell::Words("published".to_owned()),
            None => Cell::Missing,
        }
    };
    vec![
        Column::data("uptime_source_1_month", source(Period::OneMonth)),
        Column::data("uptime_source_6_months", source(Period::SixMonths)),
        Column::data("uptime_source_1_year", source(Period::OneYear)),
    ]
}

fn operators(view: &View) -> Vec<Col<'_>> {
    let aroi = |row: &Row<'_>| view.operators.aroi[row.relay_idx];
    vec![
        on_demand("aroi", "AROI", move |row| match aroi(row) {
            AroiState::NotConfigured => Cell::Nothing,
            state => Cell::Words(state.name().to_owned()),
        })
        .method("aroi")
        .shown(move |row| Html::words(aroi(row).name())),
        Column::data("aroi_domain", |row: &Row<'_>| {
            let contact = row.relay().contact.as_deref().map(AroiContact::of);
            words(contact.as_ref().and_then(AroiContact::domain))
        }),
        on_page("operator", "Operator", |row| operator_link(view, row.relay_idx)).method("operators"),
        on_page("measured", "Measured", |row| Html::words(measured(row.relay().measured))).method("attributes"),
        on_page("family", "Family", |row| family(view, row)).method("families"),
    ]
}

/// A column that the page shows with all columns.
fn on_demand<'a>(name: &'static str, label: &str, cell: impl Fn(&Row<'a>) -> Cell + 'a) -> Col<'a> {
    Column::text(name, label, cell).plain().class("c-mo").unsorted().more()
}

/// The same without a column in the CSV.
fn on_page<'a>(name: &'static str, label: &str, html: impl Fn(&Row<'a>) -> Html + 'a) -> Col<'a> {
    on_demand(name, label, |_| Cell::Nothing).shown(html).page_only()
}

fn foreign(text: Option<&str>) -> Cell {
    text.map_or(Cell::Nothing, Cell::name)
}

fn words(value: Option<impl ToString>) -> Cell {
    value.map_or(Cell::Nothing, |value| Cell::Words(value.to_string()))
}

fn dash() -> Html {
    Html::words("\u{2013}")
}

fn name(row: &Row<'_>) -> Html {
    Html::link(&href::relay(&row.relay().fingerprint), &Html::safe(Foreign::short(row.relay().display_name())))
}

fn strip(view: &View, row: &Row<'_>) -> Html {
    let days = daily_strip(row.record, &view.record.known, view.as_of(), STRIP_DAYS);
    Html::safe(StripHtml { cells: &days.cells, what: "Last 30 days".to_owned(), layout: "row", labels: Labels::None, skip: 0 })
}

fn flag_names(row: &Row<'_>) -> String {
    names_of_flags(row.relay()).collect::<Vec<_>>().join(" ")
}

/// The flags that tell relays apart, each with a space behind it.
fn flag_letters(row: &Row<'_>) -> Html {
    let flags = row.relay().flags.iter().filter(|flag| !matches!(flag, RelayFlag::Running | RelayFlag::Valid));
    let known = flags.map(|flag| Html::safe(FlagLetters(flag)));
    let others = row.relay().other_flags.iter().map(|name| Html::safe(Foreign::short(name)));
    Html::joined(known.chain(others).flat_map(|flag| [flag, Html::words(" ")]), "")
}

fn country(row: &Row<'_>) -> Html {
    let link = |code: allium_model::CountryCode| Html::link(&format!("/relays?country={code}"), &Html::words(code.as_str().to_uppercase()));
    row.relay().country.map_or_else(dash, link)
}

fn autonomous_system(row: &Row<'_>) -> Html {
    row.relay().asn.map_or_else(dash, |asn| {
        let name = row.relay().as_name.as_deref().map(|name| Html::safe(Foreign::short(name)));
        Html::joined(std::iter::once(Html::link(&format!("/relays?as={asn}"), &Html::words(asn))).chain(name), " ")
    })
}

fn addresses(row: &Row<'_>) -> Html {
    let addresses = row.relay().or_addresses.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>();
    if addresses.is_empty() { dash() } else { Html::words(addresses.join(" ")) }
}

const fn measured(measured: Option<bool>) -> &'static str {
    match measured {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    }
}

fn family(view: &View, row: &Row<'_>) -> Html {
    let key = families::key_of(view, &row.relay().fingerprint);
    key.map_or_else(dash, |key| Html::link(&href::family(&key), &Html::words(short_fingerprint(&key))))
}
