//! `allium store`: looking after the store file.

use std::io::Write as _;
use std::path::Path;

use allium_history::{History as _, SqliteHistory};
use allium_views::text::inert;
use anyhow::bail;

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

/// Prints sizes and counts.
pub(crate) fn stats(config: &Config) -> anyhow::Result<()> {
    let stats = SqliteHistory::open_read_only(&config.store)?.stats()?;
    writeln!(std::io::stdout().lock(), "{stats}")?;
    Ok(())
}
