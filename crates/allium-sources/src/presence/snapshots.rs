//! The list of snapshots, and their totals counted again.

use std::ops::RangeInclusive;

use allium_model::{Bounds, Timestamp};

use super::rejects::Rejects;
use super::spans::Span;
use super::table::{Row, Table};
use crate::error::Error;
use crate::whole::whole;

const COLUMNS: [&str; 5] = ["snapshot", "fetched_at", "running", "guard", "exit"];

/// One list of running relays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    /// Its number, by which spans name it.
    pub index: u32,
    /// Time at which it was fetched.
    pub fetched_at: Timestamp,
    /// Number of relays in it, as the file states it.
    pub totals: Totals,
    /// Its line in the file.
    line: u64,
}

/// Number of relays in a list: all, and those with a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// All, because lists hold running relays only.
    pub running: u32,
    /// With the Guard flag.
    pub guard: u32,
    /// With the Exit flag.
    pub exit: u32,
}

/// The snapshots in the order of time.
pub(super) struct List {
    pub(super) snapshots: Vec<Snapshot>,
    /// The least and greatest index on any row, those of rejects among them: spans may name these.
    pub(super) indexes: RangeInclusive<u32>,
}

/// Reads the list; a row that repeats an index, goes back in index or time, or has a time that cannot be is a reject.
pub(super) fn decode(bytes: &[u8], origin: &str, bounds: Bounds, rejects: &mut Rejects) -> Result<List, Error> {
    let mut table = Table::open(bytes, origin, COLUMNS)?;
    let (mut snapshots, mut indexes): (Vec<Snapshot>, Vec<u32>) = (Vec::new(), Vec::new());
    while let Some(row) = table.next_row() {
        let understood = row.and_then(|row| {
            indexes.extend(number(&row, 0));
            let snapshot =
                snapshot(&row).and_then(|snapshot| possible(snapshot, bounds)).and_then(|snapshot| follows(snapshots.last(), snapshot));
            snapshot.map_err(|reason| (row.line, reason))
        });
        match understood {
            Ok(snapshot) => snapshots.push(snapshot),
            Err((line, reason)) => rejects.add(origin, || format!("line {line}"), None, reason),
        }
    }
    match (indexes.iter().min(), indexes.iter().max()) {
        (Some(least), Some(greatest)) if !snapshots.is_empty() => Ok(List { snapshots, indexes: *least..=*greatest }),
        _ => Err(Error::Table { origin: origin.to_owned(), reason: "no snapshot that can be used".to_owned() }),
    }
}

fn snapshot(row: &Row<'_, 5>) -> Result<Snapshot, String> {
    let totals = Totals { running: number(row, 2)?, guard: number(row, 3)?, exit: number(row, 4)? };
    let fetched_at = field(row, 1, |text| text.parse().ok())?;
    Ok(Snapshot { index: number(row, 0)?, fetched_at, totals, line: row.line })
}

fn number(row: &Row<'_, 5>, column: usize) -> Result<u32, String> {
    field(row, column, |text| whole(text).and_then(|number| u32::try_from(number).ok()))
}

fn field<T>(row: &Row<'_, 5>, column: usize, read: impl FnOnce(&str) -> Option<T>) -> Result<T, String> {
    let text = row.text(column);
    read(&text).ok_or_else(|| format!("{} is {:?}", COLUMNS[column], text.chars().take(40).collect::<String>()))
}

fn possible(snapshot: Snapshot, bounds: Bounds) -> Result<Snapshot, String> {
    match bounds.check(snapshot.fetched_at) {
        Ok(()) => Ok(snapshot),
        Err(impossible) => Err(format!("fetched_at of snapshot {}: {impossible}", snapshot.index)),
    }
}

fn follows(previous: Option<&Snapshot>, snapshot: Snapshot) -> Result<Snapshot, String> {
    let Some(previous) = previous else { return Ok(snapshot) };
    let (index, at) = (snapshot.index, snapshot.fetched_at);
    if index == previous.index {
        return Err(format!("snapshot {index} is listed twice"));
    }
    if index < previous.index {
        return Err(format!("snapshot {index} comes after {}", previous.index));
    }
    if at <= previous.fetched_at {
        return Err(format!("snapshot {index} was fetched at {at}, not after the one before, {}", previous.fetched_at));
    }
    Ok(snapshot)
}

/// Counts every snapshot from the spans; each one whose totals are different is a reject. Returns their number.
pub(super) fn compare(snapshots: &[Snapshot], spans: &[Span], origin: &str, rejects: &mut Rejects) -> usize {
    let mut n_mismatches = 0;
    for (snapshot, counted) in snapshots.iter().zip(counts(snapshots.len(), spans)) {
        let Totals { running, guard, exit } = snapshot.totals;
        let pairs = [("running", running, counted.running), ("guard", guard, counted.guard), ("exit", exit, counted.exit)];
        let differences = pairs.into_iter().filter(|(_, listed, counted)| listed != counted);
        let differences: Vec<_> =
            differences.map(|(what, listed, counted)| format!("{what} is {listed}, {counted} in the spans")).collect();
        if !differences.is_empty() {
            n_mismatches += 1;
            let location = || format!("line {} snapshot {}", snapshot.line, snapshot.index);
            rejects.add(origin, location, None, differences.join("; "));
        }
    }
    n_mismatches
}

/// The totals of each snapshot as the spans have it.
fn counts(n_snapshots: usize, spans: &[Span]) -> impl Iterator<Item = Totals> {
    let mut changes = vec![[0i32; 3]; n_snapshots + 1];
    for span in spans {
        let held = [1, i32::from(span.guard), i32::from(span.exit)];
        for (i, n) in held.into_iter().enumerate() {
            changes[span.snapshots.start as usize][i] += n;
            changes[span.snapshots.end as usize][i] -= n;
        }
    }
    changes.into_iter().take(n_snapshots).scan([0i32; 3], |sums, change| {
        sums.iter_mut().zip(change).for_each(|(sum, n)| *sum += n);
        let [running, guard, exit] = sums.map(i32::unsigned_abs);
        Some(Totals { running, guard, exit })
    })
}
