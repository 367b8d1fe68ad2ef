//! Misuse of what only some may use or all must share: tokens, streams; and what of a visitor is written down.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::SEED;
use super::client::{Who, ask, connect};
use super::load::{Plan, joined, start};
use super::requests;
use super::table::Row;
use crate::common::server::Server;

/// Malformed, oversized and deceptive requests, one after the other.
pub(crate) fn malformed(server: &Server) -> anyhow::Result<Vec<Row>> {
    let before = server.resident_mb()?;
    let cases = requests::all();
    let faults: Vec<String> = cases.iter().filter_map(|case| Some(format!("{}: {}", case.name, case.fault(server.address)?))).collect();
    server.wait_for("/healthz", Duration::from_secs(5))?;
    let grown = server.resident_mb()? - before;
    let figure = format!("{} of {} as expected, memory + {grown:.0} MB", cases.len() - faults.len(), cases.len());
    let mut rows = vec![Row::new("malformed, oversized, deceptive requests", "refused or answered, + 16 MB", figure, grown <= 16.0)];
    rows.extend(faults.into_iter().map(|fault| Row::new("… one of them", "as expected", fault, false)));
    Ok(rows)
}

/// Wrong tokens at 1,200 requests a second while somebody reads pages.
pub(crate) fn tokens(server: &Server, incident: &str) -> anyhow::Result<Vec<Row>> {
    const PER_SECOND: u32 = 1_200;
    const SECS: u32 = 4;
    let post = Who::at(0, 30).post(&format!("/api/v1/incidents/{incident}/acknowledge"), "wrong", "");
    let to = server.address;
    let guesses = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok::<_, anyhow::Error>(runtime.block_on(guess(to, &post, PER_SECOND, SECS)))
    });
    let plan = Plan { who: Who::at(0, 3), per_second: 20, secs: SECS, seed: SEED };
    let home = joined(start(to, vec![vec!["/".to_owned()]], plan))?;
    let (n_refused, n_other) = guesses.join().map_err(|_| anyhow::anyhow!("the guesses broke off"))??;
    let counted = metric(server, "allium_tokens_refused_total")?;
    let lines = server.said().iter().filter(|line| line.contains("token")).count();
    let pages = home.n_refused() == 0 && home.ms(99) <= 25.0;
    Ok(vec![
        Row::new("wrong tokens, 1,200/s: the home page", "p99 ≤ 25 ms, none refused", home.words(), pages),
        Row::new(
            "… counted and told of",
            "in /metrics; 1 to 3 lines of the log",
            format!("{n_refused} × 401, {n_other} others; counted {counted:?}; {lines} lines"),
            counted.is_some_and(|counted| counted >= n_refused as f64 && counted > 0.0) && (1..=3).contains(&lines),
        ),
    ])
}

/// Sends a request again and again; numbers of answers with 401 and of all else.
async fn guess(to: SocketAddr, post: &str, per_second: u32, secs: u32) -> (usize, usize) {
    let (begun, mut running) = (tokio::time::Instant::now(), JoinSet::new());
    for n in 0..per_second * secs {
        tokio::time::sleep_until(begun + Duration::from_secs(1) * n / per_second).await;
        let post = post.to_owned();
        running.spawn(async move { ask(Ipv4Addr::new(127, 0, 0, 30), to, &post).await.is_ok_and(|answer| answer.status == 401) });
    }
    let refused = running.join_all().await;
    let n_refused = refused.iter().filter(|refused| **refused).count();
    (n_refused, refused.len() - n_refused)
}

