//! Traffic of relays together, added up by time.
//!
//! Bytes that a relay passes on are read once and written once; only those written are counted. Histories of relays begin at
//! different times, so they are laid on one grid of time before they are summed: a relay that was not there yet adds nothing, and
//! an interval in which no relay has a value stays missing.

use allium_model::{GraphPeriod, Period, PublishedGraph, Quantity, RelayRecord, Series};

/// Sums over some relays, interval by interval.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Carried {
    /// Bytes written per second by all of them together; `None` where no relay has a value.
    pub(crate) rates: Vec<Option<f64>>,
    /// Length of an interval in seconds.
    pub(crate) interval_secs: u32,
    /// Relays with a history.
    pub(crate) n_relays: usize,
}

/// The traffic of relays in a period that the source publishes graphs of; `None` where none has one.
pub(crate) fn carried<'a>(relays: impl Iterator<Item = &'a RelayRecord>, period: Period) -> Option<Carried> {
    let graphs: Vec<&Series> = relays.filter_map(|relay| written(relay, period)).collect();
    let interval_secs = graphs.iter().map(|series| series.interval_secs()).min()?;
    let step = i64::from(interval_secs);
    let same_step = || graphs.iter().filter(|series| series.interval_secs() == interval_secs);
    let start = same_step().map(|series| index(series.start_secs(), step)).min()?;
    let end = same_step().map(|series| index(series.end_secs(), step)).max()?;
    let n = usize::try_from(end - start).ok().filter(|n| *n <= MAX_INTERVALS)?;
    let mut rates = vec![None; n];
    for series in same_step() {
        let offset = usize::try_from(index(series.start_secs(), step) - start).ok()?;
        for (rate, value) in rates[offset..].iter_mut().zip(series.values()) {
            if let Some(value) = value {
                *rate = Some(rate.unwrap_or(0.0) + value);
            }
        }
    }
    Some(Carried { rates, interval_secs, n_relays: same_step().count() })
}

/// The most intervals that are summed: seven years of hours.
const MAX_INTERVALS: usize = 1 << 16;

/// Bytes that a relay has written by its longest graph, and the seconds that this covers.
pub(crate) fn total_written(relay: &RelayRecord) -> Option<(f64, f64)> {
    let graphs = relay.published.iter().filter(|graph| graph.quantity == Quantity::BytesWritten);
    let longest = graphs.map(|graph| &graph.series).max_by_key(|series| series.end_secs() - series.start_secs())?;
    let interval_secs = f64::from(longest.interval_secs());
    let (mean, n) = longest.mean()?;
    Some((mean * n as f64 * interval_secs, n as f64 * interval_secs))
}

fn written(relay: &RelayRecord, period: Period) -> Option<&Series> {
    let is_wanted = |graph: &&PublishedGraph| graph.quantity == Quantity::BytesWritten && graph.period == GraphPeriod::Named(period);
    relay.published.iter().find(is_wanted).map(|graph| &graph.series).filter(|series| !series.is_empty())
}

/// The number since 1970 of the interval that starts nearest to this instant.
const fn index(secs: i64, step: i64) -> i64 {
    (secs + step / 2).div_euclid(step)
}
