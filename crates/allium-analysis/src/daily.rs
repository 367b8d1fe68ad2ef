//! Figures from uptime per day of UTC: trend, spread, months.
//!
//! A day counts for trend and spread if at least half of its 24 hours are known; days that are not stay gaps. Trend and spread look
//! at the last six months. A month counts every known hour and says how many there are.

use allium_model::time::HOUR_SECS;
use allium_model::{ConsensusHour, Fraction, Known, Period};
use allium_stats::{mad, std_dev, theil_sen_with};
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::grid::{DAY_SECS, Grid, Sums};
use crate::report::{MonthUptime, Recent, Spread, Trend};
use crate::uptime::Periods;

/// Days that a trend needs: with fewer, one bad day decides its sign.
const MIN_TREND_DAYS: usize = 30;
/// Days that a spread needs.
const MIN_SPREAD_DAYS: usize = 7;
/// The calendar months shown, the present one among them.
const N_MONTHS: i32 = 13;

/// The days and months that end with the newest consensus; the same for all relays.
pub(crate) struct Calendar {
    /// The days of all months.
    pub(crate) days: Grid,
    /// The first day of the last six months.
    first_of_six_months: usize,
    months: Vec<Month>,
    /// The end of the hour of the newest consensus.
    end_secs: i64,
}

struct Month {
    year: i16,
    month: i8,
    /// Days `[from, to)` of the grid.
    from: usize,
    to: usize,
    /// Hours up to the newest consensus.
    hours: f64,
}

impl Calendar {
    pub(crate) fn before(periods: &Periods, known: &Known) -> Self {
        let as_of = periods.end.plus(-1);
        let newest = first_of_month(as_of);
        let starts: Vec<i64> = (0..N_MONTHS).rev().filter_map(|back| months_before(newest, back)).map(midnight_secs).collect();
        let end_secs = periods.end.start_secs();
        let from_secs = starts.first().copied().unwrap_or(end_secs);
        let days = Grid::covering(from_secs, end_secs, DAY_SECS, known);
        let ends = starts.iter().skip(1).copied().chain([end_secs]);
        let months = starts.iter().zip(ends).map(|(start, end)| Month::new(&days, *start, end)).collect();
        let six_months_secs = periods.start(Period::SixMonths).start_secs();
        let first_of_six_months = days.index(six_months_secs + DAY_SECS - 1).min(days.n);
        Self { days, first_of_six_months, months, end_secs }
    }

    /// Uptime per month, leaving out months in which nothing is known.
    pub(crate) fn months(&self, sums: &Sums) -> Vec<MonthUptime> {
        self.months.iter().filter_map(|month| month.uptime(sums)).collect()
    }

    /// The last days against as many before.
    pub(crate) fn recent(&self, sums: &Sums) -> [Recent; 3] {
        Recent::DAYS.map(|days| {
            let from = |back: usize| self.days.n.saturating_sub(back);
            let last = half_known(sums, from(days), self.days.n, self.days_elapsed(days));
            Recent { last, before: half_known(sums, from(2 * days), from(days), days as f64) }
        })
    }

    /// The length of the last days, of which the present one is not over.
    fn days_elapsed(&self, days: usize) -> f64 {
        days as f64 - (self.days.end_secs() - self.end_secs) as f64 / DAY_SECS as f64
    }
}

/// Uptime over days of a grid of which half of the time is known.
fn half_known(sums: &Sums, from: usize, to: usize, days: f64) -> Option<Fraction> {
    let known_secs: f64 = sums.known[from..to].iter().sum();
    let up_secs: f64 = sums.up[from..to].iter().sum();
    (2.0 * known_secs >= days * DAY_SECS as f64).then(|| Fraction::of(up_secs, known_secs)).flatten()
}

impl Month {
    fn new(days: &Grid, start_secs: i64, end_secs: i64) -> Self {
        let civil = ConsensusHour::new((start_secs / HOUR_SECS) as i32).civil();
        let to = days.index(end_secs - 1) + 1;
        let hours = (end_secs - start_secs) as f64 / HOUR_SECS as f64;
        Self { year: civil.year(), month: civil.month(), from: days.index(start_secs), to, hours }
    }

    fn uptime(&self, sums: &Sums) -> Option<MonthUptime> {
        let known_secs: f64 = sums.known[self.from..self.to].iter().sum();
        let up_secs: f64 = sums.up[self.from..self.to].iter().sum();
        let uptime = Fraction::of(up_secs, known_secs)?;
        let known = Fraction::of(known_secs / HOUR_SECS as f64, self.hours)?;
        Some(MonthUptime { year: self.year, month: self.month, uptime, known })
    }
}

fn first_of_month(hour: ConsensusHour) -> Date {
    hour.civil().date().first_of_month()
}

fn months_before(date: Date, back: i32) -> Option<Date> {
    date.checked_sub(jiff::Span::new().months(back)).ok()
}

fn midnight_secs(date: Date) -> i64 {
    Offset::UTC.to_timestamp(date.to_datetime(jiff::civil::Time::midnight())).map_or(i64::MIN / 2, jiff::Timestamp::as_second)
}

/// Daily uptime of one relay over the last six months, in buffers that many relays share.
#[derive(Default)]
pub(crate) struct Days {
    /// Day numbers, with gaps.
    days: Vec<f64>,
    uptime: Vec<f64>,
    slopes: Vec<f64>,
}

impl Days {
    /// Takes the days that are known well enough.
    pub(crate) fn fill(&mut self, calendar: &Calendar, sums: &Sums) {
        self.days.clear();
        self.uptime.clear();
        for i in calendar.first_of_six_months..calendar.days.n {
            if 2.0 * sums.known[i] >= DAY_SECS as f64 {
                self.days.push(i as f64);
                self.uptime.push((sums.up[i] / sums.known[i]).clamp(0.0, 1.0));
            }
        }
    }

    /// Theil–Sen slope of daily uptime. Needs 30 days.
    pub(crate) fn trend(&mut self) -> Option<Trend> {
        if self.days.len() < MIN_TREND_DAYS {
            return None;
        }
        let estimate = theil_sen_with(&self.days, &self.uptime, &mut self.slopes)?;
        let per_30_days = |slope: f64| 30.0 * slope;
        Some(Trend {
            per_30_days: per_30_days(estimate.slope),
            low: per_30_days(estimate.low),
            high: per_30_days(estimate.high),
            n_days: estimate.n,
        })
    }

    /// Spread of daily uptime. Needs 7 days.
    pub(crate) fn spread(&self) -> Option<Spread> {
        let n_days = self.uptime.len();
        if n_days < MIN_SPREAD_DAYS {
            return None;
        }
        let worst = self.uptime.iter().copied().min_by(f64::total_cmp).and_then(Fraction::new)?;
        let best = self.uptime.iter().copied().max_by(f64::total_cmp)?;
        if worst.get() == best {
            return Some(Spread { std_dev: 0.0, mad: 0.0, worst, n_days });
        }
        Some(Spread { std_dev: std_dev(&self.uptime)?, mad: mad(&self.uptime)?, worst, n_days })
    }
}
