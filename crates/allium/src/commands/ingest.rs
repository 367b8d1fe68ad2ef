//! `allium ingest`: one visit to the sources.

use std::sync::Arc;

use allium_history::Store;
use allium_model::Timestamp;
use allium_service::Clock;
use allium_service::workers::SharedStore;
use allium_service::workers::proofs::{Asker, Checker, Round, claims};
use allium_service::workers::sources::Stored;
use anyhow::bail;

use crate::cli::IngestArgs;
use crate::commands::ahead;
use crate::config::Config;
use crate::progress::{self, Progress};
use crate::setup;

/// Fetches once and stores the result, even where another source failed; the exit status is then 1.
pub(crate) fn run(config: &Config, args: &IngestArgs) -> anyhow::Result<()> {
    let asker = args.proofs.then(|| setup::asker(config)).transpose()?;
    let mut store = config.store.open()?;
    let clock: Clock = Arc::new(Timestamp::now);
    let fetchers = setup::sources(config, &clock)?;
    let progress = Progress::start(fetchers.len() + usize::from(asker.is_some()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut outcomes, mut failures) = (Vec::new(), Vec::new());
    for fetcher in &fetchers {
        progress.step(&format!("fetching from {}", fetcher.name()));
        let visit = runtime.block_on(fetcher.visit(&Stored::of(&*store)?));
        let kept = visit.store(&mut *store)?;
        failures.extend(kept.failures.iter().map(|failure| format!("{}: {failure}", fetcher.name())));
        outcomes.push(kept.words);
    }
    ahead::warn(&*store, config.bounds(clock()))?;
    if let Some(asker) = asker {
        progress.step("asking domains for proofs");
        outcomes.extend(runtime.block_on(proofs(config, asker, clock, &*store))?);
    }
    outcomes.retain(|outcome| !outcome.is_empty());
    let outcome = if outcomes.is_empty() { "nothing came".to_owned() } else { outcomes.join(", ") };
    progress.finish(&format!("{}: {outcome}", config.store));
    for failure in &failures {
        progress::complain(&anyhow::anyhow!("{failure}"));
    }
    if !failures.is_empty() {
        bail!("{} of the documents could not be fetched", failures.len());
    }
    Ok(())
}

/// Asks the domains that are due; returns a sentence on the results.
async fn proofs(config: &Config, asker: Asker, clock: Clock, store: &dyn Store) -> anyhow::Result<Option<String>> {
    let Some(record) = store.load()? else { return Ok(None) };
    let seed = clock().as_nanosecond() as u64;
    let store = Arc::new(SharedStore::new(config.store.clone(), true));
    let checker = Checker { asker, concurrency: config.proofs.concurrency, store, clock, seed };
    let Round { n_domains, n_changed, .. } = checker.round(&claims(&record)).await?;
    Ok(Some(format!("{n_domains} domains asked for proofs ({n_changed} relays changed)")))
}
