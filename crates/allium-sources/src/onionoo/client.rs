//! Fetching documents, politely and without trust.
//!
//! Method: `GET {base_url}/{kind}` with gzip and, where the newest good document is in the cache, `If-Modified-Since`.
//! An answer is decompressed while it comes, read no further than the caps on bytes and time allow ([`Limits`]), and checked: it
//! must be complete to the last bracket and not older than the stored document. Only then does it replace the stored
//! one, atomically. Server errors, time-outs, broken connections and truncated answers are tried again with growing
//! pauses; what would fail again is not.
//!
//! Requests go over HTTPS, to other machines without exception; loopback may be plain HTTP. Redirects are followed on
//! the same host and scheme only. A proxy is used only if named in the options, never from the environment; with
//! `socks5h://` names are resolved by the proxy.

use std::path::PathBuf;
use std::time::Duration;

use allium_model::{Bounds, ConsensusHour, DocumentKind};
use backon::{ExponentialBuilder, Retryable};
use jiff::fmt::rfc2822;
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, IF_MODIFIED_SINCE, LAST_MODIFIED};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Response, StatusCode, Url};

use super::cache::{Cache, Kept};
use super::envelope::check;
use super::sniff::sniff;
use crate::error::Error;
use crate::http::{CONNECT_TIMEOUT, base_url, document, off_the_loop, socks_proxy, transport};
use crate::read::{Inflated, Limits};

const MAX_REDIRECTS: usize = 3;
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// Settings for fetching documents.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Address below which the documents are, such as `https://onionoo.torproject.org`.
    pub base_url: String,
    /// Directory that keeps the newest good document of each kind; created where needed.
    pub cache_dir: PathBuf,
    /// A proxy such as `socks5h://127.0.0.1:9050`.
    pub proxy: Option<String>,
    /// Limits for reading documents of graphs; a details document may have half of that, a summary an eighth.
    pub limits: Limits,
    /// Time that one attempt may take, from connecting to the last byte.
    pub timeout: Duration,
    /// Number of times that a failed attempt is repeated.
    pub retries: usize,
    /// The pause before the first repetition; each further one doubles, up to a minute.
    pub retry_pause: Duration,
    /// Name under which Allium sends requests.
    pub user_agent: String,
}

impl ClientOptions {
    /// Usual settings: 5 minutes per attempt, which is enough over Tor; 4 repetitions after 2, 4, 8 and 16 seconds.
    pub fn new(base_url: impl Into<String>, cache_dir: impl Into<PathBuf>) -> Self {
        Self {
            base_url: base_url.into(),
            cache_dir: cache_dir.into(),
            proxy: None,
            limits: Limits::default(),
            timeout: Duration::from_secs(300),
            retries: 4,
            retry_pause: Duration::from_secs(2),
            user_agent: concat!("allium/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// A document as fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The server had a document that the cache did not have; it is in the cache now.
    Modified(FetchedDocument),
    /// The server has nothing newer than the document of the cache, which is this one.
    NotModified(FetchedDocument),
    /// Nor is that one newer than what the caller holds, so it was not read.
    Held,
}

impl Fetched {
    /// The document, fetched or kept; `None` where the caller holds it.
    pub fn into_document(self) -> Option<FetchedDocument> {
        match self {
            Self::Modified(document) | Self::NotModified(document) => Some(document),
            Self::Held => None,
        }
    }
}

/// A complete document, ready for [`decode`](super::decode).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedDocument {
    /// Its bytes, decompressed.
    pub bytes: Vec<u8>,
    /// The address that it came from.
    pub origin: String,
    /// The server's `Last-Modified`, as sent.
    pub last_modified: Option<String>,
    /// The consensus that it is as of.
    pub published: ConsensusHour,
}

/// Fetches documents of one server and keeps the newest good one of each kind.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    cache: Cache,
    options: ClientOptions,
}

impl Client {
    /// Prepares a client; nothing is sent.
    ///
    /// # Errors
    /// An address that is neither HTTPS nor loopback, a proxy that is not SOCKS5, or a cache that cannot be created.
    pub fn new(options: ClientOptions) -> Result<Self, Error> {
        let base = base_url(&options.base_url, false)?;
        // An error means that the process has chosen a provider before, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut http = reqwest::Client::builder()
            .user_agent(&options.user_agent)
            .no_proxy()
            .no_gzip()
            .timeout(options.timeout)
            .connect_timeout(CONNECT_TIMEOUT.min(options.timeout))
            .redirect(Policy::custom(|attempt| if stays(&attempt) { attempt.follow() } else { attempt.error("redirect refused") }));
        if let Some(address) = &options.proxy {
            http = http.proxy(socks_proxy(address)?);
        }
        let unusable = |error: reqwest::Error| Error::Option { option: "HTTP client".to_owned(), reason: error.to_string() };
        let http = http.build().map_err(unusable)?;
        let cache = Cache::open(&options.cache_dir)?;
        Ok(Self { http, base, cache, options })
    }

