//! The times that can be: from the beginning of Tor to somewhat after the clock's time.
//!
//! Documents contain times that cannot be: 1970-01-01, which stands for "never", and years ahead, from a source whose clock is wrong. Whoever
//! reads a document hands its reader the bounds; nobody here reads a clock.

use std::fmt;

use jiff::Timestamp;

use crate::time::ConsensusHour;

/// The first hour of 2002-09-20, the day on which Tor was announced (or-dev, "pre-alpha: run an onion proxy now!"). No relay and no consensus is older.
pub const TOR_BEGAN: ConsensusHour = ConsensusHour::new(286_800);

/// Seconds by which a time may lie after the clock's unless set otherwise: clocks differ, and consensuses are published somewhat early.
pub const CLOCK_TOLERANCE_SECS: i64 = 7200;

/// The earliest and the latest time that is believed, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    latest: Timestamp,
}

impl Default for Bounds {
    /// From [`TOR_BEGAN`] on, without an end.
    fn default() -> Self {
        Self { latest: Timestamp::MAX }
    }
}

impl Bounds {
    /// From [`TOR_BEGAN`] until so many seconds after the clock's time.
    pub fn at(now: Timestamp, tolerance_secs: i64) -> Self {
        let latest = now.as_second().saturating_add(tolerance_secs.max(0));
        Self { latest: Timestamp::from_second(latest).unwrap_or(Timestamp::MAX) }
    }

    /// The latest time that is believed.
    pub const fn latest(self) -> Timestamp {
        self.latest
    }

    /// The latest hour that is believed.
    pub fn latest_hour(self) -> ConsensusHour {
        ConsensusHour::containing(self.latest)
    }

    /// True if the hour can be that of a consensus.
    pub fn contain(self, hour: ConsensusHour) -> bool {
        self.check_hour(hour).is_ok()
    }

    /// Accepts a time within the bounds.
    ///
    /// # Errors
    /// The reason why it cannot be.
    pub fn check(self, at: Timestamp) -> Result<(), ImpossibleTime> {
        if at < TOR_BEGAN.start() {
            return Err(ImpossibleTime::BeforeTor { at });
        }
        if at > self.latest {
            return Err(ImpossibleTime::Ahead { at, latest: self.latest });
        }
        Ok(())
    }

    /// Accepts an hour whose start lies within the bounds.
    ///
    /// # Errors
    /// As [`Bounds::check`].
    pub fn check_hour(self, hour: ConsensusHour) -> Result<(), ImpossibleTime> {
        self.check(hour.start())
    }
}

/// A time that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImpossibleTime {
    /// Before [`TOR_BEGAN`].
    BeforeTor {
        /// The time.
        at: Timestamp,
    },
    /// After the clock's time and its tolerance.
    Ahead {
        /// The time.
        at: Timestamp,
        /// The latest time that is believed.
        latest: Timestamp,
    },
}

impl fmt::Display for ImpossibleTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BeforeTor { at } => write!(f, "{at} lies before 2002-09-20, when Tor began"),
            Self::Ahead { at, latest } => write!(f, "{at} lies ahead: by the clock of this machine nothing after {latest:.0} can be"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_can_be_lie_between_the_beginning_of_tor_and_the_clock() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let bounds = Bounds::at(at("2026-03-10T12:00:00Z"), CLOCK_TOLERANCE_SECS);
        for (time, can_be) in [
            ("1970-01-01T00:00:00Z", false),
            ("2002-09-19T23:59:59Z", false),
            ("2002-09-20T00:00:00Z", true),
            ("2026-03-10T14:00:00Z", true),
            ("2026-03-10T14:00:01Z", false),
            ("2036-03-10T12:00:00Z", false),
        ] {
            assert_eq!(bounds.check(at(time)).is_ok(), can_be, "{time}");
        }
        assert!(Bounds::default().check(at("2036-03-10T12:00:00Z")).is_ok());
        assert!(Bounds::default().check(at("1970-01-01T00:00:00Z")).is_err());
        assert_eq!(TOR_BEGAN.to_string(), "2002-09-20T00:00:00Z");
    }
}
