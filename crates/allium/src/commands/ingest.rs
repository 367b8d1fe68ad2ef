//! `allium ingest`: one visit to the sources.

use std::sync::Arc;

use allium_history::SqliteHistory;
use allium_model::Timestamp;
use allium_views::Clock;
use anyhow::bail;

use crate::config::Config;
use crate::fetch::{Fetcher, Stored};
use crate::progress::{self, Progress};

/// Fetches once and stores what came. What did come is stored even where something else failed; the exit status then tells.
pub(crate) fn run(config: &Config) -> anyhow::Result<()> {
    let mut store = SqliteHistory::open(&config.store)?;
    let clock: Clock = Arc::new(Timestamp::now);
    let fetchers = Fetcher::all(config, &clock)?;
    let progress = Progress::start(fetchers.len());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut outcomes, mut failures) = (Vec::new(), Vec::new());
    for fetcher in &fetchers {
        progress.step(&format!("fetching from {}", fetcher.name()));
        let visit = runtime.block_on(fetcher.visit(&Stored::of(&store)?));
        failures.extend(visit.failures.iter().map(|failure| format!("{}: {failure}", fetcher.name())));
        outcomes.push(visit.store(&mut store)?);
        Fetcher::share_certificates(&fetchers);
    }
    outcomes.retain(|outcome| !outcome.is_empty());
    let outcome = if outcomes.is_empty() { "nothing came".to_owned() } else { outcomes.join(", ") };
    progress.finish(&format!("{}: {outcome}", config.store.display()));
    for failure in &failures {
        progress::complain(&anyhow::anyhow!("{failure}"));
    }
    if !failures.is_empty() {
        bail!("{} of the documents could not be fetched", failures.len());
    }
    Ok(())
}
