//! The client against a server on loopback with a script, one connection after the other.

use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use allium_model::{Bounds, DocumentKind};
use allium_sources::Error;
use allium_sources::onionoo::client::FetchedDocument;
use allium_sources::onionoo::{Client, ClientOptions, Fetched};
use allium_sources::read::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::document;

const ENTRY: &str = r#"{"nickname":"alice","fingerprint":"0011223344556677889900112233445566778899"}"#;

/// Behaviour of a server for one connection.
#[derive(Clone)]
enum Answer {
    /// Sends these bytes and closes.
    Bytes(Vec<u8>),
    /// Waits for this long and closes.
    Silence(Duration),
    /// Plays a SOCKS5 proxy, then sends these bytes.
    Socks(Vec<u8>),
}

fn http(status: &str, headers: &str, body: &[u8]) -> Answer {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    Answer::Bytes([head.as_bytes(), body].concat())
}

fn ok(body: &[u8]) -> Answer {
    http("200 OK", "Last-Modified: Sun, 15 Feb 2026 19:20:00 GMT\r\n", body)
}

fn error(status: &str) -> Answer {
    http(status, "", b"<html>")
}

fn as_of(hour: u8) -> Vec<u8> {
    document(ENTRY).replace("18:00:00", &format!("{hour:02}:00:00")).into_bytes()
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

struct Server {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers in this order, then with the last answer for ever.
    async fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&requests);
        tokio::spawn(async move {
            for i in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let answer = answers[answers.len().min(i + 1) - 1].clone();
                let request = serve(stream, answer).await;
                log.lock().unwrap().push(request);
            }
        });
        Self { url, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, answer: Answer) -> String {
    if let Answer::Socks(_) = answer {
        let mut greeting = [0; 3];
        stream.read_exact(&mut greeting).await.unwrap();
        stream.write_all(&[5, 0]).await.unwrap();
        let mut start = [0; 5];
        stream.read_exact(&mut start).await.unwrap();
        // Address type 3: a name, which the proxy resolves.
        assert_eq!(start[..4], [5, 1, 0, 3]);
        let mut rest = vec![0; usize::from(start[4]) + 2];
        stream.read_exact(&mut rest).await.unwrap();
        stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
    }
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => break,
        }
    }
    match answer {
        // The client may have hung up already.
        Answer::Bytes(bytes) | Answer::Socks(bytes) => drop(stream.write_all(&bytes).await),
        Answer::Silence(duration) => tokio::time::sleep(duration).await,
    }
    String::from_utf8(request).unwrap().to_lowercase()
}

fn options(url: &str, cache: &Path) -> ClientOptions {
    let retry_pause = Duration::from_millis(1);
    ClientOptions { retries: 2, retry_pause, timeout: Duration::from_secs(20), ..ClientOptions::new(url, cache) }
}

/// Fetches details once per answer of a server, with one cache, and returns the last outcome.
async fn fetch_all(answers: Vec<Answer>, n: usize) -> (Vec<Result<Fetched, Error>>, Vec<String>) {
    let server = Server::start(answers).await;
    let cache = tempfile::tempdir().unwrap();
    let client = Client::new(options(&server.url, cache.path())).unwrap();
    let mut outcomes = Vec::new();
    for _ in 0..n {
        outcomes.push(client.fetch(DocumentKind::Details, None, Bounds::default()).await);
    }
    (outcomes, server.requests())
}

async fn fetch(answers: Vec<Answer>) -> (Result<Fetched, Error>, usize) {
    let (mut outcomes, requests) = fetch_all(answers, 1).await;
    (outcomes.remove(0), requests.len())
}

