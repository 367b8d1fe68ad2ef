//! A loss of power at every moment of ingest, import, notes, prune and compaction: what the disk had not yet confirmed is there, torn or
//! missing in any combination, and the store is still one that some finished step left, no earlier than the last note that was acknowledged.
//!
//! `strace` records what a program of its own writes, step by step; where it is not installed the test says so. The images that a disk may
//! hold are then made from the record.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "what is skipped is said")]

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use allium_history::sqlite::SqliteStore;
use allium_history::{Error, Notes as _, Record as _, Upkeep as _};
use allium_model::NoteAction;

use super::random_damage::{Random, answers};
use crate::common::*;
use crate::conformance::notes;

/// Steps, each as a command does it: the store is opened, changed and closed.
const N_STEPS: usize = 12;
/// Steps after which a writer of a note was told that it is stored.
const NOTES: [usize; 4] = [4, 6, 8, 11];
/// Names in the environment of the program that is recorded.
const STORE: &str = "ALLIUM_RECORDED_STORE";

fn step(path: &Path, step: usize) {
    let mut store = SqliteStore::open(path).unwrap();
    let listed = |n: u32| (1..=n).map(|number| (fingerprint(number), state(number as u8 % 4))).collect::<Vec<_>>();
    let relays = |n: u32, at| (1..=n).map(|number| full(number, hour(at))).collect();
    match step {
        0 => drop(store.apply(&details(hour(0), relays(8, 0))).unwrap()),
        1 => drop(store.append_consensus(&consensus(hour(-3)), &listed(6)).unwrap()),
        2 => drop(store.append_consensus(&consensus(hour(-40)), &listed(9)).unwrap()),
        3 => assert!(store.add_token("night shift", &[7; 32], notes::at("2026-02-15T18:00:00Z")).unwrap()),
        5 => drop(store.apply(&details(hour(1), relays(12, 1))).unwrap()),
        7 => drop(store.prune(hour(-10)).unwrap()),
        9 => store.compact().unwrap(),
        10 => drop(store.apply(&details(hour(2), relays(10, 2))).unwrap()),
        note => drop(store.add_incident_note(&notes::note(1, NoteAction::Annotate, &format!("note {note}"))).unwrap()),
    }
}

/// The program that is recorded: it does all steps, and writes a letter into a file after each.
#[test]
fn does_the_work_that_is_recorded() {
    let Some(path) = std::env::var_os(STORE).map(PathBuf::from) else { return };
    for i in 0..N_STEPS {
        step(&path, i);
        std::fs::write(path.with_extension(format!("ack{i}")), "x").unwrap();
    }
}

/// Something that the program did to a file.
#[derive(Debug, Clone)]
enum Deed {
    Write {
        at: usize,
        bytes: Vec<u8>,
    },
    Cut(usize),
    Remove,
    Sync,
    /// A step is done.
    Done,
}

type Record = Vec<(String, Deed)>;

/// Records the work; `None` where nothing can be recorded.
fn record(dir: &Path) -> Option<Record> {
    let (log, store) = (dir.join("log"), dir.join("store"));
    let calls = "trace=openat,lseek,write,pwrite64,ftruncate,fsync,fdatasync,unlink";
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-xx", "-s", "1000000", "-e", calls, "-o"]).arg(&log).arg(std::env::current_exe().unwrap());
    command.args(["--exact", "sqlite::power_loss::does_the_work_that_is_recorded", "--test-threads", "1"]).env(STORE, &store);
    if !command.output().is_ok_and(|output| output.status.success()) {
        return None;
    }
    let text = std::fs::read_to_string(&log).unwrap();
    let (mut files, mut places, mut unfinished, mut record) = (HashMap::new(), HashMap::new(), HashMap::new(), Vec::new());
    for line in text.lines() {
        let (thread, line) = line.split_once(' ')?;
        let line = line.trim_start();
        if let Some(start) = line.strip_suffix("<unfinished ...>") {
            unfinished.insert(thread.to_owned(), start.trim_end().to_owned());
            continue;
        }
        let resumed = line.split_once("resumed>").map(|(_, rest)| format!("{}{rest}", unfinished.remove(thread).unwrap_or_default()));
        deed(&resumed.unwrap_or_else(|| line.to_owned()), &mut files, &mut places, &mut record);
    }
    Some(record)
}

