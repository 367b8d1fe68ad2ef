//! History in the form that the detector walks: lists of running relays, hour by hour.

use std::collections::BTreeMap;
use std::ops::Range;

use allium_model::{ConsensusHour, RelayFlags};

use crate::book::{RelayIdx, RelayInfo};
use crate::observation::Observation;

/// A stretch of lists in which a relay was running with the same flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// Indices in [`Record::hours`].
    pub lists: Range<u32>,
    /// Its flags.
    pub flags: RelayFlags,
}

/// Lists of running relays.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Record {
    /// The relays, by their number, as they were when they were first running.
    pub relays: Vec<RelayInfo>,
    /// Relays whose description changes with a list, by its index in [`Record::hours`].
    pub described: BTreeMap<u32, Vec<RelayInfo>>,
    /// The known hours, earliest first, each with the flags that its list reports.
    pub hours: Vec<(ConsensusHour, RelayFlags)>,
    /// The stretches in which each relay was running: sorted, disjoint.
    pub presence: Vec<Vec<Presence>>,
}

impl Record {
    /// Hands each of these lists to `see`, earliest first. The first one comes with every description that changed until then.
    pub fn walk(&self, lists: Range<usize>, mut see: impl FnMut(usize, &Observation<'_>)) {
        let lists = lists.start..lists.end.min(self.hours.len());
        let mut starting: Vec<Vec<(RelayIdx, u32)>> = vec![Vec::new(); self.hours.len() + 1];
        for (relay, spans) in self.presence.iter().enumerate() {
            for (i, span) in spans.iter().enumerate().filter(|(_, span)| span.lists.end as usize > lists.start) {
                starting[(span.lists.start as usize).max(lists.start).min(self.hours.len())].push((relay as RelayIdx, i as u32));
            }
        }
        let mut listed: Vec<(RelayIdx, RelayFlags)> = Vec::new();
        let mut ends: Vec<u32> = vec![0; self.presence.len()];
        let mut described_until = 0;
        for index in lists {
            listed.retain(|(relay, _)| ends[*relay as usize] > index as u32);
            for (relay, span) in &starting[index] {
                let span = &self.presence[*relay as usize][*span as usize];
                ends[*relay as usize] = span.lists.end;
                listed.push((*relay, span.flags));
            }
            listed.sort_unstable_by_key(|(relay, _)| *relay);
            let (hour, reported) = self.hours[index];
            let described: Vec<RelayInfo> =
                self.described.range(described_until..=index as u32).flat_map(|(_, infos)| infos).cloned().collect();
            described_until = index as u32 + 1;
            see(index, &Observation { hour, listed: &listed, reported, described: &described });
        }
    }
}
