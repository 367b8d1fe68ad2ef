//! Addresses: every one that the service answers is a [`Route`].
//!
//! [`Route::parse`] reads a path, [`Route::address`] writes it again, [`Route::all`] lists every address of what is shown, and
//! [`Route::patterns`] the shapes of all addresses. [`crate::render`] answers a route. Server, link tests and the table of
//! `docs/api.md` are loops over these; nothing else in the program takes an address apart.
//!
//! ```
//! use allium_views::{Parsed, Route};
//! let Ok(Parsed::Route(route)) = Route::parse("/api/v1/countries/DE.csv") else { panic!() };
//! assert_eq!(route.address(), "/api/v1/countries/de.csv");
//! let Ok(Parsed::Moved(route)) = Route::parse("/country/DE/") else { panic!() };
//! assert_eq!(route.address(), "/country/de");
//! ```

mod address;
mod group;
pub(crate) mod href;
mod parse;
mod patterns;

use allium_analysis::leaderboards::Category;
use allium_model::{Fingerprint, OperatorId};

pub use self::group::GroupKind;
pub(crate) use self::group::slug;
pub use self::parse::Parsed;
pub use crate::form::Form;

each_fixed_page!(fixed_page_addresses);
each_fixed_data!(fixed_data_addresses);

/// An address of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// A page.
    Page(Page),
    /// A chart of a page.
    Chart(Page, ChartFile),
    /// Figures for programs.
    Data(Data, Form),
    /// All incidents, one JSON object per line.
    IncidentLines,
    /// Incidents as a feed.
    Feed(FeedForm),
    /// A calendar of maintenance.
    Calendar(CalendarOf),
    /// A file that pages load, by its path.
    Asset(String),
    /// The icon, for clients that ask for it by its well-known name.
    Icon,
    /// The rules for crawlers.
    Robots,
    /// An address that only a running server answers.
    Service(Service),
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// A page with one address.
    Fixed(FixedPage),
    /// The definitions of all figures; the only page that needs no data.
    Methods,
    /// A list of groups.
    Groups(GroupKind),
    /// A group, by its key.
    Group(GroupKind, String),
    /// A relay.
    Relay(Fingerprint),
    /// An operator.
    Operator(OperatorId),
    /// A family, by the fingerprint of a member.
    Family(Fingerprint),
    /// A leaderboard.
    Leaderboard(Category),
    /// An incident, by its id.
    Incident(String),
}

/// Figures for programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// Figures with one address.
    Fixed(FixedData),
    /// A list of groups.
    Groups(GroupKind),
    /// A group, by a key that need not exist.
    Group(GroupKind, String),
    /// A relay.
    Relay(Fingerprint),
    /// An operator.
    Operator(OperatorId),
    /// The relays of an operator.
    OperatorRelays(OperatorId),
    /// A family, by its key.
    Family(Fingerprint),
    /// A leaderboard.
    Leaderboard(Category),
    /// An incident, by its id.
    Incident(String),
}

/// The file of a chart: `NAME.png`, `.svg`, `.csv` or `.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartFile {
    /// The name of the chart on its page.
    pub name: String,
    /// The form.
    pub form: ChartForm,
}

/// A form in which a chart is given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChartForm {
    /// A picture of pixels.
    Png,
    /// A picture of shapes.
    Svg,
    /// The values as a table.
    Csv,
    /// The values with their description.
    Json,
}

/// A form in which feeds are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedForm {
    /// RFC 4287.
    Atom,
    /// RSS 2.0.
    Rss,
}

impl FeedForm {
    /// The media type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Atom => "application/atom+xml; charset=utf-8",
            Self::Rss => "application/rss+xml; charset=utf-8",
        }
    }

    /// The address of the feed.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Atom => "/incidents.atom",
            Self::Rss => "/incidents.rss",
        }
    }
}

/// The owner of a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CalendarOf {
    /// A relay.
    Relay(Fingerprint),
    /// An operator.
    Operator(OperatorId),
}

/// An address that only a running server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Service {
    /// State of the service, for monitors.
    Health,
    /// Figures of the service in OpenMetrics text.
    Metrics,
    /// Changes of incidents as they come.
    Changes,
    /// A note about an incident: the only addresses that are written to.
    Note {
        /// The id of the incident.
        incident: String,
        /// The form in which the note is sent.
        by: NoteBy,
    },
}

/// The form of a note that is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteBy {
    /// The form on the page of the incident.
    Form,
    /// JSON, with the action in the address.
    Json(&'static str),
}

/// The work that an answer takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// At most a few milliseconds.
    Light,
    /// Tens of milliseconds: a picture is drawn, or a page that shows as much.
    Picture,
    /// A list that may be as long as the network is large.
    Heavy,
}

impl Route {
    /// The work that the answer takes.
    pub const fn cost(&self) -> Cost {
        match self {
            Self::Chart(..) | Self::Page(Page::Fixed(FixedPage::Explore | FixedPage::ExploreImage)) => Cost::Picture,
            Self::Data(Data::Relay(_), _) => Cost::Light,
            Self::Data(Data::Fixed(FixedData::Relays), _) | Self::Data(_, Form::Csv) | Self::IncidentLines | Self::Feed(_) => Cost::Heavy,
            _ => Cost::Light,
        }
    }

    /// The same figures as CSV, where there are any.
    #[must_use]
    pub fn as_csv(self) -> Self {
        match self {
            Self::Data(data, Form::Json) if data.forms().contains(&Form::Csv) => Self::Data(data, Form::Csv),
            other => other,
        }
    }

    /// True if the answer is for programs, so that its errors are JSON; otherwise they are pages.
    pub const fn is_for_programs(&self) -> bool {
        matches!(self, Self::Data(..) | Self::IncidentLines)
    }
}

impl Page {
    /// The names of its charts; some of them need figures that are not always known.
    pub const fn chart_names(&self) -> &'static [&'static str] {
        match self {
            Self::Fixed(page) => page.chart_names(),
            Self::Groups(kind) => kind.chart_names(),
            Self::Group(..) | Self::Family(_) => &["months"],
            Self::Relay(_) => &["uptime", "flags", "forecast"],
            Self::Operator(_) => &["months", "benchmark"],
            Self::Incident(_) => &["course", "relays"],
            Self::Methods | Self::Leaderboard(_) => &[],
        }
    }
}

impl Data {
    /// The forms in which the figures are given out.
    pub const fn forms(&self) -> &'static [Form] {
        match self {
            Self::Fixed(data) => data.forms(),
            Self::Operator(_) => &[Form::Json],
            _ => &[Form::Json, Form::Csv],
        }
    }
}

impl ChartForm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Png, Self::Svg, Self::Csv, Self::Json];

    /// The ending of the file.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Svg => "svg",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Svg => "image/svg+xml",
            Self::Csv => Form::Csv.media_type(),
            Self::Json => Form::Json.media_type(),
        }
    }
}
