//! Faults that figures of groups must not have: named after published figures elsewhere that were wrong, each a case of its own.

#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use allium_analysis::groups::{GroupFigures, Groups, find};
use allium_analysis::{NetworkReport, RelayReport};
use allium_model::{
    Asn, ConsensusHour, Fingerprint, Fraction, GraphPeriod, Known, NetworkRecord, Operators, Period, PublishedGraph, Quantity, Relay,
    RelayFlag, RelayRecord, Series,
};

fn as_of() -> ConsensusHour {
    "2026-02-15T18:00:00Z".parse().unwrap()
}

/// A running relay in Germany on AS1 with weight 100 that was up for this share of the month.
fn relay(n: u8, uptime: f64) -> RelayRecord {
    let mut bytes = [0; 20];
    bytes[0] = n;
    let relay = Relay {
        running: true,
        first_seen: Some(as_of().plus(-24 * 400)).into(),
        last_seen: Some(as_of()),
        country: Some("de".parse().unwrap()),
        asn: Some(Asn(1)),
        consensus_weight: Some(100),
        advertised_bandwidth: Some(1_000_000),
        ..Relay::unknown(Fingerprint::new(bytes))
    };
    let code = (uptime * 1000.0) as u16;
    RelayRecord { relay, spans: Vec::new(), published: vec![graph(Quantity::Uptime, 4, &[Some(code); 180])] }
}

/// A graph that ends with the newest consensus.
fn graph(quantity: Quantity, interval_hours: i32, codes: &[Option<u16>]) -> PublishedGraph {
    let start = as_of().plus(-(codes.len() as i32) * interval_hours).start_secs();
    let series = Series::from_codes(start, interval_hours as u32 * 3600, 0.001, codes.iter().copied()).unwrap();
    PublishedGraph { quantity, period: GraphPeriod::Named(Period::OneMonth), series, completed: 0 }
}

fn groups(relays: Vec<RelayRecord>) -> Groups {
    let record = NetworkRecord { as_of: as_of(), known: Known::default(), relays, sources: Vec::new(), rejects: Vec::new() };
    let report = NetworkReport::compute(&record);
    assert!(report.relays.iter().all(|relay: &RelayReport| relay.current));
    let relays: Vec<&Relay> = record.relays.iter().map(|relay| &relay.relay).collect();
    Groups::compute(&record, &report, &Operators::of(&relays))
}

fn with_flags(mut record: RelayRecord, flags: &[RelayFlag]) -> RelayRecord {
    flags.iter().for_each(|flag| record.relay.flags.insert(*flag));
    record
}

#[test]
fn defect_2_relays_without_any_history_give_groups_without_uptime() {
    let mut empty = relay(1, 1.0);
    empty.published.clear();
    let groups = groups(vec![empty]);
    assert_eq!(groups.countries[0].figures.uptime, [None; 7]);
    assert!(groups.anomalies(Period::OneMonth).is_empty() && groups.as_alerts(Period::OneMonth).is_empty());
    assert_eq!(self::groups(Vec::new()).network.n_relays, 0);
}

#[test]
fn defect_4_relays_that_were_never_up_count_in_means() {
    let groups = groups(vec![relay(1, 1.0), relay(2, 0.0), relay(3, 0.005)]);
    let uptime = groups.autonomous_systems[0].figures.uptime[Period::OneMonth.index()].unwrap();
    assert_eq!(uptime.n_relays, 3);
    assert!((uptime.mean.get() - 1.005 / 3.0).abs() < 1e-12);
    assert!((uptime.median.get() - 0.005).abs() < 1e-12);
}

#[test]
fn defect_5_a_relay_with_guard_and_exit_is_lost_once() {
    let both = with_flags(relay(1, 1.0), &[RelayFlag::Guard, RelayFlag::Exit]);
    let groups = groups(vec![both, RelayRecord { relay: Relay { asn: Some(Asn(2)), ..relay(2, 1.0).relay }, ..relay(2, 1.0) }]);
    let loss = groups.without(&groups.autonomous_systems[0].members, &groups.autonomous_systems[0].figures, Period::OneMonth);
    assert_eq!((loss.n_running, loss.n_guards, loss.n_exits), (1, 1, 1));
    assert_eq!((loss.weight_share.unwrap().get(), loss.bandwidth_share.unwrap().get()), (0.5, 0.5));
}

#[test]
fn defect_9_the_order_of_groups_and_of_equals_does_not_depend_on_the_input() {
    let of = |order: [u8; 3]| {
        let mut relays: Vec<_> =
            order.map(|n| RelayRecord { relay: Relay { asn: Some(Asn(u32::from(n))), ..relay(n, 0.9).relay }, ..relay(n, 0.9) }).into();
        relays.sort_by_key(|relay| relay.relay.fingerprint);
        groups(relays)
    };
    assert_eq!(of([1, 2, 3]), of([3, 1, 2]));
    let keys: Vec<u32> = of([2, 3, 1]).autonomous_systems.iter().map(|group| group.key.0).collect();
    assert_eq!(keys, [1, 2, 3]);
}

