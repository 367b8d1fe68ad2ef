//! Decodes consensuses and prints what was understood: `cargo run --release -p allium-sources --example consensus -- FILE…`.
#![allow(clippy::print_stdout, reason = "printing is what this program does")]

use std::path::Path;
use std::time::Instant;

use allium_sources::consensus::{LIMITS, decode};
use allium_sources::read::read_file;

fn main() -> Result<(), allium_sources::Error> {
    for name in std::env::args().skip(1) {
        let bytes = read_file(Path::new(&name), &LIMITS)?;
        let start = Instant::now();
        let consensus = decode(&bytes, &name)?;
        let elapsed_secs = start.elapsed().as_secs_f64();
        let mb_per_sec = bytes.len() as f64 / 1e6 / elapsed_secs;
        println!(
            "{name}: {} of {}, {} relays, {} signatures, {} rejects, {elapsed_secs:.4} s, {mb_per_sec:.0} MB/s",
            consensus.flavour,
            consensus.hour,
            consensus.entries.len(),
            consensus.signatures.len(),
            consensus.n_rejects
        );
        for reject in consensus.rejects.iter().take(20) {
            println!("  {}: {}", reject.location, reject.reason);
        }
    }
    Ok(())
}
