//! Features of a relay's own history.

use std::ops::Range;

use allium_model::ConsensusHour;

use crate::past::{Past, RelayPast};

/// Days of the windows of uptime.
const WINDOWS_DAYS: [i32; 9] = [1, 3, 7, 14, 30, 60, 90, 180, 365];
/// Blocks of 30 days that are looked at.
const N_BLOCKS: i32 = 12;
/// Fewest consensuses of a block that count.
const BLOCK_MIN: u32 = 48;
/// The fall of the logarithm of a weight per consensus: weights halve every 54 days.
const DECAY_SLOW: f64 = 0.000_535;
/// As the directory authorities do for weighted fractional uptime: weights fall to 0.95 every 12 hours.
const DECAY_WFU: f64 = 0.004_274_44;

/// The indices of the windows before an origin.
pub(crate) struct Clock<'a> {
    /// The known hours.
    pub(crate) hours: &'a [ConsensusHour],
    /// The origin.
    pub(crate) as_of: ConsensusHour,
    /// Index after the origin.
    pub(crate) end: u32,
    windows: [u32; 9],
    blocks: Vec<Range<u32>>,
}

impl<'a> Clock<'a> {
    pub(crate) fn at(past: &'a Past, as_of: ConsensusHour) -> Self {
        let start = |days: i32| past.window(as_of, days * 24).start;
        let blocks = (0..N_BLOCKS).map(|i| start((i + 1) * 30)..start(i * 30)).collect();
        Self { hours: past.hours(), as_of, end: past.index_after(as_of), windows: WINDOWS_DAYS.map(start), blocks }
    }

    /// The first index of the last `days` days; `days` is one of [`WINDOWS_DAYS`].
    pub(crate) fn start(&self, days: i32) -> u32 {
        WINDOWS_DAYS.iter().position(|d| *d == days).map_or(0, |i| self.windows[i])
    }

    /// Hours from an index to the end of the origin.
    pub(crate) fn hours_since(&self, index: u32) -> f64 {
        f64::from(self.as_of.next().hours_since(self.hours[index as usize]))
    }

    /// Hours between the starts of two indices; the second may be the end.
    fn hours_between(&self, from: u32, to: u32) -> f64 {
        let end = self.hours.get(to as usize).copied().filter(|_| to < self.end).unwrap_or(self.as_of.next());
        f64::from(end.hours_since(self.hours[from as usize]))
    }
}

/// Share of the indices at which the relay is Running; NaN for none.
pub(crate) fn share(relay: &RelayPast, indices: &Range<u32>) -> f64 {
    if indices.is_empty() { f64::NAN } else { f64::from(relay.up_in(indices)) / f64::from(indices.end - indices.start) }
}

/// Appends the features of one relay that was listed before the origin.
pub(crate) fn push(values: &mut Vec<f32>, relay: &RelayPast, clock: &Clock<'_>) {
    let first = relay.first_listed().unwrap_or(clock.end);
    uptimes(values, relay, clock, first);
    outages(values, relay, clock);
    now(values, relay, clock);
    let age_days = clock.hours_since(first) / 24.0;
    extend(values, [age_days, f64::from(u8::from(relay.debut(clock.hours).is_none()))]);
    flags(values, relay, clock, first);
    cycles(values, relay, clock, first);
}

fn extend<const N: usize>(values: &mut Vec<f32>, features: [f64; N]) {
    values.extend(features.map(|feature| feature as f32));
}

fn uptimes(values: &mut Vec<f32>, relay: &RelayPast, clock: &Clock<'_>, first: u32) {
    let since = |start: u32| share(relay, &(start.max(first)..clock.end));
    extend(values, clock.windows.map(since));
    extend(values, [since(0), decayed(relay, clock, first, DECAY_SLOW), decayed(relay, clock, first, DECAY_WFU)]);
    let block = |indices: &Range<u32>| {
        let indices = indices.start.max(first)..indices.end;
        if indices.len() as u32 >= BLOCK_MIN { share(relay, &indices) } else { f64::NAN }
    };
    let blocks: Vec<f64> = clock.blocks.iter().map(block).collect();
    extend(values, [blocks[1], blocks[2], blocks[3]]);
    let known: Vec<f64> = blocks.into_iter().filter(|share| !share.is_nan()).collect();
    let share_of = |limit: f64| known.iter().filter(|share| **share >= limit).count() as f64 / known.len() as f64;
    let least = known.iter().copied().fold(f64::NAN, f64::min);
    extend(values, [least, allium_stats::std_dev(&known).unwrap_or(f64::NAN), share_of(0.9), share_of(0.98), share_of(1.0)]);
}

/// Uptime with weights that fall by this rate per consensus, the newest one weighing most.
fn decayed(relay: &RelayPast, clock: &Clock<'_>, first: u32, rate: f64) -> f64 {
    let weight = |from: u32, to: u32| (-rate * f64::from(clock.end - to)).exp() - (-rate * f64::from(clock.end - from)).exp();
    let up: f64 = relay.runs_before(clock.end).iter().map(|run| weight(run.start, run.end.min(clock.end))).sum();
    up / weight(first, clock.end)
}

