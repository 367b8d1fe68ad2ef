//! Weights documents: consensus weight, its share of the network, and the probabilities to be chosen.

use allium_model::Quantity;

use super::histories::Member;

/// Content of a member of an entry.
pub(super) fn member(key: &[u8]) -> Member {
    match key {
        b"consensus_weight" => Member::Graphs(Quantity::ConsensusWeight),
        b"consensus_weight_fraction" => Member::Graphs(Quantity::ConsensusWeightFraction),
        b"guard_probability" => Member::Graphs(Quantity::GuardProbability),
        b"middle_probability" => Member::Graphs(Quantity::MiddleProbability),
        b"exit_probability" => Member::Graphs(Quantity::ExitProbability),
        _ => Member::Other,
    }
}
