//! `allium evaluate forecast`: all models and baselines at rolling origins, as tables and as a scoreboard in JSON.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use allium_forecast::Past;
use allium_forecast::evaluate::{Evaluation, FORMAT, IN_USE, OriginScores, STRATA, Scoreboard, Scores};
use allium_forecast::models::Kind;
use allium_model::ConsensusHour;
use allium_service::workers::past::of_history;
use anyhow::{Context as _, ensure};
use jiff::ToSpan as _;
use serde::{Deserialize, Serialize};

use crate::cli::EvaluateForecastArgs;
use crate::config::Config;
use crate::progress::Progress;
use allium_service::workers::doubt::open_believed;

/// The name of the scoreboard in the directory of `--out`.
const FILE: &str = "forecast.json";
/// The directory beside it that keeps single origins.
const ORIGINS: &str = "forecast-origins";

/// Prints the tables and, with `--out`, writes the scoreboard.
pub(crate) fn run(config: &Config, args: &EvaluateForecastArgs) -> anyhow::Result<()> {
    let mut origins = monthly(args.from, args.to);
    ensure!(!origins.is_empty(), "--from {} is later than --to {}", args.from, args.to);
    origins.extend(&args.also);
    origins.sort_unstable();
    origins.dedup();
    let progress = Progress::start(origins.len() + 1);
    progress.step("reading the history");
    let past = of_history(&open_believed(&config.store, &config.detect.settings())?.exact()?);
    let scored = scored(&past, &origins, args, &progress)?;
    ensure!(!scored.is_empty(), "no origin with history before it and at least half of its horizon after it");
    let scoreboard = Scoreboard::new(&past, args.horizon_days, scored);
    let mut out = BufWriter::new(io::stdout().lock());
    tables(&mut out, &scoreboard)?;
    out.flush()?;
    if let Some(directory) = &args.out {
        write(&directory.join(FILE), &scoreboard)?;
    }
    progress.finish(&format!("{} of {} origins scored", scoreboard.origins.len(), origins.len()));
    Ok(())
}

/// An origin that is done, and what it was done with.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Done {
    format: u32,
    horizon_days: u16,
    models: Vec<String>,
    last_consensus: String,
    scores: Option<OriginScores>,
}

impl Done {
    /// Conditions of a run; an earlier run counts only if its conditions are equal.
    fn with(past: &Past, args: &EvaluateForecastArgs) -> Self {
        let kinds = Kind::ALL.iter().filter(|kind| args.models.is_empty() || args.models.contains(kind));
        Self {
            format: FORMAT,
            horizon_days: args.horizon_days,
            models: kinds.map(|kind| kind.name().to_owned()).collect(),
            last_consensus: past.hours().last().map_or(String::new(), ToString::to_string),
            scores: None,
        }
    }

    /// Scores that an earlier run left, if its conditions were equal.
    fn earlier(&self, file: &Path) -> Option<OriginScores> {
        let done: Self = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
        let scores = done.scores?;
        (Self { scores: None, ..done } == *self).then_some(scores)
    }
}

/// Scores origins one by one; a run that is killed keeps those that are done.
fn scored(past: &Past, origins: &[ConsensusHour], args: &EvaluateForecastArgs, progress: &Progress) -> anyhow::Result<Vec<OriginScores>> {
    let kinds: &[Kind] = if args.models.is_empty() { &Kind::ALL } else { &args.models };
    let with = Done::with(past, args);
    let mut evaluation = Evaluation::new(past, args.horizon_days, kinds);
    let mut all = Vec::new();
    for origin in origins {
        let file = args.out.as_ref().map(|directory| file_of(directory, *origin));
        let earlier = file.as_ref().filter(|_| args.resume).and_then(|file| with.earlier(file));
        let is_known = earlier.is_some();
        let Some(scores) = earlier.or_else(|| evaluation.at(*origin)) else { continue };
        progress.step(&format!("{origin} {}", if is_known { "taken from an earlier run" } else { "done" }));
        if let Some(file) = file.filter(|_| !is_known) {
            write(&file, &Done { scores: Some(scores.clone()), ..Done::with(past, args) })?;
        }
        all.push(scores);
    }
    Ok(all)
}

fn file_of(directory: &Path, origin: ConsensusHour) -> PathBuf {
    directory.join(ORIGINS).join(format!("{}.json", origin.to_string().replace(':', "")))
}

