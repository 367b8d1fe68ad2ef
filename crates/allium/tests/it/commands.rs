//! The program as scripts use it: arguments in; files, pages, text and exit status out. Everything on loopback.

#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

const SMALL: [&str; 4] = ["--relays", "60", "--days", "70"];

fn allium(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_allium"));
    command.args(args).env_remove("ALLIUM_CONFIG");
    command
}

fn run(args: &[&str]) -> Output {
    allium(args).output().unwrap()
}

/// Runs to success and gives standard output.
fn out(args: &[&str]) -> String {
    let output = run(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs to failure and gives the last line of standard error.
fn reason(status: i32, args: &[&str]) -> String {
    let output = run(args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{args:?}: {said}");
    said.lines().last().unwrap_or_default().to_owned()
}

fn path(dir: &TempDir, name: &str) -> String {
    dir.path().join(name).display().to_string()
}

fn simulate(dir: &TempDir, name: &str, more: &[&str]) -> String {
    let documents = path(dir, name);
    out(&[&["simulate", "--out", &documents], &SMALL[..], more].concat());
    documents
}

/// A child that is ended with the test.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts the program and waits for the address that it says after `said`.
    fn start(args: &[&str], said: &str) -> Self {
        let mut child = allium(args).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix(said).map(|rest| rest.trim_end_matches('/').to_owned()))
            .expect("the program says where it listens");
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address: address.parse().unwrap() }
    }

    fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        (answer[9..12].parse().unwrap(), answer)
    }

    /// Asks until the answer is 200, for at most ten seconds.
    fn wait_for(&self, path: &str) -> String {
        for _ in 0..100 {
            let (status, answer) = self.get(path);
            if status == 200 {
                return answer;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{path} does not become ready");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b, c] = [("a", "7"), ("b", "7"), ("c", "8")].map(|(name, seed)| simulate(&dir, name, &["--seed", seed]));
    for name in ["summary.json", "details.json", "uptime.json", "bandwidth.json", "weights.json"] {
        let bytes = |documents: &str| std::fs::read(Path::new(documents).join(name)).unwrap();
        assert_eq!(bytes(&a), bytes(&b), "{name}");
        assert_ne!(bytes(&a), bytes(&c), "{name}");
    }
}

#[test]
fn a_question_is_answered_by_kind_or_told_why_not() {
    let dir = tempfile::tempdir().unwrap();
    let documents = simulate(&dir, "documents", &[]);
    let store = path(&dir, "store.db");
    out(&["import", "onionoo", &documents, "--store", &store]);
    let report: Value = serde_json::from_str(&out(&["analyze", "--format", "json", "--store", &store])).unwrap();
    let fingerprint = report["relays"][0]["fingerprint"].as_str().unwrap().to_lowercase();
    let found =
        |question: &str| -> Value { serde_json::from_str(&out(&["search", question, "--format", "json", "--store", &store])).unwrap() };
    assert_eq!(found(&fingerprint)["exact"]["href"], format!("/relay/{}", fingerprint.to_uppercase()));
    assert_eq!(found("Germany")["exact"]["href"], "/country/de");
    assert_eq!(found("nobody-has-this")["found"].as_array().map(Vec::len), Some(0));
    let text = out(&["search", "flag:exit", "country:de", "--store", &store]);
    assert!(text.contains("Understood as flag Exit, and the country Germany") && text.contains("\nrelays ("), "{text}");
    assert!(out(&["search", "nobody-has-this", "--store", &store]).ends_with("Nothing is found\n"));
    for (question, told) in [("colour:red", "there are country:, as:"), ("\"Jane", "is not closed"), ("300.1.2.3", "an address such as")] {
        let told_now = reason(1, &["search", question, "--store", &store]);
        assert!(told_now.contains(told), "{question}: {told_now}");
    }
}

#[test]
fn documents_become_figures_and_figures_do_not_change() {
    let dir = tempfile::tempdir().unwrap();
    let documents = simulate(&dir, "documents", &[]);
    let [store, again] = ["one.db", "two.db"].map(|name| path(&dir, name));
    for store in [&store, &again] {
        out(&["import", "onionoo", &documents, "--store", store]);
    }
    // A second import of the same documents changes nothing.
    out(&["import", "onionoo", &documents, "--store", &again]);
    let json = |store: &str| out(&["analyze", "--format", "json", "--store", store]);
    assert_eq!(json(&store), json(&again));

    let report: Value = serde_json::from_str(&json(&store)).unwrap();
    assert_eq!(report["as_of"], "2026-01-01T00:00:00Z");
    let relays = report["relays"].as_array().unwrap();
    assert_eq!(relays.len() as u64, report["network"]["n_relays"].as_u64().unwrap());
    for relay in relays {
        assert_eq!(relay["fingerprint"].as_str().unwrap().len(), 40);
        for period in ["1_month", "6_months", "1_year", "5_years"] {
            let uptime = &relay["uptime"][period];
            assert!(uptime.is_null() || (0.0..=1.0).contains(&uptime.as_f64().unwrap()), "{relay}");
        }
    }
    assert!(out(&["analyze", "--store", &store]).starts_with("The Tor network as of the consensus of 2026-01-01T00:00:00Z\n"));
    out(&["store", "check", "--store", &store]);
    assert!(out(&["store", "stats", "--store", &store]).contains("details  as of 2026-01-01T00:00:00Z"));
    let copy = path(&dir, "copy.db");
    out(&["store", "backup", &copy, "--store", &store]);
    assert_eq!(json(&copy), json(&store));
}

#[test]
fn what_cannot_be_done_is_said_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let documents = simulate(&dir, "documents", &[]);
    let earlier = simulate(&dir, "earlier", &["--end", "2025-12-01T00:00:00Z"]);
    let store = path(&dir, "tor.db");
    out(&["import", "onionoo", &documents, "--store", &store]);
    let before = out(&["analyze", "--format", "json", "--store", &store]);

    let truncated = path(&dir, "details-truncated.json");
    let bytes = std::fs::read(Path::new(&documents).join("details.json")).unwrap();
    std::fs::write(&truncated, &bytes[..bytes.len() / 2]).unwrap();
    let text = path(&dir, "notes.txt");
    std::fs::write(&text, "no document").unwrap();
    let empty = path(&dir, "empty");
    std::fs::create_dir(&empty).unwrap();
    let cases: [(i32, &[&str], &str); 8] = [
        (2, &["analyse"], "For more information, try '--help'."),
        (2, &["simulate"], "For more information, try '--help'."),
        (1, &["analyze", "--store", &path(&dir, "none.db")], "there is no store at"),
        (1, &["store", "check", "--store", &text], "notes.txt"),
        (1, &["import", "onionoo", &truncated, "--store", &store], "truncated at byte"),
        (1, &["import", "onionoo", &text, "--store", &store], "notes.txt"),
        (1, &["import", "onionoo", &empty, "--store", &store], "holds no Onionoo documents"),
        (1, &["import", "onionoo", &earlier, "--store", &store], "is older than the stored one of 2026-01-01T00:00:00Z"),
    ];
    for (status, args, expected) in cases {
        let said = reason(status, args);
        assert!(said.contains(expected), "{args:?}: {said}");
    }
    assert_eq!(out(&["analyze", "--format", "json", "--store", &store]), before, "refused documents change nothing");

    let details = Path::new(&documents).join("details.json");
    let output = allium(&["import", "onionoo", "--store", &store]).arg(&details).env("ALLIUM_ONIONOO_MAX_BYTES", "1000").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("more than 1000 bytes"), "{}", String::from_utf8_lossy(&output.stderr));

    let output = allium(&["analyze", "--store", &store]).env("ALLIUM_STOER", "x").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("did you mean ALLIUM_STORE?"));
}

