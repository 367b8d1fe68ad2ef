//! Content of each month: known consensuses and events.

use std::collections::BTreeMap;
use std::ops::Range;

use allium_history::Event;
use allium_model::{ConsensusHour, Known, RelayFlag};

/// A month in which a consensus is known or something happened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Month<'a> {
    /// Indexes of its consensuses in [`Known::hours`].
    pub(super) indices: Range<u32>,
    /// The same, cut where it changes which flags are known; in the order of time.
    pub(super) stretches: Vec<Stretch>,
    /// From the first of them to the hour after the last; `None` if there is none.
    pub(super) hours: Option<(ConsensusHour, ConsensusHour)>,
    /// Events of the month.
    pub(super) events: &'a [Event],
}

/// Consensuses that state the same flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) indices: Range<u32>,
    /// True if all flags are known, not only [`Known::LISTED_FLAGS`].
    pub(super) has_all_flags: bool,
}

/// The months by their names, such as `2026-02`, in the order of time; `events` are in that order too.
pub(super) fn months<'a>(known: &Known, events: &'a [Event]) -> BTreeMap<String, Month<'a>> {
    let mut months: BTreeMap<String, Month<'a>> = BTreeMap::new();
    let mut start = 0;
    for hours in known.hours().chunk_by(|a, b| year_and_month(*a) == year_and_month(*b)) {
        let month = months.entry(name(hours[0])).or_default();
        month.indices = start..start + hours.len() as u32;
        month.stretches = stretches(known, hours, start);
        month.hours = Some((hours[0], hours[hours.len() - 1].next()));
        start = month.indices.end;
    }
    let hour = |event: &Event| ConsensusHour::containing(event.at);
    for events in events.chunk_by(|a, b| year_and_month(hour(a)) == year_and_month(hour(b))) {
        months.entry(name(hour(&events[0]))).or_default().events = events;
    }
    months
}

fn name(hour: ConsensusHour) -> String {
    let (year, month) = year_and_month(hour);
    format!("{year:04}-{month:02}")
}

fn year_and_month(hour: ConsensusHour) -> (i16, i8) {
    let civil = hour.civil();
    (civil.year(), civil.month())
}

fn stretches(known: &Known, hours: &[ConsensusHour], mut start: u32) -> Vec<Stretch> {
    // Of the flags that lists of running relays do not state, all are known or none.
    let complete = known.of_flag(RelayFlag::Valid);
    let mut stretches = Vec::new();
    for hours in hours.chunk_by(|a, b| complete.contains(*a) == complete.contains(*b)) {
        let indices = start..start + hours.len() as u32;
        start = indices.end;
        stretches.push(Stretch { indices, has_all_flags: complete.contains(hours[0]) });
    }
    stretches
}

#[cfg(test)]
mod tests {
    use allium_history::EventKind;
    use allium_model::Fingerprint;

    use super::*;

    #[test]
    fn months_begin_at_their_first_known_hour_and_are_cut_where_flags_become_known() {
        let hours = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<ConsensusHour>>();
        let listed = hours(&["2025-12-31T22:00:00Z", "2026-01-01T05:00:00Z", "2026-01-01T06:00:00Z"]);
        let all = [listed.clone(), hours(&["2025-12-31T23:00:00Z", "2026-01-01T07:00:00Z", "2026-03-01T00:00:00Z"])].concat();
        let event = |text: &str| Event { fingerprint: Fingerprint::new([1; 20]), at: text.parse().unwrap(), kind: EventKind::Restart };
        let events = ["2023-05-06T07:08:09Z", "2026-01-01T00:00:00Z", "2026-01-31T23:59:59.5Z"].map(event);
        let months = months(&Known::with_listed(all, &Known::new(listed)), &events);
        let found: Vec<_> =
            months.iter().map(|(name, month)| (name.as_str(), month.indices.clone(), month.stretches.len(), month.events.len())).collect();
        assert_eq!(found, [("2023-05", 0..0, 0, 1), ("2025-12", 0..2, 2, 0), ("2026-01", 2..5, 2, 2), ("2026-03", 5..6, 1, 0)]);
        let january = &months["2026-01"];
        assert_eq!(january.stretches, [Stretch { indices: 2..4, has_all_flags: false }, Stretch { indices: 4..5, has_all_flags: true }]);
        assert_eq!(january.hours, Some((hours(&["2026-01-01T05:00:00Z"])[0], hours(&["2026-01-01T08:00:00Z"])[0])));
        assert_eq!(months["2023-05"].hours, None);
    }
}
