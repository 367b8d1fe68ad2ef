//! From exact observations to the graph histories that Onionoo publishes.
//!
//! Question: given what was measured when, which values does a document of that hour show for its periods? Input: entries, each a
//! stretch of time with the mean value over it, sorted by start and disjoint, and the end of the newest consensus. Output: per
//! period at most one [`Graph`] with values in thousandths of its maximum, as Onionoo's `GraphHistoryCompiler` makes them:
//!
//! 1. A graph ends at the last whole interval before the end of data, and starts one *calendar* period earlier, cut down to a
//!    whole interval. The interval that is still running is never shown.
//! 2. Each entry adds to the bins that it overlaps. An entry that begins in the bin before the start and reaches past it
//!    counts into bin 0 from its own beginning, because Java's division truncates toward zero; bin 0 can so be distorted.
//!    Entries longer than a bin are divided among bins only where [`Scheme::divisible`].
//! 3. A bin has a value if at least [`Scheme::min_coverage_percent`] of the interval is covered.
//! 4. Values are truncated: `⌊999 × mean ÷ maximum⌋`, with factor `maximum ÷ 999`; so 998 can stand for the maximum.
//! 5. A graph needs two adjacent values. Longer graphs are tried only if some entry began at or before this graph's start.
//! 6. Empty bins at both ends are cut off.
//!
//! Times are seconds since 1970-01-01T00:00:00Z. Freezing (a document that is no longer rewritten) is the caller's doing:
//! it passes the end of the last consensus that listed the relay.

use allium_model::{ConsensusHour, Period};

/// A stretch `[start_secs, end_secs)` of measurements.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    /// Its start.
    pub start_secs: i64,
    /// Its end, exclusive.
    pub end_secs: i64,
    /// The mean over the stretch.
    pub value: f64,
}

/// The graphs that a kind of document has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheme {
    /// Periods, shortest first, with their intervals in hours.
    pub graphs: [(Period, i64); 4],
    /// Share of an interval that must be covered, in percent.
    pub min_coverage_percent: i64,
    /// True if an entry longer than an interval is divided among intervals, false if it is left out.
    pub divisible: bool,
}

impl Scheme {
    /// Uptime and flags.
    pub const UPTIME: Self = Self::with_hours([4, 12, 48, 240], true);
    /// Consensus weights and probabilities.
    pub const WEIGHTS: Self = Self::with_hours([4, 24, 48, 240], false);
    /// Bytes written and read.
    pub const BANDWIDTH: Self = Self::with_hours([24, 24, 48, 240], false);

    const fn with_hours(hours: [i64; 4], divisible: bool) -> Self {
        let [month, half_year, year, five_years] = hours;
        let graphs = [(Period::OneMonth, month), (Period::SixMonths, half_year), (Period::OneYear, year), (Period::FiveYears, five_years)];
        Self { graphs, min_coverage_percent: 20, divisible }
    }
}

/// A graph as published.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    /// The period.
    pub period: Period,
    /// The middle of the first interval with a value.
    pub first_secs: i64,
    /// The middle of the last interval with a value.
    pub last_secs: i64,
    /// The sampling step in seconds.
    pub interval_secs: i64,
    /// Factor that turns a code into a value.
    pub factor: f64,
    /// 0 to 999; `None` where too little was measured.
    pub values: Vec<Option<u16>>,
}

/// The graphs that a document shows whose newest consensus ends at `end`.
pub fn compile(entries: &[Entry], end: ConsensusHour, scheme: &Scheme) -> Vec<Graph> {
    let Some(earliest) = entries.first().map(|entry| entry.start_secs) else { return Vec::new() };
    let mut graphs = Vec::new();
    for (period, interval_hours) in scheme.graphs {
        let window = Window::new(period, interval_hours * 3600, end);
        let Some(graph) = window.graph(period, entries, scheme) else { continue };
        graphs.push(graph);
        if earliest > window.start {
            break;
        }
    }
    graphs
}

/// Presence of a relay in known consensuses: 1 where it is listed, 0 where it is not, nothing before its first appearance and
/// nothing where no consensus is known. `listed` and `known` are sorted, disjoint, half-open stretches; neighbours that touch are
/// one stretch.
pub fn presence_entries(listed: &[(ConsensusHour, ConsensusHour)], known: &[(ConsensusHour, ConsensusHour)]) -> Vec<Entry> {
    let Some(&(first, _)) = listed.first() else { return Vec::new() };
    share_entries(listed, known, first)
}

