//! Sums of the pages of the file: is every page as it was written?
//!
//! SQLite reads a page whose bytes were changed behind its back as if they were content. So each page has a sum in `page_sums`, which
//! is made in the same transaction as any change, just before its end, and compared before content is read. The pages of
//! `page_sums` have their sums in the seal, whose page ends with its own. `docs/store.md` has the format.
//!
//! A sum is XXH64 with the page's number as seed, so that two pages in each other's place are found too. It finds chance damage; it
//! is no signature.

pub(super) mod layout;
mod names;
mod own;
pub(super) mod page;
pub(super) mod parity;
pub(super) mod seal;
pub(super) mod tree;
mod verify;
mod write;

pub(super) use names::phrases;
pub(super) use verify::{Scope, damages, require};
pub(super) use write::write;