/// Takes in one call, if it concerns the store.
fn deed(line: &str, files: &mut HashMap<i64, String>, places: &mut HashMap<i64, usize>, record: &mut Record) -> Option<()> {
    let (name, rest) = line.split_once('(')?;
    let (args, result) = rest.rsplit_once(" = ")?;
    let args = args.trim_end().trim_end_matches(')');
    let result: i64 = result.split_whitespace().next()?.parse().ok().filter(|result| *result >= 0)?;
    let args: Vec<&str> = args.split(", ").collect();
    if name == "openat" || name == "unlink" {
        let path = String::from_utf8(text(args[usize::from(name == "openat")])).ok()?;
        let file = Path::new(&path).file_name()?.to_str()?.to_owned();
        if file.starts_with("store.ack") && name == "openat" {
            record.push((file.clone(), Deed::Done));
        }
        if name == "unlink" {
            record.push((file, Deed::Remove));
        } else {
            files.insert(result, file);
            places.insert(result, 0);
        }
        return Some(());
    }
    let number: i64 = args.first()?.parse().ok()?;
    let file = files.get(&number)?.clone();
    let at = places.entry(number).or_default();
    match name {
        "lseek" => *at = result as usize,
        "write" => {
            record.push((file, Deed::Write { at: *at, bytes: text(args[1]) }));
            *at += result as usize;
        }
        "pwrite64" => record.push((file, Deed::Write { at: args[3].parse().ok()?, bytes: text(args[1]) })),
        "ftruncate" => record.push((file, Deed::Cut(args[1].parse().ok()?))),
        _ => record.push((file, Deed::Sync)),
    }
    Some(())
}

/// Bytes of a text that is written `"\x61\x62"`.
fn text(quoted: &str) -> Vec<u8> {
    let digits = quoted.trim_matches('"').split("\\x").skip(1);
    digits.map(|digits| u8::from_str_radix(digits, 16).unwrap()).collect()
}

/// Files on a disk.
type Disk = HashMap<String, Vec<u8>>;

fn apply(disk: &mut Disk, file: &str, deed: &Deed) {
    match deed {
        Deed::Write { at, bytes } => {
            let content = disk.entry(file.to_owned()).or_default();
            content.resize(content.len().max(at + bytes.len()), 0);
            content[*at..at + bytes.len()].copy_from_slice(bytes);
        }
        Deed::Cut(n) => disk.entry(file.to_owned()).or_default().resize(*n, 0),
        Deed::Remove => drop(disk.remove(file)),
        Deed::Sync | Deed::Done => {}
    }
}

/// The disk confirms what was done to a file, and every removal before: file systems with a journal keep changes of names in order. Returns
/// what it has not confirmed.
fn confirm(confirmed: &mut Disk, pending: Record, synced: &str) -> Record {
    let mut left = Record::new();
    for (file, deed) in pending {
        match deed {
            Deed::Remove => {
                left.retain(|(other, _)| *other != file);
                apply(confirmed, &file, &deed);
            }
            deed if file == synced => apply(confirmed, &file, &deed),
            deed => left.push((file, deed)),
        }
    }
    left
}

/// What the disk may hold when power is lost: what it confirmed, and of the rest each deed whole, torn or not at all.
fn image(confirmed: &Disk, pending: &[(String, Deed)], random: &mut Random) -> Disk {
    let mut disk = confirmed.clone();
    let share = random.below(4);
    // Files whose name still leads to what was removed: what was written since went into another file, which has no name yet.
    let mut unlinked = HashSet::new();
    for (file, deed) in pending.iter().filter(|_| share > 0) {
        if unlinked.contains(file) {
            continue;
        }
        match (random.below(4) < share, deed) {
            (true, Deed::Write { at, bytes }) if random.below(8) == 0 => {
                let torn = bytes[..bytes.len().min(512 * (1 + random.below(8)))].to_vec();
                apply(&mut disk, file, &Deed::Write { at: *at, bytes: torn });
            }
            (true, deed) => apply(&mut disk, file, deed),
            (false, Deed::Remove) => _ = unlinked.insert(file),
            (false, _) => {}
        }
    }
    disk
}

