//! Graphs: what is written comes back, in starts instead of midpoints and in shares up to 1.

use allium_model::{GraphPeriod, Period, PublishedGraph, Quantity, TOR_BEGAN, Timestamp};
use proptest::prelude::*;

use super::{ALICE, document, histories, lines, uptime};
use allium_model::DocumentKind;

const END_SECS: i64 = 1_771_182_000; // 2026-02-15T19:00:00Z

/// A time as documents write it.
fn tor_time(secs: i64) -> String {
    Timestamp::from_second(secs).unwrap().to_string().replace('T', " ").replace('Z', "")
}

/// A graph of these codes whose first interval starts at `start_secs`.
fn graph(start_secs: i64, interval_secs: i64, factor: f64, codes: &[Option<u16>]) -> String {
    let midpoint = |i: i64| tor_time(start_secs + i * interval_secs + interval_secs / 2);
    let values: Vec<String> = codes.iter().map(|code| code.map_or("null".to_owned(), |code| code.to_string())).collect();
    format!(
        r#"{{"first":"{}","last":"{}","interval":{interval_secs},"factor":{factor:e},"count":{},"values":[{}]}}"#,
        midpoint(0),
        midpoint(codes.len() as i64 - 1),
        codes.len(),
        values.join(",")
    )
}

fn only_graph(kind: DocumentKind, member: &str, graph: &str) -> PublishedGraph {
    let text = document(&format!(r#"{{"fingerprint":"{ALICE}","{member}":{{"1_month":{graph}}}}}"#));
    let mut document = histories(kind, text.as_bytes()).unwrap();
    assert_eq!(lines(&document.header.rejects), [""; 0]);
    document.relays.remove(0).graphs.remove(0)
}

fn codes() -> impl Strategy<Value = Vec<Option<u16>>> {
    prop::collection::vec(prop::option::of(0..=999u16), 1..200)
}

proptest! {
    #[test]
    fn any_graph_comes_back(codes in codes(), interval_hours in 1..240i64, age in 0..1000i64, factor in 0.0..1e6f64) {
        let interval_secs = interval_hours * 3600;
        let start_secs = (END_SECS / interval_secs - codes.len() as i64 - age) * interval_secs;
        prop_assume!(start_secs >= TOR_BEGAN.start_secs());
        let read = only_graph(DocumentKind::Bandwidth, "write_history", &graph(start_secs, interval_secs, factor, &codes));
        prop_assert_eq!(read.series.start_secs(), start_secs);
        prop_assert_eq!(i64::from(read.series.interval_secs()), interval_secs);
        prop_assert_eq!(read.series.scale(), factor);
        prop_assert_eq!(read.series.codes().collect::<Vec<_>>(), codes);
        prop_assert_eq!((read.quantity, read.period, read.completed), (Quantity::BytesWritten, GraphPeriod::Named(Period::OneMonth), 0));
    }

    #[test]
    fn shares_never_exceed_one(codes in codes(), best in 1e-9..=1.0f64) {
        let highest = f64::from(codes.iter().flatten().copied().max().unwrap_or(1).max(1));
        let start_secs = (END_SECS / 14_400 - codes.len() as i64) * 14_400;
        let read = only_graph(DocumentKind::Weights, "guard_probability", &graph(start_secs, 14_400, (best / highest).next_up(), &codes));
        for value in read.series.values().flatten() {
            prop_assert!((0.0..=1.0).contains(&value), "{}", value);
        }
    }

    #[test]
    fn no_text_makes_a_graph_panic(text in "[\\[\\]{}\",:0-9a-z. -]{0,80}") {
        let entry = format!(r#"{{"fingerprint":"{ALICE}","uptime":{{"1_month":{text}}}}}"#);
        let _ = histories(DocumentKind::Uptime, document(&entry).as_bytes());
        let _ = histories(DocumentKind::Uptime, text.as_bytes());
        let _ = super::details(document(&format!(r#"{{"fingerprint":{text}}}"#)).as_bytes());
    }
}

#[test]
fn every_factor_that_means_one_gives_one() {
    for factor in ["0.001001001001001001", "0.0010010010010010012", "0.001001001001001002", "1.001001001001001e-3"] {
        let text = document(&format!(
            r#"{{"fingerprint":"{ALICE}","uptime":{{"1_month":{{"first":"2026-02-15 10:00:00","interval":14400,"factor":{factor},"values":[999,0,null]}}}}}}"#
        ));
        let document = uptime(text.as_bytes());
        let value = document.relays[0].graphs[0].series.get(0).unwrap();
        assert!((1.0 - 1e-12..=1.0).contains(&value), "{factor}: {value}");
    }
}

#[test]
fn a_value_is_its_code_times_the_factor_and_not_a_share_of_999() {
    // A relay up 3 hours of every 4: Onionoo writes 899 of 999 with a factor below 1/999.
    let read =
        only_graph(DocumentKind::Uptime, "uptime", &graph(END_SECS - 3 * 3600 - 2 * 14_400, 14_400, 0.000834, &[Some(899), Some(999)]));
    assert!((read.series.get(0).unwrap() - 0.749_766).abs() < 1e-9);
}

#[test]
fn midpoints_become_starts() {
    let read = only_graph(
        DocumentKind::Uptime,
        "uptime",
        r#"{"first":"2026-02-15 10:00:00","last":"2026-02-15 14:00:00","interval":14400,"factor":0.001,"values":[1,2]}"#,
    );
    assert_eq!(read.series.interval_start(0).to_string(), "2026-02-15T08:00:00Z");
    assert_eq!(read.series.end_secs(), END_SECS - 3 * 3600);
}
