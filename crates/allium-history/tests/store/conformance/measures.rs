//! Weights, probabilities and bandwidths; restarts, overloads and addresses.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use allium_history::{
    ConsensusInfo, ConsensusSource, ConsensusWeights, EventKind, FullConsensus, GroupHour, GroupKey, Grouping, Listed, RelayDay,
    Statements, Store,
};
use allium_model::{Asn, BandwidthWeights, Fingerprint, Fraction, Relay, RelayFlag, RelayFlags, RelayState, Timestamp};

use super::Backend;
use crate::common::*;

const FLAGS: [&[RelayFlag]; 4] = [&[RelayFlag::Guard], &[RelayFlag::Exit], &[RelayFlag::Guard, RelayFlag::Exit], &[]];

/// The first hour of the day of `hour(0)`, which is its 18th.
const MIDNIGHT: i32 = -18;

fn flags(number: u32) -> RelayFlags {
    FLAGS[number as usize % 4].iter().copied().chain([RelayFlag::Running]).collect()
}

/// Relay `n` of four, with weight 100 (n + 1) and a class of its own.
fn full_consensus(source: ConsensusSource, at: i32) -> FullConsensus {
    let listed = |number: u32| Listed {
        weight: Some(100 * (u64::from(number) + 1)),
        ..Listed::of(fingerprint(number), RelayState { flags: flags(number), ..RelayState::default() })
    };
    let weights =
        [("Wgg", 5000), ("Wgd", 2000), ("Wmg", 5000), ("Wme", 1000), ("Wmd", 3000), ("Wmm", 10_000), ("Wee", 9000), ("Wed", 5000)];
    FullConsensus {
        info: ConsensusInfo { source, ..consensus(hour(at)) },
        listed: (0..4).map(listed).collect(),
        bandwidth_weights: weights.into(),
    }
}

fn document(at: i32, advertised: u64) -> allium_history::Update {
    let relay = |number: u32| Relay {
        flags: flags(number),
        country: Some(if number < 2 { "de" } else { "se" }.parse().unwrap()),
        asn: Some(Asn(7)),
        consensus_weight: Some(1),
        advertised_bandwidth: Some(advertised),
        observed_bandwidth: Some(advertised + 1),
        ..running(number, hour(at))
    };
    details(hour(at), (0..4).map(relay).collect())
}

fn sound(store: &dyn Store) {
    let report = store.check().unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
}

fn near(found: Option<Fraction>, expected: f64) {
    assert!((found.unwrap().get() - expected).abs() < 1e-12, "{found:?} {expected}");
}

pub(crate) fn probabilities_follow_from_weights_and_flags(backend: &dyn Backend) {
    let mut store = backend.empty();
    assert!(store.append_full_consensus(&full_consensus(ConsensusSource::Directory, 0)).unwrap());
    sound(&*store);
    // Weights 100 Guard, 200 Exit, 300 both, 400 neither.
    let guard = 100.0 * 0.5 + 300.0 * 0.2;
    let middle = 100.0 * 0.5 + 200.0 * 0.1 + 300.0 * 0.3 + 400.0;
    let exit = 200.0 * 0.9 + 300.0 * 0.5;
    let day = |number| store.relay_days(&fingerprint(number), hour(0), hour(1)).unwrap().remove(0);
    near(day(0).guard_probability, 50.0 / guard);
    near(day(0).exit_probability, 0.0);
    near(day(1).middle_probability, 20.0 / middle);
    near(day(2).guard_probability, 60.0 / guard);
    near(day(2).exit_probability, 150.0 / exit);
    near(day(3).middle_probability, 400.0 / middle);
    near(day(3).guard_probability, 0.0);
    assert_eq!((day(3).start, day(3).n_weighed, day(3).consensus_weight), (hour(MIDNIGHT), 1, Some(400.0)));
    near(day(3).consensus_weight_fraction, 0.4);
    assert_eq!(day(3).advertised_bandwidth, None);

    let groups = store.group_hours(Grouping::Flag, hour(0), hour(1)).unwrap();
    let exits = &groups[&GroupKey::Flag(RelayFlag::Exit)][0];
    assert_eq!((exits.hour, exits.n_weighed, exits.consensus_weight), (hour(0), 2, Some(500.0)));
    near(exits.exit_probability, 1.0);
    near(exits.guard_probability, 60.0 / guard);
    let network = &store.group_hours(Grouping::Network, hour(0), hour(1)).unwrap()[&GroupKey::Network][0];
    for share in [network.guard_probability, network.middle_probability, network.exit_probability] {
        near(share, 1.0);
    }
}

