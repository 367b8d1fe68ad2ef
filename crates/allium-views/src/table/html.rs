//! A table for people: form, bar, sortable headings, rows that become cards, links to the other pages.

use std::ops::Range;

use allium_words::format;
use askama::Template;
use askama::filters::HtmlSafe;

use super::column::Card;
use super::paging::{LIMIT, PageLink, Position};
use super::{Column, FormHtml, Order, Table, TableState};
use crate::error::RequestError;
use crate::markup::Html;
use crate::route::href::method;

/// A rendered table; goes into a page as it stands, or in parts by the macros of `parts.html`.
#[derive(Template)]
#[template(path = "table.html")]
pub(crate) struct TableHtml {
    pub(crate) form: Option<FormHtml>,
    /// The rows that are shown, of how many, and their order, in words.
    pub(crate) range: String,
    /// The same rows elsewhere.
    pub(crate) links: Vec<(String, String)>,
    pub(crate) grid: GridHtml,
    /// The definitions of the columns: address and label.
    definitions: Vec<(String, String)>,
}

impl HtmlSafe for TableHtml {}

/// Headings and rows.
pub(crate) struct GridHtml {
    pub(crate) caption: String,
    pub(crate) headings: Vec<Heading>,
    pub(crate) rows: Vec<Vec<CellHtml>>,
    /// True if it is so wide that it scrolls.
    pub(crate) scrolls: bool,
    /// True if rows become cards on narrow screens.
    pub(crate) is_cards: bool,
    /// Links to other parts of the list.
    pub(crate) pages: Vec<PageLink>,
}

/// The heading of a column.
pub(crate) struct Heading {
    pub(crate) label: String,
    pub(crate) about: Option<String>,
    pub(crate) class: String,
    pub(crate) sort: Option<SortLink>,
    /// The heading in `docs/methods.md` that defines it.
    pub(crate) method: Option<&'static str>,
}

/// A link that sorts by a column.
pub(crate) struct SortLink {
    pub(crate) href: String,
    /// The name of the order in the list of orders.
    pub(crate) label: String,
    /// The direction, where the table is sorted by it.
    pub(crate) direction: Option<&'static str>,
}

/// A cell on the page.
pub(crate) struct CellHtml {
    pub(crate) class: String,
    pub(crate) label: Option<String>,
    pub(crate) is_head: bool,
    pub(crate) html: Html,
}

impl<'a, R> Table<'a, R> {
    /// The table in a state, with its form and everything else.
    pub(crate) fn html(&self, rows: &[R], state: &TableState) -> Result<TableHtml, RequestError> {
        let found = self.select(rows, state);
        let shown = self.shown(&found, &state.position, LIMIT)?;
        let orders = self.orders();
        let columns = self.shown_columns(Some(state));
        let order = |column: &Column<'a, R>| orders.iter().find(|order| column.order == Some(order.name));
        let sort = |column: &Column<'a, R>| order(column).map(|order| self.sort_link(order, state));
        Ok(TableHtml {
            form: Some(self.form(state)),
            range: self.range(&shown, found.len(), &orders, state),
            links: self.links(state),
            grid: GridHtml {
                headings: columns.iter().map(|column| heading(column, sort(column))).collect(),
                scrolls: state.all_columns,
                pages: self.page_links(&found, &shown, state),
                ..self.grid(&columns, &found[shown])
            },
            definitions: definitions(&columns),
        })
    }

    /// The first rows as they come, without form, sorting or pages; `more` leads to the whole.
    pub(crate) fn plain(&self, rows: &[R], n: usize, more: Option<(String, String)>) -> TableHtml {
        self.first_of(&rows[..n.min(rows.len())], rows.len(), more)
    }

