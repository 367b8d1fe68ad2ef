//! Operators of relays, as far as the documents show who runs them.
//!
//! The rule, first that fits:
//!
//! 1. a proven domain: the relay's [`AroiCheck`](super::AroiCheck) found that the domain it claims names it;
//! 2. a claimed domain that the relay's family proves: it claims the domain, and a relay of its own family (relays that name
//!    each other) has proven that domain;
//! 3. its family, by the smallest fingerprint;
//! 4. its contact, normalised.
//!
//! A claim without proof counts for nothing: it never brings a relay into the group of a domain. A relay without
//! proof, family and usable contact has no operator, and two such relays are never one operator's.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::str::FromStr;

use super::aroi::{AroiContact, AroiDomain, AroiResult};
use super::contact::{contact_key, normalised_contact};
use super::family::Families;
use crate::identity::{Fingerprint, ParseError};
use crate::relay::Relay;

/// Identity of an operator: stable from one consensus to the next, and part of addresses (`/operator/<id>`).
///
/// Written as the domain (`example.org`), `family-` with a fingerprint, or `contact-` with 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperatorId {
    /// The holder of this domain, which names the relays.
    Domain(AroiDomain),
    /// The operator of this family, by its smallest fingerprint.
    Family(Fingerprint),
    /// The author of this contact: the first 16 bytes of the SHA-256 digest of its normalised form.
    Contact([u8; 16]),
}

impl OperatorId {
    /// The author of this contact; `None` where the contact identifies nobody.
    pub fn of_contact(contact: &str) -> Option<Self> {
        normalised_contact(contact).map(|normalised| Self::Contact(contact_key(&normalised)))
    }
}

impl fmt::Display for OperatorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(domain) => fmt::Display::fmt(domain, f),
            Self::Family(key) => write!(f, "family-{key}"),
            Self::Contact(key) => {
                f.write_str("contact-")?;
                key.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

impl FromStr for OperatorId {
    type Err = ParseError;

    /// Reads what [`fmt::Display`] writes, in either case.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        if let Some(fingerprint) = text.strip_prefix("family-") {
            return fingerprint.parse().map(Self::Family);
        }
        if let Some(digits) = text.strip_prefix("contact-").filter(|digits| !digits.contains('.')) {
            // Twenty bytes are what the parser of fingerprints reads; these are sixteen.
            let padded: Fingerprint = format!("{digits}00000000").parse()?;
            let mut key = [0; 16];
            key.copy_from_slice(&padded.as_bytes()[..16]);
            return Ok(Self::Contact(key));
        }
        text.parse().map(Self::Domain)
    }
}

/// The operators of some relays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Operators {
    /// The operators, by id.
    pub operators: Vec<Operator>,
    /// For each relay, the index of its operator in `operators`; `None` where it is unknown.
    pub of_relay: Vec<Option<u32>>,
    /// The families among the same relays.
    pub families: Families,
    contacts: Contacts,
}

/// An operator and the relays it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Its identity.
    pub id: OperatorId,
    /// Indexes of its relays, in order.
    pub members: Vec<u32>,
}

impl Operators {
    /// Finds the operators: the same relays, in any order, give the same ids. See the module for the rule.
    pub fn of(relays: &[&Relay]) -> Self {
        let families = Families::of(relays);
        let contacts = Contacts::of(relays);
        let proven: Vec<Option<&AroiDomain>> =
            relays.iter().enumerate().map(|(i, relay)| proven_domain(relay, contacts.claim(i))).collect();
        let by_family: HashSet<(u32, &AroiDomain)> =
            families.of_relay.iter().zip(&proven).filter_map(|(family, domain)| Some(((*family)?, (*domain)?))).collect();
        let id_of = |i: usize| {
            let family = families.of_relay[i];
            let is_proven = |domain: &&AroiDomain| family.is_some_and(|family| by_family.contains(&(family, *domain)));
            let claimed = || contacts.claim(i).claim().map(|claim| &claim.domain).filter(is_proven);
            proven[i]
                .or_else(claimed)
                .map(|domain| OperatorId::Domain(domain.clone()))
                .or_else(|| family.map(|f| OperatorId::Family(families.families[f as usize].key)))
                .or_else(|| contacts.identity(i).cloned())
        };
        let ids: Vec<Option<OperatorId>> = (0..relays.len()).map(id_of).collect();
        Self::from_ids(ids, families, contacts)
    }

    /// Claim in the contact of the relay with this index.
    ///
    /// # Panics
    /// If there is no such relay.
    pub fn aroi_contact(&self, relay_idx: usize) -> &AroiContact {
        self.contacts.claim(relay_idx)
    }

    /// Index of an operator in `operators`.
    pub fn position(&self, id: &OperatorId) -> Option<usize> {
        self.operators.binary_search_by(|operator| operator.id.cmp(id)).ok()
    }

    /// The operator of the relay with this index.
    pub fn operator_of(&self, relay_idx: usize) -> Option<&Operator> {
        self.of_relay.get(relay_idx).copied().flatten().map(|i| &self.operators[i as usize])
    }

    fn from_ids(ids: Vec<Option<OperatorId>>, families: Families, contacts: Contacts) -> Self {
        let mut of_relay = vec![None; ids.len()];
        let mut members: BTreeMap<OperatorId, Vec<u32>> = BTreeMap::new();
        for (i, id) in ids.into_iter().enumerate() {
            if let Some(id) = id {
                members.entry(id).or_default().push(i as u32);
            }
        }
        let operators: Vec<Operator> = members.into_iter().map(|(id, members)| Operator { id, members }).collect();
        for (operator_idx, operator) in operators.iter().enumerate() {
            operator.members.iter().for_each(|i| of_relay[*i as usize] = Some(operator_idx as u32));
        }
        Self { operators, of_relay, families, contacts }
    }
}

/// Contents of the contacts of some relays; each distinct text is read once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Contacts {
    /// Claim of each text, and the operator that it identifies where no better evidence names one.
    texts: Vec<(AroiContact, Option<OperatorId>)>,
    of_relay: Vec<u32>,
}

impl Contacts {
    fn of(relays: &[&Relay]) -> Self {
        let mut known: HashMap<&str, u32> = HashMap::new();
        let mut found = Self::default();
        for relay in relays {
            let text = relay.contact.as_deref().unwrap_or_default();
            let text_idx = *known.entry(text).or_insert_with(|| {
                found.texts.push((AroiContact::of(text), OperatorId::of_contact(text)));
                found.texts.len() as u32 - 1
            });
            found.of_relay.push(text_idx);
        }
        found
    }

    fn claim(&self, relay_idx: usize) -> &AroiContact {
        &self.texts[self.of_relay[relay_idx] as usize].0
    }

    fn identity(&self, relay_idx: usize) -> Option<&OperatorId> {
        self.texts[self.of_relay[relay_idx] as usize].1.as_ref()
    }
}

/// The domain that a relay claims and that names it.
fn proven_domain<'a>(relay: &Relay, contact: &'a AroiContact) -> Option<&'a AroiDomain> {
    let claim = contact.claim()?;
    let check = relay.aroi_check.as_ref()?;
    (check.result == AroiResult::Validated && check.is_of(claim)).then_some(&claim.domain)
}
