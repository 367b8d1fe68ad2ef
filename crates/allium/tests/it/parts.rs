//! A part is never the whole: documents that leave relays out, and lists that cannot be what the network was.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use allium_testkit::spans_file::{Form, spans_as_parquet};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::running::{PATIENCE, Running};

fn allium(args: &[&str], store: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_allium"));
    let output = command.args(args).arg("--store").arg(store).env_remove("ALLIUM_CONFIG").output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn analysis(store: &Path) -> Value {
    allium(&["store", "check"], store);
    serde_json::from_slice(&allium(&["analyze", "--format", "json"], store).stdout).unwrap()
}

fn fingerprint(number: usize) -> String {
    format!("{number:04X}{}", "AB".repeat(18))
}

/// Relay `number` as a details document of an hour has it: every sixth is down since the day before, every second is in Germany.
fn entry(number: usize, hour: usize) -> Value {
    let is_down = number.is_multiple_of(6);
    let last_seen = if is_down { "2026-03-09 12:00:00".to_owned() } else { time(hour) };
    json!({
        "fingerprint": fingerprint(number), "nickname": format!("n{number}"), "running": !is_down, "last_seen": last_seen,
        "first_seen": "2025-01-01 00:00:00", "consensus_weight": 1000 + hour, "country": if number.is_multiple_of(2) { "de" } else { "fr" },
    })
}

fn time(hour: usize) -> String {
    format!("2026-03-10 {hour:02}:00:00")
}

/// Imports a document of these relays with further members, and gives what the command said.
fn import(dir: &TempDir, hour: usize, relays: impl Iterator<Item = usize>, more: &Value) -> String {
    let relays: Vec<Value> = relays.map(|number| entry(number, hour)).collect();
    let mut document = json!({ "relays_published": time(hour), "relays": relays, "bridges": [] });
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let path = dir.path().join("details.json");
    std::fs::write(&path, document.to_string()).unwrap();
    let output = allium(&["import", "onionoo", path.to_str().unwrap()], &dir.path().join("tor.db"));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A store with the whole network of 24 relays at one o'clock before, all running, and at noon, four of them down.
fn network() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let all_running = (0..24).map(|number| {
        let mut entry = entry(number, 11);
        entry["running"] = json!(true);
        entry["last_seen"] = json!(time(11));
        entry
    });
    let document = json!({ "relays_published": time(11), "relays": all_running.collect::<Vec<_>>(), "bridges": [] });
    let path = dir.path().join("details.json");
    std::fs::write(&path, document.to_string()).unwrap();
    allium(&["import", "onionoo", path.to_str().unwrap()], &dir.path().join("tor.db"));
    import(&dir, 12, 0..24, &json!({}));
    dir
}

#[test]
fn no_part_is_a_list_of_running_relays_whether_it_says_so_or_not() {
    type Kept = fn(&usize) -> bool;
    let cases: [(&str, Kept, Value, &str); 6] = [
        ("truncated", |number| *number < 4, json!({ "relays_truncated": 20 }), "by its own count 20 relays are left out"),
        ("skipped", |number| *number > 2, json!({ "relays_skipped": 3 }), "by its own count 3 relays are left out"),
        ("limit without a mark", |number| *number < 5, json!({}), "it leaves out 19 of the 24 relays"),
        ("running=true", |number| !number.is_multiple_of(6), json!({}), "it leaves out 4 of the 24 relays"),
        ("country=de", |number| number.is_multiple_of(2), json!({}), "it leaves out 12 of the 24 relays"),
        ("search=n1", |number| *number == 1 || *number > 9, json!({}), "it leaves out 9 of the 24 relays"),
    ];
    for (name, is_in, more, reason) in cases {
        let dir = network();
        let store = dir.path().join("tor.db");
        let said = import(&dir, 13, (0..24).filter(is_in), &more);
        assert!(said.contains("a part of the network") && said.contains(reason), "{name}: {said}");
        let report = analysis(&store);
        assert_eq!((&report["as_of"], &report["network"]["n_running"]), (&json!("2026-03-10T12:00:00Z"), &json!(20)), "{name}");
        let weights: BTreeSet<u64> =
            report["relays"].as_array().unwrap().iter().map(|relay| relay["consensus_weight"].as_u64().unwrap()).collect();
        assert_eq!(weights, BTreeSet::from([1012, 1013]), "{name}: what it says of its relays is used");
        assert_eq!(
            report["relays"].as_array().unwrap().iter().filter(|relay| relay["last_seen"].as_str() > Some("2026-03-10T12:00:00Z")).count(),
            0
        );
        let whole = import(&dir, 13, 0..24, &json!({}));
        assert!(!whole.contains("a part"), "{name}: {whole}");
        assert_eq!(analysis(&store)["as_of"], json!("2026-03-10T13:00:00Z"), "{name}: a part stands in the way of no whole document");
    }
}

#[test]
fn a_whole_document_is_no_part_however_many_relays_are_down_or_gone() {
    let dir = network();
    // One relay has gone, and that is told as what it is.
    assert!(!import(&dir, 13, 1..24, &json!({})).contains("a part"));
    assert_eq!(analysis(&dir.path().join("tor.db"))["as_of"], json!("2026-03-10T13:00:00Z"));
    let small = tempfile::tempdir().unwrap();
    assert!(!import(&small, 12, 1..4, &json!({})).contains("a part"), "a first document of three relays is a network");
}

#[test]
fn the_page_on_data_quality_says_what_was_left_out_and_why() {
    let dir = network();
    import(&dir, 13, 0..4, &json!({ "relays_truncated": 20 }));
    let store = dir.path().join("tor.db");
    let server = Running::start(&["serve", "--offline", "--listen", "127.0.0.1:0", "--store", store.to_str().unwrap()], "Pages at");
    wait(&server, |server| !server.get("/healthz")["as_of"].is_null());
    let quality = server.get("/api/v1/data-quality");
    let reasons: Vec<&str> = quality["rejects"].as_array().unwrap().iter().map(|reject| reject["reason"].as_str().unwrap()).collect();
    assert!(reasons.iter().any(|reason| reason.contains("20 relays are left out; it is not taken as a list")), "{quality}");
    assert!(server.text("/data-quality").contains("20 relays are left out"));
    assert_eq!(server.get("/api/v1/network")["n_running"], json!(20));
}

#[test]
fn of_relays_that_a_part_of_the_graphs_leaves_out_nothing_follows() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("tor.db");
    let graph = |hour: usize| {
        let values = vec!["999"; 42].join(",");
        let (first, last) = (format!("2026-03-03 {:02}:00:00", hour - 10), format!("2026-03-10 {:02}:00:00", hour - 14));
        let factor = 0.001_001_001;
        format!(r#"{{"1_month":{{"first":"{first}","last":"{last}","interval":14400,"factor":{factor},"count":42,"values":[{values}]}}}}"#)
    };
    let import = |hour: usize, relays: std::ops::Range<usize>| {
        let entries: Vec<String> =
            relays.map(|number| format!(r#"{{"fingerprint":"{}","uptime":{}}}"#, fingerprint(number), graph(hour))).collect();
        let path = dir.path().join("uptime.json");
        let document = format!(r#"{{"relays_published":"{}","relays":[{}],"bridges":[]}}"#, time(hour), entries.join(","));
        std::fs::write(&path, document).unwrap();
        String::from_utf8(allium(&["import", "onionoo", path.to_str().unwrap()], &store).stderr).unwrap()
    };
    import(14, 0..12);
    let before = analysis(&store);
    assert!(import(22, 0..3).contains("it has 3 relays, the document before it 12"));
    let after = analysis(&store);
    let uptime = |report: &Value| report["relays"][11]["uptime"]["7_days"].clone();
    assert_eq!(uptime(&after), uptime(&before), "no downtime follows from a part");
}

fn wait(server: &Running, is_ready: impl Fn(&Running) -> bool) {
    let begun = std::time::Instant::now();
    while !is_ready(server) {
        assert!(begun.elapsed() < PATIENCE, "it does not come");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// Imports a pack of lists, one an hour, in which all relays run but for those that a list lacks; gives the store.
fn pack(dir: &TempDir, n_relays: usize, n_lists: usize, lacks: impl Fn(usize, usize) -> bool) -> PathBuf {
    let path = |name: &str| dir.path().join(name);
    let mut snapshots = "snapshot,fetched_at,running,guard,exit\n".to_owned();
    let start = "2026-02-01T01:20:00Z".parse::<allium_model::Timestamp>().unwrap();
    for list in 0..n_lists {
        let at = allium_model::Timestamp::from_second(start.as_second() + 3600 * list as i64).unwrap();
        let n = (0..n_relays).filter(|relay| !lacks(list, *relay)).count();
        writeln!(snapshots, "{list},{at},{n},0,0").unwrap();
    }
    let (mut spans, mut relays) = (
        "fingerprint,first_snapshot,end_snapshot,guard,exit\n".to_owned(),
        "fingerprint,nickname,ipv4,as,as_name,country,contact,family\n".to_owned(),
    );
    for relay in 0..n_relays {
        let (asn, country) = (64_500 + relay % 40, ["de", "fr", "nl", "us", "se"][relay % 5]);
        writeln!(relays, "{},n{relay},192.0.2.{},AS{asn},Net,{country},,", fingerprint(relay), relay % 250).unwrap();
        let mut since = None;
        for list in 0..=n_lists {
            let runs = list < n_lists && !lacks(list, relay);
            match (runs, since) {
                (true, None) => since = Some(list),
                (false, Some(first)) => {
                    writeln!(spans, "{},{first},{list},false,false", fingerprint(relay)).unwrap();
                    since = None;
                }
                _ => {}
            }
        }
    }
    std::fs::write(path("snapshots.csv"), snapshots).unwrap();
    std::fs::write(path("spans.parquet"), spans_as_parquet(&spans, Form::default())).unwrap();
    std::fs::write(path("relays.csv"), relays).unwrap();
    let [snapshots, spans, relays] = ["snapshots.csv", "spans.parquet", "relays.csv"].map(|name| path(name).display().to_string());
    let store = path("tor.db");
    allium(&["import", "presence", "--snapshots", &snapshots, "--spans", &spans, "--relays", &relays], &store);
    store
}

/// Relays of an analysis whose week was not up throughout.
fn n_imperfect(report: &Value) -> usize {
    let uptimes = report["relays"].as_array().unwrap().iter().map(|relay| relay["uptime"]["7_days"].as_f64().unwrap());
    uptimes.filter(|uptime| *uptime < 1.0).count()
}

#[test]
fn a_list_with_fewer_than_half_of_the_relays_is_unknown_and_not_down() {
    let dir = tempfile::tempdir().unwrap();
    let report = analysis(&pack(&dir, 12, 200, |list, relay| list == 180 && relay > 1));
    assert_eq!((n_imperfect(&report), &report["network"]["n_running"]), (0, &json!(12)));
    // The newest list is doubted until another one follows.
    let dir = tempfile::tempdir().unwrap();
    let report = analysis(&pack(&dir, 12, 200, |list, relay| list == 199 && relay > 1));
    assert_eq!((n_imperfect(&report), &report["network"]["n_running"]), (0, &json!(12)));
    // Two lists agree: that happened.
    let dir = tempfile::tempdir().unwrap();
    let report = analysis(&pack(&dir, 12, 200, |list, relay| (180..190).contains(&list) && relay > 1));
    assert_eq!(n_imperfect(&report), 10);
}

/// Every third relay, whatever its country and AS.
fn third(relay: usize) -> bool {
    (relay * 7919 + 13) % 101 < 34
}

#[test]
fn a_list_that_the_detector_reports_as_implausible_counts_as_down_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let store = pack(&dir, 300, 260, |list, relay| list == 200 && third(relay));
    let report = analysis(&store);
    assert_eq!(n_imperfect(&report), 0);
    let replayed = String::from_utf8(allium(&["replay"], &store).stdout).unwrap();
    assert!(replayed.contains("data_quality"), "the detector reports the list: {replayed}");
    let server = Running::start(&["serve", "--offline", "--listen", "127.0.0.1:0", "--store", store.to_str().unwrap()], "Pages at");
    let relay = fingerprint((0..300).find(|relay| third(*relay)).unwrap());
    wait(&server, |server| server.get("/api/v1/data-quality")["history"]["n_missing"] == json!(1));
    let uptime = &server.get(&format!("/api/v1/relays/{relay}"))["uptime"];
    assert!(!uptime.to_string().contains("0.99"), "{uptime}");
    assert!(server.text("/api/v1/incidents").contains("data_quality"));
    // What the next list confirms happened.
    let dir = tempfile::tempdir().unwrap();
    let report = analysis(&pack(&dir, 300, 260, |list, relay| (200..206).contains(&list) && third(relay)));
    assert_eq!(n_imperfect(&report), (0..300).filter(|relay| third(*relay)).count());
}
