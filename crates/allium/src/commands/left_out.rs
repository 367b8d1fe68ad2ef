//! The parts that an import leaves out: documents that cannot be read, each named with its reason, and files that are something else.
//!
//! One wrong document costs itself: the others are stored, and the exit status is 1. Files that nobody called documents (notes in a
//! directory, other documents in an archive) are passed over, counted and named, and cost no success.

use allium_sources::Error;
use allium_words::format::count;
use allium_words::inert::inert;
use anyhow::bail;

use crate::progress;

/// Number of failures and rejects that are printed one by one.
const MAX_PRINTED: usize = 20;
/// Number of files passed over that are named.
const MAX_NAMED: usize = 10;

/// Counts of what was left out so far.
#[derive(Debug, Default)]
pub(crate) struct LeftOut {
    n_failures: u64,
    n_printed: usize,
    n_passed_over: u64,
    passed_over: Vec<String>,
}

impl LeftOut {
    /// Counts a document that cannot be read, and prints why.
    pub(crate) fn failure(&mut self, reason: &str) {
        self.n_failures += 1;
        self.print(reason);
    }

    /// Counts a file that is something else than what is imported.
    pub(crate) fn passed_over(&mut self, name: &str) {
        self.n_passed_over += 1;
        if self.passed_over.len() < MAX_NAMED {
            self.passed_over.push(inert(name));
        }
    }

    /// Prints a line on what was left out, unless there were many.
    pub(crate) fn print(&mut self, line: &str) {
        self.n_printed += 1;
        if self.n_printed <= MAX_PRINTED {
            progress::line(&inert(line));
        }
    }

    /// Number of documents that could not be read.
    pub(crate) const fn n_failures(&self) -> u64 {
        self.n_failures
    }

    /// Number of files that are something else.
    pub(crate) const fn n_passed_over(&self) -> u64 {
        self.n_passed_over
    }

    /// Prints how much was not printed one by one, and the names of files passed over.
    pub(crate) fn finish(&self) {
        if self.n_printed > MAX_PRINTED {
            progress::line(&format!("and {} more", count((self.n_printed - MAX_PRINTED) as u64)));
        }
        let n_more = self.n_passed_over - self.passed_over.len() as u64;
        let more = if n_more > 0 { format!(" and {} more", count(n_more)) } else { String::new() };
        if !self.passed_over.is_empty() {
            progress::line(&format!("passed over: {}{more}", self.passed_over.join(", ")));
        }
    }

    /// Fails where a document could not be read.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        if self.n_failures > 0 {
            bail!("{} of the documents could not be read", count(self.n_failures));
        }
        Ok(())
    }
}

/// An error with its cause, on one line.
pub(crate) fn with_cause(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
