//! First appearance of a relay: a date where one is known, a bound where the relay is older than everything that is known of it.
//!
//! Rule: of what a document states, what our own record shows and how far published graphs reach back, the earliest counts. The record
//! shows a first appearance where it lists the relay at most [`FirstSeen::MAX_GAP_HOURS`] after a known consensus that did not; the
//! first consensus of the record, and the first one after a longer gap, show only that the relay had appeared by then. A graph
//! shows that it had appeared by the end of the first interval with a value. Times before Tor, or later than the newest consensus, are unknown.

use jiff::Timestamp;

use crate::bounds::TOR_BEGAN;
use crate::history::{Known, PublishedGraph, Quantity};
use crate::time::ConsensusHour;

/// The first consensus that listed a relay, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FirstSeen {
    /// Nothing is known of it.
    #[default]
    Unknown,
    /// A document states this hour.
    Documented(ConsensusHour),
    /// Our record lists the relay in this hour, and did not shortly before.
    Recorded(ConsensusHour),
    /// It had appeared by this hour, perhaps long before.
    By(ConsensusHour),
}

/// Everything that speaks of the first appearance of a relay.
#[derive(Debug, Clone, Copy)]
pub struct FirstSeenClues<'a> {
    /// The hour that a document states.
    pub documented: Option<ConsensusHour>,
    /// The first consensus of our record that lists it.
    pub listed: Option<ConsensusHour>,
    /// Any consensus that a document names as one that listed it.
    pub last_seen: Option<ConsensusHour>,
    /// Its graphs.
    pub published: &'a [PublishedGraph],
    /// The hours of our record.
    pub known: &'a Known,
    /// The newest consensus.
    pub as_of: ConsensusHour,
}

impl FirstSeen {
    /// Hours between two known consensuses up to which the later one dates the relays that are new in it: a date is not wrong by more than a day.
    pub const MAX_GAP_HOURS: i32 = 24;

    /// Decides between the clues.
    pub fn decide(clues: &FirstSeenClues<'_>) -> Self {
        let possible = |hour: &ConsensusHour| (TOR_BEGAN..=clues.as_of).contains(hour);
        let bounds = clues.last_seen.into_iter().chain(reach(clues.published)).filter(possible).map(Self::By);
        let dates = clues.documented.filter(possible).map(Self::Documented);
        let listed = clues.listed.map(|hour| Self::listed(hour, clues.known));
        Self::earliest(dates.into_iter().chain(listed).chain(bounds))
    }

    fn listed(hour: ConsensusHour, known: &Known) -> Self {
        match known.before(hour) {
            Some(before) if hour.hours_since(before) <= Self::MAX_GAP_HOURS => Self::Recorded(hour),
            _ => Self::By(hour),
        }
    }

    /// The earliest of several; of equal hours the first. A bound counts only where it is earlier than every date.
    pub fn earliest(all: impl IntoIterator<Item = Self>) -> Self {
        all.into_iter().filter(|seen| *seen != Self::Unknown).min_by_key(|seen| seen.latest()).unwrap_or_default()
    }

    /// The hour, where it is known.
    pub const fn date(self) -> Option<ConsensusHour> {
        match self {
            Self::Documented(hour) | Self::Recorded(hour) => Some(hour),
            Self::By(_) | Self::Unknown => None,
        }
    }

    /// The hour by which the relay had appeared, where only that is known.
    pub const fn bound(self) -> Option<ConsensusHour> {
        match self {
            Self::By(hour) => Some(hour),
            Self::Documented(_) | Self::Recorded(_) | Self::Unknown => None,
        }
    }

    /// The hour by which the relay had appeared, whether or not that is the hour in which it did.
    pub const fn latest(self) -> Option<ConsensusHour> {
        match self {
            Self::Documented(hour) | Self::Recorded(hour) | Self::By(hour) => Some(hour),
            Self::Unknown => None,
        }
    }

    /// The hour as a document states it.
    pub const fn documented(self) -> Option<ConsensusHour> {
        match self {
            Self::Documented(hour) => Some(hour),
            Self::Recorded(_) | Self::By(_) | Self::Unknown => None,
        }
    }

    /// Hours from the first appearance to `at`, where its date is known; 0 if it is later.
    pub fn age_hours(self, at: ConsensusHour) -> Option<i32> {
        self.date().map(|hour| at.hours_since(hour).max(0))
    }

    /// True if the relay was first listed less than so many hours before `at`; `None` where that cannot be known.
    pub fn is_younger_than(self, hours: i32, at: ConsensusHour) -> Option<bool> {
        let is_young = at.hours_since(self.latest()?) < hours;
        (self.date().is_some() || !is_young).then_some(is_young)
    }

    /// The name of what it rests on: `document`, `record`, or `bound` where only a bound is known.
    pub const fn source(self) -> Option<&'static str> {
        match self {
            Self::Documented(_) => Some("document"),
            Self::Recorded(_) => Some("record"),
            Self::By(_) => Some("bound"),
            Self::Unknown => None,
        }
    }
}

impl From<Option<ConsensusHour>> for FirstSeen {
    /// What a document states.
    fn from(stated: Option<ConsensusHour>) -> Self {
        stated.map_or(Self::Unknown, Self::Documented)
    }
}

