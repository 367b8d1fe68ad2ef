//! The course of a relay's states: its outages, and since when it is as it is.
//!
//! One pass over the timeline in the order of time. An interval with any known downtime belongs to an outage, and outages in
//! neighbouring intervals are one. Unknown time neither starts nor ends an outage: down, unknown, down is one outage of which
//! only the known hours count. What came before the first appearance is no outage.

use allium_model::time::HOUR_SECS;
use allium_model::{ConsensusHour, RelayRecord};

use crate::grid::hour_at;
use crate::report::{Outage, OutageSummary, Since};
use crate::timeline::{Stretch, Timeline};

/// The figures that one pass over a timeline gives.
#[derive(Default)]
pub(crate) struct Course {
    pub(crate) since: Option<Since>,
    pub(crate) outages: Option<OutageSummary>,
}

/// Follows a timeline up to `end`, the hour after the newest consensus; outages are listed from `outages_from_secs` on.
pub(crate) fn follow(record: &RelayRecord, timeline: &Timeline<'_>, outages_from_secs: i64, end: ConsensusHour) -> Course {
    let mut walker = Walker { outages_from_secs, ..Walker::default() };
    timeline.each(|stretch| walker.step(stretch));
    // A single appearance says since when a relay is up, but nothing of outages.
    let has_history = walker.first_secs.is_some();
    walker.add_last_appearance(record, end);
    let since = since(record, timeline, &walker, end);
    let outages = if has_history { walker.into_summary(record, end) } else { None };
    Course { since, outages }
}

#[derive(Default)]
struct Walker {
    outages_from_secs: i64,
    /// The first known stretch.
    first_secs: Option<i64>,
    /// The end of the last known stretch.
    until_secs: i64,
    last_up: Option<Stretch>,
    last_down: Option<Stretch>,
    /// The start of the present unbroken sequence of wholly up or partly down stretches.
    same_since_secs: i64,
    /// The outage that no known uptime has ended yet.
    open: Option<Outage>,
    closed: Vec<Outage>,
}

impl Walker {
    fn step(&mut self, stretch: Stretch) {
        let is_up = stretch.up >= 1.0;
        let was_up = self.is_up();
        if self.first_secs.is_none() || was_up != is_up {
            self.same_since_secs = stretch.start_secs;
        }
        self.first_secs.get_or_insert(stretch.start_secs);
        self.until_secs = stretch.end_secs;
        if is_up {
            self.last_up = Some(stretch);
            self.close();
        } else {
            self.last_down = Some(stretch);
            self.extend(stretch);
        }
    }

    /// True if the last known stretch was wholly up.
    fn is_up(&self) -> bool {
        self.last_up.is_some_and(|stretch| stretch.end_secs == self.until_secs)
    }

    fn extend(&mut self, stretch: Stretch) {
        let start_secs = stretch.start_secs.max(self.outages_from_secs);
        if start_secs >= stretch.end_secs {
            return;
        }
        let share_inside = (stretch.end_secs - start_secs) as f64 / (stretch.end_secs - stretch.start_secs) as f64;
        let down_hours = stretch.known_hours * (1.0 - stretch.up) * share_inside;
        match &mut self.open {
            Some(outage) => {
                outage.end_secs = stretch.end_secs;
                outage.down_hours += down_hours;
                outage.interval_secs = outage.interval_secs.max(stretch.interval_secs);
            }
            None => {
                let (end_secs, interval_secs) = (stretch.end_secs, stretch.interval_secs);
                self.open = Some(Outage { start_secs, end_secs, down_hours, interval_secs, ongoing: false });
            }
        }
    }

    fn close(&mut self) {
        self.closed.extend(self.open.take());
    }

    /// The newest consensus, or the last that lists the relay, may lie after everything else that is known.
    fn add_last_appearance(&mut self, record: &RelayRecord, end: ConsensusHour) {
        let seen = if record.relay.running { Some(end.plus(-1)) } else { record.relay.last_seen.filter(|seen| seen.next() < end) };
        let Some(start_secs) = seen.map(ConsensusHour::start_secs) else { return };
        if start_secs >= self.until_secs {
            self.step(Stretch { start_secs, end_secs: start_secs + HOUR_SECS, interval_secs: HOUR_SECS as u32, known_hours: 1.0, up: 1.0 });
        }
    }

    fn into_summary(mut self, record: &RelayRecord, end: ConsensusHour) -> Option<OutageSummary> {
        if let Some(open) = &mut self.open {
            open.ongoing = !record.relay.running;
        }
        self.close();
        let from_secs = self.first_secs?.max(self.outages_from_secs);
        let to_secs = end.start_secs();
        (from_secs < to_secs).then_some(OutageSummary { from_secs, to_secs, outages: self.closed })
    }
}

fn since(record: &RelayRecord, timeline: &Timeline<'_>, walker: &Walker, end: ConsensusHour) -> Option<Since> {
    let as_of = end.plus(-1);
    if record.relay.running {
        let after = walker.last_down.map(|down| last_hour_unlike(&down, 0.0).min(as_of.plus(-1)));
        let since = if walker.is_up() { hour_at(walker.same_since_secs) } else { as_of };
        return Some(Since { running: true, after, since: since.min(as_of) });
    }
    if let Some(after) = last_running(record, timeline, as_of) {
        let next = after.next();
        let known = timeline.exact.as_ref().map(|exact| exact.known).filter(|known| known.contains(after));
        let next_known = known.and_then(|known| known.hours().get(known.index_of(next)).copied());
        return Some(Since { running: false, after: Some(after), since: next_known.unwrap_or(next).min(as_of) });
    }
    let after = walker.last_up.map(|up| last_hour_unlike(&up, 1.0));
    let since = if walker.is_up() { as_of } else { hour_at(walker.same_since_secs) };
    walker.first_secs.map(|_| Since { running: false, after, since: since.min(as_of) })
}

/// The newest consensus before the present one that is known to list a relay that is down.
fn last_running(record: &RelayRecord, timeline: &Timeline<'_>, as_of: ConsensusHour) -> Option<ConsensusHour> {
    let own = timeline.exact.as_ref().and_then(crate::exact::Exact::last_with);
    [record.relay.last_seen, own].into_iter().flatten().filter(|seen| *seen < as_of).max()
}

/// The earliest hour that may have been the last of a state: the last of a stretch that is wholly in it, else the first.
fn last_hour_unlike(stretch: &Stretch, whole: f64) -> ConsensusHour {
    if stretch.up == whole { hour_at(stretch.end_secs - 1) } else { hour_at(stretch.start_secs) }
}
