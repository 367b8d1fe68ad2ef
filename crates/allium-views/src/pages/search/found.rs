//! What a question finds, by kind: operators, autonomous systems, countries, families, relays, flags, versions, incidents.
//!
//! Relays are found as in every list. The others are found by their own names, by what is theirs alone (a mail address in the contacts
//! of an operator), and by the terms that name their kind (`as:`, `country:`). A thing is found if it fits all terms.

use allium_analysis::{Condition, Key, Question, RelayQuery, SortKey, Term};
use allium_model::{CountryCode, OperatorId};
use allium_service::{IncidentLog, View};
use allium_words::countries::country_name;
use allium_words::{format, incidents};

use crate::pages::groups;
use crate::params::query_string;
use crate::route::{FixedPage, GroupKind, href};

/// Things of a kind that an answer names; lists have all of them.
const SHOWN: usize = 10;

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

/// How well something fits a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    No,
    Part,
    Exact,
}

impl Fit {
    const fn exact_if(is_exact: bool) -> Self {
        if is_exact { Self::Exact } else { Self::No }
    }

    /// A name as it fits a part of a name.
    fn of_name(name: &str, part: &str) -> Self {
        let name = name.to_lowercase();
        match name.contains(part) {
            true if name == part => Self::Exact,
            true => Self::Part,
            false => Self::No,
        }
    }
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

struct Asked<'a> {
    view: &'a View,
    question: &'a Question,
}

