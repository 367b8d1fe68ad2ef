//! From a record to a report: one pass over the relays, then the network.

use std::slice::Chunks;

use allium_model::{Fingerprint, NetworkRecord, Period, RelayRecord};

use crate::course::follow;
use crate::daily::{Calendar, Days};
use crate::grid::Sums;
use crate::network::{DailyTotals, network_figures};
use crate::report::{NetworkReport, RelayReport};
use crate::succession::followed_by;
use crate::timeline::{DenseDays, Timeline};
use crate::uptime::{Periods, flag_uptime, uptime};

impl NetworkReport {
    /// Computes every figure of a record. Cost grows linearly with relays and with their history.
    pub fn compute(record: &NetworkRecord) -> Self {
        Self::of(record, |context, parts| parts.map(|relays| relay_reports(context, relays)).collect())
    }

    /// The same figures as [`NetworkReport::compute`], computed on several cores at once.
    pub fn compute_in_parallel(record: &NetworkRecord) -> Self {
        Self::of(record, |context, parts| {
            std::thread::scope(|scope| {
                let parts: Vec<_> = parts.map(|relays| scope.spawn(move || relay_reports(context, relays))).collect();
                parts.into_iter().map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
            })
        })
    }

    fn of(record: &NetworkRecord, reports_of: impl FnOnce(&Context<'_>, Chunks<'_, RelayRecord>) -> Vec<Part>) -> Self {
        let context = Context::new(record);
        let parts = reports_of(&context, record.relays.chunks(record.relays.len().div_ceil(PARTS).max(1)));
        let mut totals = DailyTotals::new(&context.calendar.days);
        let mut relays = Vec::with_capacity(record.relays.len());
        for (reports, part) in parts {
            totals.append(&part);
            relays.extend(reports);
        }
        for (report, followed_by) in relays.iter_mut().zip(followed_by(record)) {
            report.followed_by = followed_by;
        }
        let network = network_figures(record, &relays, totals.strip(&context.calendar.days));
        Self { as_of: record.as_of, network, relays }
    }
}

/// Relays are worked on in so many parts. Sums are those of the parts, so the number is the same on every machine.
const PARTS: usize = 4;

/// The reports of some relays, and what these sum up to.
type Part = (Vec<RelayReport>, DailyTotals);

/// The index of a relay in `NetworkRecord::relays` and `NetworkReport::relays`.
pub fn relay_position(record: &NetworkRecord, fingerprint: &Fingerprint) -> Option<usize> {
    record.find(fingerprint)
}

/// The facts that are the same for all relays.
struct Context<'a> {
    record: &'a NetworkRecord,
    periods: Periods,
    calendar: Calendar,
    dense: DenseDays,
    /// The start of timelines: what the longest period and the earliest month need.
    from_secs: i64,
}

impl<'a> Context<'a> {
    fn new(record: &'a NetworkRecord) -> Self {
        let periods = Periods::before(record.as_of.next());
        let calendar = Calendar::before(&periods, &record.known);
        let from_secs = calendar.days.start_secs.min(periods.start(Period::FiveYears).start_secs());
        let dense = DenseDays::new(&record.known, from_secs, periods.end);
        Self { record, periods, calendar, dense, from_secs }
    }
}

/// Buffers that serve one relay after the other.
#[derive(Default)]
struct Scratch {
    sums: Sums,
    days: Days,
}

fn relay_reports(context: &Context<'_>, relays: &[RelayRecord]) -> Part {
    let mut scratch = Scratch::default();
    let mut totals = DailyTotals::new(&context.calendar.days);
    let reports = relays.iter().map(|relay| relay_report(context, relay, &mut scratch, &mut totals)).collect();
    (reports, totals)
}

fn relay_report(context: &Context<'_>, relay: &RelayRecord, scratch: &mut Scratch, totals: &mut DailyTotals) -> RelayReport {
    let Context { record, periods, calendar, dense, from_secs } = context;
    let timeline = Timeline::compose(relay, &record.known, dense, *from_secs, periods.end);
    scratch.sums.reset(calendar.days.n);
    timeline.add_to(&calendar.days, &mut scratch.sums);
    scratch.days.fill(calendar, &scratch.sums);
    let current = relay.is_current(record.as_of);
    if current {
        totals.add(&scratch.sums);
    }
    let course = follow(relay, &timeline, periods.start(Period::OneYear).start_secs(), periods.end);
    RelayReport {
        current,
        followed_by: None,
        uptime: uptime(periods, relay, timeline.exact.as_ref()),
        flag_uptime: flag_uptime(periods, relay, timeline.exact.as_ref()),
        since: course.since,
        outages: course.outages,
        trend: scratch.days.trend(),
        spread: scratch.days.spread(),
        months: calendar.months(&scratch.sums),
        recent: calendar.recent(&scratch.sums),
    }
}
