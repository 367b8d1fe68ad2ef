//! The budget table: what the design allows, and what this machine measures on the real documents.
//!
//! Every row is measured in a process of its own, so that its CPU time and peak memory are its alone. Nothing is asserted:
//! machines differ. Run it with `make bench`; where the real documents are missing a simulated network of the same size is measured,
//! and rows about the real pack of hourly lists are left out.

#[path = "../common/mod.rs"]
mod common;
mod load;
mod rows;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use common::process::{PROGRAM, finish, run};
use common::store::{import_documents, import_pack, real, simulated_documents};

const RUNS: usize = 3;

/// Files that rows work on.
struct Inputs {
    /// Onionoo documents.
    documents: PathBuf,
    /// The real pack of hourly lists, where it is.
    pack: Option<PathBuf>,
    scratch: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    if let Some(idx) = args.iter().position(|arg| arg == "--row") {
        let [row, files @ ..] = &args[idx + 1..] else { bail!("--row takes a row and files") };
        return rows::measure(row, &files.iter().map(PathBuf::from).collect::<Vec<_>>());
    }
    let scratch = tempfile::tempdir()?;
    let inputs = Inputs { documents: documents(scratch.path())?, pack: real("presence"), scratch: scratch.path().to_path_buf() };
    print("work", "budget", "measured")?;
    print("", "", "CPU: median of 3, peak: the most of 3")?;
    let store = of_documents(&inputs)?;
    match &inputs.pack {
        Some(pack) => of_pack(&inputs, pack)?,
        None => writeln!(std::io::stdout(), "skipped: no real data, so no rows about the pack of hourly lists")?,
    }
    let (store, are_forecasts_expected) = inputs.pack.as_ref().map_or((store, false), |_| (full(&inputs), true));
    for (work, budget, measured) in load::of_server(&store, are_forecasts_expected)? {
        print(&work, budget, &measured)?;
    }
    Ok(())
}

/// One line of the table.
fn print(work: &str, budget: &str, measured: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{work:<58} {budget:>22} {measured:>44}")?;
    Ok(out.flush()?)
}

/// Rows about the documents; returns the store that they make.
fn of_documents(inputs: &Inputs) -> anyhow::Result<PathBuf> {
    let store = inputs.scratch.join("allium.db");
    for (row, work, budget) in [
        ("memory", "documents → every figure, in memory", "2 s CPU, 600 MB peak"),
        ("store", "the same, with writing the store", "4 s CPU"),
        ("load", "store → every figure (start of serve)", "–"),
    ] {
        print(work, budget, &median_run(row, &[&inputs.documents, &store])?)?;
    }
    print("size of the store", "–", &megabytes(&store)?)?;
    Ok(store)
}

/// Rows about the store of the whole pack, and of the pack with the documents.
fn of_pack(inputs: &Inputs, pack: &Path) -> anyhow::Result<()> {
    let (store, full, model) = (inputs.scratch.join("pack.db"), full(inputs), inputs.scratch.join("model.json"));
    let imported = run(&mut import_pack(pack, &store))?;
    print("23 months of hourly lists → store", "30 s, 60 MB", &format!("{imported}, {}", megabytes(&store)?))?;
    let check = run(Command::new(PROGRAM).args(["store", "check", "--store"]).arg(&store))?;
    print("store check of it", "–", &check.to_string())?;
    print("the same, loaded: timeline and a bitmap per relay", "1 s, 200 MB", &row("timeline", &[&store])?)?;
    std::fs::copy(&store, &full)?;
    run(&mut import_documents(&inputs.documents, &full))?;
    let replay = run(Command::new(PROGRAM).args(["replay", "--store"]).arg(&full).arg("--out").arg(inputs.scratch.join("incidents")))?;
    print("replay of all of them through the detector", "60 s", &replay.to_string())?;
    let train = run(Command::new(PROGRAM).args(["forecast", "train", "--store"]).arg(&full).arg("--out").arg(&model))?;
    print("training of the forecast models", "3 min, 1 GB", &train.to_string())?;
    let forecast = run(Command::new(PROGRAM).args(["forecast", "--store"]).arg(&full).arg("--model").arg(&model))?;
    print("forecast of all relays by them, as a program", "–", &forecast.to_string())?;
    // The last rows write to it, and whoever serves it should have the same to show.
    let copy = inputs.scratch.join("copy.db");
    for (name, work, budget) in [
        ("append", "one consensus appended to the full store", "150 ms"),
        ("consensus", "one consensus through store, detector and view", "0.5 s, detector 100 ms"),
    ] {
        std::fs::copy(&full, &copy)?;
        print(work, budget, &row(name, &[&copy])?)?;
    }
    Ok(())
}

/// The store of the pack with the documents.
fn full(inputs: &Inputs) -> PathBuf {
    inputs.scratch.join("full.db")
}

/// The real documents where they are, else simulated ones of the same size.
fn documents(scratch: &Path) -> anyhow::Result<PathBuf> {
    let mut out = std::io::stdout().lock();
    if let Some(real) = real("onionoo-2026-02-15") {
        writeln!(out, "real documents of 2026-02-15, 10,703 relays")?;
        return Ok(real);
    }
    writeln!(out, "skipped: no real data; simulated documents of 9,700 running relays instead")?;
    let simulated = scratch.join("documents");
    simulated_documents(&simulated)?;
    Ok(simulated)
}

/// Prints a row that is measured in a process of its own.
fn row(name: &str, files: &[&Path]) -> anyhow::Result<String> {
    let output = finish(Command::new(std::env::current_exe()?).arg("--row").arg(name).args(files))?;
    Ok(output.trim().to_owned())
}

/// Runs a row several times and gives the median CPU time and the largest peak.
fn median_run(name: &str, files: &[&Path]) -> anyhow::Result<String> {
    let mut figures = Vec::new();
    for _ in 0..RUNS {
        let text = row(name, files)?;
        let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let [cpu_secs, peak_mb] = numbers[..] else { bail!("row {name} printed {text:?}") };
        figures.push((cpu_secs, peak_mb));
    }
    figures.sort_by(|a, b| a.0.total_cmp(&b.0));
    let peak_mb = figures.iter().map(|figure| figure.1).fold(0.0, f64::max);
    Ok(format!("{:.2} s CPU, {peak_mb:.0} MB peak", figures[RUNS / 2].0))
}

fn megabytes(file: &Path) -> anyhow::Result<String> {
    let size_bytes = file.metadata().with_context(|| file.display().to_string())?.len();
    Ok(format!("{:.1} MB on disk", size_bytes as f64 / 1e6))
}
