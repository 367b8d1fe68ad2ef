//! Forecasts of the whole network, through the public interface.

#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use crate::support::{Draws, fingerprint};
use allium_forecast::network::{Daily, Figure, Method, NetworkForecast, backtest};
use allium_forecast::{Past, PastSpan, RelayPast};
use allium_model::{ConsensusHour, Fingerprint};

const START: i32 = 480_000;

fn span(start: u32, end: u32, n: u32) -> PastSpan {
    PastSpan { start, end, running: true, guard: n.is_multiple_of(2), exit: n.is_multiple_of(5), asn: None, country: None }
}

/// A network that grows by a relay a day from 1,000 on, each up for ever, with a few that come and go.
fn growing(days: u32, seed: u64) -> Vec<RelayPast> {
    let mut draws = Draws::new(seed);
    let end = days * 24;
    let steady = (0..1_000 + days).map(|n| {
        let start = n.saturating_sub(1_000) * 24;
        RelayPast::new(fingerprint(n), vec![span(start, end, n)])
    });
    let coming_and_going = (2_000..2_100).map(|n| {
        let mut at = draws.whole(0, 400);
        let mut spans = Vec::new();
        while at < end {
            let until = (at + draws.whole(50, 400)).min(end);
            spans.push(span(at, until, n));
            at = until + draws.whole(5, 120);
        }
        RelayPast::new(fingerprint(n), spans)
    });
    steady.chain(coming_and_going).collect()
}

/// Relays that come at an hour and are gone after some more.
fn flood(at: u32, hours: u32, n: u32) -> impl Iterator<Item = RelayPast> {
    (0..n).map(move |i| {
        let mut bytes = [0xF0; 20];
        bytes[..4].copy_from_slice(&(at * 10_000 + i).to_be_bytes());
        RelayPast::new(Fingerprint::new(bytes), vec![span(at, at + hours, 1)])
    })
}

fn past(days: u32, relays: Vec<RelayPast>) -> Past {
    Past::new((0..days as i32 * 24).map(|hour| ConsensusHour::new(START + hour)).collect(), relays)
}

fn last(past: &Past) -> ConsensusHour {
    *past.hours().last().unwrap()
}

fn all(daily: &Daily) -> Vec<NetworkForecast> {
    Figure::ALL.into_iter().flat_map(|figure| daily.forecasts(figure, figure.horizons().iter().copied())).collect()
}

#[test]
fn a_steady_growth_goes_on_more_slowly() {
    let past = past(400, growing(400, 1));
    let daily = Daily::of(&past, last(&past), &[]);
    for horizon in [91, 182, 365] {
        let forecast = daily.forecast(Figure::Relays, horizon).unwrap();
        let grown = forecast.median() - forecast.level;
        assert!(grown > 20.0 && grown < f64::from(horizon), "{forecast:?}");
        let truth = forecast.level + f64::from(horizon);
        assert!(forecast.quantiles.is_sorted() && forecast.n_errors >= 30, "{forecast:?} {truth}");
    }
    // No weights were told.
    assert_eq!(daily.forecast(Figure::Weight, 91), None);
    assert_eq!(daily.values(Figure::Weight).iter().flatten().count(), 0);
}

#[test]
fn weights_are_forecast_where_they_are_told() {
    let past = past(300, growing(300, 2));
    let weights: Vec<_> = past.hours().iter().map(|hour| (*hour, 5e7)).collect();
    let daily = Daily::of(&past, last(&past), &weights);
    let forecast = daily.forecast(Figure::Weight, 91).unwrap();
    assert!((forecast.median() / 5e7 - 1.0).abs() < 1e-9 && forecast.quantiles[0] > 4.9e7, "{forecast:?}");
}

