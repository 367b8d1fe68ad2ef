//! The directory protocol against servers of every kind.

use std::io::Write;
use std::time::Duration;

use allium_model::ConsensusHour;
use allium_sources::Error;
use allium_sources::consensus::Flavour;
use allium_sources::directory::{Directory, DirectoryOptions, HttpOptions, Verified};

use super::server::{Reply, Server};
use super::{good, read};
use allium_testkit::signing::{AUTHORITIES, certificates, signed, trusted};

const CONSENSUS: &str = "/tor/status-vote/current/consensus-microdesc";
const KEYS: &str = "/tor/keys/all";
/// The discard port, at which no server listens.
const UNREACHABLE: &str = "http://127.0.0.1:9";

fn newest() -> Vec<u8> {
    signed(&read("microdesc"), Flavour::Microdesc, &AUTHORITIES)
}

fn keys() -> Reply {
    Reply::Body(certificates(2025..2027).into_bytes(), None)
}

fn hour() -> ConsensusHour {
    good("microdesc").hour
}

async fn serving(consensus: Reply) -> Server {
    Server::start([(CONSENSUS, consensus), (KEYS, keys())]).await
}

fn directory(servers: &[&str]) -> Directory {
    let http = HttpOptions { timeout: Duration::from_millis(500), ..HttpOptions::default() };
    let servers = servers.iter().map(|server| (*server).to_owned()).collect();
    Directory::new(DirectoryOptions { servers, http, ..DirectoryOptions::of(trusted()) }).unwrap()
}

fn hour_of(fetched: Result<Option<Verified>, Error>) -> Option<ConsensusHour> {
    fetched.unwrap().map(|verified| verified.consensus.hour)
}

