//! Days on which a relay was up significantly less than its own past has it.
//!
//! A day of a strip is a dip where its uptime lies below the median of the days by more than 3 × 1.4826 × MAD (three standard
//! deviations, where days are normally distributed) and by at least 5 percentage points, so that a relay that never varies does not
//! dip at the first missed consensus. Dips of neighbouring days are one. Needs 14 known days.

use allium_stats::{mad, median};

use crate::report::{Strip, StripCell};

/// Known days that are needed.
const MIN_DAYS: usize = 14;
/// A normal distribution's standard deviation over its MAD.
const MAD_TO_SD: f64 = 1.4826;
/// The difference up to which less is never a dip.
const LEAST: f64 = 0.05;

/// Neighbouring days with significantly less uptime than usual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dip {
    /// Start of the first day, in seconds since 1970-01-01T00:00:00Z.
    pub start_secs: i64,
    /// End of the last, exclusive, in the same unit.
    pub end_secs: i64,
    /// Mean uptime of these days minus the median of all days: negative.
    pub depth: f64,
}

/// The dips of a strip, earliest first.
pub fn dips(days: &Strip) -> Vec<Dip> {
    let known: Vec<f64> = days.cells.iter().filter_map(|cell| cell.uptime).map(allium_model::Fraction::get).collect();
    let (Some(usual), Some(spread)) = (median(&known), mad(&known)) else { return Vec::new() };
    if known.len() < MIN_DAYS {
        return Vec::new();
    }
    let bound = usual - (3.0 * MAD_TO_SD * spread).max(LEAST);
    let is_dip = |cell: &StripCell| cell.uptime.is_some_and(|uptime| uptime.get() < bound);
    let dip = |cells: &[StripCell]| {
        let uptime: Vec<f64> = cells.iter().filter_map(|cell| cell.uptime).map(allium_model::Fraction::get).collect();
        let depth = uptime.iter().sum::<f64>() / uptime.len() as f64 - usual;
        Dip { start_secs: cells[0].start_secs, end_secs: cells[cells.len() - 1].end_secs, depth }
    };
    days.cells.chunk_by(|a, b| is_dip(a) == is_dip(b)).filter(|cells| is_dip(&cells[0])).map(dip).collect()
}

#[cfg(test)]
mod tests {
    use allium_model::Fraction;

    use super::*;

    fn strip(values: &[Option<f64>]) -> Strip {
        let cell = |(i, value): (usize, &Option<f64>)| StripCell {
            start_secs: i as i64 * 86_400,
            end_secs: (i as i64 + 1) * 86_400,
            uptime: value.and_then(Fraction::new),
        };
        Strip { cells: values.iter().enumerate().map(cell).collect() }
    }

    #[test]
    fn dips_are_deep_against_the_own_past() {
        let mut values = vec![Some(1.0); 30];
        values[10] = Some(0.2);
        values[11] = Some(0.4);
        values[20] = Some(0.96);
        let found = dips(&strip(&values));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].start_secs, found[0].end_secs), (10 * 86_400, 12 * 86_400));
        assert!((found[0].depth + 0.7).abs() < 1e-12);
    }

    #[test]
    fn who_varies_much_dips_late_and_unknown_days_never_do() {
        let values: Vec<_> = (0..40).map(|i| (i % 7 != 3).then_some([0.9, 0.5][i % 2])).collect();
        assert!(dips(&strip(&values)).is_empty());
        assert!(dips(&strip(&[Some(1.0), Some(0.0)])).is_empty());
    }
}
