//! A table of some relays, as the pages of operators and families and the list of the heaviest relays show it.

use allium_analysis::{AroiState, RelayReport, diagnose};
use allium_model::{Period, Relay, RelayFlag, RelayRecord};
use allium_service::View;

use crate::markup::{FlagLetters, Html, State};
use crate::route::{GroupKind, href};
use crate::table::{Cell, Choice, Column, Search, Style, Table, Values};

/// At how many relays lists beside the table stop.
pub(crate) const SHOWN: usize = 25;

/// A relay with its figures.
pub(crate) struct Member<'a> {
    pub(crate) relay_idx: usize,
    pub(crate) record: &'a RelayRecord,
    pub(crate) report: &'a RelayReport,
}

impl<'a> Member<'a> {
    /// The relay at this index.
    pub(crate) fn at(view: &'a View, relay_idx: usize) -> Option<Self> {
        view.relay(relay_idx).map(|(record, report)| Self { relay_idx, record, report })
    }

    /// The current relays among those at these indices, without their earlier keys.
    pub(crate) fn current(view: &'a View, members: &[u32]) -> Vec<Self> {
        members.iter().filter_map(|i| Self::at(view, *i as usize)).filter(|member| member.report.is_current_key()).collect()
    }

    /// The relay itself.
    pub(crate) fn relay(&self) -> &'a Relay {
        &self.record.relay
    }
}

