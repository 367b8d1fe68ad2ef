//! The findings of a question, by kind: operators, autonomous systems, countries, families, relays, flags, versions, incidents.
//!
//! Relays are found as in every list. The others are found by their own names, by what is theirs alone (a mail address in the contacts
//! of an operator), and by the terms that name their kind (`as:`, `country:`). A thing is found if it fits all terms.

use allium_analysis::Question;
use allium_service::{IncidentLog, View};

use super::asked::Asked;

/// A kind of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Operators,
    AutonomousSystems,
    Countries,
    Families,
    Relays,
    Flags,
    Versions,
    Incidents,
}

impl Kind {
    /// The name in JSON.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Operators => "operators",
            Self::AutonomousSystems => "autonomous_systems",
            Self::Countries => "countries",
            Self::Families => "families",
            Self::Relays => "relays",
            Self::Flags => "flags",
            Self::Versions => "versions",
            Self::Incidents => "incidents",
        }
    }

    /// One thing of the kind, and several.
    pub(crate) const fn noun(self) -> (&'static str, &'static str) {
        match self {
            Self::Operators => ("operator", "operators"),
            Self::AutonomousSystems => ("autonomous system", "autonomous systems"),
            Self::Countries => ("country", "countries"),
            Self::Families => ("family", "families"),
            Self::Relays => ("relay", "relays"),
            Self::Flags => ("flag", "flags"),
            Self::Versions => ("version", "versions"),
            Self::Incidents => ("incident", "incidents"),
        }
    }
}

/// A thing that was found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Thing {
    /// Its name; may be a stranger's text.
    pub(crate) name: String,
    /// A few words about it; may hold a stranger's text.
    pub(crate) about: String,
    /// Its page.
    pub(crate) href: String,
    /// True if the question names exactly it.
    pub(crate) is_exact: bool,
}

/// The things of one kind, those that the question names first, then the heaviest (of incidents the newest).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OfKind {
    pub(crate) kind: Kind,
    /// Their number.
    pub(crate) n: usize,
    /// The first of them.
    pub(crate) first: Vec<Thing>,
    /// The address of a list of all, where there is one.
    pub(crate) all: Option<String>,
}

/// Everything that was found; kinds of which there is nothing are left out, those with what the question names come first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    pub(crate) kinds: Vec<OfKind>,
}

impl Found {
    /// Asks a question; an empty one finds nothing. Without a log no incidents are found.
    pub(crate) fn of(view: &View, log: Option<&IncidentLog>, question: &Question) -> Self {
        if question.is_empty() {
            return Self { kinds: Vec::new() };
        }
        let asked = Asked { view, question };
        let kinds = [
            asked.operators(),
            asked.systems(),
            asked.countries(),
            asked.families(),
            asked.relays(),
            asked.flags(),
            asked.versions(),
            log.map_or_else(|| OfKind { kind: Kind::Incidents, n: 0, first: Vec::new(), all: None }, |log| asked.incidents(log)),
        ];
        let mut kinds: Vec<OfKind> = kinds.into_iter().filter(|of| of.n > 0).collect();
        kinds.sort_by_key(|of| !of.first.iter().any(|thing| thing.is_exact));
        Self { kinds }
    }

    /// The one thing that the question names.
    pub(crate) fn only(&self) -> Option<&Thing> {
        let mut exact = self.kinds.iter().flat_map(|of| &of.first).filter(|thing| thing.is_exact);
        exact.next().filter(|_| exact.next().is_none())
    }
}
