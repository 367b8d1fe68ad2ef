//! `allium evaluate forecast`: all models and baselines at rolling origins, as tables and as a scoreboard in JSON.

use std::fs;
use std::io::{self, BufWriter, Write};

use allium_forecast::evaluate::{IN_USE, OriginScores, STRATA, Scoreboard, Scores, evaluate};
use allium_history::{History as _, SqliteHistory};
use allium_model::ConsensusHour;
use anyhow::{Context as _, ensure};
use jiff::ToSpan as _;

use crate::cli::EvaluateForecastArgs;
use crate::commands::forecast::of_history;
use crate::config::Config;
use crate::progress::Progress;

/// The name of the scoreboard in the directory of `--out`.
const FILE: &str = "forecast.json";

/// Prints the tables and, with `--out`, writes the scoreboard.
pub(crate) fn run(config: &Config, args: &EvaluateForecastArgs) -> anyhow::Result<()> {
    let origins = monthly(args.from, args.to);
    ensure!(!origins.is_empty(), "--from {} is later than --to {}", args.from, args.to);
    let progress = Progress::start(origins.len() + 1);
    progress.step("reading the history");
    let past = of_history(&SqliteHistory::open_read_only(&config.store)?.exact()?);
    let told = &mut |scores: &OriginScores| progress.step(&format!("{} done", scores.origin));
    let scoreboard = evaluate(&past, &origins, args.horizon_days, told);
    ensure!(!scoreboard.origins.is_empty(), "no origin with history before it and a complete horizon after it");
    let mut out = BufWriter::new(io::stdout().lock());
    tables(&mut out, &scoreboard)?;
    out.flush()?;
    if let Some(directory) = &args.out {
        fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
        let path = directory.join(FILE);
        fs::write(&path, serde_json::to_vec(&scoreboard)?).with_context(|| path.display().to_string())?;
    }
    progress.finish(&format!("{} of {} origins scored", scoreboard.origins.len(), origins.len()));
    Ok(())
}

/// The same day and hour of every month from one time to another.
fn monthly(from: ConsensusHour, to: ConsensusHour) -> Vec<ConsensusHour> {
    let after = |months: i64| {
        let civil = from.civil().checked_add(months.months()).ok()?;
        let instant = jiff::tz::Offset::UTC.to_timestamp(civil).ok()?;
        Some(ConsensusHour::containing(instant)).filter(|origin| *origin <= to)
    };
    (0..).map_while(after).collect()
}

fn tables(out: &mut impl Write, scoreboard: &Scoreboard) -> io::Result<()> {
    writeln!(out, "Uptime over {} days: all relays, by origin (skill against conditional quantiles)\n", scoreboard.horizon_days)?;
    for origin in &scoreboard.origins {
        let flood = if origin.flood { ", in a flood" } else { "" };
        writeln!(
            out,
            "{}: {} relays, {} rows learned from, {}{flood}",
            origin.origin, origin.n_relays, origin.n_rows_trained, origin.chosen
        )?;
        heading(out, "model")?;
        origin.scores.iter().filter(|scores| scores.stratum == "all").try_for_each(|scores| line(out, &scores.model, &[scores]))?;
        writeln!(out)?;
    }
    writeln!(out, "Mean over origins\n")?;
    let models: Vec<&str> = scoreboard.origins[0].scores.iter().filter(|s| s.stratum == "all").map(|s| s.model.as_str()).collect();
    heading(out, "model")?;
    for model in models {
        line(out, model, &chosen(scoreboard, model, "all"))?;
    }
    writeln!(out)?;
    heading(out, "relays")?;
    for stratum in STRATA {
        line(out, stratum, &chosen(scoreboard, IN_USE, stratum))?;
    }
    Ok(())
}

fn chosen<'a>(scoreboard: &'a Scoreboard, model: &str, stratum: &str) -> Vec<&'a Scores> {
    let scores = scoreboard.origins.iter().flat_map(|origin| &origin.scores);
    scores.filter(|scores| scores.model == model && scores.stratum == stratum).collect()
}

fn heading(out: &mut impl Write, first: &str) -> io::Result<()> {
    writeln!(
        out,
        "{first:<16}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}",
        "CRPS", "skill", "MAE", "within5", "cov80", "cov80*", "Brier", "AUC", "calib", "AUCgone"
    )
}

/// Means over origins; `cov80` counts closed intervals, `cov80*` truths at 0 or 1 by the share of the mass inside.
fn line(out: &mut impl Write, name: &str, scores: &[&Scores]) -> io::Result<()> {
    let n = scores.len() as f64;
    let mean = |value: &dyn Fn(&Scores) -> Option<f64>| {
        let values: Vec<f64> = scores.iter().filter_map(|scores| value(scores)).collect();
        if values.is_empty() { "-".to_owned() } else { format!("{:.4}", values.iter().sum::<f64>() / values.len() as f64) }
    };
    if n == 0.0 {
        return writeln!(out, "{name:<16}{:>8}", "none");
    }
    write!(out, "{name:<16}{:>8}{:>8}{:>8}", mean(&|s| Some(s.crps)), mean(&|s| Some(s.skill)), mean(&|s| Some(s.mae)))?;
    write!(out, "{:>8}{:>8}", mean(&|s| Some(s.within_5)), mean(&|s| Some(s.covered[1])))?;
    write!(out, "{:>8}{:>8}", mean(&|s| Some(s.covered_shares[1])), mean(&|s| s.below_90.brier))?;
    writeln!(out, "{:>8}{:>8}{:>8}", mean(&|s| s.below_90.auc), mean(&|s| s.below_90.calibration_error), mean(&|s| s.gone.auc))
}
