//! History in the form that the detector walks: lists of running relays, hour by hour.

use std::collections::BTreeMap;
use std::ops::Range;

use allium_model::{ConsensusHour, RelayFlags};

use crate::book::{RelayIdx, RelayInfo};
use crate::detector::Observation;

/// A stretch of lists in which a relay was running with the same flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// Places in [`Record::hours`].
    pub places: Range<u32>,
    /// Its flags.
    pub flags: RelayFlags,
}

/// Lists of running relays.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Record {
    /// The relays, by their number, as they were when they were first running.
    pub relays: Vec<RelayInfo>,
    /// Relays of which something else is known from a list on, by its place in [`Record::hours`].
    pub described: BTreeMap<u32, Vec<RelayInfo>>,
    /// The known hours, earliest first, each with the flags that its list tells.
    pub hours: Vec<(ConsensusHour, RelayFlags)>,
    /// When each relay was running: sorted, disjoint.
    pub presence: Vec<Vec<Presence>>,
}

impl Record {
    /// Hands the list of every known hour in these places to `see`, earliest first. The first one tells all that was known anew by then.
    pub fn walk(&self, places: Range<usize>, mut see: impl FnMut(usize, &Observation<'_>)) {
        let places = places.start..places.end.min(self.hours.len());
        let mut starting: Vec<Vec<(RelayIdx, u32)>> = vec![Vec::new(); self.hours.len() + 1];
        for (relay, spans) in self.presence.iter().enumerate() {
            for (i, span) in spans.iter().enumerate().filter(|(_, span)| span.places.end as usize > places.start) {
                starting[(span.places.start as usize).max(places.start).min(self.hours.len())].push((relay as RelayIdx, i as u32));
            }
        }
        let mut listed: Vec<(RelayIdx, RelayFlags)> = Vec::new();
        let mut ends: Vec<u32> = vec![0; self.presence.len()];
        let mut told_until = 0;
        for place in places {
            listed.retain(|(relay, _)| ends[*relay as usize] > place as u32);
            for (relay, span) in &starting[place] {
                let span = &self.presence[*relay as usize][*span as usize];
                ends[*relay as usize] = span.places.end;
                listed.push((*relay, span.flags));
            }
            listed.sort_unstable_by_key(|(relay, _)| *relay);
            let (hour, told) = self.hours[place];
            let described: Vec<RelayInfo> = self.described.range(told_until..=place as u32).flat_map(|(_, infos)| infos).cloned().collect();
            told_until = place as u32 + 1;
            see(place, &Observation { hour, listed: &listed, told, described: &described });
        }
    }
}