#[test]
fn floods_of_short_lived_relays_do_not_bend_forecasts() {
    let quiet = growing(400, 3);
    let calm = past(400, quiet.clone());
    // Twice as many relays as there are for ten hours five days ago, and as many for a day a hundred days ago.
    let flooded: Vec<RelayPast> = quiet.into_iter().chain(flood(395 * 24, 10, 3_000)).chain(flood(300 * 24, 20, 1_400)).collect();
    let wild = past(400, flooded);
    let [calm, wild] = [&calm, &wild].map(|past| all(&Daily::of(past, last(past), &[])));
    assert_eq!(calm.len(), wild.len());
    assert!(calm.len() == 11, "{}", calm.len());
    for (calm, wild) in calm.iter().zip(&wild) {
        assert!((wild.median() / calm.median() - 1.0).abs() < 0.005, "{calm:?} {wild:?}");
        let width = |forecast: &NetworkForecast| forecast.interval().1 - forecast.interval().0;
        assert!(width(wild) < width(calm) * 1.25 + 0.005 * calm.median(), "{calm:?} {wild:?}");
    }
}

#[test]
fn forecasts_know_nothing_of_what_comes_later() {
    let past = past(400, growing(400, 4));
    let as_of = past.hours()[320 * 24 + 7];
    let [with, without] = [&past, &past.as_of(as_of)].map(|past| all(&Daily::of(past, as_of, &[])));
    assert!(!with.is_empty());
    assert_eq!(with, without);
}

#[test]
fn a_short_or_empty_record_gives_none() {
    for days in [0, 1, 100] {
        let past = past(days, growing(days, 5));
        let as_of = past.hours().last().copied().unwrap_or(ConsensusHour::new(START));
        assert_eq!(all(&Daily::of(&past, as_of, &[])), Vec::new(), "{days} days");
        assert_eq!(backtest(&Daily::of(&past, as_of, &[]), 7), Vec::new());
    }
}

#[test]
fn the_backtest_scores_every_method_where_it_can() {
    let past = past(420, growing(420, 6));
    let scores = backtest(&Daily::of(&past, last(&past), &[]), 7);
    let of = |figure, horizon_days| scores.iter().filter(move |s| s.figure == figure && s.horizon_days == horizon_days).collect::<Vec<_>>();
    for figure in [Figure::Relays, Figure::Guards, Figure::Exits] {
        let methods = of(figure, 91);
        assert_eq!(methods.len(), Method::candidates(figure).len());
        assert_eq!(methods.iter().filter(|score| score.in_use).count(), 1);
        // 150 days of history before the first, 91 days after the last, weekly.
        assert!(methods.iter().all(|score| (20..=28).contains(&score.n)), "{methods:?}");
        assert!(of(figure, 365).is_empty());
    }
    let relays = of(Figure::Relays, 91);
    let mae = |method| relays.iter().find(|score| score.method == method).unwrap().mae;
    assert!(mae(Method::DampedTrend) < mae(Method::Level), "a steady growth is no standstill: {relays:?}");
    let uptime = of(Figure::Uptime, 30);
    assert!(uptime.iter().all(|score| score.mae < 0.02 && score.covered_80 > 0.5), "{uptime:?}");
}

#[test]
fn uptime_counts_relays_that_are_known_for_two_weeks() {
    // One relay is up for ever, one is gone after 20 days, one comes on day 29.
    let relays = vec![
        RelayPast::new(fingerprint(0), vec![span(0, 40 * 24, 0)]),
        RelayPast::new(fingerprint(1), vec![span(0, 20 * 24, 1)]),
        RelayPast::new(fingerprint(2), vec![span(29 * 24, 40 * 24, 2)]),
    ];
    let past = past(40, relays);
    let daily = Daily::of(&past, last(&past), &[]);
    // Days begin at 00:00 UTC: the record begins on one.
    assert_eq!(START % 24, 0);
    let uptime = daily.values(Figure::Uptime);
    assert_eq!(uptime[..14], [None; 14]);
    let told = |day: usize| uptime[day].unwrap();
    assert_eq!([told(15), told(19), told(22), told(30)], [1.0, 1.0, 0.5, 1.0]);
    assert_eq!(daily.values(Figure::Relays)[30], Some(2.0));
    assert_eq!(daily.recent(Figure::Relays, 5), Some(2.0));
}