/// Writes a file as JSON, and the directories that it needs.
fn write(path: &Path, value: &impl Serialize) -> anyhow::Result<()> {
    let name = || path.display().to_string();
    path.parent().map_or(Ok(()), fs::create_dir_all).with_context(name)?;
    fs::write(path, serde_json::to_vec(value)?).with_context(name)
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
        let known = if origin.complete { String::new() } else { format!(", {} days known", origin.known_days) };
        writeln!(
            out,
            "{}: {} relays, {} rows learned from, {}{flood}{known}",
            origin.origin, origin.n_relays, origin.n_rows_trained, origin.chosen
        )?;
        heading(out, "model")?;
        origin.scores.iter().filter(|scores| scores.stratum == "all").try_for_each(|scores| line(out, &scores.model, &[scores]))?;
        writeln!(out)?;
    }
    let of_model = |origin: &'_ OriginScores| origin.scores.iter().filter(|s| s.model == IN_USE && s.stratum == "all").cloned().collect();
    let lines: Vec<(String, Vec<Scores>)> = scoreboard.origins.iter().map(|origin| (label(origin), of_model(origin))).collect();
    writeln!(out, "{IN_USE}, by origin\n")?;
    heading(out, "origin")?;
    lines.iter().try_for_each(|(name, scores)| line(out, name, &scores.iter().collect::<Vec<_>>()))?;
    let n_usual = scoreboard.origins.iter().filter(|origin| origin.is_usual()).count();
    writeln!(out, "\nMean over {n_usual} origins outside floods whose horizon is known\n")?;
    heading(out, "model")?;
    scoreboard.mean.iter().filter(|scores| scores.stratum == "all").try_for_each(|scores| line(out, &scores.model, &[scores]))?;
    writeln!(out)?;
    heading(out, "relays")?;
    let in_use = |stratum: &str| scoreboard.mean.iter().filter(|s| s.model == IN_USE && s.stratum == stratum).collect::<Vec<_>>();
    STRATA.iter().try_for_each(|stratum| line(out, stratum, &in_use(stratum)))?;
    reliability(out, scoreboard)
}

/// An origin's day, with a mark where it does not count in means.
fn label(origin: &OriginScores) -> String {
    format!("{}{}", origin.origin.get(..10).unwrap_or(&origin.origin), if origin.is_usual() { "" } else { " *" })
}

/// Share of relays that fell below 0.9, and that left, by the probability forecast.
fn reliability(out: &mut impl Write, scoreboard: &Scoreboard) -> io::Result<()> {
    let Some(scores) = scoreboard.mean.iter().find(|s| s.model == IN_USE && s.stratum == "all") else { return Ok(()) };
    for (name, event) in [("less than 0.9", &scores.below_90), ("gone", &scores.gone)] {
        writeln!(out, "\nProbability of {name}: given, observed, relays\n")?;
        event.reliability.iter().try_for_each(|bin| writeln!(out, "{:>8.4}{:>8.4}{:>9}", bin.forecast, bin.observed, bin.n))?;
    }
    Ok(())
}

fn heading(out: &mut impl Write, first: &str) -> io::Result<()> {
    writeln!(
        out,
        "{first:<16}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}",
        "CRPS", "skill", "MAE", "within5", "cov50", "cov80", "cov95", "cov80*", "Brier", "AUC", "calib", "AUCgone"
    )
}

/// Means of a column over these scores; `cov80` counts closed intervals, `cov80*` truths at 0 or 1 by the share of the mass inside.
fn line(out: &mut impl Write, name: &str, scores: &[&Scores]) -> io::Result<()> {
    if scores.is_empty() {
        return writeln!(out, "{name:<16}{:>8}", "none");
    }
    let columns: [fn(&Scores) -> Option<f64>; 12] = [
        |s| Some(s.crps),
        |s| Some(s.skill),
        |s| Some(s.mae),
        |s| Some(s.within_5),
        |s| Some(s.covered[0]),
        |s| Some(s.covered[1]),
        |s| Some(s.covered[2]),
        |s| Some(s.covered_shares[1]),
        |s| s.below_90.brier,
        |s| s.below_90.auc,
        |s| s.below_90.calibration_error,
        |s| s.gone.auc,
    ];
    write!(out, "{name:<16}")?;
    for column in columns {
        let values: Vec<f64> = scores.iter().filter_map(|scores| column(scores)).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        if values.is_empty() { write!(out, "{:>8}", "-")? } else { write!(out, "{mean:>8.4}")? }
    }
    writeln!(out)
}
