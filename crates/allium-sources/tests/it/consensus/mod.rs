//! Promises of the consensus decoder and of the sources of consensuses, through their public interface. No network but loopback.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests may stop at the first surprise and say what they skip")]

mod archive;
mod bad;
mod collector;
mod directory;
mod documents;
mod parts;
mod properties;
mod real;
mod server;
mod signatures;

use std::path::{Path, PathBuf};

use allium_sources::consensus::{Consensus, decode};

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/consensus")
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(testdata().join(name)).unwrap()
}

fn good(name: &str) -> Consensus {
    decode(&read(name), name).unwrap()
}

/// Rejects as lines of `location relay: reason`.
fn lines(consensus: &Consensus) -> Vec<String> {
    let relay = |relay: Option<allium_model::Fingerprint>| relay.map(|relay| format!(" {relay}")).unwrap_or_default();
    consensus.rejects.iter().map(|reject| format!("{}{}: {}", reject.location, relay(reject.relay), reject.reason)).collect()
}

/// The directory of real consensuses, where it is at hand.
fn real_consensuses() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/consensus");
    let Ok(files) = std::fs::read_dir(dir) else {
        println!("skipped: no real data");
        return Vec::new();
    };
    let mut files: Vec<PathBuf> =
        files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "xz")).collect();
    files.sort();
    files
}
