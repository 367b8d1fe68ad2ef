//! The charts of each side, made from the view.

use std::collections::BTreeMap;
use std::sync::Arc;

use allium_analysis::{RelayQuantity, Sizes, Standing, correlations, flows, uptime_between};
use allium_charts::{BoxRow, Boxes, Chart, CountryValue, Dot, Flow, Histogram, Kind, Matrix, Scatter, Stream, Unit, WorldMap};
use allium_model::{CountryCode, Fraction, Period};
use allium_service::{Members, View};
use allium_words::countries::country_name;
use allium_words::format;
use allium_words::inert::inert;

use super::kept;
use super::state::{Display, Measure, Range, Show, State};
use super::{compare, image, regions, trend};
use crate::error::RequestError;
use crate::params::Params;
use crate::route::{GroupKind, href};

/// Dots of a scatter plot; the CSV of the API has every relay.
const DOTS: usize = 1_500;

/// The chart of that name.
pub(crate) fn chart(view: &View, sizes: &Arc<Sizes>, params: &Params, name: &str) -> Result<Chart, RequestError> {
    if name == image::NAME {
        return image::chart(view, params);
    }
    all(view, sizes, &State::of(params)?)?.iter().find(|chart| chart.name == name).cloned().ok_or(RequestError::NoSuchPage)
}

/// The charts of what the page shows, the one that answers its question first.
pub(super) fn all(view: &View, sizes: &Arc<Sizes>, state: &State) -> Result<Arc<[Chart]>, RequestError> {
    let make = || made(view, sizes, state);
    match state.is_offered() {
        true => kept::charts(view, &State { display: Display::Picture, ..state.clone() }.query(), sizes, make),
        false => make().map(Arc::from),
    }
}

fn made(view: &View, sizes: &Sizes, state: &State) -> Result<Vec<Chart>, RequestError> {
    Ok(match state.show {
        Show::Map => vec![map(view, state), regions::chart(view, state)],
        Show::Trend => trend::charts(view, sizes, state)?,
        Show::Distribution => vec![distribution(view, state), by_country(view, state)],
        Show::Correlation => vec![matrix(view, state), scatter(view, state)],
        Show::Flow => vec![flow(view, state)],
        Show::Compare => compare::charts(view, state)?,
    })
}

/// Beginning of every note.
pub(super) fn note(view: &View, rest: &str) -> String {
    format!("As of {}, from {}. {rest}", format::hour(view.as_of()), view.origin_words())
}

/// The uptime of a relay over a range.
pub(super) fn uptime(view: &View, relay_idx: usize, range: Range) -> Option<f64> {
    let (record, report) = view.relay(relay_idx)?;
    let share = match range.period() {
        Some(period) => report.uptime_in(period),
        None => {
            let (from, to) = range.hours(view);
            uptime_between(record, &view.record.known, from, to)
        }
    };
    share.map(Fraction::get)
}

/// A quantity of a relay.
pub(super) fn value(view: &View, relay_idx: usize, measure: Measure, range: Range) -> Option<f64> {
    let relay = &view.record.relays.get(relay_idx)?.relay;
    match measure {
        Measure::Weight => relay.consensus_weight_fraction.map(Fraction::get),
        Measure::Bandwidth => relay.advertised_bandwidth.map(|rate| rate as f64),
        Measure::Relays | Measure::Flags | Measure::Diversity => Some(1.0),
        Measure::Uptime => uptime(view, relay_idx, range),
    }
}

/// Its unit.
pub(super) const fn unit(measure: Measure) -> Unit {
    match measure {
        Measure::Uptime | Measure::Weight => Unit::Share,
        Measure::Bandwidth => Unit::BytesPerSec,
        Measure::Relays | Measure::Flags | Measure::Diversity => Unit::Count,
    }
}

