//! Answers as HTTP responses: headers, content coding, validators, nothing where the client has it already.

use std::borrow::Cow;
use std::io::Write as _;
use std::sync::Arc;

use allium_model::Timestamp;
use allium_views::{Answer, CachePolicy, below, holds_addresses};
use axum::body::{Body, Bytes};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::exports::{Export, Exports, Part};
use crate::accept::accepts;
use crate::lanes::Shed;

/// Bytes beyond which an answer lies in a file: the most that one reader may hold.
const LARGEST_IN_MEMORY: usize = 256 << 10;

/// Bytes below which compression gains nothing.
const SMALLEST_COMPRESSED: usize = 512;

/// Bytes up to which an answer for which there is no file stays in memory.
const LARGEST_WITHOUT_FILE: usize = 4 << 20;

/// The level of zstd: its authors' default.
const ZSTD_LEVEL: i32 = 3;

/// Marks the response with a page that loads the script of charts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HasScript;

/// Holds the answer of a response that is made where nothing is known of the path below which the site lies.
#[derive(Debug, Clone)]
struct Pending(Answer);

/// Content codings that are made here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Coding {
    /// None.
    Plain,
    /// `gzip`.
    Gzip,
    /// `zstd`.
    Zstd,
}

impl Coding {
    /// The best coding that a client takes.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let takes = |coding: &str| accepts(headers, &header::ACCEPT_ENCODING, coding);
        if takes("zstd") {
            Self::Zstd
        } else if takes("gzip") {
            Self::Gzip
        } else {
            Self::Plain
        }
    }

    const fn name(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }
}

/// An answer as it is sent.
#[derive(Debug)]
pub(crate) struct Finished {
    status: StatusCode,
    headers: HeaderMap,
    tag: Option<String>,
    modified: Option<String>,
    scripts: bool,
    body: Kept,
    /// True if others may have it too.
    pub(crate) may_be_kept: bool,
}

/// The body of an answer.
#[derive(Debug)]
enum Kept {
    Nothing,
    Bytes(Bytes, Coding),
    File(Arc<Export>),
}

impl Finished {
    /// As [`Finished::complete`], in the plain form and in memory: for answers that are small and not kept.
    fn plain(answer: Answer, path: &str) -> Self {
        let (tag, answer) = (answer.etag(), completed(answer, path));
        let body = if answer.media_type.is_none() { Kept::Nothing } else { Kept::Bytes(bytes(answer.body), Coding::Plain) };
        let head = Answer { body: Cow::Borrowed(&[]), ..answer };
        Self::of(&head, tag, body)
    }

    /// An answer with the path below which the site lies in front of its addresses, in a content coding; in a file where it is large.
    ///
    /// # Errors
    /// [`Shed`] if it is too large for the memory and there is no room for its file.
    pub(crate) fn complete(answer: Answer, path: &str, coding: Coding, exports: &Exports) -> Result<Self, Shed> {
        let (tag, mut answer) = (answer.etag(), completed(answer, path));
        let body = std::mem::take(&mut answer.body);
        let is_coded = answer.encoding.is_some() || answer.media_type.is_none_or(is_compressed);
        if !is_coded {
            answer.vary = Some(if answer.vary.is_some() { "accept, accept-encoding" } else { "accept-encoding" });
        }
        let body = match answer.media_type {
            None => Kept::Nothing,
            Some(_) if body.len() > LARGEST_IN_MEMORY && !is_coded => large(body, exports)?,
            Some(_) if is_coded || body.len() < SMALLEST_COMPRESSED => Kept::Bytes(bytes(body), Coding::Plain),
            Some(_) => compressed(body, coding),
        };
        Ok(Self::of(&answer, tag, body))
    }

    fn of(answer: &Answer, tag: Option<String>, body: Kept) -> Self {
        let modified = answer.modified.map(http_date);
        let described = [
            (header::CONTENT_TYPE, answer.media_type),
            (header::CACHE_CONTROL, answer.cache.map(CachePolicy::value)),
            (header::CONTENT_ENCODING, answer.encoding),
            (header::VARY, answer.vary),
            (header::LOCATION, answer.location.as_deref()),
            (header::ETAG, tag.as_deref()),
            (header::LAST_MODIFIED, modified.as_deref()),
        ];
        let headers = described.into_iter().filter_map(|(name, value)| Some((name, HeaderValue::from_str(value?).ok()?)));
        Self {
            status: StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            headers: headers.collect(),
            may_be_kept: answer.status == 200 && answer.cache.is_some_and(|cache| cache != CachePolicy::Never),
            tag,
            modified,
            scripts: answer.scripts,
            body,
        }
    }

