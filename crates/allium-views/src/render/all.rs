//! Every address of what is shown.

use allium_analysis::leaderboards::Category;
use allium_service::{IncidentLog, Snapshot, View};

use super::charts::chart;
use crate::assets;
use crate::pages::groups;
use crate::route::{CalendarOf, ChartFile, ChartForm, Data, FeedForm, FixedData, FixedPage, GroupKind, Page, Route};
use crate::shown::Shown;

impl Route {
    /// Every address that [`crate::render()`] answers with what a snapshot shows, each once: pages, figures, charts as pages show them,
    /// calendars, feeds, assets. Nothing but what needs no data where there is none.
    pub fn all(snapshot: &Snapshot) -> impl Iterator<Item = Self> {
        let shown = snapshot.view().map(|view| of_view(snapshot, view));
        let assets = assets::paths().map(|path| Self::Asset(path.to_owned()));
        let single = [Self::Page(Page::Methods), Self::Icon, Self::Robots];
        shown.into_iter().flatten().chain(assets).chain(single)
    }
}

/// All that shows a view; the pages come first.
fn of_view(snapshot: &Snapshot, view: &View) -> impl Iterator<Item = Route> {
    let pages = pages(snapshot, view);
    let data: Vec<Data> = FixedData::ALL.iter().map(|data| Data::Fixed(*data)).chain(pages.iter().flat_map(data_of)).collect();
    let data = data.into_iter().flat_map(|data| data.forms().iter().map(move |form| Route::Data(data.clone(), *form)));
    let calendars: Vec<Route> = pages.iter().filter_map(calendar_of).map(Route::Calendar).collect();
    let incidents = snapshot.incidents().map(|_| [Route::IncidentLines, Route::Feed(FeedForm::Atom), Route::Feed(FeedForm::Rss)]);
    let routes = pages.clone().into_iter().map(Route::Page).chain(data).chain(calendars);
    routes.chain(incidents.into_iter().flatten()).chain(pages.into_iter().flat_map(move |page| charts_of(snapshot, view, &page)))
}

fn pages(snapshot: &Snapshot, view: &View) -> Vec<Page> {
    let operators = &view.operators;
    let current = operators.list().iter().zip(&operators.figures).filter(|(_, figures)| figures.members.n_relays > 0);
    let families = operators.directory.families.families.iter().zip(&operators.families).filter(|(_, figures)| figures.n_relays > 0);
    let group = |kind| groups::rows(view, kind).into_iter().map(move |row| Page::Group(kind, row.key));
    let incidents = snapshot.incidents().into_iter().flat_map(IncidentLog::incidents).map(|incident| Page::Incident(incident.id.clone()));
    let fixed = FixedPage::ALL.iter().map(|page| Page::Fixed(*page));
    let lists = GroupKind::ALL.into_iter().map(Page::Groups);
    fixed
        .chain(lists)
        .chain(Category::ALL.into_iter().map(Page::Leaderboard))
        .chain(view.record.relays.iter().map(|record| Page::Relay(record.relay.fingerprint)))
        .chain(current.map(|(operator, _)| Page::Operator(operator.id.clone())))
        .chain(families.map(|(family, _)| Page::Family(family.key)))
        .chain(GroupKind::ALL.into_iter().flat_map(group))
        .chain(incidents)
        .collect()
}

/// The figures of a list or of a page with a key.
fn data_of(page: &Page) -> Vec<Data> {
    match page {
        Page::Fixed(_) | Page::Methods => Vec::new(),
        Page::Groups(kind) => vec![Data::Groups(*kind)],
        Page::Group(kind, key) => vec![Data::Group(*kind, key.clone())],
        Page::Relay(fingerprint) => vec![Data::Relay(*fingerprint)],
        Page::Operator(id) => vec![Data::Operator(id.clone()), Data::OperatorRelays(id.clone())],
        Page::Family(key) => vec![Data::Family(*key)],
        Page::Leaderboard(category) => vec![Data::Leaderboard(*category)],
        Page::Incident(id) => vec![Data::Incident(id.clone())],
    }
}

fn calendar_of(page: &Page) -> Option<CalendarOf> {
    match page {
        Page::Relay(fingerprint) => Some(CalendarOf::Relay(*fingerprint)),
        Page::Operator(id) => Some(CalendarOf::Operator(id.clone())),
        _ => None,
    }
}

/// The charts of a page in every form. Those that need figures which are not always known are tried.
fn charts_of(snapshot: &Snapshot, view: &View, page: &Page) -> Vec<Route> {
    let shown = Shown { snapshot, view, now: snapshot.modified(), query: "" };
    let is_there = |name: &&str| !needs_more(page, name) || chart(&shown, page, name).is_ok();
    let names: Vec<&str> = page.chart_names().iter().copied().filter(is_there).collect();
    let file = |name: &str, form| ChartFile { name: name.to_owned(), form };
    names.into_iter().flat_map(|name| ChartForm::ALL.map(|form| Route::Chart(page.clone(), file(name, form)))).collect()
}

fn needs_more(page: &Page, name: &str) -> bool {
    matches!(page, Page::Fixed(FixedPage::Forecasts | FixedPage::Scoreboard)) || matches!(name, "forecast" | "benchmark")
}
