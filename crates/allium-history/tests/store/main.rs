//! The store through its public interface.

#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise, helpers included")]

mod as_of;
mod common;
mod consensuses;
mod documents;
mod files;
mod measures;
mod notes;
mod packs;
mod places;
mod proofs;
mod sources;
mod states;
