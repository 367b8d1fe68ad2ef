//! Visits to the sources: what came, what did not, and why.
//!
//! Three roads lead to the network. Onionoo tells most, an hour or two late; directory servers have the newest consensus at
//! once; CollecTor has those that were missed. A consensus is taken in once, from whichever source brings it first.

use std::collections::BTreeSet;
use std::str::FromStr as _;
use std::time::Duration;

use allium_history::{ConsensusSource, Error, FullConsensus, History, KnownConsensus, SourceVisit, SqliteHistory};
use allium_model::{ConsensusHour, DocumentKind, Reject, SourceStatus, Timestamp};
use allium_sources::collector::{Collector, CollectorOptions};
use allium_sources::consensus::Consensus;
use allium_sources::consensus::verify::{TrustedAuthority, public_network};
use allium_sources::directory::{Directory, DirectoryOptions, HttpOptions};
use allium_sources::onionoo::{self, Client, ClientOptions, Document, Fetched};
use allium_views::Clock;
use anyhow::{Context as _, bail};

use crate::config::Config;
use allium::intake::{Intake, verified_consensus};

/// How many failures of one visit are noted.
const MAX_TOLD: usize = 3;

/// A source, ready to be visited.
pub(crate) struct Fetcher {
    source: Source,
    clock: Clock,
    /// Time between visits.
    pub(crate) poll: Duration,
}

enum Source {
    Onionoo { client: Client, kinds: Vec<DocumentKind> },
    Directory(Directory),
    Collector(Collector),
}

/// What the store knows, as far as it decides what is fetched.
#[derive(Debug, Default)]
pub(crate) struct Stored {
    documents: Vec<SourceStatus>,
    /// Hours whose consensus nobody could know better.
    hours: BTreeSet<ConsensusHour>,
}

/// What one visit brought.
#[derive(Debug)]
pub(crate) struct Visit {
    source: &'static str,
    at: Timestamp,
    /// Documents that the store has not seen, with the time of their arrival.
    documents: Vec<(Document, Timestamp)>,
    /// Consensuses that the store has not seen.
    consensuses: Vec<FullConsensus>,
    /// How many rejects there are in these consensuses, and the first of them.
    rejects: (usize, Vec<Reject>),
    /// Kinds that the source has nothing newer of.
    unchanged: Vec<DocumentKind>,
    /// What could not be had; what the store holds of it stays in use.
    pub(crate) failures: Vec<String>,
}

impl Stored {
    /// Reads it from a store.
    pub(crate) fn of(store: &SqliteHistory) -> Result<Self, Error> {
        let is_complete = |known: &KnownConsensus| known.info.source != ConsensusSource::Presence;
        let hours = store.known()?.into_iter().filter(is_complete).map(|known| known.info.hour).collect();
        Ok(Self { documents: store.stats()?.documents, hours })
    }
}

impl Fetcher {
    /// The configured sources, the fastest first; nothing is fetched yet.
    pub(crate) fn all(config: &Config, clock: &Clock) -> anyhow::Result<Vec<Self>> {
        const KNOWN: [&str; 3] = ["directory", "collector", "onionoo"];
        if let Some(unknown) = config.sources.iter().find(|name| !KNOWN.contains(&name.as_str())) {
            bail!("sources names {unknown:?}; known are {}", KNOWN.join(", "));
        }
        let asked = KNOWN.into_iter().filter(|name| config.sources.iter().any(|asked| asked == name));
        let fetcher = |name| {
            let (source, poll_secs) = match name {
                "directory" => (Source::Directory(directory(config)?), config.directory.poll_secs),
                "collector" => (Source::Collector(collector(config)?), config.collector.poll_secs),
                _ => (onionoo_source(config)?, config.onionoo.poll_secs),
            };
            Ok(Self { source, clock: clock.clone(), poll: Duration::from_secs(poll_secs.max(1)) })
        };
        asked.map(fetcher).collect()
    }

    /// Its name.
    pub(crate) fn name(&self) -> &'static str {
        match self.source {
            Source::Onionoo { .. } => "onionoo",
            Source::Directory(_) => ConsensusSource::Directory.name(),
            Source::Collector(_) => ConsensusSource::Collector.name(),
        }
    }

    /// Visits the source once, for what the store does not hold.
    pub(crate) async fn visit(&self, stored: &Stored) -> Visit {
        let mut visit = Visit {
            source: self.name(),
            at: (self.clock)(),
            documents: Vec::new(),
            consensuses: Vec::new(),
            rejects: (0, Vec::new()),
            unchanged: Vec::new(),
            failures: Vec::new(),
        };
        match &self.source {
            Source::Onionoo { client, kinds } => self.ask_onionoo(client, kinds, stored, &mut visit).await,
            Source::Directory(directory) => match directory.fetch(stored.hours.last().copied()).await {
                Ok(verified) => verified.into_iter().for_each(|verified| visit.add(&verified.consensus, ConsensusSource::Directory)),
                Err(error) => visit.failures.push(with_causes(&error)),
            },
            Source::Collector(collector) => match collector.fetch(&|hour| stored.hours.contains(&hour)).await {
                Ok(found) => {
                    visit.failures.extend(found.failures.iter().map(|(path, error)| format!("{path}: {}", with_causes(error))));
                    found.consensuses.iter().for_each(|verified| visit.add(&verified.consensus, ConsensusSource::Collector));
                }
                Err(error) => visit.failures.push(with_causes(&error)),
            },
        }
        visit
    }

    /// Hands the certificates that one source has fetched to the other, which may not have them.
    pub(crate) fn share_certificates(fetchers: &[Self]) {
        let directory =
            fetchers.iter().find_map(|fetcher| if let Source::Directory(directory) = &fetcher.source { Some(directory) } else { None });
        let collector =
            fetchers.iter().find_map(|fetcher| if let Source::Collector(collector) = &fetcher.source { Some(collector) } else { None });
        if let (Some(directory), Some(collector)) = (directory, collector) {
            collector.add_certificates(&directory.certificates());
        }
    }

    async fn ask_onionoo(&self, client: &Client, kinds: &[DocumentKind], stored: &Stored, visit: &mut Visit) {
        for &kind in kinds {
            let status = stored.documents.iter().find(|status| status.kind == kind);
            match document(client, kind, status).await {
                Ok(Some(document)) => visit.documents.push((document, (self.clock)())),
                Ok(None) => visit.unchanged.push(kind),
                Err(error) => visit.failures.push(format!("{kind}: {error:#}")),
            }
        }
    }
}

