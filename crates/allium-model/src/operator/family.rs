//! Families: relays that name each other, as one connected group.
//!
//! Two relays are of one family if each is in the other's effective family. Effective families of members need not be equal
//! (A names B, B names A and C, C names B); the family is everything that is connected so. A relay that left the network keeps
//! the family of its last appearance, although relays that are still there do not list it any more.

use std::collections::HashMap;

use crate::identity::Fingerprint;
use crate::network::RelayRecord;
use crate::relay::Relay;

/// The families among some relays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Families {
    /// The families of two relays and more, by their smallest fingerprint.
    pub families: Vec<Family>,
    /// For each relay, the index of its family in `families`; `None` for relays that stand alone.
    pub of_relay: Vec<Option<u32>>,
}

/// A family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// The smallest fingerprint of its members: its key.
    pub key: Fingerprint,
    /// Indexes of its members among the relays, by fingerprint.
    pub members: Vec<u32>,
}

impl Families {
    /// Finds the families. Cost grows with the distinct lists of families, not with the square of their members.
    pub fn of(relays: &[&Relay]) -> Self {
        let lists = Lists::of(relays);
        let mut sets = DisjointSets::new(relays.len());
        lists.join_equals(&mut sets);
        lists.join_others(relays, &mut sets);
        Self::from_sets(relays, &mut sets)
    }

    fn from_sets(relays: &[&Relay], sets: &mut DisjointSets) -> Self {
        let mut by_fingerprint: Vec<u32> = (0..relays.len() as u32).collect();
        by_fingerprint.sort_unstable_by_key(|i| relays[*i as usize].fingerprint);
        let mut size = vec![0u32; relays.len()];
        (0..relays.len() as u32).for_each(|i| size[sets.root(i) as usize] += 1);
        let mut family_of_root = vec![None; relays.len()];
        let mut found = Self { families: Vec::new(), of_relay: vec![None; relays.len()] };
        for relay_idx in by_fingerprint {
            let root = sets.root(relay_idx) as usize;
            if size[root] < 2 {
                continue;
            }
            let family_idx = *family_of_root[root].get_or_insert_with(|| {
                found
                    .families
                    .push(Family { key: relays[relay_idx as usize].fingerprint, members: Vec::with_capacity(size[root] as usize) });
                found.families.len() as u32 - 1
            });
            found.families[family_idx as usize].members.push(relay_idx);
            found.of_relay[relay_idx as usize] = Some(family_idx);
        }
        found
    }
}

/// The distinct lists of effective families, each as sorted indexes of relays.
struct Lists {
    /// Sorted indexes of the relays that a list names, without those that are not among the relays.
    lists: Vec<Vec<u32>>,
    /// For each relay, the number of its list; `None` for relays without other members.
    of_relay: Vec<Option<u32>>,
}

/// The number of a list, and the list as a relay states it.
type NumberedList<'a> = (u32, &'a [Fingerprint]);

/// Number of lists with the same first member and length that are compared before a list counts as one of its own.
const MAX_ALIKE: usize = 8;

impl Lists {
    fn of(relays: &[&Relay]) -> Self {
        let indexes = Indexes::of(relays);
        // Members of a family mostly have the very same list, so lists are compared before they are looked up.
        let mut alike: HashMap<(Fingerprint, usize), Vec<NumberedList<'_>>> = HashMap::new();
        let mut found = Self { lists: Vec::new(), of_relay: Vec::with_capacity(relays.len()) };
        for relay in relays {
            let family = relay.effective_family.as_slice();
            let others = family.iter().any(|member| *member != relay.fingerprint);
            found.of_relay.push(others.then(|| {
                let candidates = alike.entry((family[0], family.len())).or_default();
                if let Some((list, _)) = candidates.iter().find(|(_, other)| *other == family) {
                    return *list;
                }
                found.lists.push(indexes.of_all(family));
                let list = found.lists.len() as u32 - 1;
                if candidates.len() < MAX_ALIKE {
                    candidates.push((list, family));
                }
                list
            }));
        }
        found
    }

    fn has(&self, list: u32, relay_idx: u32) -> bool {
        self.lists[list as usize].binary_search(&relay_idx).is_ok()
    }

    /// Relays with the same list that are in it name each other.
    fn join_equals(&self, sets: &mut DisjointSets) {
        let mut first = vec![None; self.lists.len()];
        for (relay_idx, list) in self.of_relay.iter().enumerate().filter_map(|(i, list)| list.map(|list| (i as u32, list))) {
            if self.has(list, relay_idx) {
                sets.join(*first[list as usize].get_or_insert(relay_idx), relay_idx);
            }
        }
    }

    /// Relays with different lists are compared one by one, unless they are joined already.
    fn join_others(&self, relays: &[&Relay], sets: &mut DisjointSets) {
        for (relay_idx, list) in self.of_relay.iter().enumerate().filter_map(|(i, list)| list.map(|list| (i as u32, list))) {
            for &other in &self.lists[list as usize] {
                if sets.root(other) == sets.root(relay_idx) {
                    continue;
                }
                let named_back = self.of_relay[other as usize].is_some_and(|list| self.has(list, relay_idx));
                if named_back || left_before(relays[relay_idx as usize], relays[other as usize]) {
                    sets.join(relay_idx, other);
                }
            }
        }
    }
}

/// True if a relay had left the network when the other one was last seen, so that the other one's list cannot have it.
fn left_before(relay: &Relay, other: &Relay) -> bool {
    let (Some(seen), Some(other_seen)) = (relay.last_seen, other.last_seen) else { return false };
    other_seen.hours_since(seen) > RelayRecord::CURRENT_HOURS
}

/// Index of each fingerprint among the relays.
struct Indexes(Vec<(Fingerprint, u32)>);

impl Indexes {
    fn of(relays: &[&Relay]) -> Self {
        let mut indexes: Vec<_> = relays.iter().enumerate().map(|(i, relay)| (relay.fingerprint, i as u32)).collect();
        indexes.sort_unstable();
        Self(indexes)
    }

    /// Indexes of those that are among the relays, sorted, each once.
    fn of_all(&self, fingerprints: &[Fingerprint]) -> Vec<u32> {
        let index = |fingerprint: &Fingerprint| {
            let at = self.0.binary_search_by(|(other, _)| other.cmp(fingerprint)).ok()?;
            Some(self.0[at].1)
        };
        let mut found: Vec<u32> = fingerprints.iter().filter_map(index).collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Union–find with path halving.
struct DisjointSets {
    parent: Vec<u32>,
}

impl DisjointSets {
    fn new(n: usize) -> Self {
        Self { parent: (0..n as u32).collect() }
    }

    fn root(&mut self, mut i: u32) -> u32 {
        while self.parent[i as usize] != i {
            let grandparent = self.parent[self.parent[i as usize] as usize];
            self.parent[i as usize] = grandparent;
            i = grandparent;
        }
        i
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.parent[a.max(b) as usize] = a.min(b);
    }
}
