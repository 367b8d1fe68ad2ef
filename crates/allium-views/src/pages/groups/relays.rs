//! The relays of a group as a table.

use allium_analysis::RelayReport;
use allium_analysis::groups::flag_names;
use allium_model::{Period, RelayFlag, RelayRecord};
use allium_service::View;

use super::{GroupRow, period_options};
use crate::foreign::Foreign;
use crate::markup::{FlagLetters, Html, State};
use crate::route::{Data, GroupKind, href};
use crate::table::{Cell, Choice, Column, Search, Style, Table, Values};

/// A relay with its figures.
pub(super) struct RelayRow<'a> {
    record: &'a RelayRecord,
    report: &'a RelayReport,
}

/// The relays of a group, in the order of their fingerprints.
pub(super) fn relay_rows<'a>(view: &'a View, group: &GroupRow<'_>) -> Vec<RelayRow<'a>> {
    let indices = group.members.iter().map(|member| view.groups.members[*member as usize].relay_idx);
    indices.filter_map(|i| view.relay(i)).map(|(record, report)| RelayRow { record, report }).collect()
}

/// The table of a group's relays; `period` is shown beside the usual ones.
pub(super) fn table<'a>(view: &'a View, kind: GroupKind, key: &str, period: Period) -> Table<'a, RelayRow<'a>> {
    let running = |row: &RelayRow<'a>, value: &str| row.record.relay.running == (value == "running");
    Table {
        path: kind.href(key),
        api: Data::Group(kind, key.to_owned()).address(),
        caption: "Relays of this group".to_owned(),
        noun: ("relay", "relays"),
        columns: columns(period),
        choices: vec![
            Choice { name: "period", label: "Period", values: Values::OneOf(period_options()), fits: None },
            Choice {
                name: "status",
                label: "State",
                values: Values::OneOf(
                    [("", "any"), ("running", "running"), ("down", "down")].map(|(v, l)| (v.to_owned(), l.to_owned())).to_vec(),
                ),
                fits: Some(Box::new(running)),
            },
        ],
        key: Box::new(|row| row.record.relay.fingerprint.to_string()),
        default_sort: "-weight_share",
        style: Style {
            search: Search::relay(view, |row: &RelayRow<'a>| view.relay_idx(&row.record.relay.fingerprint)),
            ..Style::default()
        },
    }
}

fn columns<'a>(period: Period) -> Vec<Column<'a, RelayRow<'a>>> {
    let uptime = |name, period: Period| {
        Column::number(name, format!("{}, %", period.label()), move |row: &RelayRow<'a>| Cell::share(row.report.uptime_in(period), 2))
            .method("uptime")
            .about(format!("uptime over {}, %", period.label()))
    };
    vec![
        Column::text("nickname", "Nickname", |row: &RelayRow<'a>| {
            Cell::link(row.record.relay.display_name(), href::relay(&row.record.relay.fingerprint))
        })
        .title_of_card(),
        Column::text("fingerprint", "Fingerprint", |row: &RelayRow<'a>| {
            let fingerprint = row.record.relay.fingerprint;
            Cell::Markup { html: Html::words(crate::markup::short_fingerprint(&fingerprint)), plain: fingerprint.to_string(), rank: 0.0 }
        })
        .unsorted(),
        Column::text("state", "State", |row: &RelayRow<'a>| {
            let running = row.record.relay.running;
            let plain = if running { "running" } else { "down" };
            Cell::Markup { html: Html::safe(State(running)), plain: plain.to_owned(), rank: f64::from(u8::from(!running)) }
        })
        .badge_of_card(),
        Column::number("uptime", format!("Up {}, %", period.label()), move |row: &RelayRow<'a>| {
            Cell::share(row.report.uptime_in(period), 2)
        })
        .about(format!("uptime over {}, %", period.label()))
        .method("uptime")
        .on_card(),
        uptime("uptime_6_months", Period::SixMonths).on_card(),
        uptime("uptime_1_year", Period::OneYear),
        Column::number("weight_share", "Weight, %", |row: &RelayRow<'a>| Cell::share(row.record.relay.consensus_weight_fraction, 3))
            .method("attributes")
            .about("share of consensus weight, %")
            .on_card(),
        Column::number("bandwidth_bytes_per_sec", "MB/s", |row: &RelayRow<'a>| {
            row.record.relay.advertised_bandwidth.map_or(Cell::Missing, Cell::Rate)
        })
        .method("attributes")
        .about("advertised bandwidth, MB/s"),
        Column::text("flags", "Flags", |row: &RelayRow<'a>| flags(row)).unsorted(),
        Column::text("country", "Country", |row: &RelayRow<'a>| match row.record.relay.country {
            Some(country) => Cell::link(&country.as_str().to_uppercase(), GroupKind::Country.href(country.as_str())),
            None => Cell::Nothing,
        }),
        Column::text("as", "AS", |row: &RelayRow<'a>| match row.record.relay.asn {
            Some(asn) => Cell::link(&asn.to_string(), GroupKind::As.href(&asn.to_string())),
            None => Cell::Nothing,
        }),
        Column::text("as_name", "AS name", |row: &RelayRow<'a>| match &row.record.relay.as_name {
            Some(name) => Cell::name(name),
            None => Cell::Nothing,
        })
        .more(),
        Column::text("version", "Version", |row: &RelayRow<'a>| {
            let version = row.record.relay.version.as_deref();
            Cell::version(version, version.map(|version| GroupKind::Version.href(version)))
        }),
        Column::text("platform", "Platform", |row: &RelayRow<'a>| match &row.record.relay.platform {
            Some(platform) => Cell::name(platform),
            None => Cell::Nothing,
        })
        .more(),
        Column::number("first_seen", "First seen", |row: &RelayRow<'a>| Cell::first_seen(row.record.relay.first_seen)).method("attributes"),
        Column::number("first_seen_bound", "First seen by", |row: &RelayRow<'a>| Cell::first_seen_bound(row.record.relay.first_seen))
            .method("first-appearance")
            .more(),
        Column::number("last_restarted", "Restarted", |row: &RelayRow<'a>| {
            row.record.relay.last_restarted.map_or(Cell::Missing, Cell::Day)
        })
        .method("attributes")
        .more(),
    ]
}

fn flags(row: &RelayRow<'_>) -> Cell {
    let shown = row.record.relay.flags.iter().filter(|flag| !matches!(flag, RelayFlag::Running | RelayFlag::Valid));
    let html = Html::joined(shown.map(|flag| Html::safe(FlagLetters(flag))), " ");
    let others = row.record.relay.other_flags.iter().map(|name| Html::safe(Foreign::short(name)));
    let html = Html::joined(std::iter::once(html).chain(others), " ");
    let names: Vec<&str> = flag_names(&row.record.relay).collect();
    Cell::Markup { html, plain: names.join(" "), rank: 0.0 }
}
