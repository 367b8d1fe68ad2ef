//! Failures of sources that the store could not hold, as on a full disk: shown as if it did, until it does.

use std::collections::BTreeMap;

use allium_model::{SourceFailure, SourceReport};

/// Failures of one source that are remembered, the latest; those before them are only in the log.
const MAX_REMEMBERED: usize = 50;

/// Failures that are in no store, by source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unrecorded {
    by_source: BTreeMap<String, Vec<SourceFailure>>,
}

impl Unrecorded {
    /// The failures of a source, the oldest first.
    pub fn of(&self, source: &str) -> &[SourceFailure] {
        self.by_source.get(source).map_or(&[], Vec::as_slice)
    }

    /// Remembers another failure of a source.
    pub(crate) fn add(&mut self, source: String, failure: SourceFailure) {
        let failures = self.by_source.entry(source).or_default();
        failures.push(failure);
        failures.drain(..failures.len().saturating_sub(MAX_REMEMBERED));
    }

    /// Forgets the failures of a source, which the store holds.
    pub(crate) fn forget(&mut self, source: &str) {
        self.by_source.remove(source);
    }

    /// The reports of the store, by name, with these failures among theirs.
    pub(crate) fn beside(&self, stored: &[SourceReport]) -> Vec<SourceReport> {
        let mut reports: BTreeMap<&str, SourceReport> = stored.iter().map(|report| (report.source.as_str(), report.clone())).collect();
        for (source, failures) in &self.by_source {
            let Some(last) = failures.last() else { continue };
            let report = reports.entry(source).or_insert_with(|| never_stored(source, last));
            report.asked_at = report.asked_at.max(last.at);
            report.failure = Some(last.reason.clone());
            report.failures.extend(failures.iter().cloned());
        }
        reports.into_values().collect()
    }
}

/// The report of a source that the store has nothing of.
fn never_stored(source: &str, last: &SourceFailure) -> SourceReport {
    SourceReport {
        source: source.to_owned(),
        asked_at: last.at,
        answered_at: None,
        newest: None,
        failure: None,
        failures: Vec::new(),
        n_rejects: 0,
        rejects: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

    use super::*;

    fn failure(second: i64) -> SourceFailure {
        let at = allium_model::Timestamp::from_second(second).unwrap();
        SourceFailure { at, reason: format!("no space at {second}") }
    }

    #[test]
    fn a_failure_is_shown_beside_what_is_stored_until_it_is_forgotten() {
        let mut unrecorded = Unrecorded::default();
        let stored = SourceReport { answered_at: Some(failure(3).at), ..never_stored("onionoo", &failure(3)) };
        unrecorded.add("onionoo".to_owned(), failure(5));
        unrecorded.add("directory".to_owned(), failure(6));
        let shown = unrecorded.beside(std::slice::from_ref(&stored));
        let failing: Vec<_> = shown.iter().map(|report| (report.source.as_str(), report.asked_at, report.failure.as_deref())).collect();
        let expected = [("directory", failure(6).at, Some("no space at 6")), ("onionoo", failure(5).at, Some("no space at 5"))];
        assert_eq!(failing, expected);
        assert_eq!((shown[1].answered_at, &shown[1].failures[..]), (stored.answered_at, &[failure(5)][..]));
        unrecorded.forget("onionoo");
        unrecorded.forget("directory");
        assert_eq!(unrecorded.beside(std::slice::from_ref(&stored)), [stored]);
    }

    #[test]
    fn the_latest_failures_are_remembered_and_no_more() {
        let mut unrecorded = Unrecorded::default();
        (0..1_000).for_each(|second| unrecorded.add("onionoo".to_owned(), failure(second)));
        assert_eq!(unrecorded.of("onionoo").len(), MAX_REMEMBERED);
        assert_eq!(unrecorded.of("onionoo").last(), Some(&failure(999)));
    }
}
