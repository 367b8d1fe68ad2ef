//! A list as the detector is given it, and its answer.

use allium_model::{ConsensusHour, RelayFlags};

use crate::book::{RelayIdx, RelayInfo};

/// A list of running relays, as a consensus has it.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    /// Its hour.
    pub hour: ConsensusHour,
    /// The relays in it with their flags; those without Running count as down.
    pub listed: &'a [(RelayIdx, RelayFlags)],
    /// The flags that it reports; other flags of `listed` mean nothing.
    pub reported: RelayFlags,
    /// Relays whose description differs from the one known before; see [`crate::Detector::describe`].
    pub described: &'a [RelayInfo],
}

/// The result of a step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Step {
    /// Incidents that were opened, grew, changed their kind or scope, recovered or resolved, by their index among all incidents; sorted.
    pub changed: Vec<usize>,
    /// True if the list was believed; an old or incomplete one is passed over.
    pub believed: bool,
}
