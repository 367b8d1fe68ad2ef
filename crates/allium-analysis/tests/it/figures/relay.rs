//! Figures of one relay.

use allium_analysis::{RelayReport, UptimeSource};
use allium_model::{Period, Quantity, RelayFlag};

use super::support::{as_of, gone_since, hour, hours, relay, report, with_graph, with_graph_of, with_span};

const UP: Option<u16> = Some(1000);
const DOWN: Option<u16> = Some(0);
const HALF: Option<u16> = Some(500);

#[track_caller]
fn assert_uptime(report: &RelayReport, period: Period, expected: Option<f64>) {
    let found = report.uptime_in(period).map(allium_model::Fraction::get);
    let agrees = match (found, expected) {
        (Some(found), Some(expected)) => (found - expected).abs() < 1e-9,
        (found, expected) => found.is_none() && expected.is_none(),
    };
    assert!(agrees, "{}: {found:?} is not {expected:?}", period.name());
}

#[test]
fn a_relay_without_history_has_no_figures_instead_of_zeros() {
    let report = report(Vec::new(), relay(1));
    assert!(report.current);
    assert_eq!(report.uptime, [None; 7]);
    assert_eq!((report.outages, report.trend, report.spread, report.months), (None, None, None, Vec::new()));
    let since = report.since.unwrap();
    assert_eq!((since.running, since.after, since.since), (true, None, as_of()));
}

#[test]
fn missing_intervals_count_neither_way_and_zeros_count_as_down() {
    let end = as_of().next();
    for (codes, expected) in [
        (vec![UP, UP, UP, DOWN], 0.75),
        (vec![UP, None, UP, DOWN], 2.0 / 3.0),
        (vec![None, None, UP], 1.0),
        (vec![DOWN, DOWN], 0.0),
        (vec![HALF, UP], 0.75),
    ] {
        assert_uptime(&report(Vec::new(), with_graph(relay(1), Period::OneMonth, end, &codes, 0)), Period::OneMonth, Some(expected));
    }
    let nothing = report(Vec::new(), with_graph(relay(1), Period::OneMonth, end, &[None, None], 0));
    assert_uptime(&nothing, Period::OneMonth, None);
}

#[test]
fn a_young_relay_has_its_covered_part_and_no_longer_periods() {
    let codes = [UP; 30];
    let report = report(Vec::new(), with_graph(relay(1), Period::OneMonth, as_of().next(), &codes, 0));
    let month = report.uptime[Period::OneMonth.index()].unwrap();
    assert_eq!(month.known_hours, 120.0);
    assert!((month.coverage.get() - 120.0 / (31.0 * 24.0)).abs() < 1e-12);
    assert_eq!(month.from_secs, as_of().next().plus(-120).start_secs());
    assert_eq!(month.source, UptimeSource::Published { interval_secs: 4 * 3600, n_intervals: 30 });
    assert_uptime(&report, Period::SevenDays, Some(1.0));
    for period in [Period::SixMonths, Period::OneYear, Period::FiveYears] {
        assert_uptime(&report, period, None);
    }
}

#[test]
fn short_periods_weigh_intervals_by_their_overlap() {
    // The graph ends two hours before the period does, so the period begins two hours into an interval that was half up.
    let codes = [UP, HALF, UP, UP, UP, UP, DOWN];
    let report = report(Vec::new(), with_graph(relay(1), Period::OneMonth, as_of().next().plus(-2), &codes, 0));
    let day = report.uptime[Period::OneDay.index()].unwrap();
    assert!((day.uptime.get() - (1.0 + 16.0) / 22.0).abs() < 1e-12, "{day:?}");
    assert_eq!((day.known_hours, day.as_published), (22.0, None));
    assert!((day.coverage.get() - 22.0 / 24.0).abs() < 1e-12);
}

#[test]
fn short_periods_take_the_finest_graph_that_reaches_back() {
    let end = as_of().next();
    let with_both = with_graph(with_graph(relay(1), Period::OneMonth, end, &[UP; 168], 0), Period::SixMonths, end, &[HALF; 300], 0);
    let report = report(Vec::new(), with_both);
    assert_uptime(&report, Period::SevenDays, Some(1.0));
    // 28 days of 4-hour intervals, as after a February, do not reach back 30 days.
    assert_uptime(&report, Period::ThirtyDays, Some(0.5));
}

