//! Everything that runs beside the pages, one file per worker.
//!
//! A worker is a step: from what is shown ([`Snapshot`]) and stored ([`Store`]) to what is shown next ([`Patch`]). It knows neither
//! threads nor pages; the [`Supervisor`] steps it when there is something to do, lets it rest, and keeps it going through errors and
//! panics. A new worker is one file here and one line where the program starts the others.

pub mod detector;
pub mod effects;
pub mod forecasts;
pub mod intake;
pub mod network;
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

use allium_analysis::{PastStandings, Sizes};
use allium_model::SourceReport;
use allium_views::{IncidentLog, Outlook, Scoreboard, Site, View};

pub use store::Store;
pub use supervisor::{Pace, Supervisor};
pub use wait::Stop;

/// A piece of the service that keeps something up to date.
pub trait Worker: Send {
    /// Name in logs, metrics and `/healthz`.
    fn name(&self) -> &'static str;

    /// When the first step is due; as soon as there is a network to look at unless overridden.
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

    /// Whether nothing is lost when a step under way is cut off: the end of the program does not wait for it.
    fn only_reads(&self) -> bool {
        false
    }
}

/// What a worker needs besides the snapshot.
pub struct Context {
    /// Store of the service.
    pub store: Arc<Store>,
    /// Raised when the program ends.
    pub stop: Stop,
}

/// What is shown, as of one moment.
#[derive(Clone)]
pub struct Snapshot {
    /// Network as of the newest consensus.
    pub network: Option<Arc<View>>,
    /// Sizes of the network and its parts over time.
    pub sizes: Arc<Sizes>,
}

impl Snapshot {
    /// The snapshot of a site.
    fn of(site: &Site) -> Self {
        Self { network: site.view(), sizes: site.sizes() }
    }

    /// The network.
    ///
    /// # Errors
    /// If none is published.
    pub fn network(&self) -> anyhow::Result<&Arc<View>> {
        self.network.as_ref().ok_or_else(|| anyhow::anyhow!("there is no network to look at"))
    }
}

/// Something that is shown from now on.
pub enum Patch {
    /// The network as of a consensus.
    Network(Box<View>),
    /// Incidents up to a consensus.
    Incidents(Box<IncidentLog>),
    /// Forecasts, or the reason why there are none.
    Outlook(Outlook),
    /// Scores of forecasts; `None` where no evaluation was run.
    Scoreboard(Option<Box<Scoreboard>>),
    /// Sizes of the network and its parts over time.
    Sizes(Sizes),
    /// Ranks of operators at earlier times.
    Standings(PastStandings),
    /// State of the sources.
    Sources(Vec<SourceReport>),
    /// Reason why there is no network yet.
    Waiting(String),
}

impl Patch {
    /// Shows it.
    fn apply(self, site: &Site) {
        match self {
            Self::Network(view) => site.set_view(*view),
            Self::Incidents(log) => site.set_incidents(*log),
            Self::Outlook(outlook) => site.set_outlook(outlook),
            Self::Scoreboard(scoreboard) => site.set_scoreboard(scoreboard.map(|scoreboard| *scoreboard)),
            Self::Sizes(sizes) => site.set_sizes(sizes),
            Self::Standings(standings) => site.set_past_standings(standings),
            Self::Sources(sources) => site.set_sources(sources),
            Self::Waiting(reason) => site.set_waiting_for(reason),
        }
    }
}

/// Outcome of a step.
pub struct Step {
    /// What is shown from now on, applied in this order.
    pub patches: Vec<Patch>,
    /// When the next step is due.
    pub next: Next,
    /// Whether the store holds something that is not shown: a network worker that waits for it loads it.
    pub has_stored: bool,
}

impl Step {
    /// A step that changed nothing.
    pub const fn then(next: Next) -> Self {
        Self { patches: Vec::new(), next, has_stored: false }
    }

    /// The same with something more to show.
    #[must_use]
    pub fn with(mut self, patch: Patch) -> Self {
        self.patches.push(patch);
        self
    }

    /// The same of a step that stored something, or not.
    #[must_use]
    pub fn having_stored(self, has_stored: bool) -> Self {
        Self { has_stored, ..self }
    }
}

/// When a step is due, the rest after the one before being over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// At once.
    Now,
    /// When a network is published that the step before did not see.
    Network,
    /// When something is stored that the step before did not see.
    Stored,
    /// After this long.
    After(Duration),
    /// When a network is published, or after this long.
    NetworkOrAfter(Duration),
}
