//! The columns of all lists of groups.

use allium_analysis::Recent;
use allium_analysis::groups::{Change, Direction, Grade, Risk};
use allium_model::{Fraction, Period};
use allium_words::format;

use super::GroupRow;
use crate::markup::Html;
use crate::route::GroupKind;
use crate::table::{Cell, Column};

type Col<'a> = Column<'a, GroupRow<'a>>;

/// The columns of a list of a kind; uptime is that of a period.
pub(super) fn columns<'a>(kind: GroupKind, period: Period) -> Vec<Col<'a>> {
    let mut columns = heads(kind);
    columns.extend(uptime(period));
    columns.extend(size());
    columns.extend(bandwidth());
    columns.extend(unlike(kind));
    columns.extend(periods(period));
    columns
}

fn heads<'a>(kind: GroupKind) -> Vec<Col<'a>> {
    let label = match kind {
        GroupKind::Country => "Country",
        GroupKind::Region => "Region",
        GroupKind::As => "AS",
        GroupKind::Flag => "Flag",
        GroupKind::Platform => "Platform",
        GroupKind::Version => "Version",
        GroupKind::FirstSeen => "First seen",
    };
    let title = Column::text("name", label, move |row: &GroupRow<'a>| match kind {
        GroupKind::FirstSeen => {
            Cell::Markup { html: Html::link(&row.href(kind), &Html::words(&row.label)), plain: row.key.clone(), rank: day_rank(&row.key) }
        }
        GroupKind::Version => Cell::version(Some(&row.label), Some(row.href(kind))),
        _ => Cell::link(&row.label, row.href(kind)),
    });
    let key = Column::text("key", "Code", |row: &GroupRow<'a>| Cell::Words(row.key.clone()));
    match kind {
        GroupKind::Country => vec![title.title_of_card(), key, region("Subregion")],
        GroupKind::Region => vec![title.title_of_card(), key.about("number of M49"), region("Part of")],
        GroupKind::As => vec![
            Column::text("key", "AS", move |row: &GroupRow<'a>| Cell::Markup {
                html: Html::link(&row.href(kind), &Html::words(&row.label)),
                plain: row.key.clone(),
                rank: row.key.trim_start_matches("AS").parse().unwrap_or(0.0),
            })
            .about("AS number")
            .badge_of_card(),
            Column::text("name", "Name", |row: &GroupRow<'a>| match &row.name {
                Some(name) => Cell::link(name, row.href(GroupKind::As)),
                None => Cell::link(&row.label, row.href(GroupKind::As)),
            })
            .title_of_card(),
        ],
        GroupKind::Platform => vec![title.title_of_card(), key.more()],
        GroupKind::Flag | GroupKind::Version | GroupKind::FirstSeen => vec![title.title_of_card()],
    }
}

fn day_rank(date: &str) -> f64 {
    date.bytes().filter(u8::is_ascii_digit).fold(0.0, |number, digit| number * 10.0 + f64::from(digit - b'0'))
}

fn region<'a>(label: &'static str) -> Col<'a> {
    Column::text("region", label, |row: &GroupRow<'a>| match row.region {
        Some(region) => Cell::link(region.name(), GroupKind::Region.href(&region.to_string())),
        None => Cell::Nothing,
    })
    .method("regions")
}