/// A document that is newer than the stored one of its kind.
async fn document(client: &Client, kind: DocumentKind, stored: Option<&SourceStatus>) -> anyhow::Result<Option<Document>> {
    let held = stored.map(|stored| stored.published);
    let fetched = client.fetch(kind, held).await.map(Fetched::into_document)?;
    let Some(fetched) = fetched.filter(|fetched| held.is_none_or(|held| held < fetched.published)) else { return Ok(None) };
    // Decoding a large document would hold up everything else on this thread.
    let decode = move || onionoo::decode(kind, &fetched.bytes, &fetched.origin);
    Ok(Some(tokio::task::spawn_blocking(decode).await??))
}

fn onionoo_source(config: &Config) -> anyhow::Result<Source> {
    let settings = &config.onionoo;
    let kinds = settings.documents.iter().map(|name| {
        DocumentKind::from_name(name).with_context(|| {
            let known: Vec<&str> = DocumentKind::ALL.iter().map(|kind| kind.name()).collect();
            format!("onionoo.documents names {name:?}; known are {}", known.join(", "))
        })
    });
    let options = ClientOptions {
        proxy: proxy(config),
        limits: config.limits(),
        timeout: Duration::from_secs(settings.timeout_secs),
        retries: settings.retries,
        ..ClientOptions::new(&settings.url, config.cache_dir())
    };
    Ok(Source::Onionoo { kinds: kinds.collect::<anyhow::Result<_>>()?, client: Client::new(options)? })
}

fn directory(config: &Config) -> anyhow::Result<Directory> {
    let settings = &config.directory;
    let mut options = DirectoryOptions::of(trusted(config)?);
    if !settings.urls.is_empty() {
        options.servers.clone_from(&settings.urls);
    }
    options.http = http(config, settings.timeout_secs);
    Directory::new(options).context("the directory source cannot be used")
}

fn collector(config: &Config) -> anyhow::Result<Collector> {
    let settings = &config.collector;
    let options = CollectorOptions {
        base_url: settings.url.clone(),
        trusted: trusted(config)?,
        max_consensuses: settings.max_consensuses,
        http: http(config, settings.timeout_secs),
        ..CollectorOptions::default()
    };
    Collector::new(options).context("the collector source cannot be used")
}

fn trusted(config: &Config) -> anyhow::Result<Vec<TrustedAuthority>> {
    if config.directory.authorities.is_empty() {
        return Ok(public_network());
    }
    let authority = |text: &String| TrustedAuthority::from_str(text).context("directory.authorities cannot be understood");
    config.directory.authorities.iter().map(authority).collect()
}

fn http(config: &Config, timeout_secs: u64) -> HttpOptions {
    HttpOptions { proxy: proxy(config), timeout: Duration::from_secs(timeout_secs), ..HttpOptions::default() }
}

/// One proxy for all sources: nobody who asks for Tor wants a part of it in the clear.
pub(crate) fn proxy(config: &Config) -> Option<String> {
    Some(config.onionoo.proxy.clone()).filter(|proxy| !proxy.is_empty())
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
    let mut words = failures.get(..failures.len().min(MAX_TOLD))?.join("; ");
    if failures.len() > MAX_TOLD {
        words.push_str(&format!("; and {} more", failures.len() - MAX_TOLD));
    }
    Some(words).filter(|words| !words.is_empty())
}

impl Visit {
    fn add(&mut self, consensus: &Consensus, source: ConsensusSource) {
        self.rejects.0 += consensus.n_rejects;
        self.rejects.1.extend(consensus.rejects.iter().cloned());
        self.consensuses.push(verified_consensus(consensus, source, self.at));
    }

    /// Whether there is anything to store.
    pub(crate) fn is_empty(&self) -> bool {
        self.documents.is_empty() && self.consensuses.is_empty()
    }

    /// Stores what came and how the visit went; says in a sentence what that was. Each consensus is one transaction.
    pub(crate) fn store(self, store: &mut SqliteHistory) -> anyhow::Result<String> {
        let mut words = Vec::new();
        let mut intake = Intake::default();
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
            intake.add(document, obtained_at);
        }
        words.extend(self.unchanged.iter().map(|kind| format!("{kind} unchanged")));
        if has_documents {
            store.apply(&intake.into_update())?;
        }
        store.note_source(&SourceVisit {
            source: self.source.to_owned(),
            at: self.at,
            newest,
            failure: in_short(&self.failures),
            rejects: (!self.consensuses.is_empty()).then_some(self.rejects),
        })?;
        Ok(words.join(", "))
    }
}
