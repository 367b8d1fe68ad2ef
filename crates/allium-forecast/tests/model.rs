//! Training and forecasting, through the public interface.

#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

mod support;

use allium_forecast::evaluate::evaluate;
use allium_forecast::features::Features;
use allium_forecast::{Chosen, HORIZON_DAYS, Label, Model, Past};
use allium_model::ConsensusHour;
use proptest::prelude::*;
use support::network;

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
    let seen = |relay: &&allium_forecast::RelayPast| {
        relay.spans.last().is_some_and(|span| as_of.hours_since(hour(&past, span.end as usize - 1)) <= 168)
    };
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
fn a_model_comes_back_from_its_file_and_a_damaged_one_does_not() {
    let past = network(120, 3400, 4);
    let as_of = hour(&past, 3399);
    let model = Model::train(&past, as_of, HORIZON_DAYS);
    let text = model.to_json().unwrap();
    let read = Model::from_json(&text).unwrap();
    assert_eq!(read, model);
    assert_eq!(read.forecast(&past, as_of), model.forecast(&past, as_of));
    for (from, to) in [("\"format\":1", "\"format\":9"), ("\"up_1d\"", "\"up_2d\""), ("\"Leaf\":0}", "\"Leaf\":60000}"), ("{", "[")] {
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
fn the_scoreboard_leaves_out_origins_whose_horizon_is_not_complete() {
    let past = network(90, 3400, 6);
    let origins = [hour(&past, 2600), hour(&past, 3000)];
    let scoreboard = evaluate(&past, &origins, HORIZON_DAYS, &mut |_| {});
    assert_eq!(scoreboard.origins.len(), 1);
    let all: Vec<_> = scoreboard.origins[0].scores.iter().filter(|scores| scores.stratum == "all").collect();
    assert_eq!(all.len(), 11);
    assert!(all.iter().all(|scores| scores.n == scoreboard.origins[0].n_relays && scores.crps < 0.6), "{all:?}");
    let conditional = all.iter().find(|scores| scores.model == "conditional").unwrap();
    assert_eq!(conditional.skill, 0.0);
}
