//! `allium evaluate network`: forecasts of the whole network as of past days, held against what came.

use std::fs;
use std::io::{self, BufWriter, Write};

use allium_forecast::network::{Daily, NetworkScore, backtest};
use allium_service::workers::past::{of_history, weights};
use anyhow::{Context as _, ensure};

use crate::cli::EvaluateNetworkArgs;
use crate::config::Config;
use crate::progress::Progress;
use allium_service::workers::doubt::open_believed;

/// The name of the scores in the directory of `--out`.
const FILE: &str = "network.json";

/// Prints the table and, with `--out`, writes the scores.
pub(crate) fn run(config: &Config, args: &EvaluateNetworkArgs) -> anyhow::Result<()> {
    let progress = Progress::start(2);
    progress.step("reading the history");
    let store = open_believed(&config.store, &config.detect.settings())?;
    let past = of_history(&store.exact()?);
    let as_of = *past.hours().last().with_context(|| format!("{} holds no consensus", config.store))?;
    let daily = Daily::of(&past, as_of, &weights(&*store, as_of)?);
    progress.step("forecasting as of past days");
    let scores = backtest(&daily, usize::from(args.step_days));
    ensure!(!scores.is_empty(), "the record is too short to score a forecast");
    let mut out = BufWriter::new(io::stdout().lock());
    table(&mut out, &scores)?;
    out.flush()?;
    if let Some(directory) = &args.out {
        fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
        let path = directory.join(FILE);
        fs::write(&path, serde_json::to_vec(&scores)?).with_context(|| path.display().to_string())?;
    }
    progress.finish(&format!("{} days of record, up to {as_of}", daily.values(allium_forecast::network::Figure::Relays).len()));
    Ok(())
}

fn table(out: &mut impl Write, scores: &[NetworkScore]) -> io::Result<()> {
    writeln!(out, "Forecasts of the network as of past days: errors in percent of what came (of uptime in points); * in use\n")?;
    writeln!(
        out,
        "{:<8}{:>6}  {:<18}{:>5}{:>8}{:>8}{:>8}{:>8}{:>9}",
        "figure", "days", "method", "n", "MAE", "bias", "cov80", "cov90", "width80"
    )?;
    for score in scores {
        let name = format!("{}{}", score.method.name(), if score.in_use { " *" } else { "" });
        write!(out, "{:<8}{:>6}  {name:<18}{:>5}", score.figure.name(), score.horizon_days, score.n)?;
        write!(out, "{:>8.2}{:>+8.2}", score.mae * 100.0, score.bias * 100.0)?;
        writeln!(out, "{:>8.2}{:>8.2}{:>9.2}", score.covered_80, score.covered_90, score.width_80 * 100.0)?;
    }
    Ok(())
}
