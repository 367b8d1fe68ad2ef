//! State of the page, as its address gives it.

use allium_model::{ConsensusHour, Period, Timestamp};
use allium_service::View;
use allium_words::format;

use crate::error::RequestError;
use crate::params::{Params, query_string};

/// The longest list of things that can be compared.
const MOST_COMPARED: usize = 60;

/// The longest list of things that can be followed over time: three charts of four lines.
const MOST_FOLLOWED: usize = 12;

/// State of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) show: Show,
    pub(super) range: Range,
    pub(super) measure: Measure,
    pub(super) display: Display,
    /// Subjects that are compared or followed, word by word as in [`super::subjects`].
    pub(super) with: Vec<String>,
}

/// The sides from which the network is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Show {
    Map,
    Trend,
    Distribution,
    Correlation,
    Flow,
    Compare,
}

/// The quantities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    Uptime,
    Relays,
    Flags,
    Weight,
    Bandwidth,
    Diversity,
}

/// A stretch of time that ends with the newest consensus, or between two days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    Days7,
    Days30,
    Days90,
    Year,
    Years5,
    /// Days since 1970-01-01, half-open.
    Custom(i32, i32),
}

/// The forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Display {
    Picture,
    Table,
    Raw,
}

impl Show {
    pub(super) const ALL: [Self; 6] = [Self::Map, Self::Trend, Self::Distribution, Self::Correlation, Self::Flow, Self::Compare];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Map => "map",
            Self::Trend => "trend",
            Self::Distribution => "distribution",
            Self::Correlation => "correlation",
            Self::Flow => "flow",
            Self::Compare => "compare",
        }
    }

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Map => "Map",
            Self::Trend => "Trend",
            Self::Distribution => "Distribution",
            Self::Correlation => "Correlation",
            Self::Flow => "Flow",
            Self::Compare => "Compare",
        }
    }

    /// The quantities that it can show.
    pub(super) const fn measures(self) -> &'static [Measure] {
        match self {
            Self::Map => &[Measure::Uptime, Measure::Relays, Measure::Weight, Measure::Bandwidth],
            Self::Trend => &Measure::ALL,
            Self::Distribution => &[Measure::Uptime, Measure::Weight, Measure::Bandwidth],
            Self::Correlation | Self::Flow | Self::Compare => &[],
        }
    }
}

impl Measure {
    pub(super) const ALL: [Self; 6] = [Self::Uptime, Self::Relays, Self::Flags, Self::Weight, Self::Bandwidth, Self::Diversity];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Uptime => "uptime",
            Self::Relays => "relays",
            Self::Flags => "flags",
            Self::Weight => "weight",
            Self::Bandwidth => "bandwidth",
            Self::Diversity => "diversity",
        }
    }

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Uptime => "Uptime",
            Self::Relays => "Relay count",
            Self::Flags => "Flags",
            Self::Weight => "Weight",
            Self::Bandwidth => "Bandwidth",
            Self::Diversity => "Diversity",
        }
    }
}

impl Display {
    pub(super) const ALL: [Self; 3] = [Self::Picture, Self::Table, Self::Raw];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Picture => "picture",
            Self::Table => "table",
            Self::Raw => "raw",
        }
    }

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Picture => "Chart",
            Self::Table => "Table",
            Self::Raw => "Raw data",
        }
    }
}

const DAY_HOURS: i32 = 24;

