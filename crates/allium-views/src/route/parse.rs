//! Addresses as routes.
//!
//! A path is split where it is written `/`, and only then decoded: `%2F` is a character of a key, never a separator.

use std::borrow::Cow;

use allium_analysis::Key;
use allium_analysis::leaderboards::Category;
use allium_model::{Fingerprint, OperatorId};
use percent_encoding::percent_decode_str;

use super::address::CALENDAR;
use super::{CalendarOf, ChartFile, ChartForm, Data, FeedForm, FixedData, FixedPage, GroupKind, NoteBy, Page, Route, Service};
use crate::error::RequestError;
use crate::form::Form;
use crate::params::LONGEST_VALUE;

/// The reading of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// The address is that of a route.
    Route(Route),
    /// The text names a route in a form other than its own address, such as with a slash at its end: a client is sent to the address.
    Moved(Route),
}

type Outcome<T> = Result<T, RequestError>;

impl Route {
    /// Reads a path, as it stands in a request.
    ///
    /// # Errors
    /// The reason why there is nothing at this address.
    pub fn parse(path: &str) -> Outcome<Parsed> {
        let tidy = tidied(path);
        let parsed = match Self::read(&tidy) {
            Err(RequestError::NoSuchPage) => {
                let lower = in_lower_case(&tidy).find_map(|lower| Self::read(&lower).ok());
                moved(lower.ok_or(RequestError::NoSuchPage)?)
            }
            read => read?,
        };
        Ok(if tidy == path { parsed } else { moved(parsed) })
    }

    /// Reads a path without empty parts.
    fn read(path: &str) -> Outcome<Parsed> {
        let parts: Vec<&str> = path.strip_prefix('/').ok_or(RequestError::NoSuchPage)?.split('/').collect();
        let route = match parts.as_slice() {
            ["healthz"] => Self::Service(Service::Health),
            ["metrics"] => Self::Service(Service::Metrics),
            ["robots.txt"] => Self::Robots,
            ["favicon.ico"] => Self::Icon,
            ["incidents.atom"] => Self::Feed(FeedForm::Atom),
            ["incidents.rss"] => Self::Feed(FeedForm::Rss),
            ["assets", name] if !name.is_empty() => Self::Asset(path.to_owned()),
            ["incident", id, "notes"] => Self::Service(Service::Note { incident: key(id)?.into_owned(), by: NoteBy::Form }),
            ["api", "v1", rest @ ..] => data(rest)?,
            ["relay", fingerprint, CALENDAR] => Self::Calendar(CalendarOf::Relay(relay(&key(fingerprint)?)?)),
            ["operator", id, CALENDAR] => Self::Calendar(calendar_of_operator(&key(id)?)?),
            [page @ .., "charts", file] => chart(page, file)?,
            parts => return page_or_data(parts),
        };
        Ok(Parsed::Route(route))
    }
}

fn moved(parsed: Parsed) -> Parsed {
    match parsed {
        Parsed::Route(route) | Parsed::Moved(route) => Parsed::Moved(route),
    }
}

/// The path without empty parts: `/relays` for `//relays/`.
fn tidied(path: &str) -> Cow<'_, str> {
    let Some(rest) = path.strip_prefix('/').filter(|rest| !rest.is_empty()) else { return Cow::Borrowed(path) };
    if rest.split('/').all(|part| !part.is_empty()) {
        return Cow::Borrowed(path);
    }
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    Cow::Owned(format!("/{}", parts.join("/")))
}

/// The path with its first words in lower case, and then all of it, as far as that makes a difference: keys may differ by case.
fn in_lower_case(path: &str) -> impl Iterator<Item = String> {
    let n_words = if path.len() >= 5 && path.as_bytes()[..5].eq_ignore_ascii_case(b"/api/") { 3 } else { 1 };
    let part = |(i, part): (usize, &str)| if i <= n_words { part.to_ascii_lowercase() } else { part.to_owned() };
    let words = path.split('/').enumerate().map(part).collect::<Vec<_>>().join("/");
    let path = path.to_owned();
    [words, path.to_ascii_lowercase()].into_iter().filter(move |lower| *lower != path)
}

/// A page, or the figures of a list or group where its address ends in `.csv`.
fn page_or_data(parts: &[&str]) -> Outcome<Parsed> {
    match parts {
        [list] if let Some(kind) = list.strip_suffix(".csv").and_then(kind_of_list) => {
            Ok(Parsed::Route(Route::Data(Data::Groups(kind), Form::Csv)))
        }
        [group, asked] if let Some((kind, key)) = group_csv(group, asked)? => {
            Ok(Parsed::Route(Route::Data(Data::Group(kind, key), form_of(asked))))
        }
        parts => page(parts),
    }
}

