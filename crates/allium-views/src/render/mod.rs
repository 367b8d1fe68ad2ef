//! From a route to its answer.
//!
//! Input: a [`Snapshot`], a [`Route`], and what else the client says. Output: an [`Answer`]. Nothing here knows sockets or
//! headers: a server, a test and an export to files ask in the same way.

mod all;
mod charts;
mod data;
mod pages;

use allium_model::Timestamp;
use allium_service::{IncidentLog, Snapshot, View};

use crate::answer::{Answer, CachePolicy};
use crate::error::RequestError;
use crate::feeds;
use crate::pages::operators::families;
use crate::params::Params;
use crate::route::{CalendarOf, FeedForm, Page, Route};
use crate::{api, assets, calendar};

/// Parts of a request beside the path.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The query part of the address, without its `?`; empty where there is none.
    pub query: &'a str,
    /// Beginning of this service's addresses, such as `https://tor.example`, for feeds.
    pub base: &'a str,
    /// True if the client takes a content coding such as `br`.
    pub takes: &'a dyn Fn(&str) -> bool,
}

/// Answers a route. What only a running server answers is refused.
pub fn render(snapshot: &Snapshot, now: Timestamp, route: &Route, asked: &Asked<'_>) -> Answer {
    match route {
        Route::Page(page) => pages::answer(snapshot, now, page, asked.query),
        Route::Chart(page, file) => charts::answer(snapshot, now, page, file, asked.query),
        Route::Data(data, form) => data::answer(snapshot, now, data, *form, asked.query),
        Route::IncidentLines => incident_lines(snapshot, asked.query),
        Route::Feed(form) => feed(snapshot, *form, asked),
        Route::Calendar(of) => calendar(snapshot, now, of),
        Route::Asset(path) => asset(snapshot, path, asked),
        Route::Icon => asset(snapshot, assets::icon_path(), asked),
        Route::Robots => robots(),
        Route::Service(_) => Answer::error_page(snapshot, &RequestError::NoSuchPage),
    }
}

/// Answers an address that names a route in another form than its own: a client is sent to that one, with its query.
pub fn render_moved(snapshot: &Snapshot, now: Timestamp, route: &Route, asked: &Asked<'_>) -> Answer {
    let Route::Page(page @ Page::Family(fingerprint)) = route else { return Answer::moved(308, route.address(), asked.query) };
    match snapshot.view().and_then(|view| families::key_of(view, fingerprint)) {
        Some(key) if key == *fingerprint => Answer::moved(308, page.address(), asked.query),
        Some(key) => pages::redirect_to_family(&key, asked.query),
        None => pages::answer(snapshot, now, page, asked.query),
    }
}

/// The network as of the newest consensus.
fn view_of(snapshot: &Snapshot) -> Result<&View, RequestError> {
    snapshot.view().ok_or_else(|| RequestError::NoDataYet(snapshot.waiting_for().to_owned()))
}

/// Makes an answer from the network and the incidents.
fn with_incidents<T>(snapshot: &Snapshot, make: impl FnOnce(&View, &IncidentLog) -> Result<T, RequestError>) -> Result<T, RequestError> {
    let view = view_of(snapshot)?;
    make(view, snapshot.incidents().ok_or(RequestError::NoIncidentsYet)?)
}

fn incident_lines(snapshot: &Snapshot, query: &str) -> Answer {
    match with_incidents(snapshot, |view, log| api::incidents_jsonl(view, log, &Params::read(query)?)) {
        Ok(lines) => Answer::of("application/jsonl; charset=utf-8", None, lines),
        Err(error) => Answer::error_json(&error),
    }
}

fn feed(snapshot: &Snapshot, form: FeedForm, asked: &Asked<'_>) -> Answer {
    match with_incidents(snapshot, |view, log| feeds::incidents(view, log, &Params::read(asked.query)?, asked.base, form)) {
        Ok(xml) => Answer::of(form.content_type(), None, xml),
        Err(error) => Answer::error_page(snapshot, &error),
    }
}

fn calendar(snapshot: &Snapshot, now: Timestamp, of: &CalendarOf) -> Answer {
    match calendar_text(snapshot, of) {
        Ok(text) => Answer::of("text/calendar; charset=utf-8", snapshot.modified_by(now), text),
        Err(error) => Answer::error_page(snapshot, &error),
    }
}

fn calendar_text(snapshot: &Snapshot, of: &CalendarOf) -> Result<String, RequestError> {
    let (view, outlook) = (view_of(snapshot)?, snapshot.outlook());
    match of {
        CalendarOf::Relay(fingerprint) => {
            let relay_idx = view.relay_idx(fingerprint).ok_or_else(|| RequestError::NoSuchRelay(fingerprint.to_string()))?;
            calendar::of_relay(view, outlook, relay_idx)
        }
        CalendarOf::Operator(id) => {
            let (index, _) = view.operators.find(id).ok_or_else(|| RequestError::no_such_group("operator", &id.to_string()))?;
            calendar::of_operator(view, outlook, &view.operators.list()[index])
        }
    }
}

fn asset(snapshot: &Snapshot, path: &str, asked: &Asked<'_>) -> Answer {
    let Some(found) = assets::find(path, asked.takes) else { return Answer::error_page(snapshot, &RequestError::NoSuchPage) };
    let vary = found.encoding.map(|_| "accept-encoding");
    Answer { encoding: found.encoding, vary, ..Answer::fixed(found.media_type, found.bytes, CachePolicy::Forever) }
}

fn robots() -> Answer {
    // Lists in every order are the same relays again and again.
    let text = "User-agent: *\nDisallow: /relays?\nDisallow: /search\nDisallow: /api/\n";
    Answer::fixed("text/plain; charset=utf-8", text.as_bytes(), CachePolicy::Day)
}
