//! Effects of events on a network, and the ground truth about them.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use allium_model::{ConsensusHour, DocumentKind, Fingerprint, RelayFlag};
use allium_simulate::scenario::{AuthorityFault, Event, Grouping, Scope, What, Which, Whom};
use allium_simulate::truth::{Truth, write_file};
use allium_simulate::{Network, Options, Scenario, SimulatedRelay, onionoo};
use proptest::prelude::*;
use serde_json::Value;

fn hour(text: &str) -> ConsensusHour {
    format!("{text}:00:00Z").parse().unwrap()
}

/// A network of 300 relays from 2026-01-26 18:00 to 2026-02-15 18:00.
fn network(events: &str) -> Network {
    let scenario: Scenario = events.parse().unwrap();
    Network::generate(&Options { n_relays: 300, history_days: 20, scenario, ..Options::new(3, hour("2026-02-15T18")) })
}

fn truth(network: &Network) -> Truth {
    let mut truths = network.truth();
    assert_eq!(truths.len(), 1);
    truths.remove(0)
}

/// The relays that an event concerned.
fn concerned<'a>(network: &'a Network, truth: &Truth) -> Vec<SimulatedRelay<'a>> {
    let fingerprints: BTreeSet<Fingerprint> = truth.fingerprints.iter().map(|text| text.parse().unwrap()).collect();
    let relays: Vec<_> = network.relays().filter(|relay| fingerprints.contains(&relay.fingerprint)).collect();
    assert_eq!((relays.len(), truth.fingerprints.len()), (truth.n, truth.n));
    relays
}

