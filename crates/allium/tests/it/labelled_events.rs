//! The incidents of the real pack: events with outside evidence are found as what they were.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests may stop at the first surprise and say what they skip")]

use crate::support::real_data;
use assert_cmd::Command;
use serde_json::Value;

/// Incidents of the whole pack, as `allium replay` writes them.
fn replayed() -> Option<Vec<Value>> {
    let pack = real_data()?.join("presence");
    let dir = tempfile::tempdir().unwrap();
    let allium = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_allium"));
        command.arg("--store").arg(dir.path().join("pack.db")).args(arguments);
        command
    };
    let path = |name: &str| pack.join(name).display().to_string();
    let [snapshots, spans, relays] = [path("snapshots.csv.zst"), path("presence.parquet"), path("relays.csv.zst")];
    allium(&["import", "presence", "--snapshots", &snapshots, "--spans", &spans, "--relays", &relays]).assert().success();
    let output =
        allium(&["replay", "--from", "2024-04-03T00:00:00Z", "--to", "2026-03-01T00:00:00Z", "--format", "jsonl"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(
        output
            .stdout
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect(),
    )
}

/// Incidents of a stretch of time, as kind, scope, relays.
fn detected<'a>(incidents: &'a [Value], from: &str, to: &str) -> Vec<(&'a str, &'a str, u64)> {
    let time = |incident: &Value| incident["detected_at"].as_str().unwrap().to_owned();
    let inside = incidents.iter().filter(|incident| (from..to).contains(&time(incident).as_str()));
    inside.map(|it| (it["kind"].as_str().unwrap(), it["scope"]["key"].as_str().unwrap(), it["n_affected"].as_u64().unwrap())).collect()
}

#[test]
fn labelled_events_are_found_and_floods_that_leave_are_no_outages() {
    let Some(incidents) = replayed() else { return };
    type Event<'a> = (&'a str, &'a str, &'a str, &'a str, u64);
    let events: [Event<'_>; 6] = [
        ("2024-09-02T06:00:00Z", "2024-09-02T10:00:00Z", "outage", "AS51167", 25),
        ("2024-10-20T00:00:00Z", "2024-11-08T00:00:00Z", "outage", "AS24940", 40),
        ("2025-04-28T10:00:00Z", "2025-04-28T14:00:00Z", "outage", "es", 18),
        ("2025-11-20T18:00:00Z", "2025-11-21T00:00:00Z", "surge", "AS63949", 800),
        ("2026-02-04T06:00:00Z", "2026-02-04T16:00:00Z", "surge", "*", 4000),
        ("2026-02-19T15:00:00Z", "2026-02-19T19:00:00Z", "outage", "AS197540", 17),
    ];
    for (from, to, kind, key, at_least) in events {
        let found = detected(&incidents, from, to);
        assert!(found.iter().any(|(k, s, n)| (*k, *s) == (kind, key) && *n >= at_least), "{kind} of {key}: {found:?}");
    }
    for (from, to, key) in
        [("2025-11-20T21:00:00Z", "2025-11-23T00:00:00Z", "AS63949"), ("2026-02-04T11:00:00Z", "2026-02-07T00:00:00Z", "ar")]
    {
        let found = detected(&incidents, from, to);
        assert!(!found.iter().any(|(kind, scope, _)| (*kind, *scope) == ("outage", key)), "{key}: {found:?}");
    }
}
