//! The part of the network that a case concerns: shares of relays, path selection, exits and guards, and countries and systems.

use std::collections::BTreeMap;

use allium_model::RelayFlag;
use serde::{Deserialize, Serialize};

use crate::book::{Book, RelayIdx, ScopeIdx};
use crate::incident::Part;
use crate::network::Network;
use crate::roles::Roles;
use crate::scope::ScopeKind;

/// Parts kept of each kind.
const MOST_PARTS: usize = 10;

/// The extent of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Extent {
    pub(crate) network_share: f64,
    pub(crate) weight_share: Option<f64>,
    pub(crate) roles: Roles,
    pub(crate) countries: Vec<Part>,
    pub(crate) systems: Vec<Part>,
}

impl Extent {
    /// The extent of these relays, sorted, at this moment.
    pub(crate) fn of(relays: &[RelayIdx], book: &Book, network: &Network) -> Self {
        let n_running = network.running().len() as f64;
        let weights = relays.iter().filter_map(|relay| book.info(*relay).weight);
        Self {
            network_share: relays.len() as f64 / (n_running + relays.len() as f64),
            weight_share: weights.reduce(|a, b| a + b).map(|share| share.clamp(0.0, 1.0)),
            roles: roles(relays, network),
            countries: parts(relays, ScopeKind::Country, book, network),
            systems: parts(relays, ScopeKind::As, book, network),
        }
    }
}

fn roles(relays: &[RelayIdx], network: &Network) -> Roles {
    let [(n_exits, exit_share), (n_guards, guard_share)] = [RelayFlag::Exit, RelayFlag::Guard].map(|flag| role(relays, flag, network));
    Roles { n_exits, n_guards, exit_share, guard_share }
}

/// The number of these relays, sorted, with a flag, and their share of all that have it.
fn role(relays: &[RelayIdx], flag: RelayFlag, network: &Network) -> (u32, f64) {
    let has = |relay: &&RelayIdx| network.track(**relay).flags & (1 << flag as u32) != 0;
    let n = relays.iter().filter(has).count();
    let is_other = |relay: &&RelayIdx| relays.binary_search(relay).is_err();
    let n_others = network.running().iter().filter(has).filter(is_other).count();
    (n as u32, if n == 0 { 0.0 } else { n as f64 / (n + n_others) as f64 })
}

/// The scopes of a kind that these relays belong to, most affected first.
fn parts(relays: &[RelayIdx], kind: ScopeKind, book: &Book, network: &Network) -> Vec<Part> {
    let mut counts: BTreeMap<ScopeIdx, u32> = BTreeMap::new();
    let scopes = relays.iter().flat_map(|relay| book.scopes_of(*relay)).filter(|scope| book.scope(**scope).kind == kind);
    scopes.for_each(|scope| *counts.entry(*scope).or_default() += 1);
    let mut ordered: Vec<(ScopeIdx, u32)> = counts.into_iter().collect();
    ordered.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| book.scope(a.0).cmp(book.scope(b.0))));
    ordered.truncate(MOST_PARTS);
    let is_running = |relay: &&RelayIdx| network.track(**relay).running;
    let n_running = |scope: ScopeIdx| book.members(scope).iter().filter(is_running).count() as u32;
    let n_still_running = |scope| relays.iter().filter(|relay| book.belongs(**relay, scope)).filter(is_running).count() as u32;
    let part = |(scope, n_affected): (ScopeIdx, u32)| Part {
        scope: book.scope(scope).clone(),
        n_affected,
        n_at_risk: n_running(scope) + n_affected - n_still_running(scope),
    };
    ordered.into_iter().map(part).collect()
}