impl Asked<'_> {
    /// Those of some things that fit all terms. A term is prepared once, then compared with every thing.
    fn of_kind<T, F: Fn(&T) -> Fit>(&self, kind: Kind, things: Vec<T>, fit: impl Fn(&Term) -> F, thing: impl Fn(&T) -> Thing) -> OfKind {
        let tests: Vec<F> = self.question.terms().iter().map(fit).collect();
        let worst = |t: &T| tests.iter().map(|test| test(t)).min().unwrap_or(Fit::No);
        let mut found: Vec<(Fit, T)> = things.into_iter().map(|t| (worst(&t), t)).filter(|(fit, _)| *fit != Fit::No).collect();
        found.sort_by_key(|(fit, _)| *fit != Fit::Exact);
        let first = found.iter().take(SHOWN).map(|(fit, t)| Thing { is_exact: *fit == Fit::Exact, ..thing(t) }).collect();
        OfKind { kind, n: found.len(), first, all: self.list(kind) }
    }

    /// The list that finds the same things.
    fn list(&self, kind: Kind) -> Option<String> {
        let path = match kind {
            Kind::Operators => FixedPage::Operators.path(),
            Kind::AutonomousSystems => GroupKind::As.list_path(),
            Kind::Countries => GroupKind::Country.list_path(),
            Kind::Families => FixedPage::Families.path(),
            Kind::Relays => FixedPage::Relays.path(),
            Kind::Flags => GroupKind::Flag.list_path(),
            Kind::Versions => GroupKind::Version.list_path(),
            Kind::Incidents => FixedPage::Incidents.path(),
        };
        Some(format!("{path}{}", query_string(&[("q", self.question.to_string())])))
    }

    fn relays(&self) -> OfKind {
        let query = RelayQuery { question: self.question.clone(), sort: SortKey::Match, ..RelayQuery::default() };
        let found = self.view.select(&query);
        let terms = self.question.terms();
        let is_exact = |i: usize| terms.iter().all(|term| self.view.relay_is_named_by(i, term));
        let first = found.iter().take(SHOWN).filter_map(|i| self.relay(*i, is_exact(*i))).collect();
        OfKind { kind: Kind::Relays, n: found.len(), first, all: self.list(Kind::Relays) }
    }

    fn relay(&self, relay_idx: usize, is_exact: bool) -> Option<Thing> {
        let (record, report) = self.view.relay(relay_idx)?;
        let relay = &record.relay;
        let state = match (relay.running, report.current) {
            (true, _) => "running",
            (false, true) => "down",
            (false, false) => "left the network",
        };
        let parts = [
            Some(relay.fingerprint.to_string()),
            Some(state.to_owned()),
            relay.country.map(|code| country_name(code).unwrap_or_else(|| code.as_str().to_uppercase())),
            relay.asn.map(|asn| asn.to_string()),
        ];
        Some(Thing {
            name: relay.display_name().to_owned(),
            about: parts.into_iter().flatten().collect::<Vec<_>>().join(", "),
            href: href::relay(&relay.fingerprint),
            is_exact,
        })
    }

    fn operators(&self) -> OfKind {
        let view = self.view;
        let mut all: Vec<usize> = (0..view.operators.list().len()).filter(|i| view.operators.figures[*i].members.n_relays > 0).collect();
        all.sort_by_key(|i| std::cmp::Reverse(view.operators.figures[*i].members.consensus_weight));
        let fit = |term: &Term| {
            let contacts = self.relays_that_hold(of_contact(term));
            let part = own_text(term).map(str::to_owned);
            move |operator_idx: &usize| {
                let operator = &view.operators.list()[*operator_idx];
                let has = operator.members.iter().any(|i| contacts.get(*i as usize).copied().unwrap_or(false));
                let domain = match &operator.id {
                    OperatorId::Domain(domain) => domain.as_str(),
                    OperatorId::Family(_) | OperatorId::Contact(_) => "",
                };
                let by_name = part.as_deref().map_or(Fit::No, |part| Fit::of_name(domain, part));
                by_name.max(if has { Fit::Part } else { Fit::No })
            }
        };
        self.of_kind(Kind::Operators, all, fit, |i| Thing {
            name: view.operator_name(*i),
            about: format::counted(view.operators.figures[*i].members.n_relays, "relay"),
            href: href::operator(&view.operators.list()[*i].id),
            is_exact: false,
        })
    }

    fn families(&self) -> OfKind {
        let view = self.view;
        let families = &view.operators.directory.families.families;
        let mut all: Vec<usize> = (0..families.len()).filter(|i| view.operators.families[*i].n_relays > 0).collect();
        all.sort_by_key(|i| std::cmp::Reverse(view.operators.families[*i].consensus_weight));
        let fit = |term: &Term| {
            let is_family = term.key == Some(Key::Family);
            let members = self.relays_that_hold(of_member(term));
            move |family_idx: &usize| {
                let has = families[*family_idx].members.iter().any(|i| members.get(*i as usize).copied().unwrap_or(false));
                if !has {
                    Fit::No
                } else if is_family {
                    Fit::Exact
                } else {
                    Fit::Part
                }
            }
        };
        self.of_kind(Kind::Families, all, fit, |i| {
            let first = families[*i].members.first().and_then(|i| view.record.relays.get(*i as usize));
            Thing {
                name: format!("Family of {}", first.map_or("", |record| record.relay.display_name())),
                about: format::counted(view.operators.families[*i].n_relays, "relay"),
                href: href::family(&families[*i].key),
                is_exact: false,
            }
        })
    }

    /// For each relay, whether it is current and one of these conditions holds.
    fn relays_that_hold(&self, any: Vec<Condition>) -> Vec<bool> {
        if any.is_empty() {
            return Vec::new();
        }
        let term = Term { key: None, text: String::new(), any };
        let reports = self.view.report.relays.iter().enumerate();
        reports.map(|(i, report)| report.current && self.view.relay_fits(i, &term)).collect()
    }

    fn systems(&self) -> OfKind {
        self.groups(Kind::AutonomousSystems, GroupKind::As, |term, row| match &term.any[0] {
            Condition::As(all) => Fit::exact_if(all.iter().flatten().any(|asn| asn.to_string() == row.key)),
            Condition::AsName(part) => row.name.as_deref().map_or(Fit::No, |name| Fit::of_name(name, part)),
            _ => own_text(term).map_or(Fit::No, |part| row.name.as_deref().map_or(Fit::No, |name| Fit::of_name(name, part))),
        })
    }

    fn countries(&self) -> OfKind {
        let by_name = |term: &Term, row: &groups::GroupRow<'_>| {
            let name = row.key.parse::<CountryCode>().ok().and_then(country_name);
            let of = |name: &str| own_text(term).map_or(Fit::No, |part| Fit::of_name(name, part));
            of(&row.label).max(name.as_deref().map_or(Fit::No, of))
        };
        self.groups(Kind::Countries, GroupKind::Country, |term, row| {
            let named = term.any.iter().find_map(|condition| match condition {
                Condition::Country(all) => Some(all.iter().flatten().any(|code| code.as_str() == row.key)),
                _ => None,
            });
            named.map_or_else(|| by_name(term, row), Fit::exact_if)
        })
    }

    fn flags(&self) -> OfKind {
        self.groups(Kind::Flags, GroupKind::Flag, |term, row| match &term.any[0] {
            Condition::Flags(names) => Fit::exact_if(names.iter().any(|name| name.eq_ignore_ascii_case(&row.key))),
            _ => Fit::exact_if(own_text(term).is_some_and(|text| row.key.eq_ignore_ascii_case(text))),
        })
    }

    fn versions(&self) -> OfKind {
        self.groups(Kind::Versions, GroupKind::Version, |term, row| match &term.any[0] {
            Condition::Versions(versions) if versions.single() == Some(&row.key) => Fit::Exact,
            Condition::Versions(versions) if versions.has(&row.key) => Fit::Part,
            _ => Fit::No,
        })
    }

    fn groups(&self, kind: Kind, of: GroupKind, fit: impl Fn(&Term, &groups::GroupRow<'_>) -> Fit) -> OfKind {
        let mut rows = groups::rows(self.view, of);
        rows.sort_by_key(|row| std::cmp::Reverse(row.figures.consensus_weight));
        let fit = &fit;
        let test = |term: &Term| {
            let term = term.clone();
            move |row: &groups::GroupRow<'_>| fit(&term, row)
        };
        self.of_kind(kind, rows, test, |row| Thing {
            name: row.words(),
            about: format::counted(row.figures.n_relays, "relay"),
            href: row.href(of),
            is_exact: false,
        })
    }

    fn incidents(&self, log: &IncidentLog) -> OfKind {
        let view = self.view;
        let all: Vec<_> = log.incidents().iter().rev().cloned().collect();
        let fit = |term: &Term| {
            let (part, scope, relays) = (own_text(term).map(str::to_owned), scope_key(term), self.relays_that_hold(of_identity(term)));
            move |incident: &std::sync::Arc<allium_detect::Incident>| {
                let concerns =
                    || incident.relays.iter().any(|f| view.relay_idx(f).is_some_and(|i| relays.get(i).copied().unwrap_or(false)));
                let is_of_scope = scope.as_ref().is_some_and(|key| *key == incident.scope.key);
                match &part {
                    Some(id) if *id == incident.id => Fit::Exact,
                    Some(part) if incidents::headline(incident, view).to_lowercase().contains(part.as_str()) => Fit::Part,
                    _ if is_of_scope || (!relays.is_empty() && concerns()) => Fit::Part,
                    _ => Fit::No,
                }
            }
        };
        self.of_kind(Kind::Incidents, all, fit, |incident| Thing {
            name: incidents::headline(incident, view),
            about: format::instant(incident.detected_at.start()),
            href: href::incident(&incident.id),
            is_exact: false,
        })
    }
}

