//! Names that stand before a colon in a question, and how what stands behind is read.

use allium_model::{Asn, CountryCode, RelayFlag};

use super::address::{self, Reading};
use super::country;
use super::days::{self, Days};
use super::error::QuestionError;
use super::identity;
use super::mail::whole_mail;
use super::question::{Condition, Term};
use super::versions::{self, Versions};

/// A name before a colon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// `country:de`
    Country,
    /// `as:AS24940`
    As,
    /// `as_name:hetzner`
    AsName,
    /// `flag:exit`
    Flag,
    /// `contact:example.org`
    Contact,
    /// `family:FINGERPRINT`
    Family,
    /// `version:0.4.8`
    Version,
    /// `os:linux`
    Os,
    /// `host_name:example.org`
    HostName,
    /// `running:true`
    Running,
    /// `first_seen_days:0-3`
    FirstSeenDays,
    /// `last_seen_days:0-3`
    LastSeenDays,
    /// `nickname:alpha`
    Nickname,
    /// `fingerprint:0123`
    Fingerprint,
    /// `address:203.0.113.0/24`
    Address,
    /// `recommended_version:true`
    RecommendedVersion,
    /// `type:relay`
    Type,
}

impl Key {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Country,
        Self::As,
        Self::AsName,
        Self::Flag,
        Self::Contact,
        Self::Family,
        Self::Version,
        Self::Os,
        Self::HostName,
        Self::Running,
        Self::FirstSeenDays,
        Self::LastSeenDays,
        Self::Nickname,
        Self::Fingerprint,
        Self::Address,
        Self::RecommendedVersion,
        Self::Type,
    ];

    /// The name, without the colon.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Country => "country",
            Self::As => "as",
            Self::AsName => "as_name",
            Self::Flag => "flag",
            Self::Contact => "contact",
            Self::Family => "family",
            Self::Version => "version",
            Self::Os => "os",
            Self::HostName => "host_name",
            Self::Running => "running",
            Self::FirstSeenDays => "first_seen_days",
            Self::LastSeenDays => "last_seen_days",
            Self::Nickname => "nickname",
            Self::Fingerprint => "fingerprint",
            Self::Address => "address",
            Self::RecommendedVersion => "recommended_version",
            Self::Type => "type",
        }
    }

    /// The key of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.name() == name)
    }

    /// All names with their colons, for an error.
    pub(super) fn names() -> String {
        Self::ALL.map(|key| format!("{}:", key.name())).join(", ")
    }

    /// The values that are understood.
    pub const fn allowed(self) -> &'static str {
        match self {
            Self::Country => {
                "a country by name or code, such as Germany or de; several with commas; ?? for relays whose country is unknown"
            }
            Self::As => "an AS by number, such as AS24940; several with commas; AS0 for relays whose AS is unknown",
            Self::Flag => "a relay flag such as Exit; several with commas, which a relay must have all",
            Self::Family => identity::ALLOWED,
            Self::Fingerprint => identity::ALLOWED,
            Self::Address => address::ALLOWED,
            Self::Version => versions::ALLOWED,
            Self::FirstSeenDays | Self::LastSeenDays => days::ALLOWED,
            Self::Running | Self::RecommendedVersion => "true or false",
            Self::Type => "relay; there are no bridges here",
            Self::AsName | Self::Contact | Self::Os | Self::HostName | Self::Nickname => "a text; one with spaces stands in quotes",
        }
    }

    /// Reads a value.
    ///
    /// # Errors
    /// It is none that this name takes.
    pub fn read(self, value: &str) -> Result<Term, QuestionError> {
        let value = value.trim();
        let read = if value.is_empty() { None } else { self.understood(value) };
        let (text, condition) = read.ok_or_else(|| QuestionError::bad(&format!("{}:{value}", self.name()), self.allowed()))?;
        Ok(Term { key: Some(self), text, any: condition })
    }

    fn understood(self, value: &str) -> Option<(String, Vec<Condition>)> {
        let lower = || value.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        let text = |make: fn(String) -> Condition| Some((value.to_owned(), vec![make(lower())]));
        match self {
            Self::Country => all(value, country_of, is_unknown_country, "??").map(|(text, all)| (text, vec![Condition::Country(all)])),
            Self::As => all(value, as_of, is_unknown_as, "AS0").map(|(text, all)| (text, vec![Condition::As(all)])),
            Self::AsName => text(Condition::AsName),
            Self::Flag => Some((flags(value).join(","), vec![Condition::Flags(flags(value))])),
            Self::Contact => Some((value.to_owned(), vec![whole_mail(value).map_or_else(|| Condition::Contact(lower()), Condition::Mail)])),
            Self::Family => fingerprint(value).map(|of| (of.to_string(), vec![Condition::Family(of)])),
            Self::Version => Versions::read(value).map(|versions| (versions.to_string(), vec![Condition::Versions(versions)])),
            Self::Os => text(Condition::Os),
            Self::HostName => text(Condition::HostName),
            Self::Running => truth(value).map(|is| (is.to_string(), vec![Condition::Running(is)])),
            Self::FirstSeenDays => Days::read(value).map(|days| (value.to_owned(), vec![Condition::FirstSeen(days)])),
            Self::LastSeenDays => Days::read(value).map(|days| (value.to_owned(), vec![Condition::LastSeen(days)])),
            Self::Nickname => text(Condition::Nickname),
            Self::Fingerprint => identified(value),
            Self::Address => match address::read(value) {
                Reading::Of(any) => Some((value.to_owned(), any)),
                Reading::Other | Reading::Broken => None,
            },
            Self::RecommendedVersion => truth(value).map(|is| (is.to_string(), vec![Condition::Recommended(is)])),
            Self::Type => value.eq_ignore_ascii_case("relay").then(|| ("relay".to_owned(), vec![Condition::Everything])),
        }
    }
}

