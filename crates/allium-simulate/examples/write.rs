//! Generates a network and writes its documents: `write DIR [RELAYS] [DAYS] [SEED]`.
#![allow(clippy::print_stderr)]

use std::path::PathBuf;
use std::time::Instant;

use allium_simulate::{Network, Options, onionoo};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().ok_or("usage: write DIR [RELAYS] [DAYS] [SEED]")?);
    let mut number = |default: u32| arguments.next().map_or(Ok(default), |text| text.parse());
    let (n_relays, history_days, seed) = (number(1500)? as usize, number(400)?, u64::from(number(1)?));
    let began = Instant::now();
    let network = Network::generate(&Options { n_relays, history_days, ..Options::new(seed, "2026-02-15T18:00:00Z".parse()?) });
    eprintln!("{} running relays after {history_days} days: {:.2?}", network.running().count(), began.elapsed());
    let began = Instant::now();
    onionoo::write_dir(&network, &dir)?;
    eprintln!("all documents: {:.2?}", began.elapsed());
    Ok(())
}
