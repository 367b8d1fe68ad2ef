//! The list of what could not be understood in one document.

use allium_model::{Fingerprint, Reject};

/// Number of rejects of a document that are listed; all are counted.
pub(crate) const MAX_LISTED: usize = 1000;
/// Number of characters of a reason that are kept.
const MAX_REASON_CHARS: usize = 300;

/// Collects rejects.
#[derive(Debug)]
pub(crate) struct Rejects {
    pub(crate) origin: String,
    pub(crate) listed: Vec<Reject>,
    pub(crate) n: usize,
}

impl Rejects {
    pub(crate) fn new(origin: &str) -> Self {
        Self { origin: origin.to_owned(), listed: Vec::new(), n: 0 }
    }

    pub(crate) fn add(&mut self, location: impl FnOnce() -> String, relay: Option<Fingerprint>, reason: &str) {
        self.n += 1;
        if self.listed.len() < MAX_LISTED {
            let reject = Reject { origin: self.origin.clone(), location: location(), relay, reason: one_line(reason, MAX_REASON_CHARS) };
            self.listed.push(reject);
        }
    }
}

/// A text of at most `max_chars` characters without control or invisible formatting characters.
pub(crate) fn one_line(text: &str, max_chars: usize) -> String {
    let mut line = String::new();
    for c in text.chars().take(max_chars) {
        // Quotes and backslashes are escaped by `escape_debug` too, but they are harmless and read better as they are.
        if matches!(c, '"' | '\'' | '\\') {
            line.push(c);
        } else {
            line.extend(c.escape_debug());
        }
    }
    if text.chars().nth(max_chars).is_some() {
        line.push('…');
    }
    line
}