/// The table of relays under a path.
pub(crate) fn table<'a>(view: &'a View, path: String, api: String) -> Table<'a, Member<'a>> {
    Table {
        path,
        api,
        caption: "Relays".to_owned(),
        noun: ("relay", "relays"),
        columns: columns(view),
        choices: choices(view),
        key: Box::new(|member| member.relay().fingerprint.to_string()),
        default_sort: "-weight_share",
        style: Style { search: Search::relay(view, |member: &Member<'_>| Some(member.relay_idx)), ..Style::default() },
    }
}

fn columns(view: &View) -> Vec<Column<'_, Member<'_>>> {
    let uptime = |period: Period| move |member: &Member<'_>| Cell::share(member.report.uptime_in(period), 2);
    let as_of = view.as_of();
    vec![
        Column::text("nickname", "Relay", |m: &Member<'_>| Cell::link(m.relay().display_name(), href::relay(&m.relay().fingerprint)))
            .title_of_card(),
        Column::text("state", "State", state).badge_of_card().method("states"),
        Column::number("uptime_1_month", "1 month, %", uptime(Period::OneMonth)).about("uptime over 1 month").method("uptime").on_card(),
        Column::number("uptime_6_months", "6 months, %", uptime(Period::SixMonths))
            .about("uptime over 6 months")
            .method("uptime")
            .on_card(),
        Column::number("uptime_1_year", "1 year, %", uptime(Period::OneYear)).about("uptime over 1 year").method("uptime"),
        Column::number("uptime_5_years", "5 years, %", uptime(Period::FiveYears)).about("uptime over 5 years").method("uptime").more(),
        Column::number("weight_share", "Weight, %", |m: &Member<'_>| Cell::share(m.relay().consensus_weight_fraction, 3))
            .method("attributes")
            .about("share of the network's consensus weight")
            .on_card(),
        Column::number("consensus_weight", "Consensus weight", |m: &Member<'_>| {
            m.relay().consensus_weight.map_or(Cell::Missing, Cell::Count)
        })
        .method("attributes")
        .more(),
        Column::number("advertised_bandwidth_bytes_per_sec", "MB/s", |m: &Member<'_>| rate(m.relay().advertised_bandwidth))
            .method("attributes")
            .about("advertised bandwidth"),
        Column::number("observed_bandwidth_bytes_per_sec", "Observed, MB/s", |m: &Member<'_>| rate(m.relay().observed_bandwidth))
            .method("attributes")
            .more(),
        Column::text("measured", "Measured", |m: &Member<'_>| match m.relay().measured {
            Some(measured) => Cell::Words(if measured { "yes" } else { "no" }.to_owned()),
            None => Cell::Missing,
        })
        .about("measured by bandwidth authorities")
        .method("attributes")
        .more(),
        Column::text("flags", "Flags", flags).unsorted(),
        Column::number("flag_uptime_1_month", "Flag, 1 month, %", |m: &Member<'_>| relevant_uptime(m, Period::OneMonth))
            .about("share of time with the flag that matters most, of Exit, Guard and Fast")
            .method("flag-reliability")
            .more(),
        Column::text("aroi", "AROI", |m: &Member<'_>| Cell::Words(view.operators.aroi[m.relay_idx].name().to_owned()))
            .about("what the claim in its contact is worth")
            .method("aroi"),
        Column::number("n_issues", "Issues", move |m: &Member<'_>| Cell::count(diagnose(m.record, m.report, as_of).len()))
            .about("issues and suggestions on its page")
            .method("issues"),
        Column::number("family_size", "Family", |m: &Member<'_>| Cell::count(family_size(view, m.relay_idx)))
            .about("relays in its family, itself included")
            .method("families")
            .more(),
        Column::text("country", "Country", |m: &Member<'_>| {
            m.relay().country.map_or(Cell::Missing, |c| Cell::link(&c.as_str().to_uppercase(), GroupKind::Country.href(c.as_str())))
        }),
        Column::text("as", "AS", |m: &Member<'_>| {
            m.relay().asn.map_or(Cell::Missing, |asn| Cell::link(&asn.to_string(), GroupKind::As.href(&asn.to_string())))
        }),
        Column::text("as_name", "AS name", |m: &Member<'_>| text(m.relay().as_name.as_deref())).more(),
        Column::text("address", "Address", |m: &Member<'_>| text(m.relay().primary_ip().map(|ip| ip.to_string()).as_deref())).more(),
        Column::text("ipv6", "IPv6", |m: &Member<'_>| {
            Cell::Words(if m.relay().or_addresses.iter().any(std::net::SocketAddr::is_ipv6) { "yes" } else { "no" }.to_owned())
        })
        .more(),
        Column::text("version", "Version", |m: &Member<'_>| Cell::version(m.relay().version.as_deref(), None)),
        Column::text("contact", "Contact", |m: &Member<'_>| text(m.relay().contact.as_deref())).more(),
        Column::text("platform", "Platform", |m: &Member<'_>| text(m.relay().platform.as_deref())).more(),
        Column::number("since", "In this state since", |m: &Member<'_>| {
            m.report.since.map_or(Cell::Missing, |since| Cell::Instant(since.since.start()))
        })
        .method("states")
        .more(),
        Column::number("first_seen", "First seen", |m: &Member<'_>| Cell::first_seen(m.relay().first_seen)).method("attributes"),
        Column::number("first_seen_bound", "First seen by", |m: &Member<'_>| Cell::first_seen_bound(m.relay().first_seen))
            .method("first-appearance")
            .more(),
        Column::number("last_restarted", "Restarted", |m: &Member<'_>| m.relay().last_restarted.map_or(Cell::Missing, Cell::Day))
            .method("attributes")
            .more(),
        Column::text("fingerprint", "Fingerprint", |m: &Member<'_>| Cell::Words(m.relay().fingerprint.to_string())).more(),
    ]
}

fn choices(view: &View) -> Vec<Choice<'_, Member<'_>>> {
    let options = |values: &[&str]| values.iter().map(|value| ((*value).to_owned(), (*value).to_owned())).collect::<Vec<_>>();
    let aroi: Vec<&str> = std::iter::once("any").chain(AroiState::ALL.map(AroiState::name)).collect();
    vec![
        Choice {
            name: "status",
            label: "State",
            values: Values::OneOf(options(&["any", "running", "down"])),
            fits: Some(Box::new(|member: &Member<'_>, value| member.relay().running == (value == "running"))),
        },
        Choice {
            name: "aroi",
            label: "AROI",
            values: Values::OneOf(options(&aroi)),
            fits: Some(Box::new(|member: &Member<'_>, value| view.operators.aroi[member.relay_idx].name() == value)),
        },
    ]
}

fn state(member: &Member<'_>) -> Cell {
    let running = member.relay().running;
    let plain = if running { "running" } else { "down" };
    Cell::Markup { html: Html::safe(State(running)), plain: plain.to_owned(), rank: f64::from(u8::from(running)) }
}

fn flags(member: &Member<'_>) -> Cell {
    let shown = || member.relay().flags.iter().filter(|flag| !matches!(flag, RelayFlag::Running | RelayFlag::Valid));
    let plain = shown().map(RelayFlag::name).collect::<Vec<_>>().join(" ");
    Cell::Markup { html: Html::joined(shown().map(|flag| Html::safe(FlagLetters(flag))), " "), plain, rank: 0.0 }
}

fn relevant_uptime(member: &Member<'_>, period: Period) -> Cell {
    let flag = [RelayFlag::Exit, RelayFlag::Guard, RelayFlag::Fast].into_iter().find(|flag| member.relay().has(*flag));
    let share = |flag: RelayFlag| member.report.flag_uptime.iter().find(|f| f.flag == flag)?.share[period.index()];
    Cell::share(flag.and_then(share), 2)
}

fn family_size(view: &View, relay_idx: usize) -> usize {
    let families = &view.operators.directory.families;
    families.of_relay[relay_idx].map_or(1, |i| families.families[i as usize].members.len())
}

fn rate(bytes_per_sec: Option<u64>) -> Cell {
    bytes_per_sec.map_or(Cell::Missing, Cell::Rate)
}

fn text(text: Option<&str>) -> Cell {
    text.map_or(Cell::Missing, Cell::name)
}
