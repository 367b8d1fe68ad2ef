//! The lists and pages of groups: one address per kind, and a key.

use allium_analysis::Key;
use allium_analysis::groups::Region;
use allium_model::{Asn, CountryCode, RelayFlag};
use allium_words::inert::url_encoded;
use jiff::civil::Date;

/// A way to group relays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupKind {
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

impl GroupKind {
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
            Self::Country => one(Key::Country, text).filter(|key| key.parse::<CountryCode>().is_ok()),
            Self::Region => text.parse::<Region>().ok().map(|key| key.to_string()),
            Self::As => one(Key::As, text).filter(|key| key.parse::<Asn>().is_ok()),
            // Relays may have flags that Allium has no name for.
            Self::Flag => Some(
                RelayFlag::ALL.map(RelayFlag::name).into_iter().find(|name| name.eq_ignore_ascii_case(text)).unwrap_or(text).to_owned(),
            ),
            Self::Platform => Some(slug(text)),
            Self::Version => Some(text.to_owned()),
            Self::FirstSeen => text.parse::<Date>().ok().map(|date| date.to_string()),
        }
    }

    /// The address of a group's page.
    pub(crate) fn href(self, key: &str) -> String {
        format!("{}/{}", self.page_path(), url_encoded(key))
    }
}

/// The thing that a text names in a question, in the one form of addresses: `de` for `Germany`.
fn one(key: Key, text: &str) -> Option<String> {
    key.read(text).ok().map(|term| term.text)
}

/// Letters and digits in lower case with single hyphens between: `windows-8`; `other` where nothing is left.
pub(crate) fn slug(text: &str) -> String {
    let parts: Vec<String> =
        text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).map(str::to_ascii_lowercase).collect();
    let joined = parts.join("-");
    if joined.is_empty() { "other".to_owned() } else { joined.chars().take(60).collect() }
}
