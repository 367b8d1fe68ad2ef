//! Uptime documents: `uptime` and `flags`, shares of known consensuses.

use allium_model::{Quantity, RelayFlag};

use super::histories::Member;
use super::rejects::quote_name;

/// Content of a member of an entry.
pub(super) fn member(key: &[u8]) -> Member {
    match key {
        b"uptime" => Member::Graphs(Quantity::Uptime),
        b"flags" => Member::Flags,
        _ => Member::Other,
    }
}

/// The share of consensuses with this flag.
pub(super) fn flag(key: &[u8]) -> Quantity {
    let name = quote_name(key);
    RelayFlag::from_name(&name).map_or(Quantity::OtherFlag(name), Quantity::Flag)
}