fn n_listed(relays: &[SimulatedRelay<'_>], hour: ConsensusHour) -> usize {
    relays.iter().filter(|relay| relay.flags_at(hour).is_some()).count()
}

fn uptime_values(network: &Network, fingerprint: Fingerprint) -> (String, Vec<Option<u64>>) {
    let mut bytes = Vec::new();
    onionoo::document(network, DocumentKind::Uptime, &mut bytes).unwrap();
    let json: Value = serde_json::from_slice(&bytes).unwrap();
    let relay = json["relays"].as_array().unwrap().iter().find(|relay| relay["fingerprint"] == fingerprint.to_string()).unwrap();
    let graph = &relay["uptime"]["1_month"];
    (graph["first"].as_str().unwrap().to_owned(), graph["values"].as_array().unwrap().iter().map(Value::as_u64).collect())
}

#[test]
fn events_are_read_and_written() {
    for (line, written) in [
        ("outage as AS64512 at 2026-01-01T00:00:00Z for 12h", ""),
        ("outage as as64512 at 2026-01-01T00:00:00Z for 1d", "outage as AS64512 at 2026-01-01T00:00:00Z for 24h"),
        (
            "outage country DE for 1w recovery 3h at 2026-01-01T00:00:00Z back 0% onset 2h share 50%",
            "outage country de at 2026-01-01T00:00:00Z for 168h share 50% onset 2h recovery 3h back 0%",
        ),
        ("outage operator rank 2 at 2026-01-01T00:00:00Z for 1h", ""),
        ("outage version 0.4.8 at 2026-01-01T00:00:00Z for 1h", ""),
        ("outage all at 2026-01-01T00:00:00Z for 1h", ""),
        ("flap random 5 at 2026-01-01T00:00:00Z for 1h", "flap random 5 at 2026-01-01T00:00:00Z for 1h every 2h"),
        ("lose HSDir random 5 at 2026-01-01T00:00:00Z for 1h", ""),
        ("flood 500 as AS64600 at 2026-01-01T00:00:00Z for 10h onset 3h recovery 2h", ""),
        ("missing at 2026-01-01T00:00:00Z for 3h", ""),
        ("stale at 2026-01-01T00:00:00Z for 3h", ""),
        ("late at 2026-01-01T00:00:00Z for 3h by 2h", ""),
        ("authorities 5 unsigned at 2026-01-01T00:00:00Z for 3h", ""),
    ] {
        let event: Event = line.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
        let expected = if written.is_empty() { line } else { written };
        assert_eq!(event.to_string(), expected);
        assert_eq!(event.to_string().parse::<Event>().unwrap(), event);
    }
}

#[test]
fn what_is_no_event_is_refused_with_the_reason() {
    for (line, reason) in [
        ("", "expected outage, flap, lose, flood, missing, stale, late or authorities, found the end"),
        ("outtage all", "found \"outtage\""),
        ("outage", "expected as, country, operator, version, random or all, found the end"),
        ("outage as", "expected which one, or rank and a number, found the end"),
        ("outage as Hetzner at 2026-01-01T00:00:00Z for 1h", "expected an AS number such as AS64512, found \"Hetzner\""),
        ("outage country deu at 2026-01-01T00:00:00Z for 1h", "expected a country code of two letters"),
        ("outage random 0 at 2026-01-01T00:00:00Z for 1h", "expected how many relays, 1 to 1000000, found \"0\""),
        ("outage all for 1h", "when? expected at"),
        ("outage all at 2026-01-01T00:30:00Z for 1h", "expected a whole hour"),
        ("outage all at 2026-01-01T00:00:00Z", "for how long?"),
        ("outage all at 2026-01-01T00:00:00Z for 90m", "for: expected 12h, 3d or 1w, found \"90m\""),
        ("outage all at 2026-01-01T00:00:00Z for é", "for: expected 12h"),
        ("outage all at 2026-01-01T00:00:00Z for 1h for 2h", "for is given twice"),
        ("outage all at 2026-01-01T00:00:00Z for 1h every 2h", "\"every\" means nothing here"),
        ("outage all at 2026-01-01T00:00:00Z for 1h share 0%", "share: expected 1% to 100%, found \"0%\""),
        ("flap all at 2026-01-01T00:00:00Z for 9h every 1h", "every 2h or more"),
        ("lose Running all at 2026-01-01T00:00:00Z for 1h", "that is an outage"),
        ("lose Gard all at 2026-01-01T00:00:00Z for 1h", "expected a flag such as Guard, found \"Gard\""),
        ("late at 2026-01-01T00:00:00Z for 1h", "how late?"),
        ("authorities 10 silent at 2026-01-01T00:00:00Z for 1h", "1 to 9, found \"10\""),
        ("authorities 3 asleep at 2026-01-01T00:00:00Z for 1h", "expected silent, unsigned or garbled, found \"asleep\""),
    ] {
        let error = line.parse::<Event>().unwrap_err().to_string();
        assert!(error.contains(reason), "{line}: {error}");
    }
    let error = "# a comment\n\nmissing at 2026-01-01T00:00:00Z for 3h\nmissing".parse::<Scenario>().unwrap_err();
    assert!(error.to_string().starts_with("line 4: when?"), "{error}");
}

#[test]
fn outages_take_out_who_the_truth_names_and_nobody_else_notices() {
    let quiet = network("");
    for (whom, scope) in [
        ("as rank 1", "AS"),
        ("as rank 3", "AS"),
        ("country de", "country"),
        ("operator rank 1", "operator"),
        ("version rank 2", "version"),
        ("version 0.4", "version"),
        ("random 25", "random"),
        ("all", "network"),
    ] {
        let network = network(&format!("outage {whom} at 2026-02-03T09:00:00Z for 5h"));
        let truth = truth(&network);
        assert_eq!((truth.kind, truth.scope), ("outage", scope));
        assert_eq!((truth.start.as_str(), truth.end.as_str()), ("2026-02-03T09:00:00Z", "2026-02-03T14:00:00Z"));
        let relays = concerned(&network, &truth);
        assert!(relays.len() >= 5, "{whom}: {}", relays.len());
        assert_eq!(n_listed(&relays, hour("2026-02-03T08")), relays.len(), "{whom}");
        for h in 9..14 {
            assert_eq!(n_listed(&relays, hour("2026-02-03T00").plus(h)), 0, "{whom} at {h}");
        }
        assert!(n_listed(&relays, hour("2026-02-03T14")) * 10 >= relays.len() * 9, "{whom}");
        let all = network.relays().collect::<Vec<_>>();
        assert_eq!(all.len(), quiet.relays().len(), "{whom}");
        for (with, without) in all.iter().zip(quiet.relays()) {
            assert_eq!((with.fingerprint, with.asn, with.first_seen), (without.fingerprint, without.asn, without.first_seen));
            let struck = truth.fingerprints.contains(&with.fingerprint.to_string());
            for h in 0..24 {
                let hour = hour("2026-02-03T00").plus(h);
                let away = struck && (9..14).contains(&h);
                assert_eq!(with.flags_at(hour).is_some(), without.flags_at(hour).is_some() && !away, "{whom} {hour}");
            }
        }
    }
}

#[test]
fn the_key_of_a_group_is_the_one_that_documents_show() {
    let network = network("outage as rank 1 at 2026-02-03T09:00:00Z for 5h");
    let truth = truth(&network);
    for relay in concerned(&network, &truth) {
        assert_eq!(relay.asn.to_string(), truth.key);
    }
    assert_eq!(truth.n_in_scope, truth.n);
}

#[test]
fn onset_and_recovery_are_gradual_and_may_be_partial() {
    let network = network("outage random 40 at 2026-02-03T00:00:00Z for 12h onset 8h recovery 10h back 50%");
    let truth = truth(&network);
    assert_eq!(truth.end, "2026-02-03T21:00:00Z");
    let relays = concerned(&network, &truth);
    let listed: Vec<usize> = (-1..30).map(|h| n_listed(&relays, hour("2026-02-03T00").plus(h))).collect();
    let near = |h: usize, expected: usize| assert!(listed[h + 1].abs_diff(expected) <= 2, "{h}: {listed:?}");
    assert_eq!(listed[0], 40);
    near(0, 35);
    near(4, 15);
    near(8, 0);
    near(11, 0);
    near(16, 10);
    near(22, 20);
    assert!(listed[1..13].is_sorted_by(|a, b| a >= b), "{listed:?}");
    assert!(n_listed(&relays, network.now()) <= 20);
}

#[test]
fn flapping_relays_come_and_go_together() {
    let network = network("flap random 30 at 2026-02-03T00:00:00Z for 12h every 4h");
    let relays = concerned(&network, &truth(&network));
    for h in 0..12 {
        let n = n_listed(&relays, hour("2026-02-03T00").plus(h));
        assert!(if h % 4 < 2 { n == 0 } else { n >= 27 }, "{h}: {n}");
    }
}

#[test]
fn a_lost_flag_is_gone_while_the_relay_runs() {
    let network = network("lose Fast random 60 at 2026-02-03T00:00:00Z for 6h share 50%");
    let truth = truth(&network);
    assert_eq!((truth.kind, truth.flag, truth.n, truth.n_in_scope > 250), ("flag_loss", Some("Fast"), 30, true));
    let relays = concerned(&network, &truth);
    let with_flag = |h: i32| {
        let flags = relays.iter().filter_map(|relay| relay.flags_at(hour("2026-02-03T00").plus(h)));
        flags.filter(|flags| flags.contains(RelayFlag::Fast)).count()
    };
    assert!(with_flag(-1) > 20);
    assert!((0..6).all(|h| with_flag(h) == 0 && n_listed(&relays, hour("2026-02-03T00").plus(h)) >= 28));
    assert!(with_flag(6) > 20);
}

#[test]
fn floods_join_and_are_purged() {
    let quiet = network("");
    for (events, key) in [
        ("flood 120 at 2026-02-03T00:00:00Z for 10h onset 4h recovery 2h", "*"),
        ("flood 120 as AS64515 at 2026-02-03T00:00:00Z for 10h onset 4h recovery 2h", "AS64515"),
    ] {
        let network = network(events);
        let truth = truth(&network);
        assert_eq!((truth.kind, truth.n, truth.key.as_str(), truth.end.as_str()), ("join", 120, key, "2026-02-03T11:00:00Z"));
        let relays = concerned(&network, &truth);
        assert_eq!(n_listed(&relays, hour("2026-02-02T23")), 0);
        assert!((25..=30).contains(&n_listed(&relays, hour("2026-02-03T00"))));
        assert!(n_listed(&relays, hour("2026-02-03T05")) > 100);
        assert_eq!(n_listed(&relays, hour("2026-02-03T12")), 0);
        assert!(relays.iter().all(|relay| key == "*" || relay.asn.to_string() == key));
        let fingerprints = |network: &Network| network.relays().map(|relay| relay.fingerprint).collect::<BTreeSet<_>>();
        assert!(fingerprints(&network).is_superset(&fingerprints(&quiet)));
        assert_eq!(network.relays().len(), quiet.relays().len() + 120);
    }
}

#[test]
fn whom_nobody_fits_nothing_happens_to() {
    for events in [
        "outage as AS1 at 2026-02-03T00:00:00Z for 1h",
        "outage country rank 400 at 2026-02-03T00:00:00Z for 1h",
        "flood 5 as AS1 at 2026-02-03T00:00:00Z for 1h",
    ] {
        assert_eq!(truth(&network(events)).n, 0, "{events}");
    }
    assert!(network("outage all at 2026-03-03T00:00:00Z for 1h").truth().is_empty());
}

#[test]
fn missing_hours_are_unknown_not_down() {
    let network = network("missing at 2026-02-03T00:00:00Z for 8h\nauthorities 5 silent at 2026-02-04T00:00:00Z for 4h");
    assert_eq!(network.known().iter().map(|(start, end)| end.hours_since(*start)).sum::<i32>(), 20 * 24 + 1 - 12);
    for (hour, known) in [("2026-02-02T23", true), ("2026-02-03T00", false), ("2026-02-03T07", false), ("2026-02-04T03", false)] {
        assert_eq!(network.is_known(self::hour(hour)), known, "{hour}");
    }
    assert_eq!(network.newest_at(hour("2026-02-03T05")), Some(hour("2026-02-02T23")));
    let quiet = self::network("");
    // A relay that is always there.
    let steady = quiet
        .relays()
        .find(|relay| {
            relay.first_seen < hour("2026-01-01T00") && relay.spans.iter().map(|s| s.end.hours_since(s.start)).sum::<i32>() == 481
        })
        .unwrap();
    let (first, values) = uptime_values(&network, steady.fingerprint);
    assert_eq!(first, "2026-01-26 18:00:00");
    let unknown: Vec<usize> = (0..values.len()).filter(|i| values[*i].is_none()).collect();
    assert_eq!(unknown, [44, 45, 50], "bins of 02-03 00:00, 04:00 and 02-04 00:00");
    assert!(values.iter().flatten().all(|value| *value == 999));
    assert!(uptime_values(&quiet, steady.fingerprint).1.iter().all(Option::is_some));
}

#[test]
fn stale_and_late_consensuses_appear_later_and_are_known_then() {
    for (events, shown, known_afterwards) in [
        ("stale at 2026-02-15T10:00:00Z for 20h", "2026-02-15T09", "2026-02-16T06"),
        ("late at 2026-02-15T10:00:00Z for 20h by 3h", "2026-02-15T15", "2026-02-16T09"),
    ] {
        let mut network = network(events);
        assert_eq!(network.newest(), Some(hour(shown)), "{events}");
        assert_eq!(network.now(), hour("2026-02-15T18"));
        let mut bytes = Vec::new();
        onionoo::document(&network, DocumentKind::Details, &mut bytes).unwrap();
        let json: Value = serde_json::from_slice(&bytes).unwrap();
        let published = format!("{}:00:00", shown.replace('T', " "));
        assert_eq!(json["relays_published"], published);
        assert!(json["relays"].as_array().unwrap().iter().all(|relay| relay["last_seen"].as_str() <= Some(&published)));
        assert!(network.running().count() > 250);
        while network.now() < hour(known_afterwards) {
            network.advance();
        }
        assert_eq!(network.known(), [(network.first_consensus(), network.now().next())], "{events}");
        let mut prompt = self::network("");
        while prompt.now() < network.now() {
            prompt.advance();
        }
        assert!(network.relays().zip(prompt.relays()).all(|(late, prompt)| late == prompt), "{events}");
    }
}

#[test]
fn a_scenario_is_the_same_each_time_and_as_it_advances() {
    let events = "outage random 20 at 2026-02-14T00:00:00Z for 30h onset 3h recovery 40h\nflood 30 at 2026-02-15T00:00:00Z for 40h\n\
                  lose Guard all at 2026-02-15T15:00:00Z for 9h\nlate at 2026-02-15T02:00:00Z for 5h by 2h";
    let (mut advanced, again) = (network(events), network(events));
    assert_eq!(advanced.truth(), again.truth());
    let longer = Options { n_relays: 300, history_days: 22, scenario: events.parse().unwrap(), ..Options::new(3, hour("2026-02-17T18")) };
    (0..48).for_each(|_| advanced.advance());
    let longer = Network::generate(&longer);
    assert_eq!(advanced.truth(), longer.truth());
    assert!(advanced.relays().zip(longer.relays()).all(|(a, b)| a == b));
}

#[test]
fn truth_is_one_object_per_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("truth.jsonl");
    let network = network("outage country rank 1 at 2026-02-03T09:00:00Z for 5h\nauthorities 2 garbled at 2026-02-04T00:00:00Z for 3h");
    write_file(&network, &path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(
        (&lines[0]["kind"], &lines[0]["scope"], &lines[0]["start"]),
        (&"outage".into(), &"country".into(), &"2026-02-03T09:00:00Z".into())
    );
    assert_eq!(lines[0]["n"], lines[0]["fingerprints"].as_array().unwrap().len());
    assert_eq!((&lines[1]["kind"], &lines[1]["n"]), (&"authorities".into(), &2.into()));
}

fn whom() -> impl Strategy<Value = Whom> {
    let which = |key: &'static str| prop_oneof![key.prop_map(Which::Key), (1u32..99).prop_map(Which::Rank)];
    let scope = prop_oneof![
        Just(Scope::All),
        (1u32..1000).prop_map(Scope::Random),
        which("AS[1-9][0-9]{0,6}").prop_map(|which| Scope::Group(Grouping::As, which)),
        which("[a-z]{2}").prop_map(|which| Scope::Group(Grouping::Country, which)),
        which("[a-z]{6,9}\\.example").prop_map(|which| Scope::Group(Grouping::Operator, which)),
        which("0\\.4\\.[1-9]").prop_map(|which| Scope::Group(Grouping::Version, which)),
    ];
    (scope, 1u8..=100).prop_map(|(scope, share_percent)| Whom { scope, share_percent })
}

fn what() -> impl Strategy<Value = What> {
    let asn = proptest::option::of("AS[1-9][0-9]{0,6}");
    prop_oneof![
        (whom(), 0u32..90, 0u32..90, 0u8..=100).prop_map(|(whom, onset_hours, recovery_hours, back_percent)| What::Outage {
            whom,
            onset_hours,
            recovery_hours,
            back_percent
        }),
        (whom(), 2u32..90).prop_map(|(whom, every_hours)| What::Flap { whom, every_hours }),
        whom().prop_map(|whom| What::FlagLoss { flag: RelayFlag::Guard, whom }),
        (1u32..9999, asn, 0u32..90, 0u32..90).prop_map(|(n_relays, asn, onset_hours, recovery_hours)| What::Flood {
            n_relays,
            asn,
            onset_hours,
            recovery_hours
        }),
        Just(What::Missing),
        Just(What::Stale),
        (1u32..90).prop_map(|by_hours| What::Late { by_hours }),
        (1u8..=9).prop_map(|n| What::Authorities { n, fault: AuthorityFault::Unsigned }),
    ]
}

proptest! {
    #[test]
    fn every_event_survives_its_text(what in what(), hours in 1u32..9999, start in 0i32..900_000) {
        let event = Event { what, start: ConsensusHour::new(start), hours };
        prop_assert_eq!(event.to_string().parse::<Event>(), Ok(event));
    }

    #[test]
    fn no_text_is_too_strange(text in "((outage|flap|lose|flood|as|at|for|rank|random|share|late|by|5|1h|é|99999999999w) ?){0,9}.{0,9}") {
        let _ = text.parse::<Scenario>();
    }
}
