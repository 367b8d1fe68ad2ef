//! Strips.

use allium_analysis::{daily_strip, strip};
use allium_model::{Known, Period};

use super::support::{as_of, hour, hours, relay, with_graph, with_span};

const DAY_SECS: i64 = 86_400;

#[test]
fn cells_are_equal_adjacent_and_cover_the_period() {
    let record = with_graph(relay(1), Period::SixMonths, as_of().next(), &[Some(999); 300], 0);
    let step_hours = [4, 4, 4, 4, 24, 24, 240];
    for as_of in [as_of(), hour("2024-02-29T13:00:00Z"), hour("2026-03-29T02:00:00Z")] {
        for (period, step_hours) in Period::ALL.into_iter().zip(step_hours) {
            let strip = strip(&record, &Known::default(), as_of, period);
            let (first, last) = (strip.cells[0], strip.cells[strip.cells.len() - 1]);
            assert!(strip.cells.windows(2).all(|pair| pair[0].end_secs == pair[1].start_secs), "{}", period.name());
            assert!(strip.cells.iter().all(|cell| cell.end_secs - cell.start_secs == step_hours * 3600), "{}", period.name());
            let start_secs = period.start_before(as_of.next()).start_secs();
            assert!(first.start_secs <= start_secs && start_secs < first.end_secs, "{}", period.name());
            assert!(last.start_secs < as_of.next().start_secs() && as_of.next().start_secs() <= last.end_secs, "{}", period.name());
        }
    }
}

#[test]
fn days_end_with_the_day_of_the_newest_consensus() {
    for (as_of, n) in [(hour("2026-02-15T00:00:00Z"), 3), (hour("2026-02-15T23:00:00Z"), 1), (as_of(), 30), (as_of(), 0)] {
        let strip = daily_strip(&relay(1), &Known::default(), as_of, n);
        assert_eq!(strip.cells.len(), n);
        assert!(strip.cells.iter().all(|cell| cell.start_secs % DAY_SECS == 0 && cell.uptime.is_none()));
        if let Some(last) = strip.cells.last() {
            assert!((last.start_secs..last.end_secs).contains(&as_of.start_secs()));
        }
    }
}

#[test]
fn a_day_known_by_the_hour_is_drawn_by_the_hour() {
    let end = as_of().next();
    let record = with_span(relay(1), end.plus(-24), end.plus(-1), &[]);
    let cells = strip(&record, &Known::new(hours(end.plus(-24), end)), as_of(), Period::OneDay).cells;
    assert_eq!(cells.len(), 24);
    assert!(cells[..23].iter().all(|cell| cell.uptime.unwrap().get() == 1.0));
    assert_eq!(cells[23].uptime.unwrap().get(), 0.0);
}

#[test]
fn unknown_cells_are_missing_and_down_cells_are_zero() {
    let codes = [Some(1000), Some(1000), None, None, Some(0), Some(0), Some(500), None];
    let record = with_graph(relay(1), Period::SixMonths, as_of().next(), &codes, 0);
    let found: Vec<_> =
        daily_strip(&record, &Known::default(), as_of(), 5).cells.iter().map(|c| c.uptime.map(allium_model::Fraction::get)).collect();
    assert_eq!(found, [None, Some(1.0), None, Some(0.0), Some(0.5)]);
}

#[test]
fn any_number_of_days_is_answered() {
    assert!(daily_strip(&relay(1), &Known::default(), as_of(), usize::MAX).cells.len() < 30_000);
}
