//! A table for programs: JSON with a cursor, CSV with everything that fits.

use allium_model::ConsensusHour;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::paging::LIMIT;
use super::{Column, Table, TableState};
use crate::error::RequestError;
use crate::form::{Form, to_json, write_csv};
use crate::params::Params;

/// A page of rows as JSON.
#[derive(serde::Serialize)]
#[serde(bound = "")]
struct ListJson<'a, 'c, R> {
    as_of: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<serde_json::Value>,
    n_rows: usize,
    next_cursor: Option<String>,
    rows: Vec<RowJson<'a, 'c, R>>,
}

struct RowJson<'a, 'c, R> {
    table: &'a Table<'c, R>,
    row: &'a R,
}

impl<R> Serialize for RowJson<'_, '_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for column in self.table.columns.iter().filter(|column| column.is_data) {
            map.serialize_entry(column.name, &(column.cell)(self.row))?;
        }
        map.end()
    }
}

impl<R> Table<'_, R> {
    /// A row with all its columns as JSON.
    pub(crate) fn row_json(&self, row: &R) -> Option<serde_json::Value> {
        serde_json::to_value(RowJson { table: self, row }).ok()
    }

    /// The rows that fit in the form that was asked for: JSON by pages, CSV whole unless limited. Parameters that no table of this
    /// kind has are refused.
    pub(crate) fn data(&self, as_of: ConsensusHour, rows: &[R], params: &Params, form: Form) -> Result<String, RequestError> {
        self.data_of(as_of, None, rows, &self.strict_state(params)?, form)
    }

    /// The same, where the rows are those of a group, which stands in the JSON too.
    pub(crate) fn data_of(
        &self,
        as_of: ConsensusHour,
        group: Option<serde_json::Value>,
        rows: &[R],
        state: &TableState,
        form: Form,
    ) -> Result<String, RequestError> {
        let found = self.select(rows, state);
        let shown = self.shown(&found, &state.position, if form == Form::Csv { usize::MAX } else { LIMIT })?;
        let page = &found[shown.clone()];
        match form {
            Form::Csv => csv(&self.columns, page),
            Form::Json => to_json(&ListJson {
                as_of: as_of.to_string(),
                group,
                n_rows: found.len(),
                next_cursor: (shown.end < found.len()).then(|| page.last().map(|row| (self.key)(row))).flatten(),
                rows: page.iter().map(|row| RowJson { table: self, row }).collect(),
            }),
        }
    }
}

/// Rows as CSV.
pub(crate) fn csv<R>(columns: &[Column<'_, R>], rows: &[&R]) -> Result<String, RequestError> {
    let columns: Vec<&Column<'_, R>> = columns.iter().filter(|column| column.is_data).collect();
    let header = columns.iter().map(|column| column.name.to_owned()).collect();
    let lines = rows.iter().map(|row| columns.iter().map(|column| (column.cell)(row).csv()).collect());
    write_csv(header, lines)
}
