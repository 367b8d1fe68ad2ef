//! Events as lines of text.

use std::fmt;
use std::str::FromStr;

use allium_model::{ConsensusHour, RelayFlag};

use super::{AuthorityFault, Event, Grouping, Scenario, Scope, What, Which, Whom};

/// As many relays or hours as an event may have.
const MOST: u32 = 1_000_000;
const N_AUTHORITIES: u32 = 9;

/// Reason why a line is no event: a sentence with the word that was not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventError(String);

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for EventError {}

fn error<T>(text: impl Into<String>) -> Result<T, EventError> {
    Err(EventError(text.into()))
}

impl FromStr for Scenario {
    type Err = EventError;

    /// Reads one event per line.
    fn from_str(text: &str) -> Result<Self, EventError> {
        let mut events = Vec::new();
        for (i, line) in text.lines().enumerate().map(|(i, line)| (i + 1, line.trim())) {
            if !line.is_empty() && !line.starts_with('#') {
                events.push(line.parse().map_err(|EventError(reason)| EventError(format!("line {i}: {reason}")))?);
            }
        }
        Ok(Self { events })
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.events.iter().try_for_each(|event| writeln!(f, "{event}"))
    }
}

impl FromStr for Event {
    type Err = EventError;

    fn from_str(text: &str) -> Result<Self, EventError> {
        let mut words = Words { rest: text.split_whitespace().peekable() };
        let subject = Subject::take(&mut words)?;
        let mut clauses = Clauses::take(&mut words)?;
        let start = clauses.hour("at")?;
        let Some(hours) = clauses.span("for")? else { return error("for how long? expected for, and hours such as 12h") };
        let what = subject.with(&mut clauses)?;
        clauses.finish()?;
        Ok(Self { what, start, hours })
    }
}

/// The words of a line.
struct Words<'a> {
    rest: std::iter::Peekable<std::str::SplitWhitespace<'a>>,
}

impl<'a> Words<'a> {
    fn next(&mut self, expected: &str) -> Result<&'a str, EventError> {
        self.rest.next().map_or_else(|| error(format!("expected {expected}, found the end")), Ok)
    }

    fn number(&mut self, expected: &str, most: u32) -> Result<u32, EventError> {
        let word = self.next(expected)?;
        match word.parse() {
            Ok(n) if (1..=most).contains(&n) => Ok(n),
            _ => error(format!("expected {expected}, 1 to {most}, found {word:?}")),
        }
    }

    fn scope(&mut self) -> Result<Scope, EventError> {
        let word = self.next("as, country, operator, version, random or all")?;
        let grouping = match word {
            "random" => return Ok(Scope::Random(self.number("how many relays", MOST)?)),
            "all" => return Ok(Scope::All),
            "as" => Grouping::As,
            "country" => Grouping::Country,
            "operator" => Grouping::Operator,
            "version" => Grouping::Version,
            other => return error(format!("expected as, country, operator, version, random or all, found {other:?}")),
        };
        let which = match self.next("which one, or rank and a number")? {
            "rank" => Which::Rank(self.number("a rank", MOST)?),
            key => Which::Key(grouping.checked(key)?),
        };
        Ok(Scope::Group(grouping, which))
    }
}

impl Grouping {
    /// The word before its key.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::As => "as",
            Self::Country => "country",
            Self::Operator => "operator",
            Self::Version => "version",
        }
    }

    /// The key in the form in which keys are compared.
    fn checked(self, key: &str) -> Result<String, EventError> {
        match self {
            Self::As => as_number(key),
            Self::Country if key.len() == 2 && key.bytes().all(|b| b.is_ascii_alphabetic()) => Ok(key.to_ascii_lowercase()),
            Self::Country => error(format!("expected a country code of two letters, found {key:?}")),
            Self::Operator | Self::Version => Ok(key.to_owned()),
        }
    }
}

fn as_number(text: &str) -> Result<String, EventError> {
    let number = text.strip_prefix("AS").or_else(|| text.strip_prefix("as")).and_then(|digits| digits.parse::<u32>().ok());
    number.map_or_else(|| error(format!("expected an AS number such as AS64512, found {text:?}")), |n| Ok(format!("AS{n}")))
}

