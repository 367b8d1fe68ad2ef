//! The uptime of a group by calendar month: the mean over its relays of their months.

use std::collections::BTreeMap;

use allium_model::Fraction;

use super::Groups;
use crate::report::NetworkReport;

/// Mean uptime of the relays of a group in a calendar month (UTC).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupMonth {
    /// Year.
    pub year: i16,
    /// Month, 1 to 12.
    pub month: i8,
    /// Mean over relays, each counted once.
    pub mean: Fraction,
    /// Relays of which half of the month, up to the newest consensus, is known.
    pub n_relays: usize,
}

impl Groups {
    /// The months of some members, earliest first; the report must be the one that the groups were made from.
    pub fn months(&self, members: &[u32], report: &NetworkReport) -> Vec<GroupMonth> {
        let mut sums: BTreeMap<(i16, i8), (f64, usize)> = BTreeMap::new();
        for place in members {
            let relay = &report.relays[self.members[*place as usize].relay_idx];
            for month in relay.months.iter().filter(|month| month.known.get() >= 0.5) {
                let (sum, n) = sums.entry((month.year, month.month)).or_default();
                *sum += month.uptime.get();
                *n += 1;
            }
        }
        let month = |((year, month), (sum, n_relays)): ((i16, i8), (f64, usize))| {
            Fraction::of(sum, n_relays as f64).map(|mean| GroupMonth { year, month, mean, n_relays })
        };
        sums.into_iter().filter_map(month).collect()
    }
}
