//! Versions of Tor in a question: one, the beginning of one, a list, a range.

use std::fmt;

use allium_model::TorVersion;

/// The versions that a question means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions(Vec<Range>);

/// A stretch of versions; both ends are in it. `0.4.8` as an end stands for everything that begins so.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Range {
    from: Option<String>,
    to: Option<String>,
}

/// The forms that are understood.
pub(super) const ALLOWED: &str =
    "a version such as 0.4.8.12, the beginning of one such as 0.4.8, a list with commas, a range such as 0.4.8..0.4.9, 0.4.8.. or ..0.4.8";

impl Versions {
    /// Reads versions with commas between, each one or two with `..` between; a leading `Tor` is passed over.
    pub(super) fn read(text: &str) -> Option<Self> {
        text.split(',').map(Range::read).collect::<Option<Vec<_>>>().map(Self)
    }

    /// True if a version is among them.
    pub fn has(&self, version: &str) -> bool {
        let version = bare(version);
        self.0.iter().any(|range| range.has(version))
    }

    /// The version, where it is one.
    pub fn single(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Range { from: Some(from), to: Some(to) }] if from == to => Some(from),
            _ => None,
        }
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, range) in self.0.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { "," })?;
            let [from, to] = [&range.from, &range.to].map(|end| end.as_deref().unwrap_or_default());
            if from == to { f.write_str(from)? } else { write!(f, "{from}..{to}")? }
        }
        Ok(())
    }
}

impl Range {
    fn read(text: &str) -> Option<Self> {
        let text = bare(text.trim());
        match text.split_once("..") {
            Some((from, to)) if !(from.is_empty() && to.is_empty()) => Some(Self { from: end(from)?, to: end(to)? }),
            Some(_) => None,
            None => version(text).map(|one| Self { from: Some(one.clone()), to: Some(one) }),
        }
    }

    fn has(&self, version: &str) -> bool {
        let key = TorVersion::of(version);
        let begins = |end: &String| begins_with(version, end);
        let is_late = self.from.as_ref().is_none_or(|from| begins(from) || key > TorVersion::of(from));
        let is_early = self.to.as_ref().is_none_or(|to| begins(to) || key < TorVersion::of(to));
        let is_one = self.from.is_some() && self.from == self.to;
        if is_one { self.from.as_ref().is_some_and(begins) } else { is_late && is_early && key.tor_numbers().is_some() }
    }
}

fn bare(text: &str) -> &str {
    text.strip_prefix("Tor ").or_else(|| text.strip_prefix("tor ")).unwrap_or(text)
}

/// An end of a range: none, or a version.
fn end(text: &str) -> Option<Option<String>> {
    if text.is_empty() { Some(None) } else { version(text).map(Some) }
}

/// A version: numbers with dots between, and perhaps a word behind a hyphen.
fn version(text: &str) -> Option<String> {
    let text = text.trim_end_matches('.');
    let (numbers, tag) = text.split_once('-').map_or((text, None), |(numbers, tag)| (numbers, Some(tag)));
    let is_number = |part: &str| (1..=9).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let is_tag = |tag: &str| !tag.is_empty() && tag.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
    let is_version = numbers.split('.').count() <= 6 && numbers.split('.').all(is_number) && tag.is_none_or(is_tag);
    is_version.then(|| text.to_ascii_lowercase())
}

/// True for a version that begins so, up to a dot or a hyphen.
fn begins_with(version: &str, beginning: &str) -> bool {
    version.strip_prefix(beginning).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
}
