//! Malformed, oversized and deceptive requests, each with what may come back. `make attack` and the tests of the program share them.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// Time without a byte after which a server is taken to wait for more: long where an answer must come, short where none need come.
const SILENCE: Duration = Duration::from_secs(20);
const SHORT_SILENCE: Duration = Duration::from_secs(3);
/// Bytes of what comes back that are looked at.
const LOOKED_AT: usize = 4 << 20;

/// What may come back.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expected {
    /// A status from 400 to 499, or the end of the connection without an answer.
    Refused,
    /// This status.
    Status(u16),
    /// Anything but a status of 500 or more.
    NoFailure,
    /// So many answers with 200.
    Answers(usize),
    /// One answer at most: what follows it was part of the first request.
    OneAtMost,
}

/// A request and what may come back.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    bytes: Vec<u8>,
    expected: Expected,
    /// True if the request does not end, so that only the end of the client ends the connection.
    is_unfinished: bool,
}

impl Case {
    /// Sends the request; what is wrong with the answer, if anything is.
    pub(crate) fn fault(&self, to: SocketAddr) -> Option<String> {
        let answer = match self.exchange(to) {
            Ok(answer) => answer,
            Err(error) => return Some(format!("no connection: {error}")),
        };
        let statuses = statuses(&answer);
        let is_refusal = |status: &u16| (400..500).contains(status);
        let held = match self.expected {
            Expected::Refused => statuses.iter().all(is_refusal),
            Expected::Status(status) => statuses == [status],
            Expected::NoFailure => statuses.iter().all(|status| *status < 500),
            Expected::Answers(n) => statuses == vec![200; n],
            Expected::OneAtMost => statuses.len() <= 1 && statuses.iter().all(|status| *status < 500),
        };
        let injected = String::from_utf8_lossy(&answer).to_ascii_lowercase().contains("\r\nset-cookie:");
        (!held || injected).then(|| format!("{:?} expected, {} answers: {:?}", self.expected, statuses.len(), statuses.first()))
    }

    /// Sends the bytes, and reads what comes back.
    fn exchange(&self, to: SocketAddr) -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(to)?;
        let silence = if matches!(self.expected, Expected::OneAtMost) { SHORT_SILENCE } else { SILENCE };
        stream.set_read_timeout(Some(silence))?;
        stream.set_write_timeout(Some(SILENCE))?;
        let mut reader = stream.try_clone()?;
        let (sent, is_unfinished) = (self.bytes.clone(), self.is_unfinished);
        // A server that refuses early does not take the rest: the outcome is in what it answers.
        let writer = std::thread::spawn(move || {
            stream.write_all(&sent)?;
            if is_unfinished { stream.shutdown(Shutdown::Write) } else { Ok(()) }
        });
        let (mut answer, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
        while let Ok(n @ 1..) = reader.read(&mut buffer) {
            answer.extend_from_slice(&buffer[..n.min(LOOKED_AT.saturating_sub(answer.len()))]);
        }
        // The server may have closed it already, which ends the writer too.
        let _ = reader.shutdown(Shutdown::Both);
        let _ = writer.join();
        Ok(answer)
    }
}

/// All cases.
pub(crate) fn all() -> Vec<Case> {
    [lines(), hosts(), bodies(), paths(), sizes(), parameters()].into_iter().flatten().collect()
}

/// Statuses of all answers on a connection.
fn statuses(answer: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(answer);
    text.match_indices("HTTP/1.").filter_map(|(at, _)| text.get(at + 9..at + 12)?.parse().ok()).collect()
}

fn case(name: &'static str, bytes: impl AsRef<[u8]>, expected: Expected) -> Case {
    Case { name, bytes: bytes.as_ref().to_vec(), expected, is_unfinished: false }
}

/// A request that does not end.
fn unfinished(name: &'static str, bytes: impl AsRef<[u8]>) -> Case {
    Case { is_unfinished: true, ..case(name, bytes, Expected::Refused) }
}

/// A request for a path that ends its connection.
fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
}

/// A request with further header lines.
fn with(lines: &str) -> String {
    format!("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{lines}\r\n")
}

