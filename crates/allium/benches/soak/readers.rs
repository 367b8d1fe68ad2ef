//! Readers of pages, drawn by a seed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use allium_stats::SplitMix64;

use crate::common::server::get;

/// Readers at a time.
const READERS: u64 = 4;
/// Pause between two pages of a reader.
const PAUSE: Duration = Duration::from_millis(250);
/// Pages that are read; those that need incidents or forecasts come too early now and then.
const PAGES: [&str; 12] = [
    "/",
    "/relays",
    "/relays?q=de&sort=uptime_1_month",
    "/countries",
    "/as",
    "/operators",
    "/incidents",
    "/data-quality",
    "/api/v1/relays.csv",
    "/api/v1/network",
    "/api/v1/incidents.jsonl",
    "/explore/charts/trend.png?show=trend&measure=relays&range=30d",
];

/// Readers at work.
pub(crate) struct Readers {
    stopping: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Vec<String>>>,
}

/// Starts the readers of a server that has its first data.
pub(crate) fn start(address: SocketAddr, seed: u64) -> Readers {
    let stopping = Arc::new(AtomicBool::new(false));
    let read = |n: u64| {
        let (stopping, mut chance) = (Arc::clone(&stopping), SplitMix64::keyed(&[seed, 10, n]));
        std::thread::spawn(move || {
            let mut refused = Vec::new();
            while !stopping.load(Ordering::Relaxed) {
                let page = PAGES[chance.bits() as usize % PAGES.len()];
                refused.extend(get(address, page, chance.bits() % 2 == 0).err().map(|error| format!("{error:#}")));
                std::thread::sleep(PAUSE);
            }
            refused
        })
    };
    let threads = (0..READERS).map(read).collect();
    Readers { stopping, threads }
}

impl Readers {
    /// Ends their reading; the kinds of answers that they did not get, each once.
    pub(crate) fn stop(self) -> Vec<String> {
        self.stopping.store(true, Ordering::Relaxed);
        let mut refused: Vec<String> = self.threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect();
        refused.sort();
        refused.dedup();
        refused
    }
}
