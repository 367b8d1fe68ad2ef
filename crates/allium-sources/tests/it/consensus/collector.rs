//! CollecTor's recent documents, from a server of our own.

use std::collections::BTreeSet;
use std::io::Write;
use std::time::Duration;

use allium_model::ConsensusHour;
use allium_sources::Error;
use allium_sources::collector::{Collector, CollectorOptions, HttpOptions, Visit};
use allium_sources::consensus::Flavour;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::server::{Reply, Server};
use super::{good, read};
use allium_testkit::signing::{AUTHORITIES, certificates, signed, trusted};

const INDEX: &str = "/index/index.json.gz";
const DIR: &str = "/recent/relay-descriptors/microdescs/consensus-microdesc/";
const CERTIFICATES: &str = "/recent/relay-descriptors/certs/2026-01-01-00-00-00-certs";

fn at(hour: u8) -> Vec<u8> {
    let text =
        String::from_utf8(read("microdesc")).unwrap().replace("valid-after 2026-02-15 18", &format!("valid-after 2026-02-15 {hour:02}"));
    signed(text.as_bytes(), Flavour::Microdesc, &AUTHORITIES)
}

fn name(hour: u8) -> String {
    format!("2026-02-15-{hour:02}-00-00-consensus-microdesc")
}

fn hour(hour: u8) -> ConsensusHour {
    good("microdesc").hour.plus(i32::from(hour) - 18)
}

