//! Connections over real sockets: what a client may hold, and for how long.

use std::net::SocketAddr;
use std::time::Duration;

use allium_server::{Limits, Listen, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::incidents::site;

/// Time after which a test gives up: nothing here takes as long.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server at a port of its own.
struct Served {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Served {
    async fn within(limits: Limits) -> Self {
        let doors = "127.0.0.1:0".parse::<Listen>().unwrap().open().await.unwrap();
        let address = doors[0].to_string().trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
        let (stop, stopped) = oneshot::channel();
        let server = Server::within(site(), limits);
        let ended = tokio::spawn(server.serve(doors, async move { drop(stopped.await) }));
        Self { address, stop, ended }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// The answer to what is sent, until the connection ends.
    async fn said(&self, sent: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(sent.as_bytes()).await.unwrap();
        rest(&mut stream).await
    }

    async fn get(&self, address: &str) -> String {
        self.said(&format!("GET {address} HTTP/1.1\r\nHost: tor.example\r\nConnection: close\r\n\r\n")).await
    }

    async fn metric(&self, line: &str) -> Option<u64> {
        let metrics = self.get("/metrics").await;
        metrics.lines().find_map(|found| found.strip_prefix(line)?.trim().parse::<f64>().ok()).map(|value| value as u64)
    }
}

/// Everything that comes until the other end closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A connection that is reset has ended too.
    let _ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn brief() -> Limits {
    let brief = Duration::from_millis(300);
    Limits { head: 10 * brief, idle: brief, stalled: brief, answer: 4 * brief, ..Limits::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_a_request_ends() {
    let served = Served::within(brief()).await;
    let mut silent = served.connect().await;
    let mut slow = served.connect().await;
    slow.write_all(b"GET / HTTP/1.1\r\nHost: tor.").await.unwrap();
    let mut kept = served.connect().await;
    kept.write_all(b"GET /healthz HTTP/1.1\r\nHost: tor.example\r\n\r\n").await.unwrap();
    assert_eq!(rest(&mut silent).await, "");
    assert!(!rest(&mut slow).await.contains("200 OK"));
    assert!(rest(&mut kept).await.starts_with("HTTP/1.1 200 OK"), "it was answered, and ended when it asked for nothing more");
    assert!(served.metric("allium_http_connections_ended_total{reason=\"idle\"}").await.is_some_and(|n| n >= 2));
    assert_eq!(served.metric("allium_http_connections").await, Some(1), "that of the metrics");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_idle_connections_than_there_are_places_keep_nobody_out() {
    let served = Served::within(Limits { max_connections: 20, ..Limits::default() }).await;
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(served.connect().await);
    }
    for _ in 0..5 {
        assert!(served.get("/healthz").await.starts_with("HTTP/1.1 200 OK"));
    }
    assert!(served.metric("allium_http_connections_ended_total{reason=\"room\"}").await.is_some_and(|n| n >= 80));
    assert!(served.metric("allium_http_connections").await.is_some_and(|n| n <= 20));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_everybody_is_served_the_next_is_refused_in_words() {
    let served = Served::within(Limits { max_connections: 2, ..Limits::default() }).await;
    let mut listening = Vec::new();
    for _ in 0..2 {
        let mut stream = served.connect().await;
        stream.write_all(b"GET /api/v1/incidents/stream HTTP/1.1\r\nHost: tor.example\r\n\r\n").await.unwrap();
        let mut begun = [0; 15];
        stream.read_exact(&mut begun).await.unwrap();
        assert_eq!(&begun, b"HTTP/1.1 200 OK");
        listening.push(stream);
    }
    let refused = served.get("/").await;
    assert!(refused.starts_with("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\n"), "{refused}");
    drop(listening);
    let mut answer = served.get("/healthz").await;
    while answer.contains("503 Service") {
        answer = served.get("/healthz").await;
    }
    assert!(answer.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_names_one_host() {
    let served = Served::within(Limits::default()).await;
    for hosts in ["", "Host: a.example\r\nHost: b.example\r\n"] {
        let answer = served.said(&format!("GET / HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request"), "{answer}");
    }
    assert!(served.said("GET /healthz HTTP/1.0\r\n\r\n").await.starts_with("HTTP/1.0 200 OK"), "HTTP/1.0 has no such header");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_may_speak_http_2() {
    let served = Served::within(Limits::default()).await;
    let mut stream = served.connect().await;
    // The preface and an empty frame of settings; the server says its own settings.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut head = [0; 9];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut head)).await.unwrap().unwrap();
    assert_eq!((head[3], &head[5..]), (4, [0, 0, 0, 0].as_slice()), "settings of the connection");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_stops_while_clients_hold_connections() {
    let served = Served::within(Limits::default()).await;
    let _silent = served.connect().await;
    let mut kept = served.connect().await;
    kept.write_all(b"GET /healthz HTTP/1.1\r\nHost: tor.example\r\n\r\n").await.unwrap();
    let mut begun = [0; 15];
    kept.read_exact(&mut begun).await.unwrap();
    served.stop.send(()).unwrap();
    tokio::time::timeout(PATIENCE, served.ended).await.unwrap().unwrap().unwrap();
}
