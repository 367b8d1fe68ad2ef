//! The list of what could not be understood in one consensus.

use allium_model::{Fingerprint, Reject};

/// How many rejects of a document are listed; all are counted.
const MAX_LISTED: usize = 1000;
/// How much of the input a reason quotes.
const MAX_QUOTE_CHARS: usize = 60;

/// Collects rejects.
#[derive(Debug)]
pub(super) struct Rejects {
    pub(super) origin: String,
    pub(super) listed: Vec<Reject>,
    pub(super) n: usize,
}

impl Rejects {
    pub(super) fn new(origin: &str) -> Self {
        Self { origin: origin.to_owned(), listed: Vec::new(), n: 0 }
    }

    pub(super) fn add(&mut self, place: String, relay: Option<Fingerprint>, reason: String) {
        self.n += 1;
        if self.listed.len() < MAX_LISTED {
            self.listed.push(Reject { origin: self.origin.clone(), place, relay, reason });
        }
    }
}

/// The beginning of what was found, in visible characters.
pub(super) fn quote(bytes: &[u8]) -> String {
    let start = &bytes[..bytes.len().min(4 * MAX_QUOTE_CHARS)];
    let text = String::from_utf8_lossy(start);
    let mut quoted: String = text.chars().take(MAX_QUOTE_CHARS).flat_map(char::escape_debug).collect();
    if text.chars().nth(MAX_QUOTE_CHARS).is_some() || start.len() < bytes.len() {
        quoted.push('…');
    }
    quoted
}
