//! Promises to readers of the simulated documents.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use allium_model::{ConsensusHour, DocumentKind, RelayFlag};
use allium_simulate::{Network, Options, onionoo};
use serde_json::Value;

fn options(seed: u64) -> Options {
    Options { n_relays: 150, history_days: 60, ..Options::new(seed, "2026-02-15T18:00:00Z".parse().unwrap()) }
}

fn text(network: &Network, kind: DocumentKind) -> String {
    let mut bytes = Vec::new();
    onionoo::document(network, kind, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn relays(network: &Network, kind: DocumentKind) -> Vec<Value> {
    let mut json: Value = serde_json::from_str(&text(network, kind)).unwrap();
    json["relays"].as_array_mut().unwrap().drain(..).collect()
}

#[test]
fn equal_seeds_give_equal_bytes_and_others_do_not() {
    let (one, same, other) = (Network::generate(&options(1)), Network::generate(&options(1)), Network::generate(&options(2)));
    for kind in DocumentKind::ALL {
        assert!(text(&one, kind) == text(&same, kind), "{kind}");
        assert!(text(&one, kind) != text(&other, kind), "{kind}");
    }
}

#[test]
fn advancing_is_generating_further() {
    let longer = options(3);
    let mut advanced = Network::generate(&Options { end: longer.end.plus(-48), history_days: 58, ..longer.clone() });
    (0..48).for_each(|_| advanced.advance());
    assert!(text(&advanced, DocumentKind::Uptime) == text(&Network::generate(&longer), DocumentKind::Uptime));
}

#[test]
fn directories_hold_one_file_per_document() {
    let dir = tempfile::tempdir().unwrap();
    let network = Network::generate(&Options { n_relays: 20, history_days: 3, ..options(1) });
    onionoo::write_dir(&network, dir.path()).unwrap();
    for kind in DocumentKind::ALL {
        assert_eq!(std::fs::read_to_string(dir.path().join(format!("{kind}.json"))).unwrap(), text(&network, kind));
    }
}

#[test]
fn the_envelope_is_written_line_by_line() {
    let text = text(&Network::generate(&options(1)), DocumentKind::Summary);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "{\"version\":\"8.0\",");
    assert_eq!(lines[2..4], ["\"relays_published\":\"2026-02-15 18:00:00\",", "\"relays\":["]);
    assert!(lines[4].starts_with("{\"n\":\"") && lines[4].ends_with("},"));
    assert_eq!(lines[lines.len() - 4..], ["],", "\"bridges_published\":\"2026-02-15 17:41:52\",", "\"bridges\":[", "]}"]);
}

#[test]
fn details_agree_with_the_exact_history() {
    let network = Network::generate(&options(4));
    let details = relays(&network, DocumentKind::Details);
    let running: BTreeSet<String> = network.running().map(|relay| relay.fingerprint.to_string()).collect();
    let listed_running =
        details.iter().filter(|relay| relay["running"] == true).map(|relay| relay["fingerprint"].as_str().unwrap().to_owned());
    assert_eq!(listed_running.collect::<BTreeSet<_>>(), running);
    for relay in network.running() {
        let flags: Vec<&str> = relay.flags_at(network.now()).unwrap().iter().map(RelayFlag::name).collect();
        let listed = details.iter().find(|details| details["fingerprint"] == relay.fingerprint.to_string()).unwrap();
        assert_eq!(listed["flags"], serde_json::json!(flags));
    }
}

#[test]
fn nothing_empty_or_null_is_written_and_probabilities_add_up() {
    let network = Network::generate(&options(5));
    let details = relays(&network, DocumentKind::Details);
    for (key, value) in details.iter().flat_map(|relay| relay.as_object().unwrap()) {
        assert!(!value.is_null() && value != "" && value.as_array().is_none_or(|list| !list.is_empty()), "{key}");
    }
    for key in ["consensus_weight_fraction", "guard_probability", "middle_probability", "exit_probability"] {
        let sum: f64 = details.iter().filter_map(|relay| relay[key].as_f64()).sum();
        assert!((sum - 1.0).abs() < 1e-4, "{key}: {sum}");
    }
}

#[test]
fn uptime_means_are_those_of_the_exact_hours() {
    let network = Network::generate(&options(6));
    for relay in relays(&network, DocumentKind::Uptime) {
        let exact = network.relays().find(|exact| exact.fingerprint.to_string() == relay["fingerprint"].as_str().unwrap()).unwrap();
        let Some(graph) = relay["uptime"].get("1_month") else { continue };
        let hour = |field: &str| allium_model::time::parse_tor_time(graph[field].as_str().unwrap()).unwrap();
        let (first, last) = (hour("first").as_second() - 7200, hour("last").as_second() + 7200);
        let values: Vec<f64> = graph["values"].as_array().unwrap().iter().filter_map(Value::as_f64).collect();
        let published = values.iter().sum::<f64>() / values.len() as f64 * graph["factor"].as_f64().unwrap();
        let hours: Vec<ConsensusHour> = ((first / 3600) as i32..(last / 3600) as i32).map(ConsensusHour::new).collect();
        let up = hours.iter().filter(|hour| exact.flags_at(**hour).is_some()).count() as f64 / hours.len() as f64;
        // The first bin may cover less than four hours, or more.
        assert!((published - up).abs() < 0.002 + 1.5 / values.len() as f64, "{published} {up} {relay}");
    }
}

#[test]
fn histories_of_absent_relays_end_at_their_last_appearance() {
    let network = Network::generate(&options(7));
    let details = relays(&network, DocumentKind::Details);
    let uptime = relays(&network, DocumentKind::Uptime);
    let mut n_frozen = 0;
    for (details, uptime) in details.iter().zip(&uptime).filter(|(details, _)| details["running"] == false) {
        assert_eq!(details["fingerprint"], uptime["fingerprint"]);
        if let Some(graph) = uptime["uptime"].get("1_month") {
            n_frozen += 1;
            assert!(graph["last"].as_str().unwrap() <= details["last_seen"].as_str().unwrap());
            assert!(details.get("guard_probability").is_none());
        }
    }
    assert!(n_frozen > 0);
}

#[test]
fn young_relays_have_only_the_graphs_that_they_are_old_enough_for() {
    let network = Network::generate(&options(8));
    for (details, uptime) in relays(&network, DocumentKind::Details).iter().zip(relays(&network, DocumentKind::Uptime)) {
        if details["first_seen"].as_str().unwrap() > "2026-01-16 00:00:00" {
            assert!(uptime["uptime"].get("6_months").is_none(), "{uptime}");
        }
    }
}

#[test]
fn nobody_real_is_in_it() {
    let network = Network::generate(&options(9));
    for relay in relays(&network, DocumentKind::Details) {
        for address in relay["or_addresses"].as_array().unwrap() {
            let address = address.as_str().unwrap();
            assert!(address.starts_with("10.") || address.starts_with("[2001:db8:"), "{address}");
        }
        if let Some(asn) = relay["as"].as_str() {
            let number: u32 = asn[2..].parse().unwrap();
            assert!((64_512..=65_534).contains(&number) || number >= 4_200_000_000, "{asn}");
        }
    }
}

#[test]
fn every_network_has_hostile_specimens() {
    let network = Network::generate(&options(10));
    let text = text(&network, DocumentKind::Details);
    for specimen in ["<b>bold</b>", "=cmd|", "\u{202e}", "🧅", "\\u0000", "DROP TABLE"] {
        assert!(text.contains(specimen), "{specimen}");
    }
}

#[test]
fn the_population_keeps_its_size() {
    let mut network = Network::generate(&Options { n_relays: 400, history_days: 30, ..options(11) });
    for _ in 0..10 {
        (0..24 * 10).for_each(|_| network.advance());
        let n = network.running().count();
        assert!((340..460).contains(&n), "{n}");
    }
}
