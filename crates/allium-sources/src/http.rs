//! Requests of the sources that bring consensuses: one answer, capped in bytes and time, decompressed.
//!
//! The compression used shows in the first bytes of the answer: servers of the directory protocol name theirs in
//! several ways. Redirects are not followed. A proxy is used only if named, never from the environment.

use std::io::{self, Read};
use std::net::IpAddr;
use std::time::Duration;

use allium_model::Timestamp;
use bytes::Bytes;
use jiff::fmt::rfc2822::DateTimePrinter;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, IF_MODIFIED_SINCE};
use reqwest::redirect::Policy;
use reqwest::{Proxy, Response, StatusCode, Url};
use tokio::sync::mpsc;

use crate::error::{Error, Stage};
use crate::read::{Inflated, Limits, inflate};

/// Pieces of an answer that wait to be decompressed.
const PIECES: usize = 4;
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// Settings of requests.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// A proxy such as `socks5h://127.0.0.1:9050`.
    pub proxy: Option<String>,
    /// Time that one request may take, from connecting to the last byte.
    pub timeout: Duration,
    /// Name under which Allium sends requests.
    pub user_agent: String,
}

impl Default for HttpOptions {
    /// Two minutes per request, which is enough over Tor.
    fn default() -> Self {
        let user_agent = concat!("allium/", env!("CARGO_PKG_VERSION")).to_owned();
        Self { proxy: None, timeout: Duration::from_secs(120), user_agent }
    }
}

/// Sends requests.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    client: reqwest::Client,
}

impl Http {
    pub(crate) fn new(options: &HttpOptions) -> Result<Self, Error> {
        // An error means that the process has chosen a provider before, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(&options.user_agent)
            .no_proxy()
            .no_gzip()
            .timeout(options.timeout)
            .connect_timeout(CONNECT_TIMEOUT.min(options.timeout))
            .redirect(Policy::none());
        if let Some(address) = &options.proxy {
            builder = builder.proxy(socks_proxy(address)?);
        }
        let unusable = |error: reqwest::Error| Error::Option { option: "HTTP client".to_owned(), reason: error.to_string() };
        Ok(Self { client: builder.build().map_err(unusable)? })
    }

    /// The document at an address; `None` if it was not modified since that instant.
    pub(crate) async fn get(
        &self,
        url: &Url,
        encodings: &'static str,
        since: Option<Timestamp>,
        limits: &Limits,
    ) -> Result<Option<Vec<u8>>, Error> {
        let mut request = self.client.get(url.clone()).header(ACCEPT_ENCODING, encodings);
        if let Some(date) = since.and_then(|since| DateTimePrinter::new().timestamp_to_rfc9110_string(&since).ok()) {
            request = request.header(IF_MODIFIED_SINCE, date);
        }
        let response = request.send().await.map_err(|error| transport(url, error))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED if since.is_some() => return Ok(None),
            status => return Err(Error::Status { url: url.to_string(), status: status.as_u16() }),
        }
        document(url, response, limits).await.map(|inflated| Some(inflated.plain))
    }
}

/// The document of an answer, decompressed while it comes. As soon as there are more bytes than allowed, no more are read.
pub(crate) async fn document(url: &Url, response: Response, limits: &Limits) -> Result<Inflated, Error> {
    check_length(url, &response, limits)?;
    let (pieces, arriving) = mpsc::channel(PIECES);
    let (origin, limits) = (url.to_string(), *limits);
    let read = off_the_loop(move || inflate(Arriving { pieces: arriving, piece: Bytes::new() }, &origin, &limits));
    let (sent, read) = tokio::join!(pour(url, response, pieces), read);
    sent?;
    read
}

