//! The hour that each snapshot stands for.

use std::ops::Range;

use allium_model::time::HOUR_SECS;
use allium_model::{ConsensusHour, Timestamp};

use super::snapshots::Snapshot;

/// An hour for which a snapshot stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hour {
    /// The hour.
    pub hour: ConsensusHour,
    /// Index of the snapshot in [`Pack::snapshots`](super::Pack::snapshots).
    pub snapshot_idx: usize,
    /// Time at which it was fetched.
    pub fetched_at: Timestamp,
}

/// Least age of a consensus when Onionoo shows it, in seconds.
const LAG_SECS: i64 = 65 * 60;

/// The consensus that a list fetched at this instant shows.
fn valid_after(fetched_at: Timestamp) -> ConsensusHour {
    ConsensusHour::new((fetched_at.as_second() - LAG_SECS).div_euclid(HOUR_SECS) as i32)
}

/// The hours of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    hours: Vec<Hour>,
    /// For each index up to the number of snapshots, the number of hours that have their snapshot before it.
    before: Vec<u32>,
}

impl Hours {
    /// The hour of a snapshot is the valid-after time of the newest consensus that was 65 minutes old when it was fetched; of
    /// several snapshots of one hour, the last one stands for it.
    pub fn of(snapshots: &[Snapshot]) -> Self {
        let (mut hours, mut before) = (Vec::with_capacity(snapshots.len()), Vec::with_capacity(snapshots.len() + 1));
        for (snapshot_idx, snapshot) in snapshots.iter().enumerate() {
            before.push(hours.len() as u32);
            let hour = valid_after(snapshot.fetched_at);
            let is_superseded = snapshots.get(snapshot_idx + 1).is_some_and(|next| valid_after(next.fetched_at) == hour);
            if !is_superseded {
                hours.push(Hour { hour, snapshot_idx, fetched_at: snapshot.fetched_at });
            }
        }
        before.push(hours.len() as u32);
        Self { hours, before }
    }

    /// The hours, earliest first.
    pub fn hours(&self) -> &[Hour] {
        &self.hours
    }

    /// Snapshots that stand for no hour.
    pub fn n_superseded(&self) -> usize {
        self.before.len() - 1 - self.hours.len()
    }

    /// The stretch from the first to after the last hour of these snapshots; `None` if all of them are superseded.
    pub fn of_span(&self, snapshots: &Range<u32>) -> Option<(ConsensusHour, ConsensusHour)> {
        let hours =
            self.hours.get(*self.before.get(snapshots.start as usize)? as usize..*self.before.get(snapshots.end as usize)? as usize)?;
        Some((hours.first()?.hour, hours.last()?.hour.next()))
    }
}
