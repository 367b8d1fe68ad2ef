//! Evenly sampled measurements with gaps.

use jiff::Timestamp;

/// The code that stands for a missing value.
const MISSING: u16 = u16::MAX;

/// Values over equal, adjacent intervals: value `i` is that of `[start + i × interval, start + (i + 1) × interval)`.
///
/// A missing value (`None`) means that nobody measured; 0.0 is a measurement. Values are kept as 16-bit codes times a
/// scale, so that ten thousand relays × many graphs fit in memory and what a source published comes back exactly.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    start_secs: i64,
    interval_secs: u32,
    scale: f64,
    codes: Vec<u16>,
}

impl Series {
    /// A series whose value `i` is `codes[i] × scale`.
    ///
    /// `start_secs` is the start of the first interval in seconds since 1970-01-01T00:00:00Z. A code of 65535 would
    /// read as missing and is lowered to 65534. Returns `None` if `interval_secs` is 0 or `scale` is not finite.
    pub fn from_codes<I>(start_secs: i64, interval_secs: u32, scale: f64, codes: I) -> Option<Self>
    where
        I: IntoIterator<Item = Option<u16>>,
    {
        if interval_secs == 0 || !scale.is_finite() {
            return None;
        }
        let codes = codes.into_iter().map(|code| code.map_or(MISSING, |c| c.min(MISSING - 1))).collect();
        Some(Self { start_secs, interval_secs, scale, codes })
    }

    /// The start of the first interval, in seconds since 1970-01-01T00:00:00Z.
    pub const fn start_secs(&self) -> i64 {
        self.start_secs
    }

    /// The sampling step in seconds; at least 1.
    pub const fn interval_secs(&self) -> u32 {
        self.interval_secs
    }

    /// Factor that turns a code into a value.
    pub const fn scale(&self) -> f64 {
        self.scale
    }

    /// The number of intervals, gaps included.
    pub const fn len(&self) -> usize {
        self.codes.len()
    }

    /// True if there is no interval at all.
    pub const fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// The value of interval `i`; `None` where it is missing or `i` lies outside.
    pub fn get(&self, i: usize) -> Option<f64> {
        self.codes.get(i).and_then(|code| self.value(*code))
    }

    /// The values in the order of time, gaps as `None`.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = Option<f64>> + ExactSizeIterator {
        self.codes.iter().map(|code| self.value(*code))
    }

    /// The codes in the order of time, gaps as `None`: what [`Series::from_codes`] takes.
    pub fn codes(&self) -> impl ExactSizeIterator<Item = Option<u16>> {
        self.codes.iter().map(|code| (*code != MISSING).then_some(*code))
    }

    /// The start of interval `i` in seconds since 1970-01-01T00:00:00Z; `len()` gives the end of the series.
    pub fn interval_start_secs(&self, i: usize) -> i64 {
        self.start_secs.saturating_add((i as i64).saturating_mul(i64::from(self.interval_secs)))
    }

    /// The end of the last interval in seconds since 1970-01-01T00:00:00Z.
    pub fn end_secs(&self) -> i64 {
        self.interval_start_secs(self.len())
    }

    /// The start of interval `i`.
    pub fn interval_start(&self, i: usize) -> Timestamp {
        Timestamp::from_second(self.interval_start_secs(i)).unwrap_or(Timestamp::MAX)
    }

    /// Appends `n` intervals with this code.
    pub fn extend_with(&mut self, n: usize, code: Option<u16>) {
        let code = code.map_or(MISSING, |c| c.min(MISSING - 1));
        self.codes.resize(self.codes.len() + n, code);
    }

    /// Mean over the intervals with a value, and their number; `None` if there is none.
    pub fn mean(&self) -> Option<(f64, usize)> {
        let (sum, n) = self.codes.iter().filter(|c| **c != MISSING).fold((0u64, 0usize), |(s, n), c| (s + u64::from(*c), n + 1));
        (n > 0).then(|| (sum as f64 * self.scale / n as f64, n))
    }

    fn value(&self, code: u16) -> Option<f64> {
        (code != MISSING).then(|| f64::from(code) * self.scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_is_not_zero() {
        let series = Series::from_codes(0, 10, 0.5, [Some(0), None, Some(2)]).unwrap();
        assert_eq!(series.values().collect::<Vec<_>>(), [Some(0.0), None, Some(1.0)]);
        assert_eq!(series.mean(), Some((0.5, 2)));
        assert_eq!(series.end_secs(), 30);
        assert_eq!(series.get(3), None);
        assert_eq!(Series::from_codes(0, 0, 1.0, []), None);
        assert_eq!(Series::from_codes(0, 10, f64::NAN, []), None);
    }
}
