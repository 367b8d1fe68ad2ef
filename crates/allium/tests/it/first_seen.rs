//! First appearances: what documents state, what our own record shows, and what is older than both.
#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::running::Running;
use crate::support::{consensus, run, serve};

const AS_OF: &str = "2026-03-10 12:00:00";

fn fingerprint(n: u8) -> String {
    format!("{n:040X}")
}

/// A running relay; `None` leaves its first appearance out of the document.
fn details(n: u8, first_seen: Option<&str>) -> Value {
    let mut relay = json!({
        "nickname": format!("relay{n}"), "fingerprint": fingerprint(n), "or_addresses": [format!("192.0.2.{n}:9001")],
        "last_seen": AS_OF, "running": true, "flags": ["Fast", "Running", "Valid"], "country": "de", "as": "AS64500",
        "contact": format!("operator{n}@example.org"), "consensus_weight": 10,
    });
    if let Some(first_seen) = first_seen {
        relay["first_seen"] = first_seen.into();
    }
    relay
}

/// Half a year of uptime in intervals of twelve hours, which ends with the document.
fn half_a_year(n: u8) -> Value {
    let graph = json!({
        "first": "2025-09-10 06:00:00", "last": "2026-03-10 06:00:00", "interval": 43_200, "factor": 0.001_001_001_001_001_001,
        "count": 363, "values": vec![999; 363],
    });
    json!({ "fingerprint": fingerprint(n), "uptime": { "6_months": graph } })
}

fn write(dir: &Path, name: &str, relays: &[Value]) {
    let document = json!({ "version": "8.0", "relays_published": AS_OF, "relays": relays, "bridges_published": AS_OF, "bridges": [] });
    std::fs::write(dir.join(name), document.to_string()).unwrap();
}

/// Serves a store with these documents.
fn served(relays: &[Value], uptime: &[Value]) -> (TempDir, Running) {
    let dir = tempfile::tempdir().unwrap();
    let documents = dir.path().join("documents");
    std::fs::create_dir(&documents).unwrap();
    write(&documents, "details.json", relays);
    if !uptime.is_empty() {
        write(&documents, "uptime.json", uptime);
    }
    let store = dir.path().join("tor.db").display().to_string();
    run(&["import", "onionoo", &documents.display().to_string(), "--store", &store]);
    let server = serve(&store);
    (dir, server)
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn a_time_that_stands_for_never_is_no_first_appearance() {
    let relays =
        [details(1, Some("1970-01-01 00:00:00")), details(2, Some("2025-01-01 00:00:00")), details(3, Some("2025-01-01 00:00:00"))];
    let (_dir, server) = served(&relays, &[]);
    let relay = server.get(&format!("/api/v1/relays/{}", fingerprint(1)));
    assert_eq!(relay["first_seen"], Value::Null, "{relay}");
    assert_eq!((&relay["first_seen_bound"], &relay["first_seen_source"]), (&"2026-03-10T12:00:00Z".into(), &"bound".into()));

    let census = server.get("/api/v1/census");
    assert_eq!((number(&census["mean_age_days"]), number(&census["median_age_days"])), (433.5, 433.5));
    assert_eq!((&census["n_age_known"], &census["n_new"]["1_days"]), (&2.into(), &0.into()));

    let text =
        ["/api/v1/first-seen", "/api/v1/relays.csv", "/countries/de", "/first-seen", "/relays"].map(|path| server.text(path)).concat();
    assert!(!text.contains("1970"), "{text}");
    let veterans = server.get("/api/v1/leaderboards/network_veterans");
    assert!(!veterans["rows"][0]["operator"].as_str().unwrap().contains("operator1"), "{veterans}");
}

#[test]
fn graphs_that_reach_back_make_a_relay_old_where_no_document_states_its_start() {
    let (_dir, server) = served(&[details(1, None), details(2, None)], &[half_a_year(1), half_a_year(2)]);
    let census = server.get("/api/v1/census");
    assert!(census["n_new"].as_object().unwrap().values().all(|n| *n == 0), "{census}");
    assert_eq!((&census["mean_age_days"], &census["median_age_days"]), (&Value::Null, &Value::Null));
    let relay = server.get(&format!("/api/v1/relays/{}", fingerprint(1)));
    assert_eq!((&relay["first_seen"], &relay["first_seen_bound"]), (&Value::Null, &"2025-09-10T11:00:00Z".into()));
    let page = server.text(&format!("/relay/{}", fingerprint(1)));
    assert!(!page.contains("known for 1"), "{page}");
    assert!(page.contains("by <time datetime=\"2025-09-10T11:00:00Z\"") && page.contains("at least"), "{page}");
    assert_eq!(server.get("/api/v1/first-seen")["rows"], json!([]), "no day has a first appearance");
    let veterans = server.get("/api/v1/leaderboards");
    let board = veterans["leaderboards"].as_array().unwrap().iter().find(|board| board["category"] == "network_veterans").unwrap();
    assert_eq!((&board["places"][0]["at_least"], &board["places"][0]["score"]), (&true.into(), &181.0.into()), "{board}");
    assert!(server.text("/leaderboards/network_veterans").contains("at least 181 days"));
}

#[test]
fn our_own_record_dates_whoever_joins_after_its_first_consensus_and_before_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("consensuses");
    std::fs::create_dir(&folder).unwrap();
    // Relay 1 is in the first consensus, relay 2 joins an hour later, relay 3 in the first consensus after three days.
    for (day, hour, relays) in [(7, 0, &[1][..]), (7, 1, &[1, 2]), (10, 1, &[1, 2, 3])] {
        consensus::write(&folder, day, hour, relays);
    }
    let store = dir.path().join("tor.db").display().to_string();
    run(&["import", "collector", &folder.display().to_string(), "--store", &store]);
    let server = serve(&store);
    let first = |n: u8| {
        let relay = server.get(&format!("/api/v1/relays/{}", fingerprint(n)));
        (relay["first_seen"].clone(), relay["first_seen_bound"].clone(), relay["first_seen_source"].clone())
    };
    assert_eq!(first(1), (Value::Null, "2026-03-07T00:00:00Z".into(), "bound".into()));
    assert_eq!(first(2), ("2026-03-07T01:00:00Z".into(), Value::Null, "record".into()));
    assert_eq!(first(3), (Value::Null, "2026-03-10T01:00:00Z".into(), "bound".into()));
    let census = server.get("/api/v1/census");
    assert_eq!((&census["n_new"]["1_days"], &census["n_new"]["30_days"], &census["n_age_known"]), (&0.into(), &1.into(), &1.into()));
    let csv = server.text("/api/v1/relays.csv");
    assert!(csv.contains(",first_seen,first_seen_bound,") && csv.contains(",,2026-03-10T01:00:00Z,"), "{csv}");
}