/// The sum of a metric over its labels; `None` where `/metrics` has none of that name.
pub(crate) fn metric(server: &Server, name: &str) -> anyhow::Result<Option<f64>> {
    let text = server.page("/metrics")?;
    let lines = text.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{'])));
    let values: Vec<f64> = lines.filter_map(|line| line.rsplit(' ').next()?.parse().ok()).collect();
    Ok((!values.is_empty()).then(|| values.iter().sum()))
}

/// 2,000 readers of the stream at 100 addresses, then one address that wants all of them.
pub(crate) fn streams(server: &Server, on: &Handle) -> anyhow::Result<Vec<Row>> {
    const READERS: usize = 2_000;
    let before = server.resident_mb()?;
    let readers = Listeners::start(on, READERS, |i| Who::at(5, 1 + (i / 20) as u8), server.address);
    std::thread::sleep(Duration::from_secs(5));
    let (n, while_mb) = (readers.n(), server.resident_mb()?);
    drop(readers);
    std::thread::sleep(Duration::from_secs(2));
    let greedy = Listeners::start(on, READERS, |_| Who::at(6, 1), server.address);
    std::thread::sleep(Duration::from_secs(3));
    let others = Listeners::start(on, 20, |i| Who::at(7, 1 + i as u8), server.address);
    std::thread::sleep(Duration::from_secs(2));
    let per_reader_kb = (while_mb - before) * 1e3 / READERS as f64;
    let served = format!("{n} served, {before:.0} → {while_mb:.0} MB, {per_reader_kb:.0} kB a reader");
    Ok(vec![
        Row::new(
            "2,000 readers of the stream at 100 addresses",
            "all served, ≤ 256 kB a reader",
            served,
            n == READERS && per_reader_kb <= 256.0,
        ),
        Row::new(
            "one address that asks for 2,000 streams; 20 others for one each",
            "at most half for the one; 20 served",
            format!("{} and {} served", greedy.n(), others.n()),
            greedy.n() <= READERS / 2 && others.n() == 20,
        ),
    ])
}

/// Readers of the stream; they leave when the value is dropped.
struct Listeners {
    _tasks: JoinSet<()>,
    n_served: Arc<AtomicUsize>,
}

impl Listeners {
    fn start(on: &Handle, n: usize, who: impl Fn(usize) -> Who, to: SocketAddr) -> Self {
        let (mut tasks, n_served) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
        for i in 0..n {
            tasks.spawn_on(listen(who(i), to, Arc::clone(&n_served)), on);
        }
        Self { _tasks: tasks, n_served }
    }

    /// Number of readers that were greeted.
    fn n(&self) -> usize {
        self.n_served.load(Ordering::Relaxed)
    }
}

async fn listen(who: Who, to: SocketAddr, n_served: Arc<AtomicUsize>) {
    let Ok(mut stream) = connect(who.from, to).await else { return };
    let request = who.get("/api/v1/incidents/stream", "");
    let mut buffer = [0; 4_096];
    if stream.write_all(request.as_bytes()).await.is_err() || !is_greeted(&mut stream, &mut buffer).await {
        return;
    }
    n_served.fetch_add(1, Ordering::Relaxed);
    while stream.read(&mut buffer).await.is_ok_and(|n| n > 0) {}
}

async fn is_greeted(stream: &mut TcpStream, buffer: &mut [u8]) -> bool {
    stream.read(buffer).await.is_ok_and(|n| buffer[..n].starts_with(b"HTTP/1.1 200"))
}

/// What visitors send is looked for in the log of a server that logs everything.
pub(crate) fn privacy(server: &Server, on: &Handle) -> anyhow::Result<Vec<Row>> {
    const WORDS: [&str; 5] = ["wordofquery", "wordofagent", "wordofproxy", "wordoftoken", "127.0.0.77"];
    let from = Ipv4Addr::new(127, 0, 0, 77);
    let fields =
        "User-Agent: wordofagent\r\nX-Forwarded-For: wordofproxy\r\nAuthorization: Bearer wordoftoken\r\nCookie: a=wordofagent\r\n";
    for (method, path) in [
        ("GET", "/relays?q=wordofquery"),
        ("GET", "/wordofquery"),
        ("POST", "/api/v1/incidents/wordofquery/acknowledge"),
        ("GET", "/api/v1/relays?limit=wordofquery"),
    ] {
        let request = format!("{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n{fields}\r\n");
        on.block_on(ask(from, server.address, &request))?;
    }
    on.block_on(ask(from, server.address, "GET /wordofquery HTTP/1.1\r\nHost: a\r\nHost: a\r\nX : wordofagent\r\n\r\n"))?;
    let said = server.said().clone();
    let found: Vec<&str> = WORDS.into_iter().filter(|word| said.iter().any(|line| line.contains(word))).collect();
    let figure = format!("{} lines at trace, with {found:?}", said.len());
    Ok(vec![Row::new("words of visitors in the log at trace", "none", figure, found.is_empty() && said.len() > 1)])
}
