//! One value in three forms: for people, for JSON, for CSV.

use allium_model::{ConsensusHour, FirstSeen, Fraction, Timestamp, TorVersion};
use allium_words::format;
use allium_words::inert::csv_cell;
use serde::ser::{Serialize, Serializer};

use crate::foreign::Foreign;
use crate::markup::{Day, Html, Percent, When};

/// A value of a table. Pages show shares in percent and rates in megabytes per second; JSON and CSV keep 0 to 1 and bytes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    /// Nobody stated or measured it: "no data", `null`, an empty cell; sorted last in either order.
    Missing,
    /// There is none of it, which is no gap in the data: a dash on pages, `null`, an empty cell; sorted last.
    Nothing,
    /// A text that a stranger wrote, with where it leads.
    Name {
        /// The text, exact.
        text: String,
        /// The address within the site.
        href: Option<String>,
    },
    /// A version as a stranger wrote it, which sorts as versions do, with where it leads.
    Version {
        /// The text, exact.
        text: String,
        /// The address within the site.
        href: Option<String>,
    },
    /// Our own words.
    Words(String),
    /// Our own piece of HTML, what stands for it elsewhere, and what it sorts by.
    Markup {
        /// For pages.
        html: Html,
        /// For JSON and CSV.
        plain: String,
        /// For sorting.
        rank: f64,
    },
    /// A number that pages show as our own piece of HTML; without one it is `null`, an empty cell, and sorted last.
    Marked {
        /// For pages.
        html: Html,
        /// For JSON, CSV and sorting.
        value: Option<f64>,
    },
    /// A number of things.
    Count(u64),
    /// A share, shown in percent with so many decimals.
    Share(Fraction, usize),
    /// From one share to another, shown in percent; JSON has both, it is sorted by the lower one.
    Interval(Fraction, Fraction),
    /// Bytes per second, shown as megabytes per second.
    Rate(u64),
    /// A bare number, shown with so many decimals.
    Number(f64, usize),
    /// A number that pages show in a larger unit.
    Scaled {
        /// For JSON, CSV and sorting.
        value: f64,
        /// For pages.
        shown: f64,
        /// Decimals on pages.
        decimals: usize,
    },
    /// A day of UTC.
    Day(Timestamp),
    /// A day of UTC by which something had happened: `null` and an empty cell, because its date is not known.
    ByDay(Timestamp),
    /// An instant.
    Instant(Timestamp),
}

impl Cell {
    /// A stranger's text that leads nowhere.
    pub(crate) fn name(text: &str) -> Self {
        Self::Name { text: text.to_owned(), href: None }
    }

    /// A stranger's text that leads to a page.
    pub(crate) fn link(text: &str, href: impl Into<String>) -> Self {
        Self::Name { text: text.to_owned(), href: Some(href.into()) }
    }

    /// A share, missing where there is none.
    pub(crate) fn share(share: Option<Fraction>, decimals: usize) -> Self {
        share.map_or(Self::Missing, |share| Self::Share(share, decimals))
    }

    /// A version that leads to a page where one is given; nothing where there is none.
    pub(crate) fn version(version: Option<&str>, href: Option<String>) -> Self {
        version.map_or(Self::Nothing, |text| Self::Version { text: text.to_owned(), href })
    }

    /// An interval of shares, missing where there is none.
    pub(crate) fn interval(ends: Option<(Fraction, Fraction)>) -> Self {
        ends.map_or(Self::Missing, |(low, high)| Self::Interval(low, high))
    }

    /// A number in this form, missing where it is not known.
    pub(crate) fn known(number: Option<u64>, cell: impl Fn(u64) -> Self) -> Self {
        number.map_or(Self::Missing, cell)
    }

    /// A number of things.
    pub(crate) fn count(n: usize) -> Self {
        Self::Count(n as u64)
    }

    /// The day on which an hour lies, missing where there is none.
    pub(crate) fn day(hour: Option<ConsensusHour>) -> Self {
        hour.map_or(Self::Missing, |hour| Self::Day(hour.start()))
    }

    /// The day of a first appearance: a bound where only that is known, missing where nothing is.
    pub(crate) fn first_seen(seen: FirstSeen) -> Self {
        seen.bound().map_or_else(|| Self::day(seen.date()), |hour| Self::ByDay(hour.start()))
    }

    /// The bound of a first appearance; nothing where the date is known, or not even that.
    pub(crate) fn first_seen_bound(seen: FirstSeen) -> Self {
        seen.bound().map_or(Self::Nothing, |hour| Self::Instant(hour.start()))
    }

