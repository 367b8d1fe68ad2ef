//! Visits to the sources: what came, what did not, and why. Each source is a worker of its own, so that one that hangs stops no other.
//!
//! Three roads lead to the network. Onionoo knows most, an hour or two late; directory servers have the newest consensus at
//! once; CollecTor has those that were missed. A consensus is taken in once, from whichever source brings it first.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::Clock;
use allium_history::{ConsensusSource, Error, FullConsensus, KnownConsensus, SourceVisit, Store};
use allium_model::{Bounds, ConsensusHour, DocumentKind, Reject, SourceFailure, SourceReport, SourceStatus, Timestamp};
use allium_sources::collector::Collector;
use allium_sources::consensus::Consensus;
use allium_sources::directory::Directory;
use allium_sources::onionoo::{self, Client, Document, Fetched};
use allium_words::inert::inert;
use tokio::time::{Instant, timeout};

use super::intake::{Intake, verified_consensus};
use super::{Context, Next, Step, Worker};
use crate::snapshot::{Patch, Snapshot};

/// Failures of one visit that are noted, at the most.
const MAX_NOTED: usize = 3;

/// Keeps the store up to date from one source.
pub struct Source {
    /// The source.
    pub fetcher: Arc<Fetcher>,
}

impl Worker for Source {
    fn name(&self) -> &'static str {
        self.fetcher.name()
    }

    fn first(&self) -> Next {
        Next::Now
    }

    fn step(&mut self, snapshot: &Snapshot, context: &Context) -> anyhow::Result<Step> {
        let step = Step::then(Next::After(self.fetcher.poll));
        let stored = context.store.read_every_list().and_then(|store| Stored::of(&*store));
        let stored = match stored {
            Ok(stored) => stored,
            Err(error) => {
                return Ok(self.unrecorded(step, anyhow::Error::new(error).context("not visited: the store cannot be read"), context));
            }
        };
        let Some(visit) = context.stop.or_done(self.fetcher.visit(&stored)) else { return Ok(step) };
        let (is_empty, failures) = (visit.is_empty(), visit.failures.clone());
        match self.keep(visit, snapshot, context) {
            Ok((Kept { words, failures }, sources)) => {
                if !is_empty {
                    tracing::info!(outcome = words, "documents stored");
                }
                let step = self.warned(step, &failures).with(Patch::Recorded(self.name().to_owned())).with(Patch::Sources(sources));
                Ok(step.having_stored(!is_empty))
            }
            Err(error) => {
                let step = self.warned(step, &failures);
                let reason =
                    in_short(&failures).map_or_else(|| "documents not stored".to_owned(), |failed| format!("{failed}; and not stored"));
                Ok(self.unrecorded(step, error.context(reason), context))
            }
        }
    }
}

impl Source {
    /// Stores a visit, after the failures that could not be stored before; returns the state of all sources with it.
    fn keep(&self, visit: Visit, snapshot: &Snapshot, context: &Context) -> anyhow::Result<(Kept, Vec<SourceReport>)> {
        context.store.write(|store| {
            for SourceFailure { at, reason } in snapshot.unrecorded().of(self.name()) {
                let (source, failure) = (self.name().to_owned(), Some(reason.clone()));
                store.record_visit(&SourceVisit { source, at: *at, newest: None, failure, rejects: None })?;
            }
            Ok((visit.store(store)?, store.sources()?))
        })
    }

    /// The same step with a failure that is in no store: pages and metrics have it from memory.
    fn unrecorded(&self, step: Step, error: anyhow::Error, context: &Context) -> Step {
        let failure = SourceFailure { at: (self.fetcher.clock)(), reason: context.store.in_public(&format!("{error:#}")) };
        step.with(Patch::Unrecorded(self.name().to_owned(), failure)).failed(error)
    }

    /// The same step after a line in the log for each failure.
    fn warned(&self, step: Step, failures: &[String]) -> Step {
        failures.iter().fold(step, |step, failure| {
            let (source, reason) = (self.name(), inert(failure));
            tracing::warn!(source, %reason, "not fetched, what is stored stays in use");
            step.with(Patch::Waiting(format!("{source} could not be fetched: {reason}")))
        })
    }
}

/// A source, ready to be visited.
pub struct Fetcher {
    /// The way in which the source is visited.
    pub road: Road,
    /// Clock for the times of visits.
    pub clock: Clock,
    /// Time between visits.
    pub poll: Duration,
    /// Time that a whole visit may take; what it does not bring by then is left to the next one.
    pub deadline: Duration,
    /// Seconds by which a time may lie after the clock's.
    pub tolerance_secs: i64,
}

