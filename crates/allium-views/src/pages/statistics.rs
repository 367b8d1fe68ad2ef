//! `/statistics`: how uptime is distributed over relays, and how one period goes with another.

use allium_analysis::statistics::{CORRELATED, Correlation, Distribution, Role};
use allium_model::{Fraction, Period, Timestamp};
use allium_service::{Snapshot, View};
use allium_words::format;
use askama::Template;

use crate::error::RequestError;
use crate::markup::Percent;
use crate::page::{Alternate, Frame, PageHtml, framed, render};
use crate::route::{Data, FixedData, FixedPage};

#[derive(Template)]
#[template(path = "statistics.html")]
struct StatisticsPage {
    page: Frame,
    sentence: String,
    roles: Vec<RoleTable>,
    labels: Vec<&'static str>,
    correlations: Vec<(&'static str, Vec<String>)>,
    correlation_sentence: String,
}

framed!(StatisticsPage);

struct RoleTable {
    title: &'static str,
    name: &'static str,
    rows: Vec<Row>,
}

struct Row {
    period: &'static str,
    n: String,
    mean: Percent,
    quantiles: Vec<Percent>,
    std_dev: String,
    n_full: String,
    n_zero: String,
    far_out: String,
}

/// Renders the page.
pub(crate) fn html(snapshot: &Snapshot, view: &View, now: Timestamp) -> Result<PageHtml, RequestError> {
    let statistics = &view.statistics;
    let page = StatisticsPage {
        page: Frame::of(snapshot, view, now, FixedPage::Statistics.path())
            .with_alternate(Alternate::of(&Data::Fixed(FixedData::Statistics))),
        sentence: sentence(view),
        roles: Role::ALL
            .into_iter()
            .map(|role| RoleTable {
                title: role_title(role),
                name: role.name(),
                rows: Period::ALL.into_iter().filter_map(|period| statistics.distribution(role, period)).map(row).collect(),
            })
            .collect(),
        labels: CORRELATED.iter().skip(1).map(|period| period.label()).collect(),
        correlations: correlations(&statistics.correlations),
        correlation_sentence: correlation_sentence(&statistics.correlations),
    };
    render(&page)
}

fn sentence(view: &View) -> String {
    let wanted = [Period::SixMonths, Period::OneMonth, Period::OneDay];
    let Some(found) = wanted.into_iter().find_map(|period| view.statistics.distribution(Role::All, period)) else {
        return "There is no uptime figure yet.".to_owned();
    };
    let [_, lower, median, ..] = found.quantiles;
    format!(
        "Over {} half of {} were up {}\u{a0}% of the time and more, a quarter less than {}\u{a0}%; the mean is {}\u{a0}%.",
        found.period.label(),
        format::counted(found.n_relays, "relay"),
        format::percent(median, 2),
        format::percent(lower, 2),
        format::percent(found.mean, 2)
    )
}

fn row(found: &Distribution) -> Row {
    let limit = Fraction::new(found.far_out_below).filter(|limit| limit.get() > 0.0);
    Row {
        period: found.period.label(),
        n: format::count(found.n_relays as u64),
        mean: Percent(Some(found.mean), 2),
        quantiles: found.quantiles.map(|quantile| Percent(Some(quantile), 2)).to_vec(),
        std_dev: found.std_dev.map_or_else(|| "\u{2013}".to_owned(), format::width),
        n_full: format::count(found.n_full as u64),
        n_zero: format::count(found.n_zero as u64),
        far_out: limit.map_or_else(
            || "none can be".to_owned(),
            |limit| format!("{} below {}", format::count(found.n_far_out as u64), format::percent(limit, 2)),
        ),
    }
}

/// A triangle: a row per shorter period, a column per longer one.
fn correlations(found: &[Correlation]) -> Vec<(&'static str, Vec<String>)> {
    let cell = |short: Period, long: Period| {
        let pair = found.iter().find(|pair| pair.short == short && pair.long == long);
        match pair.and_then(|pair| pair.spearman.map(|r| (r, pair.n_relays))) {
            Some((r, n)) => format!("{} ({})", format::number(r, 2), format::count(n as u64)),
            None if short >= long => String::new(),
            None => "\u{2013}".to_owned(),
        }
    };
    CORRELATED[..CORRELATED.len() - 1]
        .iter()
        .map(|short| (short.label(), CORRELATED.iter().skip(1).map(|long| cell(*short, *long)).collect()))
        .collect()
}

fn correlation_sentence(found: &[Correlation]) -> String {
    let pair = found.iter().find(|pair| pair.short == Period::OneMonth && pair.long == Period::SixMonths).and_then(|pair| pair.spearman);
    let strength = |r: f64| match r.abs() {
        r if r >= 0.8 => "very much like",
        r if r >= 0.5 => "much like",
        r if r >= 0.3 => "somewhat like",
        _ => "hardly like",
    };
    pair.map_or_else(
        || "Too few relays have figures for two periods.".to_owned(),
        |r| {
            format!(
                "The order of relays by uptime over 1 month is {} that over 6 months (rank correlation {}).",
                strength(r),
                format::number(r, 2)
            )
        },
    )
}

const fn role_title(role: Role) -> &'static str {
    match role {
        Role::All => "All relays",
        Role::Guard => "Guards",
        Role::Exit => "Exits",
        Role::Middle => "Neither guard nor exit",
    }
}