fn uptime<'a>(period: Period) -> Vec<Col<'a>> {
    let about = format!("mean uptime of relays over {}", period.label());
    let figure = move |row: &GroupRow<'a>| row.figures.uptime[period.index()];
    let window = 1;
    vec![
        Column::number("n_relays", "Relays", |row: &GroupRow<'a>| Cell::count(row.figures.n_relays))
            .about("relays seen in the last 7 days")
            .method("current-relays")
            .on_card(),
        Column::number("n_running", "Running", |row: &GroupRow<'a>| Cell::count(row.figures.n_running))
            .method("current-relays")
            .about("relays running now"),
        Column::number("uptime", "Up, %", move |row: &GroupRow<'a>| Cell::share(figure(row).map(|f| f.mean), 2))
            .about(about)
            .method("uptime-of-a-group")
            .on_card(),
        Column::number("uptime_interval", "95 % interval", move |row: &GroupRow<'a>| Cell::interval(figure(row).and_then(|f| f.interval)))
            .about("95 % confidence interval of the mean uptime, %")
            .method("interval-of-a-mean"),
        Column::number("uptime_median", "Median, %", move |row: &GroupRow<'a>| Cell::share(figure(row).map(|f| f.median), 2))
            .method("uptime-of-a-group")
            .about("median uptime of relays, %"),
        Column::number("uptime_by_weight", "By weight, %", move |row: &GroupRow<'a>| {
            Cell::share(figure(row).and_then(|f| f.weighted_mean), 2)
        })
        .about("mean uptime by consensus weight, %")
        .method("weighted-uptime")
        .more(),
        Column::number("change_30_days", "30 days, pp", move |row: &GroupRow<'a>| change(row.figures.changes[window]))
            .about("change of uptime over 30 days against the network's, percentage points")
            .method("change"),
    ]
}

fn change(change: Option<Change>) -> Cell {
    let Some(change) = change else { return Cell::Missing };
    let arrow = match change.direction() {
        Direction::Improving => "\u{2197} ",
        Direction::Declining => "\u{2198} ",
        Direction::Stable => "",
    };
    let html = Html::words(format!("{arrow}{}", format::points(change.against_network)));
    Cell::Marked { html, value: Some(change.against_network) }
}

fn size<'a>() -> Vec<Col<'a>> {
    let share = |name, label: &'static str, about: &'static str, value: fn(&GroupRow<'_>) -> Option<Fraction>| {
        Column::number(name, label, move |row: &GroupRow<'a>| Cell::share(value(row), 2)).method("shares-of-a-group").about(about)
    };
    let count = |name, label: &'static str, about: &'static str, value: fn(&GroupRow<'_>) -> usize| {
        Column::number(name, label, move |row: &GroupRow<'a>| Cell::count(value(row))).method("current-relays").about(about)
    };
    vec![
        share("weight_share", "Weight, %", "share of consensus weight, %", |r| r.figures.weight_share)
            .method("shares-of-a-group")
            .on_card(),
        share("guard_probability", "Guard, %", "probability to be a client's guard, %", |r| r.figures.guard_share),
        share("middle_probability", "Middle, %", "probability to be the middle of a circuit, %", |r| r.figures.middle_share),
        share("exit_probability", "Exit, %", "probability to be an exit, %", |r| r.figures.exit_share),
        count("n_guards", "Guards", "running relays with flag Guard", |r| r.figures.running_by_role.guard).method("roles"),
        count("n_middles", "Middles", "running relays with neither Guard nor Exit", |r| r.figures.running_by_role.middle).more(),
        count("n_exits", "Exits", "running relays with flag Exit and without BadExit", |r| r.figures.running_by_role.exit),
        count("n_measured", "Measured", "relays measured by bandwidth authorities", |r| r.figures.n_measured).more(),
        Column::number("consensus_weight", "Weight", |row: &GroupRow<'a>| Cell::known(row.figures.consensus_weight, Cell::Count))
            .method("shares-of-a-group")
            .about("consensus weight of running relays")
            .more(),
    ]
}

fn bandwidth<'a>() -> Vec<Col<'a>> {
    let rate = |name, label: &'static str, about: &'static str, value: fn(&GroupRow<'_>) -> Option<u64>| {
        Column::number(name, label, move |row: &GroupRow<'a>| Cell::known(value(row), Cell::Rate))
            .method("bandwidth-of-a-group")
            .about(about)
    };
    vec![
        rate("bandwidth_bytes_per_sec", "MB/s", "advertised bandwidth of running relays, MB/s", |r| r.figures.bandwidth.all)
            .method("bandwidth-of-a-group"),
        rate("guard_bandwidth_bytes_per_sec", "Guard MB/s", "advertised bandwidth of guards, MB/s", |r| r.figures.bandwidth.guard).more(),
        rate("middle_bandwidth_bytes_per_sec", "Middle MB/s", "advertised bandwidth of middle relays, MB/s", |r| {
            r.figures.bandwidth.middle
        })
        .more(),
        rate("exit_bandwidth_bytes_per_sec", "Exit MB/s", "advertised bandwidth of exits, MB/s", |r| r.figures.bandwidth.exit).more(),
        rate("mean_bandwidth_bytes_per_sec", "Mean MB/s", "advertised bandwidth per running relay, MB/s", |r| {
            r.figures.bandwidth.all.and_then(|all| all.checked_div(r.figures.n_running as u64))
        })
        .more(),
        Column::number("bytes_written", "Written, TB", |row: &GroupRow<'a>| match row.figures.bytes_written {
            Some(bytes) => Cell::Scaled { value: bytes, shown: bytes / 1e12, decimals: 1 },
            None => Cell::Missing,
        })
        .about("bytes written, as far as published graphs reach back, TB")
        .method("bytes-written")
        .more(),
    ]
}

fn unlike<'a>(kind: GroupKind) -> Vec<Col<'a>> {
    let count = |name, label: &'static str, about: &'static str, value: fn(&GroupRow<'_>) -> usize| {
        Column::number(name, label, move |row: &GroupRow<'a>| Cell::count(value(row))).method("current-relays").about(about)
    };
    let mut columns = vec![
        count("n_operators", "Operators", "distinct operators, as far as they can be told", |r| r.figures.n_operators).method("operators"),
        count("n_families", "Families", "distinct families of two relays and more", |r| r.figures.n_families).more(),
    ];
    if kind != GroupKind::As {
        let n_as = count("n_autonomous_systems", "AS", "distinct autonomous systems", |r| r.figures.n_autonomous_systems);
        columns.push(if matches!(kind, GroupKind::Country | GroupKind::Region) { n_as } else { n_as.more() });
    }
    if kind != GroupKind::Country {
        columns.push(count("n_countries", "Countries", "distinct countries", |r| r.figures.n_countries).more());
    }
    columns.extend([
        Column::number("first_seen_bound", "First seen by", |row: &GroupRow<'a>| Cell::first_seen_bound(row.figures.first_seen))
            .method("first-appearance")
            .more(),
        Column::number("first_seen", "First seen", |row: &GroupRow<'a>| Cell::first_seen(row.figures.first_seen))
            .method("attributes")
            .about("first appearance of its oldest relay")
            .more(),
        Column::number("mean_age_days", "Mean age, days", |row: &GroupRow<'a>| number(row.figures.mean_age_days, 0))
            .method("attributes")
            .about("mean age of relays, days")
            .more(),
        Column::number("diversity", "Diversity", |row: &GroupRow<'a>| number(row.figures.diversity, 1))
            .about("diversity score, 0 to 10")
            .method("diversity-score")
            .more(),
        Column::text("risk", "Risk", |row: &GroupRow<'a>| {
            let risk = Risk::of(&row.figures);
            Cell::Markup { html: Html::words(risk.name()), plain: risk.name().to_owned(), rank: f64::from(risk as u8) }
        })
        .about("risk of depending on it")
        .method("risk-level")
        .more(),
    ]);
    columns
}

fn number(number: Option<f64>, decimals: usize) -> Cell {
    number.map_or(Cell::Missing, |number| Cell::Number(number, decimals))
}

/// Mean uptime over each period, relay-hours known, and the changes over other windows.
fn periods<'a>(current: Period) -> Vec<Col<'a>> {
    const NAMES: [&str; 7] =
        ["uptime_1_day", "uptime_7_days", "uptime_30_days", "uptime_1_month", "uptime_6_months", "uptime_1_year", "uptime_5_years"];
    const CHANGES: [&str; 3] = ["change_7_days", "", "change_90_days"];
    let mut columns: Vec<Col<'a>> = Period::ALL
        .into_iter()
        .map(|period| {
            Column::number(NAMES[period.index()], format!("{}, %", period.label()), move |row: &GroupRow<'a>| {
                Cell::share(row.figures.uptime[period.index()].map(|f| f.mean), 2)
            })
            .method("uptime-of-a-group")
            .about(format!("mean uptime over {}, %", period.label()))
            .more()
        })
        .collect();
    columns.push(
        Column::number("n_relays_with_uptime", "With data", move |row: &GroupRow<'a>| {
            Cell::count(row.figures.uptime[current.index()].map_or(0, |f| f.n_relays))
        })
        .method("uptime-of-a-group")
        .about(format!("relays with data over {}", current.label()))
        .more(),
    );
    columns.push(
        Column::number("relay_hours_known", "Relay-hours", move |row: &GroupRow<'a>| {
            number(row.figures.uptime[current.index()].map(|f| f.known_hours), 0)
        })
        .method("uptime-of-a-group")
        .about(format!("relay-hours known over {}", current.label()))
        .more(),
    );
    columns.extend([0, 2].map(|window| {
        let days = Recent::DAYS[window];
        Column::number(CHANGES[window], format!("{days} days, pp"), move |row: &GroupRow<'a>| change(row.figures.changes[window]))
            .method("change")
            .about(format!("change of uptime over {days} days against the network's, percentage points"))
            .more()
    }));
    columns
}

/// Stars as a picture with words.
pub(super) fn stars(grade: Grade) -> Html {
    let n = usize::from(grade.stars());
    let picture = format!("{}{}", "\u{2605}".repeat(n), "\u{2606}".repeat(5 - n));
    Html::element("span", &[("class", "stars"), ("role", "img"), ("aria-label", &format!("{n} of 5 stars"))], &Html::words(picture))
}