pub(crate) fn days_are_means_and_documents_have_bandwidths_and_locations(backend: &dyn Backend) {
    let mut store = backend.empty();
    let mut lighter = full_consensus(ConsensusSource::Directory, 1);
    lighter.listed.iter_mut().for_each(|listed| listed.weight = listed.weight.map(|weight| weight / 2));
    store.append_full_consensus(&full_consensus(ConsensusSource::Directory, 0)).unwrap();
    store.append_full_consensus(&lighter).unwrap();
    store.apply(&document(0, 1000)).unwrap();
    store.apply(&document(1, 3000)).unwrap();
    sound(&*store);
    let days = store.relay_days(&fingerprint(3), hour(MIDNIGHT), hour(48)).unwrap();
    assert_eq!(days.len(), 1);
    assert_eq!((days[0].n_weighed, days[0].consensus_weight), (2, Some(300.0)), "the document's weight is no news");
    assert_eq!((days[0].advertised_bandwidth, days[0].observed_bandwidth), (Some(2000.0), Some(2001.0)));
    assert_eq!(store.relay_days(&fingerprint(3), hour(1), hour(2)).unwrap()[0].consensus_weight, Some(200.0));
    assert_eq!(store.relay_days(&fingerprint(99), hour(0), hour(2)).unwrap(), []);

    let countries = store.group_hours(Grouping::Country, hour(0), hour(2)).unwrap();
    let sweden = &countries[&GroupKey::Country("se".parse().unwrap())];
    let found: Vec<_> = sweden.iter().map(|at| (at.hour, at.consensus_weight, at.advertised_bandwidth)).collect();
    assert_eq!(found, [(hour(0), Some(700.0), Some(2000)), (hour(1), Some(350.0), Some(6000))]);
    let by_as = store.group_hours(Grouping::AutonomousSystem, hour(0), hour(1)).unwrap();
    near(by_as[&GroupKey::AutonomousSystem(Asn(7))][0].consensus_weight_fraction, 1.0);
}

