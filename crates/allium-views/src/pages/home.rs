//! `/`: is Tor healthy, in one sentence, and what that rests on.

use allium_analysis::{NetworkFigures, PeriodFigures, Strip};
use allium_model::{Fraction, Period, RelayFlag, Timestamp};
use allium_service::{Outlook, Snapshot, View};
use allium_words::format;
use allium_words::inert::inert;
use askama::Template;

use crate::error::RequestError;
use crate::markup::{Day, Html, Percent, flag_meaning};
use crate::page::{Alternate, Frame, PageHtml, framed, render};
use crate::pages::data_quality::SourceRow;
use crate::pages::forecasts::uptime_sentence;
use crate::pages::incidents::banner;
use crate::route::{Data, FixedData, FixedPage};
use crate::strips::{Labels, StripHtml, legend};

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    page: Frame,
    headline: Option<Headline>,
    running: String,
    total: String,
    incidents: Option<(Html, String)>,
    daily: &'a Strip,
    daily_sentence: String,
    daily_strip: StripHtml<'a>,
    daily_rows: Vec<(Day, Percent)>,
    legend: String,
    role_period: &'static str,
    roles: Vec<Role>,
    facts: Vec<(&'static str, String)>,
    spread_sentence: String,
    periods: Vec<PeriodRow>,
    flag_periods: Vec<&'static str>,
    flags: Vec<FlagRow>,
    sources: Vec<SourceRow>,
    ahead: Ahead,
}

framed!(Home<'_>);

/// The weeks ahead.
struct Ahead {
    sentence: String,
    actions: Option<String>,
}

struct Headline {
    percent: String,
    period: &'static str,
    n_relays: String,
}

struct Role {
    name: &'static str,
    href: Option<&'static str>,
    n: String,
    share: Percent,
    /// `None` where no figure is computed.
    uptime: Option<Percent>,
}

struct PeriodRow {
    label: &'static str,
    figures: Option<PeriodCells>,
}

struct PeriodCells {
    n_relays: String,
    mean: Percent,
    weighted: Percent,
    quantiles: [Percent; 5],
    std_dev: String,
}

struct FlagRow {
    name: &'static str,
    meaning: &'static str,
    n_relays: String,
    n_running: String,
    means: Vec<Percent>,
}

/// The periods that stand beside a flag.
const FLAG_PERIODS: [Period; 5] = [Period::SevenDays, Period::ThirtyDays, Period::SixMonths, Period::OneYear, Period::FiveYears];

/// Renders the page.
pub(crate) fn html(snapshot: &Snapshot, view: &View, now: Timestamp) -> Result<PageHtml, RequestError> {
    let network = &view.report.network;
    let (main_period, main_figures) = main_figures(network);
    let home = Home {
        page: Frame::of(snapshot, view, now, FixedPage::Home.path())
            .with_alternate(Alternate::of(&Data::Fixed(FixedData::Network)))
            .with_feeds("Incidents", ""),
        headline: main_figures.map(|figures| headline(main_period, figures)),
        running: format::count(network.n_running as u64),
        total: format::count(network.n_relays as u64),
        incidents: snapshot.incidents().map(|log| banner(view, log)),
        daily: &network.daily,
        daily_sentence: daily_sentence(&network.daily),
        daily_strip: daily_strip(&network.daily),
        daily_rows: network.daily.cells.iter().rev().map(|c| (Day(format::at_secs(c.start_secs)), Percent(c.uptime, 2))).collect(),
        legend: legend(),
        role_period: main_period.label(),
        roles: roles(network, main_period),
        facts: facts(network),
        spread_sentence: main_figures.map_or_else(String::new, |figures| spread_sentence(main_period, figures)),
        periods: Period::ALL.into_iter().map(|period| period_row(period, network.uptime[period.index()].as_ref())).collect(),
        flag_periods: FLAG_PERIODS.map(Period::label).to_vec(),
        flags: flags(network),
        sources: SourceRow::all(view, now),
        ahead: ahead(snapshot.outlook()),
    };
    render(&home)
}

/// The network over the next 30 days, and how many relays are likely to fail.
fn ahead(outlook: &Outlook) -> Ahead {
    let forecasts = match outlook.forecasts() {
        Ok(forecasts) => forecasts,
        Err(reason) => return Ahead { sentence: format!("There is no forecast yet: {}.", inert(reason)), actions: None },
    };
    let summary = &forecasts.summary;
    let relays = format!(
        "Of {} that run now, {} are expected to stay below 90\u{a0}% and {} to leave for good.",
        format::counted(summary.n_running, "relay"),
        format::count(summary.expected_below_90.round() as u64),
        format::count(summary.expected_gone.round() as u64)
    );
    match uptime_sentence(&forecasts.network) {
        Some(sentence) => Ahead { sentence: format!("{sentence}."), actions: Some(relays) },
        None => Ahead { sentence: relays, actions: None },
    }
}

/// The period of the headline: 30 days, or the next one that has a figure.
fn main_figures(network: &NetworkFigures) -> (Period, Option<&PeriodFigures>) {
    let preferred =
        [Period::ThirtyDays, Period::OneMonth, Period::SevenDays, Period::OneDay, Period::SixMonths, Period::OneYear, Period::FiveYears];
    let found = preferred.into_iter().find_map(|period| network.uptime[period.index()].as_ref().map(|figures| (period, Some(figures))));
    found.unwrap_or((Period::ThirtyDays, None))
}

fn headline(period: Period, figures: &PeriodFigures) -> Headline {
    Headline {
        percent: format::percent(figures.mean, 1),
        period: match period {
            Period::OneDay => "day",
            Period::OneMonth => "month",
            Period::OneYear => "year",
            other => other.label(),
        },
        n_relays: format::count(figures.n_relays as u64),
    }
}

fn daily_strip(daily: &Strip) -> StripHtml<'_> {
    StripHtml { cells: &daily.cells, what: "Mean uptime per day".to_owned(), layout: "tall", labels: Labels::Weeks, skip: 0 }
}