/// Beginning of a line.
enum Subject {
    Outage(Scope),
    Flap(Scope),
    Lose(RelayFlag, Scope),
    Flood(u32, Option<String>),
    Missing,
    Stale,
    Late,
    Authorities(u8, AuthorityFault),
}

const KINDS: &str = "outage, flap, lose, flood, missing, stale, late or authorities";

impl Subject {
    fn take(words: &mut Words<'_>) -> Result<Self, EventError> {
        Ok(match words.next(KINDS)? {
            "outage" => Self::Outage(words.scope()?),
            "flap" => Self::Flap(words.scope()?),
            "lose" => Self::Lose(flag(words.next("a flag")?)?, words.scope()?),
            "flood" => {
                let n = words.number("how many relays", MOST)?;
                let placed = words.rest.next_if_eq(&"as").is_some();
                Self::Flood(n, if placed { Some(as_number(words.next("an AS number")?)?) } else { None })
            }
            "missing" => Self::Missing,
            "stale" => Self::Stale,
            "late" => Self::Late,
            "authorities" => Self::Authorities(words.number("how many authorities", N_AUTHORITIES)? as u8, fault(words)?),
            other => return error(format!("expected {KINDS}, found {other:?}")),
        })
    }

    /// The event, with the clauses that such events take.
    fn with(self, clauses: &mut Clauses<'_>) -> Result<What, EventError> {
        Ok(match self {
            Self::Outage(scope) => What::Outage {
                whom: clauses.whom(scope)?,
                onset_hours: clauses.span("onset")?.unwrap_or(0),
                recovery_hours: clauses.span("recovery")?.unwrap_or(0),
                back_percent: clauses.percent("back", 0)?.unwrap_or(100),
            },
            Self::Flap(scope) => {
                let every_hours = clauses.span("every")?.unwrap_or(2);
                if every_hours < 2 {
                    return error("flapping takes every 2h or more: half of it away, half of it there");
                }
                What::Flap { whom: clauses.whom(scope)?, every_hours }
            }
            Self::Lose(flag, scope) => What::FlagLoss { flag, whom: clauses.whom(scope)? },
            Self::Flood(n_relays, asn) => What::Flood {
                n_relays,
                asn,
                onset_hours: clauses.span("onset")?.unwrap_or(0),
                recovery_hours: clauses.span("recovery")?.unwrap_or(0),
            },
            Self::Missing => What::Missing,
            Self::Stale => What::Stale,
            Self::Late => match clauses.span("by")? {
                Some(by_hours) => What::Late { by_hours },
                None => return error("how late? expected by, and hours such as 2h"),
            },
            Self::Authorities(n, fault) => What::Authorities { n, fault },
        })
    }
}

fn flag(word: &str) -> Result<RelayFlag, EventError> {
    match RelayFlag::from_name(word) {
        Some(RelayFlag::Running | RelayFlag::Valid) => error(format!("a relay without {word} is not listed: that is an outage")),
        Some(flag) => Ok(flag),
        None => error(format!("expected a flag such as Guard, found {word:?}")),
    }
}

fn fault(words: &mut Words<'_>) -> Result<AuthorityFault, EventError> {
    match words.next("silent, unsigned or garbled")? {
        "silent" => Ok(AuthorityFault::Silent),
        "unsigned" => Ok(AuthorityFault::Unsigned),
        "garbled" => Ok(AuthorityFault::Garbled),
        other => error(format!("expected silent, unsigned or garbled, found {other:?}")),
    }
}