/// The state that a step left, as everything that the store answers; `None` for a store that was not there yet.
fn states(dir: &Path) -> Vec<Vec<String>> {
    let path = dir.join("undisturbed");
    drop(SqliteStore::open(&path).unwrap());
    let mut states = vec![state_of(&path).unwrap()];
    for i in 0..N_STEPS {
        step(&path, i);
        states.push(state_of(&path).unwrap());
    }
    states
}

fn state_of(path: &Path) -> Result<Vec<String>, Error> {
    let store = SqliteStore::open_read_only(path)?;
    let report = store.check()?;
    assert!(report.is_sound(), "{:?}", report.problems);
    answers(&store).into_iter().collect()
}

/// Checks what is left on a disk, after `n_done` steps.
fn check(disk: &Disk, dir: &Path, states: &[Vec<String>], n_done: usize, what: &str) {
    let _ = std::fs::remove_dir_all(dir);
    std::fs::create_dir(dir).unwrap();
    for (file, bytes) in disk.iter().filter(|(file, _)| matches!(file.as_str(), "store" | "store-wal" | "store-journal")) {
        std::fs::write(dir.join(file), bytes).unwrap();
    }
    let acknowledged = NOTES.iter().copied().filter(|note| *note < n_done).max().map_or(0, |note| note + 1);
    match state_of(&dir.join("store")) {
        Ok(found) => {
            let steps: Vec<usize> = states.iter().enumerate().filter(|(_, state)| **state == found).map(|(step, _)| step).collect();
            let may_be = acknowledged..=n_done + 1;
            assert!(steps.iter().any(|step| may_be.contains(step)), "{what}: the store of {steps:?} after {n_done} steps");
        }
        Err(Error::Missing { .. } | Error::NotAStore { .. }) if n_done == 0 => {}
        Err(error) => panic!("{what}: {error}"),
    }
}

/// Goes through the record; every so many deeds the program is killed, or power is lost in some ways.
fn go_through(every: usize, n_ways: usize) {
    let dir = tempfile::tempdir().unwrap();
    let Some(record) = record(dir.path()) else {
        println!("skipped: strace cannot record here");
        return;
    };
    let states = states(dir.path());
    let (mut killed, mut confirmed, mut pending): (Disk, Disk, Record) = (Disk::new(), Disk::new(), Vec::new());
    let (mut random, mut n_done) = (Random(9), 0);
    for (i, (file, deed)) in record.iter().enumerate() {
        apply(&mut killed, file, deed);
        match deed {
            Deed::Done => n_done += 1,
            Deed::Sync => pending = confirm(&mut confirmed, pending, file),
            _ => pending.push((file.clone(), deed.clone())),
        }
        if i % every == 0 || matches!(deed, Deed::Sync | Deed::Done) && i % 3 == 0 {
            let place = dir.path().join("image");
            check(&killed, &place, &states, n_done, &format!("killed after deed {i}"));
            (0..n_ways).for_each(|way| {
                let disk = image(&confirmed, &pending, &mut random);
                check(&disk, &place, &states, n_done, &format!("power lost after deed {i}, way {way}"));
            });
        }
    }
    assert_eq!(n_done, N_STEPS);
    assert!(record.iter().filter(|(_, deed)| matches!(deed, Deed::Sync)).count() > 2 * N_STEPS, "the disk is asked to confirm");
    println!("{} deeds recorded", record.len());
}

#[test]
fn a_loss_of_power_leaves_the_store_of_a_finished_step() {
    go_through(40, 2);
}

/// The same at every write.
#[test]
#[ignore = "takes minutes"]
fn a_loss_of_power_at_every_write_leaves_the_store_of_a_finished_step() {
    go_through(1, 4);
}
