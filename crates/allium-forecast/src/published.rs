//! A history made from the binned graphs that others publish, for the day on which there is no history of one's own.
//!
//! The finest graph counts for each stretch of time. A bin of n hours with the share v becomes round(v·n) hours of Running, put
//! next to the Running hours beside it, so that an outage is not cut in pieces: the number of outages is the least that the
//! graph allows. A bin without a value goes on as the one before.
//!
//! # Limits
//!
//! Graphs are of relays that still exist: departures of the past are missing, so how many leave for good is taken from the public
//! record instead, see [`Renewal::of_record`](crate::models::Renewal::of_record). Short outages within coarse bins are merged.
//! Flags of the past are not known.

use std::ops::Range;

use allium_model::{Asn, ConsensusHour, CountryCode, Fingerprint, Series};

use crate::past::{Past, PastSpan, RelayPast};

/// Days for which a history of graphs is made.
const MAX_DAYS: i32 = 400;
/// Seconds of an hour.
const HOUR_SECS: i64 = 3600;

/// The published history of one relay.
#[derive(Debug, Clone)]
pub struct Published<'a> {
    /// The relay.
    pub fingerprint: Fingerprint,
    /// Autonomous system of its address.
    pub asn: Option<Asn>,
    /// Country of its address.
    pub country: Option<CountryCode>,
    /// The newest consensus that lists it.
    pub last_seen: Option<ConsensusHour>,
    /// Graphs of its uptime.
    pub uptime: Vec<&'a Series>,
}

impl Past {
    /// The history in these graphs up to and including `as_of`.
    pub fn of_published<'a>(relays: impl IntoIterator<Item = Published<'a>>, as_of: ConsensusHour) -> Self {
        let first = as_of.next().plus(-24 * MAX_DAYS);
        let hours: Vec<ConsensusHour> = (0..24 * MAX_DAYS).map(|i| first.plus(i)).collect();
        let relays = relays.into_iter().filter_map(|relay| history(&relay, first, hours.len()));
        Self::new(hours.clone(), relays.collect()).of_survivors()
    }
}

fn history(relay: &Published<'_>, first: ConsensusHour, n_hours: usize) -> Option<RelayPast> {
    let index = |secs: i64| ((secs - first.start_secs()).div_euclid(HOUR_SECS)).clamp(0, n_hours as i64) as usize;
    let mut is_up = vec![None; n_hours];
    let mut graphs = relay.uptime.clone();
    graphs.sort_by_key(|series| series.interval_secs());
    for series in graphs {
        let mut was_up = false;
        for (i, value) in series.values().enumerate() {
            let start = series.start_secs() + i as i64 * i64::from(series.interval_secs());
            let indices = index(start)..index(start + i64::from(series.interval_secs()));
            let Some(value) = value else { continue };
            was_up = fill(&mut is_up, indices, value, was_up);
        }
    }
    if let Some(seen) = relay.last_seen.map(|seen| index(seen.start_secs())).filter(|seen| *seen < n_hours) {
        is_up[seen] = Some(true);
    }
    let spans = runs(&is_up).map(|run| PastSpan {
        start: run.start,
        end: run.end,
        running: true,
        guard: false,
        exit: false,
        asn: relay.asn,
        country: relay.country,
    });
    let spans: Vec<PastSpan> = spans.collect();
    (!spans.is_empty()).then(|| RelayPast::new(relay.fingerprint, spans))
}

/// Sets those hours of a bin that no finer graph covers; returns whether it ends up.
fn fill(is_up: &mut [Option<bool>], indices: Range<usize>, value: f64, was_up: bool) -> bool {
    let n = indices.len();
    let n_up = (value * n as f64).round() as usize;
    for (i, index) in indices.enumerate() {
        let up = if was_up { i < n_up } else { i >= n - n_up.min(n) };
        is_up[index].get_or_insert(up);
    }
    n_up >= n || (!was_up && n_up > 0)
}

/// Stretches of hours that are up; an hour of which nothing is known goes on as the one before it.
fn runs(is_up: &[Option<bool>]) -> impl Iterator<Item = Range<u32>> {
    let mut carried = false;
    let known: Vec<bool> = is_up
        .iter()
        .map(|up| {
            carried = up.unwrap_or(carried);
            carried
        })
        .collect();
    let mut runs: Vec<Range<u32>> = Vec::new();
    for (i, _) in known.iter().enumerate().filter(|(_, up)| **up) {
        match runs.last_mut() {
            Some(run) if run.end == i as u32 => run.end += 1,
            _ => runs.push(i as u32..i as u32 + 1),
        }
    }
    runs.into_iter()
}