/// As [`presence_entries`], for something that a relay has in `held` and that counts from `first` on: a flag, of which
/// the hours after the relay's first appearance without it are 0.
pub fn share_entries(
    held: &[(ConsensusHour, ConsensusHour)],
    known: &[(ConsensusHour, ConsensusHour)],
    first: ConsensusHour,
) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::with_capacity(2 * held.len() + known.len());
    let mut held = merged(held).peekable();
    for (known_start, known_end) in merged(known) {
        let mut at = known_start.max(first);
        while at < known_end {
            while held.next_if(|(_, end)| *end <= at).is_some() {}
            let (value, until) = match held.peek() {
                Some((start, end)) if *start <= at => (1.0, *end),
                Some((start, _)) => (0.0, *start),
                None => (0.0, known_end),
            };
            let until = until.min(known_end);
            entries.push(Entry { start_secs: at.start_secs(), end_secs: until.start_secs(), value });
            at = until;
        }
    }
    entries
}

/// The same stretches with touching neighbours joined.
fn merged(stretches: &[(ConsensusHour, ConsensusHour)]) -> impl Iterator<Item = (ConsensusHour, ConsensusHour)> {
    let mut rest = stretches.iter().copied().peekable();
    std::iter::from_fn(move || {
        let (start, mut end) = rest.next()?;
        while let Some((_, next_end)) = rest.next_if(|(next_start, _)| *next_start <= end) {
            end = end.max(next_end);
        }
        Some((start, end))
    })
}

/// The bins of one graph.
struct Window {
    start: i64,
    interval: i64,
    n_bins: i64,
}

/// Sums of a bin: seconds covered, and value × seconds.
#[derive(Clone, Copy, Default)]
struct Bin {
    covered: i64,
    total: f64,
}

impl Bin {
    fn mean(self) -> f64 {
        self.total / self.covered as f64
    }
}

impl Window {
    fn new(period: Period, interval: i64, end: ConsensusHour) -> Self {
        let floor = |secs: i64| secs.div_euclid(interval) * interval;
        let graph_end = floor(end.start_secs());
        let start = floor(period.start_before(ConsensusHour::new((graph_end / 3600) as i32)).start_secs());
        Self { start, interval, n_bins: (graph_end - start) / interval }
    }

    fn graph(&self, period: Period, entries: &[Entry], scheme: &Scheme) -> Option<Graph> {
        let bins = self.fill(entries, scheme.divisible);
        let has_value = |bin: &Bin| bin.covered > 0 && bin.covered * 100 >= self.interval * scheme.min_coverage_percent;
        let first = bins.iter().position(has_value)?;
        let last = bins.iter().rposition(has_value)?;
        if !bins.windows(2).any(|pair| pair.iter().all(has_value)) {
            return None;
        }
        let shown = &bins[first..=last];
        let maximum = shown.iter().filter(|bin| has_value(bin)).map(|bin| bin.mean()).fold(0.0, f64::max);
        let value = |bin: &Bin| has_value(bin).then(|| thousandths(*bin, maximum));
        Some(Graph {
            period,
            first_secs: self.middle(first),
            last_secs: self.middle(last),
            interval_secs: self.interval,
            factor: maximum / 999.0,
            values: shown.iter().map(value).collect(),
        })
    }

    /// Adds up the entries per bin.
    fn fill(&self, entries: &[Entry], divisible: bool) -> Vec<Bin> {
        let end = self.start + self.n_bins * self.interval;
        let mut bins = vec![Bin::default(); self.n_bins.max(0) as usize];
        let from = entries.partition_point(|entry| entry.end_secs <= self.start);
        let relevant = entries[from..].iter().take_while(|entry| entry.start_secs < end);
        for entry in relevant.filter(|entry| divisible || entry.end_secs - entry.start_secs <= self.interval) {
            let mut at = entry.start_secs;
            while at < entry.end_secs.min(end) {
                // Truncates toward zero: the bin before the start is bin 0 too.
                let bin_idx = (at - self.start) / self.interval;
                let until = if at < self.start && bin_idx < 0 { self.start } else { self.start + (bin_idx + 1) * self.interval };
                let until = until.min(entry.end_secs);
                if let Some(bin) = usize::try_from(bin_idx).ok().and_then(|i| bins.get_mut(i)) {
                    bin.covered += until - at;
                    bin.total += entry.value * (until - at) as f64;
                }
                at = until;
            }
        }
        bins
    }

    const fn middle(&self, bin: usize) -> i64 {
        self.start + bin as i64 * self.interval + self.interval / 2
    }
}

/// A bin in thousandths of the maximum; 0 where the maximum is 0, as Java turns 0 ÷ 0 into the whole number 0.
fn thousandths(bin: Bin, maximum: f64) -> u16 {
    ((999.0 * bin.total) / (maximum * bin.covered as f64)) as u16
}
