//! Answers as HTTP responses: headers, validators, nothing where the client has it already.

use std::borrow::Cow;

use allium_model::Timestamp;
use allium_views::Answer;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};

/// Marks the response with a page that loads the script of charts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HasScript;

/// The answer to a request with these headers.
pub(crate) fn response(answer: Answer, asked: &HeaderMap) -> Response {
    let tag = answer.etag();
    let modified = answer.modified.map(http_date);
    let is_known = tag.as_deref().is_some_and(|tag| has_it(asked, tag, modified.as_deref()));
    let status = if is_known { StatusCode::NOT_MODIFIED } else { status_of(answer.status) };
    let described = [
        (header::CONTENT_TYPE, answer.media_type),
        (header::CACHE_CONTROL, answer.cache.map(allium_views::CachePolicy::value)),
        (header::CONTENT_ENCODING, answer.encoding),
        (header::VARY, answer.vary),
        (header::LOCATION, answer.location.as_deref()),
        (header::ETAG, tag.as_deref()),
        (header::LAST_MODIFIED, modified.as_deref()),
    ];
    let headers = HeaderMap::from_iter(described.into_iter().filter_map(|(name, value)| Some((name, HeaderValue::from_str(value?).ok()?))));
    let mut response = match is_known || answer.media_type.is_none() {
        true => status.into_response(),
        false => (status, body(answer.body)).into_response(),
    };
    if answer.scripts {
        response.extensions_mut().insert(HasScript);
    }
    response.headers_mut().extend(headers);
    response
}

/// True if the client has the answer that carries this tag and date.
fn has_it(asked: &HeaderMap, tag: &str, modified: Option<&str>) -> bool {
    match asked.get(header::IF_NONE_MATCH) {
        Some(tags) => tags.to_str().is_ok_and(|tags| tags.split(',').any(|t| t.trim() == tag)),
        None => modified.is_some() && asked.get(header::IF_MODIFIED_SINCE).and_then(|date| date.to_str().ok()) == modified,
    }
}

fn body(bytes: Cow<'static, [u8]>) -> Body {
    Body::from(match bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    })
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// `Sun, 15 Feb 2026 18:00:00 GMT`
fn http_date(instant: Timestamp) -> String {
    instant.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// The same with one more header, where its value can be one.
pub(crate) fn with(mut response: Response, name: HeaderName, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}
