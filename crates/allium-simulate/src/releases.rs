//! Versions of Tor: the date of each release, the relays that run it, and its status with the authorities.
//!
//! A release comes every six weeks; every eleventh opens a series. Dates are fixed, so the current release follows from the consensus hour
//! alone. Relays take a release up after a delay of their own.

use allium_model::ConsensusHour;

const HOURS_BETWEEN: i32 = 42 * 24;
const PER_SERIES: i32 = 11;
/// The release of 2026-02-12 is the fifth of series 0.4.9.
const ANCHOR_HOUR: i32 = 491_904;
const ANCHOR: i32 = 9 * PER_SERIES + 4;

/// A release; later ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Release(i32);

impl Release {
    /// The newest release at this hour.
    pub(crate) const fn newest(hour: ConsensusHour) -> Self {
        let n = ANCHOR + (hour.get() - ANCHOR_HOUR).div_euclid(HOURS_BETWEEN);
        Self(if n < 0 { 0 } else { n })
    }

    /// Hour of its release.
    pub(crate) const fn hour(self) -> ConsensusHour {
        ConsensusHour::new(ANCHOR_HOUR + (self.0 - ANCHOR) * HOURS_BETWEEN)
    }

    /// The release before.
    pub(crate) const fn previous(self) -> Option<Self> {
        if self.0 > 0 { Some(Self(self.0 - 1)) } else { None }
    }

    /// The version number.
    pub(crate) fn version(self) -> String {
        format!("0.4.{}.{}", self.0 / PER_SERIES, self.0 % PER_SERIES + 1)
    }

    /// The number of a test version of the series after this one.
    pub(crate) fn alpha_version(self) -> String {
        format!("0.4.{}.1-alpha-dev", self.0 / PER_SERIES + 1)
    }

    /// The authorities' word for it when `newest` is the newest: the last three and one of long standing are recommended.
    pub(crate) const fn status(self, newest: Self) -> &'static str {
        match newest.0 - self.0 {
            ..=2 | PER_SERIES => "recommended",
            3..PER_SERIES => "unrecommended",
            _ => "obsolete",
        }
    }
}
