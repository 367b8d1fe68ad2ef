use super::picture::Theme;
use super::*;

fn day(i: i64) -> i64 {
    1_700_006_400 + i * 86_400
}

fn examples() -> Vec<Chart> {
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
    let place = |code: &str, value| Place {
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
        places: vec![place("de", Some(0.97)), place("sg", Some(0.8)), place("fr", None)],
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

#[test]
fn every_kind_has_every_form_and_the_same_bytes_twice() {
    for chart in examples() {
        for size in [Size::Wide, Size::Narrow] {
            for theme in [Theme::Light, Theme::Dark] {
                let look = Look { theme, size, caption: theme == Theme::Dark };
                let svg = chart.svg(look);
                assert_eq!(svg, chart.svg(look), "{}", chart.name);
                let png = chart.png(look).unwrap();
                assert!(png.starts_with(b"\x89PNG") && png == chart.png(look).unwrap(), "{}", chart.name);
                if let Some(folder) = std::env::var_os("ALLIUM_PICTURES") {
                    std::fs::write(std::path::Path::new(&folder).join(format!("chart-{}-{size:?}-{theme:?}.png", chart.name)), png)
                        .unwrap();
                }
            }
        }
        assert!(chart.json().unwrap().contains(&format!("\"kind\":\"{}\"", chart.name)));
        assert!(!chart.is_empty(), "{}", chart.name);
        let figure = Figure::of(&chart, "/x/charts", "?a=b").to_string();
        assert!(figure.contains("<table") && figure.contains(&format!("/x/charts/{}.png?a=b&amp;theme=dark", chart.name)));
        assert!(!figure.contains("style=") && !figure.contains("<says>") && !figure.contains("<b>"), "{figure}");
    }
}

/// The numbers that JSON holds under a path of names; arrays are followed.
fn numbers(value: &serde_json::Value, out: &mut Vec<f64>) {
    match value {
        serde_json::Value::Number(number) => out.extend(number.as_f64()),
        serde_json::Value::Array(values) => values.iter().for_each(|value| numbers(value, out)),
        serde_json::Value::Object(map) => map.values().for_each(|value| numbers(value, out)),
        _ => {}
    }
}

#[test]
fn csv_holds_the_values_that_are_drawn() {
    for chart in examples() {
        let text = chart.csv().unwrap();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let width = reader.headers().unwrap().len();
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert!(rows.iter().all(|row| row.len() == width) && !rows.is_empty(), "{}", chart.name);
        let mut drawn = Vec::new();
        numbers(&serde_json::from_str(&chart.json().unwrap()).unwrap(), &mut drawn);
        for number in rows.iter().flatten().filter_map(|cell| cell.parse::<f64>().ok()) {
            // The JSON reader of the test may miss the last bit.
            assert!(
                drawn.iter().any(|d| (d - number).abs() <= 1e-12 * number.abs()),
                "{}: {number} is in the table and not in the chart",
                chart.name
            );
        }
    }
}

#[test]
fn a_line_of_the_csv_is_an_interval_of_the_line() {
    let chart = examples().remove(0);
    let Kind::Time(time) = &chart.kind else { panic!() };
    let text = chart.csv().unwrap();
    for (row, (i, expected)) in text.lines().skip(1).zip(time.lines[0].values.iter().enumerate()) {
        let cells: Vec<_> = row.split(',').collect();
        assert_eq!(cells[0], crate::format::rfc3339(crate::format::at_secs(day(i as i64))));
        assert_eq!(cells[2].parse::<f64>().ok(), *expected);
    }
    assert!(text.starts_with("start,end,this_relay,"), "{text}");
}

#[test]
fn hostile_names_are_inert_in_every_form() {
    for chart in examples() {
        let svg = chart.svg(Look::default());
        assert!(!svg.contains("<network>") && !svg.contains('\u{202E}') && !svg.contains("<says>"), "{svg}");
        assert!(chart.csv().unwrap().lines().all(|line| !line.starts_with('=')));
        assert!(!chart.json().unwrap().contains('<'));
    }
}

#[test]
fn classes_of_a_histogram_hold_their_lower_edge_and_the_last_both() {
    let histogram = Histogram::of(Unit::Number, "Relays", vec![0.0, 1.0, 2.0], [-0.1, 0.0, 0.9, 1.0, 2.0, 2.1]);
    assert_eq!(histogram.counts, [2, 2]);
}
