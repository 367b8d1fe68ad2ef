//! `/explore`: the network from several sides, one question at a time: map, trend, distribution, correlation, flow, comparison.
//!
//! Everything on the page is in its address: what is shown, over which range, by which measure, in which form. Controls are links
//! and forms that lead to other addresses, so they work without scripts.

mod charts;
mod compare;
mod image;
mod state;

use allium_model::Timestamp;
use askama::Template;

pub(crate) use self::charts::chart;
pub(crate) use self::image::html as image_html;
use self::state::{Display, Range, Show, State};
use crate::charts::{Chart, Figure};
use crate::error::RequestError;
use crate::page::{Page, render};
use crate::params::Params;
use crate::site::Site;
use crate::view::View;

/// The path of the page.
const PATH: &str = "/explore";

/// Where its charts are.
const CHARTS: &str = "/explore/charts";

#[derive(Template)]
#[template(path = "explore.html")]
struct ExplorePage {
    page: Page,
    shows: Vec<Link>,
    ranges: Vec<Link>,
    measures: Vec<Link>,
    displays: Vec<Link>,
    state: State,
    has_measure: bool,
    /// Figures as HTML.
    figures: Vec<String>,
    share: String,
    methods: &'static str,
}

/// A link among others of its kind.
struct Link {
    label: &'static str,
    href: String,
    is_current: bool,
}

/// Renders the page.
pub(crate) fn html(site: &Site, view: &View, now: Timestamp, params: &Params) -> Result<String, RequestError> {
    let state = State::of(params)?;
    let charts = charts::all(view, &state)?;
    let query = state.query();
    let log = site.incidents();
    let charts: Vec<Chart> = charts.into_iter().map(|chart| chart.marked_by_all(view, log.as_deref())).collect();
    let figures = charts.iter().map(|chart| figure(chart, &query, state.display)).collect();
    let link = |label, state: State, is_current| Link { label, href: format!("{PATH}{}", state.query()), is_current };
    let page = ExplorePage {
        page: Page::of(site, view, now, PATH).with_charts(),
        shows: Show::ALL.map(|show| link(show.label(), State { show, ..state.clone() }, show == state.show)).into_iter().collect(),
        ranges: Range::NAMED.map(|range| link(range.label(), State { range, ..state.clone() }, range == state.range)).into_iter().collect(),
        measures: state
            .show
            .measures()
            .iter()
            .map(|m| link(m.label(), State { measure: *m, ..state.clone() }, *m == state.measure))
            .collect(),
        displays: Display::ALL
            .map(|display| link(display.label(), State { display, ..state.clone() }, display == state.display))
            .into_iter()
            .collect(),
        has_measure: !state.show.measures().is_empty(),
        figures,
        share: format!("{PATH}{query}"),
        methods: state.show.methods(),
        state,
    };
    render(&page)
}

fn figure(chart: &Chart, query: &str, display: Display) -> String {
    let figure = Figure::of(chart, CHARTS, query);
    match display {
        Display::Picture => figure.to_string(),
        Display::Table => figure.open().with_rows(1_000).without_picture().to_string(),
        Display::Raw => figure.with_rows(0).without_picture().to_string(),
    }
}
