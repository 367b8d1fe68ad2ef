//! The unit of time: the hour for which a consensus speaks.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::identity::ParseError;

/// Seconds in an hour.
pub const HOUR_SECS: i64 = 3600;

/// The valid-after time of a consensus: a whole hour, counted from 1970-01-01T00:00:00Z.
///
/// Ranges of hours are half-open. The hour that starts at valid-after belongs to its consensus, so a period
/// "as of" a consensus ends at [`ConsensusHour::next`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConsensusHour(i32);

impl ConsensusHour {
    /// The hour with this number since 1970-01-01T00:00:00Z.
    pub const fn new(hours_since_epoch: i32) -> Self {
        Self(hours_since_epoch)
    }

    /// Hours since 1970-01-01T00:00:00Z.
    pub const fn get(self) -> i32 {
        self.0
    }

    /// The hour in which the instant lies.
    pub fn containing(instant: Timestamp) -> Self {
        Self(instant.as_second().div_euclid(HOUR_SECS) as i32)
    }

    /// The instant at which the hour starts.
    pub fn start(self) -> Timestamp {
        Timestamp::from_second(i64::from(self.0) * HOUR_SECS).unwrap_or(Timestamp::MAX)
    }

    /// The instant at which the hour starts, in seconds since 1970-01-01T00:00:00Z.
    pub fn start_secs(self) -> i64 {
        i64::from(self.0) * HOUR_SECS
    }

    /// The hour after this one.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The hour `hours` later; earlier where negative.
    pub const fn plus(self, hours: i32) -> Self {
        Self(self.0 + hours)
    }

    /// Hours from `earlier` to this one; negative if it is later.
    pub const fn hours_since(self, earlier: Self) -> i32 {
        self.0 - earlier.0
    }

    /// The UTC calendar date and time at which the hour starts.
    pub fn civil(self) -> DateTime {
        Offset::UTC.to_datetime(self.start())
    }
}

impl FromStr for ConsensusHour {
    type Err = ParseError;

    /// Reads RFC 3339 (`2026-02-15T18:00:00Z`); refuses anything but a whole hour.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new("expected a whole hour such as 2026-02-15T18:00:00Z", text);
        let instant: Timestamp = text.parse().map_err(|_| error())?;
        let hour = Self::containing(instant);
        if hour.start() == instant { Ok(hour) } else { Err(error()) }
    }
}

impl fmt::Display for ConsensusHour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.start(), f)
    }
}

impl fmt::Debug for ConsensusHour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads a time as Onionoo and consensuses write it, `2026-02-15 18:00:00` in UTC.
///
/// # Errors
/// Anything else, including other separators, fractions and impossible dates.
pub fn parse_tor_time(text: &str) -> Result<Timestamp, ParseError> {
    let error = || ParseError::new("expected a time such as 2026-02-15 18:00:00", text);
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<i16> {
        let digits = bytes.get(from..to)?;
        digits.iter().try_fold(0, |sum, b| b.is_ascii_digit().then(|| sum * 10 + i16::from(b - b'0')))
    };
    let separators_fit =
        bytes.len() == 19 && bytes[4] == b'-' && bytes[7] == b'-' && bytes[10] == b' ' && bytes[13] == b':' && bytes[16] == b':';
    if !separators_fit {
        return Err(error());
    }
    let parts = (|| {
        let small = |from| number(from, from + 2).map(|n| n as i8);
        DateTime::new(number(0, 4)?, small(5)?, small(8)?, small(11)?, small(14)?, small(17)?, 0).ok()
    })();
    parts.and_then(|civil| Offset::UTC.to_timestamp(civil).ok()).ok_or_else(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_start_at_valid_after() {
        let hour: ConsensusHour = "2026-02-15T18:00:00Z".parse().unwrap();
        assert_eq!(ConsensusHour::containing("2026-02-15T18:59:59Z".parse().unwrap()), hour);
        assert_eq!(hour.next().to_string(), "2026-02-15T19:00:00Z");
        assert!("2026-02-15T18:30:00Z".parse::<ConsensusHour>().is_err());
        assert_eq!(ConsensusHour::containing("1969-12-31T23:30:00Z".parse().unwrap()).get(), -1);
    }

    #[test]
    fn tor_times_are_strict() {
        assert_eq!(parse_tor_time("2026-02-15 18:00:00").unwrap().to_string(), "2026-02-15T18:00:00Z");
        for bad in ["", "2026-02-15T18:00:00", "2026-02-30 18:00:00", "2026-2-15 18:00:00", "2026-02-15 24:00:00", "2026-02-15 18:00:0é"] {
            assert!(parse_tor_time(bad).is_err(), "{bad}");
        }
    }
}