/// A page at its own address or in another form.
fn page(parts: &[&str]) -> Outcome<Parsed> {
    let (page, asked) = match parts {
        ["relay", asked] => keyed(asked, |asked| relay(asked).map(Page::Relay))?,
        ["family", asked] => keyed(asked, |asked| fingerprint(asked).map(Page::Family))?,
        ["operator", asked] => keyed(asked, |asked| operator(asked).map(Page::Operator))?,
        ["leaderboards", asked] => keyed(asked, |asked| category(asked).map(Page::Leaderboard))?,
        ["incident", asked] => keyed(asked, |asked| Ok(Page::Incident(asked.to_owned())))?,
        [base, asked] if let Some(kind) = kind_of_page(base) => keyed(asked, |asked| group(kind, asked))?,
        parts => return fixed_page(parts).map(|page| Parsed::Route(Route::Page(page))),
    };
    let canonical = page.key().is_none_or(|key| key == asked);
    Ok(if canonical { Parsed::Route(Route::Page(page)) } else { Parsed::Moved(Route::Page(page)) })
}

fn keyed<'a>(asked: &'a str, make: impl FnOnce(&str) -> Outcome<Page>) -> Outcome<(Page, Cow<'a, str>)> {
    let asked = key(asked)?;
    Ok((make(&asked)?, asked))
}

fn fixed_page(parts: &[&str]) -> Outcome<Page> {
    let path = format!("/{}", parts.join("/"));
    if path == Page::Methods.address() {
        return Ok(Page::Methods);
    }
    let fixed = FixedPage::ALL.iter().find(|page| page.path() == path).map(|page| Page::Fixed(*page));
    fixed.or_else(|| kind_of_list(path.strip_prefix('/')?).map(Page::Groups)).ok_or(RequestError::NoSuchPage)
}

impl Page {
    /// The key as it stands in the address, decoded; `None` for a page with one address.
    fn key(&self) -> Option<String> {
        match self {
            Self::Fixed(_) | Self::Methods | Self::Groups(_) => None,
            Self::Group(_, key) | Self::Incident(key) => Some(key.clone()),
            Self::Relay(fingerprint) | Self::Family(fingerprint) => Some(fingerprint.to_string()),
            Self::Operator(id) => Some(id.to_string()),
            Self::Leaderboard(category) => Some(category.name().to_owned()),
        }
    }
}

/// A chart, below its page in any form of the page's address.
fn chart(of: &[&str], file: &str) -> Outcome<Route> {
    let page = match page(of)? {
        Parsed::Moved(Route::Page(page)) | Parsed::Route(Route::Page(page)) if !page.chart_names().is_empty() => page,
        _ => return Err(RequestError::NoSuchPage),
    };
    let file = key(file)?;
    let (name, ending) = file.rsplit_once('.').ok_or(RequestError::NoSuchPage)?;
    let form = ChartForm::ALL.into_iter().find(|form| form.ending() == ending).ok_or(RequestError::NoSuchPage)?;
    Ok(Route::Chart(page, ChartFile { name: name.to_owned(), form }))
}

/// Figures for programs; the parts are those behind `/api/v1`.
fn data(parts: &[&str]) -> Outcome<Route> {
    let data = match parts {
        ["incidents.jsonl"] => return Ok(Route::IncidentLines),
        ["incidents", "stream"] => return Ok(Route::Service(Service::Changes)),
        ["incidents", id, action] => return note(id, action),
        ["operators", id, "relays" | "relays.csv"] => Data::OperatorRelays(operator(&key(id)?)?),
        ["operators", id] => return Ok(Route::Data(Data::Operator(operator(&key(id)?)?), Form::Json)),
        parts if let Some(route) = fixed_data(parts) => return Ok(route),
        ["relays", asked] => Data::Relay(relay(&stem(asked)?)?),
        ["families", asked] => Data::Family(fingerprint(&stem(asked)?)?),
        ["leaderboards", asked] => Data::Leaderboard(category(&stem(asked)?)?),
        ["incidents", asked] => Data::Incident(stem(asked)?),
        [list, asked] if let Some(kind) = kind_of_list(list) => group_data(kind, &stem(asked)?),
        _ => return Err(RequestError::NoSuchPage),
    };
    let form = parts.last().map_or(Form::Json, |last| form_of(last));
    Ok(Route::Data(data, form))
}

