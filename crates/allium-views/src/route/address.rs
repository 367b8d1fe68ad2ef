//! Routes as addresses.

use allium_words::inert::url_encoded;

use super::{CalendarOf, ChartFile, Data, NoteBy, Page, Route, Service, href};
use crate::form::Form;

/// The last part of the address of a calendar.
pub(super) const CALENDAR: &str = "maintenance.ics";

impl Route {
    /// The address, which [`Route::parse`] reads as the same route.
    pub fn address(&self) -> String {
        match self {
            Self::Page(page) => page.address(),
            Self::Chart(page, ChartFile { name, form }) => {
                format!("{}/{}.{}", href::charts(page.address()), url_encoded(name), form.ending())
            }
            Self::Data(data, Form::Json) => data.address(),
            Self::Data(data, Form::Csv) => format!("{}.csv", data.address()),
            Self::IncidentLines => format!("{}/incidents.jsonl", href::API),
            Self::Feed(form) => form.path().to_owned(),
            Self::Calendar(CalendarOf::Relay(fingerprint)) => format!("{}/{CALENDAR}", href::relay(fingerprint)),
            Self::Calendar(CalendarOf::Operator(id)) => format!("{}/{CALENDAR}", href::operator(id)),
            Self::Asset(path) => path.clone(),
            Self::Icon => "/favicon.ico".to_owned(),
            Self::Robots => "/robots.txt".to_owned(),
            Self::Service(service) => service.address(),
        }
    }
}

impl Page {
    /// The address.
    pub fn address(&self) -> String {
        match self {
            Self::Fixed(page) => page.path().to_owned(),
            Self::Methods => href::METHODS.to_owned(),
            Self::Groups(kind) => kind.list_path().to_owned(),
            Self::Group(kind, key) => kind.href(key),
            Self::Relay(fingerprint) => href::relay(fingerprint),
            Self::Operator(id) => href::operator(id),
            Self::Family(key) => href::family(key),
            Self::Leaderboard(category) => href::leaderboard(*category),
            Self::Incident(id) => href::incident(id),
        }
    }
}

impl Data {
    /// The address of the JSON.
    pub(crate) fn address(&self) -> String {
        let path = match self {
            Self::Fixed(data) => data.path().to_owned(),
            Self::Groups(kind) => kind.list_path().to_owned(),
            Self::Group(kind, key) => format!("{}/{}", kind.list_path(), url_encoded(key)),
            Self::Relay(fingerprint) => format!("/relays/{fingerprint}"),
            Self::Operator(id) => format!("/operators/{id}"),
            Self::OperatorRelays(id) => format!("/operators/{id}/relays"),
            Self::Family(key) => format!("/families/{key}"),
            Self::Leaderboard(category) => href::leaderboard(*category),
            Self::Incident(id) => format!("/incidents/{}", url_encoded(id)),
        };
        format!("{}{path}", href::API)
    }
}

impl Service {
    fn address(&self) -> String {
        match self {
            Self::Health => "/healthz".to_owned(),
            Self::Metrics => "/metrics".to_owned(),
            Self::Changes => format!("{}/incidents/stream", href::API),
            Self::Note { incident, by: NoteBy::Form } => format!("{}/notes", href::incident(incident)),
            Self::Note { incident, by: NoteBy::Json(action) } => {
                let part = NoteBy::ACTIONS.into_iter().find(|(_, of)| of == action).map_or(*action, |(part, _)| part);
                format!("{}/incidents/{}/{part}", href::API, url_encoded(incident))
            }
        }
    }
}
