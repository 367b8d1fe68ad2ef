//! The meaning of a term for things that are not relays.

use allium_analysis::{Condition, Term};

/// The degree to which something fits a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    No,
    Part,
    Exact,
}

impl Fit {
    /// Exact or not at all.
    pub(super) const fn exact_if(is_exact: bool) -> Self {
        if is_exact { Self::Exact } else { Self::No }
    }

    /// A name as it fits a part of a name.
    pub(super) fn of_name(name: &str, part: &str) -> Self {
        let name = name.to_lowercase();
        match name.contains(part) {
            true if name == part => Self::Exact,
            true => Self::Part,
            false => Self::No,
        }
    }
}

/// The text of a term that has no name and no form of its own.
pub(super) fn own_text(term: &Term) -> Option<&str> {
    let text = |condition| match condition {
        &Condition::Text(ref text) | &Condition::Named(ref text) => Some(text.as_str()),
        _ => None,
    };
    term.any.iter().find_map(text).filter(|_| term.key.is_none())
}

/// The conditions by which a term means an operator through its contacts.
pub(super) fn of_contact(term: &Term) -> Vec<Condition> {
    let text = own_text(term).filter(|text| text.chars().count() > 2).map(|text| Condition::Contact(text.to_owned()));
    let stated = term.any.iter().filter(|condition| matches!(condition, Condition::Mail(_) | Condition::Contact(_)));
    stated.cloned().chain(text).collect()
}

/// The conditions by which a term means a family through a member.
pub(super) fn of_member(term: &Term) -> Vec<Condition> {
    let text = own_text(term).map(|text| Condition::Nickname(text.to_owned()));
    let stated = |c: &&Condition| matches!(c, Condition::Family(_) | Condition::Fingerprint(_) | Condition::Nickname(_));
    term.any.iter().filter(stated).cloned().chain(text).collect()
}

/// The conditions by which a term means relays of an incident.
pub(super) fn of_identity(term: &Term) -> Vec<Condition> {
    let text = own_text(term).map(|text| Condition::Named(text.to_owned()));
    term.any.iter().filter(|c| matches!(c, Condition::Fingerprint(_) | Condition::Address(..))).cloned().chain(text).collect()
}

/// The AS or country that a term means, as the scope of an incident has it.
pub(super) fn scope_key(term: &Term) -> Option<String> {
    term.any.iter().find_map(|condition| match condition {
        Condition::As(all) => all.first()?.map(|asn| asn.to_string()),
        Condition::Country(all) => all.first()?.map(|code| code.to_string()),
        _ => None,
    })
}
