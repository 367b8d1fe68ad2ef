//! The table of events: restarts, reports of overload, changes of address.

use allium_history::{Event, EventKind};

use super::output::Table;
use super::table::{Cell, Column, Kind};

pub(super) const COLUMNS: &[Column] = &[
    Column::required("happened_at", Kind::Time),
    Column::required("fingerprint", Kind::Text),
    Column::required("kind", Kind::Text),
    Column::optional("address", Kind::Text),
];

/// Writes events in the order of time and relay.
pub(super) fn write(events: &[Event], table: &mut Table<'_>) -> anyhow::Result<()> {
    for event in events {
        let (kind, address) = match event.kind {
            EventKind::Restart => ("restart", None),
            EventKind::Overload => ("overload", None),
            EventKind::Address(address) => ("address", Some(address.to_string())),
        };
        table.row(&[
            Cell::Instant(event.at),
            Cell::Text(&event.fingerprint.to_string()),
            Cell::Text(kind),
            Cell::text(address.as_deref()),
        ])?;
    }
    Ok(())
}
