//! `/search`: what a question finds, by kind; and how to ask.

mod asked;
pub(crate) mod found;
mod terms;
pub(crate) mod words;

use allium_analysis::Question;
use allium_model::Timestamp;
use allium_service::{Snapshot, View};
use allium_words::format;
use allium_words::inert::inert;
use askama::Template;

use self::found::{Found, Kind, OfKind, Thing};
use crate::error::RequestError;
use crate::foreign::Foreign;
use crate::markup::Html;
use crate::page::{Alternate, Frame, PageHtml, framed, render, search_shown};
use crate::pages::methods;
use crate::params::{Params, query_string};
use crate::route::{Data, FixedData, FixedPage};
use crate::shown::Shown;

/// Its parameters: the question, and whether all that is found is shown where the question names one thing.
const NAMES: [&str; 2] = ["q", "all"];

/// How to ask, for people and for pages.
const HELP: &str = include_str!("../../../../../docs/search.md");

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage {
    page: Frame,
    sentence: String,
    understood: Vec<Html>,
    kinds: Vec<Section>,
    onward: Vec<(String, String)>,
    examples: Vec<(String, &'static str)>,
}

framed!(SearchPage);

/// The things of a kind.
struct Section {
    id: &'static str,
    heading: String,
    things: Vec<Html>,
    all: Option<(String, String)>,
}

/// Renders the page.
pub(crate) fn html(shown: &Shown<'_>) -> Result<PageHtml, RequestError> {
    let Shown { snapshot, view, now, .. } = *shown;
    let (question, _) = asked(view, &shown.params()?)?;
    let found = Found::of(view, snapshot.incidents(), &question);
    render(&SearchPage {
        page: frame(snapshot, view, now, &question),
        sentence: sentence(&question, &found),
        understood: question.terms().iter().map(|term| Html::safe(Foreign::long(&words::understood(term)))).collect(),
        kinds: found.kinds.iter().map(section).collect(),
        onward: if found.kinds.is_empty() && !question.is_empty() { onward(&question) } else { Vec::new() },
        examples: if question.is_empty() { examples() } else { Vec::new() },
    })
}

/// The page of the one thing that a question names, unless all is asked for.
pub(crate) fn only(shown: &Shown<'_>) -> Result<Option<String>, RequestError> {
    let (question, all) = asked(shown.view, &shown.params()?)?;
    if all {
        return Ok(None);
    }
    let found = Found::of(shown.view, shown.snapshot.incidents(), &question);
    let from = query_string(&[(FOUND_BY, question.to_string())]);
    Ok(found.only().map(|thing| format!("{}{from}", thing.href)))
}

/// The parameter by which a page knows the question that led to it.
pub(crate) const FOUND_BY: &str = "found_by";

/// A note above a page that a question led to, with the way to everything else that the question finds.
pub(crate) fn led_here(question: &str) -> Html {
    let all = format!("{}{}", FixedPage::Search.path(), query_string(&[("q", question.to_owned()), ("all", "yes".to_owned())]));
    let words = Html::joined([Html::words("Found by the search for"), Html::safe(Foreign::short(question))], " ");
    let note = Html::joined([words, Html::link(&all, &Html::words("Everything that it finds"))], ". ");
    Html::element("p", &[("class", "note")], &note)
}

/// The question of an address, and whether everything that it finds is asked for.
pub(crate) fn asked(view: &View, params: &Params) -> Result<(Question, bool), RequestError> {
    params.only(&NAMES)?;
    let all = match params.one("all")? {
        None | Some("no") => false,
        Some("yes") => true,
        Some(other) => return Err(RequestError::bad("all", other, "yes or no")),
    };
    Ok((params.question(view)?, all))
}

fn frame(snapshot: &Snapshot, view: &View, now: Timestamp, question: &Question) -> Frame {
    let json = format!("{}{}", Data::Fixed(FixedData::Search).address(), query_string(&pairs(question)));
    let mut page = Frame::of(snapshot, view, now, FixedPage::Search.path()).with_alternate(Alternate { json, csv: None });
    page.search = search_shown(&question.to_string());
    page
}

fn pairs(question: &Question) -> Vec<(&'static str, String)> {
    if question.is_empty() { Vec::new() } else { vec![("q", question.to_string())] }
}

fn sentence(question: &Question, found: &Found) -> String {
    if question.is_empty() {
        return "Ask for a relay, an operator, an address, an AS, a country, a flag, a version or an incident.".to_owned();
    }
    let counted: Vec<String> = found.kinds.iter().map(|of| format::counted_as(of.n, of.kind.noun().0, of.kind.noun().1)).collect();
    match counted.split_last() {
        None => format!("Nothing is found for {}.", inert(&question.to_string())),
        Some((last, [])) => format!("{last} found for {}.", inert(&question.to_string())),
        Some((last, others)) => format!("{} and {last} found for {}.", others.join(", "), inert(&question.to_string())),
    }
}

fn section(of: &OfKind) -> Section {
    let (one, many) = of.kind.noun();
    let all = of.all.clone().filter(|_| of.n > of.first.len() || of.kind == Kind::Relays);
    Section {
        id: of.kind.name(),
        heading: format::counted_as(of.n, one, many),
        things: of.first.iter().map(thing).collect(),
        all: all.map(|href| (href, format!("The list of {many} for this question"))),
    }
}

fn thing(thing: &Thing) -> Html {
    let link = Html::link(&thing.href, &Html::safe(Foreign::short(&thing.name)));
    let exact = if thing.is_exact { Html::tag("strong", "exact", "exactly this") } else { Html::words("") };
    let about = Html::element("span", &[("class", "small")], &Html::safe(Foreign::long(&thing.about)));
    Html::joined([link, about, exact], " ")
}

/// Ways out of an empty answer.
fn onward(question: &Question) -> Vec<(String, String)> {
    let gone = query_string(&[("q", question.to_string()), ("status", "all".to_owned())]);
    vec![
        (format!("{}{gone}", FixedPage::Relays.path()), "Include relays not seen in the last 7 days".to_owned()),
        (FixedPage::SearchHelp.path().to_owned(), "How to ask".to_owned()),
        (FixedPage::Relays.path().to_owned(), "All relays".to_owned()),
    ]
}

fn examples() -> Vec<(String, &'static str)> {
    ["flag:exit country:de", "203.0.113.0/24", "AS24940", "first_seen_days:0-3", "version:0.4.8..0.4.9", "contact:example.org"]
        .map(|text| (format!("{}{}", FixedPage::Search.path(), query_string(&[("q", text.to_owned()), ("all", "yes".to_owned())])), text))
        .to_vec()
}

#[derive(Template)]
#[template(path = "search_help.html")]
struct HelpPage {
    page: Frame,
    body: String,
}

framed!(HelpPage);

/// Renders the page that says how to ask.
pub(crate) fn help_html(shown: &Shown<'_>) -> Result<PageHtml, RequestError> {
    shown.no_params()?;
    let page = Frame::of(shown.snapshot, shown.view, shown.now, FixedPage::Search.path());
    render(&HelpPage { page, body: methods::markdown(HELP) })
}
