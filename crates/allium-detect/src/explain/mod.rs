//! What may be behind an incident, and what it did to the network: evidence beside the detector, never part of it.
//!
//! Both are functions of an incident and of the record, so they can be worked out for any incident at any time and are the same
//! for everybody who has the same record. The detector does not know of them.

mod effect;
mod evidence;
mod hypotheses;

pub use effect::{Effect, Loss, Shift, WeightAt, effect};
pub use evidence::{Evidence, Share, evidence};
pub use hypotheses::{CauseKind, Hypothesis, hypotheses};
