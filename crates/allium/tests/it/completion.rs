//! What one source leaves out, another states: relays of consensuses alone, weights without shares, keys that follow each other.
#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use std::path::Path;

use allium_testkit::spans_file::{Form, spans_as_parquet};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::consensus::{Entry, write_entries};
use crate::support::running::Running;
use crate::support::{run, serve};

const BANDWIDTH_WEIGHTS: &str = "Wgg=6000 Wgd=0 Wmg=4000 Wmm=10000 Wme=0 Wmd=0 Wee=10000 Wed=10000";

fn fingerprint(n: u8) -> String {
    format!("{n:040X}")
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// A folder with room for documents and a store.
fn folder() -> (TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let store = text(&dir.path().join("tor.db"));
    (dir, store)
}

fn relay(server: &Running, n: u8) -> Value {
    server.get(&format!("/api/v1/relays/{}", fingerprint(n)))
}

fn near(found: &Value, expected: f64) {
    let found = found.as_f64().unwrap_or_else(|| panic!("{found} is no number"));
    assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
}

fn consensus(dir: &Path, (day, hour): (u8, u8), entries: &[Entry]) -> String {
    let folder = dir.join(format!("{day}-{hour}"));
    std::fs::create_dir(&folder).unwrap();
    write_entries(&folder, (day, hour), entries, BANDWIDTH_WEIGHTS);
    text(&folder)
}

/// A guard, an exit without enough measurements, and a middle relay without weight.
fn three() -> [Entry; 3] {
    let lines = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let entry = |n: u8, nickname: &str, given: &[&str]| Entry { n, nickname: nickname.to_owned(), lines: lines(given) };
    [
        entry(
            1,
            "harbour",
            &["a [2001:db8::1]:9002", "s Fast Guard Running Valid", "v Tor 0.4.9.1-alpha", "w Bandwidth=300", "p reject 1-65535"],
        ),
        entry(2, "gate", &["s Exit Fast Running Valid", "v Tor 0.4.8.21", "w Bandwidth=100 Unmeasured=1", "p accept 80,443"]),
        entry(3, "Unnamed", &["s Running Valid"]),
    ]
}

#[test]
fn a_relay_that_only_consensuses_know_has_what_they_state() {
    let (dir, store) = folder();
    run(&["import", "collector", &consensus(dir.path(), (10, 0), &three()), "--store", &store]);
    run(&["store", "check", "--store", &store]);
    let server = serve(&store);
    let (harbour, gate, third) = (relay(&server, 1), relay(&server, 2), relay(&server, 3));
    assert_eq!((&harbour["nickname"], &harbour["consensus_weight"], &harbour["measured"]), (&"harbour".into(), &300.into(), &true.into()));
    assert_eq!(harbour["or_addresses"], json!(["198.51.100.1:9001", "[2001:db8::1]:9002"]));
    assert_eq!((&gate["measured"], &gate["exit_policy_summary"]), (&false.into(), &json!({ "accept": ["80", "443"] })));
    near(&harbour["consensus_weight_fraction"], 0.75);
    // As a guard only the first can be chosen; as a middle it counts 300 · 0.4 and nobody else does.
    near(&harbour["guard_probability"], 1.0);
    near(&harbour["middle_probability"], 1.0);
    near(&gate["exit_probability"], 1.0);
    assert_eq!(
        (&third["consensus_weight"], &third["consensus_weight_fraction"], &third["measured"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(server.get("/api/v1/network")["consensus_weight"], 400);
    let found = |words: &str| server.get(&format!("/api/v1/relays?q={words}"))["relays"].as_array().map_or(0, Vec::len);
    assert_eq!((found("harbour"), found("198.51.100.2"), found("2001:db8::1")), (1, 1, 1));
    assert!(server.text(&format!("/relay/{}", fingerprint(1))).contains("harbour"));
}

#[test]
fn weights_of_which_nothing_is_known_are_unknown_and_not_0() {
    let (dir, store) = folder();
    let bare = |n: u8| Entry { lines: "s Fast Running Valid\n".to_owned(), ..Entry::new(n, 0) };
    run(&["import", "collector", &consensus(dir.path(), (10, 0), &[bare(1), bare(2)]), "--store", &store]);
    let server = serve(&store);
    let network = server.get("/api/v1/network");
    assert_eq!((&network["consensus_weight"], &network["advertised_bandwidth_bytes_per_sec"]), (&Value::Null, &Value::Null), "{network}");
    let census = server.get("/api/v1/census");
    assert_eq!(census["advertised_bandwidth_bytes_per_sec"], Value::Null, "{census}");
    let flags = server.get("/api/v1/flags");
    assert_eq!(flags["rows"][0]["consensus_weight"], Value::Null, "{flags}");
    assert_eq!(flags["rows"][0]["bandwidth_bytes_per_sec"], Value::Null, "{flags}");
    let top = server.text("/top");
    assert!(top.contains("an unknown share of the consensus weight") && !top.contains("0.0\u{a0}%"), "{top}");
    assert!(!server.text("/metrics").contains("allium_advertised_bandwidth_bytes_per_second"));
}

/// A details document of an hour of 10 March 2026 with these relays.
fn details(dir: &Path, hour: u8, relays: &[Value]) -> String {
    let folder = dir.join(format!("details-{hour}"));
    std::fs::create_dir(&folder).unwrap();
    let at = format!("2026-03-10 {hour:02}:00:00");
    let listed: Vec<Value> = relays
        .iter()
        .cloned()
        .map(|mut relay| {
            relay["last_seen"] = at.clone().into();
            relay["first_seen"] = "2024-01-01 00:00:00".into();
            relay["running"] = true.into();
            relay
        })
        .collect();
    let document = json!({ "version": "8.0", "relays_published": at, "relays": listed, "bridges_published": at, "bridges": [] });
    std::fs::write(folder.join("details.json"), document.to_string()).unwrap();
    text(&folder)
}

#[test]
fn shares_follow_from_weights_where_a_document_has_no_shares() {
    let (dir, store) = folder();
    let relays: Vec<Value> = [(1, 400), (2, 300), (3, 200), (4, 100)]
        .map(|(n, weight)| {
            json!({ "nickname": format!("r{n}"), "fingerprint": fingerprint(n), "flags": ["Running", "Valid"], "consensus_weight": weight,
                    "contact": format!("op{n}@example.org") })
        })
        .into();
    run(&["import", "onionoo", &details(dir.path(), 12, &relays), "--store", &store]);
    let server = serve(&store);
    let shares = |path: &str, list: &str, field: &str| -> Vec<f64> {
        let found = server.get(path);
        let shares = found[list].as_array().unwrap_or_else(|| panic!("{found}")).iter().map(|row| row[field].as_f64().unwrap_or(-1.0));
        shares.map(|share| (share * 1e9).round() / 1e9).collect()
    };
    let expected = [0.4, 0.3, 0.2, 0.1];
    assert_eq!(shares("/api/v1/top", "rows", "weight_share"), expected);
    assert_eq!(shares("/api/v1/operators", "rows", "weight_share"), expected);
    assert_eq!(shares("/api/v1/relays?sort=-weight", "relays", "consensus_weight_fraction"), expected);
    assert!(server.text(&format!("/relay/{}", fingerprint(1))).contains("40.0000\u{a0}%"));
    // No source has bandwidth weights, so that nobody can know these.
    assert_eq!(relay(&server, 1)["guard_probability"], Value::Null);
}

#[test]
fn a_later_consensus_moves_weight_and_address_on_and_leaves_what_it_does_not_state() {
    let (dir, store) = folder();
    let listed = json!({ "nickname": "harbour", "fingerprint": fingerprint(1), "or_addresses": ["192.0.2.9:443"], "consensus_weight": 5,
        "consensus_weight_fraction": 0.25, "contact": "op@example.org", "flags": ["Fast", "Guard", "Running", "Valid"], "measured": false });
    run(&["import", "onionoo", &details(dir.path(), 12, &[listed]), "--store", &store]);
    let moved = consensus(dir.path(), (10, 13), &three());
    run(&["import", "collector", &moved, "--store", &store]);
    let server = serve(&store);
    let harbour = relay(&server, 1);
    assert_eq!(
        (&harbour["consensus_weight"], &harbour["measured"], &harbour["contact"]),
        (&300.into(), &true.into(), &"op@example.org".into())
    );
    assert_eq!(harbour["or_addresses"], json!(["198.51.100.1:9001", "[2001:db8::1]:9002"]));
    near(&harbour["consensus_weight_fraction"], 0.75);
    drop(server);
    // An older consensus that comes late takes nothing back.
    let older = Entry { nickname: "oldname".to_owned(), ..Entry::new(1, 7) };
    run(&["import", "collector", &consensus(dir.path(), (10, 3), &[older]), "--store", &store]);
    let server = serve(&store);
    let still = relay(&server, 1);
    assert_eq!(
        (&still["nickname"], &still["consensus_weight"], &still["or_addresses"]),
        (&"harbour".into(), &300.into(), &harbour["or_addresses"])
    );
}

/// Hours for which each key of the relay on a dynamic address is listed, less the one between two keys.
const DAY: usize = 24;
const KEYS: usize = 8;

/// Serves a pack of eight days in which a relay at home changes its key each day, beside one with a namesake, and one that stays away.
fn keys() -> (TempDir, Running) {
    let (dir, store) = folder();
    let n = DAY * KEYS;
    let mut spans = vec!["fingerprint,first_snapshot,end_snapshot,guard,exit".to_owned()];
    let mut relays = vec!["fingerprint,nickname,ipv4,as,as_name,country,contact,family".to_owned()];
    let mut add = |number: usize, (from, to): (usize, usize), nickname: &str, contact: &str| {
        spans.push(format!("{number:040X},{from},{to},false,false"));
        relays.push(format!("{number:040X},{nickname},198.51.100.{number},AS64500,Example Net,de,{contact},"));
    };
    for key in 0..KEYS {
        let from = if key == 0 { 0 } else { key * DAY };
        add(1 + key, (from, (key + 1) * DAY - usize::from(key + 1 < KEYS)), "homebox", "home@dyn.example");
    }
    // Two namesakes at once, then one of them is followed by a third: nobody can say by which.
    for (number, span) in [(51, (0, n)), (52, (0, n - 30)), (53, (n - 29, n))] {
        add(number, span, "farm", "farm@example.org");
    }
    // No name of their own, and no contact.
    for (number, span, nickname, contact) in [
        (61, (0, n - 30), "Unnamed", "many@example.org"),
        (62, (n - 29, n), "Unnamed", "many@example.org"),
        (71, (0, n - 30), "solo", ""),
        (72, (n - 29, n), "solo", ""),
        (81, (0, n - 30), "late", "late@example.org"),
        (82, (n - 20, n), "late", "late@example.org"),
    ] {
        add(number, span, nickname, contact);
    }
    let file = |name: &str| text(&dir.path().join(name));
    let running = |at: usize| if at == 0 { 12 } else { 11 };
    let lists = (0..n).map(|at| {
        let (day, hour) = (1 + at / 24, at % 24);
        format!("{at},2026-02-{day:02}T{hour:02}:15:00Z,{},0,0", running(at))
    });
    let snapshots: Vec<String> = std::iter::once("snapshot,fetched_at,running,guard,exit".to_owned()).chain(lists).collect();
    std::fs::write(file("snapshots.csv"), snapshots.join("\n") + "\n").unwrap();
    std::fs::write(file("relays.csv"), relays.join("\n") + "\n").unwrap();
    std::fs::write(file("spans.parquet"), spans_as_parquet(&(spans.join("\n") + "\n"), Form::default())).unwrap();
    let [snapshots, spans, relays] = ["snapshots.csv", "spans.parquet", "relays.csv"].map(file);
    run(&["import", "presence", "--snapshots", &snapshots, "--spans", &spans, "--relays", &relays, "--store", &store]);
    let server = serve(&store);
    (dir, server)
}

#[test]
fn keys_that_follow_each_other_are_one_relay_and_names_that_many_bear_are_not() {
    let (_dir, server) = keys();
    let operator = |contact: &str| {
        let list = server.get("/api/v1/operators");
        let row =
            list["rows"].as_array().unwrap().iter().find(|row| row["name"].as_str().is_some_and(|name| name.contains(contact))).cloned();
        let id = row.unwrap_or_else(|| panic!("{contact}: {list}"))["id"].as_str().unwrap().to_owned();
        (server.get(&format!("/api/v1/operators/{id}")), server.text(&format!("/operator/{id}")))
    };
    let advised = |operator: &Value| operator["advice"].as_array().unwrap().iter().any(|advice| advice["advice"] == "bring_back");
    let (home, page) = operator("home@dyn.example");
    assert_eq!((&home["n_relays"], &home["n_running"], &home["n_earlier_keys"]), (&1.into(), &1.into(), &7.into()), "{home}");
    assert!(!advised(&home) && home["offline"]["relays"] == json!([]) && !page.contains("Bring back"), "{home}");
    assert!(page.contains("7 earlier keys") && page.contains("All of its relays run."), "{page}");
    let first = relay(&server, 1);
    assert_eq!(first["followed_by"], fingerprint(2));
    assert!(server.text(&format!("/relay/{}", fingerprint(7))).contains("It changed its key"));
    for (contact, n_relays) in [("farm@example.org", 3), ("many@example.org", 2), ("late@example.org", 2)] {
        let (several, _) = operator(contact);
        assert_eq!((&several["n_relays"], &several["n_earlier_keys"]), (&n_relays.into(), &0.into()), "{several}");
        assert!(advised(&several), "{several}");
    }
    assert_eq!(relay(&server, 71)["followed_by"], Value::Null);
}
