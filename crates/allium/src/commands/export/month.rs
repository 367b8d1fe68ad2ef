//! Which known consensuses lie in which month.

use std::ops::Range;

use allium_model::{ConsensusHour, Known, RelayFlag};

/// A month with at least one known consensus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Month {
    /// Such as `2026-02`.
    pub(super) name: String,
    /// The places of its consensuses in [`Known::hours`].
    pub(super) places: Range<u32>,
    /// The same, cut where it changes which flags are known; in the order of time.
    pub(super) stretches: Vec<Stretch>,
}

/// Consensuses that tell the same flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) places: Range<u32>,
    /// Whether all flags are known, not only [`Known::LISTED_FLAGS`].
    pub(super) tells_all: bool,
}

/// The months, earliest first.
pub(super) fn months(known: &Known) -> Vec<Month> {
    let mut months = Vec::new();
    let mut start = 0;
    for hours in known.hours().chunk_by(|a, b| year_and_month(*a) == year_and_month(*b)) {
        let places = start..start + hours.len() as u32;
        start = places.end;
        let (year, month) = year_and_month(hours[0]);
        months.push(Month { name: format!("{year:04}-{month:02}"), stretches: stretches(known, hours, places.start), places });
    }
    months
}

fn year_and_month(hour: ConsensusHour) -> (i16, i8) {
    let civil = hour.civil();
    (civil.year(), civil.month())
}

fn stretches(known: &Known, hours: &[ConsensusHour], mut start: u32) -> Vec<Stretch> {
    // Of the flags that lists of running relays do not tell, all are known or none.
    let complete = known.of_flag(RelayFlag::Valid);
    let mut stretches = Vec::new();
    for hours in hours.chunk_by(|a, b| complete.contains(*a) == complete.contains(*b)) {
        let places = start..start + hours.len() as u32;
        start = places.end;
        stretches.push(Stretch { places, tells_all: complete.contains(hours[0]) });
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_at_their_first_known_hour_and_are_cut_where_flags_become_known() {
        let hours = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<ConsensusHour>>();
        let listed = hours(&["2025-12-31T22:00:00Z", "2026-01-01T05:00:00Z", "2026-01-01T06:00:00Z"]);
        let all = [listed.clone(), hours(&["2025-12-31T23:00:00Z", "2026-01-01T07:00:00Z", "2026-03-01T00:00:00Z"])].concat();
        let months = months(&Known::with_listed(all, &Known::new(listed)));
        let found: Vec<_> = months.iter().map(|month| (month.name.as_str(), month.places.clone(), month.stretches.len())).collect();
        assert_eq!(found, [("2025-12", 0..2, 2), ("2026-01", 2..5, 2), ("2026-03", 5..6, 1)]);
        assert_eq!(months[1].stretches, [Stretch { places: 2..4, tells_all: false }, Stretch { places: 4..5, tells_all: true }]);
    }
}