/// Passes an answer on, piece by piece, for as long as somebody reads it.
async fn pour(url: &Url, mut response: Response, pieces: mpsc::Sender<Bytes>) -> Result<(), Error> {
    while let Some(piece) = response.chunk().await.map_err(|error| transport(url, error))? {
        if pieces.send(piece).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// An answer as bytes to read, in a thread that may wait for them.
struct Arriving {
    pieces: mpsc::Receiver<Bytes>,
    piece: Bytes,
}

impl Read for Arriving {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            let Some(piece) = self.pieces.blocking_recv() else { return Ok(0) };
            self.piece = piece;
        }
        let n_bytes = self.piece.len().min(buffer.len());
        buffer[..n_bytes].copy_from_slice(&self.piece.split_to(n_bytes));
        Ok(n_bytes)
    }
}

/// The cap for an answer as it is sent, and what the cap is about: a server that ignores `Accept-Encoding` sends as many bytes as the
/// document has.
fn cap(response: &Response, limits: &Limits) -> (u64, Stage) {
    match response.headers().contains_key(CONTENT_ENCODING) {
        true => (limits.max_compressed_bytes, Stage::Compressed),
        false => (limits.max_bytes, Stage::Decompressed),
    }
}

/// Refuses an answer that says itself that it is too long.
fn check_length(url: &Url, response: &Response, limits: &Limits) -> Result<(), Error> {
    let (limit_bytes, stage) = cap(response, limits);
    match response.content_length() {
        Some(n_bytes) if n_bytes > limit_bytes => Err(Error::TooLarge { origin: url.to_string(), limit_bytes, stage }),
        _ => Ok(()),
    }
}

/// The body as sent, no further than the cap.
pub(crate) async fn body(url: &Url, mut response: Response, limits: &Limits) -> Result<Vec<u8>, Error> {
    check_length(url, &response, limits)?;
    let (limit_bytes, stage) = cap(&response, limits);
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| transport(url, error))? {
        if (body.len() + chunk.len()) as u64 > limit_bytes {
            return Err(Error::TooLarge { origin: url.to_string(), limit_bytes, stage });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Decompressing, decoding and verifying take long enough to be kept off the threads that answer requests.
pub(crate) async fn off_the_loop<T, F>(work: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Error> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(Error::Interrupted),
    }
}

/// An address without a path, or with one that ends with a slash, so that further segments can be added to it.
pub(crate) fn base_url(text: &str, may_be_plain: bool) -> Result<Url, Error> {
    let refused = |reason: &str| Error::Option { option: format!("address {text}"), reason: reason.to_owned() };
    let mut url: Url = text.parse().map_err(|_| refused("expected https://HOST"))?;
    match url.scheme() {
        "https" => {}
        "http" if may_be_plain || is_loopback(&url) => {}
        "http" => return Err(refused("plain HTTP is for this machine only, use https")),
        _ => return Err(refused("expected https://HOST")),
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("expected no query and no fragment"));
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

/// The address of a resource below a base.
pub(crate) fn below(base: &Url, path: &str) -> Result<Url, Error> {
    let unusable = |_| Error::Option { option: format!("address {base}{path}"), reason: "not a URL".to_owned() };
    base.join(path).map_err(unusable)
}

fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

pub(crate) fn socks_proxy(address: &str) -> Result<Proxy, Error> {
    let refused = |reason: String| Error::Option { option: format!("proxy {address}"), reason };
    let has_host = |url: &Url| matches!(url.scheme(), "socks5" | "socks5h") && url.host_str().is_some_and(|host| !host.is_empty());
    if !address.parse().is_ok_and(|url| has_host(&url)) {
        return Err(refused("expected socks5h://HOST:PORT or socks5://HOST:PORT".to_owned()));
    }
    Proxy::all(address).map_err(|error| refused(error.to_string()))
}

pub(crate) fn transport(url: &Url, error: reqwest::Error) -> Error {
    let url = url.to_string();
    if error.is_timeout() {
        Error::TimedOut { url }
    } else if error.is_redirect() {
        Error::Redirected { url }
    } else {
        Error::Transport { url, source: error.without_url() }
    }
}
