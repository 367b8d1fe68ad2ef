//! Strips: a relay's uptime over equal, adjacent intervals.
//!
//! Cells lie on multiples of their length since 1970-01-01T00:00:00Z, as published intervals and UTC days do, and together cover
//! the period. A cell's uptime is the mean over what is known of it, from the finest source for each moment; a cell of which
//! nothing is known is missing. Where a source is coarser than the cells, neighbouring cells share its value.

use allium_model::time::HOUR_SECS;
use allium_model::{ConsensusHour, Fraction, Known, Period, RelayRecord};

use crate::exact::is_dense;
use crate::grid::{DAY_SECS, Grid, Sums};
use crate::report::{Strip, StripCell};
use crate::timeline::{DenseDays, Timeline};

/// The uptime of a relay over a period, as of a consensus, at the resolution that suits the period: hours over a day that is known
/// consensus by consensus, else 4 hours; 4 hours up to a month; days up to a year; 10 days over 5 years.
pub fn strip(record: &RelayRecord, known: &Known, as_of: ConsensusHour, period: Period) -> Strip {
    let end = as_of.next();
    let start = period.start_before(end);
    strip_between(record, known, start.start_secs(), end, step_secs(period, known, start, end))
}

/// The resolution that suits a period.
pub(crate) fn step_secs(period: Period, known: &Known, start: ConsensusHour, end: ConsensusHour) -> i64 {
    match period {
        Period::OneDay if is_dense(known.count(start, end), end.hours_since(start)) => HOUR_SECS,
        Period::OneDay | Period::SevenDays | Period::ThirtyDays | Period::OneMonth => 4 * HOUR_SECS,
        Period::SixMonths | Period::OneYear => DAY_SECS,
        Period::FiveYears => 10 * DAY_SECS,
    }
}

/// The uptime of a relay per day of UTC over the last `days` days, of which the last is the one in which `as_of` lies.
pub fn daily_strip(record: &RelayRecord, known: &Known, as_of: ConsensusHour, days: usize) -> Strip {
    let end = as_of.next();
    let last_day_secs = as_of.start_secs().div_euclid(DAY_SECS) * DAY_SECS;
    let back_secs = i64::try_from(days).unwrap_or(i64::MAX).saturating_sub(1).saturating_mul(DAY_SECS);
    // No consensus is older than the epoch, so a strip never is.
    let from_secs = if days == 0 { end.start_secs() } else { last_day_secs.saturating_sub(back_secs).max(last_day_secs.min(0)) };
    strip_between(record, known, from_secs, end, DAY_SECS)
}

/// The uptime of a relay over its last `hours` hours, hour by hour.
pub fn hourly_strip(record: &RelayRecord, known: &Known, as_of: ConsensusHour, hours: i32) -> Strip {
    strip_between(record, known, as_of.next().plus(-hours.max(0)).start_secs(), as_of.next(), HOUR_SECS)
}

fn strip_between(record: &RelayRecord, known: &Known, from_secs: i64, end: ConsensusHour, step_secs: i64) -> Strip {
    if from_secs >= end.start_secs() {
        return Strip::default();
    }
    let grid = Grid::covering(from_secs, end.start_secs(), step_secs, known);
    let dense = DenseDays::new(known, grid.start_secs, end);
    let timeline = Timeline::compose(record, known, &dense, grid.start_secs, end);
    let mut sums = Sums::default();
    sums.reset(grid.n);
    timeline.add_to(&grid, &mut sums);
    cells(&grid, &sums, 0)
}

/// The intervals of a grid from `first` on as cells.
pub(crate) fn cells(grid: &Grid, sums: &Sums, first: usize) -> Strip {
    let cell = |i: usize| StripCell {
        start_secs: grid.edge_secs(i),
        end_secs: grid.edge_secs(i + 1),
        uptime: Fraction::of(sums.up[i], sums.known[i]),
    };
    Strip { cells: (first..grid.n).map(cell).collect() }
}
