//! The uptime of a group by calendar month: the mean over its relays of their months.

use allium_model::Fraction;

use super::Groups;
use crate::report::{MonthUptime, NetworkReport};

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
        let relays = || members.iter().map(|index| &report.relays[self.members[*index as usize].relay_idx]);
        let Some(first) = relays().filter_map(|relay| relay.months.first()).map(number).min() else { return Vec::new() };
        let mut sums: Vec<(f64, usize)> = Vec::new();
        for month in relays().flat_map(|relay| &relay.months).filter(|month| month.known.get() >= 0.5) {
            let index = usize::try_from(number(month) - first).unwrap_or(0);
            if sums.len() <= index {
                sums.resize(index + 1, (0.0, 0));
            }
            sums[index].0 += month.uptime.get();
            sums[index].1 += 1;
        }
        let month = |(index, (sum, n_relays)): (usize, (f64, usize))| {
            let number = first + index as i32;
            let (year, month) = (number.div_euclid(12) as i16, number.rem_euclid(12) as i8 + 1);
            Fraction::of(sum, n_relays as f64).map(|mean| GroupMonth { year, month, mean, n_relays })
        };
        sums.into_iter().enumerate().filter_map(month).collect()
    }
}

/// Months since the beginning of year 0.
fn number(month: &MonthUptime) -> i32 {
    i32::from(month.year) * 12 + i32::from(month.month) - 1
}