    /// The value that it sorts by.
    pub(super) fn rank(&self) -> Rank {
        match self {
            Self::Missing | Self::Nothing | Self::Marked { value: None, .. } => Rank::Last,
            Self::Marked { value: Some(value), .. } => Rank::Number(*value),
            Self::Name { text, .. } | Self::Words(text) => Rank::Text(text.to_lowercase()),
            Self::Version { text, .. } => Rank::Version(TorVersion::of(text)),
            Self::Markup { rank, .. } | Self::Number(rank, _) | Self::Scaled { value: rank, .. } => Rank::Number(*rank),
            Self::Count(n) | Self::Rate(n) => Rank::Number(*n as f64),
            Self::Share(share, _) | Self::Interval(share, _) => Rank::Number(share.get()),
            Self::Day(at) | Self::ByDay(at) | Self::Instant(at) => Rank::Number(at.as_second() as f64),
        }
    }

    /// Its text where a search may find it.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Name { text, .. } | Self::Version { text, .. } | Self::Words(text) => Some(text),
            Self::Markup { plain, .. } => Some(plain),
            _ => None,
        }
    }

    /// For a page.
    pub(super) fn html(&self) -> Html {
        match self {
            Self::Missing => Html::safe(Percent(None, 0)),
            Self::Nothing => Html::words("\u{2013}"),
            Self::Name { text, href: None } | Self::Version { text, href: None } => Html::safe(Foreign::short(text)),
            Self::Name { text, href: Some(href) } | Self::Version { text, href: Some(href) } => {
                Html::link(href, &Html::safe(Foreign::short(text)))
            }
            Self::Words(words) => Html::words(words),
            Self::Markup { html, .. } | Self::Marked { html, .. } => html.clone(),
            Self::Count(n) => Html::words(format::count(*n)),
            Self::Share(share, decimals) => Html::safe(Percent(Some(*share), *decimals)),
            Self::Interval(low, high) => Html::words(format::percent_span(*low, *high)),
            Self::Rate(bytes_per_sec) => Html::words(format::megabytes(*bytes_per_sec)),
            Self::Number(number, decimals) | Self::Scaled { shown: number, decimals, .. } => {
                Html::words(format::number(*number, *decimals))
            }
            Self::Day(at) => Html::safe(Day(*at)),
            Self::ByDay(at) => Html::joined([Html::words("by"), Html::safe(Day(*at))], " "),
            Self::Instant(at) => Html::safe(When(*at)),
        }
    }

    /// For CSV: strangers' text inert, everything else as in JSON.
    pub(super) fn csv(&self) -> String {
        match self {
            Self::Missing | Self::Nothing | Self::ByDay(_) => String::new(),
            Self::Name { text, .. } | Self::Version { text, .. } => csv_cell(text),
            Self::Words(text) | Self::Markup { plain: text, .. } => csv_cell(text),
            Self::Marked { value, .. } => value.map_or_else(String::new, format::plain),
            Self::Count(n) | Self::Rate(n) => n.to_string(),
            Self::Share(share, _) => format::plain(share.get()),
            Self::Interval(low, high) => format!("{} {}", format::plain(low.get()), format::plain(high.get())),
            Self::Number(number, _) | Self::Scaled { value: number, .. } => format::plain(*number),
            Self::Day(at) | Self::Instant(at) => format::rfc3339(*at),
        }
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Missing | Self::Nothing | Self::ByDay(_) => serializer.serialize_none(),
            Self::Name { text, .. } | Self::Version { text, .. } | Self::Words(text) | Self::Markup { plain: text, .. } => {
                serializer.serialize_str(text)
            }
            Self::Marked { value, .. } => value.serialize(serializer),
            Self::Count(n) | Self::Rate(n) => serializer.serialize_u64(*n),
            Self::Share(share, _) => serializer.serialize_f64(share.get()),
            Self::Interval(low, high) => [low.get(), high.get()].serialize(serializer),
            Self::Number(number, _) | Self::Scaled { value: number, .. } => serializer.serialize_f64(*number),
            Self::Day(at) | Self::Instant(at) => serializer.serialize_str(&format::rfc3339(*at)),
        }
    }
}

/// A value that rows are ordered by.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rank {
    /// By size.
    Number(f64),
    /// By lower-case text.
    Text(String),
    /// In the order in which versions were made.
    Version(TorVersion),
    /// Behind everything, in either order.
    Last,
}

impl Rank {
    /// The order of two values of one column.
    pub(super) fn compare(&self, other: &Self, descending: bool) -> std::cmp::Ordering {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let order = match (self, other) {
            (Self::Last, Self::Last) => return Equal,
            (Self::Last, _) => return Greater,
            (_, Self::Last) => return Less,
            (Self::Number(a), Self::Number(b)) => format::unsigned_zero(*a).total_cmp(&format::unsigned_zero(*b)),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Version(a), Self::Version(b)) => a.cmp(b),
            (Self::Number(_), _) | (Self::Text(_), Self::Version(_)) => Less,
            (Self::Text(_) | Self::Version(_), _) => Greater,
        };
        if descending { order.reverse() } else { order }
    }
}
