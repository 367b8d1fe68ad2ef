//! Subjects that can be compared and followed over time: relays, operators, and groups of every kind, each named by a word in the address.
//!
//! A fingerprint names a relay, `AS24940` an autonomous system, two letters a country, a domain (or `family-…`, `contact-…`) an
//! operator; other groups are written `kind:key`, such as `flag:Guard`, `platform:linux` or `family:FINGERPRINT`.

use allium_analysis::SizeOf;
use allium_model::{Asn, CountryCode, Fingerprint, OperatorId, RelayFlag, RelayState};
use allium_service::View;
use allium_words::countries::country_name;
use allium_words::inert::{inert, inert_short};

use crate::error::RequestError;
use crate::markup::{Html, short_fingerprint};
use crate::pages::groups::{self};
use crate::params::query_string;
use crate::route::{FixedPage, GroupKind, href};

/// Forms of the words, for people.
pub(super) const ALLOWED: &str = "fingerprints, AS numbers such as AS24940, country codes such as de, operators such as example.org, and groups such as flag:Guard, \
     platform:linux, version:0.4.8.12, region:150 or family:FINGERPRINT";

/// At how many characters a label is cut.
const LABEL: usize = 60;

/// True for a state that belongs to the subject.
pub(super) type Fit = Box<dyn Fn(&RelayState) -> bool>;

/// One thing that is compared.
pub(super) struct Subject {
    /// The word that names it.
    pub(super) word: String,
    /// Name of the subject; may hold a stranger's text, made inert.
    pub(super) label: String,
    /// Its page.
    pub(super) href: String,
    /// GroupKind of the subject, such as "operator".
    pub(super) noun: &'static str,
    /// Indices of its current relays in the record; of a relay, its own.
    pub(super) members: Vec<usize>,
    /// Name of the subject in the store's sizes.
    pub(super) size_of: Option<SizeOf>,
}

impl Subject {
    /// The subject that this word names. A word for nothing in the network has no members: addresses outlive relays.
    pub(super) fn of(view: &View, word: &str) -> Result<Self, RequestError> {
        Self::find(view, word).or_else(|| Self::absent(word)).ok_or_else(|| RequestError::bad("with", word, ALLOWED))
    }

    /// Something that a word may name and that has no current relay.
    fn absent(word: &str) -> Option<Self> {
        let is_name = |kind: &str, key: &str| match kind {
            "family" | "relay" => key.parse::<Fingerprint>().is_ok(),
            "operator" => key.parse::<OperatorId>().is_ok(),
            kind => GroupKind::ALL.into_iter().any(|k| name(k) == kind && k.canonical(key).is_some()),
        };
        let is_named = match word.split_once(':') {
            Some((kind, key)) => is_name(kind, key),
            None => {
                word.parse::<Fingerprint>().is_ok()
                    || word.parse::<Asn>().is_ok()
                    || word.parse::<OperatorId>().is_ok()
                    || (word.len() == 2 && word.parse::<CountryCode>().is_ok())
            }
        };
        is_named.then(|| Self {
            word: word.to_owned(),
            label: inert_short(word, LABEL),
            href: format!("/relays{}", query_string(&[("q", href::as_question(word)), ("status", "all".to_owned())])),
            noun: "absent",
            members: Vec::new(),
            size_of: None,
        })
    }

    fn find(view: &View, word: &str) -> Option<Self> {
        if let Ok(fingerprint) = word.parse::<Fingerprint>() {
            return Self::relay(view, &fingerprint);
        }
        if let Some((kind, key)) = word.split_once(':') {
            return Self::named_group(view, kind, key);
        }
        if word.len() == 2 {
            return Self::group(view, GroupKind::Country, &word.to_ascii_lowercase());
        }
        if let Ok(asn) = word.parse::<Asn>() {
            return Self::group(view, GroupKind::As, &asn.to_string());
        }
        Self::operator(view, &word.parse().ok()?)
    }

    fn relay(view: &View, fingerprint: &Fingerprint) -> Option<Self> {
        let relay_idx = view.relay_idx(fingerprint)?;
        let relay = &view.record.relays.get(relay_idx)?.relay;
        Some(Self {
            word: fingerprint.to_string(),
            label: format!("{} {}", inert(relay.display_name()), short_fingerprint(fingerprint)),
            href: href::relay(fingerprint),
            noun: "relay",
            members: vec![relay_idx],
            size_of: None,
        })
    }

    fn operator(view: &View, id: &OperatorId) -> Option<Self> {
        let (operator_idx, _) = view.operators.find(id)?;
        let members = view.operators.list()[operator_idx].members.iter().map(|i| *i as usize);
        Some(Self {
            word: id.to_string(),
            label: inert_short(&view.operator_name(operator_idx), LABEL),
            href: href::operator(id),
            noun: "operator",
            members: members.filter(|i| view.report.relays.get(*i).is_some_and(|report| report.current)).collect(),
            size_of: None,
        })
    }

    fn family(view: &View, key: &Fingerprint) -> Option<Self> {
        let families = &view.operators.directory.families;
        let family = &families.families[families.of_relay.get(view.relay_idx(key)?).copied().flatten()? as usize];
        let members = family.members.iter().map(|i| *i as usize);
        let first = view.find(&family.key).map_or("", |record| record.relay.display_name());
        Some(Self {
            word: format!("family:{}", family.key),
            label: inert(&format!("family of {first}")),
            href: href::family(&family.key),
            noun: "family",
            members: members.filter(|i| view.report.relays.get(*i).is_some_and(|report| report.current)).collect(),
            size_of: None,
        })
    }

