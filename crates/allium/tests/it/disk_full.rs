//! A disk that fills up in the middle of any work: a clear error, a sound store without half of a change, and the same work done to the
//! end once there is space.
//!
//! The disk is a small tmpfs in a namespace of its own, which Linux lets unprivileged users make; where it does not the test says so.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests may stop at the first surprise and say what they skip")]

use std::path::Path;
use std::process::{Command, Output};

use allium_simulate::{Network, Options, onionoo, presence};

/// Sizes of the disk in kB, around every kind of work: making a store, its log and index of the log, packs, documents, backup, pruning.
const SIZES_KB: [u32; 10] = [4, 32, 48, 64, 100, 200, 300, 400, 550, 700];

/// `unshare` makes the namespace, `mount` the disk; each command's outcome is one line of `step status reason`.
const SCRIPT: &str = r#"
mount -t tmpfs -o size=$2k tmpfs disk || exit 77
step() { name=$1; shift; "$allium" "$@" >said 2>&1; echo "$name $? $(tail -n 1 said)"; }
allium=$1
pack() { step "$1" import presence --snapshots presence/snapshots.csv.zst --spans presence/presence.parquet --relays presence/relays.csv.zst --store disk/tor.db; }
documents() { step "$1" import onionoo documents/details.json documents/uptime.json --store disk/tor.db; }
pack pack
documents documents
step backup store backup disk/copy.db --store disk/tor.db
step left store stats --store disk/copy.db.partial
step prune store prune --vacuum --before 2026-02-14T00:00:00Z --store disk/tor.db
mount -o remount,size=100m disk
step check store check --store disk/tor.db
pack pack-again
documents documents-again
step check-again store check --store disk/tor.db
"#;

/// One step: its name, its exit status, the last line of what it said.
type Step = (String, i32, String);

#[test]
fn a_disk_that_fills_up_is_named_as_such_and_costs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("disk")).unwrap();
    if !unshare(dir.path(), "mount -t tmpfs tmpfs disk", &[]).status.success() {
        println!("skipped: no disk of our own can be mounted");
        return;
    }
    let network =
        Network::generate(&Options { n_relays: 200, history_days: 20, ..Options::new(5, "2026-02-15T18:00:00Z".parse().unwrap()) });
    onionoo::write_dir(&network, &dir.path().join("documents")).unwrap();
    presence::write_presence(&network, &dir.path().join("presence")).unwrap();
    let n_full: usize = SIZES_KB.map(|size_kb| works_or_says_why(dir.path(), size_kb)).iter().sum();
    assert!(n_full >= SIZES_KB.len(), "the sizes are not around what the work needs: {n_full} steps had no space");
}

/// Does all steps on a disk of this size; returns how many had no space.
fn works_or_says_why(dir: &Path, size_kb: u32) -> usize {
    let steps = steps(dir, size_kb);
    let mut n_full = 0;
    for (name, status, said) in &steps[..5] {
        let is_full = said.contains("no space left on the device");
        let has_nothing_to_do =
            said.contains("is not an Allium store") || said.contains("there is no store") || said.contains("no consensus of");
        assert!(*status == 0 || is_full || has_nothing_to_do, "{size_kb} kB, {name}: {said}");
        n_full += usize::from(is_full);
    }
    let [.., (_, check, text), pack, documents, again] = &steps[..] else { panic!("{steps:?}") };
    assert!(*check == 0 || text.contains("is not an Allium store") || text.contains("there is no store"), "{size_kb} kB: {text}");
    assert_eq!((pack.1, documents.1, again.1), (0, 0, 0), "{size_kb} kB: {steps:?}");
    let (_, left, said) = &steps[3];
    assert!(*left != 0 && said.contains("there is no store"), "{size_kb} kB: half a backup is left: {said}");
    n_full
}

fn steps(dir: &Path, size_kb: u32) -> Vec<Step> {
    let output = unshare(dir, SCRIPT, &[env!("CARGO_BIN_EXE_allium"), &size_kb.to_string()]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let step = |line: &str| {
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().unwrap_or_default().to_owned();
        (word(), word().parse().unwrap(), word())
    };
    said.lines().map(step).collect()
}

/// Runs a script in this directory, in a namespace where it may mount.
fn unshare(dir: &Path, script: &str, args: &[&str]) -> Output {
    let command = ["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"];
    let output = Command::new("unshare").args(command).args(args).current_dir(dir).env_remove("ALLIUM_CONFIG").output();
    // Without the program itself nothing can be mounted either.
    output.unwrap_or_else(|_| Command::new("false").output().unwrap())
}
