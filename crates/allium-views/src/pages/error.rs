//! The page of a request that cannot be answered: the reason, and a way onward.

use allium_service::Snapshot;
use askama::Template;

use crate::error::RequestError;
use crate::markup::Html;
use crate::page::{Frame, framed, render, search_shown};
use crate::pages::relay::relay_link;
use crate::route::FixedPage;

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    page: Frame,
    title: &'static str,
    explanation: String,
    near: Vec<Html>,
    onward: Vec<(&'static str, &'static str)>,
}

framed!(ErrorPage);

/// Renders the page; should that fail too, a sentence.
pub(crate) fn html(snapshot: &Snapshot, error: &RequestError) -> String {
    let mut page = Frame::bare(snapshot, "");
    let mut near = Vec::new();
    if let RequestError::NoSuchRelay(asked) = error {
        page.search = search_shown(&asked.chars().take(40).collect::<String>());
        near = snapshot.view().map_or_else(Vec::new, |view| view.nearest(asked, 5).into_iter().map(|r| relay_link(&r.relay)).collect());
    }
    if let RequestError::BadQuestion { asked, .. } = error {
        page.search = search_shown(asked);
    }
    let body = ErrorPage { page, title: error.title(), explanation: explanation(error), near, onward: onward(error) };
    render(&body).map_or_else(
        |_| "<!doctype html><title>Error</title><p>This page could not be made. <a href=\"/\">Start page</a>".to_owned(),
        |page| page.html,
    )
}

fn explanation(error: &RequestError) -> String {
    let sentence = allium_words::inert::inert(&error.to_string());
    let mut chars = sentence.chars();
    let first = chars.next().map_or_else(String::new, |c| c.to_uppercase().collect());
    format!("{first}{}.", chars.as_str())
}

fn onward(error: &RequestError) -> Vec<(&'static str, &'static str)> {
    let list = (FixedPage::Relays.path(), "List of all relays");
    let home = ("/", "State of the network");
    let quality = (FixedPage::DataQuality.path(), "Data quality: what is in and how old it is");
    match error {
        RequestError::NoDataYet(_) => vec![("/healthz", "State of this service"), ("/methods", "How figures are made")],
        RequestError::BadQuestion { .. } => vec![(FixedPage::SearchHelp.path(), "How to ask"), list, home],
        RequestError::BadParameter { .. } | RequestError::NoSuchRelay(_) | RequestError::TooLong => vec![list, home],
        _ => vec![home, list, quality],
    }
}