#[test]
fn a_frozen_history_is_down_to_the_end_and_keeps_what_was_published() {
    let end = as_of().next();
    let mut codes = vec![UP; 186];
    codes.extend([None, DOWN, DOWN, DOWN, DOWN, DOWN]);
    let record = gone_since(with_graph(relay(1), Period::OneMonth, end, &codes, 6), end.plus(-23));
    let report = report(Vec::new(), record);
    let month = report.uptime[Period::OneMonth.index()].unwrap();
    assert_eq!(month.as_published.unwrap().get(), 1.0);
    // The month is 31 days of 6 intervals: the first 6 published ones lie before it, one is unknown, 5 are down.
    assert!((month.uptime.get() - 180.0 / 185.0).abs() < 1e-12, "{month:?}");
    assert_eq!(month.from_secs, end.plus(-31 * 24).start_secs());
    let outage = *report.outages.as_ref().unwrap().longest().unwrap();
    assert!(outage.ongoing);
    assert_eq!((outage.start_secs, outage.end_secs), (end.plus(-22).start_secs(), end.start_secs()));
    assert_eq!(outage.down_hours, 22.0);
    let since = report.since.unwrap();
    assert_eq!((since.running, since.after, since.since), (false, Some(end.plus(-23)), end.plus(-22)));
}

#[test]
fn a_graph_that_ended_before_the_period_says_nothing_of_it() {
    let old = hour("2025-12-01T00:00:00Z");
    let report = report(Vec::new(), with_graph(relay(1), Period::OneMonth, old, &[UP; 100], 0));
    assert_uptime(&report, Period::OneMonth, None);
    assert_uptime(&report, Period::OneDay, None);
}

#[test]
fn own_history_is_preferred_where_it_covers_the_period() {
    let end = as_of().next();
    let start = end.plus(-8 * 24);
    let record = with_span(with_graph(relay(1), Period::OneMonth, end, &[HALF; 186], 0), start, end.plus(-6), &[]);
    let known = hours(start, end);
    let report = report(known, gone_since(record, end.plus(-7)));
    let week = report.uptime[Period::SevenDays.index()].unwrap();
    assert_eq!(week.source, UptimeSource::Exact { n_consensuses: 168 });
    assert_eq!((week.uptime.get(), week.known_hours, week.coverage.get()), (162.0 / 168.0, 168.0, 1.0));
    assert_uptime(&report, Period::OneDay, Some(0.75));
    // Eight days do not cover a month.
    assert_uptime(&report, Period::OneMonth, Some(0.5));
}

#[test]
fn own_history_speaks_for_a_period_once_half_of_the_hours_are_known() {
    let end = as_of().next();
    for (n_known, is_exact) in [(24, true), (12, true), (11, false)] {
        let mut known = vec![end.plus(-24)];
        known.extend(hours(end.plus(1 - n_known), end));
        let report = report(known, with_span(relay(1), end.plus(-24), end, &[]));
        assert_eq!(report.uptime[0].is_some(), is_exact, "{n_known}");
    }
}

#[test]
fn hours_before_the_first_appearance_are_not_down() {
    let end = as_of().next();
    let mut record = with_span(relay(1), end.plus(-10), end, &[]);
    record.relay.first_seen = Some(end.plus(-10)).into();
    let report = report(hours(end.plus(-100), end), record);
    for period in Period::ALL {
        // A relay of ten hours has no half-year: Onionoo leaves such graphs out as well.
        let is_long = matches!(period, Period::SixMonths | Period::OneYear | Period::FiveYears);
        assert_eq!(report.uptime[period.index()].is_none(), is_long, "{}", period.name());
        let Some(figure) = report.uptime[period.index()] else { continue };
        assert_eq!((figure.uptime.get(), figure.known_hours), (1.0, 10.0), "{}", period.name());
        assert_eq!(figure.from_secs, end.plus(-10).start_secs());
    }
    assert_eq!(report.outages.unwrap().outages, []);
    let since = report.since.unwrap();
    assert_eq!((since.after, since.since), (None, end.plus(-10)));
}

