//! Addresses of incidents for programs that follow them: feeds, lines, a stream.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::{self, HeaderMap};
use axum::http::{HeaderValue, Uri};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::watch::Receiver;

use super::{api_error, page, page_error, validated};
use crate::api;
use crate::error::RequestError;
use crate::feeds::{self, FeedForm};
use crate::pages::incidents::monitor;
use crate::params::Params;
use crate::site::Site;
use crate::text::inert;

/// Silence after which a comment shows that the stream still goes on.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What a listener waits before it comes back after its stream broke off.
const RETRY: Duration = Duration::from_secs(10);

/// Changes that are made into text at a time.
const AT_ONCE: usize = 32;

pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/monitor", get(monitor))
        .route("/incidents.atom", get(|site, headers, uri| feed(site, headers, uri, FeedForm::Atom)))
        .route("/incidents.rss", get(|site, headers, uri| feed(site, headers, uri, FeedForm::Rss)))
        .route("/api/v1/incidents.jsonl", get(jsonl))
        .route("/api/v1/incidents/stream", get(stream))
}

async fn monitor(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    let log = site.incidents();
    page(&site, &headers, |view, now| {
        Params::of(&uri)?.only(&[])?;
        monitor::html(&site, view, now, log.as_deref())
    })
}

async fn feed(State(site): State<Site>, headers: HeaderMap, uri: Uri, form: FeedForm) -> Response {
    let Some(view) = site.view() else { return page_error(&site, &RequestError::NoDataYet(site.waiting_for())) };
    let Some(log) = site.incidents() else { return page_error(&site, &RequestError::NoIncidentsYet) };
    let base = base(&site, &headers);
    // Fifty entries are made from whatever fits: not on a thread that serves others.
    let work = tokio::task::spawn_blocking(move || feeds::incidents(&view, &log, &Params::of(&uri)?, &base, form));
    match work.await.unwrap_or(Err(RequestError::Internal)) {
        Ok(xml) => validated(&headers, form.content_type(), None, xml),
        Err(error) => page_error(&site, &error),
    }
}

/// What our addresses start with: as configured, else as the client calls us.
fn base(site: &Site, headers: &HeaderMap) -> String {
    if let Some(address) = &site.info().address {
        return address.trim_end_matches('/').to_owned();
    }
    let is_host = |host: &&str| host.len() <= 255 && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".:-[]".contains(&b));
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).filter(is_host);
    host.map_or_else(String::new, |host| format!("http://{host}"))
}

async fn jsonl(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    let Some(view) = site.view() else { return api_error(&RequestError::NoDataYet(site.waiting_for())) };
    let Some(log) = site.incidents() else { return api_error(&RequestError::NoIncidentsYet) };
    // Years of incidents take tens of milliseconds: not on a thread that serves others.
    let work = tokio::task::spawn_blocking(move || api::incidents_jsonl(&view, &log, &Params::of(&uri)?));
    match work.await.unwrap_or(Err(RequestError::Internal)) {
        Ok(lines) => validated(&headers, "application/jsonl; charset=utf-8", None, lines),
        Err(error) => api_error(&error),
    }
}

/// Changes as Server-Sent Events, one JSON object each.
async fn stream(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    let last_seen = match last_seen(&headers, &uri) {
        Ok(last_seen) => last_seen,
        Err(error) => return api_error(&error),
    };
    if site.incidents().is_none() {
        return api_error(&RequestError::NoIncidentsYet);
    }
    let Some(permit) = site.listening_permit() else {
        let mut response = api_error(&RequestError::TooManyListeners);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
        return response;
    };
    let told = futures_util::stream::unfold(Listener::new(site, last_seen.as_deref(), permit), Listener::told);
    Sse::new(told).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("still here")).into_response()
}

/// The name of the change that the client saw last: by the header that browsers send, or by a parameter.
fn last_seen(headers: &HeaderMap, uri: &Uri) -> Result<Option<String>, RequestError> {
    let params = Params::of(uri)?;
    params.only(&["last_event_id"])?;
    let header = headers.get("last-event-id").and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty() && id.len() <= 200);
    Ok(header.or(params.one("last_event_id")?).map(str::to_owned))
}

/// Somebody who listens.
struct Listener {
    site: Site,
    news: Receiver<u64>,
    closing: Receiver<bool>,
    next: u64,
    waiting: VecDeque<Event>,
    _permit: OwnedSemaphorePermit,
}

impl Listener {
    fn new(site: Site, last_seen: Option<&str>, permit: OwnedSemaphorePermit) -> Self {
        let (news, closing) = site.listen();
        let (next, is_broken) = site.changes_after(last_seen);
        let as_of = site.incidents().and_then(|log| log.watched.as_of).map_or_else(String::new, |hour| hour.to_string());
        let mut waiting = VecDeque::from([Event::default().retry(RETRY).comment(format!("listening as of {as_of}"))]);
        if is_broken {
            waiting.push_back(afresh());
        }
        Self { site, news, closing, next, waiting, _permit: permit }
    }

    /// The next event, and who waits for the one after; `None` when the service stops.
    async fn told(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some((Ok(event), self));
            }
            self.news.borrow_and_update();
            self.fill();
            if self.waiting.is_empty() {
                tokio::select! {
                    changed = self.news.changed() => changed.ok()?,
                    _ = self.closing.wait_for(|closing| *closing) => return None,
                }
            }
        }
    }

    fn fill(&mut self) {
        let news = self.site.changes_from(self.next, AT_ONCE);
        if news.is_broken {
            self.waiting.push_back(afresh());
        }
        self.next = news.next;
        let Some(log) = self.site.incidents() else { return };
        let event = |change: crate::stream::Change| Event::default().id(inert(&change.id)).data(change.json(&log));
        self.waiting.extend(news.changes.into_iter().map(event));
    }
}

/// Tells that changes are missing: what is known must be read anew.
fn afresh() -> Event {
    Event::default().data(r#"{"change":"reset","reason":"changes are missing before the next one; read /api/v1/incidents.jsonl"}"#)
}
