//! `allium evaluate detect`: faults injected into the stored history, and what our detector and simpler methods make of them.

use std::io::{self, BufWriter, Write};
use std::ops::Range;

use allium_detect::evaluate::{Baseline, Finding, Injected, Scores, exchanged, findings, inject, score, shifted, untouched};
use allium_detect::{Record, Settings};
use allium_service::workers::record;

use crate::cli::EvaluateDetectArgs;
use crate::config::Config;
use crate::progress::Progress;

mod tables;

/// Lists in a week.
const WEEK: f64 = 168.0;

/// Writes the tables of `docs/detection.md` for a stretch of the stored history.
pub(crate) fn run(config: &Config, args: &EvaluateDetectArgs) -> anyhow::Result<()> {
    let progress = Progress::start(4);
    progress.step("reading the history");
    let record = record::of(&*config.store.open_read_only()?)?;
    let index = |hour| record.hours.partition_point(|(known, _)| *known < hour);
    let indices = args.from.map_or(0, index)..args.to.map_or(record.hours.len(), index);
    anyhow::ensure!(indices.len() > 200, "the store has fewer than 200 consensuses of that time, too few to evaluate");
    progress.step("injecting faults");
    let trial = Trial::new(record, indices, args.seed);
    progress.step("detecting");
    let out = &mut BufWriter::new(io::stdout().lock());
    let ours = trial.of(|record| findings(record, trial.indices.clone(), &Settings::default()));
    trial.write_ours(out, &ours)?;
    out.flush()?;
    progress.step("running simpler methods");
    trial.write_all(out, &ours)?;
    out.flush()?;
    progress.finish(&format!("{} faults judged", trial.injected.faults.len()));
    Ok(())
}

/// The record as it is, with faults, and with nothing that happens together.
struct Trial {
    record: Record,
    injected: Injected,
    untouched: Injected,
    shifted: Injected,
    exchanged: Injected,
    indices: Range<usize>,
}

/// Findings of a method in each of these records.
struct Found {
    usual: Vec<Finding>,
    shifted: Vec<Finding>,
    exchanged: Vec<Finding>,
    scores: Scores,
}

impl Trial {
    fn new(record: Record, indices: Range<usize>, seed: u64) -> Self {
        Self {
            injected: inject(&record, indices.clone(), seed),
            untouched: untouched(&record),
            shifted: untouched(&shifted(&record, seed)),
            exchanged: untouched(&exchanged(&record, seed)),
            record,
            indices,
        }
    }

    fn of(&self, method: impl Fn(&Injected) -> Vec<Finding>) -> Found {
        let usual = method(&self.untouched);
        let scores = score(&self.injected, &method(&self.injected), &usual);
        Found { shifted: method(&self.shifted), exchanged: method(&self.exchanged), usual, scores }
    }

    fn n_weeks(&self) -> f64 {
        self.indices.len() as f64 / WEEK
    }

    fn write_ours(&self, out: &mut impl Write, ours: &Found) -> io::Result<()> {
        tables::by_scope_and_size(out, &ours.scores)?;
        tables::power(out, &ours.scores)?;
        tables::delays(out, &ours.scores)?;
        tables::false_alarms(out, ours, self.n_weeks())?;
        tables::as_it_is(out, &self.record, &ours.usual, self.n_weeks())
    }

    fn write_all(&self, out: &mut impl Write, ours: &Found) -> io::Result<()> {
        tables::methods_head(out)?;
        tables::method(out, "allium", ours, self.n_weeks())?;
        for baseline in Baseline::ALL {
            let found = self.of(|record| baseline.findings(record, self.indices.clone()));
            tables::method(out, baseline.name(), &found, self.n_weeks())?;
        }
        Ok(())
    }
}
