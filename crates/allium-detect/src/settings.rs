//! Thresholds, with the defaults that were chosen on 2024-04 … 2025-06 (`docs/detection.md`).

use serde::{Deserialize, Serialize};

/// Thresholds above which the detector reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Lists that are only learned from before anything is reported.
    pub warm_up_lists: u32,
    /// Relays younger than this do not count as lost, in hours: whoever has just come often goes again.
    pub mature_hours: i32,
    /// Fewest relays that make an outage.
    pub min_lost: u32,
    /// Fewest relays of a family, prefix or nickname that make an outage: fewer can be one machine.
    pub min_narrow_lost: u32,
    /// Natural logarithm of the largest p-value of an outage.
    pub ln_alpha_loss: f64,
    /// The same for the network as a whole, where one test is made per list instead of thousands.
    pub ln_alpha_network: f64,
    /// Variance of the count of lost relays over that of chance.
    pub dispersion: f64,
    /// Relays that leave less often than this per hour are counted on their own as well, and those that do so still less often.
    pub stable_hazards: [f64; 2],
    /// Fewest relays that make a loss of a flag.
    pub min_flag_lost: u32,
    /// Natural logarithm of the largest p-value of a loss of a flag.
    pub ln_alpha_flag: f64,
    /// Fewest relays that make a surge, in the network and in a narrower scope.
    pub min_joined: [u32; 2],
    /// Natural logarithm of the largest p-value of a surge.
    pub ln_alpha_surge: f64,
    /// Share of the network that cannot be lost evenly at once: such a list is considered incomplete until a second one confirms it.
    pub incomplete_share: f64,
    /// Fewest exits and guards that are enough whatever their number in the recent past; 0 for no such floor.
    pub fewest: [u32; 2],
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            warm_up_lists: 72,
            mature_hours: 72,
            min_lost: 8,
            min_narrow_lost: 12,
            ln_alpha_loss: -12.0,
            ln_alpha_network: -9.5,
            dispersion: 1.3,
            stable_hazards: [0.002, 0.0007],
            min_flag_lost: 8,
            ln_alpha_flag: -17.0,
            min_joined: [45, 25],
            ln_alpha_surge: -18.0,
            incomplete_share: 0.12,
            fewest: [0, 0],
        }
    }
}
