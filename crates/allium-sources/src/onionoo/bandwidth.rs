//! Bandwidth documents: bytes per second written and read, as relays report them.
//!
//! The overload members beside them hold single events and are passed over: details documents carry the newest one.

use allium_model::Quantity;

use super::histories::Member;

/// Content of a member of an entry.
pub(super) fn member(key: &[u8]) -> Member {
    match key {
        b"write_history" => Member::Graphs(Quantity::BytesWritten),
        b"read_history" => Member::Graphs(Quantity::BytesRead),
        _ => Member::Other,
    }
}
