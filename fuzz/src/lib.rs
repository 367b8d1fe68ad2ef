//! Checks of the fuzz programs in `fuzz_targets/`: their inputs to begin with, and the check of a target by its name.

use std::path::Path;
use std::{fs, panic};

pub use allium_testkit::decoders::check;
use allium_testkit::decoders::seeds;

/// Prepares the first input of a program: lays the seeds where libFuzzer looks for inputs, `corpus/TARGET`.
///
/// # Panics
/// They cannot be written.
pub fn begin(target: &str) {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = package.join("corpus").join(target);
    fs::create_dir_all(&corpus).expect("a directory for the corpus");
    for seed in seeds::seeds(&package.join("../testdata")).into_iter().filter(|seed| seed.target == target) {
        fs::write(corpus.join(seed.name), seed.bytes).expect("the corpus can be written");
    }
    if target == "presence_spans" {
        ignore_caught_panics();
    }
}

/// libFuzzer's runtime ends the program at every panic. Those of the Parquet library are caught by our decoder and become errors, so only
/// panics of our own code count here.
fn ignore_caught_panics() {
    let ends_the_program = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !info.location().is_some_and(|location| location.file().contains("/registry/")) {
            ends_the_program(info);
        }
    }));
}
