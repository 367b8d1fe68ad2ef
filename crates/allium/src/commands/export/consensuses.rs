//! The table of known consensuses.

use allium_history::ExactHistory;

use super::month::Month;
use super::output::Table;
use super::table::{Cell, Column, Kind};

pub(super) const COLUMNS: &[Column] = &[
    Column::required("valid_after", Kind::Time),
    Column::required("source", Kind::Text),
    Column::required("verified", Kind::Flag),
    Column::required("n_listed", Kind::Number),
    Column::required("n_running", Kind::Number),
    Column::required("n_guard", Kind::Number),
    Column::required("n_exit", Kind::Number),
];

/// Writes the consensuses of a month in the order of time.
pub(super) fn write(history: &ExactHistory, month: &Month<'_>, table: &mut Table<'_>) -> anyhow::Result<()> {
    let consensuses = &history.consensuses[month.indices.start as usize..month.indices.end as usize];
    for consensus in consensuses {
        table.row(&[
            Cell::Time(consensus.info.hour),
            Cell::Text(consensus.info.source.name()),
            Cell::Flag(consensus.info.verified),
            Cell::count(consensus.n_listed),
            Cell::count(consensus.n_running),
            Cell::count(consensus.n_guard),
            Cell::count(consensus.n_exit),
        ])?;
    }
    Ok(())
}
