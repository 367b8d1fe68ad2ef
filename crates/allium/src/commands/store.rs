//! `allium store`: looking after the store file.

use std::io::Write as _;
use std::path::Path;

use allium_history::{Mended, Pruned};
use allium_model::{ConsensusHour, SourceStatus, TOR_BEGAN, Timestamp};
use allium_words::format::{count, size};
use allium_words::inert::inert;
use anyhow::bail;

use crate::cli::PruneArgs;
use crate::config::Config;
use crate::progress;

/// Exits with an error unless every invariant holds; each broken one is a line.
pub(crate) fn check(config: &Config) -> anyhow::Result<()> {
    let report = config.store.open_read_only()?.check()?;
    for problem in &report.problems {
        progress::line(&inert(problem));
    }
    if !report.problems.is_empty() {
        bail!(
            "{} is damaged: {} problems; `allium store repair` makes a sound store of what can be read",
            config.store,
            report.problems.len()
        );
    }
    progress::line(&format!("{}: every invariant holds", config.store));
    Ok(())
}

/// Removes what lies at times that cannot be by the clock of this machine, and prints each thing.
pub(crate) fn mend(config: &Config, dry_run: bool) -> anyhow::Result<()> {
    let (url, now) = (&config.store, Timestamp::now());
    let bounds = config.bounds(now);
    let mut store = url.open_existing()?;
    let Mended { removed } = if dry_run { store.try_mending(bounds)? } else { store.mend(bounds)? };
    progress::line(&format!("the clock says {now:.0}; nothing before {TOR_BEGAN} or after {:.0} can be", bounds.latest()));
    for what in &removed {
        progress::line(&inert(&format!("{}{what}", if dry_run { "would be removed: " } else { "removed: " })));
    }
    let outcome = match (removed.is_empty(), dry_run) {
        (true, _) => "nothing to mend",
        (false, true) => "nothing was removed; without --dry-run it is",
        (false, false) => "mended",
    };
    progress::line(&format!("{url}: {outcome}"));
    Ok(())
}

/// Copies the store while it is in use.
pub(crate) fn backup(config: &Config, to: &Path) -> anyhow::Result<()> {
    config.store.open_read_only()?.backup(to)?;
    progress::line(&format!("{} copied to {}", config.store, to.display()));
    Ok(())
}

/// Forgets what is older than the first consensus to keep. A time after the newest consensus is refused: nothing would be left.
pub(crate) fn prune(config: &Config, args: &PruneArgs) -> anyhow::Result<()> {
    let PruneArgs { before, vacuum } = *args;
    let url = &config.store;
    let mut store = url.open_existing()?;
    let size_before = match store.stats()? {
        stats if stats.last.is_none_or(|last| last < before) => bail!("{url} has no consensus of {before} or later to keep"),
        stats => stats.size_bytes,
    };
    let Pruned { n_consensuses, n_spans, n_relays } = store.prune(before)?;
    let n = |number: usize| count(number as u64);
    let removed = format!("{} consensuses, {} spans and {} relays removed", n(n_consensuses), n(n_spans), n(n_relays));
    progress::line(&format!("{url}: {removed}"));
    if vacuum {
        store.compact()?;
        progress::line(&format!("{url}: {}, {} before", size(store.stats()?.size_bytes), size(size_before)));
    }
    Ok(())
}

/// Brings a store to the format of this program, which every command that writes does as well.
pub(crate) fn upgrade(config: &Config) -> anyhow::Result<()> {
    config.store.open_existing()?;
    progress::line(&format!("{} is in the format of this program", config.store));
    Ok(())
}

/// Prints sizes and counts.
pub(crate) fn stats(config: &Config) -> anyhow::Result<()> {
    let stats = config.store.open_read_only()?.stats()?;
    let mut out = std::io::stdout().lock();
    let hour = |hour: Option<ConsensusHour>| hour.map_or_else(|| "none".to_owned(), |hour| hour.to_string());
    writeln!(out, "{}: format {}, {}", config.store, stats.format_version, size(stats.size_bytes))?;
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