/// The last hour of the earliest interval with a value. Descriptors may be older than the first appearance, so graphs of traffic do not count.
fn reach(published: &[PublishedGraph]) -> Option<ConsensusHour> {
    let of_consensuses = published.iter().filter(|graph| !matches!(graph.quantity, Quantity::BytesWritten | Quantity::BytesRead));
    let ends = of_consensuses.filter_map(|graph| {
        let first = graph.series.codes().position(|code| code.is_some())?;
        Some(graph.series.interval_start_secs(first + 1))
    });
    ends.min().and_then(|end_secs| Timestamp::from_second(end_secs - 1).ok()).map(ConsensusHour::containing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::GraphPeriod;
    use crate::period::Period;
    use crate::series::Series;

    /// Hours of our record.
    const KNOWN: [i32; 6] = [0, 1, 2, 20, 100, 101];

    fn hour(number: i32) -> ConsensusHour {
        "2026-03-10T12:00:00Z".parse::<ConsensusHour>().unwrap().plus(number)
    }

    /// A graph of 4-hour intervals that begins at an hour.
    fn graph(quantity: Quantity, start: i32, codes: &[Option<u16>]) -> PublishedGraph {
        let series = Series::from_codes(hour(start).start_secs(), 4 * 3600, 0.001, codes.iter().copied()).unwrap();
        PublishedGraph { quantity, period: GraphPeriod::Named(Period::OneMonth), series, completed: 0 }
    }

    /// Decides as of hour 101 with these clues: stated hour, first hour listed, hour last seen, graphs.
    fn check(documented: Option<i32>, listed: Option<i32>, last_seen: Option<i32>, published: &[PublishedGraph], expected: FirstSeen) {
        let known = Known::new(KNOWN.into_iter().map(hour).collect());
        let clues = FirstSeenClues {
            documented: documented.map(hour),
            listed: listed.map(hour),
            last_seen: last_seen.map(hour),
            published,
            known: &known,
            as_of: hour(101),
        };
        assert_eq!(FirstSeen::decide(&clues), expected, "{documented:?} {listed:?} {last_seen:?} {published:?}");
    }

    #[test]
    fn our_record_dates_whom_it_did_not_list_shortly_before() {
        let cases = [
            (0, FirstSeen::By(hour(0))),
            (1, FirstSeen::Recorded(hour(1))),
            (20, FirstSeen::Recorded(hour(20))),
            (100, FirstSeen::By(hour(100))),
            (101, FirstSeen::Recorded(hour(101))),
        ];
        for (listed, expected) in cases {
            check(None, Some(listed), None, &[], expected);
        }
    }

    #[test]
    fn what_a_document_states_holds_unless_something_shows_the_relay_earlier() {
        check(Some(-900), Some(0), Some(50), &[], FirstSeen::Documented(hour(-900)));
        check(Some(0), Some(0), None, &[], FirstSeen::Documented(hour(0)));
        check(Some(50), Some(0), None, &[], FirstSeen::By(hour(0)));
        check(Some(50), Some(1), None, &[], FirstSeen::Recorded(hour(1)));
        check(Some(50), None, Some(20), &[], FirstSeen::By(hour(20)));
        check(Some(0), None, None, &[graph(Quantity::Uptime, -40, &[Some(0)])], FirstSeen::By(hour(-37)));
    }

    #[test]
    fn times_that_cannot_be_are_unknown() {
        let epoch = -hour(0).get();
        for impossible in [epoch, epoch + 1, TOR_BEGAN.get() - hour(0).get() - 1, 102, 9000] {
            check(Some(impossible), None, None, &[], FirstSeen::Unknown);
            check(Some(impossible), None, Some(impossible), &[], FirstSeen::Unknown);
            check(Some(impossible), Some(20), None, &[], FirstSeen::Recorded(hour(20)));
        }
        check(None, None, None, &[], FirstSeen::Unknown);
    }

    #[test]
    fn graphs_of_consensuses_bound_the_first_appearance_by_their_first_value() {
        let uptime = |start, codes: &[Option<u16>]| graph(Quantity::Uptime, start, codes);
        check(None, Some(0), None, &[uptime(-400, &[Some(9), Some(9)])], FirstSeen::By(hour(-397)));
        check(None, Some(0), None, &[uptime(-400, &[None, None, Some(0)])], FirstSeen::By(hour(-389)));
        check(None, Some(1), None, &[uptime(-40, &[Some(9)]), uptime(-400, &[Some(9)])], FirstSeen::By(hour(-397)));
        check(None, Some(1), None, &[uptime(-40, &[None]), graph(Quantity::BytesRead, -400, &[Some(9)])], FirstSeen::Recorded(hour(1)));
        check(Some(-398), Some(0), None, &[uptime(-400, &[Some(9)])], FirstSeen::Documented(hour(-398)));
    }

    #[test]
    fn a_bound_says_that_a_relay_is_old_and_never_that_it_is_young() {
        let cases = [
            (FirstSeen::Documented(hour(0)), 99, Some(false)),
            (FirstSeen::Recorded(hour(90)), 99, Some(true)),
            (FirstSeen::By(hour(0)), 99, Some(false)),
            (FirstSeen::By(hour(90)), 99, None),
            (FirstSeen::Unknown, 99, None),
        ];
        for (seen, hours, expected) in cases {
            assert_eq!(seen.is_younger_than(hours, hour(101)), expected, "{seen:?}");
        }
    }

    #[test]
    fn of_several_relays_the_earliest_counts_and_a_bound_only_where_it_is_earlier() {
        let (date, bound) = (FirstSeen::Documented(hour(5)), FirstSeen::By(hour(7)));
        assert_eq!(FirstSeen::earliest([bound, FirstSeen::Unknown, date]), date);
        assert_eq!(FirstSeen::earliest([date, FirstSeen::By(hour(1))]), FirstSeen::By(hour(1)));
        assert_eq!(FirstSeen::earliest([]), FirstSeen::Unknown);
    }
}
