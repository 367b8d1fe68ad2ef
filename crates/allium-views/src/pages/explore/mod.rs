//! `/explore`: the network from several sides, one question at a time: map, trend, distribution, correlation, flow, comparison.
//!
//! Everything on the page is in its address: what is shown, over which range, by which measure, in which form. Controls are links
//! and forms that lead to other addresses, so they work without scripts.

mod charts;
mod compare;
mod image;
mod kept;
mod picks;
mod regions;
mod state;
mod subjects;
mod trend;

use allium_charts::Chart;
use allium_model::{Fraction, Timestamp};
use allium_service::{Outlook, Snapshot, View};
use allium_words::format;
use allium_words::inert::inert;
use askama::Template;

pub(crate) use self::charts::chart;
pub(crate) use self::image::html as image_html;
use self::picks::Picks;
use self::state::{Display, Measure, Range, Show, State};
pub(crate) use self::subjects::{links, word_of};
use crate::error::RequestError;
use crate::figure::Figure;
use crate::page::{Frame, PageHtml, framed, render};
use crate::pages::incidents::marks::marked_by_all;
use crate::params::Params;
use crate::route::FixedPage;

/// The path of the page.
const PATH: &str = FixedPage::Explore.path();

/// Address of its charts.
const CHARTS: &str = "/explore/charts";

#[derive(Template)]
#[template(path = "explore.html")]
struct ExplorePage {
    page: Frame,
    shows: Vec<Link>,
    ranges: Vec<Link>,
    measures: Vec<Link>,
    displays: Vec<Link>,
    state: State,
    has_measure: bool,
    /// True if the figures stand beside each other where there is room.
    is_pair: bool,
    /// Figures as HTML.
    figures: Vec<String>,
    share: String,
    methods: &'static str,
    /// Subjects that can be picked, where anything can.
    picks: Option<Picks>,
    /// The forecast in words, or the reason why there is none.
    ahead: String,
    /// The months ahead as a figure.
    months: Option<String>,
}

framed!(ExplorePage);

/// A link among others of its kind.
struct Link {
    label: &'static str,
    href: String,
    is_current: bool,
}

/// Renders the page.
pub(crate) fn html(snapshot: &Snapshot, view: &View, now: Timestamp, params: &Params) -> Result<PageHtml, RequestError> {
    let state = State::of(params)?;
    let charts = charts::all(view, snapshot.sizes(), &state)?;
    let query = state.query();
    let log = snapshot.incidents();
    let charts: Vec<Chart> = charts.iter().map(|chart| marked_by_all(chart.clone(), view, log)).collect();
    let figures = charts.iter().map(|chart| figure(chart, &query, state.display)).collect();
    let link = |label, state: State, is_current| Link { label, href: format!("{PATH}{}", state.query()), is_current };
    let page = ExplorePage {
        page: Frame::of(snapshot, view, now, PATH).with_charts(),
        shows: Show::ALL.map(|show| link(show.label(), State { show, ..state.clone() }, show == state.show)).into_iter().collect(),
        ranges: Range::NAMED.map(|range| link(range.label(), State { range, ..state.clone() }, range == state.range)).into_iter().collect(),
        measures: state
            .show
            .measures()
            .iter()
            .map(|m| link(m.label(), State { measure: *m, ..state.clone() }, *m == state.measure))
            .collect(),
        displays: displays(&state),
        is_pair: state.show == Show::Map && state.display == Display::Picture,
        has_measure: !state.show.measures().is_empty(),
        picks: state.takes_words().then(|| Picks::of(view, &state)).transpose()?,
        ahead: ahead(snapshot.outlook()),
        figures,
        share: format!("{PATH}{query}"),
        methods: state.methods(),
        months: months(snapshot.outlook()),
        state,
    };
    render(&page)
}

/// The forms, and the map beside them.
fn displays(state: &State) -> Vec<Link> {
    let form = |display: Display| {
        let label = if state.show == Show::Map && display == Display::Picture { "Map" } else { display.label() };
        let href = format!("{PATH}{}", State { display, ..state.clone() }.query());
        Link { label, href, is_current: display == state.display }
    };
    let mut links: Vec<Link> = Display::ALL.map(form).into_iter().collect();
    if state.show != Show::Map {
        let measure = if Show::Map.measures().contains(&state.measure) { state.measure } else { Measure::Uptime };
        let map = State { show: Show::Map, measure, display: Display::Picture, ..state.clone() };
        links.insert(1, Link { label: "Map", href: format!("{PATH}{}", map.query()), is_current: false });
    }
    links
}

/// The coming month in a sentence.
fn ahead(outlook: &Outlook) -> String {
    match outlook.forecasts() {
        Err(reason) => format!("There is no forecast: {}.", inert(reason)),
        Ok(forecasts) => format!(
            "Over the next {} days {} are foreseen to be up {}\u{a0}% of the time on average.",
            forecasts.horizon_days,
            format::counted(forecasts.relays().len(), "relay"),
            mean(forecasts.relays().iter().map(|forecast| forecast.mean.get()))
                .map_or_else(|| "\u{2013}".to_owned(), |share| format::percent(share, 1)),
        ),
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> Option<Fraction> {
    let n = values.len() as f64;
    Fraction::of(values.sum(), n)
}

/// The uptime of the month behind, the next one and the next three, with their intervals.
fn months(outlook: &Outlook) -> Option<String> {
    let chart = crate::pages::forecasts::uptime_bars(outlook)?;
    Some(Figure::of(&chart, "/forecasts/charts", "").with_rows(0).to_string())
}

fn figure(chart: &Chart, query: &str, display: Display) -> String {
    let figure = Figure::of(chart, CHARTS, query);
    match display {
        Display::Picture => figure.to_string(),
        Display::Table => figure.open().with_rows(1_000).without_picture().to_string(),
        Display::Raw => figure.with_rows(0).without_picture().to_string(),
    }
}
