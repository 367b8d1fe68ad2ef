//! The charts of a relay's page: its uptime over a period, beside that of a group if asked for, with outages and dips marked; and its
//! flags over the same period.

use allium_analysis::{Dip, RelayReport, Selection, Strip, daily_strip, dips, hourly_strip, published_sums, running_counts, strip};
use allium_charts::{Chart, Event, Heat, HeatRow, Kind, Line, Time, Unit};
use allium_model::{Fingerprint, Fraction, Period, Quantity, RelayFlag, RelayRecord};
use allium_service::{IncidentLog, Members, View};
use allium_words::format;
use allium_words::incidents::headline;

use crate::error::RequestError;
use crate::pages::incidents::incident_of;
use crate::pages::incidents::marks::marked;
use crate::params::{Params, query_string};
use crate::route::href;
use crate::strips::Labels;

/// The most cells in a row of flags.
const FLAG_CELLS: usize = 92;

/// Days that dips are looked for in.
const DIP_DAYS: usize = 183;

/// The periods that the page offers, with the words on their buttons.
const PERIODS: [(Period, &str); 5] = [
    (Period::SevenDays, "7 days, hourly"),
    (Period::OneMonth, "1 month"),
    (Period::SixMonths, "6 months"),
    (Period::OneYear, "1 year"),
    (Period::FiveYears, "5 years"),
];

/// The part of the past that the page shows: chosen by its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice {
    period: Period,
    beside: Option<Beside>,
}

/// A group that a relay is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beside {
    Network,
    Country,
    As,
    Family,
    Operator,
}

impl Beside {
    const ALL: [Self; 5] = [Self::Network, Self::Country, Self::As, Self::Family, Self::Operator];

    const fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Country => "country",
            Self::As => "as",
            Self::Family => "family",
            Self::Operator => "operator",
        }
    }

    /// The relays, and what they are called; `None` where the relay belongs to no such group, or is its operator's only one.
    fn members(self, view: &View, record: &RelayRecord) -> Option<(Members, String)> {
        let relay = &record.relay;
        match self {
            Self::Network => Some((Members::Network, "network".to_owned())),
            Self::Country => relay.country.map(|code| (Members::Country(code), format!("country {}", code.to_string().to_uppercase()))),
            Self::As => relay.asn.map(|asn| (Members::As(asn), asn.to_string())),
            Self::Family => (relay.effective_family.len() > 1).then(|| (Members::Family(relay.fingerprint), "its family".to_owned())),
            Self::Operator => {
                let operator_idx = view.operators.directory.of_relay.get(view.relay_idx(&relay.fingerprint)?).copied().flatten()?;
                let n = view.operators.figures.get(operator_idx as usize)?.members.n_relays;
                (n > 1).then(|| (Members::Operator(operator_idx), "its operator".to_owned()))
            }
        }
    }
}

impl Choice {
    /// Reads the parameters `period` and `beside`.
    pub(crate) fn of(params: &Params) -> Result<Self, RequestError> {
        params.only(&["period", "beside"])?;
        let period = params.one("period")?.map_or(Ok(Period::OneYear), |text| {
            let offered = PERIODS.iter().map(|(period, _)| *period).find(|period| period.name() == text);
            offered.ok_or_else(|| RequestError::bad("period", text, PERIODS.map(|(period, _)| period.name()).join(", ")))
        })?;
        let beside = params.one("beside")?.map(|text| {
            let found = Beside::ALL.into_iter().find(|beside| beside.name() == text);
            found.ok_or_else(|| RequestError::bad("beside", text, Beside::ALL.map(Beside::name).join(", ")))
        });
        Ok(Self { period, beside: beside.transpose()? })
    }

    /// The query part of this choice.
    pub(super) fn query(self) -> String {
        let period = (self.period != Period::OneYear).then(|| ("period", self.period.name().to_owned()));
        let beside = self.beside.map(|beside| ("beside", beside.name().to_owned()));
        query_string(&period.into_iter().chain(beside).collect::<Vec<_>>())
    }

    /// Words for a strip of the period, and the positions of its labels.
    pub(super) fn strip_words(self) -> (String, Labels) {
        let labels = match self.period {
            Period::OneDay => Labels::FourHours,
            Period::SevenDays => Labels::Days,
            Period::ThirtyDays | Period::OneMonth => Labels::Weeks,
            Period::SixMonths | Period::OneYear => Labels::Months,
            Period::FiveYears => Labels::Years,
        };
        (format!("Uptime over {}", self.period.label()), labels)
    }

