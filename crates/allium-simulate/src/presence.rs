//! The network as a presence pack: hourly lists of running relays, as somebody would have gathered them from Onionoo.
//!
//! Three files, of which `import presence` states the columns: `snapshots.csv.zst`, `presence.parquet`, `relays.csv.zst`. A list is fetched 75
//! to 100 minutes after each hour and shows the consensus that was the newest then: late and stale consensuses make it repeat
//! the one before. No list is fetched for an hour without consensus. Attributes of relays are those last known.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use allium_model::{ConsensusHour, Fingerprint, RelayFlag, Timestamp};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;

use crate::Network;
use crate::dice::Dice;
use crate::locations::COUNTRIES;
use crate::network::FlagSpan;
use crate::onionoo::{MOST_IN_FAMILY, addresses, has_location};
use crate::relay::Relay;
use crate::spans_file::{Form, SpanRow, spans_file};

/// Seconds from an hour to the earliest fetch of its list, and the range of further delay.
const FETCHED_AFTER_SECS: i64 = 75 * 60;
const FETCHED_WITHIN_SECS: u64 = 25 * 60;
const ZSTD_LEVEL: i32 = 9;

/// A list.
struct Snapshot {
    fetched_at: Timestamp,
    /// The consensus that it shows.
    shows: ConsensusHour,
}

/// A stretch of lists in which a relay has these flags.
struct Row {
    fingerprint: Fingerprint,
    first: u32,
    end: u32,
    guard: bool,
    exit: bool,
}

impl SpanRow for Row {
    fn fingerprint(&self) -> Option<String> {
        Some(self.fingerprint.to_string())
    }

    fn first(&self) -> Option<u32> {
        Some(self.first)
    }

    fn end(&self) -> Option<u32> {
        Some(self.end)
    }

    fn guard(&self) -> Option<bool> {
        Some(self.guard)
    }

    fn exit(&self) -> Option<bool> {
        Some(self.exit)
    }
}

/// The files of a pack.
pub const FILES: [&str; 3] = ["snapshots.csv.zst", "presence.parquet", "relays.csv.zst"];

/// Writes the pack of the whole generated history into a directory.
///
/// # Errors
/// A directory or file that cannot be created or written.
pub fn write_presence(network: &Network, dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    FILES.iter().zip(pack(network)?).try_for_each(|(name, bytes)| fs::write(dir.join(name), bytes))
}

/// The same as bytes, in the order of [`FILES`].
///
/// # Errors
/// Errors of the libraries of these formats; there is none in memory.
pub fn pack(network: &Network) -> io::Result<[Vec<u8>; 3]> {
    let snapshots = snapshots(network);
    let mut relays: Vec<&Relay> = network.relays.iter().filter(|relay| !relay.spans.is_empty()).collect();
    relays.sort_unstable_by_key(|relay| relay.profile.fingerprint);
    let rows: Vec<Row> = relays.iter().flat_map(|relay| rows(relay, &snapshots)).collect();
    let zstd = |table: Vec<u8>| zstd::encode_all(&table[..], ZSTD_LEVEL);
    let lists = zstd(snapshots_table(&snapshots, &rows)?)?;
    Ok([lists, parquet(&rows).map_err(io::Error::other)?, zstd(relays_table(network, &relays)?)?])
}

fn parquet(rows: &[Row]) -> Result<Vec<u8>, ParquetError> {
    let compression = Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?);
    spans_file(rows, Form { compression, ..Form::default() })
}

/// The lists, in the order of time.
fn snapshots(network: &Network) -> Vec<Snapshot> {
    let hours = (0..=network.now().hours_since(network.first_consensus())).map(|i| network.first_consensus().plus(i));
    let snapshot = |hour: ConsensusHour| {
        network.stage.publish_at(hour)?;
        let after = Dice::keyed(&[network.seed, 70, hour.get() as u64]).below(FETCHED_WITHIN_SECS) as i64;
        let fetched_at = Timestamp::from_second(hour.start_secs() + FETCHED_AFTER_SECS + after).ok()?;
        Some(Snapshot { fetched_at, shows: network.newest_at(hour)? })
    };
    hours.filter_map(snapshot).collect()
}

