//! A stranger between a source and the service: it passes on what is asked, or misbehaves as it is told.

use std::fmt;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Bytes of a bomb once it is unpacked.
const BOMB_BYTES: usize = 600 << 20;
/// Time that a connection is held at most.
const HOLD: Duration = Duration::from_secs(60);

/// A way of misbehaving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Takes the request and says nothing.
    Hangs,
    /// Bytes that mean nothing, with status 200.
    Garbage,
    /// An error of the server.
    Fails,
    /// The first half, with a length that matches.
    Half,
    /// Little that unpacks to much.
    Bomb,
    /// A document of the year 2036.
    Future,
    /// A document without relays.
    Empty,
}

impl Fault {
    /// Those of a source of unsigned documents; signed ones cannot be dated or emptied.
    pub(crate) const OF_DOCUMENTS: [Self; 7] = [Self::Hangs, Self::Garbage, Self::Fails, Self::Half, Self::Bomb, Self::Future, Self::Empty];
    /// Those of a source of signed documents.
    pub(crate) const OF_CONSENSUSES: [Self; 5] = [Self::Hangs, Self::Garbage, Self::Fails, Self::Half, Self::Bomb];
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", format!("{self:?}").to_lowercase())
    }
}

/// What the stranger does at present; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mood(Arc<Mutex<Option<Fault>>>);

impl Mood {
    pub(crate) fn set(&self, fault: Option<Fault>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    fn get(&self) -> Option<Fault> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stands before a source until the task is dropped.
pub(crate) async fn stand(listener: TcpListener, source: SocketAddr, mood: Mood) -> std::io::Result<()> {
    let bomb: Arc<[u8]> = bomb()?.into();
    loop {
        let (stream, _) = listener.accept().await?;
        let (mood, bomb) = (mood.clone(), Arc::clone(&bomb));
        tokio::spawn(async move {
            // Whoever asked went away, or will see that nothing comes.
            let _ = tokio::time::timeout(HOLD, answer(stream, source, mood.get(), &bomb)).await;
        });
    }
}

async fn answer(mut stream: TcpStream, source: SocketAddr, fault: Option<Fault>, bomb: &[u8]) -> std::io::Result<()> {
    let head = head(&mut stream).await?;
    let (status, encoding, body) = match fault {
        Some(Fault::Hangs) => return std::future::pending().await,
        Some(Fault::Garbage) => (200, "", (0..100_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 23) as u8).collect()),
        Some(Fault::Fails) => (500, "", b"<html>out of order</html>".to_vec()),
        Some(Fault::Bomb) => (200, "Content-Encoding: gzip\r\n", bomb.to_vec()),
        Some(Fault::Half | Fault::Future | Fault::Empty) | None => {
            let (status, body) = fetched(&head, source).await?;
            (status, "", changed(body, fault))
        }
    };
    let head = format!("HTTP/1.1 {status} -\r\nContent-Length: {}\r\n{encoding}Connection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.shutdown().await
}

/// The head of a request.
async fn head(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < 16_384 {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// Asks the source itself for the whole document, uncompressed; its status and body.
async fn fetched(head: &str, source: SocketAddr) -> std::io::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(source).await?;
    let line = head.lines().next().unwrap_or_default();
    stream.write_all(format!("{line}\r\nHost: {source}\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
    let status = answer.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok()).unwrap_or(502);
    Ok((status, answer.split_off(end)))
}

/// The document as the fault leaves it.
fn changed(mut body: Vec<u8>, fault: Option<Fault>) -> Vec<u8> {
    let text = || String::from_utf8_lossy(&body).into_owned();
    match fault {
        Some(Fault::Half) => body.truncate(body.len() / 2),
        Some(Fault::Future) => body = text().replace("_published\":\"20", "_published\":\"2036-01-01 00:00:00\",\"was\":\"20").into_bytes(),
        Some(Fault::Empty) => body = without_relays(&text()).into_bytes(),
        _ => {}
    }
    body
}

/// An Onionoo document with an empty list of relays.
fn without_relays(text: &str) -> String {
    let (start, end) = (text.find("\"relays\":["), text.find("],\n\"bridges_published\""));
    match (start, end) {
        (Some(start), Some(end)) if start < end => format!("{}\"relays\":[{}", &text[..start], &text[end..]),
        _ => text.to_owned(),
    }
}

fn bomb() -> std::io::Result<Vec<u8>> {
    let (mut packed, zeros) = (GzEncoder::new(Vec::new(), Compression::fast()), vec![0; 1 << 20]);
    (0..BOMB_BYTES / zeros.len()).try_for_each(|_| packed.write_all(&zeros))?;
    packed.finish()
}
