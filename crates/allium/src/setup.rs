//! From configuration to what workers ask: sources, and the domains that relays claim.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use allium_service::Clock;
use allium_service::workers::proofs::Asker;
use allium_service::workers::sources::{Fetcher, Road};
use allium_sources::collector::{Collector, CollectorOptions};
use allium_sources::consensus::verify::{TrustedAuthority, public_network};
use allium_sources::directory::{Directory, DirectoryOptions, HttpOptions};
use allium_sources::onionoo::{Client, ClientOptions};
use allium_sources::proof::{Prover, ProverOptions, system_resolvers};
use anyhow::Context as _;

use crate::checks::{document_kind, resolver};
use crate::config::Config;

/// The configured sources, the fastest first; nothing is fetched yet.
pub(crate) fn sources(config: &Config, clock: &Clock) -> anyhow::Result<Vec<Arc<Fetcher>>> {
    let is_asked = |name: &str| config.sources.iter().any(|asked| asked == name);
    let fetcher = |road, poll_secs: u64, visit_secs: u64| {
        let (clock, poll, deadline) = (clock.clone(), Duration::from_secs(poll_secs.max(1)), Duration::from_secs(visit_secs));
        Arc::new(Fetcher { road, clock, poll, deadline, tolerance_secs: i64::from(config.clock_tolerance_secs) })
    };
    let directory = is_asked("directory").then(|| directory(config).map(Arc::new)).transpose()?;
    let mut fetchers = Vec::new();
    let of_directory = |directory| fetcher(Road::Directory(directory), config.directory.poll_secs, config.directory.visit_secs);
    fetchers.extend(directory.clone().map(of_directory));
    if is_asked("collector") {
        let collector = Box::new(collector(config)?);
        fetchers.push(fetcher(Road::Collector { collector, directory }, config.collector.poll_secs, config.collector.visit_secs));
    }
    if is_asked("onionoo") {
        fetchers.push(fetcher(onionoo(config)?, config.onionoo.poll_secs, config.onionoo.visit_secs));
    }
    Ok(fetchers)
}

fn onionoo(config: &Config) -> anyhow::Result<Road> {
    let settings = &config.onionoo;
    let kinds = settings.documents.iter().map(|name| document_kind(name));
    let options = ClientOptions {
        proxy: proxy(config),
        limits: config.limits(),
        timeout: Duration::from_secs(settings.timeout_secs),
        retries: settings.retries,
        ..ClientOptions::new(&settings.url, config.cache_dir())
    };
    Ok(Road::Onionoo { kinds: kinds.collect::<anyhow::Result<_>>()?, client: Box::new(Client::new(options)?) })
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
        deadline: Duration::from_secs(settings.visit_secs),
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

/// One proxy for all sources: nobody who asks for Tor wants some of the requests in the clear.
fn proxy(config: &Config) -> Option<String> {
    Some(config.onionoo.proxy.clone()).filter(|proxy| !proxy.is_empty())
}

/// An [`Asker`] for proofs of claimed domains, as configured.
pub(crate) fn asker(config: &Config) -> anyhow::Result<Asker> {
    let settings = &config.proofs;
    let proxy = proxy(config);
    let resolvers = match (settings.resolvers.as_slice(), &proxy) {
        // Whoever asks for a proxy does not want names to be looked up beside it.
        ([], Some(_)) => Vec::new(),
        ([], None) => system_resolvers(),
        (named, _) => named.iter().map(|text| resolver(text)).collect::<anyhow::Result<_>>()?,
    };
    let roots = match &settings.ca_file {
        Some(path) => std::fs::read(path).with_context(|| format!("proofs.ca_file: cannot read {}", path.display()))?,
        None => Vec::new(),
    };
    let options = ProverOptions {
        resolvers,
        proxy,
        allowed: settings.allow_addresses.clone(),
        roots,
        timeout: Duration::from_secs(settings.timeout_secs.max(1)),
        ..ProverOptions::default()
    };
    Ok(Asker::Network(Box::new(Prover::new(&options).context("domains cannot be asked")?)))
}
