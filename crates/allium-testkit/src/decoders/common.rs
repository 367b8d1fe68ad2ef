//! Helpers of several checks.

use std::fmt::{Debug, Display};
use std::path::{Path, PathBuf};

use allium_model::Reject;
use tempfile::TempDir;

/// Number of rejects of a document that are listed.
const MAX_LISTED: usize = 1000;
/// Length of the longest reason or location, in bytes.
const MAX_TEXT_BYTES: usize = 8192;

/// Decodes twice and holds that the outcome is the same.
pub(crate) fn twice<T: PartialEq + Debug, E: Display>(decode: impl Fn() -> Result<T, E>) -> Option<T> {
    let shown = |error: E| {
        let text = error.to_string();
        assert!(is_visible(&text), "an error in visible characters: {text:?}");
        text
    };
    let (first, second) = (decode().map_err(shown), decode().map_err(shown));
    assert!(first == second, "two outcomes of the same bytes: {first:?} and {second:?}");
    first.ok()
}

/// Raw figures in the form in which the store keeps them: a version, their length, their compressed bytes.
pub(crate) fn stored_form(raw: &[u8]) -> Vec<u8> {
    let mut blob = vec![1];
    blob.extend((raw.len() as u32).to_le_bytes());
    blob.extend(zstd::bulk::compress(raw, 1).expect("memory takes all bytes"));
    blob
}

/// Holds that rejects are counted, capped and safe to show.
pub(crate) fn rejects_are_counted(listed: &[Reject], n_rejects: usize) {
    assert_eq!(listed.len(), n_rejects.min(MAX_LISTED), "rejects listed of {n_rejects}");
    for Reject { location, reason, .. } in listed {
        for text in [location, reason] {
            assert!(!text.is_empty() && text.len() <= MAX_TEXT_BYTES && is_visible(text), "{text:?}");
        }
    }
}

/// True if a text has no control characters.
pub(crate) fn is_visible(text: &str) -> bool {
    !text.contains(char::is_control)
}

/// Holds that a text is not empty, has at most `max_chars` characters, and no control characters.
pub(crate) fn is_clean(text: Option<&String>, max_chars: usize) {
    if let Some(text) = text {
        assert!(!text.is_empty() && text.chars().count() <= max_chars && is_visible(text), "{text:?}");
    }
}

/// A directory for the files of one thread's inputs.
pub(crate) struct Scratch(TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().expect("a directory for temporary files"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file and returns its path.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        write(&path, bytes);
        path
    }
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).expect("temporary files can be written");
}
