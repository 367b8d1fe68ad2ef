//! A light client: bare sockets, from any address of the loopback interface.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// Time that any answer may take; longer ones count as none.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of an answer that are kept: its head, and the beginning of its body.
const KEPT: usize = 8_192;

/// A client: the address that its connections come from, and what a trusted proxy says about it.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    pub(crate) from: Ipv4Addr,
    /// Header lines of the proxy.
    lines: String,
}

impl Who {
    /// A client with an address of its own, as the proxy on this machine states it.
    pub(crate) fn at(network: u8, n: u8) -> Self {
        Self { from: Ipv4Addr::new(127, 0, network, n), lines: format!("X-Forwarded-For: 198.51.{network}.{n}\r\n") }
    }

    /// A client behind the one proxy or onion service through which everybody comes, and which says nothing about them.
    pub(crate) fn anybody() -> Self {
        Self { from: Ipv4Addr::new(127, 0, 0, 2), lines: String::new() }
    }

    /// A request for a path with further header lines, each ending in CR LF; the connection ends with its answer.
    pub(crate) fn get(&self, path: &str, lines: &str) -> String {
        format!("GET {path} HTTP/1.1\r\nHost: tor.example\r\nConnection: close\r\n{}{lines}\r\n", self.lines)
    }

    /// A request that writes to an address of the API with a token.
    pub(crate) fn post(&self, path: &str, token: &str, body: &str) -> String {
        let fields = format!("Authorization: Bearer {token}\r\nContent-Length: {}\r\n{}", body.len(), self.lines);
        format!("POST {path} HTTP/1.1\r\nHost: tor.example\r\nConnection: close\r\n{fields}\r\n{body}")
    }
}

/// Answer to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The first bytes, head included.
    pub(crate) text: String,
    pub(crate) n_bytes: usize,
}

impl Answer {
    /// Value of a header field; its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let head = self.text.split("\r\n\r\n").next()?;
        let fields = head.lines().filter_map(|line| line.split_once(':'));
        fields.into_iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// A connection from this address.
pub(crate) async fn connect(from: Ipv4Addr, to: SocketAddr) -> std::io::Result<TcpStream> {
    connect_with(from, to, None).await
}

/// A connection whose kernel keeps at most some bytes of what arrives.
pub(crate) async fn connect_with(from: Ipv4Addr, to: SocketAddr, receive_bytes: Option<u32>) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    receive_bytes.map_or(Ok(()), |bytes| socket.set_recv_buffer_size(bytes))?;
    socket.bind((from, 0).into())?;
    match timeout(PATIENCE, socket.connect(to)).await {
        Ok(connected) => connected,
        Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
    }
}

/// The header line of whoever takes what browsers take.
pub(crate) const COMPRESSED: &str = "Accept-Encoding: gzip, deflate, br, zstd\r\n";

/// Sends bytes on a connection of its own and reads the whole answer.
///
/// # Errors
/// No connection, no answer in time, or one that is cut short.
pub(crate) async fn ask(from: Ipv4Addr, to: SocketAddr, request: &str) -> anyhow::Result<Answer> {
    let exchange = async {
        let mut stream = connect(from, to).await?;
        stream.write_all(request.as_bytes()).await?;
        read(&mut stream, request.starts_with("HEAD")).await
    };
    timeout(PATIENCE, exchange).await.map_err(|_| anyhow::anyhow!("no answer after {} s", PATIENCE.as_secs()))?
}

/// Reads until the server closes; an answer that is shorter than its head says is an error.
async fn read(stream: &mut TcpStream, is_head: bool) -> anyhow::Result<Answer> {
    let (mut buffer, mut kept, mut n_bytes, mut last) = (vec![0; 1 << 16], Vec::new(), 0, [0; 5]);
    loop {
        let n = stream.read(&mut buffer).await?;
        if n == 0 {
            break;
        }
        kept.extend_from_slice(&buffer[..n.min(KEPT.saturating_sub(kept.len()))]);
        remember_last(&mut last, &buffer[..n]);
        n_bytes += n;
    }
    let text = String::from_utf8_lossy(&kept).into_owned();
    let status = text.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)?.parse().ok());
    let answer = Answer { status: status.ok_or_else(|| anyhow::anyhow!("closed without an answer"))?, text, n_bytes };
    if !is_head && is_cut_short(&answer, &kept, last) {
        anyhow::bail!("an answer was cut short after {n_bytes} bytes");
    }
    Ok(answer)
}

fn is_cut_short(answer: &Answer, kept: &[u8], last: [u8; 5]) -> bool {
    let head_bytes = kept.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
    match answer.header("content-length").and_then(|length| length.parse::<usize>().ok()) {
        Some(length) => answer.n_bytes - head_bytes < length,
        None => answer.header("transfer-encoding") == Some("chunked") && last != *b"0\r\n\r\n",
    }
}

fn remember_last(last: &mut [u8; 5], bytes: &[u8]) {
    for byte in &bytes[bytes.len().saturating_sub(5)..] {
        last.rotate_left(1);
        last[4] = *byte;
    }
}
