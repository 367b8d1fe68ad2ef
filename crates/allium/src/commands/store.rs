//! `allium store`: looking after the store file.

use std::io::Write as _;
use std::path::Path;

use allium_history::{Error, History as _, Pruned, SqliteHistory};
use allium_model::{ConsensusHour, SourceStatus};
use allium_words::format::{count, size};
use allium_words::inert::inert;
use anyhow::bail;

use crate::cli::PruneArgs;
use crate::config::Config;
use crate::progress;

/// Exits with an error unless every invariant holds; each broken one is a line.
pub(crate) fn check(config: &Config) -> anyhow::Result<()> {
    let report = SqliteHistory::open_read_only(&config.store)?.check()?;
    for problem in &report.problems {
        progress::line(&inert(problem));
    }
    if !report.problems.is_empty() {
        bail!("{} is damaged: {} invariants do not hold", config.store.display(), report.problems.len());
    }
    progress::line(&format!("{}: every invariant holds", config.store.display()));
    Ok(())
}

/// Copies the store while it is in use.
pub(crate) fn backup(config: &Config, to: &Path) -> anyhow::Result<()> {
    SqliteHistory::open_read_only(&config.store)?.backup(to)?;
    progress::line(&format!("{} copied to {}", config.store.display(), to.display()));
    Ok(())
}

/// Forgets what is older than the first consensus to keep. A time after the newest consensus is refused: nothing would be left.
pub(crate) fn prune(config: &Config, args: &PruneArgs) -> anyhow::Result<()> {
    let PruneArgs { before, vacuum } = *args;
    let path = &config.store;
    if !path.exists() {
        return Err(Error::Missing { path: path.clone() }.into());
    }
    let mut store = SqliteHistory::open(path)?;
    let size_before = match store.stats()? {
        stats if stats.last.is_none_or(|last| last < before) => bail!("{} has no consensus of {before} or later to keep", path.display()),
        stats => stats.size_bytes,
    };
    let Pruned { n_consensuses, n_spans, n_relays } = store.prune(before)?;
    let n = |number: usize| count(number as u64);
    let removed = format!("{} consensuses, {} spans and {} relays removed", n(n_consensuses), n(n_spans), n(n_relays));
    progress::line(&format!("{}: {removed}", path.display()));
    if vacuum {
        store.compact()?;
        progress::line(&format!("{}: {}, {} before", path.display(), size(store.stats()?.size_bytes), size(size_before)));
    }
    Ok(())
}

/// Brings a store to the format of this program, which every command that writes does as well.
pub(crate) fn upgrade(config: &Config) -> anyhow::Result<()> {
    let path = &config.store;
    if !path.exists() {
        return Err(Error::Missing { path: path.clone() }.into());
    }
    SqliteHistory::open(path)?;
    progress::line(&format!("{} is in the format of this program", path.display()));
    Ok(())
}

/// Prints sizes and counts.
pub(crate) fn stats(config: &Config) -> anyhow::Result<()> {
    let stats = SqliteHistory::open_read_only(&config.store)?.stats()?;
    let mut out = std::io::stdout().lock();
    let hour = |hour: Option<ConsensusHour>| hour.map_or_else(|| "none".to_owned(), |hour| hour.to_string());
    writeln!(out, "{}: format {}, {}", config.store.display(), stats.format_version, size(stats.size_bytes))?;
    writeln!(out, "{:>12}  relays", count(stats.n_relays))?;
    writeln!(out, "{:>12}  consensuses, {} to {}", count(stats.n_consensuses), hour(stats.first), hour(stats.last))?;
    writeln!(out, "{:>12}  spans in {} states", count(stats.n_spans), count(stats.n_states))?;
    writeln!(out, "{:>12}  descriptions", count(stats.n_descriptions))?;
    writeln!(out, "{:>12}  consensuses with weights, {}", count(stats.n_weighed), size(stats.measures_bytes))?;
    writeln!(out, "{:>12}  claims of a domain that were checked", count(stats.n_proofs))?;
    writeln!(out, "{:>12}  restarts, changes of address and overloads", count(stats.n_events))?;
    writeln!(out, "{:>12}  published histories, {}", count(stats.n_published), size(stats.published_bytes))?;
    writeln!(out, "{:>12}  rejects", count(stats.n_rejects))?;
    for document in &stats.documents {
        let SourceStatus { kind, published, n_relays, origin, .. } = document;
        writeln!(out, "{kind:>12}  as of {published}, {} relays, from {}", count(*n_relays as u64), inert(origin))?;
    }
    Ok(())
}
