//! Possible causes of an incident and its effect on the network: evidence beside the detector, never part of it.
//!
//! Both are functions of an incident and of the record, so they can be computed for any incident at any time and are the same
//! for everybody who has the same record. The detector does not know of them.

mod effect;
mod evidence;
mod hypotheses;

pub use effect::{Effect, Loss, Shift, WeightAt, effect};
pub use evidence::{Evidence, Share, evidence};
pub use hypotheses::{CauseKind, Hypothesis, hypotheses};