fn deflate(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_newer_consensus_with_good_signatures_is_accepted() {
    let server = serving(Reply::Body(newest(), None)).await;
    let verified = directory(&[&server.url]).fetch(Some(hour().plus(-1))).await.unwrap().unwrap();
    assert_eq!((verified.consensus.hour, verified.signers.len(), verified.consensus.entries.len()), (hour(), 3, 4));
    assert_eq!(server.asked_paths(), [CONSENSUS, KEYS]);
    assert_eq!(server.asked()[0].headers["if-modified-since"], "Sun, 15 Feb 2026 17:00:00 GMT");
    assert!(!server.asked()[0].headers.contains_key("cookie"));
}

#[tokio::test]
async fn every_compression_of_the_protocol_is_read() {
    let plain = newest();
    let zstd = zstd::encode_all(plain.as_slice(), 3).unwrap();
    let encoded = [(plain.clone(), None), (deflate(&plain), Some("deflate")), (zstd.clone(), Some("x-zstd")), (zstd, Some("zstd"))];
    for (body, encoding) in encoded {
        let server = serving(Reply::Body(body, encoding)).await;
        assert_eq!(hour_of(directory(&[&server.url]).fetch(None).await), Some(hour()), "{encoding:?}");
    }
}

#[tokio::test]
async fn what_is_known_is_not_fetched_again() {
    let server = serving(Reply::UnlessModified(newest())).await;
    let directory = directory(&[&server.url]);
    assert_eq!(hour_of(directory.fetch(Some(hour())).await), None);
    assert_eq!(server.asked_paths(), [CONSENSUS]);
}

#[tokio::test]
async fn a_stale_server_is_passed_over_for_a_newer_one() {
    let stale = serving(Reply::Body(newest(), None)).await;
    let later = String::from_utf8(read("microdesc")).unwrap().replace("valid-after 2026-02-15 18", "valid-after 2026-02-15 19");
    let fresh = serving(Reply::Body(signed(later.as_bytes(), Flavour::Microdesc, &AUTHORITIES), None)).await;
    let both = directory(&[&stale.url, &fresh.url]);
    assert_eq!(hour_of(both.fetch(Some(hour())).await), Some(hour().next()));
    assert_eq!(stale.asked_paths().len(), 1);
    assert_eq!(hour_of(directory(&[&stale.url]).fetch(Some(hour())).await), None);
}

#[tokio::test]
async fn few_servers_are_asked_in_vain_and_each_visit_begins_with_another() {
    let mut servers = Vec::new();
    for _ in 0..5 {
        servers.push(serving(Reply::UnlessModified(newest())).await);
    }
    let directory = directory(&servers.iter().map(|server| server.url.as_str()).collect::<Vec<_>>());
    for _ in 0..5 {
        assert_eq!(hour_of(directory.fetch(Some(hour())).await), None);
    }
    assert!(servers.iter().all(|server| server.asked().len() == 2));
}

#[tokio::test]
async fn an_unreachable_or_slow_first_server_costs_time_only() {
    let slow = serving(Reply::Silence(Duration::from_secs(60))).await;
    let broken = serving(Reply::Status(503)).await;
    let good = serving(Reply::Body(newest(), None)).await;
    let fetched = directory(&[UNREACHABLE, &slow.url, &broken.url, &good.url]).fetch(None).await;
    assert_eq!(hour_of(fetched), Some(hour()));
}

#[tokio::test]
async fn bad_answers_are_refused_and_named() {
    let ns = signed(&read("ns"), Flavour::Ns, &AUTHORITIES);
    let whole = newest();
    let tampered = String::from_utf8(whole.clone()).unwrap().replace("Bandwidth=610", "Bandwidth=6100").into_bytes();
    let cut = whole[..whole.len() / 2].to_vec();
    let compressed = deflate(&whole);
    let bomb = deflate(&vec![b'n'; 80 << 20]);
    let cases = [
        (Reply::Body(cut, None), "truncated at byte"),
        (Reply::Body(compressed[..compressed.len() / 2].to_vec(), Some("deflate")), "damaged zlib data"),
        (Reply::Body(tampered, None), "good signatures of 0 authorities, 2 are needed (0 lack a certificate)"),
        (Reply::Body(signed(&read("microdesc"), Flavour::Microdesc, &AUTHORITIES[..1]), None), "good signatures of 1 authorities"),
        (Reply::Body(ns, None), "expected a consensus of flavour microdesc, found ns"),
        (Reply::Body(vec![b'n'; (64 << 20) + 1], None), "more than 67108864 bytes"),
        (Reply::Body(bomb, Some("deflate")), "bytes after decompression"),
        (Reply::Body(b"<html>".to_vec(), None), "not a consensus, it begins with: <html>"),
        (Reply::Body(Vec::new(), None), "empty"),
        (Reply::Status(404), "HTTP status 404"),
        (Reply::Status(302), "HTTP status 302"),
        (Reply::Status(304), "HTTP status 304"),
        (Reply::Silence(Duration::from_secs(60)), "timed out"),
    ];
    for (reply, expected) in cases {
        let server = serving(reply).await;
        let error = directory(&[&server.url]).fetch(None).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error} for {expected}");
        // A good server makes up for it.
        let good = serving(Reply::Body(newest(), None)).await;
        assert_eq!(hour_of(directory(&[&server.url, &good.url]).fetch(None).await), Some(hour()), "{expected}");
    }
}

#[tokio::test]
async fn without_certificates_nothing_is_accepted() {
    for keys in [Reply::Status(404), Reply::Body(Vec::new(), None), Reply::Body(certificates(2020..2021).into_bytes(), None)] {
        let server = Server::start([(CONSENSUS, Reply::Body(newest(), None)), (KEYS, keys)]).await;
        assert!(directory(&[&server.url]).fetch(None).await.is_err());
    }
}

#[tokio::test]
async fn certificates_are_fetched_once() {
    let server = serving(Reply::Body(newest(), None)).await;
    let directory = directory(&[&server.url]);
    assert!(directory.certificates().is_empty());
    for _ in 0..3 {
        assert_eq!(hour_of(directory.fetch(None).await), Some(hour()));
    }
    assert_eq!(server.asked_paths().iter().filter(|path| *path == KEYS).count(), 1);
    assert_eq!(directory.certificates().len(), 3);
}

#[test]
fn options_that_cannot_work_are_refused() {
    let with = |servers: &[&str]| DirectoryOptions {
        servers: servers.iter().map(|server| (*server).to_owned()).collect(),
        ..DirectoryOptions::default()
    };
    for servers in [&[][..], &["ftp://example.org"], &["nowhere"]] {
        assert!(matches!(Directory::new(with(servers)), Err(Error::Option { .. })), "{servers:?}");
    }
    assert!(Directory::new(DirectoryOptions { trusted: Vec::new(), ..DirectoryOptions::default() }).is_err());
    assert_eq!(DirectoryOptions::default().servers.len(), 9);
}