impl Range {
    pub(super) const NAMED: [Self; 5] = [Self::Days7, Self::Days30, Self::Days90, Self::Year, Self::Years5];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Days7 => "7d",
            Self::Days30 => "30d",
            Self::Days90 => "90d",
            Self::Year => "1y",
            Self::Years5 => "5y",
            Self::Custom(..) => "custom",
        }
    }

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Days7 => "7 days",
            Self::Days30 => "30 days",
            Self::Days90 => "90 days",
            Self::Year => "1 year",
            Self::Years5 => "5 years",
            Self::Custom(..) => "custom",
        }
    }

    /// The period for which every relay has a figure; `None` for ranges that have none.
    pub(super) const fn period(self) -> Option<Period> {
        match self {
            Self::Days7 => Some(Period::SevenDays),
            Self::Days30 => Some(Period::ThirtyDays),
            Self::Year => Some(Period::OneYear),
            Self::Years5 => Some(Period::FiveYears),
            Self::Days90 | Self::Custom(..) => None,
        }
    }

    /// Its hours, half-open.
    pub(super) fn hours(self, view: &View) -> (ConsensusHour, ConsensusHour) {
        let end = view.as_of().next();
        match self {
            Self::Days90 => (end.plus(-90 * DAY_HOURS), end),
            Self::Custom(from, to) => {
                let [from, to] = [from, to].map(|day| ConsensusHour::new(day * DAY_HOURS));
                (from.min(end), to.min(end))
            }
            named => (named.period().unwrap_or(Period::ThirtyDays).start_before(end), end),
        }
    }

    /// In words, behind "over".
    pub(super) fn words(self) -> String {
        match self {
            Self::Custom(from, to) => format!("{} to {}", day_text(from), day_text(to - 1)),
            Self::Year => "the last year".to_owned(),
            named => format!("the last {}", named.label()),
        }
    }

    /// A step that gives at most some 200 intervals.
    pub(super) fn step_hours(self, view: &View) -> i32 {
        let (from, to) = self.hours(view);
        match to.hours_since(from) {
            0..=200 => 1,
            201..=800 => 4,
            801..=9_000 => DAY_HOURS,
            _ => 10 * DAY_HOURS,
        }
    }

    /// Edges of its intervals in seconds since 1970-01-01T00:00:00Z, on multiples of the step.
    pub(super) fn edges(self, view: &View) -> Vec<i64> {
        self.stepped(view, self.step_hours(view))
    }

    /// The same with steps of a day at least, for what is known day by day.
    pub(super) fn days(self, view: &View) -> Vec<i64> {
        self.stepped(view, self.step_hours(view).max(DAY_HOURS))
    }

    fn stepped(self, view: &View, step: i32) -> Vec<i64> {
        let (from, to) = self.hours(view);
        let first = from.get().div_euclid(step) * step;
        (0..)
            .map(|i| first + i * step)
            .take_while(|hour| *hour < to.get() + step && *hour < first + 2_000 * step)
            .map(|h| i64::from(h) * 3_600)
            .collect()
    }
}

fn day_text(day: i32) -> String {
    format::date(format::at_secs(i64::from(day) * 86_400))
}

impl State {
    /// Reads the address.
    pub(super) fn of(params: &Params) -> Result<Self, RequestError> {
        params.only(&["show", "range", "from", "to", "measure", "display", "with"])?;
        let show = named(params, "show", Show::ALL.map(|show| (show.name(), show)))?.unwrap_or(Show::Map);
        let measure = named(params, "measure", Measure::ALL.map(|measure| (measure.name(), measure)))?.unwrap_or(Measure::Uptime);
        let measure = if show.measures().contains(&measure) { measure } else { Measure::Uptime };
        let display = named(params, "display", Display::ALL.map(|display| (display.name(), display)))?.unwrap_or(Display::Picture);
        Ok(Self { show, range: range(params)?, measure, display, with: words(params, show)? })
    }

    /// The query part that says the same.
    pub(super) fn query(&self) -> String {
        let mut pairs = vec![("show", self.show.name().to_owned())];
        match self.range {
            Range::Days30 => {}
            Range::Custom(from, to) => {
                let text = |day: i32| format::rfc3339(format::at_secs(i64::from(day) * 86_400)).chars().take(10).collect::<String>();
                pairs.extend([("from", text(from)), ("to", text(to - 1))]);
            }
            named => pairs.push(("range", named.name().to_owned())),
        }
        if self.measure != Measure::Uptime && !self.show.measures().is_empty() {
            pairs.push(("measure", self.measure.name().to_owned()));
        }
        if self.display != Display::Picture {
            pairs.push(("display", self.display.name().to_owned()));
        }
        if self.takes_words() {
            pairs.extend(self.with.iter().map(|word| ("with", word.clone())));
        }
        query_string(&pairs)
    }