pub(crate) fn the_order_of_sources_does_not_matter(backend: &dyn Backend) {
    let ways: [[usize; 4]; 4] = [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [2, 3, 0, 1]];
    let mut answers = Vec::new();
    for way in ways {
        let mut store = backend.empty();
        for step in way {
            match step {
                0 => drop(store.append_full_consensus(&full_consensus(ConsensusSource::Directory, 0)).unwrap()),
                // Documents come in order.
                1 => drop(store.apply(&document(0, 1000))),
                2 => drop(store.append_full_consensus(&full_consensus(ConsensusSource::Collector, -30)).unwrap()),
                _ => drop(store.append_weights(&[full_consensus(ConsensusSource::Collector, 0).weights()]).unwrap()),
            }
        }
        sound(&*store);
        answers.push((
            store.relay_days(&fingerprint(2), hour(-100), hour(100)).unwrap(),
            store.group_hours(Grouping::Flag, hour(-100), hour(100)).unwrap(),
        ));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:#?}");
    assert_eq!(answers[0].0.len(), 2);
}

pub(crate) fn every_relay_and_group_is_given_in_order_until_enough(backend: &dyn Backend) {
    let mut store = backend.empty();
    for at in [0, 1, 30] {
        store.append_full_consensus(&full_consensus(ConsensusSource::Directory, at)).unwrap();
    }
    let (from, to) = (hour(1), hour(48));
    let mut days = Vec::new();
    let mut take = |relay: &Fingerprint, day: &RelayDay| {
        days.push((day.start, *relay, day.clone()));
        ControlFlow::Continue(())
    };
    store.each_relay_day(from, to, &mut take).unwrap();
    assert!(days.is_sorted_by_key(|(start, relay, _)| (*start, *relay)));
    assert_eq!(days.len(), 8, "four relays on two days");
    for number in 0..4 {
        let of_one: Vec<_> = days.iter().filter(|(_, relay, _)| *relay == fingerprint(number)).map(|(.., day)| day.clone()).collect();
        assert_eq!(of_one, store.relay_days(&fingerprint(number), from, to).unwrap());
    }
    let mut hours = Vec::new();
    let mut take = |group: &GroupKey, at: &GroupHour| {
        hours.push((at.hour, *group));
        if hours.len() == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    store.each_group_hour(Grouping::Flag, from, to, &mut take).unwrap();
    let flag = GroupKey::Flag;
    let first = [flag(RelayFlag::Exit), flag(RelayFlag::Guard), flag(RelayFlag::Running)].map(|group| (hour(1), group));
    assert_eq!(hours, [&first[..], &[(hour(30), flag(RelayFlag::Exit))]].concat());
}

pub(crate) fn weights_alone_belong_to_spans_that_come_beside(backend: &dyn Backend) {
    let mut store = backend.empty();
    let FullConsensus { info, listed, .. } = full_consensus(ConsensusSource::Collector, 0);
    let weights = full_consensus(ConsensusSource::Collector, 0).weights();
    let spans = listed
        .into_iter()
        .map(|listed| (listed.fingerprint, allium_model::StateSpan { start: hour(0), end: hour(1), state: listed.state }));
    store
        .append_weighed_spans(&[info], &mut spans.collect::<Vec<_>>().into_iter(), std::slice::from_ref(&weights), &Statements::new())
        .unwrap();
    assert_eq!(store.append_weights(&[weights]).unwrap(), 0, "weighed already");
    sound(&*store);
    near(store.relay_days(&fingerprint(3), hour(0), hour(1)).unwrap()[0].consensus_weight_fraction, 0.4);
    let nothing = ConsensusWeights {
        hour: hour(5),
        source: ConsensusSource::Collector,
        listed: vec![],
        bandwidth_weights: BandwidthWeights::default(),
    };
    assert_eq!(store.append_weights(&[nothing]).unwrap(), 0);
}

pub(crate) fn pruning_forgets_measures_and_events_of_before(backend: &dyn Backend) {
    let mut store = backend.empty();
    for at in [-30, -1, 0] {
        store.append_full_consensus(&full_consensus(ConsensusSource::Directory, at)).unwrap();
    }
    store.prune(hour(0)).unwrap();
    sound(&*store);
    let days = store.relay_days(&fingerprint(2), hour(-100), hour(100)).unwrap();
    assert_eq!(days.iter().map(|day| (day.start, day.n_weighed)).collect::<Vec<_>>(), [(hour(MIDNIGHT), 1)]);
    assert_eq!(store.stats().unwrap().n_weighed, 1);
}

pub(crate) fn restarts_overloads_and_addresses_are_events_once(backend: &dyn Backend) {
    let mut store = backend.empty();
    let relay = |at: i32, restarted: &str, address: &str| Relay {
        last_restarted: Some(restarted.parse().unwrap()),
        overload_general_at: Some("2026-02-15T10:00:00Z".parse().unwrap()),
        or_addresses: vec![address.parse().unwrap()],
        ..running(1, hour(at))
    };
    let (first, second) = ("2026-02-10T01:02:03Z", "2026-02-15T19:30:00Z");
    store.apply(&details(hour(0), vec![relay(0, first, "192.0.2.1:1")])).unwrap();
    store.apply(&details(hour(1), vec![relay(1, first, "192.0.2.1:9")])).unwrap();
    let mut consensus = full_consensus(ConsensusSource::Directory, 2);
    consensus.listed[1].address = "192.0.2.2".parse().ok();
    store.append_full_consensus(&consensus).unwrap();
    store.apply(&details(hour(2), vec![relay(2, second, "192.0.2.2:9")])).unwrap();
    store.apply(&details(hour(3), vec![relay(3, second, "192.0.2.1:9")])).unwrap();
    sound(&*store);
    let events = store.events(None, Timestamp::MIN, Timestamp::MAX).unwrap();
    let found: Vec<(String, &EventKind)> = events.iter().map(|event| (event.at.to_string(), &event.kind)).collect();
    let [moved, back] = ["192.0.2.2", "192.0.2.1"].map(|address| EventKind::Address(address.parse().unwrap()));
    let expected = [
        (first.to_owned(), &EventKind::Restart),
        ("2026-02-15T10:00:00Z".to_owned(), &EventKind::Overload),
        (second.to_owned(), &EventKind::Restart),
        (hour(2).to_string(), &moved),
        (hour(3).to_string(), &back),
    ];
    assert_eq!(found, expected);
    let one = |number| store.events(Some(&fingerprint(number)), hour(2).start(), hour(3).start()).unwrap().len();
    assert_eq!((one(1), one(2)), (1, 0));
    store.prune(hour(3)).unwrap();
    sound(&*store);
    assert_eq!(store.stats().unwrap().n_events, 1);
}

pub(crate) fn the_latest_weighed_hour_is_given_once_for_each_range_that_has_one(backend: &dyn Backend) {
    let mut store = backend.empty();
    for at in [0, 3, 30] {
        assert!(store.append_full_consensus(&full_consensus(ConsensusSource::Directory, at)).unwrap());
    }
    store.apply(&document(40, 1)).unwrap();
    let ranges = [(0, 2), (1, 2), (-24, 29), (30, 31), (0, 3), (35, 40)].map(|(from, to)| (hour(from), hour(to)));
    let mut found = BTreeMap::new();
    store.hour_weights(&ranges, &mut |index, weights| assert!(found.insert(index, weights.clone()).is_none())).unwrap();
    let hours: Vec<_> = found.iter().map(|(index, weights)| (*index, weights.hour)).collect();
    assert_eq!(hours, [(0, hour(0)), (2, hour(3)), (3, hour(30)), (4, hour(3)), (5, hour(40))]);
    let weights = &found[&0];
    assert_eq!((weights.weight_of(&fingerprint(2)), weights.weight_of(&fingerprint(9)), weights.total()), (Some(300), None, 1000.0));
    let [guard, middle, exit] = weights.probabilities(flags(2), 300);
    let expected = [60.0 / 110.0, 90.0 / 560.0, 150.0 / 330.0];
    for (found, expected) in [guard, middle, exit].into_iter().zip(expected) {
        assert!((found.unwrap() - expected).abs() < 1e-12, "{found:?} {expected}");
    }
    assert_eq!(found[&5].probabilities(flags(2), 1), [None; 3], "a details document has no bandwidth weights");
}
