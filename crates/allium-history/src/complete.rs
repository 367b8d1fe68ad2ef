//! Attributes that one source leaves out, as another states them.
//!
//! Rules: what consensuses state of a relay counts where no document describes it, where they changed it after its document, and for what its
//! document leaves out. Weights are those of the newest consensus with weights, unless the document is as new and has them; shares of weight and
//! selection probabilities that are missing, or older than the weight, are computed from these with the bandwidth weights of that consensus.
//! What no consensus states is taken from the newest interval of the published graphs. Everything else stays unknown.

use std::collections::HashMap;

use allium_model::time::HOUR_SECS;
use allium_model::{ConsensusHour, Fingerprint, Fraction, PublishedGraph, Quantity, Relay, SelectionProbabilities, WeightRole};

use crate::consensus::Statement;
use crate::figures::HourWeights;

/// Hours after which weights no longer speak for the present network.
const WEIGHTS_HOLD_HOURS: i32 = 24;

/// Hours after the end of its last interval for which a graph speaks for the present: the longest interval of the finest graphs, and a day.
const GRAPHS_HOLD_HOURS: i64 = 48;

/// The newest consensus weights.
pub(crate) struct Weights {
    hour: ConsensusHour,
    of_relays: HashMap<Fingerprint, u64>,
    network: SelectionProbabilities,
}

impl Weights {
    /// The weights of an hour; `None` where they are too old to speak for `as_of`.
    pub(crate) fn of(weights: &HourWeights, as_of: ConsensusHour) -> Option<Self> {
        let HourWeights { hour, relays, network } = weights;
        let holds = as_of.hours_since(*hour) <= WEIGHTS_HOLD_HOURS;
        holds.then(|| Self { hour: *hour, of_relays: relays.iter().copied().collect(), network: network.clone() })
    }

    /// The weights that a details document states of the relays that run.
    pub(crate) fn of_document(hour: ConsensusHour, relays: &[Relay]) -> Self {
        let mut by_role = [0.0; 4];
        let mut of_relays = HashMap::new();
        for (relay, weight) in relays.iter().filter(|relay| relay.running).filter_map(|relay| Some((relay, relay.consensus_weight?))) {
            by_role[WeightRole::of_flags(relay.flags) as usize] += weight as f64;
            of_relays.insert(relay.fingerprint, weight);
        }
        Self { hour, of_relays, network: SelectionProbabilities::new(by_role, None) }
    }
}

/// Takes over what consensuses state of a relay, since that hour.
pub(crate) fn take_statement(relay: &mut Relay, details_hour: Option<ConsensusHour>, since: ConsensusHour, stated: Statement) {
    let Statement { nickname, or_addresses, measured, exit_policy_summary } = stated;
    let is_newer = details_hour < Some(since);
    let counts = |is_missing: bool| is_newer || is_missing;
    if nickname.is_some() && counts(relay.nickname.is_none()) {
        relay.nickname = nickname;
    }
    if !or_addresses.is_empty() && counts(relay.or_addresses.is_empty()) {
        relay.or_addresses = or_addresses;
        relay.bare_address = None;
    }
    if measured.is_some() && counts(relay.measured.is_none()) {
        relay.measured = measured;
    }
    if exit_policy_summary.is_some() && counts(relay.exit_policy_summary.is_none()) {
        relay.exit_policy_summary = exit_policy_summary;
    }
}

/// Takes the weight of a relay that runs over, and computes the shares that follow from it.
pub(crate) fn take_weight(relay: &mut Relay, details_hour: Option<ConsensusHour>, weights: &Weights) {
    let Some(weight) = weights.of_relays.get(&relay.fingerprint).copied().filter(|_| relay.running) else { return };
    if details_hour < Some(weights.hour) {
        relay.consensus_weight = None;
        forget_shares(relay);
    }
    let weight = *relay.consensus_weight.get_or_insert(weight) as f64;
    let [guard, middle, exit] = weights.network.of_relay(WeightRole::of_flags(relay.flags), weight);
    fill(&mut relay.consensus_weight_fraction, Fraction::of(weight, weights.network.weight()));
    fill(&mut relay.guard_probability, guard.and_then(Fraction::clamped));
    fill(&mut relay.middle_probability, middle.and_then(Fraction::clamped));
    fill(&mut relay.exit_probability, exit.and_then(Fraction::clamped));
}

fn forget_shares(relay: &mut Relay) {
    relay.consensus_weight_fraction = None;
    (relay.guard_probability, relay.middle_probability, relay.exit_probability) = (None, None, None);
}

/// Takes weight and shares of a relay that runs from its graphs, where they are still unknown.
pub(crate) fn take_graphs(relay: &mut Relay, published: &[PublishedGraph], as_of: ConsensusHour) {
    if !relay.running {
        return;
    }
    let value = |quantity| newest_value(published, &quantity, as_of);
    let share = |quantity| value(quantity).and_then(Fraction::clamped);
    relay.consensus_weight = relay.consensus_weight.or_else(|| value(Quantity::ConsensusWeight).map(|weight| weight.round() as u64));
    fill(&mut relay.consensus_weight_fraction, share(Quantity::ConsensusWeightFraction));
    fill(&mut relay.guard_probability, share(Quantity::GuardProbability));
    fill(&mut relay.middle_probability, share(Quantity::MiddleProbability));
    fill(&mut relay.exit_probability, share(Quantity::ExitProbability));
}

/// The value of the last interval of the finest graph of a quantity, if that is recent and known.
fn newest_value(published: &[PublishedGraph], quantity: &Quantity, as_of: ConsensusHour) -> Option<f64> {
    let series = published.iter().filter(|graph| graph.quantity == *quantity).map(|graph| &graph.series);
    let finest = series.filter(|series| !series.is_empty()).min_by_key(|series| series.interval_secs())?;
    let is_recent = as_of.next().start_secs() - finest.end_secs() <= GRAPHS_HOLD_HOURS * HOUR_SECS;
    finest.get(finest.len() - 1).filter(|_| is_recent)
}

fn fill(share: &mut Option<Fraction>, found: Option<Fraction>) {
    *share = share.or(found);
}
