//! What operators are told about themselves and advised to do, on networks made by hand.

#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use std::collections::BTreeSet;

use allium_analysis::groups::Grade;
use allium_analysis::operators::{Achievements, Advice, Advised, LastIssue, Priority, achievements, advice, portfolio};
use allium_analysis::{Groups, NetworkReport, OperatorReport};
use allium_model::{
    Asn, ConsensusHour, Fingerprint, GraphPeriod, Known, NetworkRecord, OperatorId, Period, PublishedGraph, Quantity, Relay, RelayFlag,
    RelayFlags, RelayRecord, Series,
};

fn as_of() -> ConsensusHour {
    "2026-02-15T23:00:00Z".parse().unwrap()
}

/// A running relay of somebody in a country, on the autonomous system of that number, that was up so many thousandths of six months.
fn relay(n: u16, contact: &str, country: &str, asn: u32, thousandths: u16) -> RelayRecord {
    let mut bytes = [0; 20];
    bytes[..2].copy_from_slice(&n.to_be_bytes());
    let relay = Relay {
        nickname: Some(format!("relay{n}")),
        running: true,
        first_seen: Some(as_of().plus(-24 * 400)).into(),
        last_seen: Some(as_of()),
        flags: RelayFlags::from_iter([RelayFlag::Running]),
        consensus_weight: Some(100),
        contact: Some(contact.to_owned()),
        country: Some(country.parse().unwrap()),
        asn: Some(Asn(asn)),
        ..Relay::unknown(Fingerprint::new(bytes))
    };
    let codes = [Some(thousandths); 366];
    let start_secs = as_of().next().start_secs() - 366 * 43_200;
    let series = Series::from_codes(start_secs, 43_200, 0.001, codes).unwrap();
    let graph = PublishedGraph { quantity: Quantity::Uptime, period: GraphPeriod::Named(Period::SixMonths), series, completed: 0 };
    RelayRecord { relay, spans: Vec::new(), published: vec![graph] }
}

struct Network {
    record: NetworkRecord,
    report: NetworkReport,
    operators: OperatorReport,
    groups: Groups,
}

impl Network {
    fn of(relays: Vec<RelayRecord>) -> Self {
        let record = NetworkRecord { as_of: as_of(), known: Known::default(), relays, sources: Vec::new(), rejects: Vec::new() };
        let report = NetworkReport::compute(&record);
        let operators = OperatorReport::compute(&record, &report);
        let groups = Groups::compute(&record, &report, &operators.directory);
        Self { record, report, operators, groups }
    }

    fn place(&self, contact: &str) -> usize {
        self.operators.directory.position(&OperatorId::of_contact(contact).unwrap()).unwrap()
    }

    fn advice(&self, contact: &str) -> Vec<Advice> {
        let Self { record, report, operators, groups } = self;
        let operator_idx = self.place(contact);
        let details = portfolio(record, report, &operators.list()[operator_idx].members);
        advice(&Advised { record, report, operators, groups, operator_idx }, &details)
    }

    fn achievements(&self, contact: &str) -> Option<Achievements> {
        let weight = |i: u32| self.record.relays[i as usize].relay.consensus_weight.unwrap_or(0);
        achievements(&self.report, &self.operators, self.place(contact), weight)
    }
}

/// Six relays of alice in Germany on one autonomous system, and five reliable ones of others on Iceland and in Chile each.
fn alice() -> Vec<RelayRecord> {
    let own = (0..6).map(|n| relay(n, "alice@a.example", "de", 1, 990));
    let on_iceland = (100..105).map(|n| relay(n, &format!("somebody {n}"), "is", 2, 1000));
    let in_chile = (200..205).map(|n| relay(n, &format!("somebody {n}"), "cl", 3, 995));
    let rest = (300..3_000).map(|n| relay(n, &format!("somebody {n}"), "de", 4, 900));
    own.chain(on_iceland).chain(in_chile).chain(rest).collect()
}

fn names(advice: &[Advice]) -> Vec<&'static str> {
    advice.iter().map(Advice::name).collect()
}

#[test]
fn somebody_without_trouble_is_told_of_diversity_only() {
    let network = Network::of(alice());
    let found = network.advice("alice@a.example");
    assert_eq!(names(&found), ["spread", "expand"]);
    assert!(found.iter().all(|advice| advice.priority() == Priority::Strategic));
    // Six of one kind are as diverse as 1; with one of another kind 7² / (6² + 1).
    let Advice::Spread { asn, share, before, after } = &found[0] else { unreachable!() };
    assert_eq!((*asn, share.get(), *before), (Asn(1), 1.0, 1.0));
    assert!((after - 49.0 / 37.0).abs() < 1e-12);
}