fn modified(outcome: Result<Fetched, Error>) -> FetchedDocument {
    match outcome {
        Ok(Fetched::Modified(document)) => document,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_document_is_fetched_with_gzip() {
    let answer = http("200 OK", "Content-Encoding: gzip\r\n", &gzip(&as_of(18)));
    let (mut outcomes, requests) = fetch_all(vec![answer], 1).await;
    let document = modified(outcomes.remove(0));
    assert_eq!(document.bytes, as_of(18));
    assert_eq!(document.published.to_string(), "2026-02-15T18:00:00Z");
    assert!(document.origin.ends_with("/details"));
    assert!(requests[0].starts_with("get /details http/1.1\r\n"), "{requests:?}");
    assert!(requests[0].contains("\r\naccept-encoding: gzip\r\n") && requests[0].contains("\r\nuser-agent: allium/"), "{requests:?}");
    assert!(!requests[0].contains("if-modified-since"));
}

#[tokio::test]
async fn a_document_that_did_not_change_comes_from_the_cache() {
    let answers = vec![ok(&as_of(18)), http("304 Not Modified", "", b"")];
    let (outcomes, requests) = fetch_all(answers, 2).await;
    let Ok(Fetched::NotModified(document)) = &outcomes[1] else { panic!("{outcomes:?}") };
    assert_eq!(document.bytes, as_of(18));
    assert_eq!(document.last_modified.as_deref(), Some("Sun, 15 Feb 2026 19:20:00 GMT"));
    assert!(requests[1].contains("\r\nif-modified-since: sun, 15 feb 2026 19:20:00 gmt\r\n"), "{requests:?}");
}

#[tokio::test]
async fn a_document_that_the_caller_holds_is_not_read_again() {
    let server = Server::start(vec![ok(&as_of(18)), http("304 Not Modified", "", b"")]).await;
    let cache = tempfile::tempdir().unwrap();
    let client = Client::new(options(&server.url, cache.path())).unwrap();
    let published = modified(client.fetch(DocumentKind::Details, None, Bounds::default()).await).published;
    let before = client.fetch(DocumentKind::Details, Some(published.plus(-1)), Bounds::default()).await.unwrap();
    assert_eq!(before.into_document().unwrap().bytes, as_of(18), "one that the cache has and the caller has not");
    // A reader of this notices, and asks the server again.
    std::fs::write(cache.path().join("details.body"), vec![0; as_of(18).len()]).unwrap();
    for held in [published, published.next()] {
        assert_eq!(client.fetch(DocumentKind::Details, Some(held), Bounds::default()).await.unwrap(), Fetched::Held);
    }
    let requests = server.requests();
    assert_eq!(requests.len(), 4);
    assert!(requests[1..].iter().all(|request| request.contains("if-modified-since")), "{requests:?}");
}

#[tokio::test]
async fn an_unasked_304_is_an_error() {
    let (outcome, n_requests) = fetch(vec![http("304 Not Modified", "", b"")]).await;
    assert!(matches!(outcome, Err(Error::Status { status: 304, .. })));
    assert_eq!(n_requests, 1);
}

#[tokio::test]
async fn a_damaged_cache_is_fetched_anew() {
    let server = Server::start(vec![ok(&as_of(18))]).await;
    let cache = tempfile::tempdir().unwrap();
    let client = Client::new(options(&server.url, cache.path())).unwrap();
    modified(client.fetch(DocumentKind::Details, None, Bounds::default()).await);
    for damage in [b"{".as_slice(), b""] {
        std::fs::write(cache.path().join("details.body"), damage).unwrap();
        assert_eq!(modified(client.fetch(DocumentKind::Details, None, Bounds::default()).await).bytes, as_of(18));
    }
    std::fs::write(cache.path().join("details.json"), b"{").unwrap();
    modified(client.fetch(DocumentKind::Details, None, Bounds::default()).await);
    assert!(server.requests().iter().all(|request| !request.contains("if-modified-since")));
}

#[tokio::test]
async fn a_cache_damaged_without_a_trace_is_fetched_anew() {
    let server = Server::start(vec![ok(&as_of(18)), http("304 Not Modified", "", b""), ok(&as_of(18))]).await;
    let cache = tempfile::tempdir().unwrap();
    let client = Client::new(options(&server.url, cache.path())).unwrap();
    modified(client.fetch(DocumentKind::Details, None, Bounds::default()).await);
    std::fs::write(cache.path().join("details.body"), vec![0; as_of(18).len()]).unwrap();
    assert_eq!(modified(client.fetch(DocumentKind::Details, None, Bounds::default()).await).bytes, as_of(18));
}

#[tokio::test]
async fn a_cached_document_that_lies_ahead_stands_in_the_way_of_no_true_one() {
    let of_2036 = String::from_utf8(as_of(18)).unwrap().replace("2026-02-15", "2036-02-15").into_bytes();
    let ahead = http("200 OK", "Last-Modified: Fri, 15 Feb 2036 19:20:00 GMT\r\n", &of_2036);
    let server = Server::start(vec![ahead.clone(), ahead, ok(&as_of(18)), http("304 Not Modified", "", b"")]).await;
    let cache = tempfile::tempdir().unwrap();
    let client = Client::new(options(&server.url, cache.path())).unwrap();
    // A clock that is wrong believes it and keeps it.
    modified(client.fetch(DocumentKind::Details, None, Bounds::default()).await);
    let bounds = Bounds::at("2026-02-15T19:30:00Z".parse().unwrap(), 7200);
    let refused = client.fetch(DocumentKind::Details, None, bounds).await.unwrap_err();
    assert!(refused.to_string().contains("relays_published 2036-02-15T18:00:00Z lies ahead"), "{refused}");
    assert_eq!(modified(client.fetch(DocumentKind::Details, None, bounds).await).bytes, as_of(18));
    assert!(matches!(client.fetch(DocumentKind::Details, None, bounds).await, Ok(Fetched::NotModified(_))));
    let requests = server.requests();
    assert!(!requests[1].contains("if-modified-since") && !requests[2].contains("if-modified-since"), "{requests:?}");
}

#[tokio::test]
async fn a_date_of_modification_that_lies_ahead_is_not_asked_with() {
    let ahead = http("200 OK", "Last-Modified: Fri, 15 Feb 2036 19:20:00 GMT\r\n", &as_of(18));
    let server = Server::start(vec![ahead, ok(&as_of(19))]).await;
    let cache = tempfile::tempdir().unwrap();
    let client = Client::new(options(&server.url, cache.path())).unwrap();
    let bounds = Bounds::at("2026-02-15T19:30:00Z".parse().unwrap(), 7200);
    modified(client.fetch(DocumentKind::Details, None, bounds).await);
    assert_eq!(modified(client.fetch(DocumentKind::Details, None, bounds).await).bytes, as_of(19));
    assert!(!server.requests()[1].contains("if-modified-since"));
}

#[tokio::test]
async fn the_cache_of_another_server_is_not_used() {
    let servers = [Server::start(vec![ok(&as_of(18))]).await, Server::start(vec![ok(&as_of(17))]).await];
    let cache = tempfile::tempdir().unwrap();
    for server in &servers {
        modified(Client::new(options(&server.url, cache.path())).unwrap().fetch(DocumentKind::Details, None, Bounds::default()).await);
    }
    assert!(!servers[1].requests()[0].contains("if-modified-since"));
}

#[tokio::test]
async fn server_errors_are_tried_again() {
    let (outcome, n_requests) = fetch(vec![error("500 Oops"), error("503 Maintenance"), ok(&as_of(18))]).await;
    modified(outcome);
    assert_eq!(n_requests, 3);
    let (outcome, n_requests) = fetch(vec![error("502 Bad Gateway")]).await;
    assert!(matches!(outcome, Err(Error::Status { status: 502, .. })));
    assert_eq!(n_requests, 3);
}

#[tokio::test]
async fn our_own_errors_are_not_tried_again() {
    for status in ["400 Bad Request", "404 Not Found", "429 Slow Down"] {
        let (outcome, n_requests) = fetch(vec![error(status)]).await;
        assert!(matches!(outcome, Err(Error::Status { .. })));
        assert_eq!(n_requests, 1);
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_tried_again() {
    let Answer::Bytes(whole) = ok(&as_of(18)) else { unreachable!() };
    let half = Answer::Bytes(whole[..whole.len() - 20].to_vec());
    let (outcome, n_requests) = fetch(vec![half.clone(), Answer::Bytes(Vec::new()), ok(&as_of(18))]).await;
    modified(outcome);
    assert_eq!(n_requests, 3);
    assert!(matches!(fetch(vec![half]).await, (Err(Error::Transport { .. }), 3)));
}

#[tokio::test]
async fn a_truncated_document_is_tried_again_and_never_kept() {
    let whole = as_of(19);
    let cut = ok(&whole[..whole.len() - 2]);
    let cut_gzip = http("200 OK", "Content-Encoding: gzip\r\n", &gzip(&whole)[..60]);
    let (mut outcomes, requests) = fetch_all(vec![ok(&as_of(18)), cut.clone(), cut_gzip, cut, http("304 Not Modified", "", b"")], 3).await;
    assert_eq!(requests.len(), 5);
    assert!(matches!(outcomes[1], Err(Error::Truncated { .. })), "{outcomes:?}");
    let Ok(Fetched::NotModified(kept)) = outcomes.remove(2) else { panic!("{outcomes:?}") };
    assert_eq!(kept.bytes, as_of(18));
}

#[tokio::test]
async fn an_older_document_never_replaces_a_newer_one() {
    let (mut outcomes, _) = fetch_all(vec![ok(&as_of(18)), ok(&as_of(17)), http("304 Not Modified", "", b"")], 3).await;
    let refused = outcomes[1].as_ref().unwrap_err().to_string();
    assert!(refused.ends_with("as of 2026-02-15T17:00:00Z, older than the stored document as of 2026-02-15T18:00:00Z"), "{refused}");
    let Ok(Fetched::NotModified(kept)) = outcomes.remove(2) else { panic!("{outcomes:?}") };
    assert_eq!(kept.bytes, as_of(18));
}

#[tokio::test]
async fn an_html_page_is_no_document() {
    let (outcome, n_requests) = fetch(vec![ok(b"<html>maintenance</html>")]).await;
    assert!(matches!(outcome, Err(Error::NotJson { .. })), "{outcome:?}");
    assert_eq!(n_requests, 1);
}

#[tokio::test]
async fn a_document_of_another_kind_is_refused() {
    let (outcome, _) = fetch(vec![ok(&super::read("uptime.json"))]).await;
    assert!(matches!(outcome, Err(Error::WrongKind { .. })), "{outcome:?}");
}

async fn check_too_large(answer: Answer) {
    let server = Server::start(vec![answer]).await;
    let cache = tempfile::tempdir().unwrap();
    let limits = Limits { max_compressed_bytes: 10_000, max_bytes: 20_000, max_ratio: 1000 };
    let client = Client::new(ClientOptions { limits, ..options(&server.url, cache.path()) }).unwrap();
    let outcome = client.fetch(DocumentKind::Details, None, Bounds::default()).await;
    assert!(matches!(outcome, Err(Error::TooLarge { .. })), "{outcome:?}");
    assert_eq!(server.requests().len(), 1);
    assert_eq!(std::fs::read_dir(cache.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn an_oversized_document_is_not_read_to_its_end() {
    check_too_large(ok(&[b' '; 20_001])).await;
    let endless = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".iter().copied().chain(std::iter::repeat_n(b' ', 1 << 20)).collect();
    check_too_large(Answer::Bytes(endless)).await;
    check_too_large(http("200 OK", "Content-Encoding: gzip\r\n", &[0; 10_001])).await;
}

#[tokio::test]
async fn a_bomb_on_the_wire_stops_at_the_cap() {
    check_too_large(http("200 OK", "Content-Encoding: gzip\r\n", &gzip(&vec![b' '; 1 << 20]))).await;
}

#[tokio::test]
async fn a_silent_server_times_out() {
    let server = Server::start(vec![Answer::Silence(Duration::from_secs(1))]).await;
    let cache = tempfile::tempdir().unwrap();
    let hasty = ClientOptions { timeout: Duration::from_millis(100), retries: 1, ..options(&server.url, cache.path()) };
    let start = Instant::now();
    let outcome = Client::new(hasty).unwrap().fetch(DocumentKind::Details, None, Bounds::default()).await;
    assert!(matches!(outcome, Err(Error::TimedOut { .. })), "{outcome:?}");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn redirects_stay_on_their_host() {
    let other = Server::start(vec![ok(&as_of(18))]).await;
    let moved = |to: &str| http("302 Found", &format!("Location: {to}\r\n"), b"");
    let (outcome, n_requests) = fetch(vec![moved(&other.url)]).await;
    assert!(matches!(outcome, Err(Error::Redirected { .. })), "{outcome:?}");
    assert_eq!((n_requests, other.requests().len()), (1, 0));
    let (outcome, n_requests) = fetch(vec![moved("/elsewhere"), ok(&as_of(18))]).await;
    modified(outcome);
    assert_eq!(n_requests, 2);
    assert!(matches!(fetch(vec![moved("/details")]).await.0, Err(Error::Redirected { .. })));
}

#[tokio::test]
async fn a_proxy_is_asked_to_resolve_names() {
    let proxy = Server::start(vec![match ok(&as_of(18)) {
        Answer::Bytes(bytes) => Answer::Socks(bytes),
        other => other,
    }])
    .await;
    let cache = tempfile::tempdir().unwrap();
    let address = proxy.url.replace("http://", "socks5h://");
    // Nothing listens on port 1: only the proxy can answer.
    let proxied = ClientOptions { proxy: Some(address), ..options("http://localhost:1", cache.path()) };
    modified(Client::new(proxied).unwrap().fetch(DocumentKind::Details, None, Bounds::default()).await);
}

#[tokio::test]
async fn a_base_address_may_have_a_path() {
    let server = Server::start(vec![ok(&as_of(18))]).await;
    let cache = tempfile::tempdir().unwrap();
    let client = Client::new(options(&format!("{}/mirror/", server.url), cache.path())).unwrap();
    modified(client.fetch(DocumentKind::Details, None, Bounds::default()).await);
    assert!(server.requests()[0].starts_with("get /mirror/details "));
}

#[test]
fn plain_http_is_for_this_machine_only() {
    let cache = tempfile::tempdir().unwrap();
    for url in ["http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080/mirror"] {
        assert!(Client::new(options(url, cache.path())).is_ok(), "{url}");
    }
    for url in ["http://onionoo.torproject.org", "http://localhost.example.org", "http://10.0.0.1", "ftp://127.0.0.1", "onionoo", ""] {
        assert!(matches!(Client::new(options(url, cache.path())), Err(Error::Option { .. })), "{url}");
    }
    let proxied = ClientOptions { proxy: Some("http://127.0.0.1:9050".to_owned()), ..options("http://localhost", cache.path()) };
    assert!(matches!(Client::new(proxied), Err(Error::Option { .. })));
}
