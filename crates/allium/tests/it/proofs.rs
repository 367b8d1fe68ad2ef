//! `serve` against a simulated network whose operators' domains are servers on this machine: what they say is on the pages, in the store, and
//! is not asked for again after a restart.
#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise, helpers included")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};
use tokio_rustls::TlsAcceptor;

use crate::support::running::{PATIENCE, Running};

/// Relays by the domain that they claim.
fn claims(network: &Running) -> BTreeMap<String, Vec<String>> {
    let mut claims: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for relay in network.get("/details")["relays"].as_array().unwrap() {
        let contact = relay["contact"].as_str().unwrap_or_default();
        let Some((_, rest)) = contact.split_once("url:https://").filter(|_| contact.contains("proof:uri-rsa")) else { continue };
        let domain = rest.split_whitespace().next().unwrap();
        claims.entry(domain.to_owned()).or_default().push(relay["fingerprint"].as_str().unwrap().to_owned());
    }
    claims
}

/// A DNS server that gives every name the address 127.0.0.1.
async fn dns() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut query = [0; 512];
        loop {
            let (n, client) = socket.recv_from(&mut query).await.unwrap();
            let name_len = query[12..n].iter().position(|byte| *byte == 0).unwrap() + 1;
            let question = &query[12..12 + name_len + 4];
            let is_a = question[name_len..] == [0, 1, 0, 1];
            let mut answer = [&query[..2], &[0x81, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0], question].concat();
            if is_a {
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]);
            }
            socket.send_to(&answer, client).await.unwrap();
        }
    });
    address
}

/// A web server for these names; `reply` makes the status and the body from the name. Gives its address, its authority, and who was asked for.
async fn web(
    names: Vec<String>,
    reply: impl Fn(&str) -> (u16, String) + Send + Sync + 'static,
) -> (SocketAddr, Vec<u8>, Arc<Mutex<Vec<String>>>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(certificate.der()));
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = builder.with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into())).unwrap();
    let (acceptor, reply) = (TlsAcceptor::from(Arc::new(config)), Arc::new(reply));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, asked) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
    let seen = asked.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, reply, seen) = (acceptor.clone(), reply.clone(), seen.clone());
            tokio::spawn(async move {
                // A client that does not like the certificate hangs up.
                let mut stream = acceptor.accept(stream).await?;
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await?);
                }
                let head = String::from_utf8_lossy(&head).to_lowercase();
                let host = head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default().to_owned();
                let (status, body) = reply(&host);
                seen.lock().unwrap().push(host);
                let answer = format!("HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).await?;
                stream.shutdown().await
            });
        }
    });
    (address, pem.into_bytes(), asked)
}

