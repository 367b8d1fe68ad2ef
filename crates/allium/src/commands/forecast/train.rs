//! `allium forecast train`: a model file that replaces the one in its place only if it is no worse.

use std::io::Write as _;
use std::path::Path;

use allium_forecast::{HeldOutScore, Model};
use anyhow::{Context as _, bail};

use super::{load, read};
use crate::cli::TrainArgs;
use crate::config::Config;
use crate::progress::Progress;

/// How much worse than the model in use a new one may score: held-out origins differ from day to day.
const TOLERANCE: f64 = 1.05;

/// Trains, compares, writes.
pub(super) fn run(config: &Config, args: &TrainArgs) -> anyhow::Result<()> {
    let progress = Progress::start(3);
    let (past, as_of) = read(config, args.as_of, &progress)?;
    progress.step("training");
    let model = Model::train(&past, as_of, args.horizon_days);
    if args.out.exists() {
        accept(&model, &load(&args.out)?)?;
    }
    progress.step("writing");
    replace(&args.out, model.to_json()?.as_bytes())?;
    let (n_origins, n_rows) = model.n_origins_and_rows();
    let scores: Vec<String> = model.scores().iter().map(told).collect();
    progress.finish(&format!("{}: {}, {n_origins} origins, {n_rows} rows; {}", args.out.display(), model.kind().name(), scores.join(", ")));
    Ok(())
}

fn told(score: &HeldOutScore) -> String {
    format!("{} CRPS {:.4}", score.model, score.crps)
}

/// Refuses a model that is older than the one in use, or scores worse by more than [`TOLERANCE`].
pub(crate) fn accept(model: &Model, in_use: &Model) -> anyhow::Result<()> {
    if model.trained_as_of() < in_use.trained_as_of() {
        bail!("the model in use learned from consensuses up to {}, later than {}", in_use.trained_as_of(), model.trained_as_of());
    }
    let (Some(score), Some(known)) = (model.score(), in_use.score()) else { return Ok(()) };
    if model.horizon_days() == in_use.horizon_days() && score.crps > known.crps * TOLERANCE {
        bail!("rejected: CRPS {:.4} on held-out origins, {:.4} for the model in use", score.crps, known.crps);
    }
    Ok(())
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