/// Pairs of a word and its value.
struct Clauses<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Clauses<'a> {
    fn take(words: &mut Words<'a>) -> Result<Self, EventError> {
        let mut clauses: Vec<(&str, &str)> = Vec::new();
        while let Some(name) = words.rest.next() {
            if clauses.iter().any(|(seen, _)| *seen == name) {
                return error(format!("{name} is given twice"));
            }
            clauses.push((name, words.next(&format!("a value after {name}"))?));
        }
        Ok(Self(clauses))
    }

    fn value(&mut self, name: &str) -> Option<&'a str> {
        let index = self.0.iter().position(|(have, _)| *have == name)?;
        Some(self.0.remove(index).1)
    }

    fn hour(&mut self, name: &str) -> Result<ConsensusHour, EventError> {
        let Some(value) = self.value(name) else { return error("when? expected at, and an hour such as 2026-01-01T00:00:00Z") };
        value.parse::<ConsensusHour>().map_err(|error| EventError(error.to_string()))
    }

    fn span(&mut self, name: &str) -> Result<Option<u32>, EventError> {
        self.value(name)
            .map(|value| hours(value).map_or_else(|| error(format!("{name}: expected 12h, 3d or 1w, found {value:?}")), Ok))
            .transpose()
    }

    fn percent(&mut self, name: &str, least: u8) -> Result<Option<u8>, EventError> {
        let Some(value) = self.value(name) else { return Ok(None) };
        match value.strip_suffix('%').and_then(|digits| digits.parse().ok()) {
            Some(percent) if (least..=100).contains(&percent) => Ok(Some(percent)),
            _ => error(format!("{name}: expected {least}% to 100%, found {value:?}")),
        }
    }

    fn whom(&mut self, scope: Scope) -> Result<Whom, EventError> {
        Ok(Whom { scope, share_percent: self.percent("share", 1)?.unwrap_or(100) })
    }

    fn finish(&self) -> Result<(), EventError> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => error(format!("{name:?} means nothing here")),
        }
    }
}

/// Whole hours, days or weeks, in hours; at least one hour.
fn hours(text: &str) -> Option<u32> {
    let unit = match text.bytes().last()? {
        b'h' => 1,
        b'd' => 24,
        b'w' => 24 * 7,
        _ => return None,
    };
    let n: u32 = text[..text.len() - 1].parse().ok()?;
    n.checked_mul(unit).filter(|hours| (1..=MOST).contains(hours))
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Outage { whom, .. } => write!(f, "outage {}", whom.scope)?,
            What::Flap { whom, .. } => write!(f, "flap {}", whom.scope)?,
            What::FlagLoss { flag, whom } => write!(f, "lose {} {}", flag.name(), whom.scope)?,
            What::Flood { n_relays, asn: None, .. } => write!(f, "flood {n_relays}")?,
            What::Flood { n_relays, asn: Some(asn), .. } => write!(f, "flood {n_relays} as {asn}")?,
            What::Missing => f.write_str("missing")?,
            What::Stale => f.write_str("stale")?,
            What::Late { .. } => f.write_str("late")?,
            What::Authorities { n, fault } => write!(f, "authorities {n} {fault}")?,
        }
        write!(f, " at {} for {}h", self.start, self.hours)?;
        self.what.write_clauses(f)
    }
}

impl What {
    /// Writes the clauses that differ from the default.
    fn write_clauses(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Outage { whom, .. } | Self::Flap { whom, .. } | Self::FlagLoss { whom, .. } = self
            && whom.share_percent != 100
        {
            write!(f, " share {}%", whom.share_percent)?;
        }
        if let Self::Outage { onset_hours, recovery_hours, .. } | Self::Flood { onset_hours, recovery_hours, .. } = self {
            for (name, hours) in [("onset", onset_hours), ("recovery", recovery_hours)].into_iter().filter(|(_, hours)| **hours > 0) {
                write!(f, " {name} {hours}h")?;
            }
        }
        match self {
            Self::Outage { back_percent, .. } if *back_percent != 100 => write!(f, " back {back_percent}%"),
            Self::Flap { every_hours, .. } => write!(f, " every {every_hours}h"),
            Self::Late { by_hours } => write!(f, " by {by_hours}h"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(grouping, Which::Key(key)) => write!(f, "{} {key}", grouping.word()),
            Self::Group(grouping, Which::Rank(rank)) => write!(f, "{} rank {rank}", grouping.word()),
            Self::Random(n) => write!(f, "random {n}"),
            Self::All => f.write_str("all"),
        }
    }
}

impl fmt::Display for AuthorityFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Silent => "silent",
            Self::Unsigned => "unsigned",
            Self::Garbled => "garbled",
        })
    }
}