#[test]
fn ingest_fetches_once_and_notices_that_nothing_changed() {
    let dir = tempfile::tempdir().unwrap();
    let source = Server::start(&[&["simulate", "--listen", "127.0.0.1:0"], &SMALL[..]].concat(), "Onionoo documents at http://");
    let url = format!("http://{}", source.address);
    let store = path(&dir, "tor.db");
    let ingest = || String::from_utf8(run(&["ingest", "--onionoo-url", &url, "--store", &store]).stderr).unwrap();
    assert!(ingest().contains("details of 2026-01-01T00:00:00Z"));
    assert!(ingest().contains("details unchanged, uptime unchanged"));
    drop(source);
    let config = path(&dir, "allium.toml");
    std::fs::write(&config, format!("store = '{store}'\n[onionoo]\nurl = '{url}'\nretries = 0\n")).unwrap();
    assert!(reason(1, &["ingest", "--config", &config]).contains("2 of the documents could not be fetched"));
    assert!(out(&["analyze", "--config", &config]).contains("2026-01-01T00:00:00Z"));
}

#[test]
fn serve_answers_from_the_store_and_stops_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let documents = simulate(&dir, "documents", &[]);
    let store = path(&dir, "tor.db");
    out(&["import", "onionoo", &documents, "--store", &store]);
    let mut server = Server::start(&["serve", "--offline", "--listen", "127.0.0.1:0", "--store", &store], "Pages at http://");
    assert!(server.wait_for("/healthz").contains("\"as_of\":\"2026-01-01T00:00:00Z\""));
    for page in ["/", "/relays", "/data-quality", "/methods", "/api/v1/network", "/api/v1/relays.csv"] {
        assert_eq!(server.get(page).0, 200, "{page}");
    }
    assert_eq!(server.get("/nowhere").0, 404);
    let stopped = Command::new("kill").args(["-TERM", &server.child.id().to_string()]).status().unwrap();
    assert!(stopped.success());
    assert!(server.child.wait().unwrap().success());
}

