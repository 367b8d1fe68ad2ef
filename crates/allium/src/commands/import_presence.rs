//! `allium import presence`: years of hourly lists of running relays into the store.

use std::path::PathBuf;

use allium_history::{AppliedPack, ConsensusInfo, ConsensusSource, SourceVisit, Store};
use allium_model::Timestamp;
use allium_sources::presence::{Files, Hour, Hours, Pack, decode_files};
use allium_sources::read::Limits;
use allium_words::format::count;
use allium_words::inert::inert;

use crate::cli::PresenceArgs;
use crate::commands::ahead;
use crate::config::Config;
use crate::progress::{self, Progress};

/// Number of rejects that are printed one by one.
const MAX_PRINTED: usize = 20;

/// Reads the pack and stores it.
pub(crate) fn run(config: &Config, args: &PresenceArgs) -> anyhow::Result<()> {
    let PresenceArgs { snapshots, spans, relays } = args;
    let progress = Progress::start(2);
    let names = [snapshots, spans, relays].map(|path: &PathBuf| inert(&path.display().to_string()));
    progress.step(&format!("reading {}", names.join(", ")));
    let now = Timestamp::now();
    let bounds = config.bounds(now);
    let pack = decode_files(&Files { snapshots, spans, relays }, &Limits::default(), bounds)?;
    progress.step("storing");
    let mut store = config.store.open()?;
    let summary = take(&mut *store, &pack, now)?;
    for reject in pack.rejects.iter().take(MAX_PRINTED) {
        progress::line(&inert(&format!("{} {}: {}", reject.origin, reject.location, reject.reason)));
    }
    ahead::warn(&*store, bounds)?;
    progress.finish(&format!("{}: {}", config.store, summary));
    Ok(())
}

/// Stores a pack that was read at this time in one transaction: either the store has all of it or it is as before. Returns a sentence
/// about what was stored.
pub(crate) fn take(store: &mut dyn Store, pack: &Pack, at: Timestamp) -> anyhow::Result<String> {
    let hours = Hours::of(&pack.snapshots);
    let consensuses: Vec<_> = hours.hours().iter().map(consensus).collect();
    let applied = store.append_pack(&consensuses, &mut pack.state_spans(&hours), &pack.relays)?;
    store.record_visit(&SourceVisit {
        source: ConsensusSource::Presence.name().to_owned(),
        at,
        newest: consensuses.iter().map(|info| info.hour).max(),
        failure: None,
        rejects: Some((pack.n_rejects, pack.rejects.clone())),
    })?;
    Ok(summary(pack, &hours, applied))
}

/// A list is received when it is fetched; it has no signatures.
fn consensus(hour: &Hour) -> ConsensusInfo {
    ConsensusInfo { hour: hour.hour, source: ConsensusSource::Presence, verified: false, received_at: hour.fetched_at }
}

fn summary(pack: &Pack, hours: &Hours, applied: AppliedPack) -> String {
    let n = |number: usize| count(number as u64);
    let AppliedPack { spans, n_described } = applied;
    [
        format!("{} of {} lists taken in", n(spans.n_consensuses), n(pack.snapshots.len())),
        format!("{} superseded within their hour", n(hours.n_superseded())),
        format!("{} of hours known already", n(spans.n_already_known)),
        format!("{} spans", n(pack.spans.len())),
        format!("{} relays described, {} new", n(n_described), n(spans.n_new_relays)),
        format!("totals differ in {} lists", n(pack.n_mismatches)),
        format!("{} rejects", n(pack.n_rejects)),
    ]
    .join(", ")
}
