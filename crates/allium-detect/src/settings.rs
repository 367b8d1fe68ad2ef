//! Thresholds, with the defaults that were chosen on 2024-04 … 2025-06 (`docs/detection.md`).

use serde::{Deserialize, Serialize};

/// What the detector holds for unusual.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Lists that are only learned from before anything is reported.
    pub warm_up_lists: u32,
    /// Relays younger than this do not count as lost, in hours: whoever has just come often goes again.
    pub mature_hours: i32,
    /// Fewest relays that make an outage.
    pub min_lost: u32,
    /// Natural logarithm of the largest p-value of an outage.
    pub ln_alpha_loss: f64,
    /// How much the count of lost relays varies more than by chance.
    pub dispersion: f64,
    /// Relays that leave less often than this per hour are counted on their own as well.
    pub stable_hazard: f64,
    /// Fewest relays that make a loss of a flag.
    pub min_flag_lost: u32,
    /// Natural logarithm of the largest p-value of a loss of a flag.
    pub ln_alpha_flag: f64,
    /// Fewest relays that make a surge, in the network and in a narrower scope.
    pub min_joined: [u32; 2],
    /// Natural logarithm of the largest p-value of a surge.
    pub ln_alpha_surge: f64,
    /// Share of the network that cannot be lost evenly at once: such a list is taken for incomplete until a second one confirms it.
    pub incomplete_share: f64,
    /// Fewest exits and guards that are enough whatever their number in the recent past; 0 for no such floor.
    pub fewest: [u32; 2],
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            warm_up_lists: 72,
            mature_hours: 72,
            min_lost: 7,
            ln_alpha_loss: -16.0,
            dispersion: 1.5,
            stable_hazard: 0.002,
            min_flag_lost: 10,
            ln_alpha_flag: -20.0,
            min_joined: [60, 30],
            ln_alpha_surge: -25.0,
            incomplete_share: 0.12,
            fewest: [0, 0],
        }
    }
}