#[test]
fn countries_are_suggested_by_what_they_do_for_the_network() {
    let network = Network::of(alice());
    let found = network.advice("alice@a.example");
    let Advice::Expand { expansions, weight, .. } = &found[1] else { unreachable!() };
    assert_eq!(*weight, 100.0);
    let advised: Vec<_> = expansions.iter().map(|expansion| (expansion.country.as_str(), expansion.provider)).collect();
    // As light as each other: the more reliable one first.
    assert_eq!(advised, [("is", Some(Asn(2))), ("cl", Some(Asn(3)))]);
    let (total, squares): (f64, f64) = (271_600.0, 270_600.0 * 270_600.0 + 2.0 * 500.0 * 500.0);
    assert!((expansions[0].before - total * total / squares).abs() < 1e-12);
    let with = (total + 100.0) * (total + 100.0) / (squares - 500.0 * 500.0 + 600.0 * 600.0);
    assert!((expansions[0].after - with).abs() < 1e-12);
    let used = BTreeSet::from(["is".parse().unwrap()]);
    let others = network.groups.expansions(Period::SixMonths, 100.0, &used, 3);
    assert_eq!(others.iter().map(|place| place.country.as_str()).collect::<Vec<_>>(), ["cl"]);
    assert!(network.groups.expansions(Period::SixMonths, 0.0, &used, 3).is_empty());
}

#[test]
fn what_is_wrong_comes_first_with_its_effect() {
    let mut relays = alice();
    relays[0].relay.running = false;
    relays[1].relay.recommended_version = Some(false);
    relays[2].relay.alleged_family = vec!["stranger".to_owned()];
    relays[5] = relay(5, "alice@a.example", "de", 1, 690);
    let found = Network::of(relays).advice("alice@a.example");
    assert_eq!(names(&found), ["bring_back", "look_after", "update", "name_back", "spread", "expand"]);
    let Advice::BringBack { relays, share_of_operator, .. } = &found[0] else { unreachable!() };
    assert_eq!((relays.as_slice(), share_of_operator.unwrap().get()), ([0].as_slice(), 1.0 / 6.0));
    let Advice::LookAfter { relay_idx, period, gain, .. } = &found[1] else { unreachable!() };
    assert_eq!((*relay_idx, *period), (5, Period::SixMonths));
    assert!((gain - 0.3 / 6.0).abs() < 1e-9, "0.3 less than its siblings, of six relays");
    let Advice::Update { relays, weight_share } = &found[2] else { unreachable!() };
    assert_eq!((relays.as_slice(), weight_share.unwrap().get()), ([1].as_slice(), 0.2));
}

#[test]
fn light_relays_are_told_together() {
    let mut relays = alice();
    relays[3].relay.consensus_weight = Some(9);
    let one = Network::of(relays.clone()).advice("alice@a.example");
    assert!(!names(&one).contains(&"combine"), "one alone cannot be put together");
    relays[4].relay.consensus_weight = Some(9);
    let two = Network::of(relays).advice("alice@a.example");
    let Some(Advice::Combine { relays, .. }) = two.last() else { unreachable!() };
    assert_eq!(relays, &[3, 4]);
}

#[test]
fn a_score_is_hours_up_over_hours_observed() {
    let mut relays = alice();
    relays[5] = relay(5, "alice@a.example", "de", 1, 690);
    let found = Network::of(relays).achievements("alice@a.example").unwrap();
    assert!((found.score.get() - 0.94).abs() < 1e-9);
    assert_eq!((found.grade, found.n_excellent, found.n_relays), (Grade::Fair, 5, 6));
    assert_eq!(found.best.unwrap().relay_idx, 0, "of equals the first");
    assert_eq!(found.benchmark, None, "nobody else has as many relays");
    assert_eq!(found.last_issue, Some(LastIssue::Days(0)), "partly down in every interval, the last one among them");
}

#[test]
fn peers_are_operators_of_the_same_size() {
    let found = Network::of(alice()).achievements("somebody 300").unwrap();
    let peers = found.benchmark.unwrap();
    assert_eq!((peers.class.from, peers.class.to, peers.n_operators), (1, 1, 2_710));
    assert_eq!(peers.quantiles.map(|share| (share.get() * 1000.0).round()), [900.0; 5]);
    let always = Network::of(alice()).achievements("somebody 100").unwrap();
    assert!(matches!(always.last_issue, Some(LastIssue::NoneIn(days)) if days > 180), "{:?}", always.last_issue);
    let mut young = alice();
    young[0].published.clear();
    young.truncate(1);
    assert_eq!(Network::of(young).achievements("alice@a.example"), None);
}
