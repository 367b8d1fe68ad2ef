//! The shapes of all addresses, with a word in capitals where a key stands: `/relay/FINGERPRINT`.

use allium_analysis::leaderboards::Category;
use allium_model::{Fingerprint, OperatorId};

use super::{CalendarOf, ChartFile, ChartForm, Data, FeedForm, FixedData, FixedPage, GroupKind, NoteBy, Page, Route, Service, href};
use crate::form::Form;

/// The name of a chart in a pattern.
const NAME: &str = "NAME";

/// A key of which a pattern shows nothing.
const ANY: Fingerprint = Fingerprint::new([0; 20]);

impl Route {
    /// The shapes of all addresses.
    pub fn patterns() -> impl Iterator<Item = String> {
        let pages = pages();
        let charts = pages.clone().into_iter().filter(|page| !page.chart_names().is_empty()).flat_map(charts);
        let data = data().into_iter().flat_map(|data| data.forms().iter().map(move |form| Self::Data(data.clone(), *form)));
        let pages = pages.into_iter().map(Self::Page);
        pages.chain(charts).chain(data).chain(others()).map(|route| route.pattern())
    }

    /// The shape of the address.
    pub fn pattern(&self) -> String {
        match self {
            Self::Page(page) => page.pattern(),
            Self::Chart(page, file) => format!("{}/{NAME}.{}", href::charts(page.pattern()), file.form.ending()),
            Self::Data(data, Form::Json) => data.pattern(),
            Self::Data(data, Form::Csv) => format!("{}.csv", data.pattern()),
            Self::Calendar(CalendarOf::Relay(_)) => format!("/relay/FINGERPRINT/{}", super::address::CALENDAR),
            Self::Calendar(CalendarOf::Operator(_)) => format!("/operator/OPERATOR/{}", super::address::CALENDAR),
            Self::Asset(_) => "/assets/NAME".to_owned(),
            Self::Service(Service::Note { by, .. }) => Self::Service(Service::Note { incident: "INCIDENT".to_owned(), by: *by }).address(),
            other => other.address(),
        }
    }
}

impl Page {
    fn pattern(&self) -> String {
        let (base, key) = match self {
            Self::Group(kind, _) => (kind.page_path(), kind.placeholder()),
            Self::Relay(_) => ("/relay", "FINGERPRINT"),
            Self::Operator(_) => ("/operator", "OPERATOR"),
            Self::Family(_) => ("/family", "FAMILY"),
            Self::Leaderboard(_) => ("/leaderboards", "CATEGORY"),
            Self::Incident(_) => ("/incident", "INCIDENT"),
            Self::Fixed(_) | Self::Methods | Self::Groups(_) => return self.address(),
        };
        format!("{base}/{key}")
    }
}

impl Data {
    fn pattern(&self) -> String {
        let (base, key) = match self {
            Self::Group(kind, _) => (kind.list_path(), kind.placeholder()),
            Self::Relay(_) => ("/relays", "FINGERPRINT"),
            Self::Operator(_) => ("/operators", "OPERATOR"),
            Self::OperatorRelays(_) => ("/operators", "OPERATOR/relays"),
            Self::Family(_) => ("/families", "FAMILY"),
            Self::Leaderboard(_) => ("/leaderboards", "CATEGORY"),
            Self::Incident(_) => ("/incidents", "INCIDENT"),
            Self::Fixed(_) | Self::Groups(_) => return Route::Data(self.clone(), Form::Json).address(),
        };
        format!("{}{base}/{key}", href::API)
    }
}

/// A page of each shape.
fn pages() -> Vec<Page> {
    let fixed = FixedPage::ALL.iter().map(|page| Page::Fixed(*page));
    let groups = GroupKind::ALL.into_iter().flat_map(|kind| [Page::Groups(kind), Page::Group(kind, String::new())]);
    let boards = Category::ALL.into_iter().take(1).map(Page::Leaderboard);
    let keyed = [Page::Relay(ANY), Page::Operator(OperatorId::Family(ANY)), Page::Family(ANY), Page::Incident(String::new())];
    fixed.chain([Page::Methods]).chain(groups).chain(boards).chain(keyed).collect()
}

fn charts(page: Page) -> impl Iterator<Item = Route> {
    ChartForm::ALL.into_iter().map(move |form| Route::Chart(page.clone(), ChartFile { name: NAME.to_owned(), form }))
}

/// Figures of each shape.
fn data() -> Vec<Data> {
    let fixed = FixedData::ALL.iter().map(|data| Data::Fixed(*data));
    let groups = GroupKind::ALL.into_iter().flat_map(|kind| [Data::Groups(kind), Data::Group(kind, String::new())]);
    let boards = Category::ALL.into_iter().take(1).map(Data::Leaderboard);
    let operator = OperatorId::Family(ANY);
    let operators = [Data::Operator(operator.clone()), Data::OperatorRelays(operator)];
    let keyed = [Data::Relay(ANY), Data::Family(ANY), Data::Incident(String::new())];
    fixed.chain(groups).chain(boards).chain(operators).chain(keyed).collect()
}

fn others() -> Vec<Route> {
    let calendars = [CalendarOf::Relay(ANY), CalendarOf::Operator(OperatorId::Family(ANY))].map(Route::Calendar);
    let single = [Route::IncidentLines, Route::Asset(String::new()), Route::Icon, Route::Robots];
    let services = [Service::Health, Service::Metrics, Service::Changes].map(Route::Service);
    let senders = NoteBy::ACTIONS.map(|(_, action)| NoteBy::Json(action)).into_iter().chain([NoteBy::Form]);
    let notes = senders.map(|by| Route::Service(Service::Note { incident: String::new(), by }));
    let feeds = [FeedForm::Atom, FeedForm::Rss].map(Route::Feed);
    calendars.into_iter().chain(single).chain(feeds).chain(services).chain(notes).collect()
}
