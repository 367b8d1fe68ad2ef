//! Groups of relays: lists, and a page for each group.
//!
//! One [`Kind`] per way to group, all with the same columns, addresses and forms; countries and autonomous systems have more to
//! say, in [`geography`] and [`providers`].

mod charts;
mod columns;
mod detail;
mod geography;
mod list;
mod providers;
mod relays;
mod rows;

use allium_analysis::groups::Region;
use allium_model::{Asn, CountryCode, Period, RelayFlag, Timestamp};
use allium_service::{Snapshot, View};
use allium_words::inert::url_encoded;
use jiff::civil::Date;

use crate::api::Form;
use crate::error::RequestError;
use crate::markup::Html;
use crate::page::PageHtml;
use crate::params::Params;

pub(crate) use charts::{group_chart, list_chart, months_chart};
pub(crate) use detail::change_table;
pub(crate) use geography::direction_word as direction;
pub(crate) use providers::as_link;
pub(crate) use rows::{GroupRow, row_of, rows};

/// The period of a page unless its address says otherwise.
const PERIOD: Period = Period::OneMonth;

/// A way to group relays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// By country.
    Country,
    /// By region of M49.
    Region,
    /// By autonomous system.
    As,
    /// By flag.
    Flag,
    /// By operating system.
    Platform,
    /// By version of Tor.
    Version,
    /// By day of first appearance.
    FirstSeen,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 7] = [Self::Country, Self::Region, Self::As, Self::Flag, Self::Platform, Self::Version, Self::FirstSeen];

    /// The address of the list.
    pub const fn list_path(self) -> &'static str {
        match self {
            Self::Country => "/countries",
            Self::Region => "/regions",
            Self::As => "/as",
            Self::Flag => "/flags",
            Self::Platform => "/platforms",
            Self::Version => "/versions",
            Self::FirstSeen => "/first-seen",
        }
    }

    /// The address of the pages of groups, without the key.
    pub const fn page_path(self) -> &'static str {
        match self {
            Self::Country => "/country",
            Self::Region => "/region",
            Self::As => "/as",
            Self::Flag => "/flag",
            Self::Platform => "/platform",
            Self::Version => "/version",
            Self::FirstSeen => "/first-seen",
        }
    }

    /// A group of this kind, and several.
    pub(crate) const fn noun(self) -> (&'static str, &'static str) {
        match self {
            Self::Country => ("country", "countries"),
            Self::Region => ("region", "regions"),
            Self::As => ("autonomous system", "autonomous systems"),
            Self::Flag => ("flag", "flags"),
            Self::Platform => ("platform", "platforms"),
            Self::Version => ("version", "versions"),
            Self::FirstSeen => ("day", "days"),
        }
    }

    /// Name of the list in links.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Country => "Countries",
            Self::Region => "Regions",
            Self::As => "Autonomous systems",
            Self::Flag => "Flags",
            Self::Platform => "Platforms",
            Self::Version => "Versions",
            Self::FirstSeen => "First seen",
        }
    }

    /// The word that stands for the key in the pattern of an address.
    pub(crate) const fn placeholder(self) -> &'static str {
        match self {
            Self::Country => "COUNTRY",
            Self::Region => "REGION",
            Self::As => "AS",
            Self::Flag => "FLAG",
            Self::Platform => "PLATFORM",
            Self::Version => "VERSION",
            Self::FirstSeen => "DAY",
        }
    }

    /// The names of the charts of the list.
    pub(crate) const fn chart_names(self) -> &'static [&'static str] {
        match self {
            Self::Country => &["map", "ranking", "largest"],
            Self::As => &["ranking", "largest"],
            Self::FirstSeen => &["years"],
            Self::Region | Self::Flag | Self::Platform | Self::Version => &["largest"],
        }
    }

    /// The key as it stands in addresses, where the text names one: `de` for `DE`, `AS24940` for `24940`.
    pub(crate) fn canonical(self, text: &str) -> Option<String> {
        match self {
            Self::Country => text.parse::<CountryCode>().ok().map(|key| key.to_string()),
            Self::Region => text.parse::<Region>().ok().map(|key| key.to_string()),
            Self::As => text.to_ascii_uppercase().parse::<Asn>().ok().map(|key| key.to_string()),
            Self::Flag => RelayFlag::ALL.into_iter().find(|flag| flag.name().eq_ignore_ascii_case(text)).map(|flag| flag.name().to_owned()),
            Self::Platform => Some(rows::slug(text)),
            Self::Version => Some(text.to_owned()),
            Self::FirstSeen => text.parse::<Date>().ok().map(|date| date.to_string()),
        }
    }

    /// The address of a group's page.
    pub(crate) fn href(self, key: &str) -> String {
        format!("{}/{}", self.page_path(), url_encoded(key))
    }
}

/// Links to the lists of all kinds.
fn kind_links(current: Kind) -> Html {
    let link = |kind: Kind| match kind == current {
        true => Html::words(kind.label()),
        false => Html::link(kind.list_path(), &Html::words(kind.label())),
    };
    Html::joined(Kind::ALL.map(link), " ")
}

/// The period that an address asks for.
fn period_of(params: &Params) -> Result<Period, RequestError> {
    let Some(text) = params.one("period")? else { return Ok(PERIOD) };
    Period::from_name(text).ok_or_else(|| RequestError::bad("period", text, Period::ALL.map(Period::name).join(", ")))
}

/// The periods that forms offer, the default first.
fn period_options() -> Vec<(String, String)> {
    let others = Period::ALL.into_iter().filter(|period| *period != PERIOD);
    std::iter::once(PERIOD).chain(others).map(|period| (period.name().to_owned(), period.label().to_owned())).collect()
}

/// Renders a list.
pub(crate) fn list_html(snapshot: &Snapshot, view: &View, now: Timestamp, kind: Kind, params: &Params) -> Result<PageHtml, RequestError> {
    list::html(snapshot, view, now, kind, params)
}

/// A list for programs.
pub(crate) fn list_data(view: &View, kind: Kind, params: &Params, form: Form) -> Result<String, RequestError> {
    list::data(view, kind, params, form)
}

/// Renders the page of a group.
pub(crate) fn group_html(
    snapshot: &Snapshot,
    view: &View,
    now: Timestamp,
    kind: Kind,
    key: &str,
    params: &Params,
) -> Result<PageHtml, RequestError> {
    detail::html(snapshot, view, now, kind, key, params)
}

/// A group and its relays for programs.
pub(crate) fn group_data(view: &View, kind: Kind, key: &str, params: &Params, form: Form) -> Result<String, RequestError> {
    detail::data(view, kind, key, params, form)
}
