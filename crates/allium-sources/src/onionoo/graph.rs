//! One graph: evenly sampled values of a quantity over a period.
//!
//! As written: `first` and `last` are the midpoints of the first and last interval, `interval` is in seconds, `values`
//! are codes from 0 to 999 or null (nobody measured), and value `i` is `values[i] × factor`. As kept: the start of the
//! first interval, which is `first − interval / 2`, and the codes with their scale, so that nothing is rounded.
//! `count` is not needed: the list knows its length.
//!
//! A share never exceeds 1: where 999 × factor does so in its last digits the scale is lowered by as little as needed.
//! A graph that cannot be located in time, or whose factor makes no sense, is unusable as a whole; a code out of range
//! is missing.

use allium_model::time::parse_tor_time;
use allium_model::{ConsensusHour, Series, Timestamp};

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
    let scale = if is_share { share_scale(factor, codes)? } else { factor };
    let start_secs = midpoint_secs - i64::from(interval_secs) / 2;
    if start_secs < 0 {
        return Err(senseless("begins before 1970"));
    }
    let series = Series::from_codes(start_secs, interval_secs, scale, codes.iter().copied()).ok_or_else(|| senseless("no interval"))?;
    // Bridges may have been seen in a later hour than relays, which moves the ends of all graphs.
    if series.end_secs() > published.next().start_secs() + i64::from(interval_secs) {
        return Err(senseless("ends after the newest consensus"));
    }
    let end_is_certain =
        parts.last_secs.is_none_or(|last| last + i64::from(interval_secs) - i64::from(interval_secs) / 2 == series.end_secs());
    if !end_is_certain {
        note(format!("last does not fit first, interval and {} values", codes.len()));
    }
    Ok(Graph { series, end_is_certain })
}

#[derive(Default)]
struct Parts {
    first_secs: Option<i64>,
    last_secs: Option<i64>,
    interval_secs: Option<u32>,
    factor: Option<f64>,
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
            b"first" | b"last" | b"interval" | b"factor" | b"values" => {
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