/// The text of a term that has no name and no form of its own.
fn own_text(term: &Term) -> Option<&str> {
    let text = |condition| match condition {
        &Condition::Text(ref text) | &Condition::Named(ref text) => Some(text.as_str()),
        _ => None,
    };
    term.any.iter().find_map(text).filter(|_| term.key.is_none())
}

/// The conditions by which a term means an operator through its contacts.
fn of_contact(term: &Term) -> Vec<Condition> {
    let text = own_text(term).filter(|text| text.chars().count() > 2).map(|text| Condition::Contact(text.to_owned()));
    let stated = term.any.iter().filter(|condition| matches!(condition, Condition::Mail(_) | Condition::Contact(_)));
    stated.cloned().chain(text).collect()
}

/// The conditions by which a term means a family through a member.
fn of_member(term: &Term) -> Vec<Condition> {
    let text = own_text(term).map(|text| Condition::Nickname(text.to_owned()));
    let stated = |c: &&Condition| matches!(c, Condition::Family(_) | Condition::Fingerprint(_) | Condition::Nickname(_));
    term.any.iter().filter(stated).cloned().chain(text).collect()
}

/// The conditions by which a term means relays of an incident.
fn of_identity(term: &Term) -> Vec<Condition> {
    let text = own_text(term).map(|text| Condition::Named(text.to_owned()));
    term.any.iter().filter(|c| matches!(c, Condition::Fingerprint(_) | Condition::Address(..))).cloned().chain(text).collect()
}

/// The AS or country that a term means, as the scope of an incident has it.
fn scope_key(term: &Term) -> Option<String> {
    term.any.iter().find_map(|condition| match condition {
        Condition::As(all) => all.first()?.map(|asn| asn.to_string()),
        Condition::Country(all) => all.first()?.map(|code| code.to_string()),
        _ => None,
    })
}