#[test]
fn unknown_hours_inside_spans_and_outages_are_not_counted() {
    let end = as_of().next();
    let record = with_span(with_span(relay(1), end.plus(-48), end.plus(-20), &[]), end.plus(-10), end, &[]);
    // Two of the ten hours between the spans are unknown, and two of the hours in the last one.
    let unknown = [-15, -14, -4, -3].map(|back| end.plus(back));
    let known = hours(end.plus(-48), end).into_iter().filter(|hour| !unknown.contains(hour)).collect();
    let report = report(known, record);
    assert_uptime(&report, Period::OneDay, Some(12.0 / 20.0));
    let outages = report.outages.unwrap();
    assert_eq!(outages.outages.len(), 1);
    let outage = outages.outages[0];
    assert_eq!((outage.start_secs, outage.end_secs), (end.plus(-20).start_secs(), end.plus(-10).start_secs()));
    assert_eq!((outage.down_hours, outage.interval_secs, outage.ongoing), (8.0, 3600, false));
    let since = report.since.unwrap();
    assert_eq!((since.running, since.after, since.since), (true, Some(end.plus(-11)), end.plus(-10)));
}

#[test]
fn neighbouring_intervals_with_downtime_are_one_outage() {
    let end = as_of().next();
    for (codes, expected) in [
        (vec![UP, HALF, DOWN, Some(750), UP], vec![(-16, -4, 2.0 + 4.0 + 1.0)]),
        (vec![UP, HALF, UP, HALF, UP], vec![(-16, -12, 2.0), (-8, -4, 2.0)]),
        (vec![UP, HALF, None, HALF, UP], vec![(-16, -4, 4.0)]),
        (vec![UP, None, None, UP], vec![]),
        // Values are cut, not rounded: 0.998 is all of the time.
        (vec![UP, Some(998), Some(995), Some(999), UP], vec![]),
    ] {
        let report = report(Vec::new(), with_graph(relay(1), Period::OneMonth, end, &codes, 0));
        let found: Vec<_> = report.outages.unwrap().outages.iter().map(|o| (o.start_secs, o.end_secs, o.down_hours)).collect();
        let expected: Vec<_> =
            expected.iter().map(|(from, to, down)| (end.plus(*from).start_secs(), end.plus(*to).start_secs(), *down)).collect();
        assert_eq!(found, expected, "{codes:?}");
    }
}

#[test]
fn the_change_of_state_lies_between_two_instants() {
    let end = as_of().next();
    for (codes, after, since) in [
        (vec![UP, HALF, UP], Some(-8), -4),
        (vec![UP, DOWN, UP], Some(-5), -4),
        (vec![UP, DOWN, None, UP], Some(-9), -4),
        (vec![UP, UP, HALF], Some(-4), -1),
        (vec![UP, UP], None, -8),
    ] {
        let found = report(Vec::new(), with_graph(relay(1), Period::OneMonth, end, &codes, 0)).since.unwrap();
        assert_eq!((found.running, found.after, found.since), (true, after.map(|h| end.plus(h)), end.plus(since)), "{codes:?}");
    }
}

#[test]
fn a_relay_that_went_down_after_the_last_interval_has_an_outage() {
    let end = as_of().next();
    let record = gone_since(with_graph(relay(1), Period::OneMonth, end.plus(-3), &[UP; 40], 0), end.plus(-3));
    let report = report(Vec::new(), record);
    let outage = report.outages.unwrap().outages[0];
    assert_eq!((outage.start_secs, outage.down_hours, outage.ongoing), (end.plus(-2).start_secs(), 2.0, true));
}

#[test]
fn the_finest_source_speaks_for_each_moment() {
    let end = as_of().next();
    let published = with_graph(with_graph(relay(1), Period::OneMonth, end, &[UP; 12], 0), Period::SixMonths, end, &[HALF; 8], 0);
    let known = hours(end.plus(-24), end);
    let report = report(known, with_span(published, end.plus(-24), end.plus(-12), &[]));
    // Four days: two at half from 12-hour intervals, one up from 4-hour intervals, one exact with its second half down.
    let months = &report.months;
    assert_eq!((months.len(), months[0].year, months[0].month), (1, 2026, 2));
    assert!((months[0].uptime.get() - (0.5 + 0.5 + 1.0 + 0.5) / 4.0).abs() < 1e-12, "{months:?}");
    assert!((months[0].known.get() - 96.0 / 360.0).abs() < 1e-12);
}