/// Other protocols, request lines and methods.
fn lines() -> Vec<Case> {
    use Expected::{Answers, NoFailure, Refused, Status};
    let garbage: Vec<u8> = (0..4_096u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let tls = [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], &[7; 512]].concat();
    vec![
        unfinished("HTTP/0.9", "GET /healthz\r\n"),
        case("HTTP/1.0", "GET /healthz HTTP/1.0\r\n\r\n", Status(200)),
        case("HTTP/3.0 in the request line", "GET /healthz HTTP/3.0\r\nHost: a\r\n\r\n", Refused),
        unfinished("HTTP/2 without its settings", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        unfinished("garbage", garbage),
        unfinished("TLS", tls),
        unfinished("nothing", ""),
        unfinished("half a request line", "GET /hea"),
        case("an unknown method", "BREW /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", Status(405)),
        case("CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nConnection: close\r\n\r\n", Refused),
        case("OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", Refused),
        case("DELETE", "DELETE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", Status(405)),
        case("an absolute address", "GET http://a/healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", NoFailure),
        case("500 requests at once", with("").replace("Connection: close\r\n", "").repeat(499) + &with(""), Answers(500)),
        case("a method of 100 kB", format!("{} / HTTP/1.1\r\nHost: a\r\n\r\n", "A".repeat(100_000)), Refused),
        case("bare line feeds", "GET /healthz HTTP/1.1\nHost: a\nConnection: close\n\n", NoFailure),
        case("a line feed in a value", with("X: a\nSet-Cookie: b\r\n"), NoFailure),
        case("NUL in a value", with("X: a\0b\r\n"), Refused),
        case("NUL in the path", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", Refused),
        case("a space before the colon", with("X : a\r\n"), Refused),
        case("a folded value", with("X: a\r\n b\r\n"), Refused),
        case("a field without a name", with(": a\r\n"), Refused),
        case("bytes that are not text", with("X: ÿ\r\n"), NoFailure),
    ]
}

fn hosts() -> Vec<Case> {
    use Expected::{Answers, Status};
    let hosts = |lines: &str| format!("GET / HTTP/1.1\r\n{lines}Connection: close\r\n\r\n");
    vec![
        case("no Host", hosts(""), Status(400)),
        case("two Hosts", hosts("Host: a\r\nHost: b\r\n"), Status(400)),
        case("a Host with a path", hosts("Host: a/b\r\n"), Status(400)),
        case("a Host with a user", hosts("Host: a@b\r\n"), Status(400)),
        case("a Host of two words", hosts("Host: a b\r\n"), Status(400)),
        case("an empty Host", hosts("Host:\r\n"), Answers(1)),
        case("a Host with a port", hosts("Host: tor.example:8080\r\n"), Answers(1)),
    ]
}

/// Bodies whose length is told twice, wrongly, or not at all.
fn bodies() -> Vec<Case> {
    use Expected::{OneAtMost, Refused, Status};
    let note =
        "POST /api/v1/incidents/0000000000000000/annotations HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\nConnection: close\r\n";
    let page = "POST / HTTP/1.1\r\nHost: a\r\n";
    let chunked = |body: &str| format!("{note}Transfer-Encoding: chunked\r\n\r\n{body}");
    let hidden = "GET /methods HTTP/1.1\r\nHost: a\r\n\r\n";
    let both = format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}", hidden.len() + 5);
    vec![
        case("a length and chunks", format!("{note}{both}"), OneAtMost),
        case("a length and chunks, kept alive", format!("{page}{both}"), OneAtMost),
        case("two lengths", format!("{note}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), Refused),
        case("a negative length", format!("{note}Content-Length: -1\r\n\r\n"), Refused),
        case("a length with a plus", format!("{note}Content-Length: +1\r\n\r\na"), Refused),
        case("a length beyond 64 bits", format!("{note}Content-Length: 99999999999999999999\r\n\r\n"), Refused),
        case("a body of 10 MB", format!("{note}Content-Length: 10000000\r\n\r\n{}", "a".repeat(10_000_000)), Refused),
        case("chunks of 10 MB", chunked(&format!("989680\r\n{}\r\n0\r\n\r\n", "a".repeat(10_000_000))), Refused),
        case("a chunk beyond 64 bits", chunked("FFFFFFFFFFFFFFFFFF\r\na\r\n0\r\n\r\n"), Refused),
        case("a negative chunk", chunked("-1\r\na\r\n0\r\n\r\n"), Refused),
        unfinished("a chunk that is shorter than it says", chunked("5\r\na\r\n0\r\n\r\n")),
        case("a chunk with 100 kB of extension", chunked(&format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(100_000))), Refused),
        case("10,000 trailers", chunked(&format!("0\r\n{}\r\n", "x: y\r\n".repeat(10_000))), Refused),
        case("chunked twice", format!("{note}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"), Refused),
        case("chunked, then something else", format!("{note}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"), Refused),
        case("a disguised chunked", format!("{note}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), Refused),
        case("a body for a page", format!("{page}Connection: close\r\nContent-Length: 1\r\n\r\na"), Status(405)),
    ]
}

fn paths() -> Vec<Case> {
    use Expected::{NoFailure, Refused};
    let refused = ["/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd", "/%00", "/relay/%00", "/..\\..\\etc"];
    let refused = refused.map(|path| case("a path out of the site", get(path), Refused));
    let odd =
        ["/%0d%0aSet-Cookie:%20a=b", "/relays?q=%0d%0aSet-Cookie:%20a=b", "//a.example/", "///", "/%ff", "/%", "/%zz", "/relay/%C0%AF"];
    let odd = odd.map(|path| case("an odd path", get(path), NoFailure));
    refused.into_iter().chain(odd).collect()
}

fn sizes() -> Vec<Case> {
    use Expected::Refused;
    vec![
        case("an address of 64 kB", get(&format!("/{}", "a".repeat(65_536))), Refused),
        case("an address of 1 MB", get(&format!("/{}", "a".repeat(1 << 20))), Refused),
        case("a field of 1 MB", with(&format!("X: {}\r\n", "a".repeat(1 << 20))), Refused),
        case("a field name of 100 kB", with(&format!("{}: a\r\n", "X".repeat(100_000))), Refused),
        case("2,000 fields", with(&"X: a\r\n".repeat(2_000)), Refused),
        case("a token of 60 kB", with(&format!("Authorization: Bearer {}\r\n", "a".repeat(60_000))), Expected::NoFailure),
    ]
}

/// Numbers and lists out of every range.
fn parameters() -> Vec<Case> {
    let numbers = ["99999999999999999999", "-1", "1e400", "NaN", "0x10", "٣", ""];
    let fields =
        ["/api/v1/relays?limit=", "/api/v1/relays?offset=", "/relays?page=", "/api/v1/incidents?limit=", "/api/v1/forecasts?limit="];
    let numbers = fields
        .iter()
        .flat_map(|field| numbers.map(|number| case("a number out of range", get(&format!("{field}{number}")), Expected::NoFailure)));
    let headers = [
        "Range: bytes=0-99999999999999999999\r\n",
        "Range: bytes=-1,-1,-1\r\n",
        "If-None-Match: \"\",,,\"\r\n",
        "If-Modified-Since: Thu, 99 Foo 99999 99:99:99 GMT\r\n",
        "Accept: ;;;,q=9999999999,*/*;q=-1\r\n",
        "Accept-Encoding: gzip;q=1e999, br;q=NaN\r\n",
        "Last-Event-ID: 99999999999999999999\r\n",
        "Forwarded: for=\"[::1\";host=;proto=gopher\r\n",
        "Expect: 100-continue\r\nContent-Length: 0\r\n",
        "Upgrade: websocket\r\nConnection: Upgrade\r\n",
    ];
    let headers = headers.map(|lines| case("an odd field", with(lines), Expected::NoFailure));
    let many = (0..800).map(|i| format!("a{i}=1")).collect::<Vec<_>>().join("&");
    let many = case("800 parameters", get(&format!("/api/v1/relays?{many}")), Expected::Refused);
    numbers.chain(headers).chain([many]).collect()
}
