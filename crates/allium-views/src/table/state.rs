//! The state of a table, as its address states it: read from the query part and written back in one canonical form.

use allium_analysis::Question;

use super::cell::Rank;
use super::paging::Position;
use super::{Column, Finder, Table};
use crate::error::RequestError;
use crate::params::{Params, query_string};

/// The state of a table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TableState {
    /// The question that rows must fit.
    pub(super) question: Question,
    /// The values of each choice, in the order of the choices; none for the default.
    pub(super) chosen: Vec<Vec<String>>,
    /// The name of the order.
    pub(super) sort: &'static str,
    /// Largest first.
    pub(super) descending: bool,
    /// The part of the list.
    pub(super) position: Position,
    /// True if every column is shown.
    pub(super) all_columns: bool,
}

impl TableState {
    /// The same in another part of the list.
    pub(super) fn at(&self, position: Position) -> Self {
        Self { position, ..self.clone() }
    }

    /// The same from the first row on.
    pub(super) fn at_start(&self) -> Self {
        self.at(self.position.first())
    }

    /// True from the first row on.
    pub(crate) fn is_at_start(&self) -> bool {
        self.position == self.position.first()
    }
}

impl<'a, R> Table<'a, R> {
    /// Reads the state from the query part of an address.
    pub(crate) fn state(&self, params: &Params) -> Result<TableState, RequestError> {
        let (sort, descending) = self.sort(params)?;
        Ok(TableState {
            question: self.question(params)?,
            chosen: self.choices.iter().map(|choice| choice.chosen(params)).collect::<Result<_, _>>()?,
            sort,
            descending,
            position: self.style.paging.position(params)?,
            all_columns: match params.one("columns")? {
                None => false,
                Some("all") => true,
                Some(other) => return Err(RequestError::bad("columns", other, "all")),
            },
        })
    }

    /// As [`Table::state`], refusing parameters that no table of this kind has.
    pub(crate) fn strict_state(&self, params: &Params) -> Result<TableState, RequestError> {
        let [first, second] = self.style.paging.names();
        let own = ["q", "sort", first, second, "columns"];
        let names: Vec<&str> = own.into_iter().chain(self.choices.iter().map(|choice| choice.name)).collect();
        params.only(&names)?;
        self.state(params)
    }

    /// The rows that an address asks for, in order, wherever its cursor stands.
    pub(crate) fn found<'r>(&self, rows: &'r [R], params: &Params) -> Result<Vec<&'r R>, RequestError> {
        Ok(self.select(rows, &self.strict_state(params)?))
    }

    /// The rows that an address asks for, under another path.
    pub(crate) fn moved(&self, path: &str, params: &Params) -> Result<String, RequestError> {
        Ok(self.selection_href(path, &self.strict_state(params)?))
    }

    /// The rows that fit, in order.
    pub(super) fn select<'r>(&self, rows: &'r [R], state: &TableState) -> Vec<&'r R> {
        match self.style.finder {
            Finder::Table => self.look_at_all(rows, state),
            Finder::Index(_) => rows.iter().collect(),
        }
    }

    fn look_at_all<'r>(&self, rows: &'r [R], state: &TableState) -> Vec<&'r R> {
        let terms: Vec<_> = state.question.terms().iter().map(|term| self.row_test(term)).collect();
        let fits = |row: &&R| self.fits_choices(row, state) && terms.iter().all(|fits| fits(row));
        let column = self.columns.iter().find(|column| column.order == Some(state.sort));
        let rank = |row: &R| column.map_or(Rank::Last, |column| (column.cell)(row).rank());
        let mut found: Vec<(Rank, &R)> = rows.iter().filter(fits).map(|row| (rank(row), row)).collect();
        found.sort_by(|(a, _), (b, _)| a.compare(b, state.descending));
        found.into_iter().map(|(_, row)| row).collect()
    }

    fn fits_choices(&self, row: &R, state: &TableState) -> bool {
        self.choices.iter().zip(&state.chosen).all(|(choice, values)| choice.is_fit(row, values))
    }

    /// The address of a state under a path.
    pub(crate) fn href(&self, path: &str, state: &TableState) -> String {
        let pairs: Vec<_> = self.selection_pairs(state).into_iter().chain(self.position_pairs(state)).collect();
        format!("{path}{}", query_string(&pairs))
    }

    /// The address of all rows that a state selects, under a path.
    pub(super) fn selection_href(&self, path: &str, state: &TableState) -> String {
        format!("{path}{}", query_string(&self.selection_pairs(state)))
    }

    /// The parameters that select and order.
    fn selection_pairs(&self, state: &TableState) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        if !state.question.is_empty() {
            pairs.push(("q", state.question.to_string()));
        }
        for (choice, values) in self.choices.iter().zip(&state.chosen) {
            pairs.extend(values.iter().map(|value| (choice.name, value.clone())));
        }
        let sort = Self::sort_value(state);
        if sort != self.default_sort {
            pairs.push(("sort", sort));
        }
        pairs
    }

    /// The parameters for the part of the list and its columns.
    fn position_pairs(&self, state: &TableState) -> Vec<(&'static str, String)> {
        let columns = state.all_columns.then(|| ("columns", "all".to_owned()));
        match &state.position {
            Position::Behind { cursor, limit } => {
                let limit = limit.map(|limit| ("limit", limit.to_string()));
                let cursor = cursor.clone().map(|cursor| ("cursor", cursor));
                [columns, limit, cursor].into_iter().flatten().collect()
            }
            Position::Page { number, per_page } => {
                let per = (*per_page != self.style.paging.default_rows()).then(|| ("per", per_page.to_string()));
                let page = (*number != 1).then(|| ("page", number.to_string()));
                [per, columns, page].into_iter().flatten().collect()
            }
        }
    }

    /// The columns of the page, in their order.
    pub(super) fn shown_columns(&self, state: Option<&TableState>) -> Vec<&Column<'a, R>> {
        let all_columns = state.is_some_and(|state| state.all_columns);
        let is_sorted = |column: &Column<'a, R>| state.is_some_and(|state| column.order == Some(state.sort));
        let is_shown = |column: &&Column<'a, R>| all_columns || !column.is_more || is_sorted(column);
        match self.style.layout {
            [] => self.columns.iter().filter(is_shown).collect(),
            names => names.iter().filter_map(|name| self.columns.iter().find(|column| column.name == *name)).filter(is_shown).collect(),
        }
    }
}
