//! `allium import onionoo`: documents from files into the store.

use std::path::{Path, PathBuf};

use allium_model::{Bounds, Timestamp};
use allium_service::workers::intake::Intake;
use allium_sources::Error;
use allium_sources::onionoo::{Document, decode_file, kind_of_path};
use allium_words::inert::inert;
use anyhow::bail;

use super::ahead;
use super::left_out::{LeftOut, with_cause};
use crate::config::Config;
use crate::progress::{self, Progress};

/// Reads all documents, then stores those that can be read in one transaction: either the store has all of them or it is as before.
pub(crate) fn run(config: &Config, paths: &[PathBuf]) -> anyhow::Result<()> {
    let mut left_out = LeftOut::default();
    let files = document_files(paths, &mut left_out)?;
    let progress = Progress::start(files.len() + 1);
    let now = Timestamp::now();
    let bounds = config.bounds(now);
    let (mut documents, mut summary) = (Vec::new(), Vec::new());
    for path in &files {
        progress.step(&format!("reading {}", inert(&path.display().to_string())));
        match decode_file(path, &config.limits(), bounds) {
            Ok(document) => {
                let header = document.header();
                summary.push(format!("{} of {} ({} rejects)", header.kind, header.published, header.n_rejects));
                documents.push(document);
            }
            // The only document: its defect is the reason why nothing was done.
            Err(error) if paths == [path.clone()] => return Err(error.into()),
            Err(error) => left_out.failure(&with_cause(&error)),
        }
    }
    let adds_nothing = documents.iter().all(|document| matches!(document, Document::Summary(_)));
    if !adds_nothing {
        progress.step("storing");
        store(config, documents, bounds, now)?;
        progress.finish(&format!("{}: {}", config.store, summary.join(", ")));
    }
    left_out.finish();
    left_out.check()?;
    if adds_nothing {
        bail!("these documents add nothing to the store: details, uptime, bandwidth and weights do");
    }
    Ok(())
}

/// Stores documents that were read at this time, and prints which of them are a part only.
fn store(config: &Config, documents: Vec<Document>, bounds: Bounds, now: Timestamp) -> anyhow::Result<()> {
    let mut store = config.store.open()?;
    let mut intake = Intake::within(bounds);
    for document in documents {
        let origin = document.header().origin.clone();
        let part = intake.add_judged(document, now, &*store)?;
        part.into_iter().for_each(|reason| progress::line(&inert(&format!("{origin}: {reason}"))));
    }
    store.apply(&intake.into_update())?;
    ahead::warn(&*store, bounds)
}

/// The files themselves, and of each directory the files whose name shows which document they hold.
fn document_files(paths: &[PathBuf], left_out: &mut LeftOut) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        match documents_in(path, left_out) {
            Ok(mut found) => files.append(&mut found),
            Err(reason) if paths.len() == 1 => bail!(reason),
            Err(reason) => left_out.failure(&reason),
        }
    }
    Ok(files)
}

fn documents_in(dir: &Path, left_out: &mut LeftOut) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(dir).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>());
    let mut paths = entries.map_err(|source| with_cause(&Error::Read { path: dir.to_owned(), source }))?;
    paths.sort();
    let (documents, others): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| kind_of_path(path).is_some());
    if documents.is_empty() {
        let expected = "details.json, uptime.json, bandwidth.json, weights.json; .gz, .zst or .xz";
        return Err(format!("{} holds no Onionoo documents ({expected})", dir.display()));
    }
    others.iter().for_each(|path| left_out.passed_over(&path.display().to_string()));
    Ok(documents.into_iter().filter(|path| is_readable(path, left_out)).collect())
}

/// True for files and links to them; anything else by that name (a directory, a pipe, a link to nowhere) is a failure.
fn is_readable(path: &Path, left_out: &mut LeftOut) -> bool {
    let error = match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => return true,
        Ok(_) => Error::NotFile { path: path.to_owned() },
        Err(source) => Error::Read { path: path.to_owned(), source },
    };
    left_out.failure(&with_cause(&error));
    false
}