    /// Fetches the newest document of a kind, or finds that the kept one still is.
    ///
    /// `held` is as of which consensus the caller has taken one in. A kept document that is no newer is left on the disk: an answer
    /// of some hundred bytes then costs no more than that. A document as of a time outside `bounds` is refused; one in the cache counts as
    /// none, so that it stands in the way of no true one.
    ///
    /// # Errors
    /// No good answer after all attempts, an answer that must not be used (truncated, older, too large, no document), or
    /// a cache that fails. The kept document is untouched then.
    pub async fn fetch(&self, kind: DocumentKind, held: Option<ConsensusHour>, bounds: Bounds) -> Result<Fetched, Error> {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(self.options.retry_pause)
            .with_max_delay(MAX_PAUSE.max(self.options.retry_pause))
            .with_max_times(self.options.retries);
        (|| self.attempt(kind, held, bounds))
            .retry(pauses)
            .when(may_pass)
            .notify(|error, pause| tracing::warn!(%kind, %error, pause_secs = pause.as_secs_f64(), "fetching failed, trying again"))
            .await
    }

    async fn attempt(&self, kind: DocumentKind, held: Option<ConsensusHour>, bounds: Bounds) -> Result<Fetched, Error> {
        let url = self.url(kind);
        let kept = self.cache.kept(kind, self.base.as_str()).filter(|kept| bounds.contain(kept.published));
        let has_body = |kept: &&Kept| self.cache.has_body(kind, kept);
        let condition = kept.as_ref().filter(has_body).and_then(|kept| kept.last_modified.clone()).filter(|at| can_be(at, bounds));
        let mut response = self.send(&url, condition.as_deref()).await?;
        if let (StatusCode::NOT_MODIFIED, Some(kept), Some(_)) = (response.status(), &kept, &condition) {
            if held.is_some_and(|held| held >= kept.published) {
                return Ok(Fetched::Held);
            }
            match self.unchanged(kind, url.clone(), kept.clone(), bounds).await {
                Err(error) => tracing::warn!(%kind, %error, "the cached document is damaged, fetching it anew"),
                unchanged => return unchanged,
            }
            response = self.send(&url, None).await?;
        }
        let status = response.status();
        if status != StatusCode::OK {
            return Err(Error::Status { url: url.to_string(), status: status.as_u16() });
        }
        let last_modified = header(response.headers());
        let inflated = document(&url, response, &self.limits(kind)).await?;
        self.accept(kind, url, kept, last_modified, inflated, bounds).await
    }

    async fn send(&self, url: &Url, since: Option<&str>) -> Result<Response, Error> {
        let mut request = self.http.get(url.clone()).header(ACCEPT_ENCODING, "gzip");
        if let Some(since) = since {
            request = request.header(IF_MODIFIED_SINCE, since);
        }
        request.send().await.map_err(|error| transport(url, error))
    }

