//! The table of groups and hours: how large the network, a country, an AS, the relays with a flag were.

use allium_history::{GroupHour, GroupKey, Grouping, Store};

use super::month::Month;
use super::output::Table;
use super::table::{Cell, Column, Kind, until_it_fails};
use super::weights;

pub(super) const COLUMNS: &[Column] = &{
    let [weighed, weight, fraction, guard, middle, exit] = weights::COLUMNS;
    [
        Column::required("kind", Kind::Text),
        Column::optional("key", Kind::Text),
        Column::required("valid_after", Kind::Time),
        weighed,
        weight,
        fraction,
        guard,
        middle,
        exit,
        Column::optional("advertised_bandwidth", Kind::Number),
        Column::optional("observed_bandwidth", Kind::Number),
    ]
};

/// Writes the hours of a month by kind of group, time and group.
pub(super) fn write(store: &dyn Store, month: &Month<'_>, table: &mut Table<'_>) -> anyhow::Result<()> {
    let Some((from, to)) = month.hours else { return Ok(()) };
    for by in Grouping::ALL {
        until_it_fails(|write| {
            store.each_group_hour(by, from, to, &mut |group, hour| {
                let (kind, key) = names(group);
                write(table.row(&row(kind, key.as_deref(), hour)))
            })
        })?;
    }
    Ok(())
}

/// The words for a group: its kind, and which one of that kind.
fn names(group: &GroupKey) -> (&'static str, Option<String>) {
    match group {
        GroupKey::Network => ("network", None),
        GroupKey::Country(country) => ("country", Some(country.to_string())),
        GroupKey::AutonomousSystem(asn) => ("as", Some(asn.to_string())),
        GroupKey::Flag(flag) => ("flag", Some(flag.name().to_owned())),
    }
}

fn row<'a>(kind: &'a str, key: Option<&'a str>, hour: &GroupHour) -> [Cell<'a>; COLUMNS.len()] {
    let shares = [hour.consensus_weight_fraction, hour.guard_probability, hour.middle_probability, hour.exit_probability];
    let [weighed, weight, fraction, guard, middle, exit] = weights::cells(hour.n_weighed, hour.consensus_weight, shares);
    [
        Cell::Text(kind),
        Cell::text(key),
        Cell::Time(hour.hour),
        weighed,
        weight,
        fraction,
        guard,
        middle,
        exit,
        hour.advertised_bandwidth.map_or(Cell::Null, Cell::count),
        hour.observed_bandwidth.map_or(Cell::Null, Cell::count),
    ]
}
