//! The gate that every request and response passes.
//!
//! Oversized addresses are refused before anything looks at them. Where the site lies below a path, it is taken off what comes in and put
//! in front of the addresses in what goes out; nothing behind the gate knows of it. Every response carries a strict content security
//! policy, and is counted.

use std::time::Instant;

use allium_service::Snapshot;
use allium_views::{RequestError, Route};
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::Uri;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use crate::answers::finished::{HasScript, finished};
use crate::outside::Outside;
use crate::proxies::Peer;
use crate::{Kind, Server, is_for_programs, refused};

/// Policy of pages: our stylesheet and our pictures; the icon is part of the page.
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Policy of pages with charts: our script too, and the values that it draws.
const CONTENT_SECURITY_POLICY_CHARTS: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The longest address that is looked at, in bytes.
const LONGEST_ADDRESS: usize = 4_096;

/// Refuses oversized addresses, takes off the path below which the site lies, and adds what every response carries.
pub(crate) async fn guard(State(server): State<Server>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let snapshot = server.site.snapshot();
    let peer = request.extensions().get::<ConnectInfo<Peer>>().map(|info| info.0);
    let outside = Outside::of(snapshot.info(), &server.proxies, peer, request.headers());
    let uri = inner(&outside, request.uri());
    let is_too_long = request.uri().path_and_query().is_some_and(|address| address.as_str().len() > LONGEST_ADDRESS);
    *request.uri_mut() = uri.clone();
    request.extensions_mut().insert(outside.clone());
    let response = if is_too_long {
        server.misuse.note("addresses were too long", "the limit is 4,096 bytes");
        refused(&snapshot, &RequestError::TooLong, is_for_programs(uri.path()))
    } else {
        next.run(request).await
    };
    let mut response = finished(response, outside.path());
    carry(&snapshot, &uri, &mut response);
    let kind = response.extensions().get::<Kind>().map_or("none", |kind| kind.0);
    server.counts.answered(kind, response.status().as_u16(), begun.elapsed());
    response
}

/// The address without the path below which the site lies. An address of ours that begins with the same words stays as it is.
fn inner(outside: &Outside, uri: &Uri) -> Uri {
    let inner = outside.inner(uri.path()).filter(|inner| Route::parse(inner).is_ok() || Route::parse(uri.path()).is_err());
    let Some(inner) = inner else { return uri.clone() };
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    format!("{inner}{query}").parse().unwrap_or_else(|_| uri.clone())
}

fn carry(snapshot: &Snapshot, uri: &Uri, response: &mut Response<Body>) {
    let is_api = is_for_programs(uri.path());
    let is_html = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let has_script = response.extensions().get::<HasScript>().is_some();
    let headers = response.headers_mut();
    let always = [
        (header::CONTENT_SECURITY_POLICY, if has_script { CONTENT_SECURITY_POLICY_CHARTS } else { CONTENT_SECURITY_POLICY }),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), if is_api { "cross-origin" } else { "same-origin" }),
        (HeaderName::from_static("permissions-policy"), "browsing-topics=(), camera=(), geolocation=(), microphone=()"),
    ];
    for (name, value) in always {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_api {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    if let Some(onion) = snapshot.info().onion.as_deref().filter(|_| is_html) {
        let address = uri.path_and_query().map_or("/", |address| address.as_str());
        if let Ok(value) = HeaderValue::from_str(&format!("{}{address}", onion.trim_end_matches('/'))) {
            headers.insert(HeaderName::from_static("onion-location"), value);
        }
    }
}
