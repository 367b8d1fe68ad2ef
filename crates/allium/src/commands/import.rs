//! `allium import onionoo`: documents from files into the store.

use std::path::{Path, PathBuf};

use allium_model::Timestamp;
use allium_sources::onionoo::{Document, decode_file, kind_of_path};
use allium_words::inert::inert;
use anyhow::{Context as _, bail};

use crate::commands::ahead;
use crate::config::Config;
use crate::progress::{self, Progress};
use allium_service::workers::intake::Intake;

/// Reads all documents, then stores them in one transaction: either the store has all of them or it is as before.
pub(crate) fn run(config: &Config, paths: &[PathBuf]) -> anyhow::Result<()> {
    let files = document_files(paths)?;
    let progress = Progress::start(files.len() + 1);
    let now = Timestamp::now();
    let bounds = config.bounds(now);
    let (mut documents, mut summary) = (Vec::new(), Vec::new());
    for path in &files {
        progress.step(&format!("reading {}", inert(&path.display().to_string())));
        let document = decode_file(path, &config.limits(), bounds)?;
        let header = document.header();
        summary.push(format!("{} of {} ({} rejects)", header.kind, header.published, header.n_rejects));
        documents.push(document);
    }
    if documents.iter().all(|document| matches!(document, Document::Summary(_))) {
        bail!("these documents add nothing to the store: details, uptime, bandwidth and weights do");
    }
    progress.step("storing");
    let mut store = config.store.open()?;
    let mut intake = Intake::within(bounds);
    for document in documents {
        let origin = document.header().origin.clone();
        let part = intake.add_judged(document, now, &*store)?;
        part.into_iter().for_each(|reason| progress::line(&inert(&format!("{origin}: {reason}"))));
    }
    store.apply(&intake.into_update())?;
    ahead::warn(&*store, bounds)?;
    progress.finish(&format!("{}: {}", config.store, summary.join(", ")));
    Ok(())
}

/// The files themselves, and of each directory the files whose name shows which document they hold.
fn document_files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() { files.append(&mut documents_in(path)?) } else { files.push(path.clone()) }
    }
    Ok(files)
}

fn documents_in(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let unreadable = || format!("cannot read the directory {}", dir.display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        if path.is_file() && kind_of_path(&path).is_some() {
            found.push(path);
        }
    }
    if found.is_empty() {
        bail!("{} holds no Onionoo documents (details.json, uptime.json, bandwidth.json, weights.json; .gz, .zst or .xz)", dir.display());
    }
    found.sort();
    Ok(found)
}
