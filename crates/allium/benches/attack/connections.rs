//! Connections that are held and say nothing, little or slowly.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, JoinSet};

use super::attackers::idle;
use super::client::{Who, ask, connect};
use super::table::Row;
use crate::common::server::{Server, Start};

/// Time within which a head that does not end costs its connection, and a body that does not.
const HEAD_LIMIT: Duration = Duration::from_secs(60);
/// Time within which a connection that waits for nothing is closed.
const IDLE_LIMIT: Duration = Duration::from_secs(150);
/// Connections of one client.
const PER_ADDRESS: usize = 10;

/// A way of holding a connection: what is sent at once, and what is added every half second.
#[derive(Debug, Clone)]
struct Hold {
    attack: &'static str,
    n: usize,
    at_once: String,
    drip: Option<&'static str>,
    limit: Duration,
}

/// When a connection ended, and the status of its last answer.
type End = Option<(Duration, Option<u16>)>;

/// Attacks that wait for the service's patience to end: they begin at once and are looked at when everything else is done.
pub(crate) struct Waiting(Vec<(Hold, JoinHandle<Vec<End>>)>);

/// Holds connections in every way.
pub(crate) fn begin(server: &Server, incident: &str, on: &Handle) -> Waiting {
    let post = format!("POST /api/v1/incidents/{incident}/annotations HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\n");
    let hold = |attack, n, at_once: String, drip, limit| Hold { attack, n, at_once, drip, limit };
    let unfinished = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "x".repeat(350_000));
    let holds = [
        hold("50 connections that never say a word", 50, String::new(), None, HEAD_LIMIT),
        hold("200 slow heads, 2 bytes/s", 200, "GET / HTTP/1.1\r\nX: ".to_owned(), Some("a"), HEAD_LIMIT),
        hold("50 unfinished heads of 350 kB", 50, unfinished, None, HEAD_LIMIT),
        hold("100 slow POST bodies, 2 bytes/s", 100, format!("{post}Content-Length: 9000\r\n\r\n"), Some("a"), HEAD_LIMIT),
        hold("50 idle connections that are kept alive", 50, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), None, IDLE_LIMIT),
    ];
    let to = server.address;
    let begun = holds.into_iter().enumerate().map(|(i, hold)| (hold.clone(), on.spawn(all(to, hold, i as u8))));
    Waiting(begun.collect())
}

impl Waiting {
    /// The rows of all of them.
    pub(crate) fn rows(self, on: &Handle) -> anyhow::Result<Vec<Row>> {
        self.0.into_iter().map(|(hold, held)| Ok(row(&hold, &on.block_on(held)?))).collect()
    }
}

fn row(hold: &Hold, ends: &[End]) -> Row {
    let n_open = ends.iter().filter(|end| end.is_none()).count();
    let last = ends.iter().flatten().map(|(after, _)| *after).max().unwrap_or_default();
    let mut statuses: Vec<String> = ends.iter().flatten().map(|(_, status)| status.map_or("–".to_owned(), |s| s.to_string())).collect();
    statuses.sort();
    statuses.dedup();
    let figure = format!("{n_open} open, the last ended after {:.1} s; answers: {}", last.as_secs_f64(), statuses.join(" "));
    let limit = format!("all ended within {} s", hold.limit.as_secs());
    let broken = statuses.iter().any(|status| status.starts_with('5') && status != "503");
    Row::new(hold.attack, &limit, figure, n_open == 0 && !broken)
}

async fn all(to: SocketAddr, hold: Hold, way: u8) -> Vec<End> {
    let mut held = JoinSet::new();
    for i in 0..hold.n {
        let from = Ipv4Addr::new(127, 0, 10 + way, 1 + (i / PER_ADDRESS) as u8);
        held.spawn(one(from, to, hold.clone()));
    }
    held.join_all().await
}

/// Holds one connection until the server ends it, or for a little longer than the limit.
async fn one(from: Ipv4Addr, to: SocketAddr, hold: Hold) -> End {
    let Ok(mut stream) = connect(from, to).await else { return Some((Duration::ZERO, None)) };
    let begun = Instant::now();
    let mut status = None;
    if stream.write_all(hold.at_once.as_bytes()).await.is_err() {
        return Some((begun.elapsed(), None));
    }
    while begun.elapsed() < hold.limit + Duration::from_secs(2) {
        if has_ended(&mut stream, &mut status).await {
            return Some((begun.elapsed(), status));
        }
        if let Some(drip) = hold.drip {
            // A connection that was ended shows at the next read.
            let _ = stream.write_all(drip.as_bytes()).await;
        }
    }
    None
}

/// Reads for half a second; true once nothing more comes.
async fn has_ended(stream: &mut TcpStream, status: &mut Option<u16>) -> bool {
    let mut buffer = [0; 16_384];
    match tokio::time::timeout(Duration::from_millis(500), stream.read(&mut buffer)).await {
        Err(_) => false,
        Ok(Ok(n)) if n > 0 => {
            let text = String::from_utf8_lossy(&buffer[..n]);
            *status = text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok()).or(*status);
            false
        }
        Ok(_) => true,
    }
}

/// 1,024 idle connections to a server that may have 1,024 descriptors: `/healthz` for somebody else, behind a proxy and without one.
pub(crate) fn exhaustion(store: &Path, on: &Handle) -> anyhow::Result<Vec<Row>> {
    let start = || Start::offline(store).below("ulimit -n 1024; exec \"$@\"");
    let cases = [("each client by its address", start().without_proxy(), 22), ("all from one proxy", start(), 21)];
    cases.into_iter().map(|(words, start, client)| exhausted(&start.run()?, on, words, client)).collect()
}

fn exhausted(server: &Server, on: &Handle, words: &str, client: u8) -> anyhow::Result<Row> {
    let attackers = idle(on, 1_024, Ipv4Addr::new(127, 0, 0, 21), server.address);
    std::thread::sleep(Duration::from_secs(3));
    let (who, to, begun) = (Who::at(0, client), server.address, Instant::now());
    let probe = async { tokio::time::timeout(Duration::from_secs(5), ask(who.from, to, &who.get("/healthz", ""))).await };
    let answered = match on.block_on(probe) {
        Ok(Ok(answer)) => answer.status.to_string(),
        Ok(Err(error)) => format!("{error:#}"),
        Err(_) => "nothing".to_owned(),
    };
    let attack = format!("1,024 idle connections at 1,024 descriptors, {words}");
    let figure = format!("/healthz: {answered} after {:.0} ms; idle: {}", begun.elapsed().as_secs_f64() * 1e3, attackers.words());
    Ok(Row::new(&attack, "/healthz answers 200 within 5 s", figure, answered == "200"))
}
