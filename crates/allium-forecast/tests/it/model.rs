//! Training and forecasting, through the public interface.

#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use std::collections::BTreeSet;

use crate::support::network;
use allium_forecast::evaluate::{Evaluation, Scoreboard};
use allium_forecast::features::Features;
use allium_forecast::models::Kind;
use allium_forecast::{Chosen, HORIZON_DAYS, Label, Model, Past, PastSpan, RelayPast};
use allium_model::{Asn, ConsensusHour};
use proptest::prelude::*;

fn hour(past: &Past, i: usize) -> ConsensusHour {
    past.hours()[i]
}

#[test]
fn forecasts_know_nothing_of_what_comes_later() {
    let past = network(150, 4200, 1);
    let as_of = hour(&past, 3000);
    let (with, without) = (&past, &past.as_of(as_of));
    let models = [with, without].map(|past| Model::train(past, as_of, HORIZON_DAYS));
    assert_eq!(models[0], models[1]);
    assert_eq!(models[0].kind(), Chosen::Boosted, "{:?}", models[0].scores());
    assert_eq!(models[0].forecast(with, as_of), models[1].forecast(without, as_of));
}

#[test]
fn relays_that_came_together_learn_with_the_weight_of_a_few() {
    let span =
        |start: u32, asn: u32| PastSpan { start, end: 600, running: true, guard: false, exit: false, asn: Some(Asn(asn)), country: None };
    // Thirty of one system on one day; thirty of as many systems, one a day.
    let batch = (0..30).map(|i| (i, span(50, 64_512)));
    let single = (30..60).map(|i| (i, span(i * 8, 64_600 + i)));
    let relays = batch.chain(single).map(|(i, span)| RelayPast::new(support::fingerprint(i), vec![span])).collect();
    let past = Past::new((0..600).map(|hour| ConsensusHour::new(480_000 + hour)).collect(), relays);
    let weights = Features::of(&past, hour(&past, 599)).weights;
    let [batch, single]: [f32; 2] = [&weights[..30], &weights[30..]].map(|weights| weights.iter().sum());
    assert!(batch < 4.0 && single > 29.9, "{batch} {single}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn features_know_nothing_of_what_comes_later(seed in 0u64..1000, at in 100usize..1400) {
        let past = network(40, 1500, seed);
        let as_of = hour(&past, at);
        let known = past.as_of(as_of);
        let (with, without) = (Features::of(&past, as_of), Features::of(&known, as_of));
        // Relays that appear later have no number in what is known.
        let names = |past: &Past, features: &Features| features.relays.iter().map(|i| past.relays()[*i].fingerprint).collect::<Vec<_>>();
        prop_assert_eq!(names(&past, &with), names(&known, &without));
        let same = with.values.iter().zip(&without.values).all(|(a, b)| a.to_bits() == b.to_bits());
        prop_assert!(same && with.values.len() == without.values.len());
    }
}

#[test]
fn every_relay_of_the_last_seven_days_has_a_forecast_in_order() {
    let past = network(150, 3400, 2);
    let as_of = hour(&past, 3399);
    let forecasts = Model::train(&past, as_of, HORIZON_DAYS).forecast(&past, as_of);
    let seen = |relay: &&RelayPast| relay.spans.last().is_some_and(|span| as_of.hours_since(hour(&past, span.end as usize - 1)) <= 168);
    let expected: Vec<_> = past.relays().iter().filter(seen).map(|relay| relay.fingerprint).collect();
    assert_eq!(forecasts.iter().map(|forecast| forecast.fingerprint).collect::<Vec<_>>(), expected);
    for forecast in &forecasts {
        assert!(forecast.quantiles.windows(2).all(|pair| pair[0] <= pair[1]), "{forecast:?}");
        assert!(forecast.p_gone <= forecast.p_below_90, "{forecast:?}");
        assert_eq!(forecast.label == Label::Critical, forecast.p_below_90.get() >= 0.5, "{forecast:?}");
    }
}

#[test]
fn relays_that_never_fail_fare_better_than_relays_that_come_and_go() {
    let past = network(240, 3400, 3);
    let as_of = hour(&past, 3399);
    let forecasts = Model::train(&past, as_of, HORIZON_DAYS).forecast(&past, as_of);
    let mean_of = |kind: u32| {
        let of_kind = |i: &u32| i % 3 == kind;
        let fingerprints: Vec<_> = (0..240).filter(of_kind).map(support::fingerprint).collect();
        let means: Vec<f64> =
            forecasts.iter().filter(|f| f.running && fingerprints.contains(&f.fingerprint)).map(|f| f.mean.get()).collect();
        means.iter().sum::<f64>() / means.len() as f64
    };
    assert!(mean_of(0) > mean_of(2) + 0.1, "{} {}", mean_of(0), mean_of(2));
}

#[test]
fn what_scored_best_on_held_out_origins_is_used() {
    let mut used = BTreeSet::new();
    for (n, hours, seed) in [(20, 4200, 1), (300, 9600, 4)] {
        let past = network(n, hours, seed);
        let model = Model::train(&past, hour(&past, hours as usize - 1), HORIZON_DAYS);
        let best = model.scores().iter().map(|score| score.crps).min_by(f64::total_cmp).unwrap();
        assert_eq!(model.score().unwrap().crps, best, "{:?}", model.scores());
        used.insert(model.kind().name());
    }
    assert_eq!(used.into_iter().collect::<Vec<_>>(), ["boosted", "renewal"]);
}

