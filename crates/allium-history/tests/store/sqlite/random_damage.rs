//! Random damage of the file: a check finds it, and no answer rests on it.

use std::path::{Path, PathBuf};

use allium_history::sqlite::SqliteStore;
use allium_history::{Error, Grouping, Record as _, Store, Upkeep as _};
use allium_model::{AroiResult, ConsensusHour, NoteAction, Quantity, Timestamp};

use crate::common::*;
use crate::conformance::{notes, proofs, sources};

const PAGE: usize = 4096;

/// What a damage was, and the file with it.
type Damaged = (String, Vec<u8>);

/// Numbers from a seed: SplitMix64.
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// A store with rows in every table, in several hundred pages where `n_relays` is a hundred.
pub(super) fn fill(store: &mut dyn Store, n_relays: u32) {
    let relays = |at| (1..=n_relays).map(|number| full(number, hour(at))).collect();
    let listed: Vec<_> = (1..=n_relays).map(|number| (fingerprint(number), state((number % 5) as u8))).collect();
    for at in -30..-1 {
        store.append_consensus(&consensus(hour(at)), &listed[..listed.len() - (at + 30) as usize % 7]).unwrap();
    }
    for at in [0, 1] {
        store.apply(&details(hour(at), relays(at))).unwrap();
    }
    let codes: Vec<Option<u16>> = (0..3_000).map(|i| Some((i * 7919 % 1000) as u16)).collect();
    let graphs = |number| histories(number, vec![graph(Quantity::Uptime, hour(0), &codes[number as usize % 50..])]);
    store.apply(&uptime(hour(0), (1..=n_relays).map(graphs).collect())).unwrap();
    store.record_proofs(&[proofs::standing(1, AroiResult::Validated), proofs::standing(2, AroiResult::Unauthorised)]).unwrap();
    store.record_visit(&sources::visit("directory", sources::at("2026-02-15T19:00:00Z"), Some("no answer"))).unwrap();
    store.add_token("night shift", &[7; 32], notes::at("2026-02-15T18:00:00Z")).unwrap();
    for i in 0..20 {
        store.add_incident_note(&notes::note(1, NoteAction::Annotate, &format!("cable {i}"))).unwrap();
    }
    let state: Vec<u8> = (0..30_000_u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    store.save_state("detector", &state).unwrap();
}

/// Everything that the store answers, or why not.
pub(super) fn answers(store: &dyn Store) -> Vec<Result<String, Error>> {
    let (from, to) = (ConsensusHour::new(0), ConsensusHour::new(10_000_000));
    let shown = |answer: Result<&dyn std::fmt::Debug, Error>| answer.map(|answer| format!("{answer:?}"));
    macro_rules! each { ($($answer:expr),*) => { vec![$( match $answer { Ok(answer) => shown(Ok(&answer)), Err(error) => Err(error) } ),*] } }
    each![
        store.incident_notes(),
        store.tokens(),
        store.load(),
        store.load_as_of(hour(-2)),
        store.exact(),
        store.timeline(),
        store.known(),
        store.sources(),
        store.proofs(),
        store.load_state("detector"),
        store.events(None, Timestamp::MIN, Timestamp::MAX),
        store.group_hours(Grouping::Flag, from, to),
        store.relay_days(&fingerprint(1), from, to),
        store.listed_between(from, to)
    ]
}

/// Damages a file at random; `older` are earlier versions of it.
pub(super) fn damage(random: &mut Random, file: &[u8], older: &[Vec<u8>]) -> Damaged {
    let (mut bytes, n_pages) = (file.to_vec(), file.len() / PAGE);
    let what = match random.below(6) {
        0 => {
            let places: Vec<usize> = (0..1 + random.below(8)).map(|_| random.below(bytes.len())).collect();
            places.iter().for_each(|at| bytes[*at] ^= 1 << random.below(8));
            format!("flipped bits at {places:?}")
        }
        1 => {
            let size = [512, 1024, PAGE, 4 * PAGE][random.below(4)];
            let at = random.below(bytes.len() / 512) * 512;
            let end = (at + size).min(bytes.len());
            bytes[at..end].fill(0);
            format!("zeros from {at} to {end}")
        }
        2 => {
            let (one, other) = (random.below(n_pages), random.below(n_pages));
            (0..PAGE).for_each(|i| bytes.swap(one * PAGE + i, other * PAGE + i));
            format!("pages {} and {} swapped", one + 1, other + 1)
        }
        3 => {
            bytes.truncate(random.below(bytes.len()));
            format!("cut to {} bytes", bytes.len())
        }
        4 => {
            let old = &older[random.below(older.len())];
            let page = random.below(old.len() / PAGE);
            bytes[page * PAGE..(page + 1) * PAGE].copy_from_slice(&old[page * PAGE..(page + 1) * PAGE]);
            format!("page {} of an older version", page + 1)
        }
        _ => {
            let (at, size) = (random.below(bytes.len()), 1 + random.below(2_000));
            let end = (at + size).min(bytes.len());
            bytes[at..end].iter_mut().for_each(|byte| *byte = random.next() as u8);
            format!("noise from {at} to {end}")
        }
    };
    (what, bytes)
}

/// Damages that leave the bytes as they are, such as an older version of a page that never changed, are none and drawn again.
pub(super) fn real_damage(random: &mut Random, file: &[u8], older: &[Vec<u8>]) -> Damaged {
    loop {
        let (what, bytes) = damage(random, file, older);
        if bytes != file {
            return (what, bytes);
        }
    }
}

/// Versions of a store of `n_relays` relays: the last, and those after earlier changes.
pub(super) fn versions(dir: &Path, n_relays: u32) -> (Vec<u8>, Vec<Vec<u8>>) {
    let path = dir.join("growing");
    let read = |path: &PathBuf| std::fs::read(path).unwrap();
    fill(&mut SqliteStore::open(&path).unwrap(), n_relays);
    let mut older = vec![read(&path)];
    for at in [2, 3] {
        SqliteStore::open(&path).unwrap().apply(&details(hour(at), (1..=n_relays).map(|number| full(number, hour(at))).collect())).unwrap();
        older.push(read(&path));
    }
    (older.pop().unwrap(), older)
}

/// Damages a file so often, and returns the damages that a check did not find. No answer of a damaged store is another one.
fn unfound(
    dir: &Path,
    seed: u64,
    n: usize,
    file: &[u8],
    older: &[Vec<u8>],
    ask: impl Fn(&dyn Store) -> Vec<Result<String, Error>>,
) -> Vec<String> {
    let whole = dir.join("whole");
    std::fs::write(&whole, file).unwrap();
    let store = SqliteStore::open_read_only(&whole).unwrap();
    assert!(store.check().unwrap().is_sound());
    let truth: Vec<String> = ask(&store).into_iter().map(Result::unwrap).collect();
    let mut random = Random(seed);
    let mut unfound = Vec::new();
    for i in 0..n {
        let (what, bytes) = real_damage(&mut random, file, older);
        let path = dir.join(format!("damaged-{i}"));
        std::fs::write(&path, bytes).unwrap();
        let Ok(store) = SqliteStore::open_read_only(&path) else { continue };
        if store.check().is_ok_and(|report| report.is_sound()) {
            unfound.push(what.clone());
        }
        for (answer, truth) in ask(&store).into_iter().zip(&truth) {
            assert!(
                answer.as_ref().is_err() || answer.as_ref().is_ok_and(|answer| answer == truth),
                "{what}: {:?}",
                answer.map(|text| text.len())
            );
        }
        drop(store);
        std::fs::remove_file(&path).unwrap();
    }
    unfound
}

#[test]
fn two_hundred_damages_are_found_and_none_is_an_answer() {
    let dir = tempfile::tempdir().unwrap();
    let (file, older) = versions(dir.path(), 40);
    assert_eq!(unfound(dir.path(), 1, 200, &file, &older, answers), [""; 0]);
}

/// As above, a thousand times, of a larger store or of a real one: `ALLIUM_STORE=… cargo nextest run … --run-ignored only`.
#[test]
#[ignore = "takes minutes"]
fn a_thousand_damages_are_found_and_none_is_an_answer() {
    let dir = tempfile::tempdir().unwrap();
    let unfound = match std::env::var_os("ALLIUM_STORE") {
        Some(real) => {
            let path = dir.path().join("real");
            std::fs::copy(real, &path).unwrap();
            let mut store = SqliteStore::open(&path).unwrap();
            let older = vec![std::fs::read(&path).unwrap()];
            store.prune(store.known().unwrap()[1].info.hour).unwrap();
            drop(store);
            let short = |store: &dyn Store| answers(store).into_iter().take(3).collect();
            unfound(dir.path(), 2, 1_000, &std::fs::read(&path).unwrap(), &older, short)
        }
        None => {
            let (file, older) = versions(dir.path(), 300);
            unfound(dir.path(), 2, 1_000, &file, &older, answers)
        }
    };
    assert!(unfound.len() <= 1, "{unfound:?}");
}