fn daily_sentence(daily: &Strip) -> String {
    let known: Vec<_> = daily.cells.iter().filter_map(|cell| cell.uptime.map(|uptime| (cell.start_secs, uptime))).collect();
    let worst = known.iter().min_by(|a, b| a.1.get().total_cmp(&b.1.get()));
    let best = known.iter().max_by(|a, b| a.1.get().total_cmp(&b.1.get()));
    let (Some(worst), Some(best)) = (worst, best) else { return "No day has been measured yet.".to_owned() };
    let words =
        |(secs, uptime): &(i64, Fraction)| format!("{}\u{a0}% on {}", format::percent(*uptime, 2), format::date(format::at_secs(*secs)));
    format!("The worst day was {}, the best {}.", words(worst), words(best))
}

fn roles(network: &NetworkFigures, period: Period) -> Vec<Role> {
    let by_role = network.running_by_role;
    let uptime = |flag| network.by_flag.iter().find(|f| f.flag == flag).and_then(|f| f.uptime[period.index()]).map(|f| f.mean);
    let rows = [
        ("Guard", Some("/relays?status=running&flag=Guard"), by_role.guard, uptime(RelayFlag::Guard)),
        ("Exit", Some("/relays?status=running&flag=Exit"), by_role.exit, uptime(RelayFlag::Exit)),
        ("Middle", None, by_role.middle, None),
        ("All", Some("/relays?status=running"), network.n_running, network.uptime[period.index()].map(|f| f.mean)),
    ];
    let row = |(name, href, n, uptime): (_, _, usize, Option<Fraction>)| Role {
        name,
        href,
        n: format::count(n as u64),
        share: Percent(Fraction::of(n as f64, network.n_running as f64), 1),
        uptime: uptime.map(|share| Percent(Some(share), 2)),
    };
    rows.map(row).into_iter().collect()
}

fn facts(network: &NetworkFigures) -> Vec<(&'static str, String)> {
    vec![
        ("Relays seen in the last 7 days", format::count(network.n_relays as u64)),
        ("Of these down now", format::count(network.n_relays.saturating_sub(network.n_running) as u64)),
        ("Advertised bandwidth, Gbit/s", crate::markup::words_of(network.advertised_bandwidth, format::gigabits)),
        ("Consensus weight", crate::markup::words_of(network.consensus_weight, format::count)),
        ("Autonomous systems", format::count(network.n_autonomous_systems as u64)),
        ("Countries", format::count(network.n_countries as u64)),
    ]
}

fn spread_sentence(period: Period, figures: &PeriodFigures) -> String {
    let least = |share: Fraction| match format::percent(share, 2) {
        percent if share.get() >= 1.0 => format!("all of the time ({percent}\u{a0}%)"),
        percent => format!("at least {percent}\u{a0}%"),
    };
    let worst = format::percent(figures.quantiles[0], 2);
    format!(
        "Over {}, half of the relays were up {}; one in twenty was up less than {worst}\u{a0}%.",
        period.label(),
        least(figures.median())
    )
}

fn period_row(period: Period, figures: Option<&PeriodFigures>) -> PeriodRow {
    let cells = |figures: &PeriodFigures| PeriodCells {
        n_relays: format::count(figures.n_relays as u64),
        mean: Percent(Some(figures.mean), 2),
        weighted: Percent(figures.weighted_mean, 2),
        quantiles: figures.quantiles.map(|q| Percent(Some(q), 2)),
        std_dev: figures.std_dev.map_or_else(|| format::NO_DATA.to_owned(), format::width),
    };
    PeriodRow { label: period.label(), figures: figures.map(cells) }
}

fn flags(network: &NetworkFigures) -> Vec<FlagRow> {
    let row = |flag: &allium_analysis::FlagFigures| FlagRow {
        name: flag.flag.name(),
        meaning: flag_meaning(flag.flag),
        n_relays: format::count(flag.n_relays as u64),
        n_running: format::count(flag.n_running as u64),
        means: FLAG_PERIODS.map(|period| Percent(flag.uptime[period.index()].map(|f| f.mean), 2)).to_vec(),
    };
    network.by_flag.iter().map(row).collect()
}
