//! Decoders and clients of every source, through their public interface. No network but loopback.

#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise, helpers included")]

mod consensus;
mod onionoo;
mod presence;
mod proof;

use std::path::Path;

/// What becomes of each file of a directory, in the order of their names.
fn outcomes(dir: &Path, outcome: impl Fn(&str) -> String) -> String {
    let files = std::fs::read_dir(dir).expect("a directory of testdata");
    let mut names: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names.iter().map(|name| outcome(name)).collect()
}
