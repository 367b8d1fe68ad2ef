//! The three live sources, served by a simulated network in which an hour takes a few seconds.
#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise, helpers included")]

use std::io::Write as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::support::running::{PATIENCE, Running};

fn network(hour_every: &[&str]) -> Running {
    let args = ["simulate", "--listen", "127.0.0.1:0", "--relays", "60", "--days", "5"];
    Running::start(&[&args[..], hour_every].concat(), "the directory protocol")
}

/// A configuration with all three sources; the directory is asked every second, Onionoo and CollecTor as often as said.
fn configuration(dir: &Path, url: &str, authorities: &[String], [onionoo_secs, collector_secs]: [u64; 2]) -> PathBuf {
    let quoted: Vec<String> = authorities.iter().map(|authority| format!("{authority:?}")).collect();
    let text = format!(
        "store = {:?}\nlisten = '127.0.0.1:0'\nsources = ['onionoo', 'directory', 'collector']\n\
         [onionoo]\nurl = '{url}'\npoll_secs = {onionoo_secs}\nretries = 0\n\
         [directory]\nurls = ['{url}']\nauthorities = [{}]\npoll_secs = 1\n\
         [collector]\nurl = '{url}'\npoll_secs = {collector_secs}\n",
        dir.join("tor.db"),
        quoted.join(", ")
    );
    let path = dir.join("allium.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// The authorities of the simulated network, as it writes them beside its consensuses.
fn authorities(dir: &Path) -> Vec<String> {
    let out = dir.join("written");
    let args = ["simulate", "--relays", "60", "--days", "5", "--write", "consensuses", "--consensus-hours", "1", "--out"];
    let status = Command::new(env!("CARGO_BIN_EXE_allium")).args(args).arg(&out).stderr(Stdio::null()).status().unwrap();
    assert!(status.success());
    std::fs::read_to_string(out.join("authorities.txt")).unwrap().lines().map(str::to_owned).collect()
}

/// Hour, source, and whether it is verified.
fn consensuses(store: &Path) -> Vec<(i64, String, bool)> {
    let conn = Connection::open(store).unwrap();
    let mut query = conn.prepare("SELECT hour, source, verified FROM consensuses ORDER BY hour").unwrap();
    query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap().map(Result::unwrap).collect()
}

fn by(consensuses: &[(i64, String, bool)], name: &str) -> usize {
    consensuses.iter().filter(|(_, source, _)| source == name).count()
}

/// True if no hour is missing, and the directory brought three of them.
fn is_complete(consensuses: &[(i64, String, bool)]) -> bool {
    consensuses.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0) && by(consensuses, "directory") >= 3
}

fn check(store: &Path) {
    let output = Command::new(env!("CARGO_BIN_EXE_allium")).args(["store", "check", "--store"]).arg(store).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn three_sources_give_each_consensus_once_and_the_newest_from_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let (network, store) = (network(&["--hour-every", "4"]), dir.path().join("tor.db"));
    let config = configuration(dir.path(), &network.url, &authorities(dir.path()), [3600, 2]);
    let mut server = Running::start(&["serve", "--config", config.to_str().unwrap()], "Pages at");
    // Until the network has lived for three hours more under our eyes, and what a slow machine missed came from CollecTor.
    let begun = Instant::now();
    while !is_complete(&consensuses(&store)) {
        assert!(begun.elapsed() < PATIENCE, "{:?}", consensuses(&store));
        std::thread::sleep(Duration::from_millis(200));
    }
    let quality = server.get("/api/v1/data-quality");
    assert!(server.stop().success());
    check(&store);

    let details = quality["sources"].as_array().unwrap().iter().find(|source| source["kind"] == "details").unwrap();
    assert!(details["published"].as_str() < quality["as_of"].as_str(), "pages are as of the consensus of the directory: {quality}");
    let names: Vec<_> = quality["asked"].as_array().unwrap().iter().map(|asked| asked["source"].as_str().unwrap()).collect();
    assert_eq!(names, ["collector", "directory", "onionoo"]);

    let consensuses = consensuses(&store);
    assert!(consensuses.len() >= 70, "CollecTor has three days: {}", consensuses.len());
    assert!(consensuses.iter().all(|(_, source, verified)| *verified == (source != "details")), "{consensuses:?}");
    assert!(by(&consensuses, "collector") >= 60, "{consensuses:?}");
    let conn = Connection::open(&store).unwrap();
    let n_without_country: i64 = conn
        .query_row(
            "SELECT count(*) FROM spans s JOIN states t ON t.id = s.state_id WHERE s.end_hour IS NULL AND t.country IS NULL",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let n_open: i64 = conn.query_row("SELECT count(*) FROM spans WHERE end_hour IS NULL", [], |row| row.get(0)).unwrap();
    assert!(n_without_country * 10 < n_open, "{n_without_country} of {n_open} listed relays have no country though Onionoo reported it");
}

#[test]
fn a_second_visit_to_a_network_that_stands_still_does_not_read_its_documents_again() {
    let dir = tempfile::tempdir().unwrap();
    let network = network(&[]);
    let store = dir.path().join("tor.db");
    let visit = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_allium"));
        command.args(["ingest", "--sources", "onionoo", "--onionoo-url", &network.url, "--store"]).arg(&store);
        let output = command.env_remove("ALLIUM_CONFIG").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(visit().contains("details of "));
    // Bytes of the same number that are no document: whoever reads them fetches them anew.
    let bodies = || files(dir.path()).into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "body"));
    assert_eq!(bodies().count(), 2);
    for body in bodies() {
        let n_bytes = std::fs::metadata(&body).unwrap().len() as usize;
        std::fs::write(body, vec![0; n_bytes]).unwrap();
    }
    let said = visit();
    assert!(said.contains("details unchanged, uptime unchanged"), "{said}");
    assert!(bodies().all(|body| std::fs::read(body).unwrap().iter().all(|byte| *byte == 0)), "they were read");
}

/// All files below a directory.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn a_source_that_fails_costs_itself_and_is_told_of() {
    let dir = tempfile::tempdir().unwrap();
    let network = network(&[]);
    // Nobody trusts these authorities: whatever directory and CollecTor bring is not verified.
    let strangers: Vec<String> = (1..4).map(|n| format!("stranger{n} {n:040X}")).collect();
    let config = configuration(dir.path(), &network.url, &strangers, [1, 1]);
    let output = Command::new(env!("CARGO_BIN_EXE_allium")).args(["ingest", "--config", config.to_str().unwrap()]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("directory: ") && said.contains("collector: "), "{said}");
    let store = dir.path().join("tor.db");
    check(&store);
    assert_eq!(consensuses(&store).iter().map(|(_, source, _)| source.as_str()).collect::<Vec<_>>(), ["details"]);
    let args = ["serve", "--offline", "--listen", "127.0.0.1:0", "--store", store.to_str().unwrap()];
    let mut server = Running::start(&args, "Pages at");
    let begun = Instant::now();
    while server.get("/api/v1/data-quality")["asked"].is_null() {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(100));
    }
    let quality = server.get("/api/v1/data-quality");
    let failed =
        |i: usize| quality["asked"][i]["failure"].as_str().is_some_and(|failure| failure.contains("good signatures of 0 authorities"));
    assert!(failed(0) && failed(1), "{quality}");
    assert!(quality["asked"][2]["failure"].is_null(), "{quality}");

    // A request that never ends does not keep it from stopping.
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    write!(stream, "GET / HTTP/1.1\r\nHost: x\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(200));
    assert!(server.stop().success());
}