    /// The same where the rows are the first of so many.
    pub(crate) fn first_of(&self, rows: &[R], n: usize, more: Option<(String, String)>) -> TableHtml {
        let columns = self.shown_columns(None);
        let range = if n > rows.len() { format!("The first {} of {}", rows.len(), self.counted(n)) } else { self.counted(n) };
        TableHtml {
            form: None,
            range,
            links: more.into_iter().collect(),
            grid: self.grid(&columns, &rows.iter().collect::<Vec<_>>()),
            definitions: definitions(&columns),
        }
    }

    /// These rows, in one piece and without sorting.
    fn grid(&self, columns: &[&Column<'a, R>], rows: &[&R]) -> GridHtml {
        GridHtml {
            caption: self.caption.clone(),
            headings: columns.iter().map(|column| heading(column, None)).collect(),
            rows: rows.iter().map(|row| columns.iter().map(|column| cell(column, row)).collect()).collect(),
            scrolls: false,
            is_cards: self.columns.iter().all(|column| column.class.is_none()),
            pages: Vec::new(),
        }
    }

    fn counted(&self, n: usize) -> String {
        format::counted_as(n, self.noun.0, self.noun.1)
    }

    fn range(&self, shown: &Range<usize>, n: usize, orders: &[Order], state: &TableState) -> String {
        if n == 0 {
            return format!("No {} fits", self.noun.0);
        }
        let words = orders.iter().find(|order| order.name == state.sort).map_or("", |order| order.words.as_str());
        let direction = if state.descending { "largest first" } else { "smallest first" };
        let count = |n: usize| format::count(n as u64);
        let range = match state.position {
            Position::Behind { .. } => format!("{} to {} of {}", shown.start + 1, shown.end, self.counted(n)),
            Position::Page { .. } => format!("{} to {} of {}", count(shown.start + 1), count(shown.end), count(n)),
        };
        format!("{range}, sorted by {words}, {direction}")
    }

    /// The same rows elsewhere: with other columns, as JSON, as CSV.
    fn links(&self, state: &TableState) -> Vec<(String, String)> {
        // A page is the same with other columns; what is behind a cursor is left for the beginning.
        let here = if matches!(state.position, Position::Page { .. }) { state.clone() } else { state.at_start() };
        let mut links = Vec::new();
        if self.columns.iter().any(|column| column.is_more) {
            let label = if state.all_columns { "Fewer columns" } else { "All columns" };
            let other = TableState { all_columns: !state.all_columns, ..here };
            links.push((self.href(&self.path, &other), label.to_owned()));
        }
        links.push((self.selection_href(&self.api, state), "JSON".to_owned()));
        links.push((self.selection_href(&format!("{}.csv", self.api), state), "CSV".to_owned()));
        links
    }

    /// A click on the column that already sorts turns the order round.
    fn sort_link(&self, order: &Order, state: &TableState) -> SortLink {
        let is_current = state.sort == order.name;
        let descending = if is_current { !state.descending } else { order.starts_descending };
        let target = TableState { sort: order.name, descending, ..state.at_start() };
        let direction = if state.descending { "descending" } else { "ascending" };
        SortLink { href: self.href(&self.path, &target), label: order.label.clone(), direction: is_current.then_some(direction) }
    }
}

fn heading<R>(column: &Column<'_, R>, sort: Option<SortLink>) -> Heading {
    Heading { label: column.label.clone(), about: column.about.clone(), class: column.classes(), sort, method: column.method }
}

fn cell<R>(column: &Column<'_, R>, row: &R) -> CellHtml {
    let label = (column.card == Card::Figure).then(|| column.label.clone());
    CellHtml { class: column.classes(), label, is_head: column.card == Card::Title, html: column.html(row) }
}

/// The definitions of the columns, each once.
fn definitions<R>(columns: &[&Column<'_, R>]) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for column in columns {
        let Some(href) = column.method.map(method) else { continue };
        if !found.iter().any(|(known, _)| *known == href) {
            found.push((href, column.about.as_ref().unwrap_or(&column.label).clone()));
        }
    }
    found
}
