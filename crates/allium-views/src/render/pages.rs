//! Pages, by route.

use allium_model::{Fingerprint, Timestamp};
use allium_service::Snapshot;

use super::view_of;
use crate::answer::{Answer, HTML};
use crate::error::RequestError;
use crate::page::{PageHtml, with_note};
use crate::pages::operators::{families, operator};
use crate::pages::relay::Choice;
use crate::pages::{groups, incident, leaderboards, methods, relay, relays, search};
use crate::params::Params;
use crate::route::{FixedPage, Page, href};
use crate::shown::Shown;

/// Answers a page.
pub(super) fn answer(snapshot: &Snapshot, now: Timestamp, page: &Page, query: &str) -> Answer {
    match made(snapshot, now, page, query) {
        Ok(answer) => answer,
        Err(error) => Answer::error_page(snapshot, &error),
    }
}

fn made(snapshot: &Snapshot, now: Timestamp, page: &Page, query: &str) -> Result<Answer, RequestError> {
    if *page == Page::Methods {
        return Ok(Answer::of(HTML, None, methods::html(snapshot, now)?.html));
    }
    let asked = Params::read(query)?;
    let found_by = asked.one(search::FOUND_BY)?.map(str::to_owned);
    let rest = if found_by.is_some() { asked.without(&[search::FOUND_BY]).written() } else { query.to_owned() };
    let shown = Shown { snapshot, view: view_of(snapshot)?, now, query: &rest };
    if let Some(elsewhere) = elsewhere(&shown, page)? {
        return Ok(elsewhere);
    }
    let PageHtml { html, scripts } = html(&shown, page)?;
    let html = match found_by {
        Some(question) => with_note(&html, &search::led_here(&question)),
        None => html,
    };
    Ok(Answer { scripts, ..Answer::of(HTML, snapshot.modified_by(now), html) })
}

fn html(shown: &Shown<'_>, page: &Page) -> Result<PageHtml, RequestError> {
    let Shown { snapshot, view, now, .. } = *shown;
    match page {
        Page::Fixed(page) => page.html(shown),
        Page::Methods => methods::html(snapshot, now),
        Page::Groups(kind) => groups::list_html(snapshot, view, now, *kind, &shown.params()?),
        Page::Group(kind, key) => groups::group_html(snapshot, view, now, *kind, key, &shown.params()?),
        Page::Relay(fingerprint) => {
            let relay_idx = view.relay_idx(fingerprint).ok_or_else(|| RequestError::NoSuchRelay(fingerprint.to_string()))?;
            relay::html(snapshot, view, now, relay_idx, Choice::of(&shown.params()?)?, snapshot.outlook())
        }
        Page::Operator(id) => operator::html(snapshot, view, now, id, &shown.params()?),
        Page::Family(key) => families::family_html(snapshot, view, now, key, &shown.params()?),
        Page::Leaderboard(category) => leaderboards::category_html(snapshot, view, now, *category, &shown.params()?),
        Page::Incident(id) => {
            let log = snapshot.incidents().ok_or(RequestError::NoIncidentsYet)?;
            incident::html(snapshot, view, now, log, log.get(id).ok_or(RequestError::NoSuchPage)?)
        }
    }
}

/// Sends the client to the page of a family. Keys change when a smaller fingerprint joins, so it is for the time being.
pub(super) fn redirect_to_family(key: &Fingerprint, query: &str) -> Answer {
    Answer::moved(307, href::family(key), query)
}

/// The other page that shows what is asked for, if there is one.
fn elsewhere(shown: &Shown<'_>, page: &Page) -> Result<Option<Answer>, RequestError> {
    match page {
        Page::Family(fingerprint) => {
            let key = families::key_of(shown.view, fingerprint).filter(|key| key != fingerprint);
            Ok(key.map(|key| redirect_to_family(&key, shown.query)))
        }
        Page::Fixed(FixedPage::Search) => Ok(search::only(shown)?.map(|to| Answer::redirect(303, to))),
        Page::Fixed(FixedPage::Relays) => {
            let named = relays::named(shown.view, &shown.params()?)?;
            Ok(named.map(|fingerprint| Answer::redirect(303, href::relay(&fingerprint))))
        }
        _ => Ok(None),
    }
}