/// A road to the network.
pub enum Road {
    /// Onionoo, for documents of these kinds.
    Onionoo {
        /// Client of the service.
        client: Box<Client>,
        /// Kinds of documents to fetch.
        kinds: Vec<DocumentKind>,
    },
    /// Directory servers.
    Directory(Arc<Directory>),
    /// CollecTor.
    Collector {
        /// The archive.
        collector: Box<Collector>,
        /// Directory servers whose certificates it may use: it does not have all of them itself.
        directory: Option<Arc<Directory>>,
    },
}

/// The parts of the store that decide what is fetched.
#[derive(Debug, Default)]
pub struct Stored {
    documents: Vec<SourceStatus>,
    /// Hours whose consensus no source could add to.
    hours: BTreeSet<ConsensusHour>,
}

/// Outcome of a visit.
#[derive(Debug)]
pub struct Visit {
    source: &'static str,
    at: Timestamp,
    /// Times that can be.
    bounds: Bounds,
    /// Documents that the store has not seen, with the time of their arrival.
    documents: Vec<(Document, Timestamp)>,
    /// Consensuses that the store has not seen.
    consensuses: Vec<FullConsensus>,
    /// Number of rejects in these consensuses, and the first of them.
    rejects: (usize, Vec<Reject>),
    /// Kinds that the source has nothing newer of.
    unchanged: Vec<DocumentKind>,
    /// Reasons why something could not be fetched; what the store holds of the source stays in use.
    pub failures: Vec<String>,
}

/// Outcome of storing a visit.
#[derive(Debug)]
pub struct Kept {
    /// Everything that came, in a sentence.
    pub words: String,
    /// Reasons why something could not be fetched, or is not what it should be.
    pub failures: Vec<String>,
}

impl Stored {
    /// Reads it from a store.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn of(store: &dyn Store) -> Result<Self, Error> {
        let is_complete = |known: &KnownConsensus| known.info.source != ConsensusSource::Presence;
        let hours = store.known()?.into_iter().filter(is_complete).map(|known| known.info.hour).collect();
        Ok(Self { documents: store.stats()?.documents, hours })
    }

    /// The newest of these hours that can be.
    fn newest(&self, bounds: Bounds) -> Option<ConsensusHour> {
        self.hours.range(..=bounds.latest_hour()).next_back().copied()
    }
}

impl Fetcher {
    /// Name of the source.
    pub const fn name(&self) -> &'static str {
        match self.road {
            Road::Onionoo { .. } => "onionoo",
            Road::Directory(_) => ConsensusSource::Directory.name(),
            Road::Collector { .. } => ConsensusSource::Collector.name(),
        }
    }

    /// Visits the source once, for what the store does not hold.
    pub async fn visit(&self, stored: &Stored) -> Visit {
        let at = (self.clock)();
        let bounds = Bounds::at(at, self.tolerance_secs);
        let mut visit = Visit {
            source: self.name(),
            at,
            bounds,
            documents: Vec::new(),
            consensuses: Vec::new(),
            rejects: (0, Vec::new()),
            unchanged: Vec::new(),
            failures: Vec::new(),
        };
        if let Road::Collector { collector, directory: Some(directory) } = &self.road {
            collector.add_certificates(&directory.certificates());
        }
        match &self.road {
            Road::Onionoo { client, kinds } => self.ask_onionoo(client, kinds, stored, &mut visit).await,
            Road::Directory(directory) => match timeout(self.deadline, directory.fetch(stored.newest(bounds))).await {
                Err(_) => visit.failures.push(self.too_long()),
                Ok(Ok(verified)) => verified.into_iter().for_each(|verified| visit.add(verified.consensus, ConsensusSource::Directory)),
                Ok(Err(error)) => visit.failures.push(with_causes(&error)),
            },
            Road::Collector { collector, .. } => match collector.fetch(&|hour| stored.hours.contains(&hour)).await {
                Ok(found) => {
                    visit.failures.extend(found.failures.iter().map(|(path, error)| format!("{path}: {}", with_causes(error))));
                    found.consensuses.into_iter().for_each(|verified| visit.add(verified.consensus, ConsensusSource::Collector));
                }
                Err(error) => visit.failures.push(with_causes(&error)),
            },
        }
        visit
    }

    async fn ask_onionoo(&self, client: &Client, kinds: &[DocumentKind], stored: &Stored, visit: &mut Visit) {
        let until = Instant::now() + self.deadline;
        for (i, &kind) in kinds.iter().enumerate() {
            let status = stored.documents.iter().find(|status| status.kind == kind);
            // One that hangs leaves time for the others.
            let share = until.saturating_duration_since(Instant::now()) / (kinds.len() - i) as u32;
            match timeout(share, document(client, kind, status, visit.bounds)).await {
                Ok(Ok(Some(document))) => visit.documents.push((document, (self.clock)())),
                Ok(Ok(None)) => visit.unchanged.push(kind),
                Ok(Err(error)) => visit.failures.push(format!("{kind}: {error:#}")),
                Err(_) => visit.failures.push(format!("{kind}: {}", self.too_long())),
            }
        }
    }

    fn too_long(&self) -> String {
        allium_sources::Error::VisitTooLong { limit_secs: self.deadline.as_secs() }.to_string()
    }
}