/// The stretches of a relay; those that differ in other flags only are one.
fn rows(relay: &Relay, snapshots: &[Snapshot]) -> Vec<Row> {
    let index_of = |hour: ConsensusHour| snapshots.partition_point(|snapshot| snapshot.shows < hour) as u32;
    let mut rows: Vec<Row> = Vec::new();
    for FlagSpan { start, end, flags } in &relay.spans {
        let (first, end) = (index_of(*start), index_of(*end));
        let (guard, exit) = (flags.contains(RelayFlag::Guard), flags.contains(RelayFlag::Exit));
        match rows.last_mut() {
            _ if first >= end => {}
            Some(row) if row.end == first && row.guard == guard && row.exit == exit => row.end = end,
            _ => rows.push(Row { fingerprint: relay.profile.fingerprint, first, end, guard, exit }),
        }
    }
    rows
}

fn snapshots_table(snapshots: &[Snapshot], rows: &[Row]) -> io::Result<Vec<u8>> {
    let mut changes = vec![[0i32; 3]; snapshots.len() + 1];
    for row in rows {
        for (i, n) in [1, i32::from(row.guard), i32::from(row.exit)].into_iter().enumerate() {
            changes[row.first as usize][i] += n;
            changes[row.end as usize][i] -= n;
        }
    }
    let mut out = Vec::new();
    writeln!(out, "snapshot,fetched_at,running,guard,exit")?;
    let mut totals = [0i32; 3];
    for (i, (snapshot, change)) in snapshots.iter().zip(&changes).enumerate() {
        totals.iter_mut().zip(change).for_each(|(total, n)| *total += n);
        let [running, guard, exit] = totals;
        writeln!(out, "{i},{},{running},{guard},{exit}", snapshot.fetched_at)?;
    }
    Ok(out)
}

fn relays_table(network: &Network, relays: &[&Relay]) -> io::Result<Vec<u8>> {
    let families = Families::new(network, relays);
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(["fingerprint", "nickname", "ipv4", "as", "as_name", "country", "contact", "family"])?;
    for relay in relays {
        let profile = &relay.profile;
        let provider = &network.providers.list[usize::from(profile.provider)];
        let placed = |text: String| if has_location(relay) { text } else { String::new() };
        let last_seen = relay.last_seen().unwrap_or(network.now());
        table.write_record([
            profile.fingerprint.to_string(),
            profile.nickname.clone(),
            addresses(relay, last_seen)[0].ip().to_string(),
            placed(format!("AS{}", provider.asn)),
            placed(provider.name.clone()),
            placed(COUNTRIES[usize::from(profile.country)].code.to_owned()),
            network.operator(profile.operator).contact.as_deref().unwrap_or_default().replace('%', ""),
            families.of(relay).map(|first| first.to_string()).unwrap_or_default(),
        ])?;
    }
    table.into_inner().map_err(csv::IntoInnerError::into_error)
}

/// Family members that relays name, by operator: fingerprints in order.
struct Families(BTreeMap<u32, Vec<Fingerprint>>);

impl Families {
    fn new(network: &Network, relays: &[&Relay]) -> Self {
        let mut families: BTreeMap<u32, Vec<Fingerprint>> = BTreeMap::new();
        for profile in relays.iter().map(|relay| &relay.profile) {
            if profile.in_family && network.operator(profile.operator).family {
                families.entry(profile.operator).or_default().push(profile.fingerprint);
            }
        }
        Self(families)
    }

    /// The smallest fingerprint of a relay's family; `None` if it is alone.
    fn of(&self, relay: &Relay) -> Option<Fingerprint> {
        let members = self.0.get(&relay.profile.operator).filter(|_| relay.profile.in_family)?;
        let family = members.chunks(MOST_IN_FAMILY).find(|family| family.last() >= Some(&relay.profile.fingerprint))?;
        family.first().copied().filter(|_| family.len() > 1)
    }
}
