//! The look of a found loss in the record, for judging by eye whether it is one event.

use super::score::Finding;
use crate::record::{Presence, Record};

/// Lists before a finding in which its relays can have left.
const BEFORE: u32 = 8;
/// Lists in which a return belongs to the departure: 14 days.
const AFTER: u32 = 14 * 24;

/// Departures and returns of the relays of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shape {
    /// Relays whose departure is in the record.
    pub n_left: usize,
    /// The most that left in one list.
    pub n_left_together: usize,
    /// Those that were back within 14 days.
    pub n_back: usize,
    /// The most that were back in one list.
    pub n_back_together: usize,
}

/// The shape of a finding that is a loss.
pub fn shape(record: &Record, finding: &Finding) -> Shape {
    let since = (finding.list as u32).saturating_sub(BEFORE);
    let absences = finding.relays.iter().filter_map(|relay| absence(&record.presence[*relay as usize], since));
    let (mut left, mut back): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
    for (end, start) in absences {
        left.push(end);
        back.extend(start.filter(|start| *start - end <= AFTER));
    }
    let (n_left, n_back) = (left.len(), back.len());
    Shape { n_left, n_left_together: most_alike(left), n_back, n_back_together: most_alike(back) }
}

/// The first absence since a list: its first list, and the one that has the relay again.
fn absence(spans: &[Presence], since: u32) -> Option<(u32, Option<u32>)> {
    let from = spans.partition_point(|span| span.lists.end < since);
    let next = |i: usize| spans.get(i + 1).map(|span| span.lists.start);
    (from..spans.len()).map(|i| (spans[i].lists.end, next(i))).find(|(end, start)| *start != Some(*end))
}

/// Number of occurrences of the most frequent value.
fn most_alike(mut values: Vec<u32>) -> usize {
    values.sort_unstable();
    values.chunk_by(|a, b| a == b).map(<[u32]>::len).max().unwrap_or(0)
}