    /// The response to a request with this method and these headers.
    pub(crate) fn response(&self, method: &Method, asked: &HeaderMap) -> Response {
        let is_known = self.tag.as_deref().is_some_and(|tag| has_it(asked, tag, self.modified.as_deref()));
        let mut response = match &self.body {
            Kept::Nothing => Response::new(Body::empty()),
            _ if is_known => Response::new(Body::empty()),
            Kept::Bytes(bytes, coding) => sent(Body::from(bytes.clone()), bytes.len() as u64, *coding, method),
            Kept::File(export) => {
                let (part, coding) = match accepts(asked, &header::ACCEPT_ENCODING, "gzip") {
                    true => (Part::Gzip, Coding::Gzip),
                    false => (Part::Plain, Coding::Plain),
                };
                sent(Arc::clone(export).body(part), export.len(part), coding, method)
            }
        };
        *response.status_mut() = if is_known { StatusCode::NOT_MODIFIED } else { self.status };
        if self.scripts {
            response.extensions_mut().insert(HasScript);
        }
        response.headers_mut().extend(self.headers.clone());
        response
    }

    /// False if it lies in a file that was cut.
    pub(crate) fn is_whole(&self) -> bool {
        match &self.body {
            Kept::File(export) => export.is_whole(),
            Kept::Nothing | Kept::Bytes(..) => true,
        }
    }

    /// Bytes of its body in memory.
    pub(crate) fn n_bytes_in_memory(&self) -> usize {
        match &self.body {
            Kept::Bytes(bytes, _) => bytes.len(),
            Kept::Nothing | Kept::File(_) => 0,
        }
    }
}

/// The response with an answer that is not kept; [`finished`] makes it whole.
pub(crate) fn response(answer: Answer) -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Pending(answer));
    response
}

/// The response as the client gets it: with the answer that [`response`] left to be finished, and the headers that were added since.
pub(crate) fn finished(mut response: Response, path: &str) -> Response {
    let Some(Pending(answer)) = response.extensions_mut().remove() else { return response };
    let (added, _) = response.into_parts();
    let mut finished = Finished::plain(answer, path).response(&Method::GET, &HeaderMap::new());
    finished.headers_mut().extend(added.headers);
    finished.extensions_mut().extend(added.extensions);
    finished
}

/// The same with one more header, where its value can be one.
pub(crate) fn with(mut response: Response, name: HeaderName, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// The answer with the path below which the site lies, if there is one, in front of the addresses of ours.
fn completed(answer: Answer, path: &str) -> Answer {
    if path.is_empty() {
        return answer;
    }
    let location = answer.location.map(|to| if to.starts_with('/') { format!("{path}{to}") } else { to });
    let body = match answer.media_type {
        Some(kind) if holds_addresses(kind) => Cow::Owned(below(kind, &answer.body, path)),
        _ => answer.body,
    };
    Answer { location, body, ..answer }
}

fn sent(body: Body, n_bytes: u64, coding: Coding, method: &Method) -> Response {
    let mut response = Response::new(if method == Method::HEAD { Body::empty() } else { body });
    response.headers_mut().insert(header::CONTENT_LENGTH, n_bytes.into());
    if let Some(coding) = coding.name() {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    response
}

/// True if an answer of this media type is compressed as it is.
fn is_compressed(media_type: &str) -> bool {
    media_type == "image/png"
}

fn large(body: Cow<'static, [u8]>, exports: &Exports) -> Result<Kept, Shed> {
    match exports.write(&body) {
        Ok(export) => Ok(Kept::File(export)),
        Err(_) if body.len() <= LARGEST_WITHOUT_FILE => Ok(Kept::Bytes(bytes(body), Coding::Plain)),
        Err(error) => {
            tracing::error!(%error, directory = %std::env::temp_dir().display(), "no file for a large answer");
            Err(Shed)
        }
    }
}

/// The body in a coding; plain where that fails.
fn compressed(body: Cow<'static, [u8]>, coding: Coding) -> Kept {
    let made = match coding {
        Coding::Plain => return Kept::Bytes(bytes(body), coding),
        Coding::Zstd => zstd::bulk::compress(&body, ZSTD_LEVEL),
        Coding::Gzip => {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
            gzip.write_all(&body).and_then(|()| gzip.finish())
        }
    };
    match made {
        Ok(made) => Kept::Bytes(Bytes::from(made), coding),
        Err(error) => {
            tracing::error!(%error, "an answer could not be compressed");
            Kept::Bytes(bytes(body), Coding::Plain)
        }
    }
}

fn bytes(body: Cow<'static, [u8]>) -> Bytes {
    match body {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    }
}

/// True if the client has the answer that carries this tag and date.
fn has_it(asked: &HeaderMap, tag: &str, modified: Option<&str>) -> bool {
    match asked.get(header::IF_NONE_MATCH) {
        Some(tags) => tags.to_str().is_ok_and(|tags| tags.split(',').any(|t| t.trim() == tag)),
        None => modified.is_some() && asked.get(header::IF_MODIFIED_SINCE).and_then(|date| date.to_str().ok()) == modified,
    }
}

/// `Sun, 15 Feb 2026 18:00:00 GMT`
fn http_date(instant: Timestamp) -> String {
    instant.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
