//! Presence packs: years of hourly lists of running relays in three small files.
//!
//! Input, each plain or compressed:
//!
//! * snapshots, CSV: `snapshot,fetched_at,running,guard,exit`: index, RFC 3339 instant at which the list was fetched, totals;
//! * spans, Parquet: `fingerprint` (text), `first_snapshot`, `end_snapshot` (unsigned 32-bit, half-open), `guard`, `exit` (bool): in every
//!   snapshot of the span the relay was Running with exactly these of the two flags. A relay without a span was not running;
//! * relays, CSV: `fingerprint,nickname,ipv4,as,as_name,country,contact,family`: attributes as last known, empty where unknown;
//!   `family` is the smallest fingerprint of the effective family.
//!
//! Output: a [`Pack`] with what could be understood, and a reject for every row or field that could not: by line in CSV, by row
//! (the first is 1) in Parquet. Good rows are kept. Totals are counted again from the spans for every snapshot; where the
//! snapshots file differs, that is a reject with the index.
//!
//! # From snapshots to consensuses
//!
//! A list stands for the newest consensus that was 65 minutes old when it was fetched; of several lists of one consensus the last one
//! counts ([`Hours`]). The others are superseded: only their totals are checked. Of eight
//! consensus documents of 2024 to 2026, seven list exactly the relays of the list that this rule gives them, and the eighth
//! all but one.
//!
//! # Limits
//!
//! Onionoo now and then takes longer, up to 125 minutes: then a list is of the consensus before. Only Running, Guard and Exit
//! are known. Country, AS and family are those last known, also for years ago.

mod hours;
mod rejects;
mod relays;
mod snapshots;
mod spans;
mod table;

use std::collections::BTreeMap;
use std::path::Path;

use allium_model::{Bounds, Fingerprint, Reject, Relay, RelayFlag, RelayFlags, RelayState, StateSpan};

pub use hours::{Hour, Hours};
pub use snapshots::{Snapshot, Totals};
pub use spans::Span;

use crate::error::Error;
use crate::read::{Limits, read_file};
use rejects::Rejects;

/// Paths of the files of a pack.
#[derive(Debug, Clone, Copy)]
pub struct Files<'a> {
    /// The list of snapshots.
    pub snapshots: &'a Path,
    /// The spans in which relays were running.
    pub spans: &'a Path,
    /// Attributes of relays.
    pub relays: &'a Path,
}

/// A decoded pack.
#[derive(Debug, Clone, PartialEq)]
pub struct Pack {
    /// Index and instant strictly increase.
    pub snapshots: Vec<Snapshot>,
    /// Sorted by fingerprint, then by time; those of one relay are disjoint.
    pub spans: Vec<Span>,
    /// Nickname, address, AS, country, contact and effective family of relays, sorted by fingerprint; nothing else is filled in.
    pub relays: Vec<Relay>,
    /// Snapshots whose totals differ from those counted from the spans.
    pub n_mismatches: usize,
    /// Parts that could not be understood, and the mismatches; the first thousand.
    pub rejects: Vec<Reject>,
    /// Number of rejects, listed or not.
    pub n_rejects: usize,
}

impl Pack {
    /// The spans as the exact history takes them: over the hours for which snapshots stand, sorted by relay and time.
    ///
    /// Spans in superseded snapshots only are left out. Country and AS are those of the relays file.
    pub fn state_spans<'a>(&'a self, hours: &'a Hours) -> impl Iterator<Item = (Fingerprint, StateSpan)> + 'a {
        let locations: BTreeMap<_, _> = self.relays.iter().map(|relay| (relay.fingerprint, (relay.country, relay.asn))).collect();
        self.spans.iter().filter_map(move |span| {
            let (start, end) = hours.of_span(&span.snapshots)?;
            let (country, asn) = locations.get(&span.fingerprint).copied().unwrap_or_default();
            Some((span.fingerprint, StateSpan { start, end, state: RelayState { flags: flags(span), country, asn, version: None } }))
        })
    }
}

fn flags(span: &Span) -> RelayFlags {
    let held = [(RelayFlag::Running, true), (RelayFlag::Guard, span.guard), (RelayFlag::Exit, span.exit)];
    held.into_iter().filter(|(_, held)| *held).map(|(flag, _)| flag).collect()
}

/// Reads and decodes a pack. A list that was fetched at a time outside `bounds` is a reject; spans lose it, and keep the lists around it.
///
/// # Errors
/// [`Error::Read`], [`Error::TooLarge`] and [`Error::Compression`] for files that cannot be read; [`Error::Table`] for a file that is
/// damaged as a whole, lacks a column, or where no snapshot is left.
pub fn decode_files(files: &Files<'_>, limits: &Limits, bounds: Bounds) -> Result<Pack, Error> {
    let mut rejects = Rejects::default();
    let origin = |path: &Path| path.display().to_string();
    let snapshots_origin = origin(files.snapshots);
    let list = snapshots::decode(&read_file(files.snapshots, limits)?, &snapshots_origin, bounds, &mut rejects)?;
    let relays = relays::decode(&read_file(files.relays, limits)?, &origin(files.relays), &mut rejects)?;
    let spans = spans::decode(read_file(files.spans, limits)?, &origin(files.spans), &list, &mut rejects)?;
    let n_mismatches = snapshots::compare(&list.snapshots, &spans, &snapshots_origin, &mut rejects);
    Ok(Pack { snapshots: list.snapshots, spans, relays, n_mismatches, rejects: rejects.listed, n_rejects: rejects.n })
}
