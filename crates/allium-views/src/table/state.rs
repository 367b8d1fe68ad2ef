//! What a table shows, as its address says it: read from the query part and written back in one canonical form.

use super::cell::Rank;
use super::{Choice, Column, Table};
use crate::error::RequestError;
use crate::params::{Params, query_string};

/// Rows of a page, or of a JSON answer, unless the address says otherwise.
const LIMIT: usize = 100;

/// The most rows of a page or of a JSON answer.
const MAX_LIMIT: usize = 1_000;

/// What a table shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableState {
    /// Text that rows must hold.
    pub(super) q: String,
    /// The value of each choice, in their order.
    pub(super) chosen: Vec<String>,
    /// The place of the column that orders.
    pub(super) sort: usize,
    /// Largest first.
    pub(super) descending: bool,
    /// Rows at once, where the address says it.
    pub(super) limit: Option<usize>,
    /// The key of the row before the first.
    pub(super) cursor: Option<String>,
    /// Whether every column is shown.
    pub(super) all_columns: bool,
}

impl<'a, R> Table<'a, R> {
    /// Reads the state from the query part of an address.
    pub(crate) fn state(&self, params: &Params) -> Result<TableState, RequestError> {
        let (sort, descending) = self.sort(params)?;
        Ok(TableState {
            q: params.one("q")?.unwrap_or_default().to_owned(),
            chosen: self.choices.iter().map(|choice| choice.value(params)).collect::<Result<_, _>>()?,
            sort,
            descending,
            limit: params.number("limit", 1..=MAX_LIMIT)?,
            cursor: params.one("cursor")?.map(str::to_owned),
            all_columns: match params.one("columns")? {
                None => false,
                Some("all") => true,
                Some(other) => return Err(RequestError::bad("columns", other, "all")),
            },
        })
    }

    /// As [`Table::state`], refusing parameters that no table of this kind has.
    pub(crate) fn strict_state(&self, params: &Params) -> Result<TableState, RequestError> {
        let own = ["q", "sort", "limit", "cursor", "columns"];
        let names: Vec<&str> = own.into_iter().chain(self.choices.iter().map(|choice| choice.name)).collect();
        params.only(&names)?;
        self.state(params)
    }