fn map(view: &View, state: &State) -> Chart {
    let mut by_country: BTreeMap<CountryCode, (f64, usize, u64)> = BTreeMap::new();
    for i in view.members(Members::Network) {
        let Some(country) = view.record.relays[i].relay.country else { continue };
        let entry = by_country.entry(country).or_default();
        entry.2 += 1;
        if let Some(value) = value(view, i, state.measure, state.range) {
            (entry.0, entry.1) = (entry.0 + value, entry.1 + 1);
        }
    }
    let is_mean = state.measure == Measure::Uptime;
    let figure = |(sum, n, _): &(f64, usize, u64)| (*n > 0).then(|| if is_mean { sum / *n as f64 } else { *sum });
    let mut countries: Vec<CountryValue> = by_country
        .iter()
        .map(|(country, sums)| CountryValue {
            country: *country,
            name: name_of(view, *country),
            href: Some(GroupKind::Country.href(country.as_str())),
            value: figure(sums),
            n_relays: sums.2,
        })
        .collect();
    countries.sort_by(|a, b| b.n_relays.cmp(&a.n_relays).then_with(|| a.country.cmp(&b.country)));
    let breaks = match state.measure {
        Measure::Uptime => vec![0.5, 0.75, 0.85, 0.9, 0.95, 0.98],
        Measure::Weight => vec![0.0001, 0.001, 0.01, 0.03, 0.1],
        Measure::Bandwidth => [0.1, 1.0, 10.0, 30.0, 100.0].map(|gbit| gbit * 1e9 / 8.0).to_vec(),
        Measure::Relays | Measure::Flags | Measure::Diversity => vec![10.0, 30.0, 100.0, 300.0, 1_000.0],
    };
    let (what, title) = map_words(state, &countries);
    let kind = Kind::Map(WorldMap { unit: unit(state.measure), what, breaks, countries });
    Chart::new("map", title, note(view, "Countries by GeoIP of the primary address; current relays, each counted once."), kind)
}

fn map_words(state: &State, countries: &[CountryValue]) -> (String, String) {
    let top = countries.iter().take(3).map(|p| p.name.clone()).collect::<Vec<_>>().join(", ");
    match state.measure {
        Measure::Uptime => {
            // A country with a handful of relays says little about its networks.
            let known = || countries.iter().filter(|p| p.n_relays >= 20).filter_map(|p| p.value.map(|v| (p, v)));
            let least = known().min_by(|a, b| a.1.total_cmp(&b.1));
            let words = least.map_or_else(
                || "no country has 20 relays".to_owned(),
                |(p, v)| format!("lowest of those with at least 20 relays is {} at {}", p.name, Unit::Share.with_unit(v)),
            );
            ("Uptime".to_owned(), format!("Mean uptime of relays by country over {}: the {words}.", state.range.words()))
        }
        Measure::Weight => {
            ("Share of weight".to_owned(), format!("Share of the network's consensus weight by country; most relays are in {top}."))
        }
        Measure::Bandwidth => ("Advertised".to_owned(), format!("Advertised bandwidth by country; most relays are in {top}.")),
        Measure::Relays | Measure::Flags | Measure::Diversity => {
            ("Relay count".to_owned(), format!("Relays by country: {} countries; most are in {top}.", countries.len()))
        }
    }
}

fn name_of(view: &View, country: CountryCode) -> String {
    let given = view.countries.get(&country).and_then(|group| group.name.clone());
    country_name(country).or(given.map(|name| inert(&name))).unwrap_or_else(|| country.to_string().to_uppercase())
}

fn distribution(view: &View, state: &State) -> Chart {
    let values: Vec<f64> = view.members(Members::Network).into_iter().filter_map(|i| value(view, i, state.measure, state.range)).collect();
    let n = values.len();
    let top = match state.measure {
        Measure::Uptime => 1.0,
        _ => allium_analysis::quantile(&values, 0.99).unwrap_or(1.0).max(1e-9),
    };
    let inside = values.iter().filter(|v| **v <= top).count();
    let median = allium_analysis::quantile(&values, 0.5);
    let histogram = Histogram::equal(unit(state.measure), "Relays", (0.0, top), 40, values);
    let figure = median.map_or_else(
        || "no relay has a figure".to_owned(),
        |m| format!("half of {} relays have at least {}", format::count(n as u64), unit(state.measure).with_unit(m)),
    );
    let over = if state.measure == Measure::Uptime { format!(" over {}", state.range.words()) } else { String::new() };
    let beyond = if inside < n { format!(" The {} relays beyond the 99 % quantile are not drawn.", n - inside) } else { String::new() };
    let title = format!("{}{over}: {figure}.", state.measure.label());
    Chart::new("distribution", title, note(view, &format!("Current relays, each counted once.{beyond}")), Kind::Histogram(histogram))
}

/// Distributions of the ten countries with the most relays.
fn by_country(view: &View, state: &State) -> Chart {
    let mut values: BTreeMap<CountryCode, Vec<f64>> = BTreeMap::new();
    for i in view.members(Members::Network) {
        if let (Some(country), Some(value)) = (view.record.relays[i].relay.country, value(view, i, state.measure, state.range)) {
            values.entry(country).or_default().push(value);
        }
    }
    let mut groups: Vec<_> = values.into_iter().collect();
    groups.sort_by_key(|(country, values)| (std::cmp::Reverse(values.len()), *country));
    let row = |(country, values): (CountryCode, Vec<f64>)| BoxRow {
        label: name_of(view, country),
        href: Some(GroupKind::Country.href(country.as_str())),
        n: values.len(),
        quantiles: quantiles(&values),
    };
    let rows: Vec<BoxRow> = groups.into_iter().take(10).map(row).collect();
    let title = "The same in the ten countries with the most relays: line from the 5 % to the 95 % quantile, box around the middle half, bar at the median.";
    Chart::new(
        "countries",
        title,
        note(view, "Current relays."),
        Kind::Boxes(Boxes { unit: unit(state.measure), of: "Country".to_owned(), rows }),
    )
}

