//! Presence packs: one of the three files is the input, the other two are whole.

use std::collections::BTreeMap;
use std::path::PathBuf;

use allium_model::Bounds;
use allium_sources::presence::{Files, Hours, Pack, Snapshot, Totals, decode_files};
use allium_sources::read::Limits;

use super::common::{Scratch, is_clean, rejects_are_counted, twice};
use super::seeds::write_pack;

/// Counting again is quadratic.
const MAX_RECOUNTED: usize = 1_000_000;
const MAX_FAMILY_ENTRIES: usize = 8_000_000;

thread_local! {
    static PACK: WholePack = WholePack::new();
}

struct WholePack {
    scratch: Scratch,
    snapshots: PathBuf,
    spans: PathBuf,
    relays: PathBuf,
}

impl WholePack {
    fn new() -> Self {
        let scratch = Scratch::new();
        let [snapshots, spans, relays] = write_pack(&scratch.path("pack"));
        Self { scratch, snapshots, spans, relays }
    }

    fn check(&self, files: &Files<'_>) {
        if let Some(pack) = twice(|| decode_files(files, &Limits::default(), Bounds::default())) {
            is_sound(&pack);
        }
    }
}

pub(crate) fn snapshots(bytes: &[u8]) {
    PACK.with(|pack| {
        let snapshots = pack.scratch.file("snapshots", bytes);
        pack.check(&Files { snapshots: &snapshots, spans: &pack.spans, relays: &pack.relays });
    });
}

pub(crate) fn relays(bytes: &[u8]) {
    PACK.with(|pack| {
        let relays = pack.scratch.file("relays", bytes);
        pack.check(&Files { snapshots: &pack.snapshots, spans: &pack.spans, relays: &relays });
    });
}

pub(crate) fn spans(bytes: &[u8]) {
    PACK.with(|pack| {
        let spans = pack.scratch.file("spans", bytes);
        pack.check(&Files { snapshots: &pack.snapshots, spans: &spans, relays: &pack.relays });
    });
}

fn is_sound(pack: &Pack) {
    rejects_are_counted(&pack.rejects, pack.n_rejects);
    let follows = |a: &Snapshot, b: &Snapshot| a.index < b.index && a.fetched_at < b.fetched_at;
    assert!(!pack.snapshots.is_empty() && pack.snapshots.is_sorted_by(follows));
    let n_snapshots = pack.snapshots.len();
    assert!(pack.spans.iter().all(|span| span.snapshots.start < span.snapshots.end && span.snapshots.end as usize <= n_snapshots));
    let is_after = |a: &allium_sources::presence::Span, b: &allium_sources::presence::Span| {
        (a.fingerprint, a.snapshots.end) <= (b.fingerprint, b.snapshots.start)
    };
    assert!(pack.spans.is_sorted_by(is_after), "spans of a relay are sorted and disjoint");
    assert!(pack.relays.is_sorted_by(|a, b| a.fingerprint < b.fingerprint), "each relay once");
    for relay in &pack.relays {
        is_clean(relay.nickname.as_ref(), 64);
        is_clean(relay.as_name.as_ref(), 256);
        is_clean(relay.contact.as_ref(), 64 * 1024);
        assert!(relay.effective_family.is_empty() || relay.effective_family.contains(&relay.fingerprint), "{relay:?}");
    }
    assert!(pack.relays.iter().map(|relay| relay.effective_family.len()).sum::<usize>() <= MAX_FAMILY_ENTRIES);
    totals_are_counted(pack);
    hours_are_in_order(pack);
}

/// The number of lists with other totals than stated, counted in the plainest way.
fn totals_are_counted(pack: &Pack) {
    if pack.spans.len().saturating_mul(pack.snapshots.len()) > MAX_RECOUNTED {
        return;
    }
    let counted = (0..).zip(&pack.snapshots).filter(|(index, snapshot)| {
        let held: Vec<_> = pack.spans.iter().filter(|span| span.snapshots.contains(index)).collect();
        let [guard, exit] = [held.iter().filter(|span| span.guard).count(), held.iter().filter(|span| span.exit).count()];
        snapshot.totals != Totals { running: held.len() as u32, guard: guard as u32, exit: exit as u32 }
    });
    assert_eq!(counted.count(), pack.n_mismatches);
}

fn hours_are_in_order(pack: &Pack) {
    let hours = Hours::of(&pack.snapshots);
    assert_eq!(hours.hours().len() + hours.n_superseded(), pack.snapshots.len());
    assert!(hours.hours().is_sorted_by(|a, b| a.hour < b.hour));
    let mut ends = BTreeMap::new();
    for (relay, span) in pack.state_spans(&hours) {
        assert!(span.start < span.end && ends.insert(relay, span.end).is_none_or(|end| end <= span.start), "{relay} {span:?}");
    }
}
