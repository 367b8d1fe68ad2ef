//! The simulated Onionoo service as clients see it, over real sockets.
#![allow(clippy::unwrap_used)]

use std::io::Read;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use allium_model::ConsensusHour;
use allium_simulate::consensus::{Flavour, certificates, document};
use allium_simulate::presence::write_presence;
use allium_simulate::serve::{Fault, Faults, Handle, ServeOptions, serve};
use allium_simulate::{Network, Options};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

fn end() -> ConsensusHour {
    "2026-02-15T18:00:00Z".parse().unwrap()
}

struct Server {
    address: std::net::SocketAddr,
    network: Handle,
    faults: Faults,
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.split_once(": ").filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

fn network() -> Network {
    Network::generate(&Options { n_relays: 40, history_days: 12, ..Options::new(5, end()) })
}

async fn start(hour_every: Option<Duration>) -> Server {
    let network: Handle = Arc::new(RwLock::new(network()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let options = ServeOptions { hour_every, ..ServeOptions::default() };
    let faults = options.faults.clone();
    tokio::spawn(serve(network.clone(), listener, options));
    Server { address, network, faults }
}

impl Server {
    async fn get(&self, target: &str) -> Answer {
        self.request("GET", target, "").await
    }

    async fn request(&self, method: &str, target: &str, headers: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        let at = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..at].to_vec()).unwrap();
        Answer { status: head[9..12].parse().unwrap(), head, body: bytes[at + 4..].to_vec() }
    }
}

#[tokio::test]
async fn each_document_is_served_whole_and_unknown_paths_are_not_found() {
    let server = start(None).await;
    for path in ["/summary", "/details", "/bandwidth", "/weights", "/uptime", "/clients"] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=2700"));
        assert_eq!(answer.json()["relays_published"], "2026-02-15 18:00:00");
        assert_eq!(answer.json()["relays"].as_array().unwrap().is_empty(), path == "/clients");
    }
    for path in ["/", "/details.json", "/details/", "/history"] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
    assert_eq!(server.request("POST", "/details", "Content-Length: 0\r\n").await.status, 405);
}

#[tokio::test]
async fn the_served_document_is_the_written_one() {
    let server = start(None).await;
    let served = server.get("/details").await.body;
    let mut written = Vec::new();
    allium_simulate::onionoo::document(&server.network.read().unwrap(), allium_model::DocumentKind::Details, &mut written).unwrap();
    assert_eq!(served, written);
}

#[tokio::test]
async fn unchanged_documents_are_answered_with_304_until_the_next_consensus() {
    let server = start(None).await;
    let modified = server.get("/summary").await.header("last-modified").unwrap().to_owned();
    assert_eq!(modified, "Sun, 15 Feb 2026 19:15:00 GMT");
    let header = format!("If-Modified-Since: {modified}\r\n");
    let answer = server.request("GET", "/summary", &header).await;
    assert_eq!((answer.status, answer.body.len()), (304, 0));
    server.network.write().unwrap().advance();
    let answer = server.request("GET", "/summary", &header).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["relays_published"], "2026-02-15 19:00:00");
}

#[tokio::test]
async fn large_bodies_are_compressed_for_those_who_accept_it() {
    let server = start(None).await;
    let plain = server.get("/details").await;
    assert_eq!(plain.header("content-encoding"), None);
    let compressed = server.request("GET", "/details", "Accept-Encoding: br, gzip;q=0.8\r\n").await;
    assert_eq!(compressed.header("content-encoding"), Some("gzip"));
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&compressed.body[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain.body);
    assert_eq!(server.request("GET", "/details", "Accept-Encoding: gzip;q=0\r\n").await.header("content-encoding"), None);
    assert_eq!(server.request("GET", "/clients", "Accept-Encoding: gzip\r\n").await.header("content-encoding"), None);
}

