//! Every kind of chart in every form.

use super::*;
use crate::examples::{day, examples};
use crate::picture::Theme;

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
        assert_eq!(cells[0], allium_words::format::rfc3339(allium_words::format::at_secs(day(i as i64))));
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
