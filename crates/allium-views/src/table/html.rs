//! A table for people: form, bar, sortable headings, rows that become cards, links to the other pages.

use std::collections::BTreeMap;

use allium_words::format;
use allium_words::inert::inert;
use askama::Template;
use askama::filters::HtmlSafe;

use super::state::start_of;
use super::{Card, Cell, Column, Table, TableState};
use crate::error::RequestError;
use crate::markup::Html;

/// A rendered table; goes into a page as it stands.
#[derive(Template)]
#[template(path = "table.html")]
pub(crate) struct TableHtml {
    caption: String,
    form: Option<Form>,
    range: String,
    links: Vec<(String, String)>,
    columns: Vec<Heading>,
    rows: Vec<Vec<CellHtml>>,
    scrolls: bool,
    pages: Vec<(&'static str, Option<&'static str>, String)>,
    definitions: Vec<(String, String)>,
    /// Rows that fit.
    #[allow(dead_code, reason = "pages tell it in their sentences")]
    pub(crate) n_found: usize,
}

impl HtmlSafe for TableHtml {}

struct Form {
    action: String,
    q: String,
    choices: Vec<Select>,
    texts: Vec<(&'static str, &'static str, String)>,
    hidden: Vec<(&'static str, String)>,
}

/// Name, label, and the values with their labels and whether each is chosen.
type Select = (&'static str, &'static str, Vec<(String, String, bool)>);

struct Heading {
    label: String,
    about: String,
    class: String,
    href: Option<String>,
    aria: Option<&'static str>,
    /// Where it is defined.
    method: Option<&'static str>,
}

struct CellHtml {
    class: String,
    label: Option<String>,
    is_head: bool,
    html: Html,
}

impl<'a, R> Table<'a, R> {
    /// The table in a state, with its form and everything else.
    pub(crate) fn html(&self, rows: &[R], state: &TableState) -> Result<TableHtml, RequestError> {
        let found = self.select(rows, state);
        let start = start_of(found.iter().map(|row| (self.key)(row)), state)?;
        let end = start.saturating_add(state.rows_at_once()).min(found.len());
        let shown: Vec<_> = self.columns.iter().enumerate().filter(|(place, column)| self.shows(*place, column, state)).collect();
        Ok(TableHtml {
            caption: self.caption.clone(),
            form: Some(self.form(state)),
            range: self.range(start, end, found.len(), state),
            links: self.links(state),
            columns: shown.iter().map(|(place, column)| self.heading(*place, column, Some(state))).collect(),
            rows: found[start..end].iter().map(|row| cells(&shown, row)).collect(),
            scrolls: state.all_columns,
            pages: self.pages(&found, start, end, state),
            definitions: definitions(&shown),
            n_found: found.len(),
        })
    }

    /// The first rows as they come, without form, sorting or pages; `more` leads to the whole.
    pub(crate) fn plain(&self, rows: &[R], n: usize, more: Option<(String, String)>) -> TableHtml {
        self.first_of(&rows[..n.min(rows.len())], rows.len(), more)
    }

    /// The same where the rows are the first of so many.
    pub(crate) fn first_of(&self, rows: &[R], n: usize, more: Option<(String, String)>) -> TableHtml {
        let shown: Vec<_> = self.columns.iter().enumerate().filter(|(_, column)| !column.is_more).collect();
        let range = if n > rows.len() { format!("The first {} of {}", rows.len(), self.counted(n)) } else { self.counted(n) };
        TableHtml {
            caption: self.caption.clone(),
            form: None,
            range,
            links: more.into_iter().collect(),
            columns: shown.iter().map(|(place, column)| self.heading(*place, column, None)).collect(),
            rows: rows.iter().map(|row| cells(&shown, row)).collect(),
            scrolls: false,
            pages: Vec::new(),
            definitions: definitions(&shown),
            n_found: n,
        }
    }

    fn counted(&self, n: usize) -> String {
        format::counted_as(n, self.noun.0, self.noun.1)
    }

    fn range(&self, start: usize, end: usize, n: usize, state: &TableState) -> String {
        let order = if state.descending { "largest first" } else { "smallest first" };
        let column = self.columns.get(state.sort).map_or("", |column| column.about.as_str());
        match n {
            0 => format!("No {} fits", self.noun.0),
            _ => format!("{} to {} of {}, sorted by {column}, {order}", start + 1, end, self.counted(n)),
        }
    }

