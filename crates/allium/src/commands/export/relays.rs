//! The table of relays: who they are, as last known.

use allium_model::Relay;

use super::output::Table;
use super::table::{Cell, Column, Kind};

pub(super) const COLUMNS: &[Column] = &[
    Column::required("fingerprint", Kind::Text),
    Column::optional("nickname", Kind::Text),
    Column::optional("first_seen", Kind::Time),
    Column::optional("last_seen", Kind::Time),
    Column::optional("country", Kind::Text),
    Column::optional("asn", Kind::Number),
    Column::optional("as_name", Kind::Text),
    Column::optional("contact", Kind::Text),
    Column::optional("version", Kind::Text),
    Column::optional("platform", Kind::Text),
    Column::optional("first_seen_bound", Kind::Time),
];

/// Writes the relays by fingerprint.
pub(super) fn write(relays: &[Relay], table: &mut Table<'_>) -> anyhow::Result<()> {
    for relay in relays {
        table.row(&[
            Cell::Text(&relay.fingerprint.to_string()),
            Cell::text(relay.nickname.as_deref()),
            Cell::time(relay.first_seen.date()),
            Cell::time(relay.last_seen),
            Cell::text(relay.country.as_ref().map(allium_model::CountryCode::as_str)),
            Cell::number(relay.asn.map(|asn| asn.0)),
            Cell::text(relay.as_name.as_deref()),
            Cell::text(relay.contact.as_deref()),
            Cell::text(relay.version.as_deref()),
            Cell::text(relay.platform.as_deref()),
            Cell::time(relay.first_seen.bound()),
        ])?;
    }
    Ok(())
}
