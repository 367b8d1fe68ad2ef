//! The relays as they are described, and the scopes that they share.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use allium_model::{Asn, CountryCode, Fingerprint};

use crate::scope::{Scope, ScopeKind};

/// The description of a relay; whatever is unknown is `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct RelayInfo {
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// Its nickname.
    pub nickname: Option<String>,
    /// Its autonomous system.
    pub asn: Option<Asn>,
    /// Its country.
    pub country: Option<CountryCode>,
    /// Its primary address.
    pub address: Option<IpAddr>,
    /// Its version of Tor.
    pub version: Option<Arc<str>>,
    /// The smallest fingerprint of its effective family, where that has more than one member.
    pub family: Option<Fingerprint>,
    /// The identity of its operator.
    pub operator: Option<Arc<str>>,
    /// Its share of the network's path selection, 0 to 1.
    pub weight: Option<f64>,
}

impl RelayInfo {
    /// A relay of which nothing but the fingerprint is known.
    pub fn unknown(fingerprint: Fingerprint) -> Self {
        Self {
            fingerprint,
            nickname: None,
            asn: None,
            country: None,
            address: None,
            version: None,
            family: None,
            operator: None,
            weight: None,
        }
    }

    /// True if both belong to the same scopes: all but the weight, which changes with every consensus, is the same.
    fn belongs_as(&self, other: &Self) -> bool {
        let of = |info: &Self| (info.asn, info.country, info.address, info.family);
        of(self) == of(other) && self.nickname == other.nickname && self.version == other.version && self.operator == other.operator
    }

    /// The narrower scopes that it belongs to; the network goes without saying.
    fn scopes(&self) -> Vec<Scope> {
        let mut scopes = Vec::new();
        scopes.extend(self.country.map(|country| Scope::new(ScopeKind::Country, country)));
        scopes.extend(self.asn.map(|asn| Scope::new(ScopeKind::As, asn)));
        scopes.extend(self.operator.as_ref().map(|operator| Scope::new(ScopeKind::Operator, operator)));
        scopes.extend(self.family.map(|family| Scope::new(ScopeKind::Family, family)));
        scopes.extend(self.address.into_iter().flat_map(Scope::prefixes));
        scopes.extend(self.version.as_ref().map(|version| Scope::new(ScopeKind::Version, version)));
        scopes.extend(self.nickname.as_deref().and_then(nickname_stem).map(|stem| Scope::new(ScopeKind::Nickname, stem)));
        scopes
    }
}

/// The first five characters of a nickname that says something; digits at the end only number relays.
fn nickname_stem(nickname: &str) -> Option<String> {
    let stem: String = nickname.chars().take(5).collect();
    (stem.chars().count() == 5 && !nickname.eq_ignore_ascii_case("unnamed")).then(|| stem.to_lowercase())
}

/// The number of a relay: its index in the order in which relays were added.
pub type RelayIdx = u32;

/// The number of a scope; 0 is the network.
pub(crate) type ScopeIdx = u32;

/// All relays and scopes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Book {
    infos: Vec<RelayInfo>,
    by_fingerprint: HashMap<Fingerprint, RelayIdx>,
    scopes: Vec<Scope>,
    by_scope: BTreeMap<Scope, ScopeIdx>,
    members: Vec<Vec<RelayIdx>>,
    memberships: Vec<Box<[ScopeIdx]>>,
}

/// The network's number.
pub(crate) const NETWORK: ScopeIdx = 0;

impl Book {
    pub(crate) fn new(infos: Vec<RelayInfo>) -> Self {
        let mut book = Self::default();
        book.scope_idx(Scope::network());
        for info in infos {
            book.add(info);
        }
        book
    }

    /// Adds a relay, or replaces its description.
    pub(crate) fn add(&mut self, info: RelayInfo) -> RelayIdx {
        let relay = *self.by_fingerprint.entry(info.fingerprint).or_insert(self.infos.len() as RelayIdx);
        if let Some(known) = self.infos.get_mut(relay as usize).filter(|known| known.belongs_as(&info)) {
            *known = info;
            return relay;
        }
        let scopes: Box<[ScopeIdx]> = info.scopes().into_iter().map(|scope| self.scope_idx(scope)).collect();
        if let Some(known) = self.infos.get_mut(relay as usize) {
            *known = info;
            let old = std::mem::replace(&mut self.memberships[relay as usize], scopes.clone());
            old.iter().filter(|scope| !scopes.contains(scope)).for_each(|scope| self.members[*scope as usize].retain(|r| *r != relay));
            scopes.iter().filter(|scope| !old.contains(scope)).for_each(|scope| self.members[*scope as usize].push(relay));
        } else {
            self.infos.push(info);
            scopes.iter().for_each(|scope| self.members[*scope as usize].push(relay));
            self.memberships.push(scopes);
        }
        relay
    }

    /// The descriptions, scopes and members, each in the order in which they are numbered.
    pub(crate) fn parts(&self) -> (&[RelayInfo], &[Scope], &[Vec<RelayIdx>]) {
        (&self.infos, &self.scopes, &self.members)
    }

    /// The book of [`Book::parts`]; `None` if they are not of one book.
    pub(crate) fn of(infos: Vec<RelayInfo>, scopes: Vec<Scope>, members: Vec<Vec<RelayIdx>>) -> Option<Self> {
        let by_fingerprint = infos.iter().zip(0..).map(|(info, relay)| (info.fingerprint, relay)).collect();
        let by_scope: BTreeMap<Scope, ScopeIdx> = scopes.iter().cloned().zip(0..).collect();
        let membership = |info: &RelayInfo| info.scopes().iter().map(|scope| by_scope.get(scope).copied()).collect();
        let memberships = infos.iter().map(membership).collect::<Option<_>>()?;
        (scopes.len() == members.len()).then_some(Self { infos, by_fingerprint, scopes, by_scope, members, memberships })
    }

    fn scope_idx(&mut self, scope: Scope) -> ScopeIdx {
        if let Some(idx) = self.by_scope.get(&scope) {
            return *idx;
        }
        let idx = self.scopes.len() as ScopeIdx;
        self.scopes.push(scope.clone());
        self.by_scope.insert(scope, idx);
        self.members.push(Vec::new());
        idx
    }

    pub(crate) fn n_relays(&self) -> usize {
        self.infos.len()
    }

    pub(crate) fn n_scopes(&self) -> usize {
        self.scopes.len()
    }

    pub(crate) fn info(&self, relay: RelayIdx) -> &RelayInfo {
        &self.infos[relay as usize]
    }

    pub(crate) fn find(&self, fingerprint: &Fingerprint) -> Option<RelayIdx> {
        self.by_fingerprint.get(fingerprint).copied()
    }

    pub(crate) fn scope(&self, scope: ScopeIdx) -> &Scope {
        &self.scopes[scope as usize]
    }

    pub(crate) fn find_scope(&self, scope: &Scope) -> Option<ScopeIdx> {
        self.by_scope.get(scope).copied()
    }

    /// The relays of a scope, running or not; none are kept for the network.
    pub(crate) fn members(&self, scope: ScopeIdx) -> &[RelayIdx] {
        &self.members[scope as usize]
    }

    /// The scopes of a relay but for the network.
    pub(crate) fn scopes_of(&self, relay: RelayIdx) -> &[ScopeIdx] {
        &self.memberships[relay as usize]
    }

    pub(crate) fn belongs(&self, relay: RelayIdx, scope: ScopeIdx) -> bool {
        scope == NETWORK || self.scopes_of(relay).contains(&scope)
    }
}