#[tokio::test]
async fn parameters_select_relays_and_fields() {
    let server = start(None).await;
    let all = server.get("/details").await.json();
    let relays = all["relays"].as_array().unwrap();
    let fingerprint = relays[3]["fingerprint"].as_str().unwrap();
    let server = &server;
    let n = |target: String| async move {
        let json = server.get(&target).await.json();
        json["relays"].as_array().unwrap().len()
    };
    assert_eq!(n(format!("/details?lookup={fingerprint}")).await, 1);
    assert_eq!(n(format!("/uptime?search={}", fingerprint[..12].to_lowercase())).await, 1);
    assert_eq!(n("/details?type=bridge".into()).await, 0);
    let running = relays.iter().filter(|relay| relay["running"] == true).count();
    assert_eq!(n("/summary?running=true".into()).await, running);
    assert_eq!(n("/summary?running=false".into()).await, relays.len() - running);
    assert_eq!(n("/summary?flag=authority".into()).await, 9);
    let page = server.get("/details?offset=2&limit=3&fields=fingerprint,running").await.json();
    assert_eq!((&page["relays_skipped"], &page["relays_truncated"]), (&2.into(), &(relays.len() - 5).into()));
    assert_eq!(page["relays"][1].as_object().unwrap().keys().collect::<Vec<_>>(), ["fingerprint", "running"]);
    assert_eq!(page["relays"][1]["fingerprint"], fingerprint);
    for bad in ["/details?unknown=1", "/details?limit", "/details?fingerprint=00", "/details?limit=many"] {
        assert_eq!(server.get(bad).await.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn faults_happen_once_each_where_they_are_scripted() {
    let server = start(None).await;
    server.faults.push_for("/uptime", Fault::Status(503));
    server.faults.push(Fault::Html);
    server.faults.push_for("/details", Fault::Truncated(1000));
    server.faults.push_for("/details", Fault::Older(5));
    let page = server.get("/summary").await;
    assert_eq!((page.status, &page.body[..6]), (200, &b"<html>"[..]));
    assert_eq!(server.get("/uptime").await.status, 503);
    assert_eq!(server.get("/details").await.body.len(), 1000);
    let older = server.get("/details").await;
    assert_eq!(older.json()["relays_published"], "2026-02-15 13:00:00");
    assert_eq!(older.header("last-modified"), Some("Sun, 15 Feb 2026 14:15:00 GMT"));
    assert_eq!(server.faults.remaining(), 0);
    assert_eq!(server.get("/uptime").await.status, 200);
}

#[tokio::test]
async fn accelerated_time_brings_consensuses() {
    let server = start(Some(Duration::from_millis(20))).await;
    for _ in 0..200 {
        if server.get("/summary?limit=0").await.json()["relays_published"] != "2026-02-15 18:00:00" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no consensus came");
}

#[tokio::test]
async fn only_the_loopback_interface_is_served() {
    let network: Handle = Arc::new(RwLock::new(Network::generate(&Options { n_relays: 10, history_days: 1, ..Options::new(5, end()) })));
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    assert!(serve(network, listener, ServeOptions::default()).await.is_err());
}

#[tokio::test]
async fn directory_servers_serve_the_newest_consensus_and_certificates_compressed_as_asked() {
    let server = start(None).await;
    for (flavour, path) in [(Flavour::Ns, "consensus"), (Flavour::Microdesc, "consensus-microdesc")] {
        let expected = document(&server.network.read().unwrap(), end(), flavour).unwrap().into_bytes();
        let path = format!("/tor/status-vote/current/{path}");
        let plain = server.get(&path).await;
        assert_eq!(
            (plain.status, plain.header("content-encoding"), plain.header("last-modified")),
            (200, None, Some("Sun, 15 Feb 2026 18:00:00 GMT"))
        );
        assert!(plain.body == expected);
        for (accepted, encoding) in
            [("identity", None), ("gzip", Some("gzip")), ("deflate, gzip", Some("deflate")), ("x-zstd, deflate", Some("x-zstd"))]
        {
            let answer = server.request("GET", &path, &format!("Accept-Encoding: {accepted}\r\n")).await;
            assert_eq!(answer.header("content-encoding"), encoding);
            assert!(unpacked(encoding, &answer.body) == expected, "{accepted}");
        }
        let deflated = server.get(&format!("{path}.z")).await;
        assert_eq!(deflated.header("content-encoding"), Some("deflate"));
        assert!(unpacked(Some("deflate"), &deflated.body) == expected);
        let since = "If-Modified-Since: Sun, 15 Feb 2026 18:00:00 GMT\r\n";
        assert_eq!(server.request("GET", &path, since).await.status, 304);
        server.network.write().unwrap().advance();
        assert_eq!(server.request("GET", &path, since).await.status, 200);
        *server.network.write().unwrap() = network();
    }
    let keys = server.get("/tor/keys/all").await;
    assert_eq!(keys.body, certificates(&server.network.read().unwrap(), end()).into_bytes());
    for path in ["/tor/", "/tor/keys/fp/00", "/tor/status-vote/next/consensus", "/recent/relay-descriptors/consensuses/", "/index/"] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
}

fn unpacked(encoding: Option<&str>, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match encoding {
        Some("gzip") => flate2::read::GzDecoder::new(body).read_to_end(&mut out).unwrap(),
        Some("deflate") => flate2::read::ZlibDecoder::new(body).read_to_end(&mut out).unwrap(),
        Some("x-zstd") => zstd::Decoder::new(body).unwrap().read_to_end(&mut out).unwrap(),
        _ => return body.to_vec(),
    };
    out
}

#[tokio::test]
async fn collector_keeps_what_its_index_lists() {
    let server = start(None).await;
    let index = server.get("/index/index.json").await;
    let packed = server.get("/index/index.json.gz").await;
    assert!(unpacked(Some("gzip"), &packed.body) == index.body);
    let index = index.json();
    assert_eq!(index["index_created"], "2026-02-15 18:06");
    let recent = &index["directories"][0]["directories"][0]["directories"];
    let mut n_files = 0;
    for (dir, files) in [
        ("certs", &recent[0]["files"]),
        ("consensuses", &recent[1]["files"]),
        ("microdescs/consensus-microdesc", &recent[2]["directories"][0]["files"]),
    ] {
        let files = files.as_array().unwrap();
        n_files += files.len();
        for file in files.iter().rev().take(3) {
            let path = format!("/recent/relay-descriptors/{dir}/{}", file["path"].as_str().unwrap());
            let answer = server.get(&path).await;
            assert_eq!((answer.status, answer.body.len()), (200, file["size"].as_u64().unwrap() as usize), "{path}");
            assert_eq!(STANDARD.encode(Sha256::digest(&answer.body)), file["sha256"].as_str().unwrap());
            assert!(answer.body.starts_with(b"@type "));
        }
    }
    assert_eq!(n_files, 1 + 2 * 72);
    assert_eq!(recent[1]["files"][71]["path"], "2026-02-15-18-00-00-consensus");
    let consensuses = "/recent/relay-descriptors/consensuses";
    for (name, status) in
        [("2026-02-15-19-00-00-consensus", 404), ("2026-02-12-18-00-00-consensus", 404), ("2026-02-12-19-00-00-consensus", 200)]
    {
        assert_eq!(server.get(&format!("{consensuses}/{name}")).await.status, status, "{name}");
    }
}

#[tokio::test]
async fn files_go_wrong_as_scripted_too() {
    let server = start(None).await;
    let path = "/tor/status-vote/current/consensus";
    for fault in [Fault::Status(503), Fault::Truncated(500), Fault::Older(4), Fault::Html] {
        server.faults.push_for(path, fault);
    }
    assert_eq!(server.get(path).await.status, 503);
    assert_eq!(server.get(path).await.body.len(), 500);
    let older = document(&server.network.read().unwrap(), end().plus(-4), Flavour::Ns).unwrap();
    assert!(server.get(path).await.body == older.into_bytes());
    assert!(server.get(path).await.body.starts_with(b"<html>"));
    assert_eq!(server.get(path).await.status, 200);
}

#[tokio::test]
async fn the_served_pack_is_the_written_one_and_grows_with_the_network() {
    let server = start(None).await;
    let dir = tempfile::tempdir().unwrap();
    let mut lists = Vec::new();
    for hour in ["18:00:00", "19:00:00"] {
        write_presence(&server.network.read().unwrap(), dir.path()).unwrap();
        for name in ["snapshots.csv.zst", "presence.parquet", "relays.csv.zst"] {
            let answer = server.get(&format!("/presence/{name}")).await;
            assert_eq!((answer.status, &answer.body), (200, &std::fs::read(dir.path().join(name)).unwrap()), "{name}");
            assert_eq!(answer.header("last-modified"), Some(&format!("Sun, 15 Feb 2026 {hour} GMT")[..]));
        }
        lists.push(
            zstd::decode_all(&server.get("/presence/snapshots.csv.zst").await.body[..]).unwrap().iter().filter(|b| **b == b'\n').count(),
        );
        server.network.write().unwrap().advance();
    }
    assert_eq!(lists[0] + 1, lists[1]);
    assert_eq!(server.get("/presence/").await.status, 404);
    let truth = server.get("/truth.jsonl").await;
    assert_eq!((truth.status, truth.body.len()), (200, 0), "nothing happened by script");
}
