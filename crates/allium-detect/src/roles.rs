//! Exits and guards among the relays of an incident.

use serde::{Deserialize, Serialize};

/// The exits and guards that an incident concerns.
///
/// Counted by the flags with which each relay was last listed, against the network of the same moment: the relays that run with the
/// flag, and those of the incident that do not. Where no list reports a flag nobody has it, and the share is 0.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Roles {
    /// Its relays with the flag Exit.
    pub n_exits: u32,
    /// Its relays with the flag Guard.
    pub n_guards: u32,
    /// Their share of the network's exits, 0 to 1.
    pub exit_share: f64,
    /// Their share of the network's guards, 0 to 1.
    pub guard_share: f64,
}
