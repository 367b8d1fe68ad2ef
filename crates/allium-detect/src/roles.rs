//! Exits and guards among the relays of an incident.
//!
//! Counted by the flags with which each relay was last listed, against the network of the same moment: the relays that run with the
//! flag, and those of the incident that do not. Where no list tells a flag nobody has it, and the share is 0.

use allium_model::RelayFlag;
use serde::{Deserialize, Serialize};

use crate::book::RelayIdx;
use crate::detector::Detector;

/// How many exits and guards an incident concerns.
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

impl Detector {
    /// The roles of these relays, sorted.
    pub(crate) fn roles(&self, relays: &[RelayIdx]) -> Roles {
        let [(n_exits, exit_share), (n_guards, guard_share)] = [RelayFlag::Exit, RelayFlag::Guard].map(|flag| self.role(relays, flag));
        Roles { n_exits, n_guards, exit_share, guard_share }
    }

    fn role(&self, relays: &[RelayIdx], flag: RelayFlag) -> (u32, f64) {
        let has = |relay: &&RelayIdx| self.state.tracks[**relay as usize].flags & (1 << flag as u32) != 0;
        let n = relays.iter().filter(has).count();
        let is_other = |relay: &&RelayIdx| relays.binary_search(relay).is_err();
        let n_others = self.state.running.iter().filter(has).filter(is_other).count();
        (n as u32, if n == 0 { 0.0 } else { n as f64 / (n + n_others) as f64 })
    }
}
