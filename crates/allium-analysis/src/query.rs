//! A query of the list of relays.

use allium_model::Period;

use crate::search::{Question, Term};

/// A query; the default asks for all current relays, heaviest first.
#[derive(Debug, Clone, PartialEq)]
pub struct RelayQuery {
    /// The question in words; a relay must fit all terms.
    pub question: Question,
    /// Terms that it must fit besides.
    pub filters: Vec<Term>,
    /// The relays that are Running, or those that are not; `None` for both.
    pub running: Option<bool>,
    /// True if relays not seen in the last 7 days are included.
    pub include_gone: bool,
    /// The order to sort in.
    pub sort: SortKey,
    /// Largest first.
    pub descending: bool,
}

impl Default for RelayQuery {
    fn default() -> Self {
        Self {
            question: Question::default(),
            filters: Vec::new(),
            running: None,
            include_gone: false,
            sort: SortKey::ConsensusWeight,
            descending: true,
        }
    }
}

/// The quantity that relays are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SortKey {
    /// Number of terms that name a relay exactly: by its whole nickname, not by a part of it. Of equals the heaviest comes first.
    Match,
    /// Consensus weight.
    ConsensusWeight,
    /// Advertised bandwidth.
    Bandwidth,
    /// Nickname, in either case.
    Nickname,
    /// Fingerprint.
    Fingerprint,
    /// First appearance.
    FirstSeen,
    /// Newest appearance.
    LastSeen,
    /// Country code.
    Country,
    /// Number of the autonomous system.
    AutonomousSystem,
    /// Version of Tor, by its numbers.
    Version,
    /// Theil–Sen trend of uptime.
    Trend,
    /// Hours down in the last year.
    Downtime,
    /// Uptime in a period.
    Uptime(Period),
}

impl SortKey {
    /// All keys.
    pub const ALL: [Self; 19] = [
        Self::Match,
        Self::ConsensusWeight,
        Self::Bandwidth,
        Self::Nickname,
        Self::Fingerprint,
        Self::FirstSeen,
        Self::LastSeen,
        Self::Country,
        Self::AutonomousSystem,
        Self::Version,
        Self::Trend,
        Self::Downtime,
        Self::Uptime(Period::OneDay),
        Self::Uptime(Period::SevenDays),
        Self::Uptime(Period::ThirtyDays),
        Self::Uptime(Period::OneMonth),
        Self::Uptime(Period::SixMonths),
        Self::Uptime(Period::OneYear),
        Self::Uptime(Period::FiveYears),
    ];

    /// The name in URLs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::ConsensusWeight => "weight",
            Self::Bandwidth => "bandwidth",
            Self::Nickname => "nickname",
            Self::Fingerprint => "fingerprint",
            Self::FirstSeen => "first_seen",
            Self::LastSeen => "last_seen",
            Self::Country => "country",
            Self::AutonomousSystem => "as",
            Self::Version => "version",
            Self::Trend => "trend",
            Self::Downtime => "downtime",
            Self::Uptime(Period::OneDay) => "uptime_1_day",
            Self::Uptime(Period::SevenDays) => "uptime_7_days",
            Self::Uptime(Period::ThirtyDays) => "uptime_30_days",
            Self::Uptime(Period::OneMonth) => "uptime_1_month",
            Self::Uptime(Period::SixMonths) => "uptime_6_months",
            Self::Uptime(Period::OneYear) => "uptime_1_year",
            Self::Uptime(Period::FiveYears) => "uptime_5_years",
        }
    }

    /// The key of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.name() == name)
    }
}
