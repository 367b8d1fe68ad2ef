//! The file in which a domain names its relays.

use allium_model::Fingerprint;
use allium_sources::proof::{Finding, FingerprintFile, MAX_LINES, judge_file};

use super::common::{is_visible, rejects_are_counted, twice};

pub(crate) fn file(bytes: &[u8]) {
    let stranger = Fingerprint::new([0x5a; 20]);
    let Some(file) = twice(|| FingerprintFile::parse(bytes, "input")) else {
        let findings = judge_file(bytes, &[stranger]);
        assert!(matches!(&findings[..], [Finding::Broken(reason)] if is_visible(reason)), "{findings:?}");
        return;
    };
    rejects_are_counted(&file.rejects, file.n_rejects);
    assert!(file.fingerprints.len() <= MAX_LINES && 40 * file.fingerprints.len() <= bytes.len());
    let text = String::from_utf8_lossy(bytes).to_uppercase();
    assert!(file.fingerprints.iter().all(|fingerprint| text.contains(&fingerprint.to_string())), "a fingerprint that is not there");
    let relays: Vec<Fingerprint> = file.fingerprints.iter().copied().chain([stranger]).collect();
    let findings = judge_file(bytes, &relays);
    assert_eq!(findings.len(), relays.len());
    for (relay, finding) in relays.iter().zip(&findings) {
        assert_eq!(*finding == Finding::Named, file.fingerprints.contains(relay));
        assert!(is_visible(finding.reason()));
    }
    let written: String = file.fingerprints.iter().map(|fingerprint| format!("{fingerprint}\n")).collect();
    let again = FingerprintFile::parse(written.as_bytes(), "input").expect("what is written can be read");
    assert_eq!((again.fingerprints, again.n_rejects), (file.fingerprints, 0));
}
