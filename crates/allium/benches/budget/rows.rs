//! Rows that are measured inside a process of their own.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use allium_analysis::NetworkReport;
use allium_history::{Bits, ConsensusInfo, ConsensusSource, FullConsensus, Listed, Store, StoreUrl, Update, assemble};
use allium_model::{Bounds, ConsensusHour, Timestamp};
use allium_service::View;
use allium_service::workers::detector::Watch;
use allium_service::workers::intake::Intake;
use allium_sources::onionoo::decode_file;
use allium_sources::read::Limits;
use anyhow::{Context as _, bail};

use crate::common::process::{cpu_secs_of, peak_mb_of};

/// Consensuses that are taken in one after the other.
const CONSENSUSES: i32 = 7;
/// One of so many relays leaves with each of them, and comes back with the next.
const ONE_LEAVES_OF: usize = 300;

/// Does the work of a row, then prints what it took.
pub(crate) fn measure(row: &str, files: &[PathBuf]) -> anyhow::Result<()> {
    let measured = match (row, files) {
        ("memory", [documents, _]) => {
            let record = assemble(&update(documents)?).context("no details document")?;
            of_process(view(record))?
        }
        ("store", [documents, store]) => {
            for leftover in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{leftover}", store.display()));
            }
            let mut history = StoreUrl::from(store).open()?;
            history.apply(&update(documents)?)?;
            of_process(stored_view(&*history)?)?
        }
        ("load", [_, store]) => of_process(stored_view(&*StoreUrl::from(store).open()?)?)?,
        ("timeline", [store]) => timeline(store)?,
        ("append", [store]) => append(store)?,
        ("consensus", [store]) => consensus(store)?,
        _ => bail!("no row {row:?} of {} files", files.len()),
    };
    Ok(writeln!(std::io::stdout(), "{measured}")?)
}

/// CPU seconds and peak megabytes of this process, taken while what it made is still there.
fn of_process<T>(made: T) -> anyhow::Result<String> {
    let (cpu_secs, peak_mb) = (cpu_secs_of("self")?, peak_mb_of("self")?);
    drop(made);
    Ok(format!("{cpu_secs} {peak_mb}"))
}

fn update(documents: &Path) -> anyhow::Result<Update> {
    let mut intake = Intake::default();
    let mut files: Vec<PathBuf> = std::fs::read_dir(documents)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.sort();
    for file in files {
        intake.add(decode_file(&file, &Limits::default(), Bounds::default())?, Timestamp::UNIX_EPOCH);
    }
    Ok(intake.into_update())
}

fn view(record: allium_model::NetworkRecord) -> View {
    let report = NetworkReport::compute_in_parallel(&record);
    View::new(record, report)
}

fn stored_view(history: &dyn Store) -> anyhow::Result<View> {
    Ok(view(history.load()?.context("the store is empty")?))
}

/// The whole exact history in memory.
fn timeline(store: &Path) -> anyhow::Result<String> {
    let begun = Instant::now();
    let timeline = StoreUrl::from(store).open_read_only()?.timeline()?;
    let bitmaps: Vec<_> = timeline.relays().iter().map(|relay| timeline.running(relay)).collect();
    let wall = begun.elapsed();
    let bitmaps_mb = bitmaps.iter().map(Bits::size_bytes).sum::<usize>() as f64 / 1e6;
    Ok(format!("{:.2} s wall, {:.0} MB peak, bitmaps {bitmaps_mb:.0} MB", wall.as_secs_f64(), peak_mb_of("self")?))
}

/// The consensuses after the newest one that the store knows: the same relays with weights, but for some that are gone for an hour.
fn later(store: &dyn Store) -> anyhow::Result<Vec<FullConsensus>> {
    let timeline = store.timeline()?;
    let newest = *timeline.known().hours().last().context("the store is empty")?;
    let listed = timeline.listed_at(newest).context("the newest consensus is known")?;
    let consensus = |n: i32| {
        let hour = ConsensusHour::new(newest.get() + n);
        let stays = |(i, _): &(usize, _)| !(i + n as usize).is_multiple_of(ONE_LEAVES_OF);
        let listed = listed.iter().enumerate().filter(stays).map(|(i, (fingerprint, state))| Listed {
            weight: Some(1000 + (i as u64 * 7919 + n as u64) % 50_000),
            ..Listed::of(*fingerprint, (*state).clone())
        });
        FullConsensus {
            info: ConsensusInfo { hour, source: ConsensusSource::Directory, verified: true, received_at: hour.start() },
            listed: listed.collect(),
            bandwidth_weights: [("Wgg", 5900), ("Wgd", 0), ("Wmg", 4100), ("Wmm", 10_000), ("Wee", 10_000), ("Wed", 10_000)].into(),
        }
    };
    Ok((1..=CONSENSUSES).map(consensus).collect())
}

fn append(store: &Path) -> anyhow::Result<String> {
    let mut store = StoreUrl::from(store).open()?;
    let mut times = Vec::new();
    for consensus in later(&*store)? {
        let begun = Instant::now();
        store.append_full_consensus(&consensus)?;
        times.push(begun.elapsed());
    }
    Ok(format!(
        "{:.0} ms wall (median of {CONSENSUSES}), most {:.0} ms",
        millis(median(&mut times)),
        millis(*times.last().context("none")?)
    ))
}

/// Work of a service for a consensus: store it, make the view of it, step the detector.
fn consensus(path: &Path) -> anyhow::Result<String> {
    let mut store = StoreUrl::from(path).open()?;
    let mut watch = Watch::replay(&*store, allium_detect::Settings::default())?;
    let mut steps: [Vec<Duration>; 4] = Default::default();
    for consensus in later(&*store)? {
        let begun = Instant::now();
        store.append_full_consensus(&consensus)?;
        let appended = begun.elapsed();
        let view = stored_view(&*store)?;
        let shown = begun.elapsed();
        if !watch.follow(&view) {
            bail!("the detector does not go on");
        }
        let stepped = begun.elapsed();
        for (times, time) in steps.iter_mut().zip([appended, shown - appended, stepped - shown, stepped]) {
            times.push(time);
        }
    }
    let [appended, shown, stepped, all] = steps.each_mut().map(|times| millis(median(times)));
    Ok(format!("{all:.0} ms: store {appended:.0}, view {shown:.0}, detector {stepped:.0}"))
}

/// The median of an odd number of times; sorts them.
fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