/// Values with commas between, each of which may be the word for unknown.
fn all<T: ToString>(
    value: &str,
    read: fn(&str) -> Option<T>,
    is_unknown: fn(&str) -> bool,
    word: &str,
) -> Option<(String, Vec<Option<T>>)> {
    let one = |part: &str| if is_unknown(part) { Some(None) } else { read(part).map(Some) };
    let values = value.split(',').map(|part| one(part.trim())).collect::<Option<Vec<_>>>()?;
    let texts: Vec<String> = values.iter().map(|value| value.as_ref().map_or_else(|| word.to_owned(), ToString::to_string)).collect();
    Some((texts.join(","), values))
}

fn country_of(text: &str) -> Option<CountryCode> {
    let known = country::coded(text).or_else(|| country::named(text));
    // Documents may have codes that no table knows.
    known.or_else(|| text.parse().ok())
}

fn is_unknown_country(text: &str) -> bool {
    text == "??" || text.eq_ignore_ascii_case("xz")
}

fn is_unknown_as(text: &str) -> bool {
    matches!(text.to_ascii_uppercase().as_str(), "AS0" | "0")
}

fn as_of(text: &str) -> Option<Asn> {
    let upper = text.to_ascii_uppercase();
    upper.strip_prefix("ASN").or_else(|| upper.strip_prefix("AS")).unwrap_or(&upper).trim().parse().ok()
}

/// The names of flags, those that are known in their spelling.
fn flags(value: &str) -> Vec<String> {
    let known = |name: &str| RelayFlag::ALL.map(RelayFlag::name).into_iter().find(|known| known.eq_ignore_ascii_case(name));
    value.split(',').map(str::trim).filter(|name| !name.is_empty()).map(|name| known(name).unwrap_or(name).to_owned()).collect()
}

fn fingerprint(value: &str) -> Option<allium_model::Fingerprint> {
    let digits: String = value.split_whitespace().collect();
    identity::whole(&digits).or_else(|| identity::base64(value))
}

fn identified(value: &str) -> Option<(String, Vec<Condition>)> {
    if let Some(whole) = fingerprint(value) {
        return Some((whole.to_string(), vec![Condition::Fingerprint(whole)]));
    }
    let digits: String = value.split_whitespace().collect();
    identity::beginning(&digits).map(|prefix| (digits.to_uppercase(), vec![Condition::Prefix(prefix)]))
}

fn truth(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}