#[test]
fn a_model_comes_back_from_its_file_and_a_damaged_one_does_not() {
    let past = network(120, 3400, 4);
    let as_of = hour(&past, 3399);
    let model = Model::train(&past, as_of, HORIZON_DAYS);
    let text = model.to_json().unwrap();
    let read = Model::from_json(&text).unwrap();
    assert_eq!(read, model);
    assert_eq!(read.forecast(&past, as_of), model.forecast(&past, as_of));
    for (from, to) in [("\"format\":3", "\"format\":9"), ("\"up_1d\"", "\"up_2d\""), ("\"Leaf\":0}", "\"Leaf\":60000}"), ("{", "[")] {
        assert_ne!(text.replacen(from, to, 1), text, "{from} is in the file");
        assert!(Model::from_json(&text.replacen(from, to, 1)).is_err(), "{from}");
    }
}

#[test]
fn a_history_too_short_to_learn_from_still_gives_forecasts() {
    for hours in [1, 20, 400, 900] {
        let past = network(30, hours, 5);
        let as_of = hour(&past, hours as usize - 1);
        let model = Model::train(&past, as_of, HORIZON_DAYS);
        assert_eq!(model.kind(), Chosen::Renewal);
        assert_eq!(model.forecast(&past, as_of).len(), past.current(as_of).len());
    }
    let nothing = Past::new(Vec::new(), Vec::new());
    let as_of = ConsensusHour::new(480_000);
    assert!(Model::train(&nothing, as_of, HORIZON_DAYS).forecast(&nothing, as_of).is_empty());
}

#[test]
fn the_scoreboard_leaves_out_origins_whose_horizon_is_mostly_unknown() {
    let past = network(90, 3400, 6);
    let mut evaluation = Evaluation::new(&past, HORIZON_DAYS, &Kind::ALL);
    let scored: Vec<_> = [2600, 3000, 3100].iter().filter_map(|place| evaluation.at(hour(&past, *place))).collect();
    assert_eq!(scored.iter().map(|origin| (origin.known_days, origin.complete)).collect::<Vec<_>>(), [(30, true), (16, false)]);
    let scoreboard = Scoreboard::new(&past, HORIZON_DAYS, scored.into_iter().rev().collect());
    assert!(scoreboard.origins.is_sorted_by(|a, b| a.origin < b.origin));
    let all: Vec<_> = scoreboard.origins[0].scores.iter().filter(|scores| scores.stratum == "all").collect();
    assert_eq!(all.len(), Kind::ALL.len() + 1);
    assert!(all.iter().all(|scores| scores.n == scoreboard.origins[0].n_relays && scores.crps < 0.6), "{all:?}");
    let conditional = all.iter().find(|scores| scores.model == "conditional").unwrap();
    assert_eq!(conditional.skill, 0.0);
    // Means are over complete origins: here one.
    assert_eq!(scoreboard.mean.iter().filter(|scores| scores.stratum == "all").collect::<Vec<_>>().len(), all.len());
    assert!((scoreboard.mean[0].crps - all[0].crps).abs() < 1e-12 && scoreboard.mean[0].n == all[0].n);
}

#[test]
fn the_same_origins_score_the_same_alone_and_among_others() {
    let past = network(60, 3400, 8);
    let kinds = [Kind::Persistence];
    let mut shared = Evaluation::new(&past, HORIZON_DAYS, &kinds);
    let first = shared.at(hour(&past, 2400));
    assert!(first.as_ref().is_some_and(|origin| origin.scores.iter().any(|scores| scores.model == "persistence")));
    let second = shared.at(hour(&past, 2600));
    assert_eq!(second, Evaluation::new(&past, HORIZON_DAYS, &kinds).at(hour(&past, 2600)));
}

/// The network of [`network`] and, from an hour on, a flood of relays that stay for a day.
fn flooded(n: u32, hours: u32, flood: u32, at: u32) -> Past {
    let usual = network(n, hours, 9);
    let span = |start: u32| PastSpan { start, end: start + 20, running: true, guard: false, exit: false, asn: None, country: None };
    let came = (0..flood).map(|i| RelayPast::new(support::fingerprint(1_000_000 + i), vec![span(at + i % 10)]));
    Past::new(usual.hours().to_vec(), usual.relays().iter().cloned().chain(came).collect())
}

#[test]
fn a_flood_of_relays_that_leave_at_once_does_not_move_the_forecasts_of_others() {
    let at = 2900;
    let (usual, flooded) = (flooded(150, 3400, 0, at), flooded(150, 3400, 900, at));
    // The flood lies in the rows that are learned from and, a day old, in the 7 days before the origin.
    for as_of in [at + 48, 3399] {
        let as_of = hour(&usual, as_of as usize);
        let [without, with] = [&usual, &flooded].map(|past| Model::train(past, as_of, HORIZON_DAYS).forecast(past, as_of));
        let of_others: Vec<_> =
            with.iter().filter(|forecast| usual.relays().iter().any(|r| r.fingerprint == forecast.fingerprint)).collect();
        assert_eq!(of_others.len(), without.len());
        let moved = |(a, b): (&&allium_forecast::Forecast, &allium_forecast::Forecast)| (a.mean.get() - b.mean.get()).abs();
        let mean_move = of_others.iter().zip(&without).map(moved).sum::<f64>() / without.len() as f64;
        assert!(mean_move < 0.05, "{mean_move} at {as_of}");
    }
}
