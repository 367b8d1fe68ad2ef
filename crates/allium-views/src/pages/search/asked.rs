//! The things of each kind that fit a question. A term is prepared once, then compared with every thing.

use std::sync::Arc;

use allium_analysis::{Condition, Key, Question, RelayQuery, SortKey, Term};
use allium_detect::Incident;
use allium_model::{CountryCode, OperatorId};
use allium_service::{IncidentLog, View};
use allium_words::countries::country_name;
use allium_words::{format, incidents};

use super::found::{Kind, OfKind, Thing};
use super::terms::{Fit, of_contact, of_identity, of_member, own_text, scope_key};
use crate::pages::groups;
use crate::params::query_string;
use crate::route::{FixedPage, GroupKind, href};

/// Things of a kind that an answer names; lists have all of them.
const SHOWN: usize = 10;

/// A question that is asked of everything in a view.
pub(super) struct Asked<'a> {
    pub(super) view: &'a View,
    pub(super) question: &'a Question,
}

impl Asked<'_> {
    /// Those of some things that fit all terms.
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

    /// The relays that fit.
    pub(super) fn relays(&self) -> OfKind {
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

    /// The operators that fit.
    pub(super) fn operators(&self) -> OfKind {
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

    /// The families that fit.
    pub(super) fn families(&self) -> OfKind {
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

    /// The autonomous systems that fit.
    pub(super) fn systems(&self) -> OfKind {
        self.groups(Kind::AutonomousSystems, GroupKind::As, |term, row| match &term.any[0] {
            Condition::As(all) => Fit::exact_if(all.iter().flatten().any(|asn| asn.to_string() == row.key)),
            Condition::AsName(part) => row.name.as_deref().map_or(Fit::No, |name| Fit::of_name(name, part)),
            _ => own_text(term).map_or(Fit::No, |part| row.name.as_deref().map_or(Fit::No, |name| Fit::of_name(name, part))),
        })
    }

    /// The countries that fit.
    pub(super) fn countries(&self) -> OfKind {
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

    /// The flags that fit.
    pub(super) fn flags(&self) -> OfKind {
        self.groups(Kind::Flags, GroupKind::Flag, |term, row| match &term.any[0] {
            Condition::Flags(names) => Fit::exact_if(names.iter().any(|name| name.eq_ignore_ascii_case(&row.key))),
            _ => Fit::exact_if(own_text(term).is_some_and(|text| row.key.eq_ignore_ascii_case(text))),
        })
    }

    /// The versions that fit.
    pub(super) fn versions(&self) -> OfKind {
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

    /// The incidents that fit.
    pub(super) fn incidents(&self, log: &IncidentLog) -> OfKind {
        let view = self.view;
        let all: Vec<_> = log.incidents().iter().rev().cloned().collect();
        let fit = |term: &Term| {
            let (part, scope, relays) = (own_text(term).map(str::to_owned), scope_key(term), self.relays_that_hold(of_identity(term)));
            move |incident: &Arc<Incident>| {
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
