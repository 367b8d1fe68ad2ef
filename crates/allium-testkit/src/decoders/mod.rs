//! Promises that every decoder keeps for any bytes, as functions that panic where a promise is broken.
//!
//! Each of [`TARGETS`] takes the bytes of one input. libFuzzer calls it through the program of the same name in
//! `fuzz/fuzz_targets/`, and `crates/allium/tests/it/decoders.rs` calls it with the [`seeds`] and damaged variants of them.
//!
//! Beyond not panicking, a decoder gives the same for the same bytes; counts what it could not understand, and reports it in visible
//! characters; keeps shares in 0 to 1, times in order and each relay once; gives no more than its caps or the size of the
//! input allow; and gives back what was written where something writes its format. Nothing that was not signed verifies.

mod altered;
mod archive;
mod asked;
mod common;
mod consensus;
mod measures;
mod onionoo;
mod presence;
mod proof;
pub mod seeds;
mod store;
mod words;

/// A check by the name of its target.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 20] = [
    ("onionoo_summary", onionoo::summary),
    ("onionoo_details", onionoo::details),
    ("onionoo_uptime", onionoo::uptime),
    ("onionoo_bandwidth", onionoo::bandwidth),
    ("onionoo_weights", onionoo::weights),
    ("consensus", consensus::document),
    ("consensus_signatures", consensus::signatures),
    ("consensus_certificates", consensus::certificates),
    ("collector_index", archive::index),
    ("collector_archive", archive::walked),
    ("compression", archive::compression),
    ("presence_snapshots", presence::snapshots),
    ("presence_relays", presence::relays),
    ("presence_spans", presence::spans),
    ("proof_file", proof::file),
    ("published_graphs", store::published_graphs),
    ("day_figures", measures::day_figures),
    ("words", words::words),
    ("contacts", asked::contact),
    ("search", asked::question),
];

/// Runs the check of a target.
///
/// # Panics
/// A promise is broken, or there is no target of this name.
pub fn check(target: &str, bytes: &[u8]) {
    let (_, check) = TARGETS.iter().find(|(name, _)| *name == target).expect("the name of a target");
    check(bytes);
}