fn quantiles(values: &[f64]) -> Option<[f64; 5]> {
    let at = |level| allium_analysis::quantile(values, level);
    Some([at(0.05)?, at(0.25)?, at(0.5)?, at(0.75)?, at(0.95)?])
}

fn matrix(view: &View, state: &State) -> Chart {
    let period = state.range.period().unwrap_or(Period::OneYear);
    let quantities =
        [RelayQuantity::Uptime(period), RelayQuantity::Weight, RelayQuantity::Bandwidth, RelayQuantity::Age, RelayQuantity::Outages];
    let labels = [
        format!("Uptime, {}", period.label()),
        "Weight".to_owned(),
        "Bandwidth".to_owned(),
        "Age".to_owned(),
        "Outages in a year".to_owned(),
    ];
    let values = correlations(&view.record, &view.report, &quantities);
    let of_uptime = |i: usize| values[0][i].map_or_else(|| "unknown".to_owned(), |r| format::number(r, 2));
    let title = format!(
        "Uptime goes with age at {}, with weight at {}, with the number of outages at {} (1 is always, 0 not at all, \u{2212}1 the opposite).",
        of_uptime(3),
        of_uptime(1),
        of_uptime(4)
    );
    Chart::new(
        "matrix",
        title,
        note(view, "Spearman's rank correlation over current relays. Correlation is not cause."),
        Kind::Matrix(Matrix { labels: labels.to_vec(), values }),
    )
}

fn scatter(view: &View, state: &State) -> Chart {
    let mut members = view.members(Members::Network);
    members.sort_by_key(|i| std::cmp::Reverse(view.record.relays[*i].relay.consensus_weight));
    let dot = |i: usize| {
        let relay = &view.record.relays[i].relay;
        Some(Dot {
            label: relay.display_name().to_owned(),
            href: Some(href::relay(&relay.fingerprint)),
            x: relay.advertised_bandwidth? as f64,
            y: uptime(view, i, state.range)?,
        })
    };
    let n = members.len();
    let dots: Vec<Dot> = members.into_iter().filter_map(dot).take(DOTS).collect();
    let title = format!("Bandwidth and uptime of relays over {}.", state.range.words());
    let rest = format!("The {} relays of the largest weight out of {}.", format::count(dots.len() as u64), format::count(n as u64));
    let (x_label, y_label) = ("Advertised bandwidth, Gbit/s".to_owned(), "Uptime".to_owned());
    let scatter =
        Scatter { of: "Relay".to_owned(), x_label, x_unit: Unit::BytesPerSec, y_label, y_unit: Unit::Share, dots, diagonal: false };
    Chart::new("scatter", title, note(view, &rest), Kind::Scatter(scatter))
}

fn flow(view: &View, state: &State) -> Chart {
    let known = &view.record.known;
    let (start, end) = state.range.hours(view);
    // The nearest consensuses that are known.
    let from = known.hours().get(known.index_of(start)).copied().unwrap_or(start);
    let to = known.before(end).unwrap_or(end).max(from);
    let counts = flows(&view.record.relays, from, to);
    let labels = ["Guard and Exit", "Guard", "Exit", "Middle", "Down", "Absent"].map(str::to_owned).to_vec();
    let pairs = (0..6).flat_map(|from| (0..6).map(move |to| (from, to)));
    let streams: Vec<Stream> = pairs.map(|(from, to)| Stream { from, to, n: counts[from][to] }).filter(|stream| stream.n > 0).collect();
    let absent = Standing::Absent as usize;
    let joined: u64 = counts[absent].iter().sum();
    let left: u64 = counts.iter().map(|row| row[absent]).sum();
    let title = match (streams.is_empty(), from == to) {
        (true, _) => format!("Nothing is known of the states of relays over {}.", state.range.words()),
        (false, true) => format!("Our own record holds one consensus of {}: nothing moved that could be told.", state.range.words()),
        (false, false) => format!("Over {}, {} relays came and {} left.", state.range.words(), format::count(joined), format::count(left)),
    };
    let words = |hour| format!("at {}", format::hour(hour));
    let kind = Kind::Flow(Flow { of: "Relays".to_owned(), from: words(from), to: words(to), states: labels, streams });
    Chart::new("flow", title, note(view, "By our own consensuses. Absent: not seen in the 7 days before."), kind)
}
