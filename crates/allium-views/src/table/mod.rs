//! Tables of anything: one definition of columns gives the page, the JSON and the CSV.
//!
//! Input: rows of any type in their own order, and a [`Table`] that says which columns they have, how a row is named, and what the
//! form offers. The whole state of a table is in its address: `q` is a question, the table's own choices filter, `sort` orders (with `-`
//! for the largest first), a [`Paging`] cuts, `columns=all` shows every column. Rows that are equal in the sorted column keep their
//! own order, so equal input gives equal bytes.
//!
//! A table looks at every row to find and order them, unless an index has done so before ([`Finder`]).
//!
//! On narrow screens a row becomes a card with the columns that are marked for it, or columns with a class of their own hide; the CSV
//! always has every row that fits.

mod cell;
mod choice;
mod column;
mod data;
mod form;
mod html;
mod order;
mod paging;
mod search;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use cell::Cell;
pub(crate) use choice::{Choice, TextField, Values};
pub(crate) use column::Column;
pub(crate) use data::csv;
pub(crate) use form::FormHtml;
pub(crate) use html::TableHtml;
pub(crate) use order::{Finder, Order};
pub(crate) use paging::Paging;
pub(crate) use search::Search;
pub(crate) use state::TableState;

/// A table of rows `R`.
pub(crate) struct Table<'a, R> {
    /// Address of the page that shows it, such as `/as`.
    pub(crate) path: String,
    /// Address of its JSON, such as `/api/v1/as`; CSV is at the same with `.csv`.
    pub(crate) api: String,
    /// Says what it shows, for readers that cannot see it.
    pub(crate) caption: String,
    /// The name of a row: one and many, such as `("country", "countries")`.
    pub(crate) noun: (&'static str, &'static str),
    /// Its columns; one of them should be the [title](Column::title_of_card).
    pub(crate) columns: Vec<Column<'a, R>>,
    /// Choices that the form offers beside the text.
    pub(crate) choices: Vec<Choice<'a, R>>,
    /// The name of a row in addresses: unique, without meaning for the order.
    pub(crate) key: Box<dyn Fn(&R) -> String + 'a>,
    /// The order unless the address says otherwise: its name, with `-` for the largest first.
    pub(crate) default_sort: &'static str,
    /// Differences from most tables.
    pub(crate) style: Style<'a, R>,
}

/// Differences of a table from most tables; the default has none.
pub(crate) struct Style<'a, R> {
    /// The things that a question is compared with.
    pub(crate) search: Search<'a, R>,
    /// Finds and orders the rows.
    pub(crate) finder: Finder,
    /// Cuts what was found.
    pub(crate) paging: Paging,
    /// The columns of the page by name, in their order; empty where it has those of the data.
    pub(crate) layout: &'static [&'static str],
    /// An example of what can be searched for.
    pub(crate) example: Option<&'static str>,
    /// True if the page has no other form, so that fields can have their names for ids.
    pub(crate) is_only_form: bool,
}

impl<R> Default for Style<'_, R> {
    fn default() -> Self {
        Self { search: Search::Texts, finder: Finder::Table, paging: Paging::Cursors, layout: &[], example: None, is_only_form: false }
    }
}
