//! The list of what could not be understood in a pack.

use allium_model::{Fingerprint, Reject};

/// Number of rejects that are listed; all are counted.
const MAX_LISTED: usize = 1000;

/// Collects rejects.
#[derive(Debug, Default)]
pub(super) struct Rejects {
    pub(super) listed: Vec<Reject>,
    pub(super) n: usize,
}

impl Rejects {
    pub(super) fn add(&mut self, origin: &str, location: impl FnOnce() -> String, relay: Option<Fingerprint>, reason: impl Into<String>) {
        self.n += 1;
        if self.listed.len() < MAX_LISTED {
            self.listed.push(Reject { origin: origin.to_owned(), location: location(), relay, reason: reason.into() });
        }
    }
}
