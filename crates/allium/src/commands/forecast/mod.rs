//! `allium forecast`: the uptime of every relay over the next weeks, as a distribution.

mod train;
mod write;

use std::fs;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use allium_forecast::{Model, Past};
use allium_model::ConsensusHour;
use allium_service::Basis;
use allium_service::workers::past::{ground, of_history};
use anyhow::{Context as _, bail};

use crate::cli::{ForecastAction, ForecastArgs, ForecastFormat};
use crate::config::Config;
use crate::progress::Progress;
use allium_service::workers::doubt::open_believed;

/// Writes the forecast to standard output, or trains a model.
pub(crate) fn run(config: &Config, args: &ForecastArgs) -> anyhow::Result<()> {
    if let Some(ForecastAction::Train(args)) = &args.action {
        return train::run(config, args);
    }
    let progress = Progress::start(2);
    let (past, as_of) = read(config, args.as_of, &progress)?;
    let model = match &args.model {
        Some(file) => usable(file, as_of, args.horizon_days)?,
        None => {
            progress.step("training on what was known");
            Model::train(&past, as_of, args.horizon_days)
        }
    };
    let forecasts = model.forecast(&past, as_of);
    let mut out = BufWriter::new(io::stdout().lock());
    match args.format {
        ForecastFormat::Csv => write::csv(&mut out, &model, &forecasts)?,
        ForecastFormat::Json => write::json(&mut out, &model, as_of, &forecasts)?,
    }
    out.flush()?;
    progress.finish(&format!("{} relays as of {as_of}", forecasts.len()));
    Ok(())
}

/// The past that the store knows up to an hour, or all of it.
fn read(config: &Config, as_of: Option<ConsensusHour>, progress: &Progress) -> anyhow::Result<(Past, ConsensusHour)> {
    progress.step("reading the history");
    let store = open_believed(&config.store, &config.detect.settings())?;
    let newest = store.stats()?.last.with_context(|| format!("{} holds no consensus: import or ingest some first", config.store))?;
    let as_of = as_of.unwrap_or(newest);
    let ground = ground(of_history(&store.exact_as_of(as_of)?), as_of, || Ok(store.load_as_of(as_of)?))?;
    if ground.basis == Basis::PublishedGraphs {
        progress.step("little history of our own: using published graphs");
    }
    Ok((ground.past, as_of))
}

/// A model from a file, if it may be used for this forecast.
fn usable(file: &Path, as_of: ConsensusHour, horizon_days: u16) -> anyhow::Result<Model> {
    let model = load(file)?;
    if model.trained_as_of() > as_of {
        bail!("{} learned from consensuses up to {}, later than --as-of {as_of}", file.display(), model.trained_as_of());
    }
    if model.horizon_days() != horizon_days {
        bail!("{} forecasts {} days, not {horizon_days}", file.display(), model.horizon_days());
    }
    Ok(model)
}

/// Reads a model file.
fn load(file: &Path) -> anyhow::Result<Model> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    Model::from_json(&text).with_context(|| file.display().to_string())
}
