//! `allium serve`: pages from the store, kept up to date from the sources.

use std::sync::Arc;
use std::time::Duration;

use allium_model::Timestamp;
use allium_server::{Door, Server};
use allium_service::tokens::StoredNotes;
use allium_service::workers::detector::DetectorWorker;
use allium_service::workers::forecasts::ForecastWorker;
use allium_service::workers::network::Network;
use allium_service::workers::proofs::{Asker, Checker, Proofs};
use allium_service::workers::sizes::SizeWorker;
use allium_service::workers::sources::{Fetcher, Source};
use allium_service::workers::standings::StandingsWorker;
use allium_service::workers::{Pace, SharedStore, Supervisor};
use allium_service::{Clock, Site, SiteInfo};
use anyhow::Context as _;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::checks;
use crate::cli::ServeArgs;
use crate::config::Config;
use crate::progress;
use crate::setup;
use crate::signals::stop_asked;

/// Time that requests under way may take to end once the program is asked to stop, and then the workers.
pub(crate) const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// Serves until asked to stop.
pub(crate) fn run(config: &Config, args: &ServeArgs) -> anyhow::Result<()> {
    let info = SiteInfo { version: env!("CARGO_PKG_VERSION").to_owned(), ..SiteInfo::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let asker = (!args.offline && config.proofs.enabled).then(|| setup::asker(config)).transpose()?;
    let service = Service { info, clock: Arc::new(Timestamp::now), fetching: !args.offline, asker };
    let outcome = runtime.block_on(serve(config.clone(), service));
    runtime.shutdown_timeout(SHUTDOWN_GRACE);
    outcome
}

/// Kind of service.
pub(crate) struct Service {
    /// Facts about the service that pages show.
    pub(crate) info: SiteInfo,
    /// The time it lives in.
    pub(crate) clock: Clock,
    /// True if it keeps the store up to date; otherwise it only reads.
    pub(crate) fetching: bool,
    /// Whoever is asked for proofs of claimed domains.
    pub(crate) asker: Option<Asker>,
}

/// Serves the pages of the store until the program is asked to stop.
pub(crate) async fn serve(config: Config, service: Service) -> anyhow::Result<()> {
    let Service { info, clock, fetching, asker } = service;
    let info = SiteInfo { address: checks::site_address(&config.address)?, ..info };
    let notes = Arc::new(StoredNotes::new(config.store.clone(), clock.clone()));
    let site = Site::new(info, clock.clone()).with_notes(notes);
    let fetchers = if fetching { setup::sources(&config, &clock)? } else { Vec::new() };
    // Stays open: the log beside the file is then written back now and then, not whenever a worker is done.
    let _store = if fetching { config.store.open()? } else { config.store.open_read_only()? };
    let trusted: Vec<&str> = config.trusted_proxies.iter().map(String::as_str).collect();
    let server = Server::within(site.clone(), config.serve.limits()).trusting(checks::proxies(&trusted)?);
    let doors = open(&config).await?;
    doors.iter().for_each(|door| progress::line(&format!("Pages at {door}")));
    let mut supervisor =
        Supervisor::new(site.clone(), SharedStore::new(config.store.clone(), fetching), Handle::current(), Pace::default());
    start(&mut supervisor, &config, &clock, fetchers, asker)?;
    let outcome = answer(server.showing(supervisor.store()), doors).await;
    tokio::task::spawn_blocking(move || supervisor.end(SHUTDOWN_GRACE)).await?;
    outcome
}

/// Opens the doors of every place to listen at.
async fn open(config: &Config) -> anyhow::Result<Vec<Door>> {
    let mut doors = Vec::new();
    for place in checks::listen(&config.listen)? {
        doors.extend(place.open().await.with_context(|| format!("cannot listen on {place}"))?);
    }
    Ok(doors)
}

/// Starts the workers.
fn start(
    supervisor: &mut Supervisor,
    config: &Config,
    clock: &Clock,
    fetchers: Vec<Arc<Fetcher>>,
    asker: Option<Asker>,
) -> anyhow::Result<()> {
    let if_empty = fetchers.is_empty().then_some("the store is empty, and fetching is switched off");
    supervisor.start(move || Network { if_empty })?;
    let (settings, mut is_first) = (config.detect.settings(), true);
    supervisor.start(move || DetectorWorker::new(settings.clone(), std::mem::replace(&mut is_first, false)))?;
    for fetcher in fetchers {
        supervisor.start(move || Source { fetcher: fetcher.clone() })?;
    }
    let scoreboard = config.scoreboard();
    supervisor.start(move || ForecastWorker::new(scoreboard.clone()))?;
    supervisor.start(SizeWorker::default)?;
    supervisor.start(StandingsWorker::default)?;
    if let Some(asker) = asker {
        let (concurrency, seed) = (config.proofs.concurrency, clock().as_nanosecond() as u64);
        let checker = Arc::new(Checker { asker, concurrency, store: supervisor.store(), clock: clock.clone(), seed });
        supervisor.start(move || Proofs { checker: checker.clone() })?;
    }
    Ok(())
}

/// Answers requests until the program is asked to stop; those that are under way then may take [`SHUTDOWN_GRACE`].
async fn answer(server: Server, doors: Vec<Door>) -> anyhow::Result<()> {
    let (stop, (notify, asked)) = (stop_asked()?, oneshot::channel());
    let stopped = async move {
        stop.await;
        // The server may have ended by itself.
        let _ = notify.send(());
    };
    tokio::select! {
        served = server.serve(doors, stopped) => Ok(served?),
        () = grace_is_over(asked) => {
            tracing::warn!("requests under way were cut off");
            Ok(())
        }
    }
}

/// Completes [`SHUTDOWN_GRACE`] after the program was asked to stop.
async fn grace_is_over(asked: oneshot::Receiver<()>) {
    match asked.await {
        Ok(()) => tokio::time::sleep(SHUTDOWN_GRACE).await,
        Err(_) => std::future::pending().await,
    }
}
