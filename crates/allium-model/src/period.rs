//! Named spans of time that end at a consensus.

use jiff::ToSpan;
use jiff::tz::Offset;

use crate::time::ConsensusHour;

/// A named period over which uptime is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    /// The last 24 consensuses.
    OneDay,
    /// The last 7 × 24 consensuses.
    SevenDays,
    /// The last 30 × 24 consensuses.
    ThirtyDays,
    /// Since the same day and hour of the month before: 28 to 31 days, as Onionoo counts.
    OneMonth,
    /// Since the same day and hour six months before.
    SixMonths,
    /// Since the same day and hour of the year before.
    OneYear,
    /// Since the same day and hour five years before.
    FiveYears,
}

impl Period {
    /// All periods, shortest first.
    pub const ALL: [Self; 7] =
        [Self::OneDay, Self::SevenDays, Self::ThirtyDays, Self::OneMonth, Self::SixMonths, Self::OneYear, Self::FiveYears];

    /// The name in URLs, JSON and CSV, such as `1_month`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneDay => "1_day",
            Self::SevenDays => "7_days",
            Self::ThirtyDays => "30_days",
            Self::OneMonth => "1_month",
            Self::SixMonths => "6_months",
            Self::OneYear => "1_year",
            Self::FiveYears => "5_years",
        }
    }

    /// The name for people, such as `1 month`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::OneDay => "1 day",
            Self::SevenDays => "7 days",
            Self::ThirtyDays => "30 days",
            Self::OneMonth => "1 month",
            Self::SixMonths => "6 months",
            Self::OneYear => "1 year",
            Self::FiveYears => "5 years",
        }
    }

    /// The period of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|period| period.name() == name)
    }

    /// Its index in [`Period::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The first hour of the period that ends, exclusively, at `end`.
    ///
    /// Months and years are calendar ones in UTC; where the day does not exist (30 February) the month's last day is taken.
    pub fn start_before(self, end: ConsensusHour) -> ConsensusHour {
        let civil_span = match self {
            Self::OneDay => return end.plus(-24),
            Self::SevenDays => return end.plus(-7 * 24),
            Self::ThirtyDays => return end.plus(-30 * 24),
            Self::OneMonth => 1.month(),
            Self::SixMonths => 6.months(),
            Self::OneYear => 1.year(),
            Self::FiveYears => 5.years(),
        };
        end.civil()
            .checked_sub(civil_span)
            .ok()
            .and_then(|civil| Offset::UTC.to_timestamp(civil).ok())
            .map_or(end, ConsensusHour::containing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_calendar_months() {
        let end: ConsensusHour = "2026-03-31T10:00:00Z".parse().unwrap();
        let start = |period: Period| period.start_before(end).to_string();
        assert_eq!(start(Period::OneDay), "2026-03-30T10:00:00Z");
        assert_eq!(start(Period::OneMonth), "2026-02-28T10:00:00Z");
        assert_eq!(start(Period::SixMonths), "2025-09-30T10:00:00Z");
        assert_eq!(start(Period::FiveYears), "2021-03-31T10:00:00Z");
    }
}
