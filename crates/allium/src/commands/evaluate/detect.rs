//! `allium evaluate detect`: faults injected into the stored history, and what our detector and simpler methods make of them.

use std::io::{self, BufWriter, Write};
use std::ops::Range;

use allium_detect::evaluate::{
    Baseline, FaultKind, Finding, Injected, Scores, SizeClass, Tally, findings, inject, score, shifted, untouched,
};
use allium_detect::{Record, ScopeKind, Settings};
use allium_history::{History as _, SqliteHistory};

use crate::cli::EvaluateDetectArgs;
use crate::commands::record;
use crate::config::Config;
use crate::progress::Progress;

const WEEK: f64 = 168.0;

/// Writes the tables of `docs/detection.md` for a stretch of the stored history.
pub(crate) fn run(config: &Config, args: &EvaluateDetectArgs) -> anyhow::Result<()> {
    let progress = Progress::start(3);
    progress.step("reading the history");
    let record = record::of(&SqliteHistory::open_read_only(&config.store)?.exact()?);
    let place = |hour| record.hours.partition_point(|(known, _)| *known < hour);
    let places = args.from.map_or(0, place)..args.to.map_or(record.hours.len(), place);
    anyhow::ensure!(places.len() > 200, "fewer than 200 consensuses are stored of that time: too few to judge by");
    progress.step("injecting faults");
    let trial =
        Trial { injected: inject(&record, places.clone(), args.seed), untouched: untouched(&record), record, places, seed: args.seed };
    progress.step("detecting");
    trial.write(&mut BufWriter::new(io::stdout().lock()))?;
    progress.finish(&format!("{} faults judged", trial.injected.faults.len()));
    Ok(())
}

struct Trial {
    record: Record,
    injected: Injected,
    untouched: Injected,
    places: Range<usize>,
    seed: u64,
}

impl Trial {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let settings = Settings::default();
        let ours = |record: &Injected| findings(record, self.places.clone(), &settings);
        let (found, usual) = (ours(&self.injected), ours(&self.untouched));
        let shifted = untouched(&shifted(&self.record, self.seed));
        let scores = score(&self.injected, &found, &usual);
        write_details(out, &scores)?;
        writeln!(out, "\nAll methods, outages of 20 relays and more")?;
        writeln!(
            out,
            "{:<32}{:>10}{:>8}{:>8}{:>8}{:>8}{:>8}{:>9}{:>9}",
            "", "precision", "recall", "F1", "top 1", "delay", "95 %", "a week", "shifted"
        )?;
        self.write_row(out, "allium", &scores, usual.len(), ours(&shifted).len())?;
        for baseline in Baseline::ALL {
            let run = |record: &Injected| baseline.findings(record, self.places.clone());
            let usual: Vec<Finding> = run(&self.untouched);
            let scores = score(&self.injected, &run(&self.injected), &usual);
            self.write_row(out, baseline.name(), &scores, usual.len(), run(&shifted).len())?;
        }
        writeln!(out, "\na week: findings without faults; shifted: the same where every relay's history is moved by weeks of its own")
    }

    fn write_row(&self, out: &mut impl Write, name: &str, scores: &Scores, n_usual: usize, n_shifted: usize) -> io::Result<()> {
        let large = scores.sum(|kind, _, size| kind == FaultKind::Outage && size.0 >= 2);
        let (precision, recall) = (scores.precision().unwrap_or(0.0), large.recall().unwrap_or(0.0));
        let f1 = if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 };
        let weeks = self.places.len() as f64 / WEEK;
        let (usual, shifted) = (n_usual as f64 / weeks, n_shifted as f64 / weeks);
        let delays = [0.5, 0.95].map(|share| large.delay(share).map_or("–".to_owned(), |delay| delay.to_string()));
        writeln!(
            out,
            "{name:<32}{precision:>10.3}{recall:>8.3}{f1:>8.3}{:>8.3}{:>8}{:>8}{usual:>9.2}{shifted:>9.2}",
            top(large.n_top1, &large),
            delays[0],
            delays[1]
        )
    }
}

fn top(n: usize, tally: &Tally) -> f64 {
    n as f64 / tally.n_found.max(1) as f64
}

fn write_details(out: &mut impl Write, scores: &Scores) -> io::Result<()> {
    writeln!(out, "Our detector; findings from missing or repeated lists: {}\n", scores.n_from_lists)?;
    writeln!(
        out,
        "{:<12}{:<12}{:>10}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}",
        "fault", "scope", "relays", "n", "recall", "top 1", "top 3", "delay", "95 %"
    )?;
    for kind in [FaultKind::Outage, FaultKind::Flap, FaultKind::FlagLoss, FaultKind::Join] {
        for (scope, label) in
            [(ScopeKind::As, "AS"), (ScopeKind::Country, "country"), (ScopeKind::Operator, "operator"), (ScopeKind::Network, "random")]
        {
            for size in (0..SizeClass::FROM.len()).map(SizeClass) {
                let tally = scores.sum(|k, s, z| (k, s, z) == (kind, scope, size));
                write_tally(out, kind, label, size, &tally)?;
            }
        }
    }
    Ok(())
}

fn write_tally(out: &mut impl Write, kind: FaultKind, scope: &str, size: SizeClass, tally: &Tally) -> io::Result<()> {
    let Some(recall) = tally.recall() else { return Ok(()) };
    let delay = |share| tally.delay(share).map_or("–".to_owned(), |delay| delay.to_string());
    writeln!(
        out,
        "{:<12}{scope:<12}{:>10}{:>8}{recall:>8.3}{:>8.3}{:>8.3}{:>8}{:>8}",
        format!("{kind:?}").to_lowercase(),
        size.label(),
        tally.n,
        top(tally.n_top1, tally),
        top(tally.n_top3, tally),
        delay(0.5),
        delay(0.95)
    )
}
