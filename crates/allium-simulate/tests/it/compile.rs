//! Graph histories, against facts about Onionoo's own compiler.
#![allow(clippy::unwrap_used)]

use allium_model::{ConsensusHour, Period};
use allium_simulate::compile::{Entry, Graph, Scheme, compile, presence_entries, share_entries};
use proptest::prelude::*;

fn hour(text: &str) -> ConsensusHour {
    format!("{text}:00:00Z").parse().unwrap()
}

/// Uptime graphs of a relay up where `up(hours since start)`, with all consensuses known.
fn graphs(start: &str, end: &str, up: impl Fn(i32) -> bool) -> Vec<Graph> {
    let (start, end) = (hour(start), hour(end));
    let listed: Vec<_> = (0..end.hours_since(start)).filter(|i| up(*i)).map(|i| (start.plus(i), start.plus(i + 1))).collect();
    compile(&presence_entries(&listed, &[(start, end)]), end, &Scheme::UPTIME)
}

fn periods(graphs: &[Graph]) -> Vec<Period> {
    graphs.iter().map(|graph| graph.period).collect()
}

fn time(secs: i64) -> String {
    allium_model::Timestamp::from_second(secs).unwrap().to_string()
}

#[test]
fn always_up_is_999_with_a_factor_of_a_999th() {
    let graphs = graphs("2025-01-01T00", "2026-02-15T19", |_| true);
    assert_eq!(periods(&graphs), [Period::OneMonth, Period::SixMonths, Period::OneYear, Period::FiveYears]);
    for graph in &graphs {
        assert!(graph.values.iter().all(|value| *value == Some(999)));
        assert_eq!(graph.factor, 1.0 / 999.0);
    }
    let month = &graphs[0];
    assert_eq!((time(month.first_secs).as_str(), time(month.last_secs).as_str()), ("2026-01-15T18:00:00Z", "2026-02-15T14:00:00Z"));
    assert_eq!((month.values.len(), month.interval_secs), (186, 14_400));
}

#[test]
fn months_are_as_long_as_the_calendar_says() {
    for (end, n_values) in [("2026-03-15T00", 168), ("2026-02-15T00", 186), ("2026-05-15T00", 180), ("2026-03-31T00", 186)] {
        assert_eq!(graphs("2025-01-01T00", end, |_| true)[0].values.len(), n_values, "{end}");
    }
}

#[test]
fn three_hours_of_every_four_are_three_quarters_only_with_the_factor() {
    // Down in the second hour of each bin: the run that crosses the start of the graph counts into the first bin as a
    // whole, which makes five of six hours the maximum.
    let month = &graphs("2025-01-01T00", "2026-02-15T19", |i| i % 4 != 1)[0];
    assert!((month.factor - (5.0 / 6.0) / 999.0).abs() < 1e-12, "{}", month.factor);
    assert_eq!(month.values[0], Some(999));
    assert!(month.values[1..].iter().all(|value| *value == Some(899)), "{:?}", month.values);
    assert!((899.0 * month.factor - 0.7499).abs() < 1e-4);
}

#[test]
fn the_interval_under_way_is_not_shown() {
    for (end, last) in
        [("2026-02-15T15", "2026-02-15T10:00:00Z"), ("2026-02-15T16", "2026-02-15T14:00:00Z"), ("2026-02-15T19", "2026-02-15T14:00:00Z")]
    {
        assert_eq!(time(graphs("2026-01-01T00", end, |_| true)[0].last_secs), last, "{end}");
    }
}

#[test]
fn longer_graphs_appear_with_age() {
    let shown = |start: &str| periods(&graphs(start, "2026-02-15T19", |_| true));
    assert_eq!(shown("2026-01-20T00"), [Period::OneMonth]);
    assert_eq!(shown("2025-12-20T00"), [Period::OneMonth, Period::SixMonths]);
    assert_eq!(shown("2025-08-01T00"), [Period::OneMonth, Period::SixMonths, Period::OneYear]);
    assert_eq!(shown("2025-02-01T00").len(), 4);
}

