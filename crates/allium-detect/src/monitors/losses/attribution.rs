//! The case that a cluster of lost relays belongs to.
//!
//! A cluster becomes a case of its own, or part of those just opened that it explains: at least half of their relays are in it, and
//! what concerns the whole network explains nothing narrower. The relays of other cases stay with those.

use std::cmp::Reverse;

use crate::book::{NETWORK, RelayIdx};
use crate::cases::Start;
use crate::context::Context;
use crate::incident::Kind;
use crate::network::Changes;
use crate::scan::Cluster;

/// A case, by its index, and the number of its relays in a cluster.
type Overlap = (usize, usize);

/// Opens a case for a cluster found in the last `window` lists, or widens the one that it explains.
pub(super) fn attribute(cluster: &Cluster, window: usize, context: &mut Context<'_>) {
    let explained = explained(cluster, context);
    let is_own = |relay: &RelayIdx| case_of(*relay, context).is_none_or(|index| explained.iter().any(|(other, _)| *other == index));
    let mut own = cluster.clone();
    own.lost.retain(is_own);
    if 2 * own.lost.len() < cluster.lost.len() || own.lost.len() < context.settings.min_lost as usize {
        return;
    }
    let n_additional = own.lost.len() - explained.iter().map(|(_, n)| n).sum::<usize>();
    match explained[..] {
        [] => open(&own, window, context),
        [(index, _)] if n_additional < fewest_to_widen(index, context) => {}
        [(index, _), ref others @ ..] => {
            let others: Vec<usize> = others.iter().map(|(other, _)| *other).collect();
            context.cases.widen(index, &others, &own, context.book, context.network);
        }
    }
}

/// The open cases that a cluster explains, the one with most relays in it first.
fn explained(cluster: &Cluster, context: &Context<'_>) -> Vec<Overlap> {
    let mut overlaps: Vec<Overlap> = Vec::new();
    for index in cluster.lost.iter().filter_map(|relay| case_of(*relay, context)) {
        match overlaps.iter_mut().find(|(other, _)| *other == index) {
            Some((_, n)) => *n += 1,
            None => overlaps.push((index, 1)),
        }
    }
    overlaps.retain(|overlap| is_explained(*overlap, cluster, context));
    overlaps.sort_by_key(|(index, n)| (Reverse(*n), *index));
    overlaps
}

fn is_explained((index, n_shared): Overlap, cluster: &Cluster, context: &Context<'_>) -> bool {
    let case = context.cases.case(index);
    2 * n_shared >= case.relays.len() && (cluster.look.scope != NETWORK || case.scope.is_network())
}

/// Fewest relays beyond those of a case that a cluster needs to widen it. Some always leave somewhere in the network.
fn fewest_to_widen(index: usize, context: &Context<'_>) -> usize {
    let case = context.cases.case(index);
    if case.scope.is_network() { case.relays.len().div_ceil(2) } else { 2 }
}

/// The open case that claims a relay.
fn case_of(relay: RelayIdx, context: &Context<'_>) -> Option<usize> {
    context.cases.open_index(context.network.track(relay).case)
}

fn open(cluster: &Cluster, window: usize, context: &mut Context<'_>) {
    let includes = |changes: &&Changes| changes.lost.iter().any(|(relay, _)| cluster.lost.contains(relay));
    let first = context.network.recent(window).iter().find(includes);
    let started = first.map_or(context.network.hour(), |changes| changes.before);
    let index = context.open(Start { kind: Kind::Outage, detail: None, flag: 0, cluster, started });
    context.cases.claim(index, context.network);
}