#[test]
fn months_are_calendar_months_of_utc_and_say_how_much_is_known() {
    let start = hour("2025-12-30T00:00:00Z");
    let end = as_of().next();
    let record = with_span(relay(1), start, hour("2026-01-16T12:00:00Z"), &[]);
    let report = report(hours(start, end), gone_since(record, hour("2026-01-16T11:00:00Z")));
    let found: Vec<_> = report.months.iter().map(|m| (m.year, m.month, m.uptime.get(), m.known.get())).collect();
    assert_eq!(found, [(2025, 12, 1.0, 48.0 / 744.0), (2026, 1, 372.0 / 744.0, 1.0), (2026, 2, 0.0, 1.0)]);
    assert!(!report.current);
    assert_eq!(report.best_month().map(|m| m.month), Some(1));
    assert_eq!(report.worst_month().map(|m| m.month), Some(2));
}

#[test]
fn a_relay_that_stays_up_has_neither_trend_nor_spread() {
    let report = report(Vec::new(), with_graph(relay(1), Period::SixMonths, as_of().next(), &[Some(999); 368], 0));
    let trend = report.trend.unwrap();
    assert_eq!((trend.per_30_days, trend.low, trend.high), (0.0, 0.0, 0.0));
    assert!(!trend.is_significant());
    let spread = report.spread.unwrap();
    assert_eq!((spread.std_dev, spread.mad, spread.worst.get(), spread.n_days), (0.0, 0.0, 1.0, 184));
}

#[test]
fn a_steady_decline_is_a_trend() {
    // Two intervals a day, each 0.2 points less than the one a day before.
    let codes: Vec<_> = (0..200u16).map(|i| Some(900 - 2 * (i / 2))).collect();
    let report = report(Vec::new(), with_graph(relay(1), Period::SixMonths, as_of().next(), &codes, 0));
    let trend = report.trend.unwrap();
    assert!((trend.per_30_days + 0.06).abs() < 1e-9, "{trend:?}");
    assert!(trend.is_significant());
    assert_eq!(trend.n_days, 100);
    assert!((report.spread.unwrap().worst.get() - 0.702).abs() < 1e-9);
}

#[test]
fn a_trend_needs_thirty_days_and_a_spread_seven() {
    for (n_days, has_trend, has_spread) in [(30, true, true), (29, false, true), (7, false, true), (6, false, false)] {
        let codes = vec![Some(900); 2 * n_days];
        let report = report(Vec::new(), with_graph(relay(1), Period::SixMonths, as_of().next(), &codes, 0));
        assert_eq!((report.trend.is_some(), report.spread.is_some()), (has_trend, has_spread), "{n_days}");
    }
}

#[test]
fn flags_have_shares_of_all_known_hours() {
    let end = as_of().next();
    let half_guard = with_span(with_span(relay(1), end.plus(-24), end.plus(-18), &[RelayFlag::Guard]), end.plus(-12), end, &[]);
    let exact = report(hours(end.plus(-24), end), half_guard);
    assert_eq!(exact.flag_uptime.len(), 1);
    assert_eq!(exact.flag_uptime[0].flag, RelayFlag::Guard);
    assert_eq!(exact.flag_uptime[0].share[0].unwrap().get(), 0.25);
    let published = with_graph_of(relay(1), Quantity::Flag(RelayFlag::Exit), Period::OneMonth, end, &[UP, DOWN, None], 0);
    let published = report(Vec::new(), with_graph_of(published, Quantity::Flag(RelayFlag::Running), Period::OneMonth, end, &[UP], 0));
    assert_eq!(published.flag_uptime.len(), 1);
    assert_eq!(published.flag_uptime[0].share[Period::OneMonth.index()].unwrap().get(), 0.5);
    assert_eq!(published.flag_uptime[0].share[Period::OneYear.index()], None);
}