fn outages(values: &mut Vec<f32>, relay: &RelayPast, clock: &Clock<'_>) {
    let runs = relay.runs_before(clock.end);
    let downs = |days: i32| runs.iter().rev().filter(|run| run.end < clock.end && run.end >= clock.start(days)).count() as f64;
    let year = clock.start(365);
    // Outages that ended, by the index of their end.
    let ended = || runs.windows(2).rev().take_while(|pair| pair[1].start >= year);
    let lengths: Vec<(u32, f64)> = ended().map(|pair| (pair[1].start, clock.hours_between(pair[0].end, pair[1].start))).collect();
    let longest = |since: u32| lengths.iter().filter(|(end, _)| *end >= since).map(|(_, hours)| *hours).fold(0.0, f64::max);
    let last = lengths.first().map_or(f64::NAN, |(_, hours)| *hours);
    let hours: Vec<f64> = lengths.iter().map(|(_, hours)| *hours).collect();
    let run_hours: Vec<f64> =
        runs.iter().rev().take_while(|run| run.end > year).map(|run| clock.hours_between(run.start, run.end.min(clock.end))).collect();
    let known_hours = clock.hours_since(year.max(relay.first_listed().unwrap_or(0)));
    let since_long = lengths.iter().find(|(_, hours)| *hours >= 24.0).map_or(f64::NAN, |(end, _)| clock.hours_since(*end));
    extend(values, [downs(7), downs(30), downs(90), downs(365)]);
    extend(values, [last, allium_stats::mean(&hours).unwrap_or(f64::NAN), longest(clock.start(90)), longest(year)]);
    extend(values, [allium_stats::median(&run_hours).unwrap_or(f64::NAN), run_hours.iter().copied().fold(0.0, f64::max)]);
    extend(values, [downs(365) / (known_hours / 720.0).max(0.1), since_long]);
}

fn now(values: &mut Vec<f32>, relay: &RelayPast, clock: &Clock<'_>) {
    let runs = relay.runs_before(clock.end);
    let Some(last) = runs.last() else { return extend(values, [0.0, f64::NAN, f64::NAN, f64::NAN]) };
    if last.end >= clock.end {
        return extend(values, [1.0, clock.hours_since(last.start), 0.0, 0.0]);
    }
    let down_for = clock.hours_since(last.end);
    let longest = runs.windows(2).map(|pair| clock.hours_between(pair[0].end, pair[1].start)).fold(0.0, f64::max);
    extend(values, [0.0, down_for, down_for, down_for / longest.max(1.0)]);
}

fn flags(values: &mut Vec<f32>, relay: &RelayPast, clock: &Clock<'_>, first: u32) {
    let spans = relay.spans_before(clock.end);
    let held = |since: u32, flag: fn(&crate::past::PastSpan) -> bool| {
        let since = since.max(first);
        let recent = spans.iter().rev().take_while(|span| span.end > since);
        let n = recent.clone().map(|span| span.end.min(clock.end) - span.start.max(since)).sum::<u32>();
        let with = recent.filter(|span| flag(span)).map(|span| span.end.min(clock.end) - span.start.max(since)).sum::<u32>();
        if n == 0 { f64::NAN } else { f64::from(with) / f64::from(n) }
    };
    let last = spans.last();
    let bit = |flag: fn(&crate::past::PastSpan) -> bool| last.map_or(f64::NAN, |span| f64::from(u8::from(flag(span))));
    let recent = spans.windows(2).rev().take_while(|pair| pair[1].start >= clock.start(90));
    let changes = recent.filter(|pair| pair[0].exit != pair[1].exit).count() as f64;
    extend(values, [bit(|span| span.guard), bit(|span| span.exit)]);
    extend(values, [held(clock.start(30), |span| span.guard), held(clock.start(30), |span| span.exit)]);
    extend(values, [held(clock.start(180), |span| span.guard), changes]);
}

/// Difference between the best and the worst part of the day (8 parts) and of the week (7 days) over the last 60 days.
fn cycles(values: &mut Vec<f32>, relay: &RelayPast, clock: &Clock<'_>, first: u32) {
    let indices = clock.start(60).max(first)..clock.end;
    let mut day = [(0u32, 0u32); 8];
    let mut week = [(0u32, 0u32); 7];
    let start = indices.start;
    let mut runs = relay.runs_before(clock.end).iter().skip_while(|run| run.end <= start).peekable();
    for index in indices {
        while runs.peek().is_some_and(|run| run.end <= index) {
            runs.next();
        }
        let up = u32::from(runs.peek().is_some_and(|run| run.start <= index));
        let hour = clock.hours[index as usize].get();
        let part = &mut day[(hour.rem_euclid(24) / 3) as usize];
        *part = (part.0 + up, part.1 + 1);
        let part = &mut week[(hour.div_euclid(24).rem_euclid(7)) as usize];
        *part = (part.0 + up, part.1 + 1);
    }
    extend(values, [range(&day), range(&week)]);
}

fn range(parts: &[(u32, u32)]) -> f64 {
    let shares = parts.iter().map(|(up, n)| if *n == 0 { f64::NAN } else { f64::from(*up) / f64::from(*n) });
    let (low, high) = shares.fold((f64::NAN, f64::NAN), |(low, high), share| (share.min(low), share.max(high)));
    high - low
}
