//! Where the program listens, and settings that it refuses before it does anything.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Output};

use crate::support::running::Running;

fn path(dir: &Path, name: &str) -> String {
    dir.join(name).to_str().unwrap().to_owned()
}

/// A store without anything in it.
fn empty_store(dir: &Path) -> String {
    let store = path(dir, "tor.db");
    allium_history::StoreUrl::from(Path::new(&store)).open().unwrap();
    store
}

fn serve<'a>(store: &'a str, places: &[&'a str]) -> Vec<&'a str> {
    let listen = places.iter().flat_map(|place| ["--listen", place]);
    ["serve", "--offline", "--store", store].into_iter().chain(listen).collect()
}

fn ended(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_allium")).args(args).env_remove("ALLIUM_CONFIG").output().unwrap()
}

/// What the program says that ends with an error.
fn refusal(args: &[&str], environment: &[(&str, &str)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_allium"));
    let output = command.args(args).env_remove("ALLIUM_CONFIG").envs(environment.iter().copied()).output().unwrap();
    assert!(!output.status.success(), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn ask(socket: &str, request: &str) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_name_stands_for_its_addresses() {
    let dir = tempfile::tempdir().unwrap();
    let store = empty_store(dir.path());
    let mut running = Running::start(&serve(&store, &["localhost:0"]), "Pages at http://");
    assert!(running.url.starts_with("http://127.0.0.1:") || running.url.starts_with("http://[::1]:"), "{}", running.url);
    assert_eq!(running.get("/healthz")["status"], "no data");
    assert!(running.stop().success());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = taken.local_addr().unwrap().to_string();
    let error = refusal(&serve(&store, &[&place]), &[]);
    assert!(error.contains(&format!("cannot listen on {place}")) && error.contains("in use"), "{error}");
    let error = refusal(&serve(&store, &["nowhere.invalid:80"]), &[]);
    assert!(error.contains("cannot listen on nowhere.invalid:80"), "{error}");
}

#[test]
fn a_unix_socket_is_a_door_beside_others_and_is_removed_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let (store, socket) = (empty_store(dir.path()), path(dir.path(), "allium.sock"));
    // A program that was killed left it.
    drop(UnixListener::bind(&socket).unwrap());
    let place = format!("unix:{socket}");
    let mut running = Running::start(&serve(&store, &[&place, "127.0.0.1:0"]), "Pages at http://");
    assert!(running.said.contains(&format!("Pages at {place}")), "{:?}", running.said);
    let found = std::fs::metadata(&socket).unwrap();
    assert!(found.file_type().is_socket());
    assert_eq!(found.permissions().mode() & 0o777, 0o666);
    let answer = ask(&socket, "GET /methods/ HTTP/1.0\r\nHost: tor.example\r\nX-Forwarded-Prefix: /allium\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.0 308") && answer.to_lowercase().contains("location: /allium/methods"), "{answer}");
    assert_eq!(running.get("/healthz")["status"], "no data");
    let error = refusal(&serve(&store, &[&place]), &[]);
    assert!(error.contains(&format!("cannot listen on {place}: another program answers there")), "{error}");
    assert!(running.stop().success());
    assert!(!Path::new(&socket).exists(), "the socket stays behind");
}

#[test]
fn a_file_that_is_no_socket_stays() {
    let dir = tempfile::tempdir().unwrap();
    let (store, file) = (empty_store(dir.path()), path(dir.path(), "notes.txt"));
    std::fs::write(&file, "mine").unwrap();
    let error = refusal(&serve(&store, &[&format!("unix:{file}")]), &[]);
    assert!(error.contains("there is a file that is no socket"), "{error}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    let error = refusal(&serve(&store, &[&format!("unix:{}/no/such/folder.sock", dir.path().display())]), &[]);
    assert!(error.contains("cannot listen on unix:"), "{error}");
}

#[test]
fn an_address_without_a_scheme_is_refused_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let store = empty_store(dir.path());
    let config = path(dir.path(), "allium.toml");
    let expected = "expected an address such as https://tor.example, found \"relays.example\"";
    std::fs::write(&config, "address = \"relays.example\"\n").unwrap();
    let error = refusal(&["serve", "--offline", "--config", &config, "--store", &store], &[]);
    assert!(error.contains(&format!("{config}: address: {expected}")), "{error}");
    let error = refusal(&["serve", "--offline", "--store", &store], &[("ALLIUM_ADDRESS", "relays.example")]);
    assert!(error.contains(&format!("environment variable ALLIUM_ADDRESS: {expected}")), "{error}");
    let error = refusal(&["serve", "--offline", "--store", &store, "--address", "relays.example"], &[]);
    assert!(error.contains("--address") && error.contains(expected), "{error}");
}

#[test]
fn other_settings_are_refused_at_the_start_too() {
    let dir = tempfile::tempdir().unwrap();
    let store = path(dir.path(), "none.db");
    for (name, value, expected) in [
        ("ALLIUM_ONIONOO_URL", "onionoo.example", "expected https://HOST"),
        ("ALLIUM_COLLECTOR_URL", "ftp://collector.example", "expected https://HOST"),
        ("ALLIUM_DIRECTORY_URLS", "http://192.0.2.1:80, 192.0.2.2:80", "expected https://HOST"),
        ("ALLIUM_ONIONOO_PROXY", "127.0.0.1:9050", "expected socks5h://HOST:PORT"),
        ("ALLIUM_PROOFS_RESOLVERS", "dns.example", "expected ADDRESS or ADDRESS:PORT"),
        ("ALLIUM_TRUSTED_PROXIES", "10.0.0.0/40", "expected an address, a prefix"),
        ("ALLIUM_LISTEN", "8080", "expected ADDRESS:PORT, NAME:PORT or unix:PATH"),
        ("ALLIUM_SOURCES", "onionoo,bridges", "expected some of directory, collector, onionoo"),
        ("ALLIUM_ONIONOO_DOCUMENTS", "clients", "expected some of"),
        ("ALLIUM_ONIONOO_TIMEOUT_SECS", "0", "expected a whole number from 1 on"),
    ] {
        let error = refusal(&["serve", "--offline", "--store", &store], &[(name, value)]);
        assert!(error.contains(&format!("environment variable {name}: ")) && error.contains(expected), "{name}: {error}");
    }
    let help = String::from_utf8(ended(&["help", "serve"]).stdout).unwrap();
    assert!(help.contains("--address") && help.contains("unix:PATH"), "{help}");
}
