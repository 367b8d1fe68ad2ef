//! Clients that do their worst until they are dropped.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::client::{COMPRESSED, Who, ask, connect, connect_with};

/// Rest of an attacker whose connection was ended.
const REST: Duration = Duration::from_secs(5);
/// Rest of a client of heavy answers that was refused.
const PAUSE: Duration = Duration::from_millis(100);
/// Bytes that the kernel of a slow reader keeps at most.
const RECEIVE_BYTES: u32 = 4_096;
const READ_BYTES: usize = 1_024;

/// Counts of what attackers did.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) n_connected: AtomicUsize,
    /// Connections that the server ended.
    pub(crate) n_ended: AtomicUsize,
    /// Whole answers with 200.
    pub(crate) n_answers: AtomicUsize,
}

/// Attackers at work; they stop when the value is dropped.
#[derive(Debug)]
pub(crate) struct Attackers {
    _tasks: JoinSet<()>,
    pub(crate) counts: Arc<Counts>,
}

impl Attackers {
    fn start<F: Future<Output = ()> + Send + 'static>(on: &Handle, n: usize, one: impl Fn(usize, Arc<Counts>) -> F) -> Self {
        let (mut tasks, counts) = (JoinSet::new(), Arc::new(Counts::default()));
        for i in 0..n {
            tasks.spawn_on(one(i, Arc::clone(&counts)), on);
        }
        Self { _tasks: tasks, counts }
    }

    /// Number of connections, and of those that were ended, in words.
    pub(crate) fn words(&self) -> String {
        let [connected, ended] = [&self.counts.n_connected, &self.counts.n_ended].map(|n| n.load(Ordering::Relaxed));
        format!("{} open, {ended} ended", connected - ended)
    }
}

/// Connections that say nothing; each comes back after it was ended.
pub(crate) fn idle(on: &Handle, n: usize, from: Ipv4Addr, to: SocketAddr) -> Attackers {
    Attackers::start(on, n, |_, counts| async move {
        loop {
            if let Ok(stream) = connect(from, to).await {
                counts.n_connected.fetch_add(1, Ordering::Relaxed);
                until_ended(stream, READ_BYTES, Duration::ZERO).await;
                counts.n_ended.fetch_add(1, Ordering::Relaxed);
            }
            tokio::time::sleep(REST).await;
        }
    })
}

/// Readers of an uncompressed answer who take 1 kB each second; each comes back after it was ended.
pub(crate) fn slow_readers(on: &Handle, n: usize, who: &Who, to: SocketAddr, path: &str) -> Attackers {
    let (from, request) = (who.from, Arc::<str>::from(who.get(path, "Accept-Encoding: identity\r\n")));
    Attackers::start(on, n, |_, counts| {
        let request = Arc::clone(&request);
        async move {
            loop {
                if let Ok(mut stream) = connect_with(from, to, Some(RECEIVE_BYTES)).await {
                    counts.n_connected.fetch_add(1, Ordering::Relaxed);
                    // An error here shows at the next read.
                    let _ = stream.write_all(request.as_bytes()).await;
                    until_ended(stream, READ_BYTES, Duration::from_secs(1)).await;
                    counts.n_ended.fetch_add(1, Ordering::Relaxed);
                }
                tokio::time::sleep(REST).await;
            }
        }
    })
}

/// Clients who ask for heavy answers one after the other, each for another one at first.
pub(crate) fn heavy(on: &Handle, n: usize, who: &Who, to: SocketAddr, paths: &[&str]) -> Attackers {
    let from = who.from;
    let requests: Arc<[String]> = paths.iter().map(|path| who.get(path, COMPRESSED)).collect();
    Attackers::start(on, n, |i, counts| {
        let requests = Arc::clone(&requests);
        async move {
            for at in i.. {
                match ask(from, to, &requests[at % requests.len()]).await {
                    Ok(answer) if answer.status == 200 => drop(counts.n_answers.fetch_add(1, Ordering::Relaxed)),
                    _ => tokio::time::sleep(PAUSE).await,
                }
            }
        }
    })
}

/// Reads at most so many bytes at a time, with a pause after each, until the connection has ended.
async fn until_ended(mut stream: TcpStream, n_bytes: usize, pause: Duration) {
    let mut buffer = vec![0; n_bytes];
    while stream.read(&mut buffer).await.is_ok_and(|n| n > 0) {
        tokio::time::sleep(pause).await;
    }
}
