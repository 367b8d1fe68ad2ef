//! `/api/v1/incidents/stream`: changes of incidents as Server-Sent Events, one JSON object each.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use allium_service::{Change, Snapshot};
use allium_views::{Answer, Params, RequestError, change_json};
use allium_words::inert::inert;
use axum::extract::ConnectInfo;
use axum::http::header::{self, HeaderMap};
use axum::http::request::Parts;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep_until};

use crate::Server;
use crate::answers::finished::{response, with};
use crate::client::Client;
use crate::connections::activity;
use crate::connections::places::Place;
use crate::proxies::Peer;

/// Silence after which a comment shows that the stream still goes on.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The time after which a listener comes back when its stream broke off.
const RETRY: Duration = Duration::from_secs(10);

/// Changes that are written at a time.
const AT_ONCE: usize = 32;

/// The stream, from the change on that the client saw last.
pub(crate) fn respond(server: &Server, parts: &Parts) -> Response {
    match listen(server, parts) {
        Ok(listener) => {
            let events = futures_util::stream::unfold(listener, Listener::event);
            Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("still here")).into_response()
        }
        Err(error) => {
            let refused = response(Answer::error_json(&error));
            if error == RequestError::TooManyListeners { with(refused, header::RETRY_AFTER, "60") } else { refused }
        }
    }
}

fn listen(server: &Server, parts: &Parts) -> Result<Listener, RequestError> {
    let last_seen = last_seen(&parts.headers, parts.uri.query().unwrap_or_default())?;
    let news = server.site.subscribe();
    let snapshot = server.site.snapshot();
    snapshot.incidents().ok_or(RequestError::NoIncidentsYet)?;
    let place = place(server, parts)?;
    let (next, is_broken) = last_seen.map_or_else(|| (snapshot.changes().n(), false), |last_seen| snapshot.changes().after(&last_seen));
    let closing = server.closing.subscribe();
    let under_way = place.activity.begin();
    let until = Instant::now() + server.limits.listening;
    Ok(Listener { news, closing, next, waiting: greeting(&snapshot, is_broken), until, place, _under_way: under_way })
}

/// A place for a listener; its connection may last.
fn place(server: &Server, parts: &Parts) -> Result<Place, RequestError> {
    let peer = parts.extensions.get::<ConnectInfo<Peer>>().map(|info| info.0);
    let Some(place) = server.listeners.take(Client::of_request(peer, &server.proxies, &parts.headers)) else {
        server.counts.stream_refused();
        server.misuse.note("listeners were refused", "all places are taken");
        return Err(RequestError::TooManyListeners);
    };
    if let Some(request) = parts.extensions.get::<activity::Request>() {
        request.may_last();
    }
    Ok(place)
}

fn greeting(snapshot: &Snapshot, is_broken: bool) -> VecDeque<Event> {
    let as_of = snapshot.incidents().and_then(|log| log.watched.as_of).map_or_else(String::new, |hour| hour.to_string());
    let hello = Event::default().retry(RETRY).comment(format!("listening as of {as_of}"));
    std::iter::once(hello).chain(is_broken.then(afresh)).collect()
}

/// The name of the change that the client saw last: by the header that browsers send, or by a parameter.
fn last_seen(headers: &HeaderMap, query: &str) -> Result<Option<String>, RequestError> {
    let params = Params::read(query)?;
    params.only(&["last_event_id"])?;
    let header = headers.get("last-event-id").and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty() && id.len() <= 200);
    Ok(header.or(params.one("last_event_id")?).map(str::to_owned))
}

/// A client that listens.
struct Listener {
    news: Receiver<Arc<Snapshot>>,
    closing: Receiver<bool>,
    next: u64,
    waiting: VecDeque<Event>,
    /// Time at which it ends in any case.
    until: Instant,
    place: Place,
    _under_way: activity::Request,
}

impl Listener {
    /// The next event, and the listener for the one after; `None` when the service stops, the place is needed, or the time is over:
    /// the client comes back and names the last change that it saw.
    async fn event(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some((Ok(event), self));
            }
            let snapshot = Arc::clone(&self.news.borrow_and_update());
            self.fill(&snapshot);
            if self.waiting.is_empty() {
                tokio::select! {
                    changed = self.news.changed() => changed.ok()?,
                    _ = self.closing.wait_for(|closing| *closing) => return None,
                    () = self.place.activity.asked_to_end() => return None,
                    () = sleep_until(self.until) => return None,
                }
            }
        }
    }

    fn fill(&mut self, snapshot: &Snapshot) {
        let news = snapshot.changes().from(self.next, AT_ONCE);
        self.waiting.extend(news.is_broken.then(afresh));
        self.next = news.next;
        let Some(log) = snapshot.incidents() else { return };
        let event = |change: &Change| Event::default().id(inert(&change.id)).data(change_json(change, log));
        self.waiting.extend(news.changes.iter().map(event));
    }
}

/// The event after which a client must read everything again: changes are missing.
fn afresh() -> Event {
    Event::default().data(r#"{"change":"reset","reason":"changes are missing before the next one; read /api/v1/incidents.jsonl"}"#)
}