#[test]
fn one_value_is_no_graph() {
    assert!(graphs("2026-02-15T12", "2026-02-15T19", |_| true).is_empty());
    assert_eq!(graphs("2026-02-15T11", "2026-02-15T19", |_| true)[0].values, [Some(999), Some(999)]);
    assert!(compile(&[], hour("2026-02-15T19"), &Scheme::UPTIME).is_empty());
}

#[test]
fn hours_before_the_first_appearance_are_unknown_and_later_ones_down() {
    let month = &graphs("2026-01-01T00", "2026-02-15T20", |i| i >= 40 * 24 && i % 24 < 12)[0];
    assert_eq!(time(month.first_secs), "2026-02-10T02:00:00Z");
    assert_eq!(month.values[..8], [999, 999, 999, 0, 0, 0, 999, 999].map(Some));
}

#[test]
fn bins_need_a_fifth_of_their_hours() {
    let (start, end) = (hour("2026-02-01T00"), hour("2026-02-15T20"));
    let gap = hour("2026-02-05T00");
    let values = |known_in_gap: i32| {
        let known = [(start, gap), (gap, gap.plus(known_in_gap)), (gap.plus(4), end)];
        compile(&presence_entries(&[(start, end)], &known), end, &Scheme::UPTIME)[0].values[24]
    };
    assert_eq!(values(1), Some(999));
    let known = [(start, gap), (gap.plus(4), end)];
    assert_eq!(compile(&presence_entries(&[(start, end)], &known), end, &Scheme::UPTIME)[0].values[24], None);
}

#[test]
fn a_flag_never_held_lately_is_all_zeros_with_factor_zero() {
    let (start, end) = (hour("2025-12-01T00"), hour("2026-02-15T20"));
    let held = [(start, start.plus(48))];
    let graphs = compile(&share_entries(&held, &[(start, end)], start), end, &Scheme::UPTIME);
    assert!(graphs[0].values.iter().all(|value| *value == Some(0)));
    assert_eq!(graphs[0].factor, 0.0);
    assert!(graphs[1].factor > 0.0);
}

#[test]
fn long_entries_are_divided_only_where_the_document_allows() {
    let (start, end) = (hour("2026-01-01T00"), hour("2026-02-15T20"));
    let day = |i: i32| Entry { start_secs: start.plus(i * 24).start_secs(), end_secs: start.plus(i * 24 + 24).start_secs(), value: 5.0 };
    let entries: Vec<Entry> = (0..45).map(day).collect();
    assert_eq!(periods(&compile(&entries, end, &Scheme::WEIGHTS)), [Period::SixMonths]);
    assert_eq!(compile(&entries, end, &Scheme::UPTIME)[0].period, Period::OneMonth);
    let month = &compile(&entries, end, &Scheme::BANDWIDTH)[0];
    assert_eq!((month.interval_secs, month.factor), (86_400, 5.0 / 999.0));
}

proptest! {
    #[test]
    fn values_times_factor_are_the_shares_of_the_bins(pattern in proptest::collection::vec(any::<bool>(), 200..900)) {
        let end = hour("2026-02-15T20");
        let start = end.plus(-(pattern.len() as i32));
        let listed: Vec<_> = (0..pattern.len() as i32).filter(|i| pattern[*i as usize]).map(|i| (start.plus(i), start.plus(i + 1))).collect();
        let graphs = compile(&presence_entries(&listed, &[(start, end)]), end, &Scheme::UPTIME);
        for graph in graphs.iter().take(1) {
            // The first bin may hold more than its own hours.
            for (i, value) in graph.values.iter().enumerate().skip(1) {
                let bin = ((graph.first_secs - graph.interval_secs / 2) + i as i64 * graph.interval_secs) / 3600 - i64::from(start.get());
                let up = (bin..bin + 4).filter(|h| pattern[*h as usize]).count() as f64 / 4.0;
                let published = f64::from(value.unwrap()) * graph.factor;
                prop_assert!(published <= up + 1e-9 && published > up - graph.factor - 1e-9, "{published} {up}");
            }
            prop_assert!(graph.values.iter().flatten().all(|value| *value <= 999));
            prop_assert!(graph.values.first().unwrap().is_some() && graph.values.last().unwrap().is_some());
        }
    }
}
