//! Who the relays are, and which of them share what.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use allium_model::{Asn, CountryCode, Fingerprint};
use serde::{Deserialize, Serialize};

use crate::save::RestoreError;
use crate::scope::{Scope, ScopeKind};

/// What is known of a relay besides when it was running; whatever is unknown is `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct RelayInfo {
    /// Who it is.
    pub fingerprint: Fingerprint,
    /// What it calls itself.
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

    /// Whether both belong to the same scopes: all but the weight, which changes with every consensus, is the same.
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

/// The number of a relay: its place in the order in which relays were added.
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

    /// Adds a relay, or replaces what is known of it.
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

/// A book in the form in which it is saved: numbers stay what they are.
#[derive(Serialize, Deserialize)]
pub(crate) struct SavedBook {
    relays: Vec<SavedRelay>,
    scopes: Vec<Scope>,
    members: Vec<Vec<RelayIdx>>,
    memberships: Vec<Box<[ScopeIdx]>>,
}

/// [`RelayInfo`] in the form in which it is saved.
#[derive(Serialize, Deserialize)]
struct SavedRelay {
    fingerprint: [u8; 20],
    nickname: Option<String>,
    asn: Option<u32>,
    country: Option<String>,
    address: Option<IpAddr>,
    version: Option<String>,
    family: Option<[u8; 20]>,
    operator: Option<String>,
    weight: Option<f64>,
}

impl SavedBook {
    /// The saved form of a book.
    pub(crate) fn of(book: &Book) -> Self {
        Self {
            relays: book.infos.iter().map(SavedRelay::of).collect(),
            scopes: book.scopes.clone(),
            members: book.members.clone(),
            memberships: book.memberships.clone(),
        }
    }

    /// Whether its parts fit each other.
    fn is_consistent(&self) -> bool {
        let (n_relays, n_scopes) = (self.relays.len(), self.scopes.len());
        self.memberships.len() == n_relays
            && self.members.len() == n_scopes
            && self.members.iter().flatten().all(|relay| (*relay as usize) < n_relays)
            && self.memberships.iter().flatten().all(|scope| (*scope as usize) < n_scopes)
    }
}

impl TryFrom<SavedBook> for Book {
    type Error = RestoreError;

    fn try_from(saved: SavedBook) -> Result<Self, RestoreError> {
        if !saved.is_consistent() {
            return Err(RestoreError::Damaged);
        }
        let SavedBook { relays, scopes, members, memberships } = saved;
        let infos = relays.into_iter().map(RelayInfo::try_from).collect::<Result<Vec<_>, _>>()?;
        let by_fingerprint = infos.iter().zip(0..).map(|(info, relay)| (info.fingerprint, relay)).collect();
        let by_scope = scopes.iter().cloned().zip(0..).collect();
        Ok(Self { infos, by_fingerprint, scopes, by_scope, members, memberships })
    }
}

impl SavedRelay {
    fn of(info: &RelayInfo) -> Self {
        Self {
            fingerprint: *info.fingerprint.as_bytes(),
            nickname: info.nickname.clone(),
            asn: info.asn.map(|asn| asn.0),
            country: info.country.map(|country| country.to_string()),
            address: info.address,
            version: info.version.as_deref().map(str::to_owned),
            family: info.family.map(|family| *family.as_bytes()),
            operator: info.operator.as_deref().map(str::to_owned),
            weight: info.weight,
        }
    }
}

impl TryFrom<SavedRelay> for RelayInfo {
    type Error = RestoreError;

    fn try_from(saved: SavedRelay) -> Result<Self, RestoreError> {
        let country = saved.country.map(|country| country.parse()).transpose().map_err(|_| RestoreError::Damaged)?;
        Ok(Self {
            fingerprint: Fingerprint::new(saved.fingerprint),
            nickname: saved.nickname,
            asn: saved.asn.map(Asn),
            country,
            address: saved.address,
            version: saved.version.map(Arc::from),
            family: saved.family.map(Fingerprint::new),
            operator: saved.operator.map(Arc::from),
            weight: saved.weight,
        })
    }
}
