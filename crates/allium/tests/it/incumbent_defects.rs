//! Figures that the incumbent publishes wrongly, one test per defect: each states ours. Those that concern single figures are in
//! `allium-analysis`, those of groups in `incumbent_defects_groups.rs`.

#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use allium_analysis::leaderboards::Category;
use allium_analysis::{Issue, NetworkReport};
use allium_model::{Bounds, DocumentKind, OperatorId, Period, Quantity, RelayRecord};
use allium_server::router;
use allium_service::{Patch, Site, SiteInfo, View};
use allium_sources::onionoo::{Client, ClientOptions, Document, Fetched, decode};
use allium_testkit::relays::{as_of, contact, fingerprint, issues, record, relay, reports, uptime, with, with_graph};

/// A page of a site that shows these relays, asked for over a connection of its own.
fn page(relays: Vec<RelayRecord>, path: &str) -> String {
    let record = record(relays);
    let report = NetworkReport::compute(&record);
    let clock = Arc::new(|| "2026-02-16T00:10:00Z".parse().unwrap());
    let site = Site::new(SiteInfo { version: "0.0.0".to_owned(), ..SiteInfo::default() }, clock);
    site.publish([Patch::Network(Box::new(View::new(record, report)))]);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move { axum::serve(listener, router(site)).await });
    let answer = ask(address, path);
    runtime.shutdown_background();
    assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    answer
}