#[test]
fn serve_keeps_itself_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    let source = Server::start(
        &[&["simulate", "--listen", "127.0.0.1:0", "--hour-every", "1"], &SMALL[..]].concat(),
        "Onionoo documents at http://",
    );
    let url = format!("http://{}", source.address);
    let config = path(&dir, "allium.toml");
    std::fs::write(&config, format!("store = '{}'\n[onionoo]\nurl = '{url}'\npoll_secs = 1\n", path(&dir, "tor.db"))).unwrap();
    let server = Server::start(&["serve", "--listen", "127.0.0.1:0", "--config", &config], "Pages at http://");
    let as_of =
        || serde_json::from_str::<Value>(server.wait_for("/api/v1/network").rsplit("\r\n\r\n").next().unwrap()).unwrap()["as_of"].clone();
    server.wait_for("/healthz");
    let first = as_of();
    let moved = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(200));
        as_of() != first
    });
    assert!(moved, "the pages still show {first}");
}

#[test]
fn prune_forgets_what_is_older_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let store = path(&dir, "tor.db");
    for (name, end) in [("earlier", "2025-12-01T00:00:00Z"), ("documents", "2026-01-01T00:00:00Z")] {
        out(&["import", "onionoo", &simulate(&dir, name, &["--end", end]), "--store", &store]);
    }
    let prune = |before: &str, more: &[&str]| run(&[&["store", "prune", "--store", &store, "--before", before], more].concat());
    let said = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();

    let refused = prune("2026-01-01T01:00:00Z", &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("has no consensus of 2026-01-01T01:00:00Z or later to keep"), "{}", said(&refused));
    assert!(out(&["store", "stats", "--store", &store]).contains("2  consensuses, 2025-12-01T00:00:00Z to 2026-01-01T00:00:00Z"));

    let pruned = prune("2025-12-02T00:00:00Z", &["--vacuum"]);
    assert!(pruned.status.success() && said(&pruned).contains(": 1 consensuses, "), "{}", said(&pruned));
    assert!(said(&pruned).lines().last().unwrap().ends_with(" before"), "{}", said(&pruned));
    assert!(out(&["store", "stats", "--store", &store]).contains("1  consensuses, 2026-01-01T00:00:00Z to 2026-01-01T00:00:00Z"));
    out(&["store", "check", "--store", &store]);
    let nothing = prune("2025-12-02T00:00:00Z", &[]);
    assert!(said(&nothing).contains(": 0 consensuses, 0 spans and 0 relays removed"), "{}", said(&nothing));

    let none = path(&dir, "none.db");
    assert!(reason(1, &["store", "prune", "--before", "2026-01-01T00:00:00Z", "--store", &none]).contains("there is no store at"));
    assert!(!Path::new(&none).exists(), "a misspelt name makes no store");
}

#[test]
fn a_store_of_an_older_allium_is_refused_with_the_command_that_helps() {
    let dir = tempfile::tempdir().unwrap();
    let store = path(&dir, "tor.db");
    let old = include_str!("../../../allium-history/testdata/v1.sql");
    rusqlite::Connection::open(&store).unwrap().execute_batch(old).unwrap();
    assert!(reason(1, &["analyze", "--store", &store]).contains("has format version 1; `allium store upgrade` brings it to version"));
    out(&["store", "upgrade", "--store", &store]);
    out(&["store", "check", "--store", &store]);
    out(&["analyze", "--store", &store]);
    out(&["store", "upgrade", "--store", &store]);
    let none = path(&dir, "none.db");
    assert!(reason(1, &["store", "upgrade", "--store", &none]).contains("there is no store at"));
}
