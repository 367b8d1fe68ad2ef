//! The table of relays and days: how large a relay was.

use allium_history::{RelayDay, Store};

use super::month::Month;
use super::output::Table;
use super::table::{Cell, Column, Kind, until_it_fails};

pub(super) const COLUMNS: &[Column] = &[
    Column::required("fingerprint", Kind::Text),
    Column::required("day", Kind::Time),
    Column::required("n_weighed", Kind::Number),
    Column::optional("consensus_weight", Kind::Real),
    Column::optional("consensus_weight_fraction", Kind::Real),
    Column::optional("guard_probability", Kind::Real),
    Column::optional("middle_probability", Kind::Real),
    Column::optional("exit_probability", Kind::Real),
    Column::optional("advertised_bandwidth", Kind::Real),
    Column::optional("observed_bandwidth", Kind::Real),
];

/// Writes the days of a month in the order of time and relay.
pub(super) fn write(store: &dyn Store, month: &Month<'_>, table: &mut Table<'_>) -> anyhow::Result<()> {
    let Some((from, to)) = month.hours else { return Ok(()) };
    until_it_fails(|write| store.each_relay_day(from, to, &mut |fingerprint, day| write(table.row(&row(&fingerprint.to_string(), day)))))
}

fn row<'a>(fingerprint: &'a str, day: &RelayDay) -> [Cell<'a>; COLUMNS.len()] {
    [
        Cell::Text(fingerprint),
        Cell::Time(day.start),
        Cell::Number(day.n_weighed.into()),
        Cell::real(day.consensus_weight),
        Cell::share(day.consensus_weight_fraction),
        Cell::share(day.guard_probability),
        Cell::share(day.middle_probability),
        Cell::share(day.exit_probability),
        Cell::real(day.advertised_bandwidth),
        Cell::real(day.observed_bandwidth),
    ]
}
