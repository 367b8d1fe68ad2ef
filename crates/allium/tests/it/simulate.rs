//! The simulated network through the program's own doors: what it writes is taken in, verified and counted the same.
#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use std::path::Path;
use std::process::{Command, Output};

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_allium")).args(args).env_remove("ALLIUM_CONFIG").output().unwrap()
}

/// Runs to success and gives what was said on the way.
fn said(args: &[&str]) -> String {
    let output = run(args);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{args:?}: {said}");
    said
}

fn simulate(dir: &Path, more: &[&str]) -> String {
    let args = ["simulate", "--relays", "60", "--days", "5", "--out", dir.to_str().unwrap()];
    said(&[&args[..], more].concat())
}

fn path(dir: &Path, name: &str) -> String {
    dir.join(name).display().to_string()
}

#[test]
fn simulated_consensuses_are_taken_in_as_verified_with_their_certificates() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let events = [
        "missing at 2025-12-31T05:00:00Z for 2h",
        "authorities 4 unsigned at 2025-12-31T08:00:00Z for 1h",
        "authorities 5 garbled at 2025-12-31T09:00:00Z for 1h",
    ];
    let events = events.iter().flat_map(|event| ["--event", event]);
    simulate(dir, &["--write", "consensuses", "--consensus-hours", "24"].into_iter().chain(events).collect::<Vec<_>>());
    let authorities = std::fs::read_to_string(dir.join("authorities.txt")).unwrap();
    let trusted: Vec<&str> = authorities.lines().flat_map(|line| ["--authority", line]).collect();
    for flavour in ["consensuses", "microdescs"] {
        let (store, documents, certs) = (path(dir, &format!("{flavour}.db")), path(dir, flavour), path(dir, "certs"));
        let import = [&["import", "collector", &documents, "--certificates", &certs, "--store", &store], &trusted[..]].concat();
        let said = said(&import);
        // 24 hours, two of them missing, one with too few good signatures.
        assert!(said.contains("22 of 22 consensuses taken in, 21 verified"), "{said}");
        assert!(said.contains("0 unreadable, 0 rejects"), "{said}");
        assert!(run(&["store", "check", "--store", &store]).status.success());
    }
}

#[test]
fn simulated_packs_are_taken_in_with_equal_totals() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    simulate(
        dir,
        &["--write", "presence", "--event", "stale at 2025-12-30T05:00:00Z for 3h", "--event", "missing at 2025-12-29T05:00:00Z for 2h"],
    );
    let file = |name: &str| path(&dir.join("presence"), name);
    let (store, snapshots, spans, relays) =
        (path(dir, "tor.db"), file("snapshots.csv.zst"), file("presence.parquet"), file("relays.csv.zst"));
    let said = said(&["import", "presence", "--snapshots", &snapshots, "--spans", &spans, "--relays", &relays, "--store", &store]);
    assert!(said.contains("totals differ in 0 lists"), "{said}");
    assert!(run(&["store", "check", "--store", &store]).status.success());
}

#[test]
fn events_that_cannot_be_understood_or_do_nothing_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let said =
        simulate(dir, &["--event", "outage as AS1 at 2025-12-31T05:00:00Z for 2h", "--event", "missing at 2027-01-01T00:00:00Z for 2h"]);
    assert!(said.contains("warning: no relay matches: outage as AS1"), "{said}");
    assert!(said.contains("warning: outside the simulated history: missing at 2027"), "{said}");
    let file = path(dir, "events.txt");
    std::fs::write(&file, "# quiet\noutage nobody").unwrap();
    let output = run(&["simulate", "--out", dir.to_str().unwrap(), "--events", &file]);
    let reason = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && reason.contains("line 2: expected as, country"), "{reason}");
    assert!(reason.contains("events.txt"), "{reason}");
}
