//! `allium replay`: the detector over stored history.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use allium_detect::{Detector, Incident};
use allium_history::Store;
use allium_service::workers::effects::Effects;
use allium_service::workers::record;
use allium_views::IncidentJson;
use anyhow::Context as _;

use crate::cli::ReplayArgs;
use crate::config::Config;
use crate::progress::Progress;

/// Walks the history up to `to`, and writes what was detected in `[from, to]`, by detection and id.
pub(crate) fn run(config: &Config, args: &ReplayArgs) -> anyhow::Result<()> {
    let progress = Progress::start(2);
    progress.step("reading the history");
    let store = config.store.open_read_only()?;
    let record = record::of(&*store)?;
    anyhow::ensure!(!record.hours.is_empty(), "{} holds no consensus: import some first", config.store);
    progress.step("walking it");
    let incidents = detected(&*store, &record, config, args)?;
    match &args.out {
        Some(path) => write(&mut BufWriter::new(File::create(path).with_context(|| path.display().to_string())?), &incidents)?,
        None => write(&mut BufWriter::new(io::stdout().lock()), &incidents)?,
    }
    progress.finish(&format!("{} incidents detected", incidents.len()));
    Ok(())
}

/// Incidents detected since `from` as they stand at `to`, after a walk over everything before.
fn detected(store: &dyn Store, record: &allium_detect::Record, config: &Config, args: &ReplayArgs) -> anyhow::Result<Vec<Incident>> {
    let ReplayArgs { from, to, .. } = *args;
    let end = to.map_or(record.hours.len(), |to| record.hours.partition_point(|(hour, _)| *hour <= to));
    let mut detector = Detector::new(config.detect.settings(), record.relays.clone());
    record.walk(0..end, |_, list| {
        detector.step(list);
    });
    let indices = 0..detector.n_incidents();
    let all: BTreeMap<usize, Arc<Incident>> = indices.filter_map(|idx| Some((idx, Arc::new(detector.incident(idx)?)))).collect();
    let mut effects = Effects::default();
    effects.measure(store, &detector, &all, &[], None)?;
    let is_wanted = |incident: &Incident| from.is_none_or(|from| incident.detected_at >= from);
    let wanted = all.iter().filter(|(_, incident)| is_wanted(incident));
    let mut incidents: Vec<Incident> = wanted.map(|(idx, incident)| effects.weighed(*idx, incident, &detector)).collect();
    incidents.sort_by(|a, b| (a.detected_at, &a.id).cmp(&(b.detected_at, &b.id)));
    Ok(incidents)
}

fn write(out: &mut impl Write, incidents: &[Incident]) -> io::Result<()> {
    for incident in incidents {
        serde_json::to_writer(&mut *out, &IncidentJson::of(incident)).map_err(io::Error::from)?;
        writeln!(out)?;
    }
    out.flush()
}
