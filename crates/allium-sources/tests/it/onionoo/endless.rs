//! Answers that never end: refused as too large as soon as there are more bytes than allowed, not when the time is over.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use allium_model::{Bounds, DocumentKind};
use allium_sources::Error;
use allium_sources::onionoo::{Client, ClientOptions};
use allium_sources::read::Limits;
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const LIMITS: Limits = Limits { max_bytes: 8 << 20, max_compressed_bytes: 2 << 20, max_ratio: 1000 };

/// A server that sends a head and then these bytes, again and again, for as long as somebody listens.
struct Endless {
    url: String,
    n_connections: Arc<AtomicUsize>,
}

impl Endless {
    async fn start(headers: &'static str, bytes: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let n_connections = Arc::new(AtomicUsize::new(0));
        let counted = n_connections.clone();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    request.push(stream.read_u8().await.unwrap());
                }
                let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{headers}\r\n");
                let mut is_heard = stream.write_all(head.as_bytes()).await.is_ok();
                while is_heard {
                    is_heard = stream.write_all(&bytes).await.is_ok();
                }
            }
        });
        Self { url, n_connections }
    }
}

/// Checks that the answer is refused as larger than so many bytes, and not asked for again.
async fn check_refused(kind: DocumentKind, headers: &'static str, bytes: Vec<u8>, expected: u64) {
    let (server, cache) = (Endless::start(headers, bytes).await, tempfile::tempdir().unwrap());
    let options = ClientOptions { limits: LIMITS, retries: 0, ..ClientOptions::new(&server.url, cache.path()) };
    let bounds = Bounds::at("2026-02-15T20:00:00Z".parse().unwrap(), 7200);
    let found = Client::new(options).unwrap().fetch(kind, None, bounds).await;
    assert!(matches!(&found, Err(Error::TooLarge { limit_bytes, .. }) if *limit_bytes == expected), "{found:?}");
    assert_eq!(server.n_connections.load(Ordering::SeqCst), 1);
}

/// A member of a gzip file that holds so many blanks.
fn blanks(n_bytes: usize, level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(&vec![b' '; n_bytes]).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn an_endless_bomb_is_refused_while_it_comes() {
    // Two hundred blanks per byte: the cap on the document.
    check_refused(DocumentKind::Uptime, "Content-Encoding: gzip\r\n", blanks(1 << 20, Compression::fast()), 8 << 20).await;
    check_refused(DocumentKind::Details, "Content-Encoding: gzip\r\n", blanks(1 << 20, Compression::fast()), 4 << 20).await;
    check_refused(DocumentKind::Summary, "", blanks(1 << 20, Compression::fast()), 1 << 20).await;
}

#[tokio::test]
async fn an_endless_text_is_refused_at_the_cap_of_its_kind() {
    check_refused(DocumentKind::Uptime, "", vec![b' '; 1 << 16], 8 << 20).await;
    check_refused(DocumentKind::Details, "", vec![b' '; 1 << 16], 4 << 20).await;
    check_refused(DocumentKind::Summary, "", vec![b' '; 1 << 16], 1 << 20).await;
}

#[tokio::test]
async fn bytes_that_do_not_shrink_are_refused_at_the_compressed_cap() {
    let noise: Vec<u8> = (0..1_u32 << 16).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut stored = GzEncoder::new(Vec::new(), Compression::none());
    stored.write_all(&noise).unwrap();
    check_refused(DocumentKind::Uptime, "", stored.finish().unwrap(), 2 << 20).await;
}
