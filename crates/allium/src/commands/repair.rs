//! `allium store repair`: a sound store out of a damaged one, and what is lost.

use std::path::{Path, PathBuf};

use allium_history::{Repaired, SalvagedTable, StoreUrl};
use allium_words::format::count;
use anyhow::Context as _;

use crate::config::Config;
use crate::progress;

/// Ways back for what is lost, by table.
const WAYS_BACK: [(&[&str], &str); 7] = [
    (&["tokens", "incident_notes"], "nobody can give these again; a backup may have them"),
    (&["consensuses", "spans", "states"], "hours whose list is not complete are unknown; `allium import collector` gives them again"),
    (&["hour_weights", "measures"], "`allium import collector` gives weights again, bandwidths of the past nobody"),
    (&["pack_descriptions"], "`allium import presence` gives them again"),
    (&["proofs"], "domains are asked again"),
    (&["worker_states", "sources", "source_failures", "source_rejects"], "`allium serve` makes them again"),
    (&[], "the next documents give them again, of relays that they list"),
];

/// Repairs the store in its place, where the damaged file gets another name, or to a file of its own; prints what was lost.
pub(crate) fn run(config: &Config, out: Option<&Path>) -> anyhow::Result<()> {
    let url = &config.store;
    let to = out.map_or_else(|| url.with_suffix(".repaired"), Path::to_path_buf);
    let report = url.repair(&to)?;
    lines(&report).iter().for_each(|line| progress::line(line));
    if out.is_some() {
        progress::line(&format!("{url}: left as it is; the repaired store is {}", to.display()));
        return Ok(());
    }
    if report.damaged.is_empty() && report.tables.is_empty() && !report.is_log_lost {
        std::fs::remove_file(&to).with_context(|| format!("cannot remove {}", to.display()))?;
        progress::line(&format!("{url}: no page is damaged, nothing was changed"));
        return Ok(());
    }
    let kept = put_in_place(url, &to)?;
    progress::line(&format!("{url}: repaired; the damaged file is kept as {}", kept.display()));
    Ok(())
}

/// Sentences on what was found and what became of it.
fn lines(report: &Repaired) -> Vec<String> {
    let (n_damaged, n_restored) = (report.damaged.len(), report.restored.len());
    let mut lines = Vec::new();
    if n_damaged > 0 {
        lines.push(format!("damaged pages: {}; made again, byte for byte: {}", count(n_damaged as u64), count(n_restored as u64)));
    }
    if !report.is_judged {
        lines.push("not every page could be compared with its sum: what is kept hangs together, but may not be as it was".to_owned());
    }
    if report.is_log_lost {
        lines.push("the log beside the store could not be read: the changes that waited in it are lost".to_owned());
    }
    lines.extend(report.tables.iter().map(of_table));
    lines
}

fn of_table(table: &SalvagedTable) -> String {
    let kept = format!("{}: {} rows kept", table.name, count(table.n_kept as u64));
    if !table.has_losses() {
        return kept;
    }
    let way_back =
        WAYS_BACK.iter().find(|(tables, _)| tables.is_empty() || tables.contains(&table.name.as_str())).map_or("", |(_, way)| way);
    let unread = format!("{} pages and {} cut rows could not be read", count(table.n_unread_pages as u64), count(table.n_cut_rows as u64));
    let n_forgotten = table.n_rows.saturating_sub(table.n_kept);
    format!("{kept}; {unread}, {} rows rested on lost ones; {way_back}", count(n_forgotten as u64))
}

/// Gives the damaged file and what lies beside it a name that is free, and the repaired one its own; returns that name.
fn put_in_place(url: &StoreUrl, repaired: &Path) -> anyhow::Result<PathBuf> {
    let mut names = std::iter::once(".damaged".to_owned()).chain((2..).map(|i| format!(".damaged-{i}")));
    let suffix = names.find(|suffix| !url.with_suffix(suffix).exists()).unwrap_or_default();
    for part in ["-wal", "-shm", ""] {
        let (from, to) = (url.with_suffix(part), url.with_suffix(&format!("{suffix}{part}")));
        if part.is_empty() || from.exists() {
            std::fs::rename(&from, &to).with_context(|| format!("cannot rename {} to {}", from.display(), to.display()))?;
        }
    }
    let store = url.with_suffix("");
    std::fs::rename(repaired, &store).with_context(|| format!("cannot rename {} to {}", repaired.display(), store.display()))?;
    Ok(url.with_suffix(&suffix))
}
