//! `/relays`: which relays are there, and how reliable is each.

mod choices;
mod columns;

use allium_analysis::{RelayQuery, SortKey};
use allium_model::{Fingerprint, Timestamp};
use allium_service::{Snapshot, View};
use allium_words::format;
use askama::Template;

use crate::error::RequestError;
use crate::page::{Alternate, Frame, PageHtml, framed, render, search_shown};
use crate::pages::members::Member;
use crate::params::Params;
use crate::relay_query::{QUERY_NAMES, default_sort, query_pairs, relay_query};
use crate::route::{Data, FixedData, FixedPage, Form, Route};
use crate::strips::legend;
use crate::table::{self, Finder, Paging, Search, Style, Table, TableHtml};

/// Rows that a page may have.
const ROWS: &[usize] = &[50, 100];

#[derive(Template)]
#[template(path = "relays.html")]
struct RelaysPage {
    page: Frame,
    sentence: String,
    table: TableHtml,
    /// Ways out of an empty result.
    onward: Vec<(String, String)>,
    legend: String,
}

framed!(RelaysPage);

/// A list of relays: the table, and what its address asks for.
struct List<'a> {
    table: Table<'a, Member<'a>>,
    query: RelayQuery,
    params: Params,
}

/// Renders the page.
pub(crate) fn html(snapshot: &Snapshot, view: &View, now: Timestamp, params: &Params) -> Result<PageHtml, RequestError> {
    let list = List::of(view, params)?;
    let found = view.select(&list.query);
    let mut page = Frame::of(snapshot, view, now, FixedPage::Relays.path()).with_alternate(alternate(&list.query));
    page.search = search_shown(&list.query.question.to_string());
    render(&RelaysPage {
        page,
        sentence: sentence(view, &list.query, &found),
        table: list.table.html(&rows(view, &found), &list.table.state(&list.params)?)?,
        onward: list.onward()?,
        legend: legend(),
    })
}

/// The relays at these indices as CSV.
pub(crate) fn csv(view: &View, found: &[usize]) -> Result<String, RequestError> {
    table::csv(&columns::columns(view), &rows(view, found).iter().collect::<Vec<_>>())
}

/// The relay that a search names by its whole fingerprint, where nothing else is asked.
pub(crate) fn named(view: &View, params: &Params) -> Result<Option<Fingerprint>, RequestError> {
    let list = List::of(view, params)?;
    let is_first_page = list.table.state(&list.params)?.is_at_start();
    let is_of_one = list.query.question.asks_for_one_relay() && list.query == of_text(&list.query);
    let found = if is_first_page && is_of_one { view.select(&list.query) } else { Vec::new() };
    Ok(found.first().and_then(|relay_idx| view.record.relays.get(*relay_idx)).map(|record| record.relay.fingerprint))
}

impl<'a> List<'a> {
    fn of(view: &'a View, params: &Params) -> Result<Self, RequestError> {
        let query = relay_query(view, params)?;
        Ok(Self { table: table(view, &query), params: canonical(params, &query), query })
    }

    /// Ways out of an empty result.
    fn onward(&self) -> Result<Vec<(String, String)>, RequestError> {
        let query = &self.query;
        let mut ways = Vec::new();
        if !query.question.is_empty() && *query != of_text(query) {
            ways.push((self.href(&of_text(query))?, "The same search without filters".to_owned()));
        }
        if !query.include_gone {
            let wider = RelayQuery { include_gone: true, running: None, ..query.clone() };
            ways.push((self.href(&wider)?, "Include relays not seen in the last 7 days".to_owned()));
        }
        ways.push((FixedPage::Relays.path().to_owned(), "All relays".to_owned()));
        Ok(ways)
    }

    /// The first page of the same list of other relays.
    fn href(&self, query: &RelayQuery) -> Result<String, RequestError> {
        let state = self.table.state(&canonical(&self.params.without(&["page"]), query))?;
        Ok(self.table.href(&self.table.path, &state))
    }
}

fn table<'a>(view: &'a View, query: &RelayQuery) -> Table<'a, Member<'a>> {
    Table {
        path: FixedPage::Relays.path().to_owned(),
        api: Data::Fixed(FixedData::Relays).address(),
        caption: "Relays".to_owned(),
        noun: ("relay", "relays"),
        columns: columns::columns(view),
        choices: choices::choices(view, query),
        key: Box::new(|row| row.relay().fingerprint.to_string()),
        default_sort: default_sort(query),
        style: Style {
            search: Search::relay(view, |row: &Member<'_>| Some(row.relay_idx)),
            finder: Finder::Index(choices::orders()),
            paging: Paging::Numbered(ROWS),
            layout: columns::PAGE,
            example: Some("nickname, fingerprint, address, contact, AS, country"),
            is_only_form: true,
        },
    }
}

/// The parameters with the query in its one form: `country=de` for `country=DE`.
fn canonical(params: &Params, query: &RelayQuery) -> Params {
    params.without(&QUERY_NAMES).with(query_pairs(query))
}

/// The query for the same text and nothing else.
fn of_text(query: &RelayQuery) -> RelayQuery {
    let sort = if query.question.is_empty() { SortKey::ConsensusWeight } else { SortKey::Match };
    RelayQuery { question: query.question.clone(), sort, ..RelayQuery::default() }
}

fn rows<'a>(view: &'a View, found: &[usize]) -> Vec<Member<'a>> {
    found.iter().filter_map(|relay_idx| Member::at(view, *relay_idx)).collect()
}

/// The same relays for programs, all pages at once.
fn alternate(query: &RelayQuery) -> Alternate {
    let query = crate::params::query_string(&query_pairs(query));
    let at = |form| format!("{}{query}", Route::Data(Data::Fixed(FixedData::Relays), form).address());
    Alternate { json: at(Form::Json), csv: Some(at(Form::Csv)) }
}

fn sentence(view: &View, query: &RelayQuery, found: &[usize]) -> String {
    let n_running = found.iter().filter(|i| view.record.relays[**i].relay.running).count();
    let is_everything = *query == RelayQuery { sort: query.sort, descending: query.descending, ..RelayQuery::default() };
    let total = found.len();
    let [n_running_shown, total_shown] = [n_running, total].map(|n| format::count(n as u64));
    match query.running {
        _ if total == 0 => "No relay fits this search.".to_owned(),
        Some(true) => format!("{} running now.", format::counted(total, "relay")),
        Some(false) => format!("{} down now.", format::counted(total, "relay")),
        None if is_everything => format!("{n_running_shown} of {total_shown} relays run now."),
        None => {
            let fit = format::counted_as(total, "relay fits", "relays fit");
            format!("{fit}; {n_running_shown} of them running now.")
        }
    }
}
