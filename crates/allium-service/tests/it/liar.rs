//! A source on loopback that can be made to misbehave.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Behaviour of a source when it is asked for details; it always has other documents, without relays.
#[derive(Debug, Clone)]
pub(crate) enum Conduct {
    /// The network of 60 relays as of an hour of the day.
    Good(u8),
    /// Says nothing until the client hangs up.
    Hang,
    /// Sends a byte now and then.
    Drip,
    /// The network as of another time.
    Dated(&'static str),
    /// A complete document of so many relays, of which so many run, as of an hour of the day.
    Relays(usize, usize, u8),
    /// Blanks without end, compressed.
    Bomb,
    /// Blanks without end.
    Endless,
    /// The index of an archive that has nothing.
    Index,
}

/// A running source.
pub(crate) struct Liar {
    pub(crate) url: String,
    conduct: Arc<Mutex<Conduct>>,
    n_asked: Arc<AtomicUsize>,
}

impl Liar {
    pub(crate) fn start(conduct: Conduct) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (conduct, n_asked) = (Arc::new(Mutex::new(conduct)), Arc::new(AtomicUsize::new(0)));
        let (shared, counted) = (conduct.clone(), n_asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                counted.fetch_add(1, Ordering::SeqCst);
                let conduct = shared.lock().unwrap().clone();
                // A client may hang up whenever it likes.
                std::thread::spawn(move || answer(stream.unwrap(), &conduct).ok());
            }
        });
        Self { url, conduct, n_asked }
    }

    pub(crate) fn set(&self, conduct: Conduct) {
        *self.conduct.lock().unwrap() = conduct;
    }

    /// Number of requests so far.
    pub(crate) fn n_asked(&self) -> usize {
        self.n_asked.load(Ordering::SeqCst)
    }
}

fn answer(mut stream: TcpStream, conduct: &Conduct) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        request.push(byte[0]);
    }
    if !request.starts_with(b"GET /details") && !matches!(conduct, Conduct::Index) {
        return whole(&mut stream, &document("2026-03-10 12:00:00", 0, 0));
    }
    match conduct {
        Conduct::Good(hour) => whole(&mut stream, &document(&time(*hour), 60, 50)),
        Conduct::Dated(published) => whole(&mut stream, &document(published, 60, 50)),
        Conduct::Relays(n, n_running, hour) => whole(&mut stream, &document(&time(*hour), *n, *n_running)),
        Conduct::Index => whole(&mut stream, r#"{"index_created":"2026-03-10 12:00","path":"https://collector.example","directories":[]}"#),
        Conduct::Hang => stream.read_exact(&mut [0]),
        Conduct::Drip => repeat(&mut stream, "", b"{", Duration::from_millis(50)),
        Conduct::Bomb => repeat(&mut stream, "Content-Encoding: gzip\r\n", &bomb(), Duration::ZERO),
        Conduct::Endless => repeat(&mut stream, "", &vec![b' '; 1 << 16], Duration::ZERO),
    }
}

fn time(hour: u8) -> String {
    format!("2026-03-10 {hour:02}:00:00")
}

fn whole(stream: &mut TcpStream, body: &str) -> std::io::Result<()> {
    let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())
}

fn repeat(stream: &mut TcpStream, headers: &str, bytes: &[u8], pause: Duration) -> std::io::Result<()> {
    stream.write_all(format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{headers}\r\n").as_bytes())?;
    loop {
        stream.write_all(bytes)?;
        std::thread::sleep(pause);
    }
}

/// A gzip file of a million blanks.
fn bomb() -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&vec![b' '; 1 << 20]).unwrap();
    encoder.finish().unwrap()
}

/// A complete document of the first relays of the network.
fn document(published: &str, n: usize, n_running: usize) -> String {
    let relay = |number: usize| {
        let (fingerprint, running) = (format!("{number:04X}{}", "AB".repeat(18)), number < n_running);
        let last_seen = if running { published } else { "2026-03-09 12:00:00" };
        format!(r#"{{"fingerprint":"{fingerprint}","nickname":"n{number}","running":{running},"last_seen":"{last_seen}"}}"#)
    };
    let relays: Vec<String> = (0..n).map(relay).collect();
    format!(r#"{{"relays_published":"{published}","relays":[{}],"bridges":[]}}"#, relays.join(","))
}
