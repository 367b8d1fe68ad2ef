//! Scores of a detector: faults injected into a real record, and what it makes of them.
//!
//! Input: a [`Record`], a stretch of its lists, a seed. Relays of an AS, a country, an operator or anywhere vanish, flap, lose a
//! flag, appear; lists go missing or are repeated. A *fault* is matched by a finding of the right kind whose relays cover at least
//! half of the fault's, made between its start and three lists after its end. *Delay* counts lists from the first that shows at
//! least half of the loss. What a method finds in the record without faults, it is expected to find again: it counts neither for
//! nor against it, and its rate stands beside. *False* findings are those that only the faults' presence brings and that match none.
//!
//! False alarms of a method are counted on records in which nothing happens together, so that all it finds is false
//! ([`shifted`], [`exchanged`]). What it finds in the unchanged record is described by its [`Shape`].
//!
//! Limits: injected faults are cleaner than real ones; sizes and durations are spread evenly over their logarithms, not as in reality.

mod baselines;
mod dice;
mod inject;
mod score;
mod shape;
mod surrogate;

pub use baselines::Baseline;
pub use inject::{Fault, FaultKind, Injected, inject};
pub use score::{Finding, Scores, SizeClass, Tally, findings, score};
pub use shape::{Shape, shape};
pub use surrogate::{exchanged, shifted};

use crate::record::Record;

/// A record without faults.
pub fn untouched(record: &Record) -> Injected {
    Injected::of(record)
}
