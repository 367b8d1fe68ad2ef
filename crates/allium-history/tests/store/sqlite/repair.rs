//! Repair: damaged pages are made again; what cannot be is left out and said, and the result is sound.

use std::path::{Path, PathBuf};

use allium_history::sqlite::SqliteStore;
use allium_history::{Error, Notes as _, Record as _, Repaired, Store, StoreUrl, Upkeep as _};

use super::random_damage::{Random, answers, damage, fill, versions};

const PAGE: usize = 4096;

/// A damaged store and the place for the repaired one.
struct Patient {
    dir: tempfile::TempDir,
}

impl Patient {
    fn new(bytes: &[u8]) -> Self {
        let patient = Self { dir: tempfile::tempdir().unwrap() };
        std::fs::write(patient.damaged(), bytes).unwrap();
        patient
    }

    fn damaged(&self) -> PathBuf {
        self.dir.path().join("damaged")
    }

    fn repaired(&self) -> PathBuf {
        self.dir.path().join("repaired")
    }

    fn repair(&self) -> Result<Repaired, Error> {
        StoreUrl::from(self.damaged()).repair(&self.repaired())
    }

    /// Answers of the repaired store, which is sound.
    fn answers(&self) -> Vec<String> {
        let store = SqliteStore::open_read_only(self.repaired()).unwrap();
        let report = store.check().unwrap();
        assert!(report.is_sound(), "{:?}", report.problems);
        answers(&store).into_iter().map(Result::unwrap).collect()
    }
}

fn truth(dir: &Path, file: &[u8]) -> Vec<String> {
    let whole = dir.join("whole");
    std::fs::write(&whole, file).unwrap();
    answers(&SqliteStore::open_read_only(&whole).unwrap()).into_iter().map(Result::unwrap).collect()
}

#[test]
fn any_single_page_is_made_again_and_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let (file, _) = versions(dir.path(), 25);
    let truth = truth(dir.path(), &file);
    let n_pages = file.len() / PAGE;
    for page in (0..n_pages).step_by(5).chain([1, 2, n_pages - 1]) {
        let mut bytes = file.clone();
        bytes[page * PAGE + 30..page * PAGE + 3_000].fill(0x5a);
        let patient = Patient::new(&bytes);
        let report = patient.repair().unwrap();
        assert_eq!(patient.answers(), truth, "page {}: {report:?}", page + 1);
        assert!(report.damaged.contains(&(page as u32 + 1)) || report.damaged.len() != 1, "page {}: {report:?}", page + 1);
        assert_eq!(std::fs::read(patient.damaged()).unwrap(), bytes, "the damaged file stays as it is");
    }
}

#[test]
fn sixteen_pages_in_a_row_are_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let (file, _) = versions(dir.path(), 25);
    let mut bytes = file.clone();
    bytes[..16 * PAGE].fill(0);
    let patient = Patient::new(&bytes);
    let report = patient.repair().unwrap();
    assert!(report.damaged.len() >= 16 && report.damaged.len() - report.restored.len() <= 2, "{report:?}");
    assert_eq!(patient.answers(), truth(dir.path(), &file));
}

#[test]
fn whatever_the_damage_the_repaired_store_is_sound_and_says_nothing_that_was_not_so() {
    let dir = tempfile::tempdir().unwrap();
    let (file, older) = versions(dir.path(), 25);
    let whole = dir.path().join("whole");
    let truth = truth(dir.path(), &file);
    let whole = SqliteStore::open_read_only(whole).unwrap();
    let (known, notes) = (whole.known().unwrap(), whole.incident_notes().unwrap());
    let (mut random, mut n_exact, mut n_refused) = (Random(5), 0, 0);
    for _ in 0..60 {
        let (mut what, mut bytes) = damage(&mut random, &file, &older);
        for _ in 0..random.below(6) {
            let n_before = bytes.len();
            if n_before < 4 * PAGE {
                break;
            }
            let (also, more) = damage(&mut random, &bytes, std::slice::from_ref(&bytes.clone()));
            (what, bytes) = (format!("{what}, {also}"), more);
        }
        let patient = Patient::new(&bytes);
        match patient.repair() {
            Ok(_) => {}
            Err(Error::Corrupt { .. } | Error::NotAStore { .. }) => {
                n_refused += 1;
                continue;
            }
            Err(error) => panic!("{what}: {error}"),
        }
        let found = patient.answers();
        n_exact += usize::from(found == truth);
        let store = SqliteStore::open_read_only(patient.repaired()).unwrap();
        assert!(store.known().unwrap().iter().all(|hour| known.contains(hour)), "{what}");
        assert!(store.incident_notes().unwrap().iter().all(|note| notes.iter().any(|true_note| true_note.text == note.text)), "{what}");
    }
    assert!(n_exact >= 20 && n_refused <= 20, "{n_exact} whole, {n_refused} refused");
}

#[test]
fn changes_in_the_log_are_taken_in() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let mut store = SqliteStore::open(&path).unwrap();
    fill(&mut store, 8);
    let (copy, patient) = (std::fs::read(&path).unwrap(), Patient::new(b""));
    std::fs::write(patient.damaged(), copy).unwrap();
    let log = patient.dir.path().join("damaged-wal");
    std::fs::copy(dir.path().join("store-wal"), &log).unwrap();
    let report = patient.repair().unwrap();
    assert!(!report.is_log_lost && report.tables.is_empty(), "{report:?}");
    let truth: Vec<String> = answers(&store as &dyn Store).into_iter().map(Result::unwrap).collect();
    assert_eq!(patient.answers(), truth);
    assert!(log.exists());
}

#[test]
fn what_is_no_store_cannot_be_repaired() {
    let patient = Patient::new(&b"these are somebody's notes\n".repeat(1_000));
    let error = patient.repair().unwrap_err();
    assert!(error.to_string().contains("damaged: no part of it can be read"), "{error}");
    let entries = std::fs::read_dir(patient.dir.path()).unwrap().count();
    assert_eq!(entries, 1, "nothing is left beside it");
}