/// An index of these files: name and content from which the digest is made.
fn index(files: &[(String, &[u8])]) -> Vec<u8> {
    let files: Vec<String> = files
        .iter()
        .map(|(name, content)| {
            let digest = STANDARD.encode(Sha256::digest(content));
            format!(
                r#"{{"path":"{name}","size":{},"last_modified":"2026-02-15 18:05","types":["x 1.0"],"sha256":"{digest}"}}"#,
                content.len()
            )
        })
        .collect();
    let json = format!(
        r#"{{"index_created":"2026-02-15 18:06","path":"https://collector.torproject.org","files":[{{"path":"README"}}],"directories":[
        {{"path":"archive","directories":[]}},
        {{"path":"recent","directories":[{{"path":"relay-descriptors","directories":[
          {{"path":"certs","files":[{{"path":"2026-01-01-00-00-00-certs","size":1}},{{"path":"../../../passwd"}}]}},
          {{"path":"consensuses","files":[{{"path":"2026-02-15-18-00-00-consensus"}}]}},
          {{"path":"microdescs","directories":[{{"path":"consensus-microdesc","files":[{}]}},{{"path":"micro"}}]}}]}}]}}]}}"#,
        files.join(",")
    );
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(json.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// A server with the consensuses of these hours.
async fn serving(hours: &[u8]) -> Server {
    let documents: Vec<(String, Vec<u8>)> = hours.iter().map(|hour| (name(*hour), at(*hour))).collect();
    let files: Vec<(String, &[u8])> = documents.iter().map(|(name, document)| (name.clone(), document.as_slice())).collect();
    let server = Server::start([(INDEX, Reply::Body(index(&files), None))]).await;
    server.set(CERTIFICATES, Reply::Body(format!("@type dir-key-certificate-3 1.0\n{}", certificates(2025..2027)).into_bytes(), None));
    for (name, document) in documents {
        server.set(&format!("{DIR}{name}"), Reply::Body(document, None));
    }
    server
}

fn collector(server: &Server) -> Collector {
    let http = HttpOptions { timeout: Duration::from_millis(500), ..HttpOptions::default() };
    let options = CollectorOptions { base_url: server.url.clone(), trusted: trusted(), http, ..CollectorOptions::default() };
    Collector::new(options).unwrap()
}

fn hours(visit: &Visit) -> Vec<ConsensusHour> {
    visit.consensuses.iter().map(|verified| verified.consensus.hour).collect()
}

#[tokio::test]
async fn hours_that_are_not_known_are_fetched_in_order() {
    let server = serving(&[17, 15, 18, 16]).await;
    let known = BTreeSet::from([hour(16)]);
    let visit = collector(&server).fetch(&|hour| known.contains(&hour)).await.unwrap();
    assert_eq!(hours(&visit), [hour(15), hour(17), hour(18)]);
    assert!(visit.failures.is_empty() && visit.consensuses.iter().all(|verified| verified.signers.len() == 3));
    assert!(!server.asked_paths().iter().any(|path| path.contains("16-00-00") || path.contains("passwd")));
    assert_eq!(server.asked_paths().iter().filter(|path| *path == CERTIFICATES).count(), 1);
}

#[tokio::test]
async fn nothing_but_the_index_is_fetched_when_all_is_known() {
    let server = serving(&[17, 18]).await;
    let visit = collector(&server).fetch(&|_| true).await.unwrap();
    assert_eq!((visit.consensuses.len(), server.asked_paths()), (0, vec![INDEX.to_owned()]));
}

#[tokio::test]
async fn a_file_that_is_not_what_the_index_says_costs_itself() {
    let server = serving(&[14, 15, 16, 17, 18]).await;
    let tampered = String::from_utf8(at(14)).unwrap().replace("Bandwidth=610", "Bandwidth=611").into_bytes();
    let unsigned = signed(&at(16), Flavour::Microdesc, &AUTHORITIES[..1]);
    let wrong_hour = at(12);
    let listed: [(String, &[u8]); 5] =
        [(name(14), &tampered), (name(15), &at(15)), (name(16), &unsigned), (name(17), &wrong_hour), (name(18), &at(18))];
    server.set(INDEX, Reply::Body(index(&listed), None));
    server.set(&format!("{DIR}{}", name(14)), Reply::Body(tampered, None));
    server.set(&format!("{DIR}{}", name(15)), Reply::Body(at(15)[..2000].to_vec(), None));
    server.set(&format!("{DIR}{}", name(16)), Reply::Body(unsigned, None));
    server.set(&format!("{DIR}{}", name(17)), Reply::Body(wrong_hour, None));
    let visit = collector(&server).fetch(&|_| false).await.unwrap();
    assert_eq!(hours(&visit), [hour(18)]);
    let failures: Vec<String> = visit.failures.iter().map(|(_, error)| error.to_string()).collect();
    let expected = ["good signatures of 0", "SHA-256 differs from the index", "good signatures of 1", "found that of 2026-02-15T12:00:00Z"];
    assert_eq!(failures.len(), expected.len());
    for (failure, expected) in failures.iter().zip(expected) {
        assert!(failure.contains(expected), "{failure}");
    }
}

#[tokio::test]
async fn missing_slow_and_oversized_files_cost_themselves() {
    let server = serving(&[15, 16, 17, 18]).await;
    server.set(&format!("{DIR}{}", name(15)), Reply::Status(404));
    server.set(&format!("{DIR}{}", name(16)), Reply::Silence(Duration::from_secs(60)));
    server.set(&format!("{DIR}{}", name(17)), Reply::Body(vec![b'n'; (64 << 20) + 1], None));
    let visit = collector(&server).fetch(&|_| false).await.unwrap();
    assert_eq!((hours(&visit), visit.failures.len()), (vec![hour(18)], 3));
}

#[tokio::test]
async fn a_bad_index_is_an_error() {
    let whole = index(&[(name(18), &at(18))]);
    let cases = [
        Reply::Status(500),
        Reply::Body(whole[..whole.len() / 2].to_vec(), None),
        Reply::Body(br#"{"path":"x","directories":[{"path":"recent""#.to_vec(), None),
        Reply::Body(br#"{"path":1}"#.to_vec(), None),
        Reply::Body(b"<html>".to_vec(), None),
        Reply::Body([b"[".repeat(100_000), b"]".repeat(100_000)].concat(), None),
        Reply::Silence(Duration::from_secs(60)),
    ];
    for reply in cases {
        let server = Server::start([(INDEX, reply.clone())]).await;
        assert!(collector(&server).fetch(&|_| false).await.is_err(), "{reply:?}");
    }
}

#[tokio::test]
async fn names_of_another_pattern_are_passed_over() {
    let document = at(18);
    let names = [
        "../../2026-02-15-18-00-00-consensus-microdesc",
        "2026-02-15-18-00-00-consensus",
        "2026-02-15-18-30-00-consensus-microdesc",
        "2026-02-30-18-00-00-consensus-microdesc",
        "x",
        "é",
        "2026-02-15-18-00-00-consensus-microdesc/..",
        "",
    ];
    let files: Vec<(String, &[u8])> = names.iter().map(|name| ((*name).to_owned(), document.as_slice())).collect();
    let server = Server::start([(INDEX, Reply::Body(index(&files), None))]).await;
    let visit = collector(&server).fetch(&|_| false).await.unwrap();
    assert_eq!((visit.consensuses.len(), visit.failures.len(), server.asked_paths().len()), (0, 0, 1));
}

#[tokio::test]
async fn certificates_from_elsewhere_serve_as_well() {
    let server = serving(&[18]).await;
    server.set(CERTIFICATES, Reply::Status(404));
    let collector = collector(&server);
    let visit = collector.fetch(&|_| false).await.unwrap();
    assert!(matches!(visit.failures[0].1, Error::Unverified { n_missing: 3, .. }));
    let mut others = allium_sources::consensus::verify::Certificates::default();
    others.add(certificates(2025..2027).as_bytes(), "elsewhere", &trusted());
    collector.add_certificates(&others);
    assert_eq!(hours(&collector.fetch(&|_| false).await.unwrap()), [hour(18)]);
}

#[test]
fn plain_http_is_for_loopback_only() {
    let with = |url: &str| CollectorOptions { base_url: url.to_owned(), ..CollectorOptions::default() };
    assert!(Collector::new(with("http://collector.torproject.org")).is_err());
    assert!(Collector::new(with("https://collector.torproject.org")).is_ok());
    assert!(Collector::new(CollectorOptions { trusted: Vec::new(), ..CollectorOptions::default() }).is_err());
}

#[tokio::test]
async fn a_bad_entry_of_an_index_costs_itself_and_is_named() {
    let server = serving(&[17, 18]).await;
    let mut whole = String::new();
    std::io::Read::read_to_string(
        &mut flate2::read::GzDecoder::new(index(&[(name(17), &at(17)), (name(18), &at(18))]).as_slice()),
        &mut whole,
    )
    .unwrap();
    let listed = format!(r#"{{"path":"{}""#, name(18));
    let broken = whole
        .replace(r#"{"path":"archive","directories":[]}"#, r#"17,{"path":["archive"]}"#)
        .replace(&listed, &format!(r#"null,{{"path":18}},{{"path":"{}","sha256":[]}},{listed}"#, name(16)));
    server.set(INDEX, Reply::Body(broken.into_bytes(), None));
    let visit = collector(&server).fetch(&|_| false).await.unwrap();
    assert_eq!(hours(&visit), [hour(17), hour(18)]);
    let failures: Vec<String> = visit.failures.iter().map(|(_, error)| error.to_string()).collect();
    assert_eq!(failures, ["index: entries that cannot be read: 5; the others are used"]);
}
