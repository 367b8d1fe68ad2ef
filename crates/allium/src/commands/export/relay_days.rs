//! The table of relays and days: how large a relay was.

use allium_history::{RelayDay, Store};

use super::month::Month;
use super::output::Table;
use super::table::{Cell, Column, Kind, until_it_fails};
use super::weights;

pub(super) const COLUMNS: &[Column] = &{
    let [weighed, weight, fraction, guard, middle, exit] = weights::COLUMNS;
    [
        Column::required("fingerprint", Kind::Text),
        Column::required("day", Kind::Time),
        weighed,
        weight,
        fraction,
        guard,
        middle,
        exit,
        Column::optional("advertised_bandwidth", Kind::Real),
        Column::optional("observed_bandwidth", Kind::Real),
    ]
};

/// Writes the days of a month in the order of time and relay.
pub(super) fn write(store: &dyn Store, month: &Month<'_>, table: &mut Table<'_>) -> anyhow::Result<()> {
    let Some((from, to)) = month.hours else { return Ok(()) };
    until_it_fails(|write| store.each_relay_day(from, to, &mut |fingerprint, day| write(table.row(&row(&fingerprint.to_string(), day)))))
}

fn row<'a>(fingerprint: &'a str, day: &RelayDay) -> [Cell<'a>; COLUMNS.len()] {
    let shares = [day.consensus_weight_fraction, day.guard_probability, day.middle_probability, day.exit_probability];
    let [weighed, weight, fraction, guard, middle, exit] = weights::cells(day.n_weighed, day.consensus_weight, shares);
    [
        Cell::Text(fingerprint),
        Cell::Time(day.start),
        weighed,
        weight,
        fraction,
        guard,
        middle,
        exit,
        Cell::real(day.advertised_bandwidth),
        Cell::real(day.observed_bandwidth),
    ]
}