    /// Section of the methods that defines the figure.
    pub(super) const fn methods(&self) -> &'static str {
        match (self.show, self.measure) {
            (Show::Trend, Measure::Weight | Measure::Bandwidth) => "sizes-over-time",
            (Show::Trend, Measure::Diversity) => "concentration-over-time",
            (Show::Map | Show::Trend, _) => "groups-over-time",
            (Show::Compare, _) => "comparison",
            (Show::Distribution, _) => "quantiles",
            (Show::Correlation, _) => "correlation",
            (Show::Flow, _) => "flows",
        }
    }

    /// True if subjects can be picked.
    pub(super) const fn takes_words(&self) -> bool {
        match self.show {
            Show::Compare => true,
            Show::Trend => !matches!(self.measure, Measure::Diversity),
            Show::Map | Show::Distribution | Show::Correlation | Show::Flow => false,
        }
    }

    /// True if links and buttons of the page alone lead here: a named range, and nothing picked. There are fewer than a hundred such
    /// states.
    pub(super) fn is_offered(&self) -> bool {
        !matches!(self.range, Range::Custom(..)) && (self.with.is_empty() || !self.takes_words())
    }

    /// The text of a custom range's ends, for the form.
    pub(super) fn ends(&self) -> (String, String) {
        let text = |day: i32| format::rfc3339(format::at_secs(i64::from(day) * 86_400)).chars().take(10).collect::<String>();
        match self.range {
            Range::Custom(from, to) => (text(from), text(to - 1)),
            _ => (String::new(), String::new()),
        }
    }
}

/// The words of what is picked, each once, in their order.
fn words(params: &Params, show: Show) -> Result<Vec<String>, RequestError> {
    let mut words: Vec<String> = Vec::new();
    for word in params.all("with").flat_map(|text| text.split([' ', ','])).filter(|word| !word.is_empty()) {
        if !words.iter().any(|known| known.eq_ignore_ascii_case(word)) {
            words.push(word.to_owned());
        }
    }
    let most = if show == Show::Trend { MOST_FOLLOWED } else { MOST_COMPARED };
    match words.len() > most {
        true => Err(RequestError::bad("with", &words[most], format!("at most {most} things"))),
        false => Ok(words),
    }
}

fn named<T: Copy, const N: usize>(params: &Params, name: &str, all: [(&'static str, T); N]) -> Result<Option<T>, RequestError> {
    let Some(text) = params.one(name)? else { return Ok(None) };
    let found = all.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.map(Some).ok_or_else(|| RequestError::bad(name, text, all.map(|(name, _)| name).join(", ")))
}

fn range(params: &Params) -> Result<Range, RequestError> {
    if let (Some(from), Some(to)) = (params.one("from")?, params.one("to")?) {
        let (first, last) = (day(from, "from")?, day(to, "to")?);
        return if first <= last { Ok(Range::Custom(first, last + 1)) } else { Err(RequestError::bad("to", to, "a day not before from")) };
    }
    Ok(named(params, "range", Range::NAMED.map(|range| (range.name(), range)))?.unwrap_or(Range::Days30))
}

/// A day of UTC as days since 1970-01-01.
fn day(text: &str, name: &str) -> Result<i32, RequestError> {
    let instant: Option<Timestamp> = format!("{text}T00:00:00Z").parse().ok();
    let days = instant.map(|instant| instant.as_second().div_euclid(86_400)).filter(|day| (10_000..60_000).contains(day));
    days.and_then(|day| i32::try_from(day).ok()).ok_or_else(|| RequestError::bad(name, text, "a day such as 2026-02-15"))
}
