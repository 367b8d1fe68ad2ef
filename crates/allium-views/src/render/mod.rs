//! From a route to its answer.
//!
//! What comes in: a [`Site`], a [`Route`], and what else the client said. What goes out: an [`Answer`]. Nothing here knows sockets or
//! headers: a server, a test and an export to files ask in the same way.

mod charts;
mod data;
mod pages;

use allium_model::Timestamp;

pub(crate) use self::charts::chart;
use crate::answer::{Answer, CachePolicy};
use crate::error::RequestError;
use crate::feeds::{self, FeedForm};
use crate::incidents::IncidentLog;
use crate::pages::operators::families;
use crate::params::Params;
use crate::route::{CalendarOf, Page, Route};
use crate::site::Site;
use crate::view::View;
use crate::{api, assets, calendar};

/// What a client says beside the path.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The query part of the address, without its `?`; empty where there is none.
    pub query: &'a str,
    /// What the addresses of this service start with, such as `https://tor.example`, for feeds.
    pub base: &'a str,
    /// Whether the client takes a content coding such as `br`.
    pub takes: &'a dyn Fn(&str) -> bool,
}

/// What a page or an answer is made from.
pub(crate) struct Shown<'a> {
    pub(crate) site: &'a Site,
    pub(crate) view: &'a View,
    pub(crate) now: Timestamp,
    pub(crate) query: &'a str,
}

impl Shown<'_> {
    /// The parameters of the address.
    pub(crate) fn params(&self) -> Result<Params, RequestError> {
        Params::read(self.query)
    }

    /// Refuses parameters.
    pub(crate) fn no_params(&self) -> Result<(), RequestError> {
        self.params()?.only(&[])
    }
}

/// Answers a route. What only a running server answers is refused.
pub fn render(site: &Site, now: Timestamp, route: &Route, asked: &Asked<'_>) -> Answer {
    match route {
        Route::Page(page) => pages::answer(site, now, page, asked.query),
        Route::Chart(page, file) => charts::answer(site, now, page, file, asked.query),
        Route::Data(data, form) => data::answer(site, now, data, *form, asked.query),
        Route::IncidentLines => incident_lines(site, asked.query),
        Route::Feed(form) => feed(site, *form, asked),
        Route::Calendar(of) => calendar(site, of),
        Route::Asset(path) => asset(site, path, asked),
        Route::Icon => asset(site, assets::icon_path(), asked),
        Route::Robots => robots(),
        Route::Service(_) => Answer::error_page(site, &RequestError::NoSuchPage),
    }
}

/// Answers an address that names a page in another form than its own.
pub fn render_moved(site: &Site, now: Timestamp, page: &Page, asked: &Asked<'_>) -> Answer {
    let Page::Family(fingerprint) = page else { return Answer::redirect(308, page.address()) };
    match site.view().and_then(|view| families::key_of(&view, fingerprint)) {
        Some(key) => pages::redirect_to_family(&key),
        None => pages::answer(site, now, page, asked.query),
    }
}

/// The view and the incidents of a site.
fn with_incidents<T>(site: &Site, make: impl FnOnce(&View, &IncidentLog) -> Result<T, RequestError>) -> Result<T, RequestError> {
    let view = site.view().ok_or_else(|| RequestError::NoDataYet(site.waiting_for()))?;
    let log = site.incidents().ok_or(RequestError::NoIncidentsYet)?;
    make(&view, &log)
}

fn incident_lines(site: &Site, query: &str) -> Answer {
    match with_incidents(site, |view, log| api::incidents_jsonl(view, log, &Params::read(query)?)) {
        Ok(lines) => Answer::of("application/jsonl; charset=utf-8", None, lines),
        Err(error) => Answer::error_json(&error),
    }
}

fn feed(site: &Site, form: FeedForm, asked: &Asked<'_>) -> Answer {
    match with_incidents(site, |view, log| feeds::incidents(view, log, &Params::read(asked.query)?, asked.base, form)) {
        Ok(xml) => Answer::of(form.content_type(), None, xml),
        Err(error) => Answer::error_page(site, &error),
    }
}

fn calendar(site: &Site, of: &CalendarOf) -> Answer {
    let Some(view) = site.view() else { return Answer::error_page(site, &RequestError::NoDataYet(site.waiting_for())) };
    let outlook = site.outlook();
    let made = match of {
        CalendarOf::Relay(fingerprint) => {
            let relay_idx = view.relay_idx(fingerprint).ok_or_else(|| RequestError::NoSuchRelay(fingerprint.to_string()));
            relay_idx.and_then(|relay_idx| calendar::of_relay(&view, &outlook, relay_idx))
        }
        CalendarOf::Operator(id) => {
            let found = view.operators.find(id).ok_or_else(|| RequestError::no_such_group("operator", &id.to_string()));
            found.and_then(|(index, _)| calendar::of_operator(&view, &outlook, &view.operators.operators.operators[index]))
        }
    };
    match made {
        Ok(text) => Answer::of("text/calendar; charset=utf-8", Some(view.modified()), text),
        Err(error) => Answer::error_page(site, &error),
    }
}

fn asset(site: &Site, path: &str, asked: &Asked<'_>) -> Answer {
    let Some(found) = assets::find(path, asked.takes) else { return Answer::error_page(site, &RequestError::NoSuchPage) };
    let vary = found.encoding.map(|_| "accept-encoding");
    Answer { encoding: found.encoding, vary, ..Answer::fixed(found.media_type, found.bytes, CachePolicy::Forever) }
}

fn robots() -> Answer {
    // Lists in every order are the same relays again and again.
    let text = "User-agent: *\nDisallow: /relays?\nDisallow: /api/\n";
    Answer::fixed("text/plain; charset=utf-8", text.as_bytes(), CachePolicy::Day)
}