/// A document that is newer than the stored one of its kind; a stored one of a time that cannot be counts as none.
async fn document(client: &Client, kind: DocumentKind, stored: Option<&SourceStatus>, bounds: Bounds) -> anyhow::Result<Option<Document>> {
    let held = stored.map(|stored| stored.published).filter(|held| bounds.contain(*held));
    let fetched = client.fetch(kind, held, bounds).await.map(Fetched::into_document)?;
    let Some(fetched) = fetched.filter(|fetched| held.is_none_or(|held| held < fetched.published)) else { return Ok(None) };
    Ok(Some(onionoo::decode(kind, &fetched.bytes, &fetched.origin, bounds)?))
}

fn with_causes(error: &allium_sources::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

/// The first failures in one line; `None` where there is none.
fn in_short(failures: &[String]) -> Option<String> {
    let mut words = failures.get(..failures.len().min(MAX_NOTED))?.join("; ");
    if failures.len() > MAX_NOTED {
        words.push_str(&format!("; and {} more", failures.len() - MAX_NOTED));
    }
    Some(words).filter(|words| !words.is_empty())
}

impl Visit {
    /// Adds a consensus; one of a time that cannot be is a failure.
    fn add(&mut self, consensus: Consensus, source: ConsensusSource) {
        let consensus = match consensus.within(self.bounds) {
            Ok(consensus) => consensus,
            Err(error) => return self.failures.push(with_causes(&error)),
        };
        self.rejects.0 += consensus.n_rejects;
        self.rejects.1.extend(consensus.rejects.iter().cloned());
        self.consensuses.push(verified_consensus(&consensus, source, self.at));
    }

    /// True if there is nothing to store.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty() && self.consensuses.is_empty()
    }

    /// Stores what came and how the visit went. Each consensus is one transaction. A document that turns out to be a part of the network
    /// is a failure of the source, which was asked for the whole.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn store(self, store: &mut dyn Store) -> anyhow::Result<Kept> {
        let (mut words, mut failures) = (Vec::new(), self.failures);
        let mut intake = Intake::within(self.bounds);
        let hours = self.consensuses.iter().map(|consensus| consensus.info.hour);
        let details = self.documents.iter().map(|(document, _)| document.header()).filter(|header| header.kind == DocumentKind::Details);
        let newest = hours.chain(details.map(|header| header.published)).max();
        for consensus in &self.consensuses {
            if store.append_full_consensus(consensus)? {
                words.push(format!("consensus of {}", consensus.info.hour));
            }
        }
        let has_documents = !self.documents.is_empty();
        for (document, obtained_at) in self.documents {
            let header = document.header();
            words.push(format!("{} of {} ({} rejects)", header.kind, header.published, header.n_rejects));
            let kind = header.kind;
            let part = intake.add_judged(document, obtained_at, store)?;
            failures.extend(part.iter().map(|reason| format!("{kind}: {reason}")));
            words.extend(part);
        }
        words.extend(self.unchanged.iter().map(|kind| format!("{kind} unchanged")));
        if has_documents {
            store.apply(&intake.into_update())?;
        }
        store.record_visit(&SourceVisit {
            source: self.source.to_owned(),
            at: self.at,
            newest,
            failure: in_short(&failures),
            rejects: (!self.consensuses.is_empty()).then_some(self.rejects),
        })?;
        Ok(Kept { words: words.join(", "), failures })
    }
}
