//! Everything that runs beside the pages, one file per worker.
//!
//! A worker is a step: from what is shown ([`Snapshot`]) and stored ([`SharedStore`]) to what is shown next ([`Patch`]). It knows neither
//! threads nor pages; the [`Supervisor`] steps it when there is something to do, lets it rest, and keeps it going through errors and
//! panics. A new worker is one file here and one line where the program starts the others.

pub mod detector;
pub mod doubt;
pub mod effects;
pub mod forecasts;
pub mod intake;
pub mod network;
pub mod parts;
pub mod past;
pub mod proofs;
pub mod record;
pub mod sizes;
pub mod sources;
pub mod standings;
mod store;
mod supervisor;
mod wait;

use std::sync::Arc;
use std::time::Duration;

use crate::snapshot::{Patch, Snapshot};
use crate::view::View;

pub use self::store::SharedStore;
pub use self::supervisor::{Pace, Supervisor};
pub use self::wait::Stop;

/// A piece of the service that keeps something up to date.
pub trait Worker: Send {
    /// Name in logs, metrics and `/healthz`.
    fn name(&self) -> &'static str;

    /// Time of the first step; as soon as there is a network to look at unless overridden.
    fn first(&self) -> Next {
        Next::Network
    }

    /// Does the next piece of work.
    ///
    /// # Errors
    /// Whatever keeps it from being done. The step is tried again after a while, whatever it was.
    fn step(&mut self, snapshot: &Snapshot, context: &Context) -> anyhow::Result<Step>;

    /// Rest after a step that took this long, so that what is heavy leaves the machine to others.
    fn rest(&self, _took: Duration) -> Duration {
        Duration::ZERO
    }

    /// Does what is left to do when the program ends.
    ///
    /// # Errors
    /// Whatever keeps it from being done; it is logged.
    fn finish(&mut self, _context: &Context) -> anyhow::Result<()> {
        Ok(())
    }

    /// True if nothing is lost when a step under way is cut off: the end of the program does not wait for it.
    fn only_reads(&self) -> bool {
        false
    }
}

/// The store, and the signal to stop: needs of a step besides the snapshot.
pub struct Context {
    /// Store of the service.
    pub store: Arc<SharedStore>,
    /// Raised when the program ends.
    pub stop: Stop,
}

/// The network of a snapshot.
///
/// # Errors
/// If none is published.
fn network_of(snapshot: &Snapshot) -> anyhow::Result<&View> {
    snapshot.view().ok_or_else(|| anyhow::anyhow!("there is no network to look at"))
}

/// Outcome of a step.
pub struct Step {
    /// Patches to show from this step on, applied in this order.
    pub patches: Vec<Patch>,
    /// Time of the next step.
    pub next: Next,
    /// True if the store holds something that is not shown: a network worker that waits for it loads it.
    pub has_stored: bool,
    /// Reason why the work is not done although there is something to show of it; the step is tried again then.
    pub failure: Option<anyhow::Error>,
}

impl Step {
    /// A step that changed nothing.
    pub const fn then(next: Next) -> Self {
        Self { patches: Vec::new(), next, has_stored: false, failure: None }
    }

    /// The same with something more to show.
    #[must_use]
    pub fn with(mut self, patch: Patch) -> Self {
        self.patches.push(patch);
        self
    }

    /// The same of a step that failed.
    #[must_use]
    pub fn failed(self, failure: anyhow::Error) -> Self {
        Self { failure: Some(failure), ..self }
    }

    /// The same of a step that stored something, or not.
    #[must_use]
    pub fn having_stored(self, has_stored: bool) -> Self {
        Self { has_stored, ..self }
    }
}

/// Time of a step, after the rest that follows the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// At once.
    Now,
    /// As soon as a network is published that the step before did not see.
    Network,
    /// As soon as something is stored that the step before did not see.
    Stored,
    /// After this long.
    After(Duration),
    /// As soon as a network is published, or after this long.
    NetworkOrAfter(Duration),
}