fn fixed_data(parts: &[&str]) -> Option<Route> {
    let path = format!("/{}", parts.join("/"));
    let stem = path.strip_suffix(".csv").unwrap_or(&path);
    let form = form_of(&path);
    let fixed = FixedData::ALL.iter().find(|data| data.path() == stem).map(|data| Data::Fixed(*data));
    let data = fixed.or_else(|| kind_of_list(stem.strip_prefix('/')?).map(Data::Groups))?;
    data.forms().contains(&form).then_some(Route::Data(data, form))
}

impl NoteBy {
    /// The actions that programs send, each with the last part of its address.
    pub(super) const ACTIONS: [(&'static str, &'static str); 3] =
        [("acknowledge", "acknowledge"), ("annotations", "annotate"), ("merge", "merge")];
}

fn note(id: &str, part: &str) -> Outcome<Route> {
    let (_, action) = NoteBy::ACTIONS.into_iter().find(|(of, _)| *of == part).ok_or(RequestError::NoSuchPage)?;
    Ok(Route::Service(Service::Note { incident: key(id)?.into_owned(), by: NoteBy::Json(action) }))
}

/// A key, decoded; there is nothing at an empty one.
fn key(part: &str) -> Outcome<Cow<'_, str>> {
    let decoded = percent_decode_str(part).decode_utf8().map_err(|_| RequestError::bad("address", part, "UTF-8, percent-encoded"))?;
    if decoded.is_empty() { Err(RequestError::NoSuchPage) } else { Ok(decoded) }
}

/// A key, decoded and without `.csv`.
fn stem(part: &str) -> Outcome<String> {
    let key = key(part)?;
    Ok(key.strip_suffix(".csv").unwrap_or(&key).to_owned())
}

/// The form that the ending of a path asks for.
fn form_of(part: &str) -> Form {
    if part.ends_with(".csv") { Form::Csv } else { Form::Json }
}

fn kind_of_list(name: &str) -> Option<GroupKind> {
    GroupKind::ALL.into_iter().find(|kind| kind.list_path().strip_prefix('/') == Some(name))
}

fn kind_of_page(name: &str) -> Option<GroupKind> {
    GroupKind::ALL.into_iter().find(|kind| kind.page_path().strip_prefix('/') == Some(name))
}

fn group(kind: GroupKind, asked: &str) -> Outcome<Page> {
    let key = kind.canonical(asked).ok_or_else(|| RequestError::no_such_group(kind.noun().0, asked))?;
    Ok(Page::Group(kind, key))
}

/// The figures of a group; a text that names none stays as it is, and is answered as a program expects.
fn group_data(kind: GroupKind, asked: &str) -> Data {
    Data::Group(kind, kind.canonical(asked).unwrap_or_else(|| asked.to_owned()))
}

/// The kind and key of a group whose page is asked for as CSV.
fn group_csv(base: &str, asked: &str) -> Outcome<Option<(GroupKind, String)>> {
    let Some(kind) = kind_of_page(base) else { return Ok(None) };
    let key = key(asked)?;
    let Some(stem) = key.strip_suffix(".csv") else { return Ok(None) };
    Ok(Some((kind, kind.canonical(stem).unwrap_or_else(|| stem.to_owned()))))
}

fn relay(asked: &str) -> Outcome<Fingerprint> {
    let in_any_form = || Key::Fingerprint.read(asked).ok().and_then(|term| term.text.parse().ok());
    asked.parse().ok().or_else(in_any_form).ok_or_else(|| RequestError::NoSuchRelay(asked.chars().take(60).collect()))
}

fn fingerprint(asked: &str) -> Outcome<Fingerprint> {
    asked.parse().map_err(|_| RequestError::NoSuchPage)
}

fn operator(asked: &str) -> Outcome<OperatorId> {
    let id = (asked.len() <= 2 * LONGEST_VALUE).then(|| asked.parse().ok()).flatten();
    id.ok_or(RequestError::NoSuchPage)
}

fn calendar_of_operator(asked: &str) -> Outcome<CalendarOf> {
    operator(asked).map(CalendarOf::Operator).map_err(|_| RequestError::no_such_group("operator", asked))
}

fn category(asked: &str) -> Outcome<Category> {
    Category::from_name(asked).ok_or(RequestError::NoSuchPage)
}
