//! Monitors: each watches for one kind of incident.

pub(crate) mod capacity;
mod declines;
pub(crate) mod flag_losses;
pub(crate) mod losses;
pub(crate) mod quality;
pub(crate) mod surges;
