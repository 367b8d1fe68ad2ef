//! Times that cannot be, met by the program: files, sources that lie about the time, and stores that an earlier program filled.

use std::path::Path;
use std::process::{Command, Output};

use allium_history::{StoreUrl, Update};
use allium_model::{ConsensusHour, DocumentKind, Relay, SourceStatus};
use serde_json::Value;

use crate::support::running::{PATIENCE, Running};

const FINGERPRINT: &str = "BBCCDDEEFF00112233445566778899AABBCCDDEE";
const TRUE: &str = "2026-02-15 18:00:00";
const AHEAD: &str = "2136-02-15 18:00:00";

fn allium(args: &[&str], store: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_allium"));
    command.args(args).arg("--store").arg(store).env_remove("ALLIUM_CONFIG").output().unwrap()
}

/// Runs it; what it said on standard error, and its exit status.
fn said(args: &[&str], store: &Path) -> (String, Option<i32>) {
    let output = allium(args, store);
    (String::from_utf8_lossy(&output.stderr).into_owned(), output.status.code())
}

fn stats(store: &Path) -> String {
    String::from_utf8(allium(&["store", "stats"], store).stdout).unwrap()
}

/// Writes a details document of one running relay.
fn document(dir: &Path, published: &str) -> String {
    let path = dir.join(format!("details-{}.json", &published[..4]));
    let relay = format!(r#"{{"fingerprint":"{FINGERPRINT}","nickname":"clockwork","running":true,"last_seen":"{published}"}}"#);
    std::fs::write(&path, format!(r#"{{"relays_published":"{published}","relays":[{relay}],"bridges":[]}}"#)).unwrap();
    path.display().to_string()
}

/// Writes a document of a time ahead into a store, as a program with a wrong clock did.
fn poison(store: &Path) {
    let published: ConsensusHour = "2136-02-15T18:00:00Z".parse().unwrap();
    let relay = Relay { running: true, last_seen: Some(published), ..Relay::unknown(FINGERPRINT.parse().unwrap()) };
    let status = SourceStatus {
        kind: DocumentKind::Details,
        origin: "details.json".into(),
        published,
        obtained_at: published.start(),
        size_bytes: 1,
        n_relays: 1,
        n_rejects: 0,
    };
    StoreUrl::from(store).open().unwrap().apply(&Update { details: Some((status, vec![relay])), ..Update::default() }).unwrap();
}

/// Serves a store, and asks it once it has data.
fn served(store: &Path, ask: impl FnOnce(&Running)) {
    let server = Running::start(&["serve", "--offline", "--listen", "127.0.0.1:0", "--store", store.to_str().unwrap()], "Pages at");
    let begun = std::time::Instant::now();
    while server.get("/healthz")["as_of"].is_null() {
        assert!(begun.elapsed() < PATIENCE, "no data");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    ask(&server);
}

#[test]
fn a_document_that_lies_ahead_is_refused_and_the_true_one_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("tor.db");
    let (error, status) = said(&["import", "onionoo", &document(dir.path(), AHEAD)], &store);
    assert_eq!(status, Some(1), "{error}");
    assert!(error.contains("details-2136.json: refused, its relays_published 2136-02-15T18:00:00Z lies ahead: by the clock"), "{error}");
    let (error, status) = said(&["import", "onionoo", &document(dir.path(), TRUE)], &store);
    assert_eq!(status, Some(0), "{error}");
    assert!(stats(&store).contains("1  consensuses, 2026-02-15T18:00:00Z to 2026-02-15T18:00:00Z"), "{}", stats(&store));
}

#[test]
fn the_tolerance_is_a_setting() {
    let dir = tempfile::tempdir().unwrap();
    let soon = jiff_hour_ahead(24);
    let path = document(dir.path(), &soon);
    let import = |tolerance: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_allium"));
        command.args(["import", "onionoo", &path, "--store"]).arg(dir.path().join("tor.db"));
        command.env_remove("ALLIUM_CONFIG").env("ALLIUM_CLOCK_TOLERANCE_SECS", tolerance).output().unwrap().status.success()
    };
    assert!(!import("7200"), "{soon}");
    assert!(import("172800"), "{soon}");
}

/// The whole hour so many hours from now, as documents write it.
fn jiff_hour_ahead(hours: i32) -> String {
    let hour = ConsensusHour::containing(allium_model::Timestamp::now()).plus(hours);
    hour.to_string().replace('T', " ").replace('Z', "")
}

#[test]
fn a_store_that_reaches_into_the_future_says_so_and_is_mended_by_the_command_that_it_names() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("tor.db");
    poison(&store);
    let (told, status) = said(&["import", "onionoo", &document(dir.path(), TRUE)], &store);
    assert_eq!(status, Some(0), "{told}");
    assert!(told.contains("the store reaches to 2136-02-15T18:00:00Z") && told.contains("`allium store mend`"), "{told}");
    served(&store, |server| {
        let health = server.get("/healthz");
        assert_eq!((&health["status"], &health["age_secs"]), (&Value::from("stale"), &Value::Null), "{health}");
        assert!(health["reason"].as_str().unwrap().contains("allium store mend"), "{health}");
        let quality = server.get("/api/v1/data-quality");
        assert_eq!((&quality["stale"], &quality["ahead"]), (&Value::from(true), &Value::from(true)), "{quality}");
        assert!(server.text("/data-quality").contains("allium store mend"));
        assert!(server.text("/").contains("lies ahead of the clock"));
        assert!(!server.text("/metrics").contains("allium_consensus_age_seconds "));
    });
    let (told, status) = said(&["store", "mend", "--dry-run"], &store);
    assert_eq!(status, Some(0), "{told}");
    assert!(told.contains("would be removed: consensus of 2136-02-15T18:00:00Z") && told.contains("nothing was removed"), "{told}");
    let (told, status) = said(&["store", "mend"], &store);
    assert_eq!(status, Some(0), "{told}");
    assert!(told.contains("removed: consensus of 2136-02-15T18:00:00Z") && told.contains("mended"), "{told}");
    assert!(allium(&["store", "check"], &store).status.success());
    assert!(said(&["store", "mend"], &store).0.contains("nothing to mend"));
    served(&store, |server| {
        let quality = server.get("/api/v1/data-quality");
        assert_eq!((&quality["as_of"], &quality["ahead"]), (&Value::from("2026-02-15T18:00:00Z"), &Value::from(false)), "{quality}");
        assert!(server.get("/healthz")["age_secs"].as_i64().unwrap() >= 0);
    });
}

/// A simulated network whose newest consensus is that of an hour.
fn network(end: &str) -> Running {
    let args = ["simulate", "--listen", "127.0.0.1:0", "--relays", "60", "--days", "5", "--end", end];
    Running::start(&args, "the directory protocol")
}

/// Asks all three sources of a network once.
fn ingest(dir: &Path, url: &str, authorities: &[String]) -> (String, Option<i32>) {
    let quoted: Vec<String> = authorities.iter().map(|authority| format!("{authority:?}")).collect();
    let config = dir.join("allium.toml");
    let text = format!(
        "sources = ['onionoo', 'directory', 'collector']\n[onionoo]\nurl = '{url}'\nretries = 0\n\
         [directory]\nurls = ['{url}']\nauthorities = [{}]\n[collector]\nurl = '{url}'\nmax_consensuses = 2\n",
        quoted.join(", ")
    );
    std::fs::write(&config, text).unwrap();
    said(&["ingest", "--config", config.to_str().unwrap()], &dir.join("tor.db"))
}

#[test]
fn of_a_source_that_lies_about_the_time_nothing_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let written = dir.path().join("written");
    let args = ["simulate", "--relays", "60", "--days", "5", "--write", "consensuses", "--consensus-hours", "1", "--out"];
    assert!(Command::new(env!("CARGO_BIN_EXE_allium")).args(args).arg(&written).output().unwrap().status.success());
    let authorities: Vec<String> = std::fs::read_to_string(written.join("authorities.txt")).unwrap().lines().map(str::to_owned).collect();
    let liar = network("2136-02-15T18:00:00Z");
    let (told, status) = ingest(dir.path(), &liar.url, &authorities);
    assert_eq!(status, Some(1), "{told}");
    for source in ["onionoo: details:", "onionoo: uptime:", "directory:", "collector:"] {
        let line = told.lines().find(|line| line.contains(source));
        assert!(line.is_some_and(|line| line.contains("lies ahead")), "{source} {told}");
    }
    assert!(stats(&dir.path().join("tor.db")).contains("0  consensuses"), "{told}");
    let honest = network("2026-02-15T18:00:00Z");
    let (told, status) = ingest(dir.path(), &honest.url, &authorities);
    assert_eq!(status, Some(0), "{told}");
    assert!(stats(&dir.path().join("tor.db")).contains("to 2026-02-15T18:00:00Z"), "{}", stats(&dir.path().join("tor.db")));
}