    fn form(&self, state: &TableState) -> Form {
        let (selects, texts): (Vec<_>, Vec<_>) = self.choices.iter().zip(&state.chosen).partition(|(choice, _)| !choice.options.is_empty());
        let choices = selects.into_iter().map(|(choice, chosen)| {
            let options = choice.options.iter().map(|(value, label)| (value.clone(), label.clone(), value == chosen)).collect();
            (choice.name, choice.label, options)
        });
        let mut hidden = vec![("sort", self.sort_value(state))];
        hidden.extend(state.all_columns.then(|| ("columns", "all".to_owned())));
        hidden.extend(state.limit.map(|limit| ("limit", limit.to_string())));
        let texts = texts.into_iter().map(|(choice, value)| (choice.name, choice.label, inert(value))).collect();
        Form { action: self.path.clone(), q: inert(&state.q), choices: choices.collect(), texts, hidden }
    }

    /// The same rows elsewhere: with other columns, as JSON, as CSV.
    fn links(&self, state: &TableState) -> Vec<(String, String)> {
        let state = state.at_start();
        let mut links = Vec::new();
        if self.columns.iter().any(|column| column.is_more) {
            let label = if state.all_columns { "Fewer columns" } else { "All columns" };
            let other = TableState { all_columns: !state.all_columns, ..state.clone() };
            links.push((self.href(&self.path, &other), label.to_owned()));
        }
        let data = TableState { limit: None, all_columns: false, ..state };
        links.push((self.href(&self.api, &data), "JSON".to_owned()));
        links.push((self.href(&format!("{}.csv", self.api), &data), "CSV".to_owned()));
        links
    }

    /// A click on the column that already sorts turns the order round; numbers start with the largest, texts with the first.
    fn heading(&self, place: usize, column: &Column<'a, R>, state: Option<&TableState>) -> Heading {
        let sortable = state.filter(|_| column.is_sortable);
        let is_current = sortable.is_some_and(|state| state.sort == place);
        let href = sortable.map(|state| {
            let descending = if is_current { !state.descending } else { column.is_numeric };
            self.href(&self.path, &TableState { sort: place, descending, ..state.at_start() })
        });
        let direction = |state: &TableState| if state.descending { "descending" } else { "ascending" };
        Heading {
            label: column.label.clone(),
            about: column.about.clone(),
            class: class(column),
            href,
            aria: sortable.filter(|_| is_current).map(direction),
            method: column.method,
        }
    }

    fn pages(&self, found: &[&R], start: usize, end: usize, state: &TableState) -> Vec<(&'static str, Option<&'static str>, String)> {
        let from = |place: usize| {
            let cursor = place.checked_sub(1).and_then(|before| found.get(before)).map(|row| (self.key)(row));
            self.href(&self.path, &TableState { cursor, ..state.clone() })
        };
        let mut pages = Vec::new();
        if start > 0 {
            pages.push(("First", None, from(0)));
            pages.push(("Previous", Some("prev"), from(start.saturating_sub(state.rows_at_once()))));
        }
        if end < found.len() {
            pages.push(("Next", Some("next"), from(end)));
        }
        pages
    }
}

fn class<R>(column: &Column<'_, R>) -> String {
    let card = match column.card {
        Card::Title => "k-t",
        Card::Badge => "k-b",
        Card::Across => "k-a",
        Card::Figure => "k-f",
        Card::Hidden => "",
    };
    let side = if column.is_numeric { "n" } else { "" };
    [side, card].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn cells<R>(shown: &[(usize, &Column<'_, R>)], row: &R) -> Vec<CellHtml> {
    let cell = |(_, column): &(usize, &Column<'_, R>)| {
        let cell: Cell = (column.cell)(row);
        let label = (column.card == Card::Figure).then(|| column.label.clone());
        CellHtml { class: class(column), label, is_head: column.card == Card::Title, html: cell.html() }
    };
    shown.iter().map(cell).collect()
}

/// Where the columns are defined, each place once.
fn definitions<R>(shown: &[(usize, &Column<'_, R>)]) -> Vec<(String, String)> {
    let mut by_anchor: BTreeMap<&str, usize> = BTreeMap::new();
    let mut found: Vec<(String, String)> = Vec::new();
    for (_, column) in shown {
        let Some(anchor) = column.method else { continue };
        match by_anchor.get(anchor) {
            Some(_) => {}
            None => {
                by_anchor.insert(anchor, found.len());
                found.push((format!("/methods#{anchor}"), column.about.clone()));
            }
        }
    }
    found
}
