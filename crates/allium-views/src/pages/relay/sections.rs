//! The sections of a relay's page. What comes in: the record and the report of the relay, and the drawings that the sections borrow.
//! What goes out: values that the template shows.

use allium_analysis::{Dip, Issue, RelayReport, Severity, Strip, diagnose, strip};
use allium_charts::Chart;
use allium_forecast::advice::{Advice, Pattern, Reason};
use allium_model::{ConsensusHour, Period, Relay, RelayFlag, RelayRecord, Timestamp};
use allium_service::{IncidentLog, Outlook, View};
use allium_words::format;

use super::attributes::{self, Family, Group};
use super::history::{self, DipRow, MonthRow, OutageRow, StateRow};
use super::periods::{self, PeriodStrip};
use super::{Choice, charts};
use crate::figure::Figure;
use crate::foreign::Foreign;
use crate::markup::{Html, Percent, flag_meaning};
use crate::pages::issues::IssueWords;
use crate::pages::operators::{claim, families, operator_link};
use crate::route::href;
use crate::strips::{StripHtml, legend};

/// Charts, strips and dips that sections borrow.
pub(super) struct Drawn {
    uptime: Chart,
    flags: Chart,
    chosen: Strip,
    year: Strip,
    periods: [(Period, Strip); 7],
    dips: Vec<Dip>,
    base: String,
    query: String,
}

impl Drawn {
    pub(super) fn of(view: &View, record: &RelayRecord, report: &RelayReport, choice: Choice, log: Option<&IncidentLog>) -> Self {
        let fingerprint = record.relay.fingerprint;
        let strip = |period: Period| strip(record, &view.record.known, view.as_of(), period);
        Self {
            uptime: charts::with_incidents(charts::uptime(view, record, report, choice), view, log, fingerprint),
            flags: charts::flags(view, record, choice),
            chosen: charts::own_strip(view, record, choice),
            year: strip(Period::OneYear),
            periods: Period::ALL.map(|period| (period, strip(period))),
            dips: charts::own_dips(view, record),
            base: href::charts(href::relay(&fingerprint)),
            query: choice.query(),
        }
    }

    /// A strip for each period.
    pub(super) fn strips(&self, report: &RelayReport) -> Vec<PeriodStrip<'_>> {
        self.periods.iter().map(|(period, strip)| periods::strip(*period, strip, report)).collect()
    }

    fn figure<'a>(&'a self, chart: &'a Chart) -> Figure<'a> {
        Figure::of(chart, &self.base, &self.query).with_rows(0)
    }
}

/// Uptime over time: the chosen period, and what it is compared with.
pub(super) struct Past<'a> {
    pub(super) period_links: Vec<(&'static str, String, bool)>,
    pub(super) beside_links: Vec<(String, String, bool)>,
    pub(super) strip: StripHtml<'a>,
    pub(super) figure: Figure<'a>,
    pub(super) brief: Vec<(&'static str, Html)>,
}

impl<'a> Past<'a> {
    pub(super) fn of(drawn: &'a Drawn, view: &View, record: &RelayRecord, report: &RelayReport, choice: Choice) -> Self {
        Self {
            period_links: choice.period_links(),
            beside_links: choice.beside_links(view, record),
            strip: periods::chosen_strip(&drawn.chosen, choice),
            figure: drawn.figure(&drawn.uptime).quiet(),
            brief: history::brief(view, record, report, &drawn.dips),
        }
    }
}

/// Issues of the relay.
pub(super) struct Issues {
    /// Explanations of the issues that the forecast's advice covers.
    pub(super) covered: Vec<String>,
    pub(super) sentence: String,
    pub(super) list: Vec<IssueWords>,
}

impl Issues {
    pub(super) fn of(record: &RelayRecord, report: &RelayReport, as_of: ConsensusHour, outlook: &Outlook) -> Self {
        let fingerprint = &record.relay.fingerprint;
        let advice = outlook.forecasts().ok().and_then(|forecasts| forecasts.advice(forecasts.find(fingerprint)?));
        let is_covered = |issue: &Issue| advice.is_some_and(|advice| says_the_same(issue, advice));
        let (covered, others): (Vec<Issue>, Vec<Issue>) = diagnose(record, report, as_of).into_iter().partition(is_covered);
        Self {
            sentence: issues_sentence(&others, !covered.is_empty()),
            covered: covered.iter().map(|issue| IssueWords::of(issue).explanation).collect(),
            list: others.iter().map(IssueWords::of).collect(),
        }
    }
}

/// True if the advice of a forecast calls for what the issue would suggest.
const fn says_the_same(issue: &Issue, advice: &Advice) -> bool {
    match issue {
        Issue::NotRunning { .. } => matches!(advice.reason, Reason::Down(_)),
        Issue::ManyOutages { .. } => matches!(advice.pattern, Pattern::SameTime(_) | Pattern::Often(..)),
        _ => false,
    }
}

/// Numbers of issues of each severity; `is_more` where others stand with the forecast's advice.
fn issues_sentence(issues: &[Issue], is_more: bool) -> String {
    let of = |severity: Severity, noun: &str| {
        let n = issues.iter().filter(|issue| issue.severity() == severity).count();
        (n > 0).then(|| format::counted(n, noun))
    };
    let parts: Vec<_> = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Notice, "notice")]
        .into_iter()
        .filter_map(|(s, noun)| of(s, noun))
        .collect();
    match (parts.is_empty(), is_more) {
        (true, false) => "Documents show nothing that should be changed.".to_owned(),
        (true, true) => "Documents show nothing else that should be changed.".to_owned(),
        (false, _) => format!("From documents: {}, worst first.", parts.join(", ")),
    }
}

