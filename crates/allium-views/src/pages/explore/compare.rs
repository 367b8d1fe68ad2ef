//! Any number of relays, operators and groups beside the distribution over the network.

use allium_analysis::quantile;
use allium_charts::{Bar, Bars, Chart, Kind, Reference, Unit};
use allium_service::{Members, View};
use allium_words::format;

use super::charts::{note, uptime};
use super::state::State;
use super::subjects::{Subject, largest_operators};
use crate::error::RequestError;
use crate::route::FixedPage;

/// The levels of the network that things are compared with, highest first.
const LEVELS: [(f64, &str); 7] = [
    (0.99, "99th percentile"),
    (0.95, "95th percentile"),
    (0.9, "90th percentile"),
    (0.75, "75th percentile"),
    (0.5, "50th percentile (median)"),
    (0.25, "25th percentile"),
    (0.05, "5th percentile"),
];

/// Levels that are drawn beside bars.
const DRAWN: [f64; 3] = [0.75, 0.5, 0.25];

/// Operators that are shown where nothing is picked.
const SHOWN: usize = 12;

/// The comparison of what was picked, or of the operators with the most weight; and the network by itself.
pub(super) fn charts(view: &View, state: &State) -> Result<Vec<Chart>, RequestError> {
    let mut all: Vec<f64> = view.members(Members::Network).into_iter().filter_map(|i| uptime(view, i, state.range)).collect();
    all.sort_by(f64::total_cmp);
    let words = if state.with.is_empty() { largest_operators(view, SHOWN) } else { state.with.clone() };
    let subjects = words.iter().map(|word| Subject::of(view, word)).collect::<Result<Vec<_>, _>>()?;
    let mut rows: Vec<(Subject, Option<f64>)> = subjects.into_iter().map(|subject| with_uptime(view, state, subject)).collect();
    // The best first; what has no figure last.
    rows.sort_by(|a, b| b.1.is_some().cmp(&a.1.is_some()).then_with(|| b.1.unwrap_or(0.0).total_cmp(&a.1.unwrap_or(0.0))));
    Ok(vec![compared(view, state, &rows, &all), network(view, state, &rows, &all)])
}

/// A subject with the mean uptime of its relays, each counted once.
fn with_uptime(view: &View, state: &State, subject: Subject) -> (Subject, Option<f64>) {
    let values: Vec<f64> = subject.members.iter().filter_map(|i| uptime(view, *i, state.range)).collect();
    let mean = (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
    (subject, mean)
}

fn compared(view: &View, state: &State, rows: &[(Subject, Option<f64>)], all: &[f64]) -> Chart {
    let bar = |(subject, value): &(Subject, Option<f64>)| Bar {
        label: subject.label.clone(),
        href: Some(subject.href.clone()),
        value: *value,
        note: match (subject.noun, value.map(|value| above(all, value))) {
            ("absent", _) => "no relay now".to_owned(),
            ("relay", None) => "relay".to_owned(),
            ("relay", Some(share)) => format!("above {share} of relays"),
            (_, None) => format::counted(subject.members.len(), "relay"),
            (_, Some(share)) => format!("{}, above {share}", format::counted(subject.members.len(), "relay")),
        },
    };
    let references =
        DRAWN.iter().filter_map(|level| Some(Reference { label: label(*level).to_owned(), value: quantile(all, *level)? })).collect();
    let median = quantile(all, 0.5).unwrap_or(0.0);
    let reaching = rows.iter().filter(|(_, value)| value.is_some_and(|value| value >= median)).count();
    let who = if state.with.is_empty() { "of the operators with the most weight" } else { "compared" };
    let title = match all.is_empty() {
        true => format!("Nothing is known of {}.", state.range.words()),
        false => format!(
            "{reaching} of {} {who} reach the median relay of the network over {} ({}).",
            rows.len(),
            state.range.words(),
            Unit::Share.with_unit(median)
        ),
    };
    let bars = Bars {
        unit: Unit::Share,
        of: "Compared".to_owned(),
        what: "Uptime".to_owned(),
        bars: rows.iter().map(bar).collect(),
        references,
        most: Some(1.0),
    };
    let rest = format!(
        "Groups: mean over their current relays, each counted once. Behind: above which share of the network's {} relays the figure lies.",
        format::count(all.len() as u64)
    );
    Chart::new("compare", title, note(view, &rest), Kind::Bars(bars))
}

/// The percentiles of the network with what is compared among them.
fn network(view: &View, state: &State, rows: &[(Subject, Option<f64>)], all: &[f64]) -> Chart {
    let level =
        |(level, label): &(f64, &str)| Bar { label: (*label).to_owned(), href: None, value: quantile(all, *level), note: String::new() };
    let mut bars: Vec<Bar> = LEVELS.iter().map(level).collect();
    let mean = (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64);
    bars.push(Bar {
        label: "Network, mean".to_owned(),
        href: Some(FixedPage::Statistics.path().to_owned()),
        value: mean,
        note: format::counted(all.len(), "relay"),
    });
    if !state.with.is_empty() {
        let own = |(subject, value): &(Subject, Option<f64>)| Bar {
            label: subject.label.clone(),
            href: Some(subject.href.clone()),
            value: *value,
            note: subject.noun.to_owned(),
        };
        bars.extend(rows.iter().map(own));
    }
    bars.sort_by(|a, b| b.value.unwrap_or(-1.0).total_cmp(&a.value.unwrap_or(-1.0)));
    let title = match (quantile(all, 0.05), quantile(all, 0.95)) {
        (Some(low), Some(high)) => format!(
            "The network's percentiles over {}: nine relays of ten lie between {} and {}.",
            state.range.words(),
            Unit::Share.with_unit(low),
            Unit::Share.with_unit(high)
        ),
        _ => format!("The network's percentiles: nothing is known of {}.", state.range.words()),
    };
    let kind = Bars { unit: Unit::Share, of: "Level".to_owned(), what: "Uptime".to_owned(), bars, references: Vec::new(), most: Some(1.0) };
    Chart::new("percentiles", title, note(view, "Over current relays with a figure, each counted once."), Kind::Bars(kind))
}

fn label(level: f64) -> &'static str {
    LEVELS.iter().find(|(known, _)| *known == level).map_or("", |(_, label)| label)
}

/// The share of sorted values that lie below a value, in words.
fn above(all: &[f64], value: f64) -> String {
    let below = all.partition_point(|other| *other < value);
    allium_model::Fraction::of(below as f64, all.len() as f64)
        .map_or_else(|| "an unknown share".to_owned(), |share| format!("{}\u{a0}%", format::percent(share, 0)))
}