    /// Words, query and whether it is this, for each period.
    pub(super) fn period_links(self) -> Vec<(&'static str, String, bool)> {
        PERIODS.map(|(period, label)| (label, Self { period, ..self }.query(), period == self.period)).to_vec()
    }

    /// The same for what the relay can be compared with.
    pub(super) fn beside_links(self, view: &View, record: &RelayRecord) -> Vec<(String, String, bool)> {
        let link = |label: String, beside| (label, Self { beside, ..self }.query(), beside == self.beside);
        let offered = Beside::ALL.into_iter().filter_map(|beside| beside.members(view, record).map(|(_, label)| link(label, Some(beside))));
        std::iter::once(link("nothing".to_owned(), None)).chain(offered).collect()
    }
}

/// The chart of that name of the relay at this index.
pub(crate) fn chart(view: &View, params: &Params, relay_idx: usize, name: &str) -> Result<Chart, RequestError> {
    let (record, report) = view.relay(relay_idx).ok_or(RequestError::NoSuchPage)?;
    match name {
        "uptime" => Ok(uptime(view, record, report, Choice::of(params)?)),
        "flags" => Ok(flags(view, record, Choice::of(params)?)),
        _ => Err(RequestError::NoSuchPage),
    }
}

/// The relay's own cells for a choice.
pub(super) fn own_strip(view: &View, record: &RelayRecord, choice: Choice) -> Strip {
    let known = &view.record.known;
    match choice.period {
        Period::SevenDays => hourly_strip(record, known, view.as_of(), 7 * 24),
        period => strip(record, known, view.as_of(), period),
    }
}

/// Uptime over the chosen period.
pub(super) fn uptime(view: &View, record: &RelayRecord, report: &RelayReport, choice: Choice) -> Chart {
    let own = own_strip(view, record, choice);
    let edges: Vec<i64> = own.cells.iter().map(|cell| cell.start_secs).chain(own.cells.last().map(|cell| cell.end_secs)).collect();
    let mut lines = vec![line("this relay".to_owned(), &own)];
    let group = choice.beside.and_then(|beside| beside.members(view, record)).zip(own.cells.first());
    let mut group_words = String::new();
    if let Some(((members, label), first)) = group {
        let theirs = view.group_strip(members, first.start_secs, first.end_secs - first.start_secs);
        group_words = mean_of(&theirs).map_or_else(String::new, |mean| format!("; {label}: {}\u{a0}%", format::percent(mean, 2)));
        lines.push(line(label, &theirs));
    }
    let period = PERIODS.iter().find(|(period, _)| *period == choice.period).map_or("", |(period, _)| period.label());
    let share = report.uptime_in(choice.period).or_else(|| mean_of(&own));
    let title = match share {
        Some(share) => format!("Up {}\u{a0}% of the last {period}{group_words}.", format::percent(share, 2)),
        None => format!("No data for the last {period}."),
    };
    let step = own.cells.first().map_or(0, |cell| cell.end_secs - cell.start_secs);
    let step_words =
        format!("One value per {}; hatched where nobody measured; marks below are outages and dips.", format::hours(step as f64 / 3600.0));
    let note = format!("As of {}, from {}. {step_words}", format::hour(view.as_of()), view.origin_words());
    let events = events(view, record, report, edges.first().copied().unwrap_or(i64::MAX));
    Chart::new("uptime", title, note, Kind::Time(Time { events, from_zero: false, ..Time::new(Unit::Share, edges, lines) }))
}