    /// The rows that an address asks for, in order, wherever its cursor stands.
    pub(crate) fn found<'r>(&self, rows: &'r [R], params: &Params) -> Result<Vec<&'r R>, RequestError> {
        Ok(self.select(rows, &self.strict_state(params)?))
    }

    /// What an address asks for, under another path.
    pub(crate) fn moved(&self, path: &str, params: &Params) -> Result<String, RequestError> {
        let state = TableState { limit: None, all_columns: false, ..self.strict_state(params)?.at_start() };
        Ok(self.href(path, &state))
    }

    /// The rows that fit, in order.
    pub(super) fn select<'r>(&self, rows: &'r [R], state: &TableState) -> Vec<&'r R> {
        let words: Vec<String> = state.q.split_whitespace().map(str::to_lowercase).collect();
        let fits = |row: &&R| self.fits_choices(row, state) && (words.is_empty() || self.holds(row, &words));
        let mut found: Vec<(Rank, &R)> = rows.iter().filter(fits).map(|row| (self.rank(row, state), row)).collect();
        found.sort_by(|(a, _), (b, _)| a.compare(b, state.descending));
        found.into_iter().map(|(_, row)| row).collect()
    }

    fn rank(&self, row: &R, state: &TableState) -> Rank {
        self.columns.get(state.sort).map_or(Rank::Last, |column| (column.cell)(row).rank())
    }

    fn fits_choices(&self, row: &R, state: &TableState) -> bool {
        self.choices
            .iter()
            .zip(&state.chosen)
            .all(|(choice, value)| choice.default_value() == value || choice.fits.as_ref().is_none_or(|fits| fits(row, value)))
    }

    fn holds(&self, row: &R, words: &[String]) -> bool {
        let texts: Vec<String> = self
            .columns
            .iter()
            .filter(|column| column.is_searched)
            .filter_map(|column| (column.cell)(row).text().map(str::to_lowercase))
            .chain([(self.key)(row).to_lowercase()])
            .collect();
        words.iter().all(|word| texts.iter().any(|text| text.contains(word)))
    }

    fn sort(&self, params: &Params) -> Result<(usize, bool), RequestError> {
        let text = params.one("sort")?.unwrap_or(self.default_sort);
        let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
        let place = self.columns.iter().position(|column| column.name == name && column.is_sortable);
        place.map(|place| (place, descending)).ok_or_else(|| {
            let names: Vec<&str> = self.columns.iter().filter(|column| column.is_sortable).map(|column| column.name).collect();
            RequestError::bad("sort", text, format!("{}; each with a leading - for the largest first", names.join(", ")))
        })
    }

    /// The address of a state under a path.
    pub(super) fn href(&self, path: &str, state: &TableState) -> String {
        let mut pairs = self.filter_pairs(state);
        if let Some(limit) = state.limit {
            pairs.push(("limit", limit.to_string()));
        }
        if let Some(cursor) = &state.cursor {
            pairs.push(("cursor", cursor.clone()));
        }
        format!("{path}{}", query_string(&pairs))
    }

    /// What selects and orders, without the place in the list.
    fn filter_pairs(&self, state: &TableState) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        if !state.q.is_empty() {
            pairs.push(("q", state.q.clone()));
        }
        for (choice, value) in self.choices.iter().zip(&state.chosen) {
            if choice.default_value() != value {
                pairs.push((choice.name, value.clone()));
            }
        }
        let sort = self.sort_value(state);
        if sort != self.default_sort {
            pairs.push(("sort", sort));
        }
        if state.all_columns {
            pairs.push(("columns", "all".to_owned()));
        }
        pairs
    }

    /// The value of `sort` that stands for the state.
    pub(super) fn sort_value(&self, state: &TableState) -> String {
        let name = self.columns.get(state.sort).map_or("", |column| column.name);
        format!("{}{name}", if state.descending { "-" } else { "" })
    }

    /// Whether a column is shown.
    pub(super) fn shows(&self, place: usize, column: &Column<'a, R>, state: &TableState) -> bool {
        state.all_columns || !column.is_more || place == state.sort
    }
}

impl<R> Choice<'_, R> {
    /// The value that stands for nothing chosen.
    fn default_value(&self) -> &str {
        self.options.first().map_or("", |(value, _)| value.as_str())
    }

    fn value(&self, params: &Params) -> Result<String, RequestError> {
        let Some(value) = params.one(self.name)? else { return Ok(self.default_value().to_owned()) };
        if self.options.is_empty() {
            return Ok(value.to_owned());
        }
        match self.options.iter().find(|(option, _)| option == value) {
            Some((option, _)) => Ok(option.clone()),
            None => {
                let allowed: Vec<&str> = self.options.iter().map(|(option, _)| option.as_str()).take(100).collect();
                Err(RequestError::bad(self.name, value, allowed.join(", ")))
            }
        }
    }
}

impl TableState {
    /// The value of a choice by its place.
    pub(crate) fn chosen(&self, place: usize) -> &str {
        self.chosen.get(place).map_or("", String::as_str)
    }

    /// The same from the first row on.
    pub(super) fn at_start(&self) -> Self {
        Self { cursor: None, ..self.clone() }
    }

    /// Rows at once.
    pub(super) fn rows_at_once(&self) -> usize {
        self.limit.unwrap_or(LIMIT)
    }
}

/// The place behind the row that the cursor names.
pub(super) fn start_of(keys: impl Iterator<Item = String>, state: &TableState) -> Result<usize, RequestError> {
    let Some(cursor) = &state.cursor else { return Ok(0) };
    let allowed = "a next_cursor of the same list; if the network has moved on since, start again without it";
    let mut keys = keys;
    keys.position(|key| key == *cursor).map(|place| place + 1).ok_or_else(|| RequestError::bad("cursor", cursor, allowed))
}
