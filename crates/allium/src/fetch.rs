//! Visits to the Onionoo service: which documents came, which did not, and why.

use std::time::Duration;

use allium_history::{History as _, SqliteHistory};
use allium_model::{DocumentKind, SourceStatus, Timestamp};
use allium_sources::onionoo::{self, Client, ClientOptions, Document};
use allium_views::Clock;
use anyhow::Context as _;

use crate::config::Config;
use allium::intake::Intake;

/// Fetches the configured documents.
pub(crate) struct Fetcher {
    client: Client,
    clock: Clock,
    kinds: Vec<DocumentKind>,
}

/// What one visit brought.
#[derive(Debug, Default)]
pub(crate) struct Visit {
    /// Documents that the store has not seen, with the time of their arrival.
    pub(crate) documents: Vec<(Document, Timestamp)>,
    /// Kinds that the source has nothing newer of.
    pub(crate) unchanged: Vec<DocumentKind>,
    /// Kinds that could not be had; what the store holds of them stays in use.
    pub(crate) failures: Vec<(DocumentKind, anyhow::Error)>,
}

impl Fetcher {
    /// A fetcher with the settings of the configuration; nothing is fetched yet.
    pub(crate) fn new(config: &Config, clock: Clock) -> anyhow::Result<Self> {
        let settings = &config.onionoo;
        let kinds = settings.documents.iter().map(|name| {
            DocumentKind::from_name(name).with_context(|| {
                let known: Vec<&str> = DocumentKind::ALL.iter().map(|kind| kind.name()).collect();
                format!("onionoo.documents names {name:?}; known are {}", known.join(", "))
            })
        });
        let options = ClientOptions {
            proxy: Some(settings.proxy.clone()).filter(|proxy| !proxy.is_empty()),
            limits: config.limits(),
            timeout: Duration::from_secs(settings.timeout_secs),
            retries: settings.retries,
            ..ClientOptions::new(&settings.url, config.cache_dir())
        };
        Ok(Self { kinds: kinds.collect::<anyhow::Result<_>>()?, client: Client::new(options)?, clock })
    }

    /// Visits the source once. A document that is no newer than its kind in `stored` is not decoded again.
    pub(crate) async fn visit(&self, stored: &[SourceStatus]) -> Visit {
        let mut visit = Visit::default();
        for &kind in &self.kinds {
            let status = stored.iter().find(|status| status.kind == kind);
            match self.document(kind, status).await {
                Ok(Some(document)) => visit.documents.push((document, (self.clock)())),
                Ok(None) => visit.unchanged.push(kind),
                Err(error) => visit.failures.push((kind, error)),
            }
        }
        visit
    }

    async fn document(&self, kind: DocumentKind, stored: Option<&SourceStatus>) -> anyhow::Result<Option<Document>> {
        let fetched = self.client.fetch(kind).await?.into_document();
        if stored.is_some_and(|stored| stored.published >= fetched.published) {
            return Ok(None);
        }
        // Decoding a large document would hold up everything else on this thread.
        let decode = move || onionoo::decode(kind, &fetched.bytes, &fetched.origin);
        Ok(Some(tokio::task::spawn_blocking(decode).await??))
    }
}

impl Visit {
    /// Stores what came, in one transaction, and says in a sentence what that was.
    pub(crate) fn store(self, store: &mut SqliteHistory) -> anyhow::Result<String> {
        let mut words = Vec::new();
        let mut intake = Intake::default();
        for (document, obtained_at) in self.documents {
            let header = document.header();
            words.push(format!("{} of {} ({} rejects)", header.kind, header.published, header.n_rejects));
            intake.add(document, obtained_at);
        }
        words.extend(self.unchanged.iter().map(|kind| format!("{kind} unchanged")));
        store.apply(&intake.into_update())?;
        Ok(words.join(", "))
    }
}