    /// The limits for a kind of document. The largest are those of graphs; an eighth is several times a summary, a half twice the details.
    fn limits(&self, kind: DocumentKind) -> Limits {
        let part = match kind {
            DocumentKind::Summary => 8,
            DocumentKind::Details => 2,
            DocumentKind::Uptime | DocumentKind::Bandwidth | DocumentKind::Weights => 1,
        };
        let Limits { max_bytes, max_compressed_bytes, .. } = self.options.limits;
        Limits { max_bytes: max_bytes / part, max_compressed_bytes: max_compressed_bytes / part, ..self.options.limits }
    }

    fn url(&self, kind: DocumentKind) -> Url {
        let mut url = self.base.clone();
        let path = format!("{}/{kind}", self.base.path().trim_end_matches('/'));
        url.set_path(&path);
        url
    }

    /// Checks an answer and keeps it if it is good.
    async fn accept(
        &self,
        kind: DocumentKind,
        url: Url,
        kept: Option<Kept>,
        last_modified: Option<String>,
        inflated: Inflated,
        bounds: Bounds,
    ) -> Result<Fetched, Error> {
        let (cache, base_url) = (self.cache.clone(), self.base.to_string());
        off_the_loop(move || {
            let origin = url.to_string();
            let Inflated { plain: bytes, raw } = inflated;
            let body = raw.as_deref().unwrap_or(&bytes);
            let n_bytes = body.len() as u64;
            let published = checked(kind, &bytes, &origin, bounds)?;
            if let Some(Kept { published: stored, .. }) = kept.filter(|kept| kept.published > published) {
                return Err(Error::Older { origin, published, stored });
            }
            cache.keep(kind, &Kept { base_url, last_modified: last_modified.clone(), published, n_bytes }, body)?;
            Ok(Fetched::Modified(FetchedDocument { bytes, origin, last_modified, published }))
        })
        .await
    }

    async fn unchanged(&self, kind: DocumentKind, url: Url, kept: Kept, bounds: Bounds) -> Result<Fetched, Error> {
        let (cache, limits) = (self.cache.clone(), self.limits(kind));
        off_the_loop(move || {
            let bytes = cache.body(kind, &limits)?;
            let origin = url.to_string();
            let published = checked(kind, &bytes, &origin, bounds)?;
            Ok(Fetched::NotModified(FetchedDocument { bytes, origin, last_modified: kept.last_modified, published }))
        })
        .await
    }
}

fn checked(kind: DocumentKind, bytes: &[u8], origin: &str, bounds: Bounds) -> Result<ConsensusHour, Error> {
    let published = check(bytes, origin, bounds)?.published;
    match sniff(bytes) {
        Some(found) if found != kind => Err(Error::WrongKind { origin: origin.to_owned(), expected: kind, found }),
        _ => Ok(published),
    }
}

/// True if the same request may succeed later.
fn may_pass(error: &Error) -> bool {
    match error {
        Error::Status { status, .. } => *status >= 500,
        Error::TimedOut { .. } | Error::Transport { .. } | Error::Truncated { .. } | Error::Compression { .. } | Error::Empty { .. } => {
            true
        }
        _ => false,
    }
}

fn header(headers: &HeaderMap) -> Option<String> {
    headers.get(LAST_MODIFIED).and_then(|value| value.to_str().ok()).filter(|text| text.len() <= 64).map(str::to_owned)
}

/// True unless a date lies ahead: a server would answer that nothing has changed since, for as long as it does.
fn can_be(date: &str, bounds: Bounds) -> bool {
    rfc2822::parse(date).is_ok_and(|date| bounds.check(date.timestamp()).is_ok())
}

/// True if a redirect stays on the host, port and scheme of the first request.
fn stays(attempt: &Attempt<'_>) -> bool {
    let previous = attempt.previous();
    previous.len() <= MAX_REDIRECTS && previous.first().is_some_and(|first| first.origin() == attempt.url().origin())
}
