//! The cheap attacks of `make attack` on the real program: no load, no time.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::run;
use crate::support::running::{PATIENCE, Running};

#[path = "../../benches/attack/requests.rs"]
mod requests;

/// A small store with documents.
fn store(dir: &Path) -> String {
    let [documents, store] = ["documents", "tor.db"].map(|name| dir.join(name).display().to_string());
    run(&["simulate", "--relays", "60", "--days", "5", "--out", &documents]);
    run(&["import", "onionoo", &documents, "--store", &store]);
    store
}

fn address(server: &Running) -> SocketAddr {
    server.url.trim_start_matches("http://").parse().unwrap()
}

/// The whole answer to bytes; empty where there is none.
fn exchange(to: SocketAddr, bytes: &str) -> String {
    let Ok(mut stream) = TcpStream::connect(to) else { return String::new() };
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let _ = stream.write_all(bytes.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn no_malformed_oversized_or_deceptive_request_breaks_the_program() {
    let dir = tempfile::tempdir().unwrap();
    let server = crate::support::serve(&store(dir.path()));
    let cases = requests::all();
    let faults: Vec<String> = cases.iter().filter_map(|case| Some(format!("{}: {}", case.name, case.fault(address(&server))?))).collect();
    assert!(cases.len() > 100, "{} cases", cases.len());
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), cases.len(), faults.join("\n"));
    assert!(server.text("/healthz").contains("\"status\""), "it answers after all of them");
}

#[test]
fn idle_connections_do_not_keep_others_from_being_answered() {
    let dir = tempfile::tempdir().unwrap();
    let script = "ulimit -n 256; exec \"$@\"";
    let args = ["-c", script, "sh", env!("CARGO_BIN_EXE_allium"), "serve", "--offline", "--listen", "127.0.0.1:0", "--store"];
    let store = store(dir.path());
    let mut command = Command::new("sh");
    let server = Running::of(command.args(args).arg(&store), "Pages at http://");
    let idle: Vec<_> = (0..300).filter_map(|_| TcpStream::connect(address(&server)).ok()).collect();
    let begun = Instant::now();
    while !exchange(address(&server), "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 200") {
        assert!(begun.elapsed() < PATIENCE, "{} idle connections keep it from answering", idle.len());
    }
}

#[test]
fn words_of_visitors_are_in_no_log() {
    const WORDS: [&str; 4] = ["wordofquery", "wordofagent", "wordofproxy", "wordoftoken"];
    let dir = tempfile::tempdir().unwrap();
    let (store, log) = (store(dir.path()), dir.path().join("log"));
    let args = ["serve", "--offline", "--listen", "127.0.0.1:0", "--log", "trace", "--store", &store];
    let child =
        Command::new(env!("CARGO_BIN_EXE_allium")).args(args).env_remove("ALLIUM_CONFIG").stderr(File::create(&log).unwrap()).spawn();
    let mut server = Running { child: child.unwrap(), url: String::new(), said: Vec::new() };
    let begun = Instant::now();
    while server.url.is_empty() {
        assert!(begun.elapsed() < PATIENCE, "it does not begin");
        let said = std::fs::read_to_string(&log).unwrap();
        server.url =
            said.lines().find_map(|line| Some(line.strip_prefix("Pages at ")?.trim_end_matches('/').to_owned())).unwrap_or_default();
    }
    let fields =
        "Host: a\r\nConnection: close\r\nUser-Agent: wordofagent\r\nX-Forwarded-For: wordofproxy\r\nAuthorization: Bearer wordoftoken\r\n";
    for line in ["GET /relays?q=wordofquery", "GET /wordofquery", "POST /api/v1/incidents/wordofquery/acknowledge", "BREW /wordofquery"] {
        let answer = exchange(address(&server), &format!("{line} HTTP/1.1\r\n{fields}Content-Length: 0\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 "), "{line}: {answer}");
    }
    let mut said = std::fs::read_to_string(&log).unwrap();
    while said.lines().count() < 2 {
        assert!(begun.elapsed() < PATIENCE, "it logs: {said}");
        said = std::fs::read_to_string(&log).unwrap();
    }
    assert!(WORDS.iter().all(|word| !said.contains(word)), "{said}");
}
