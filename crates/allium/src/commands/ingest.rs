//! `allium ingest`: one visit to the sources.

use std::sync::Arc;

use allium_history::{History as _, SqliteHistory};
use allium_model::Timestamp;
use anyhow::bail;

use crate::config::Config;
use crate::fetch::Fetcher;
use crate::progress::{self, Progress};

/// Fetches once and stores what came. What did come is stored even where something else failed; the exit status then tells.
pub(crate) fn run(config: &Config) -> anyhow::Result<()> {
    let mut store = SqliteHistory::open(&config.store)?;
    let stored = store.stats()?.documents;
    let progress = Progress::start(2);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    progress.step(&format!("fetching from {}", config.onionoo.url));
    let fetcher = Fetcher::new(config, Arc::new(Timestamp::now))?;
    let mut visit = runtime.block_on(fetcher.visit(&stored));
    let failures = std::mem::take(&mut visit.failures);
    progress.step("storing");
    let outcome = visit.store(&mut store)?;
    progress.finish(&format!("{}: {}", config.store.display(), if outcome.is_empty() { "nothing came" } else { &outcome }));
    for (kind, error) in &failures {
        progress::complain(&anyhow::anyhow!("{kind}: {error:#}"));
    }
    if !failures.is_empty() {
        bail!("{} of the documents could not be fetched", failures.len());
    }
    Ok(())
}
