//! A fault in a simulated network while a server watches it: seen within one consensus, everywhere, and the same in a replay.
#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise, helpers included")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::running::{PATIENCE, Running};

/// The hour in which an autonomous system with relays of eight operators falls silent: the sixth after what is imported.
const FAULT: &str = "2026-01-01T06:00:00Z";

fn allium(store: &Path, args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_allium")).args(args).arg("--store").arg(store).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A network that is written up to 2026-01-01T00:00:00Z and goes on from there.
fn network(dir: &Path) -> Running {
    let event = format!("outage as AS64512 at {FAULT} for 12h");
    let args = ["simulate", "--listen", "127.0.0.1:0", "--relays", "300", "--days", "8", "--hour-every", "6", "--event", &event];
    let out = dir.join("written");
    Running::start(&[&args[..], &["--write", "presence", "--out", out.to_str().unwrap()]].concat(), "authority")
}

fn import(dir: &Path, store: &Path) {
    let pack = dir.join("written/presence");
    let file = |start: &str| {
        let names = std::fs::read_dir(&pack).unwrap().map(|entry| entry.unwrap().path());
        names.into_iter().find(|path| path.file_name().unwrap().to_string_lossy().starts_with(start)).unwrap()
    };
    let [snapshots, spans, relays] = ["snapshots", "presence", "relays"].map(|start| file(start).to_str().unwrap().to_owned());
    allium(store, &["import", "presence", "--snapshots", &snapshots, "--spans", &spans, "--relays", &relays]);
}

fn configuration(dir: &Path, store: &Path, network: &Running) -> String {
    let authorities = network.said.iter().filter_map(|line| line.strip_prefix("authority ")).map(|line| format!("{line:?}"));
    let text = format!(
        "store = {store:?}\nlisten = '127.0.0.1:0'\nsources = ['directory']\n[directory]\nurls = ['{}']\nauthorities = [{}]\npoll_secs = 1\n",
        network.url,
        authorities.collect::<Vec<_>>().join(", ")
    );
    let path = dir.join("allium.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The lines of the stream of changes; the server must have worked its incidents out.
fn listen(server: &Running) -> BufReader<TcpStream> {
    let address = server.url.trim_start_matches("http://");
    let begun = Instant::now();
    while server.get("/api/v1/incidents")["as_of"].is_null() {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(100));
    }
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(2 * PATIENCE)).unwrap();
    write!(stream, "GET /api/v1/incidents/stream HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    BufReader::new(stream)
}

/// The next change that says this; `None` when the stream ends.
fn next_change(stream: &mut BufReader<TcpStream>, change: &str) -> Option<serde_json::Value> {
    let (mut line, begun) = (String::new(), Instant::now());
    loop {
        assert!(begun.elapsed() < 2 * PATIENCE, "nothing is {change}");
        line.clear();
        if stream.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        let Some(json) = line.trim().strip_prefix("data: ") else { continue };
        let found: serde_json::Value = serde_json::from_str(json).unwrap();
        if found["change"] == change {
            return Some(found);
        }
    }
}

#[test]
fn a_fault_is_seen_within_one_consensus_on_page_api_feed_and_stream_and_a_replay_says_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("tor.db");
    let network = network(dir.path());
    import(dir.path(), &store);
    let config = configuration(dir.path(), &store, &network);
    let mut server = Running::start(&["serve", "--config", &config], "Pages at");
    let mut stream = listen(&server);
    let opened = loop {
        let opened = next_change(&mut stream, "opened").expect("the stream goes on");
        if opened["incident"]["scope"]["key"] == "AS64512" {
            break opened;
        }
    };
    assert_eq!(opened["incident"]["kind"], "outage", "{opened}");
    assert_eq!((opened["at"].as_str(), opened["incident"]["detected_at"].as_str()), (Some(FAULT), Some(FAULT)));
    assert!(opened["incident"]["weight_share"].as_f64().unwrap() > 0.0, "measured in the consensus before: {opened}");

    let id = opened["incident_id"].as_str().unwrap();
    assert!(server.text("/incidents").contains(&format!("/incident/{id}")), "the page has it");
    assert!(server.text("/incidents.atom?status=open").contains(&format!("/incident/{id}")), "the feed has it");
    let page = server.text(&format!("/incident/{id}"));
    assert!(page.contains("What may have happened") && page.contains("Consensus weight afterwards"));
    let (as_of, lines) = loop {
        let as_of = || server.get("/api/v1/incidents")["as_of"].as_str().unwrap().to_owned();
        let (before, lines) = (as_of(), server.text("/api/v1/incidents.jsonl"));
        if before == as_of() {
            break (before, lines);
        }
    };
    // A note that no replay knows.
    let token = allium(&store, &["token", "create", "night shift"]);
    let said =
        Command::new(env!("CARGO_BIN_EXE_allium")).args(["token", "list", "--store"]).arg(&store).stdout(Stdio::piped()).output().unwrap();
    assert!(!String::from_utf8(said.stdout).unwrap().contains(token.trim()), "a token is shown once");
    acknowledge(&server, id, "allium_wrong", "401");
    acknowledge(&server, id, token.trim(), "201");
    assert_eq!(next_change(&mut stream, "acknowledge").unwrap()["incident"]["notes"][0]["by"], "night shift");
    allium(&store, &["token", "revoke", "night shift"]);
    acknowledge(&server, id, token.trim(), "401");

    assert!(server.stop().success());
    while next_change(&mut stream, "never").is_some() {}
    let replayed = allium(&store, &["replay", "--to", &as_of]);
    assert_eq!(replayed.lines().count(), lines.lines().count(), "{replayed}\n{lines}");
    for (replayed, live) in replayed.lines().zip(lines.lines()) {
        let detected = replayed.strip_suffix('}').unwrap();
        assert!(live.starts_with(detected), "not the same bytes:\n{replayed}\n{live}");
    }
    allium(&store, &["store", "check"]);
}

fn acknowledge(server: &Running, id: &str, token: &str, status: &str) {
    let address = server.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST /api/v1/incidents/{id}/acknowledge HTTP/1.0\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n\r\n"
    )
    .unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    assert_eq!(line.split(' ').nth(1), Some(status), "{line}");
}