/// Flags of the relay over the chosen period: from our own consensuses where they are known, else as published.
pub(super) fn flags(view: &View, record: &RelayRecord, choice: Choice) -> Chart {
    let edges = flag_edges(view, record, choice);
    let row = |flag: RelayFlag| {
        let selection = Selection { flag, fits: &|_| true };
        let own = running_counts(&view.record.known, [record], &selection, &edges);
        let published = published_sums([record], &Quantity::Flag(flag), &edges);
        let cells: Vec<Option<f64>> = own.into_iter().zip(published).map(|(own, published)| own.or(published)).collect();
        cells.iter().any(|share| share.is_some_and(|share| share > 0.0)).then(|| HeatRow {
            label: flag.name().to_owned(),
            href: None,
            cells,
        })
    };
    let shown = RelayFlag::ALL.into_iter().filter(|flag| !matches!(flag, RelayFlag::Running | RelayFlag::Valid));
    let rows: Vec<HeatRow> = shown.filter_map(row).collect();
    let period = PERIODS.iter().find(|(period, _)| *period == choice.period).map_or("", |(period, _)| period.label());
    let title = match rows.is_empty() {
        true => format!("No flag is known over the last {period}."),
        false => format!("Flags over the last {period}: dark where it had the flag throughout, yellow where never."),
    };
    let note = format!(
        "As of {}, from {}. Share of the known consensuses of each interval; hatched where nobody tells.",
        format::hour(view.as_of()),
        view.origin_words()
    );
    Chart::new("flags", title, note, Kind::Heat(Heat { of: "Flag".to_owned(), what: "Held".to_owned(), edges, rows }))
}

/// The intervals of the flags: those of the uptime, two or three to one where there are many.
fn flag_edges(view: &View, record: &RelayRecord, choice: Choice) -> Vec<i64> {
    let own = own_strip(view, record, choice);
    let edges: Vec<i64> = own.cells.iter().map(|cell| cell.start_secs).chain(own.cells.last().map(|cell| cell.end_secs)).collect();
    let joined = edges.len().div_ceil(FLAG_CELLS).max(1);
    let last = edges.last().copied();
    let mut coarse: Vec<i64> = edges.into_iter().step_by(joined).collect();
    coarse.extend(last.filter(|last| coarse.last().is_some_and(|end| end < last)));
    coarse
}

fn line(label: String, strip: &Strip) -> Line {
    Line { label, values: strip.cells.iter().map(|cell| cell.uptime.map(Fraction::get)).collect() }
}

/// The chart with the incidents of the relay marked.
pub(crate) fn with_incidents(mut chart: Chart, view: &View, log: Option<&IncidentLog>, relay: Fingerprint) -> Chart {
    let Some(log) = log else { return chart };
    let mut marked_ids: Vec<&str> = Vec::new();
    if let Kind::Time(time) = &mut chart.kind {
        for event in &mut time.events {
            if let Some(incident) = incident_of(log, &relay, event.start_secs, event.end_secs) {
                event.label = format!("{}; {}", event.label, headline(incident, view));
                event.href = Some(href::incident(&incident.id));
                marked_ids.push(&incident.id);
            }
        }
    }
    // Those that are no outage of its own, such as lost flags, have marks of their own.
    marked(chart, view, log, log.of_relay(&relay).filter(|incident| !marked_ids.contains(&incident.id.as_str())))
}

/// The mean over the cells that are known.
fn mean_of(strip: &Strip) -> Option<Fraction> {
    let known: Vec<f64> = strip.cells.iter().filter_map(|cell| cell.uptime).map(Fraction::get).collect();
    Fraction::of(known.iter().sum(), known.len() as f64)
}

/// The relay's dips over the last six months.
pub(super) fn own_dips(view: &View, record: &RelayRecord) -> Vec<Dip> {
    dips(&daily_strip(record, &view.record.known, view.as_of(), DIP_DAYS))
}

/// Outages and dips that reach into a period.
fn events(view: &View, record: &RelayRecord, report: &RelayReport, from_secs: i64) -> Vec<Event> {
    let outages = report.outages.iter().flat_map(|summary| &summary.outages);
    let outage = |o: &allium_analysis::Outage| Event {
        start_secs: o.start_secs,
        end_secs: o.end_secs,
        label: format!("outage, {} down", format::hours(o.down_hours)),
        href: Some(format!("{}#outages", href::relay(&record.relay.fingerprint))),
    };
    let dip = |dip: &Dip| Event {
        start_secs: dip.start_secs,
        end_secs: dip.end_secs,
        label: format!("dip, {} points", format::points(dip.depth)),
        href: Some(format!("{}#outages", href::relay(&record.relay.fingerprint))),
    };
    let mut events: Vec<Event> = outages.map(outage).chain(own_dips(view, record).iter().map(dip)).collect();
    events.retain(|event| event.end_secs > from_secs);
    events.sort_by_key(|event| (event.start_secs, event.end_secs));
    events
}
