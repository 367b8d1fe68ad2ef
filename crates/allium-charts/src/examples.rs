//! Charts for tests: one of each kind.

#![allow(clippy::unwrap_used, reason = "the values are constants")]

use allium_words::countries::country_name;

use crate::*;

/// The first second of a day after 2023-11-15.
pub fn day(i: i64) -> i64 {
    1_700_006_400 + i * 86_400
}

/// One chart of each kind, with hostile words in it.
pub fn examples() -> Vec<Chart> {
    let edges: Vec<i64> = (0..=30).map(day).collect();
    let values = |shift: f64| (0..30).map(|i| (i % 11 != 4).then(|| (0.9 + shift + f64::from(i % 5) * 0.01).min(1.0))).collect::<Vec<_>>();
    let line = |label: &str, shift| Line { label: label.to_owned(), values: values(shift) };
    let band = Band { label: "5 % to 95 %".to_owned(), low: values(-0.2), high: values(0.05) };
    let event = Event { start_secs: day(3), end_secs: day(5), label: "Outage <b>".to_owned(), href: Some("/incidents".to_owned()) };
    let time = Time {
        bands: vec![band],
        events: vec![event],
        from_zero: false,
        ..Time::new(Unit::Share, edges.clone(), vec![line("this relay", 0.0), line("<network> & \u{202E}", 0.02)])
    };
    let bar =
        |label: &str, value| Bar { label: label.to_owned(), href: Some("/country/de".to_owned()), value, note: "12 relays".to_owned() };
    let bars = Bars {
        unit: Unit::Share,
        of: "Country".to_owned(),
        what: "Uptime".to_owned(),
        bars: vec![bar("=Germany", Some(0.978)), bar("Nowhere", None)],
        references: vec![Reference { label: "median".to_owned(), value: 0.95 }],
        most: Some(1.0),
    };
    let heat = Heat {
        of: "Relay".to_owned(),
        what: "Uptime".to_owned(),
        edges,
        rows: vec![HeatRow { label: "ABCD".to_owned(), href: None, cells: values(0.0) }],
    };
    let days = (0..60).map(|i| (day(i), (i % 9 != 2).then_some(0.5))).collect();
    let boxes = Boxes {
        unit: Unit::Share,
        of: "Country".to_owned(),
        rows: vec![BoxRow { label: "Germany".to_owned(), href: None, n: 5, quantiles: Some([0.1, 0.5, 0.9, 0.95, 1.0]) }],
    };
    let dots = (0..40).map(|i| Dot { label: format!("relay{i}"), href: None, x: f64::from(i) * 1e6, y: f64::from(i % 7) / 7.0 }).collect();
    let scatter = Scatter {
        of: "Relay".to_owned(),
        x_label: "Bandwidth".to_owned(),
        x_unit: Unit::BytesPerSec,
        y_label: "Uptime".to_owned(),
        y_unit: Unit::Share,
        dots,
        diagonal: false,
    };
    let matrix = Matrix {
        labels: vec!["Uptime".to_owned(), "Weight".to_owned()],
        values: vec![vec![Some(1.0), Some(-0.25)], vec![Some(-0.25), None]],
    };
    let country = |code: &str, value| CountryValue {
        country: code.parse().unwrap(),
        name: country_name(code.parse().unwrap()).unwrap(),
        href: None,
        value,
        n_relays: 3,
    };
    let map = WorldMap {
        unit: Unit::Share,
        what: "Uptime".to_owned(),
        breaks: vec![0.85, 0.9, 0.95],
        countries: vec![country("de", Some(0.97)), country("sg", Some(0.8)), country("fr", None)],
    };
    let flow = Flow {
        of: "Relays".to_owned(),
        from: "on 1 Jan".to_owned(),
        to: "on 1 Feb".to_owned(),
        states: vec!["up".to_owned(), "down".to_owned()],
        streams: vec![Stream { from: 0, to: 0, n: 90 }, Stream { from: 0, to: 1, n: 7 }, Stream { from: 1, to: 0, n: 3 }],
    };
    let histogram = Histogram::equal(Unit::Share, "Relays", (0.0, 1.0), 20, (0..100).map(|i| f64::from(i) / 99.0));
    let kinds = [
        ("time", Kind::Time(time)),
        ("bars", Kind::Bars(bars)),
        ("heat", Kind::Heat(heat)),
        ("calendar", Kind::Calendar(Calendar { days })),
        ("histogram", Kind::Histogram(histogram)),
        ("boxes", Kind::Boxes(boxes)),
        ("scatter", Kind::Scatter(scatter)),
        ("matrix", Kind::Matrix(matrix)),
        ("map", Kind::Map(map)),
        ("flow", Kind::Flow(flow)),
    ];
    kinds
        .into_iter()
        .map(|(name, kind)| Chart::new(name, format!("What the {name} shows & <says>."), "As of 1 Jan 2026, 3 relays.", kind))
        .collect()
}
