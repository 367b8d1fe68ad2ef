//! `allium forecast train`: trains a model and replaces the model file only if the new one is no worse.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use allium_forecast::{Error, HeldOutScore, Model};
use allium_service::workers::forecasts::accept;
use anyhow::Context as _;

use super::read;
use crate::cli::TrainArgs;
use crate::config::Config;
use crate::progress::Progress;

/// Trains, compares, writes.
pub(super) fn run(config: &Config, args: &TrainArgs) -> anyhow::Result<()> {
    let progress = Progress::start(3);
    let (past, as_of) = read(config, args.as_of, &progress)?;
    progress.step("training");
    let model = Model::train(&past, as_of, args.horizon_days);
    if let Some(in_use) = in_use(&args.out)? {
        accept(&model, &in_use)?;
    }
    progress.step("writing");
    replace(&args.out, model.to_json()?.as_bytes())?;
    let (n_origins, n_rows) = model.n_origins_and_rows();
    let scores: Vec<String> = model.scores().iter().map(words).collect();
    progress.finish(&format!("{}: {}, {n_origins} origins, {n_rows} rows; {}", args.out.display(), model.kind().name(), scores.join(", ")));
    Ok(())
}

/// The model in a file; `None` if there is no file, or one of another version of the program, which is of no use any more.
fn in_use(path: &Path) -> anyhow::Result<Option<Model>> {
    match fs::read_to_string(path).map(|text| Model::from_json(&text)) {
        Ok(Err(Error::Incompatible)) => Ok(None),
        Ok(model) => Ok(Some(model.with_context(|| path.display().to_string())?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

fn words(score: &HeldOutScore) -> String {
    format!("{} CRPS {:.4}", score.model, score.crps)
}

/// Writes a file whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(directory).with_context(|| directory.display().to_string())?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
