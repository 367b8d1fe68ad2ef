//! Decodes documents and prints what was understood: `cargo run --release -p allium-sources --example decode -- FILE…`.
#![allow(clippy::print_stdout, reason = "printing is what this program does")]

use std::path::Path;
use std::time::Instant;

use allium_model::Bounds;
use allium_sources::onionoo::{Document, decode_file};
use allium_sources::read::Limits;

fn main() -> Result<(), allium_sources::Error> {
    for name in std::env::args().skip(1) {
        let start = Instant::now();
        let document = decode_file(Path::new(&name), &Limits::default(), Bounds::default())?;
        let elapsed_secs = start.elapsed().as_secs_f64();
        let header = document.header();
        println!(
            "{name}: {} as of {}, {} bytes, {} relays, {} rejects, {elapsed_secs:.3} s",
            header.kind,
            header.published,
            header.size_bytes,
            document.n_relays(),
            header.n_rejects
        );
        match &document {
            Document::Summary(_) => {}
            Document::Details(details) => {
                println!("  {} stale, {} duplicates, {} stubs", details.n_stale, details.n_duplicates, details.n_stubs);
            }
            Document::Histories(histories) => {
                println!("  {} frozen, {} duplicates, {} stubs", histories.n_frozen, histories.n_duplicates, histories.n_stubs);
            }
        }
        for reject in header.rejects.iter().take(20) {
            println!("  {}: {}", reject.location, reject.reason);
        }
    }
    Ok(())
}