fn ask(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

/// A server that gives these answers, one per connection.
fn serve(answers: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
                request.push(byte[0]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    url
}

fn details(relays: &str) -> String {
    format!(
        "{{\"version\":\"8.0\",\"relays_published\":\"2026-02-15 23:00:00\",\"relays\":[{relays}],\
         \"bridges_published\":\"2026-02-15 23:00:00\",\"bridges\":[]}}"
    )
}

fn http(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\nLast-Modified: Sun, 15 Feb 2026 23:20:00 GMT\r\n\r\n{body}",
        body.len()
    )
}

/// Outcomes of so many visits to a server with these answers, and the copies kept afterwards.
fn visits(answers: Vec<String>, n: usize) -> (Vec<Result<Fetched, allium_sources::Error>>, Vec<Vec<u8>>) {
    let cache = tempfile::tempdir().unwrap();
    let options = ClientOptions { retries: 0, ..ClientOptions::new(serve(answers), cache.path().to_path_buf()) };
    let client = Client::new(options).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let fetched = (0..n).map(|_| runtime.block_on(client.fetch(DocumentKind::Details, None, Bounds::default()))).collect();
    let mut files: Vec<_> = std::fs::read_dir(cache.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    (fetched, files.iter().filter(|file| file.is_file()).map(|file| std::fs::read(file).unwrap()).collect())
}

#[test]
fn defect_01_a_document_that_did_not_change_is_served_from_the_cache() {
    let body = details("{\"fingerprint\":\"0011223344556677889900112233445566778899\"}");
    let (fetched, _) = visits(vec![http("200 OK", &body), http("304 Not Modified", "")], 2);
    for outcome in fetched {
        assert_eq!(outcome.unwrap().into_document().unwrap().bytes, body.as_bytes());
    }
}

#[test]
fn defect_02_an_empty_or_short_history_ends_in_no_data() {
    for relays in
        [vec![], vec![relay(1)], vec![uptime(relay(1), 1000), with_graph(relay(2), Quantity::Uptime, Period::OneMonth, 0.001, 0, &[1])]]
    {
        for path in ["/", "/statistics", "/leaderboards", "/operators"] {
            assert!(page(relays.clone(), path).contains("</html>"), "{path}");
        }
    }
}

#[test]
fn defect_03_a_setting_of_zero_is_zero() {
    let body = details("{\"fingerprint\":\"0011223344556677889900112233445566778899\"}");
    let (fetched, _) = visits(vec![http("503 Service Unavailable", ""), http("200 OK", &body)], 2);
    assert!(fetched[0].is_err() && fetched[1].is_ok(), "no repetition of what failed");
}

#[test]
fn defect_06_a_relay_that_no_consensus_lists_is_down_and_says_so() {
    let gone = with(relay(1), |relay| {
        relay.running = false;
        relay.last_seen = Some(as_of().plus(-33));
    });
    assert_eq!(issues(&gone)[0], Issue::NotRunning { last_seen: Some(as_of().plus(-33)), hours: Some(33) });
    let html = page(vec![gone], &format!("/relay/{}", fingerprint(1)));
    assert!(html.contains("class=\"st down\">Down") && !html.contains("class=\"st up\">Up"));
}

#[test]
fn defect_09_equals_stand_in_the_same_order_whatever_the_document_says_first() {
    let entry = |n: u16| {
        format!(
            "{{\"fingerprint\":\"{}\",\"running\":true,\"last_seen\":\"2026-02-15 23:00:00\",\"consensus_weight\":7,\"contact\":\"operator {n}\"}}",
            fingerprint(n)
        )
    };
    let ranking = |order: [u16; 3]| {
        let text = details(&order.map(entry).join(","));
        let document = decode(DocumentKind::Details, text.as_bytes(), "test", Bounds::default()).unwrap();
        let Document::Details(document) = document else { unreachable!() };
        let relays = document.relays.into_iter().map(|relay| RelayRecord { relay, spans: Vec::new(), published: Vec::new() }).collect();
        let (_, _, operators) = reports(relays);
        let id = |ranked: &allium_analysis::leaderboards::Ranked| operators.list()[ranked.operator_idx as usize].id.to_string();
        operators.leaderboards.ranking(Category::ConsensusWeight).iter().map(|ranked| (ranked.rank, id(ranked))).collect::<Vec<_>>()
    };
    let first = ranking([1, 2, 3]);
    assert_eq!(first.iter().map(|(rank, _)| *rank).collect::<Vec<_>>(), [1; 3]);
    assert_eq!(first, ranking([3, 1, 2]));
}

#[test]
fn defect_10_text_is_escaped_once() {
    for path in ["/operators".to_owned(), format!("/operator/{}", OperatorId::of_contact("Tom & Jerry <t@j.example>").unwrap())] {
        let html = page(vec![contact(1, "Tom & Jerry <t@j.example>")], &path);
        assert!(
            html.contains("Tom &amp; Jerry &lt;t@j.example&gt;") && !html.contains("&amp;amp;") && !html.contains("&amp;lt;"),
            "{path}"
        );
    }
}

#[test]
fn defect_11_rate_and_burst_are_told_apart() {
    let limited = with(relay(1), |relay| {
        relay.bandwidth_rate = Some(1_000_000);
        relay.bandwidth_burst = Some(2_000_000);
    });
    let html = page(vec![limited], &format!("/relay/{}", fingerprint(1)));
    assert!(html.contains("<dt>Rate limit</dt><dd>1.00 MB/s</dd>") && html.contains("<dt>Burst limit</dt><dd>2.00 MB/s</dd>"));
}

#[test]
fn defect_14_a_truncated_answer_replaces_nothing() {
    let body = details("{\"fingerprint\":\"0011223344556677889900112233445566778899\"}");
    let whole = http("200 OK", &body);
    let (first, kept) = visits(vec![whole.clone()], 1);
    assert!(first[0].is_ok() && !kept.is_empty());
    let truncated = http("200 OK", &body[..body.len() / 2]);
    let (both, kept_after) = visits(vec![whole, truncated], 2);
    assert!(both[0].is_ok() && both[1].is_err());
    assert!(kept_after.iter().any(|file| file.windows(body.len()).any(|part| part == body.as_bytes())), "the whole document is kept");
    assert_eq!(kept.len(), kept_after.len());
}

#[test]
fn defect_22_sentences_about_places_can_be_read() {
    let relays: Vec<RelayRecord> = (0..24).map(|n| uptime(contact(n, &format!("operator {n}")), 976 + n % 3)).collect();
    let html = page(relays, &format!("/operator/{}", OperatorId::of_contact("operator 2").unwrap()));
    assert!(html.contains("That is better than "), "{html}");
    for nonsense in ["Equal to than", "than than", "1th", "2th", "3th", "percentile of"] {
        assert!(!html.contains(nonsense), "{nonsense}");
    }
}
