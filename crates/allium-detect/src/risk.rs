//! Probabilities of leaving by chance: of the relays that were lost, and of those that could have been.

use crate::book::RelayIdx;

/// A lost relay and its probability of leaving by chance in the window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lost {
    pub(crate) relay: RelayIdx,
    pub(crate) risk: f64,
}

/// The relays that could have been lost and were not.
pub(crate) struct Standing<'a> {
    /// All of them.
    pub(crate) relays: &'a [RelayIdx],
    /// Per relay the probability of leaving by chance in an hour; negative for all other relays.
    pub(crate) hazards: &'a [f32],
    /// Hours in the window.
    pub(crate) elapsed: f64,
}

impl Standing<'_> {
    /// The risks of those among `relays` that could have been lost, in the window.
    pub(crate) fn risks(&self, relays: &[RelayIdx]) -> impl Iterator<Item = f64> {
        let hazards = relays.iter().map(|relay| self.hazards[*relay as usize]).filter(|hazard| *hazard >= 0.0);
        hazards.map(|hazard| clip(f64::from(hazard) * self.elapsed))
    }
}

/// A probability of leaving by chance within which logarithms and sums stay sensible.
pub(crate) fn clip(risk: f64) -> f64 {
    risk.clamp(1e-5, 0.5)
}
