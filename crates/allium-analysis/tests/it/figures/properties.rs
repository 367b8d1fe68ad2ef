//! What holds for any record.

use allium_analysis::{NetworkReport, RelayReport, daily_strip, strip};
use allium_model::{ConsensusHour, Known, Period, RelayFlag, RelayRecord};
use proptest::collection::vec;
use proptest::prelude::*;

use super::support::{as_of, gone_since, network, relay, with_graph, with_span};

/// Hours of own history that records here reach back.
const DEPTH_HOURS: i32 = 400;

/// Values of a graph with gaps, down and partly up intervals.
fn codes() -> impl Strategy<Value = Vec<Option<u16>>> {
    let code = prop_oneof![4 => Just(Some(999)), 1 => Just(Some(0)), 1 => (0u16..=1100).prop_map(Some), 1 => Just(None)];
    vec(code, 0..120)
}

/// A relay with spans and published graphs that need not agree with each other, as sources do not always.
fn record() -> impl Strategy<Value = RelayRecord> {
    let spans = vec((1i32..40, 1i32..40, any::<bool>()), 0..8);
    let graphs = vec((codes(), 3usize..7, 0i32..60, 0usize..4), 0..5);
    let seen = (proptest::option::of(0i32..500), 0i32..300, any::<bool>());
    (spans, graphs, seen, any::<u8>()).prop_map(|(spans, graphs, (first_seen, last_seen, running), n)| {
        let end = as_of().next();
        let mut record = relay(n);
        record.relay.first_seen = first_seen.map(|back| end.plus(-back)).into();
        let mut at = end.plus(-DEPTH_HOURS);
        for (gap, length, is_guard) in spans {
            let (start, stop) = (at.plus(gap), at.plus(gap + length).min(end));
            if start < stop {
                record = with_span(record, start, stop, if is_guard { &[RelayFlag::Guard] } else { &[] });
                at = stop;
            }
        }
        for (codes, period, back, completed) in graphs {
            record = with_graph(record, Period::ALL[period], end.plus(-back), &codes, completed.min(codes.len()));
        }
        if running { record } else { gone_since(record, as_of().plus(-last_seen)) }
    })
}

/// Known hours as a mask from the newest backwards.
fn known() -> impl Strategy<Value = Vec<ConsensusHour>> {
    let dense = vec(prop::bool::weighted(0.95), 0..DEPTH_HOURS as usize);
    let sparse = vec(prop::bool::weighted(0.3), 0..DEPTH_HOURS as usize);
    prop_oneof![dense, sparse].prop_map(|mask| {
        let known = mask.into_iter().enumerate().filter(|(_, is_known)| *is_known);
        known.map(|(back, _)| as_of().plus(-(back as i32))).collect()
    })
}

fn assert_sound(report: &RelayReport) {
    for figure in report.uptime.iter().flatten() {
        assert!((0.0..=1.0).contains(&figure.uptime.get()) && (0.0..=1.0).contains(&figure.coverage.get()), "{figure:?}");
        assert!(figure.from_secs < figure.to_secs && figure.known_hours > 0.0, "{figure:?}");
        assert!(figure.known_hours <= (figure.to_secs - figure.from_secs) as f64 / 3600.0 + 1e-9, "{figure:?}");
    }
    if let Some(summary) = &report.outages {
        for outage in &summary.outages {
            assert!(outage.start_secs < outage.end_secs && outage.down_hours > 0.0, "{outage:?}");
            assert!(summary.from_secs <= outage.start_secs && outage.end_secs <= summary.to_secs, "{outage:?} {summary:?}");
            assert!(outage.down_hours <= (outage.end_secs - outage.start_secs) as f64 / 3600.0 + 1e-9, "{outage:?}");
        }
        assert!(summary.outages.windows(2).all(|pair| pair[0].end_secs <= pair[1].start_secs), "{summary:?}");
        assert!(summary.outages.iter().rev().skip(1).all(|outage| !outage.ongoing));
    }
    if let Some(since) = report.since {
        assert!(since.since <= as_of() && since.after.is_none_or(|after| after < since.since), "{since:?}");
    }
    assert!(report.months.iter().all(|month| (0.0..=1.0).contains(&month.known.get())));
    if let Some(trend) = report.trend {
        assert!(trend.low <= trend.per_30_days && trend.per_30_days <= trend.high, "{trend:?}");
    }
}

proptest! {
    #[test]
    fn several_cores_find_what_one_finds(records in vec(record(), 0..12), known in known()) {
        let mut records = records;
        records.iter_mut().zip(0..).for_each(|(record, n)| record.relay.fingerprint = relay(n).relay.fingerprint);
        let network = network(known, records);
        prop_assert_eq!(NetworkReport::compute_in_parallel(&network), NetworkReport::compute(&network));
    }

    #[test]
    fn every_figure_is_possible(record in record(), known in known()) {
        let network = network(known, vec![record]);
        let report = NetworkReport::compute(&network);
        assert_sound(&report.relays[0]);
        for period in Period::ALL {
            let strip = strip(&network.relays[0], &network.known, as_of(), period);
            prop_assert!(strip.cells.windows(2).all(|pair| pair[0].end_secs == pair[1].start_secs));
        }
    }

    #[test]
    fn nothing_but_known_hours_counts(mut record in record(), known in known()) {
        // A relay appears with its first span at the latest, so that must not move.
        record.relay.first_seen = record.relay.first_seen.latest().into_iter().chain(record.spans.first().map(|span| span.start)).min().into();
        // Spans are cut to what is known; what they say of unknown hours must not matter.
        let known = Known::new(known);
        let mut cut = record.clone();
        cut.spans = record.spans.iter().flat_map(|span| {
            let hours = (span.start.get()..span.end.get()).map(ConsensusHour::new).filter(|hour| known.contains(*hour));
            hours.map(|hour| allium_model::StateSpan { start: hour, end: hour.next(), state: span.state.clone() }).collect::<Vec<_>>()
        }).collect();
        let report = |relay: RelayRecord| NetworkReport::compute(&network(known.hours().to_vec(), vec![relay]));
        prop_assert_eq!(report(record), report(cut));
    }

    #[test]
    fn permuting_relays_permutes_reports(records in vec(record(), 0..6), known in known()) {
        let reversed: Vec<_> = records.iter().rev().cloned().collect();
        let there = NetworkReport::compute(&network(known.clone(), records));
        let back = NetworkReport::compute(&network(known, reversed));
        prop_assert!(there.relays.iter().eq(back.relays.iter().rev()));
        prop_assert_eq!(there.network.uptime, back.network.uptime);
        prop_assert_eq!(there.network.by_flag, back.network.by_flag);
    }

    #[test]
    fn a_day_of_a_strip_is_the_same_however_long_the_strip(record in record(), known in known()) {
        let known = Known::new(known);
        let long = daily_strip(&record, &known, as_of(), 20);
        let short = daily_strip(&record, &known, as_of(), 5);
        prop_assert_eq!(&long.cells[15..], &short.cells[..]);
    }
}
