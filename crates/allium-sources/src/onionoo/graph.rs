//! One graph: evenly sampled values of a quantity over a period.
//!
//! As written: `first` and `last` are the midpoints of the first and last interval, `interval` is in seconds, `values`
//! are codes from 0 to 999 or null (nobody measured), and value `i` is `values[i] × factor`. As kept: the start of the
//! first interval, which is `first − interval / 2`, and the codes with their scale, so that nothing is rounded.
//!
//! Where `last` and `count` agree on fewer values than there are, the ones beyond `last` are left out; a `count` or `last` that differs
//! otherwise is noted, and the graph lies where `first` puts it. A graph whose `last` lies before its `first` lies nowhere.
//!
//! Of a graph that runs past the document's newest consensus the intervals that were complete by then are kept, and of one that begins
//! before Tor began those since; what is left out is noted. By one interval a graph may reach beyond the consensus: the bridges of a
//! document may be newer than its relays.
//!
//! A share never exceeds 1: where 999 × factor does so in its last digits the scale is lowered by as little as needed.
//! A graph that cannot be located in time, or whose factor makes no sense, is unusable as a whole; a code out of range
//! is missing.

use std::ops::Range;

use allium_model::time::parse_tor_time;
use allium_model::{ConsensusHour, Series, TOR_BEGAN, Timestamp};

use super::json::{BadCodes, Broken, Cursor};
use crate::whole::whole;

/// The highest code.
const MAX_CODE: u16 = 999;
/// More intervals than any period needs: five years of 4 hours are 10,958.
pub(super) const MAX_INTERVALS: usize = 20_000;
/// No interval is longer than a year.
const MAX_INTERVAL_SECS: u32 = 366 * 86_400;
/// Highest factor: 999 of it stay within what counts as a sensible bandwidth or weight.
const MAX_FACTOR: f64 = 1e9;
/// Amount by which a share may exceed 1, for the error of its last digits.
const SHARE_TOLERANCE: f64 = 1e-6;

/// A graph that could be read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Graph {
    pub(super) series: Series,
    /// True if `last` and the number of values agree on its end.
    pub(super) end_is_certain: bool,
}

/// Reason why a graph cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unusable {
    /// No JSON.
    Broken(Broken),
    /// JSON that makes no sense.
    Senseless(String),
}

impl From<Broken> for Unusable {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl Unusable {
    pub(super) fn reason(&self) -> &str {
        match self {
            Self::Broken(broken) => broken.reason,
            Self::Senseless(reason) => reason,
        }
    }
}

/// Reads the graph at the cursor. `codes` is scratch space; `note` takes what is wrong but does not spoil the graph.
pub(super) fn graph(
    cursor: &mut Cursor<'_>,
    is_share: bool,
    published: ConsensusHour,
    codes: &mut Vec<Option<u16>>,
    note: &mut dyn FnMut(String),
) -> Result<Graph, Unusable> {
    let parts = parts(cursor, codes, note)?;
    let bad = parts.bad_codes.ok_or_else(|| senseless("no values"))?;
    if let Some(BadCodes { n, first }) = bad {
        note(format!("{n} values are no codes from 0 to 999, the first is values[{first}]"));
    }
    if codes.is_empty() {
        return Err(senseless("no values"));
    }
    if codes.len() > MAX_INTERVALS {
        return Err(senseless(format!("{} values are more than {MAX_INTERVALS}", codes.len())));
    }
    let interval_secs = parts.interval_secs.ok_or_else(|| senseless("no interval"))?;
    let midpoint_secs = parts.first_secs.ok_or_else(|| senseless("no first"))?;
    let factor = parts.factor.ok_or_else(|| senseless("no factor"))?;
    let axis = Axis { start_secs: midpoint_secs - i64::from(interval_secs) / 2, interval_secs };
    let end_is_certain = settle_length(&parts, axis, codes, note)?;
    let kept = axis.possible(codes.len(), published, note)?;
    let kept_codes = &codes[kept.clone()];
    let scale = if is_share { share_scale(factor, kept_codes)? } else { factor };
    let start_secs = axis.start_of(kept.start);
    let series =
        Series::from_codes(start_secs, interval_secs, scale, kept_codes.iter().copied()).ok_or_else(|| senseless("no interval"))?;
    Ok(Graph { series, end_is_certain })
}

/// Cuts the values to the length on which `last` and `count` agree; true if `last` fits the values. Differences are noted.
fn settle_length(parts: &Parts, axis: Axis, codes: &mut Vec<Option<u16>>, note: &mut dyn FnMut(String)) -> Result<bool, Unusable> {
    let by_last = parts.last_secs.map(|last| axis.length_until(last).ok_or_else(|| senseless("last lies before first"))).transpose()?;
    let by_count = parts.count;
    if let (Some(Some(n)), Some(count)) = (by_last, by_count)
        && n == count
        && n < codes.len()
    {
        note(format!("{} values beyond last and count, which agree on {n}, are left out", codes.len() - n));
        codes.truncate(n);
        return Ok(true);
    }
    let fits = by_last.is_none_or(|n| n == Some(codes.len()));
    match by_count.filter(|count| *count != codes.len()) {
        _ if !fits => note(format!("last does not fit first, interval and {} values", codes.len())),
        Some(count) => note(format!("count is {count}, there are {} values", codes.len())),
        None => {}
    }
    Ok(fits)
}

/// Position of values in time.
#[derive(Clone, Copy)]
struct Axis {
    start_secs: i64,
    interval_secs: u32,
}

impl Axis {
    /// Start of an interval by its index.
    fn start_of(self, index: usize) -> i64 {
        self.start_secs + index as i64 * i64::from(self.interval_secs)
    }