#[test]
fn defect_12_only_codes_of_countries_are_countries() {
    let mut nowhere = relay(1, 1.0);
    nowhere.relay.country = Some("eu".parse().unwrap());
    let groups = groups(vec![nowhere, relay(2, 1.0)]);
    let named: Vec<String> = groups.regions.iter().map(|group| format!("{} {}", group.key.name(), group.figures.n_relays)).collect();
    assert_eq!(named, ["Europe 1", "Western Europe 1"]);
}

#[test]
fn defect_15_counts_weight_and_bandwidth_of_a_role_are_of_the_same_relays() {
    let both = with_flags(relay(1, 1.0), &[RelayFlag::Guard, RelayFlag::Exit]);
    let bad = with_flags(relay(2, 1.0), &[RelayFlag::Exit, RelayFlag::BadExit]);
    let figures = &groups(vec![both, bad, relay(3, 1.0)]).countries[0].figures;
    let roles = figures.running_by_role;
    assert_eq!((roles.guard, roles.exit, roles.middle), (1, 1, 1));
    let bandwidth = figures.bandwidth;
    assert_eq!([bandwidth.guard, bandwidth.exit, bandwidth.middle, bandwidth.all], [1_000_000, 1_000_000, 1_000_000, 3_000_000].map(Some));
}

#[test]
fn defects_16_and_17_bytes_are_placed_by_time_and_written_ones_counted_once() {
    // The coarse graph repeats the last day of the fine one and reaches a day further back; reading is the same traffic again.
    let mut both = relay(1, 1.0);
    both.published.push(graph(Quantity::BytesWritten, 4, &[Some(1000); 6]));
    both.published.push(graph(Quantity::BytesRead, 4, &[Some(1000); 6]));
    both.published.push(graph(Quantity::BytesWritten, 24, &[Some(3000), Some(1000)]));
    let written = groups(vec![both, relay(2, 1.0)]).countries[0].figures.bytes_written.unwrap();
    assert!((written - 4.0 * 86_400.0).abs() < 1e-6, "{written}");
}

#[test]
fn defect_18_an_interval_knows_how_many_operators_a_mean_rests_on() {
    // Twenty relays of one operator say no more than one; twenty of twenty operators do.
    let of = |own_contacts: bool| {
        let relays = (1..=20).map(|n| {
            let mut relay = relay(n, if n <= 10 { 1.0 } else { 0.8 });
            let who = if own_contacts { format!("operator{n}@example.org") } else { "one@example.org".to_owned() };
            relay.relay.contact = Some(who);
            relay
        });
        let uptime = groups(relays.collect()).countries[0].figures.uptime[Period::OneMonth.index()].unwrap();
        let (low, high) = uptime.interval.map(|(low, high)| (low.get(), high.get())).unwrap();
        (uptime.n_clusters, high - low)
    };
    let ((one, wide), (many, narrow)) = (of(false), of(true));
    assert_eq!((one, many), (1, 20));
    assert!(wide > 3.0 * narrow, "{wide} {narrow}");
}

#[test]
fn defect_24_relays_without_contact_are_nobodys() {
    let groups = groups(vec![relay(1, 1.0), relay(2, 1.0)]);
    let group = find(&groups.countries, &"de".parse().unwrap()).unwrap();
    assert_eq!(group.figures.n_operators, 0);
    assert_eq!(group.figures.uptime[Period::OneMonth.index()].unwrap().n_clusters, 2);
    assert!(groups.heaviest_operators(&group.members, Period::OneMonth, 10).groups.is_empty());
}

#[test]
fn defect_25_a_domain_that_nobody_proved_joins_no_operator() {
    let claim = |n: u8, name: &str| {
        let mut relay = relay(n, 1.0);
        relay.relay.contact = Some(format!("{name}@example.net url:https://example.org proof:uri-rsa ciissversion:2"));
        relay
    };
    let groups = groups(vec![claim(1, "victim"), claim(2, "somebody-else")]);
    assert_eq!(groups.network.n_operators, 2);
}

#[test]
fn shares_add_up_to_the_network() {
    let mut relays: Vec<_> = (1..=9).map(|n| relay(n, 0.95)).collect();
    for (i, relay) in relays.iter_mut().enumerate() {
        relay.relay.asn = Some(Asn(1 + i as u32 % 3));
        relay.relay.guard_probability = Fraction::new(1.0 / 9.0);
        relay.relay.consensus_weight = Some(1 + i as u64);
    }
    let groups = groups(relays);
    let shares: [fn(&GroupFigures) -> Option<Fraction>; 2] = [|figures| figures.weight_share, |figures| figures.guard_share];
    for share in shares {
        let sum: f64 = groups.autonomous_systems.iter().map(|group| share(&group.figures).unwrap().get()).sum();
        assert!((sum - 1.0).abs() < 1e-12, "{sum}");
    }
    assert_eq!(groups.network.exit_share, None);
}