/// Waits until the list of domains has nothing that is unchecked; gives it.
async fn checked_domains(server: &Running) -> Value {
    let begun = Instant::now();
    loop {
        let domains = server.get("/api/v1/domains?columns=all");
        let rows = domains["rows"].as_array().cloned().unwrap_or_default();
        if !rows.is_empty() && rows.iter().all(|row| row["state"] != "unchecked") {
            return domains;
        }
        assert!(begun.elapsed() < PATIENCE, "{domains}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn configuration(dir: &Path, network: &str, dns: SocketAddr, web: SocketAddr, pem: &[u8]) -> String {
    let ca_file = dir.join("ca.pem");
    std::fs::write(&ca_file, pem).unwrap();
    let text = format!(
        "store = {:?}\nlisten = '127.0.0.1:0'\n[onionoo]\nurl = '{network}'\nretries = 0\n\
         [proofs]\nresolvers = ['{dns}']\nallow_addresses = ['{web}']\nca_file = {ca_file:?}\n",
        dir.join("tor.db")
    );
    let path = dir.join("allium.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_domains_say_is_shown_kept_and_not_asked_for_twice() {
    let dir = tempfile::tempdir().unwrap();
    let network = Running::start(&["simulate", "--listen", "127.0.0.1:0", "--relays", "120", "--days", "5"], "the directory protocol");
    let claims = claims(&network);
    let domains: Vec<&String> = claims.keys().collect();
    assert!(domains.len() >= 4, "{claims:?}");
    let (part, stranger, missing, other) = (0, 1, 2, 3);
    let relays = claims[domains[part]].clone();
    assert!(relays.len() >= 2, "{claims:?}");
    let (host_of_part, host_of_stranger) = (domains[part].clone(), domains[stranger].clone());
    let (unnamed, named) = relays.split_first().map(|(first, rest)| (first.clone(), rest.join("\n"))).unwrap();
    let names = domains.iter().take(other).map(|name| (*name).clone()).collect();
    let (web, pem, asked) = web(names, move |host| match host {
        host if host == host_of_part => (200, format!("# relays\n{named}\n<b>not one</b>\n")),
        host if host == host_of_stranger => (200, format!("{:040X}\n", 7)),
        _ => (404, String::new()),
    })
    .await;
    let config = configuration(dir.path(), &network.url, dns().await, web, &pem);
    let mut server = Running::start(&["serve", "--config", &config], "Pages at");
    let listed = checked_domains(&server).await;

    let row = |i: usize| listed["rows"].as_array().unwrap().iter().find(|row| row["domain"] == domains[i].as_str()).unwrap().clone();
    let state = |i: usize| row(i)["state"].as_str().unwrap().to_owned();
    assert_eq!([part, stranger, missing, other].map(state), ["validated in part", "unauthorised", "misconfigured", "misconfigured"]);
    assert_eq!(row(part)["n_validated"].as_u64(), Some(relays.len() as u64 - 1));
    assert_eq!(row(missing)["reason"], "HTTP status 404");
    assert_eq!(row(other)["reason"], "its certificate is for another name");
    assert_eq!(asked.lock().unwrap().iter().filter(|host| *host == domains[part]).count(), 1, "one answer speaks for all relays");

    let operator = server.text(&format!("/operator/{}", domains[part]));
    let n = relays.len() - 1;
    assert!(operator.contains(&format!("{} names {n} relay", domains[part])), "{operator}");
    assert!(!operator.contains("not one"), "what a domain writes is not shown");
    assert_eq!(server.get(&format!("/api/v1/operators/{}", domains[part]))["aroi"]["validated"].as_u64(), Some(n as u64));
    let relay = server.get(&format!("/api/v1/relays/{unnamed}"));
    let reason = format!("its file lists {n} relays, but not the relay that claims it");
    assert_eq!((relay["aroi"]["state"].as_str(), relay["aroi"]["reason"].as_str()), (Some("unauthorised"), Some(reason.as_str())));
    let page = server.text(&format!("/relay/{unnamed}"));
    assert!(page.contains("Its domain does not name it") && page.contains("/.well-known/tor-relay/rsa-fingerprint.txt"), "{page}");
    let page = server.text(&format!("/relay/{}", claims[domains[missing]][0]));
    assert!(page.contains("The proof of its domain cannot be had") && page.contains("HTTP status 404"), "{page}");
    assert!(server.text("/api/v1/relays.csv?limit=1000").contains(&format!("validated,{}", domains[part])));
    let board = server.get("/api/v1/leaderboards/validated_relays");
    assert!(board.to_string().contains(domains[part].as_str()), "{board}");
    assert!(server.stop().success());

    // Started again, it shows what it knew at once, and asks nobody.
    let n_asked = asked.lock().unwrap().len();
    let mut server = Running::start(&["serve", "--config", &config], "Pages at");
    assert_eq!(checked_domains(&server).await["rows"].as_array().unwrap().len(), domains.len());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(asked.lock().unwrap().len(), n_asked);
    assert!(server.stop().success());

    // Without any network it is the same.
    let store = dir.path().join("tor.db");
    let store = store.to_str().unwrap();
    let check = Command::new(env!("CARGO_BIN_EXE_allium")).args(["store", "check", "--store", store]).output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
    let mut server = Running::start(&["serve", "--offline", "--listen", "127.0.0.1:0", "--store", store], "Pages at");
    assert_eq!(checked_domains(&server).await["rows"], listed["rows"]);
    assert!(server.stop().success());
    assert_eq!(asked.lock().unwrap().len(), n_asked);
}
