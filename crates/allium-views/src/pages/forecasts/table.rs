//! The table of forecasts: one row per relay, one definition for page, JSON and CSV.

use std::collections::BTreeMap;

use allium_forecast::advice::Urgency;
use allium_forecast::{Confidence, Label};
use allium_model::CountryCode;
use allium_service::View;
use allium_words::format;
use allium_words::inert::inert;

use super::advice::heading;
use super::markup::label_html;
use super::{Row, label_option};
use crate::error::RequestError;
use crate::markup::Html;
use crate::params::Params;
use crate::route::{Data, FixedData, FixedPage, GroupKind, href};
use crate::table::{Cell, Choice, Column, Search, Style, Table, Values};
use allium_words::forecasts::confidence_word;

type Col<'a> = Column<'a, Row<'a>>;

/// Autonomous systems and operators that the form offers: those with most relays.
const OFFERED: usize = 40;

/// The table of these rows.
pub(super) fn table<'a>(view: &'a View, rows: &[Row<'a>], params: &Params) -> Result<Table<'a, Row<'a>>, RequestError> {
    Ok(Table {
        path: FixedPage::Forecasts.path().to_owned(),
        api: Data::Fixed(FixedData::Forecasts).address(),
        caption: "Forecasts by relay".to_owned(),
        noun: ("relay", "relays"),
        columns: columns(view),
        choices: choices(view, rows, params)?,
        key: Box::new(|row| row.forecast.fingerprint.to_string()),
        default_sort: "-p_below_90",
        style: Style { search: Search::relay(view, |row: &Row<'a>| view.relay_idx(&row.forecast.fingerprint)), ..Style::default() },
    })
}

fn columns<'a>(view: &'a View) -> Vec<Col<'a>> {
    let mut columns = vec![
        Column::text("nickname", "Relay", |row: &Row<'a>| {
            Cell::link(row.record.relay.display_name(), href::relay(&row.forecast.fingerprint))
        })
        .title_of_card(),
        Column::text("label", "Label", |row: &Row<'a>| Cell::Markup {
            html: label_html(row.forecast.label),
            plain: row.forecast.label.name().to_owned(),
            rank: index(&Label::ALL, &row.forecast.label),
        })
        .about("forecast in a word")
        .method("forecast-labels")
        .badge_of_card(),
        Column::number("recent_uptime", "Last 30 days, %", |row: &Row<'a>| Cell::share(row.forecast.recent, 2))
            .method("uptime")
            .about("uptime over the 30 days before")
            .on_card(),
        Column::number("q50", "Median, %", |row: &Row<'a>| Cell::share(row.forecast.quantile(0.5), 2))
            .about("median of the uptime to come, and whether it is higher or lower than before")
            .method("forecast")
            .on_card(),
        Column::text("way", "", |row: &Row<'a>| way(row)).about("against the last 30 days").method("forecast-labels").unsorted(),
        Column::text("interval", "80 % interval", |row: &Row<'a>| interval(row)).about("0.1 and 0.9 quantile, %").method("forecast"),
        Column::number("p_below_90", "Below 90 %, %", |row: &Row<'a>| Cell::Share(row.forecast.p_below_90, 1))
            .about("probability of less than 90 % uptime, %")
            .method("forecast")
            .on_card(),
        Column::number("p_gone", "Gone, %", |row: &Row<'a>| Cell::Share(row.forecast.p_gone, 1))
            .about("probability that it is never Running again within the horizon, %")
            .method("forecast"),
        Column::text("confidence", "Confidence", |row: &Row<'a>| Cell::Markup {
            html: Html::words(confidence_word(row.forecast.confidence)),
            plain: row.forecast.confidence.name().to_owned(),
            rank: index(&Confidence::ALL, &row.forecast.confidence),
        })
        .about("confidence by the width of the interval")
        .method("forecast-confidence"),
        Column::text("todo", "To do", |row: &Row<'a>| match &row.advice {
            Some(advice) => Cell::Markup {
                html: Html::words(heading(advice.urgency)),
                plain: advice.urgency.name().to_owned(),
                rank: index(&Urgency::ALL, &advice.urgency),
            },
            None => Cell::Nothing,
        })
        .about("how soon something is to be done")
        .method("forecast-advice"),
        Column::text("action", "What", |row: &Row<'a>| row.advice.map_or(Cell::Nothing, |advice| Cell::Words(advice.action())))
            .about("what is to be done")
            .method("forecast-advice")
            .more(),
    ];
    columns.extend(more_figures());
    columns.extend(attributes(view));
    columns
}

fn index<T: PartialEq>(all: &[T], one: &T) -> f64 {
    all.iter().position(|each| each == one).map_or(0.0, |idx| idx as f64)
}

/// An arrow and a word where the median lies at least a point away from the uptime before.
fn way(row: &Row<'_>) -> Cell {
    let difference = row.forecast.quantile(0.5).zip(row.forecast.recent).map(|(median, recent)| median.get() - recent.get());
    let Some(difference) = difference else { return Cell::Missing };
    let (arrow, word) = match difference {
        d if d >= 0.01 => ("\u{2197}", "higher"),
        d if d <= -0.01 => ("\u{2198}", "lower"),
        _ => ("\u{2192}", "about the same"),
    };
    let html = Html::element("span", &[("role", "img"), ("aria-label", word), ("title", word)], &Html::words(arrow));
    Cell::Markup { html, plain: word.to_owned(), rank: difference }
}

fn interval(row: &Row<'_>) -> Cell {
    let Some((low, high)) = row.forecast.quantile(0.1).zip(row.forecast.quantile(0.9)) else { return Cell::Missing };
    let shown = format!("{} to {}", format::percent(low, 1), format::percent(high, 1));
    Cell::Markup { html: Html::words(shown), plain: format!("{} {}", low.get(), high.get()), rank: high.get() - low.get() }
}

fn more_figures<'a>() -> Vec<Col<'a>> {
    const QUANTILES: [(&str, &str, f64); 6] = [
        ("q05", "5 %", 0.05),
        ("q10", "10 %", 0.1),
        ("q25", "25 %", 0.25),
        ("q75", "75 %", 0.75),
        ("q90", "90 %", 0.9),
        ("q95", "95 %", 0.95),
    ];
    let quantile = |(name, label, level): (&'static str, &'static str, f64)| {
        Column::number(name, label, move |row: &Row<'a>| Cell::share(row.forecast.quantile(level), 2))
            .method("forecast")
            .about(format!("{label} quantile of the uptime to come, %"))
            .more()
    };
    let mean = Column::number("mean", "Expected, %", |row: &Row<'a>| Cell::Share(row.forecast.mean, 2))
        .method("forecast")
        .about("expected uptime: the mean of the forecast, %")
        .more();
    std::iter::once(mean).chain(QUANTILES.into_iter().map(quantile)).collect()
}

fn attributes<'a>(view: &'a View) -> Vec<Col<'a>> {
    vec![
        Column::text("state", "State", |row: &Row<'a>| Cell::Words(state(row).to_owned()))
            .about("in the newest consensus looked at")
            .more(),
        Column::text("country", "Country", |row: &Row<'a>| match row.record.relay.country {
            Some(country) => Cell::link(country.as_str(), GroupKind::Country.href(country.as_str())),
            None => Cell::Missing,
        }),
        Column::text("as", "AS", |row: &Row<'a>| match row.record.relay.asn {
            Some(asn) => Cell::link(&asn.to_string(), GroupKind::As.href(&asn.to_string())),
            None => Cell::Missing,
        }),
        Column::text("as_name", "AS name", |row: &Row<'a>| row.record.relay.as_name.as_deref().map_or(Cell::Missing, Cell::name)).more(),
        Column::text("operator", "Operator", move |row: &Row<'a>| match row.operator {
            Some(operator) => Cell::link(&view.operator_name(operator.idx), href::operator(operator.id)),
            None => Cell::Nothing,
        })
        .method("operators")
        .more(),
        Column::text("fingerprint", "Fingerprint", |row: &Row<'a>| Cell::Words(row.forecast.fingerprint.to_string())).more(),
    ]
}

fn state(row: &Row<'_>) -> &'static str {
    if row.forecast.running { "running" } else { "down" }
}

fn choices<'a>(view: &'a View, rows: &[Row<'a>], params: &Params) -> Result<Vec<Choice<'a, Row<'a>>>, RequestError> {
    let any = || std::iter::once((String::new(), "any".to_owned()));
    let confidence = |c: Confidence| (c.name().to_owned(), confidence_word(c).to_owned());
    Ok(vec![
        Choice {
            name: "label",
            label: "Label",
            values: Values::OneOf(any().chain(Label::ALL.map(label_option)).collect()),
            fits: Some(Box::new(|row, value| row.forecast.label.name() == value)),
        },
        Choice {
            name: "confidence",
            label: "Confidence",
            values: Values::OneOf(any().chain(Confidence::ALL.map(confidence)).collect()),
            fits: Some(Box::new(|row, value| row.forecast.confidence.name() == value)),
        },
        Choice {
            name: "todo",
            label: "To do",
            values: Values::OneOf(
                any().chain(Urgency::ALL.map(|urgency| (urgency.name().to_owned(), heading(urgency).to_owned()))).collect(),
            ),
            fits: Some(Box::new(|row, value| row.advice.is_some_and(|advice| advice.urgency.name() == value))),
        },
        Choice {
            name: "state",
            label: "State",
            values: Values::OneOf(any().chain(["running", "down"].map(|word| (word.to_owned(), word.to_owned()))).collect()),
            fits: Some(Box::new(|row, value| state(row) == value)),
        },
        Choice {
            name: "country",
            label: "Country",
            values: Values::OneOf(any().chain(countries(rows)).collect()),
            fits: Some(Box::new(|row, value| row.record.relay.country.is_some_and(|country| country.as_str() == value))),
        },
        Choice {
            name: "as",
            label: "AS",
            values: Values::OneOf(any().chain(systems(rows, params)?).collect()),
            fits: Some(Box::new(|row, value| row.record.relay.asn.is_some_and(|asn| asn.to_string() == value))),
        },
        Choice {
            name: "operator",
            label: "Operator",
            values: Values::OneOf(any().chain(operators(view, rows, params)?).collect()),
            fits: Some(Box::new(|row, value| row.operator.is_some_and(|operator| operator.id.to_string() == value))),
        },
    ])
}

fn countries(rows: &[Row<'_>]) -> Vec<(String, String)> {
    let mut names: BTreeMap<CountryCode, Option<&str>> = BTreeMap::new();
    for relay in rows.iter().map(|row| &row.record.relay) {
        if let Some(country) = relay.country {
            names.entry(country).or_insert(relay.country_name.as_deref());
        }
    }
    let option = |(code, name): (CountryCode, Option<&str>)| {
        let name = name.unwrap_or(code.as_str());
        (code.as_str().to_owned(), inert(&name.chars().take(40).collect::<String>()))
    };
    let mut options: Vec<(String, String)> = names.into_iter().map(option).collect();
    options.sort_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)));
    options
}

/// The keys with most rows, the largest first, and that of the address if it has rows.
fn offered<K: Ord + Clone>(keys: impl Iterator<Item = K>, asked: Option<&K>) -> Vec<(K, usize)> {
    let mut keys: Vec<K> = keys.collect();
    keys.sort_unstable();
    let mut all: Vec<(K, usize)> = keys.chunk_by(|a, b| a == b).map(|same| (same[0].clone(), same.len())).collect();
    all.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let mut n_offered = 0;
    all.retain(|(key, _)| {
        n_offered += 1;
        n_offered <= OFFERED || asked == Some(key)
    });
    all
}

fn systems(rows: &[Row<'_>], params: &Params) -> Result<Vec<(String, String)>, RequestError> {
    let asked = params.one("as")?.and_then(|text| text.parse().ok());
    let found = offered(rows.iter().filter_map(|row| row.record.relay.asn), asked.as_ref());
    Ok(found.into_iter().map(|(asn, n)| (asn.to_string(), format!("{asn} ({})", format::count(n as u64)))).collect())
}

fn operators(view: &View, rows: &[Row<'_>], params: &Params) -> Result<Vec<(String, String)>, RequestError> {
    let asked = params.one("operator")?.and_then(|text| text.parse().ok()).and_then(|id| view.operators.directory.position(&id));
    let mut found = offered(rows.iter().filter_map(|row| row.operator.map(|operator| operator.idx)), asked.as_ref());
    // An operator whose relays all lack a forecast has a page all the same.
    if let Some(asked) = asked.filter(|asked| found.iter().all(|(idx, _)| idx != asked)) {
        found.push((asked, 0));
    }
    let option = |(idx, n): (usize, usize)| {
        let id = view.operators.list().get(idx)?.id.to_string();
        let name = inert(&view.operator_name(idx).chars().take(40).collect::<String>());
        Some((id, format!("{name} ({})", format::count(n as u64))))
    };
    Ok(found.into_iter().filter_map(option).collect())
}