    /// Number of intervals up to the one with this midpoint: `None` of it where no interval has that midpoint, `None` where that is before
    /// the first one.
    fn length_until(self, midpoint_secs: i64) -> Option<Option<usize>> {
        let interval_secs = i64::from(self.interval_secs);
        let start_secs = midpoint_secs - interval_secs / 2 - self.start_secs;
        let length = usize::try_from(start_secs.div_euclid(interval_secs) + 1).ok()?;
        (length > 0).then(|| (start_secs % interval_secs == 0).then_some(length))
    }

    /// The intervals among the first `n` that can be; the others are noted.
    fn possible(self, n: usize, published: ConsensusHour, note: &mut dyn FnMut(String)) -> Result<Range<usize>, Unusable> {
        let interval_secs = i64::from(self.interval_secs);
        let complete_by = |secs: i64| usize::try_from((secs - self.start_secs).div_euclid(interval_secs)).unwrap_or(0).min(n);
        let (first, newest_end) = (complete_by(TOR_BEGAN.start_secs() + interval_secs - 1), published.next().start_secs());
        // Bridges may have been seen in a later hour than relays, which moves the ends of all graphs.
        let end = if self.start_of(n) > newest_end + interval_secs { complete_by(newest_end) } else { n };
        if first == n {
            return Err(senseless(format!("ends before {}, when Tor began", &TOR_BEGAN.to_string()[..10])));
        }
        if end <= first {
            return Err(senseless(format!("begins after the newest consensus, {published}")));
        }
        if first > 0 {
            note(format!("{first} of {n} values lie before {}, when Tor began; they are left out", &TOR_BEGAN.to_string()[..10]));
        }
        if end < n {
            note(format!("{} of {n} values lie after the newest consensus, {published}; they are left out", n - end));
        }
        Ok(first..end)
    }
}

#[derive(Default)]
struct Parts {
    first_secs: Option<i64>,
    last_secs: Option<i64>,
    interval_secs: Option<u32>,
    factor: Option<f64>,
    count: Option<usize>,
    bad_codes: Option<Option<BadCodes>>,
}

fn parts(cursor: &mut Cursor<'_>, codes: &mut Vec<Option<u16>>, note: &mut dyn FnMut(String)) -> Result<Parts, Unusable> {
    let mut parts = Parts::default();
    cursor.expect(b'{', "expected a graph object")?;
    let mut first = true;
    while let Some(key) = cursor.next_key(&mut first)? {
        match key {
            b"first" if parts.first_secs.is_none() => parts.first_secs = Some(midpoint(cursor)?),
            b"last" if parts.last_secs.is_none() => parts.last_secs = Some(midpoint(cursor)?),
            b"interval" if parts.interval_secs.is_none() => parts.interval_secs = Some(interval(cursor.number()?)?),
            b"factor" if parts.factor.is_none() => parts.factor = Some(factor(cursor.number()?)?),
            b"values" if parts.bad_codes.is_none() => parts.bad_codes = Some(cursor.codes(MAX_CODE, codes)?),
            b"count" if parts.count.is_none() => parts.count = count(cursor.skip()?, note),
            b"first" | b"last" | b"interval" | b"factor" | b"count" | b"values" => {
                note("a member is given twice; the first counts".to_owned());
                cursor.skip()?;
            }
            _ => drop(cursor.skip()?),
        }
    }
    Ok(parts)
}

fn midpoint(cursor: &mut Cursor<'_>) -> Result<i64, Unusable> {
    let text = cursor.string()?;
    parse_tor_time(&text).map(Timestamp::as_second).map_err(|error| senseless(error.to_string()))
}

fn interval(text: &str) -> Result<u32, Unusable> {
    let secs = whole(text).and_then(|secs| u32::try_from(secs).ok()).filter(|secs| (1..=MAX_INTERVAL_SECS).contains(secs));
    secs.ok_or_else(|| senseless(format!("interval {} is no number of seconds up to a year", short(text))))
}

fn factor(text: &str) -> Result<f64, Unusable> {
    let factor = text.parse().ok().filter(|factor| (0.0..=MAX_FACTOR).contains(factor));
    // A factor of -0 is 0.
    factor.map(|factor: f64| factor + 0.0).ok_or_else(|| senseless(format!("factor {} is no number from 0 to {MAX_FACTOR}", short(text))))
}

/// The number of values as stated; `None`, and a note, where it is no whole number.
fn count(text: &[u8], note: &mut dyn FnMut(String)) -> Option<usize> {
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok());
    let count = number.filter(|number| (0.0..=MAX_INTERVALS as f64).contains(number) && number.fract() == 0.0);
    if count.is_none() && text != b"null" {
        note("count is no number of values".to_owned());
    }
    count.map(|number| number as usize)
}

/// The factor of a share, lowered so that no value exceeds 1.
fn share_scale(factor: f64, codes: &[Option<u16>]) -> Result<f64, Unusable> {
    let highest = f64::from(codes.iter().flatten().copied().max().unwrap_or(0));
    if highest * factor <= 1.0 {
        return Ok(factor);
    }
    if highest * factor > 1.0 + SHARE_TOLERANCE {
        return Err(senseless(format!("factor {factor} makes shares above 1")));
    }
    let scale = 1.0 / highest;
    Ok(if highest * scale > 1.0 { scale.next_down() } else { scale })
}

fn senseless(reason: impl Into<String>) -> Unusable {
    Unusable::Senseless(reason.into())
}

fn short(text: &str) -> &str {
    let end = text.char_indices().nth(40).map_or(text.len(), |(end, _)| end);
    &text[..end]
}
