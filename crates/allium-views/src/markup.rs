//! Small pieces of HTML that templates share: times, figures, states, flags, fingerprints. Each is safe as it stands.

use std::fmt;

use allium_model::{ConsensusHour, Fingerprint, FirstSeen, Fraction, RelayFlag, Timestamp};
use allium_words::format;
use askama::filters::HtmlSafe;

/// HTML of a figure that nobody measured.
const NO_DATA_HTML: &str = "<span class=\"nd\">no data</span>";

/// An instant as `<time>`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct When(pub(crate) Timestamp);

impl HtmlSafe for When {}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<time datetime=\"{}\">{}</time>", format::rfc3339(self.0), format::instant(self.0))
    }
}

impl From<ConsensusHour> for When {
    fn from(hour: ConsensusHour) -> Self {
        Self(hour.start())
    }
}

/// An instant as `<time>` that shows the day only.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Day(pub(crate) Timestamp);

impl HtmlSafe for Day {}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<time datetime=\"{}\">{}</time>", format::rfc3339(self.0), format::date(self.0))
    }
}

/// A share in percent with a fixed number of decimals and without the sign; "no data" where it is missing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Percent(pub(crate) Option<Fraction>, pub(crate) usize);

impl HtmlSafe for Percent {}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(share) => f.write_str(&format::percent(share, self.1).replace('<', "&lt;")),
            None => f.write_str(NO_DATA_HTML),
        }
    }
}

/// A number in words; "unknown" where it is not known.
pub(crate) fn words_of(number: Option<u64>, words: impl Fn(u64) -> String) -> String {
    number.map_or_else(|| "unknown".to_owned(), words)
}

/// A piece of HTML put together from safe parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Html(String);

impl Html {
    /// From something that is safe as it stands.
    pub(crate) fn safe(part: impl HtmlSafe) -> Self {
        Self(part.to_string())
    }

    /// From our own words and numbers, escaped all the same.
    pub(crate) fn words(text: impl fmt::Display) -> Self {
        let text = text.to_string();
        Self(text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;"))
    }

    /// A number in our own words, where it is known.
    pub(crate) fn known(number: Option<u64>, words: impl Fn(u64) -> String) -> Self {
        number.map_or_else(Self::unknown, |number| Self::words(words(number)))
    }

    /// HTML of a value that no source reports.
    pub(crate) fn unknown() -> Self {
        Self("<span class=\"nd\">unknown</span>".to_owned())
    }

    /// The day of a first appearance; `by` and a day where only a bound is known.
    pub(crate) fn first_seen(seen: FirstSeen) -> Self {
        let day = seen.latest().map(|hour| Self::safe(Day(hour.start())));
        day.map_or_else(Self::unknown, |day| if seen.bound().is_some() { Self(format!("by {day}")) } else { day })
    }

    /// The time of a first appearance and how long ago that is; `by` and `at least` where only a bound is known.
    pub(crate) fn first_seen_at(seen: FirstSeen, now: Timestamp) -> Self {
        let Some(hour) = seen.latest() else { return Self::unknown() };
        let (at, ago) = (When::from(hour), format::relative(hour.start(), now));
        Self(if seen.bound().is_some() { format!("by {at} (at least {ago})") } else { format!("{at} ({ago})") })
    }

    /// From our own markup, which holds nothing of strangers.
    pub(crate) const fn piece(markup: String) -> Self {
        Self(markup)
    }

    /// Our own words in an element with a class.
    pub(crate) fn tag(name: &str, class: &str, words: &str) -> Self {
        Self(format!("<{name} class=\"{class}\">{}</{name}>", Self::words(words)))
    }

    /// A link within the site.
    pub(crate) fn link(path: &str, label: &Self) -> Self {
        Self(format!("<a href=\"{}\">{label}</a>", Self::words(path)))
    }

    /// An element around something safe; the values of its attributes are escaped.
    pub(crate) fn element(name: &str, attributes: &[(&str, &str)], inner: &Self) -> Self {
        let attributes: String = attributes.iter().map(|(name, value)| format!(" {name}=\"{}\"", Self::words(value))).collect();
        Self(format!("<{name}{attributes}>{inner}</{name}>"))
    }

    /// The same without spaces before full stops and commas.
    pub(crate) fn tightened(self) -> Self {
        Self(self.0.replace(" .", ".").replace(" ,", ","))
    }

    /// The parts with a separator of plain text between them.
    pub(crate) fn joined(parts: impl IntoIterator<Item = Self>, separator: &str) -> Self {
        Self(parts.into_iter().map(|part| part.0).collect::<Vec<_>>().join(separator))
    }
}

impl HtmlSafe for Html {}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// State of a relay, Running or not: shape, colour and word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct State(pub(crate) bool);

impl HtmlSafe for State {}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 { "<span class=\"st up\">Up</span>" } else { "<span class=\"st down\">Down</span>" })
    }
}

/// A flag as a letter-form with its name and meaning.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlagLetters(pub(crate) RelayFlag);

impl HtmlSafe for FlagLetters {}

impl fmt::Display for FlagLetters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(flag) = self;
        write!(f, "<abbr title=\"{}: {}\">{}</abbr>", flag.name(), flag_meaning(*flag), flag_letters(*flag))
    }
}

/// The short form of a flag in lists; all differ.
pub(crate) const fn flag_letters(flag: RelayFlag) -> &'static str {
    match flag {
        RelayFlag::Authority => "Au",
        RelayFlag::BadExit => "Bx",
        RelayFlag::Exit => "E",
        RelayFlag::Fast => "F",
        RelayFlag::Guard => "G",
        RelayFlag::HSDir => "H",
        RelayFlag::MiddleOnly => "Mo",
        RelayFlag::NoEdConsensus => "Ne",
        RelayFlag::Running => "R",
        RelayFlag::Stable => "S",
        RelayFlag::StaleDesc => "Sd",
        RelayFlag::Sybil => "Sy",
        RelayFlag::V2Dir => "D",
        RelayFlag::Valid => "V",
    }
}

/// Meaning of a flag, in a few words.
pub(crate) const fn flag_meaning(flag: RelayFlag) -> &'static str {
    match flag {
        RelayFlag::Authority => "is a directory authority",
        RelayFlag::BadExit => "believed to be useless or harmful as an exit",
        RelayFlag::Exit => "can leave the network",
        RelayFlag::Fast => "suitable for high-bandwidth circuits",
        RelayFlag::Guard => "suitable as an entry guard",
        RelayFlag::HSDir => "answers onion service descriptor requests",
        RelayFlag::MiddleOnly => "limited to the middle position",
        RelayFlag::NoEdConsensus => "no consensus on its Ed25519 key",
        RelayFlag::Running => "usable now",
        RelayFlag::Stable => "suitable for long-lived circuits",
        RelayFlag::StaleDesc => "published its descriptor too long ago",
        RelayFlag::Sybil => "believed to be one of a flood of relays of one owner",
        RelayFlag::V2Dir => "serves directory documents",
        RelayFlag::Valid => "validated by the authorities",
    }
}

/// The first eight digits of a fingerprint.
pub(crate) fn short_fingerprint(fingerprint: &Fingerprint) -> String {
    let mut text = fingerprint.to_string();
    text.truncate(8);
    text
}