    fn named_group(view: &View, kind: &str, key: &str) -> Option<Self> {
        match kind {
            "family" => Self::family(view, &key.parse().ok()?),
            "operator" => Self::operator(view, &key.parse().ok()?),
            "relay" => Self::relay(view, &key.parse().ok()?),
            kind => Self::group(view, GroupKind::ALL.into_iter().find(|k| name(*k) == kind)?, key),
        }
    }

    fn group(view: &View, kind: GroupKind, key: &str) -> Option<Self> {
        let key = kind.canonical(key)?;
        let row = groups::row_of(view, kind, &key)?;
        let label = match kind {
            GroupKind::Country => key.parse().ok().and_then(country_name).unwrap_or_else(|| row.label.clone()),
            _ => row.words(),
        };
        let size_of = match kind {
            GroupKind::Country => key.parse().ok().map(SizeOf::Country),
            GroupKind::As => key.parse().ok().map(SizeOf::As),
            GroupKind::Flag => flag(&key).map(SizeOf::Flag),
            GroupKind::Region | GroupKind::Platform | GroupKind::Version | GroupKind::FirstSeen => None,
        };
        Some(Self {
            word: word_of(kind, &key),
            label: inert_short(&label, LABEL),
            href: kind.href(&key),
            noun: kind.noun().0,
            members: row.members.iter().map(|member| view.groups.members[*member as usize].relay_idx).collect(),
            size_of,
        })
    }

    /// A test of whether a state of the past belongs to the subject, where states show that.
    pub(super) fn fits(&self) -> Option<Fit> {
        match self.size_of? {
            SizeOf::Country(code) => Some(Box::new(move |state| state.country == Some(code))),
            SizeOf::As(asn) => Some(Box::new(move |state| state.asn == Some(asn))),
            SizeOf::Flag(flag) => Some(Box::new(move |state| state.flags.contains(flag))),
            SizeOf::Network => None,
        }
    }
}

fn flag(name: &str) -> Option<RelayFlag> {
    RelayFlag::ALL.into_iter().find(|flag| flag.name().eq_ignore_ascii_case(name))
}

/// The name of a kind in words.
const fn name(kind: GroupKind) -> &'static str {
    match kind {
        GroupKind::Country => "country",
        GroupKind::Region => "region",
        GroupKind::As => "as",
        GroupKind::Flag => "flag",
        GroupKind::Platform => "platform",
        GroupKind::Version => "version",
        GroupKind::FirstSeen => "first-seen",
    }
}

/// The word that names a group.
pub(crate) fn word_of(kind: GroupKind, key: &str) -> String {
    match kind {
        GroupKind::Country | GroupKind::As => key.to_owned(),
        kind => format!("{}:{key}", name(kind)),
    }
}

/// Links from the page of a group, an operator or a family to where it is drawn hour by hour, followed over time, and compared.
pub(crate) fn links(word: &str) -> Html {
    let link = |label: &str, path: &str, pairs: &[(&str, &str)]| {
        let pairs: Vec<(&str, String)> = pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Html::link(&format!("{path}{}", query_string(&pairs)), &Html::words(label))
    };
    Html::joined(
        [
            link("Uptime image, relay by relay and hour by hour", FixedPage::ExploreImage.path(), &[("of", word)]),
            link("Uptime over a year", FixedPage::Explore.path(), &[("show", "trend"), ("range", "1y"), ("with", word)]),
            link(
                "Weight over a year",
                FixedPage::Explore.path(),
                &[("show", "trend"), ("range", "1y"), ("measure", "weight"), ("with", word)],
            ),
            link("Compared with the network", FixedPage::Explore.path(), &[("show", "compare"), ("with", word)]),
        ],
        " · ",
    )
}

/// The countries with the most current relays.
pub(super) fn largest_countries(view: &View, n: usize) -> Vec<CountryCode> {
    let mut all: Vec<_> = view.countries.iter().collect();
    all.sort_by_key(|(code, group)| (std::cmp::Reverse(group.n_relays), **code));
    all.into_iter().take(n).map(|(code, _)| *code).collect()
}

/// The autonomous systems with the most current relays.
pub(super) fn largest_systems(view: &View, n: usize) -> Vec<Asn> {
    let mut all: Vec<_> = view.autonomous_systems.iter().collect();
    all.sort_by_key(|(asn, group)| (std::cmp::Reverse(group.n_relays), **asn));
    all.into_iter().take(n).map(|(asn, _)| *asn).collect()
}

/// The operators with the most consensus weight, as words.
pub(super) fn largest_operators(view: &View, n: usize) -> Vec<String> {
    let operators = view.operators.list();
    let mut all: Vec<usize> = (0..operators.len()).filter(|i| view.operators.figures[*i].members.n_relays > 0).collect();
    all.sort_by_key(|i| (std::cmp::Reverse(view.operators.figures[*i].members.consensus_weight), *i));
    all.into_iter().take(n).map(|i| operators[i].id.to_string()).collect()
}