/// The last year by day.
pub(super) struct Year<'a> {
    pub(super) sentence: String,
    pub(super) months: Vec<MonthRow<'a>>,
    pub(super) legend: String,
}

impl<'a> Year<'a> {
    pub(super) fn of(drawn: &'a Drawn, report: &RelayReport) -> Self {
        Self { sentence: history::year_sentence(report), months: history::calendar(&drawn.year, report), legend: legend() }
    }
}

/// Outages and dips.
pub(super) struct Outages {
    pub(super) sentence: String,
    pub(super) title: String,
    pub(super) list: Vec<OutageRow>,
    pub(super) dips: Vec<DipRow>,
}

impl Outages {
    pub(super) fn of(drawn: &Drawn, relay: &Relay, report: &RelayReport, log: Option<&IncidentLog>) -> Self {
        let title = |n: usize| format!("List, {}", format::counted(n, "outage"));
        Self {
            sentence: history::outages_sentence(report),
            title: report.outages.as_ref().map_or_else(String::new, |outages| title(outages.outages.len())),
            list: history::outages(report, log, &relay.fingerprint),
            dips: history::dips(&drawn.dips, log, &relay.fingerprint),
        }
    }
}

/// The states that our own record has seen.
pub(super) struct States {
    pub(super) title: String,
    pub(super) list: Vec<StateRow>,
}

impl States {
    pub(super) fn of(record: &RelayRecord, as_of: ConsensusHour) -> Self {
        let list = history::states(record, as_of);
        Self { title: history::states_title(record, &list), list }
    }
}

/// Flags, and the time with each.
pub(super) struct Flags<'a> {
    pub(super) figure: Figure<'a>,
    pub(super) periods: Vec<&'static str>,
    pub(super) rows: Vec<FlagRow<'a>>,
}

impl<'a> Flags<'a> {
    pub(super) fn of(drawn: &'a Drawn, relay: &'a Relay, report: &RelayReport) -> Self {
        Self { figure: drawn.figure(&drawn.flags), periods: Period::ALL.map(Period::label).to_vec(), rows: flag_rows(relay, report) }
    }
}

/// A flag, and the shares of time with it.
pub(super) struct FlagRow<'a> {
    pub(super) name: Foreign<'a>,
    pub(super) meaning: &'static str,
    pub(super) held: &'static str,
    pub(super) shares: Vec<Percent>,
}

fn flag_rows<'a>(relay: &'a Relay, report: &RelayReport) -> Vec<FlagRow<'a>> {
    let share_of = |flag: RelayFlag, period: Period| match flag {
        RelayFlag::Running => report.uptime_in(period),
        _ => report.flag_uptime.iter().find(|f| f.flag == flag).and_then(|f| f.share[period.index()]),
    };
    let ever = |flag: &RelayFlag| relay.has(*flag) || report.flag_uptime.iter().any(|f| f.flag == *flag);
    let named = RelayFlag::ALL.into_iter().filter(ever).map(|flag| FlagRow {
        name: Foreign::short(flag.name()),
        meaning: flag_meaning(flag),
        held: if relay.has(flag) { "yes" } else { "no" },
        shares: Period::ALL.map(|period| Percent(share_of(flag, period), 2)).to_vec(),
    });
    let others = relay.other_flags.iter().map(|name| FlagRow {
        name: Foreign::short(name),
        meaning: "",
        held: "yes",
        shares: vec![Percent(None, 2); 7],
    });
    named.chain(others).collect()
}

/// Attributes, contact and exit policy.
pub(super) struct About<'a> {
    pub(super) groups: Vec<Group>,
    pub(super) contact: Option<Foreign<'a>>,
    pub(super) claim: Option<Html>,
    pub(super) policy: Vec<Foreign<'a>>,
}

impl<'a> About<'a> {
    pub(super) fn of(relay: &'a Relay, now: Timestamp) -> Self {
        Self {
            groups: attributes::groups(relay, now),
            contact: relay.contact.as_deref().map(Foreign::long),
            claim: claim::sentence(relay),
            policy: relay.exit_policy.iter().map(|line| Foreign::long(line)).collect(),
        }
    }
}

/// Operator and families.
pub(super) struct Kin {
    pub(super) operator: Html,
    pub(super) family_page: Option<String>,
    pub(super) families: Vec<Family>,
}

impl Kin {
    pub(super) fn of(view: &View, relay: &Relay, relay_idx: usize) -> Self {
        Self {
            operator: operator_link(view, relay_idx),
            family_page: families::key_of(view, &relay.fingerprint).map(|key| href::family(&key)),
            families: attributes::families(view, relay),
        }
    }
}
