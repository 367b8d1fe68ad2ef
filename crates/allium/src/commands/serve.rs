//! `allium serve`: pages from the store, kept up to date from the sources.

use std::future::IntoFuture as _;
use std::sync::Arc;
use std::time::Duration;

use allium::watch;
use allium_analysis::NetworkReport;
use allium_history::Store;
use allium_model::Timestamp;
use allium_views::{Clock, Site, SiteInfo, View, router};
use allium_words::inert::inert;
use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use crate::cli::ServeArgs;
use crate::config::Config;
use crate::desk::StoreDesk;
use crate::fetch::{Fetcher, Stored, Visit};
use crate::outlook;
use crate::progress;
use crate::proofs::{self, Asker, Checker};
use crate::ranks;
use crate::signals::stop_asked;
use crate::sizes;

/// How long requests under way may take to end once the program is told to stop.
pub(crate) const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// Serves until told to stop.
pub(crate) fn run(config: &Config, args: &ServeArgs) -> anyhow::Result<()> {
    let address = (!config.address.is_empty()).then(|| config.address.clone());
    let info = SiteInfo { version: env!("CARGO_PKG_VERSION").to_owned(), address, ..SiteInfo::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let asker = (!args.offline && config.proofs.enabled).then(|| Asker::of(config)).transpose()?;
    let service = Service { info, clock: Arc::new(Timestamp::now), fetching: !args.offline, asker };
    let outcome = runtime.block_on(serve(config.clone(), service));
    runtime.shutdown_timeout(SHUTDOWN_GRACE);
    outcome
}

/// What kind of service this is.
pub(crate) struct Service {
    /// What it says of itself.
    pub(crate) info: SiteInfo,
    /// The time it lives in.
    pub(crate) clock: Clock,
    /// Whether it keeps the store up to date; otherwise it only reads.
    pub(crate) fetching: bool,
    /// Who is asked for proofs of claimed domains; nobody where there is none.
    pub(crate) asker: Option<Asker>,
}

/// Serves the pages of the store. Ends when the program is told to stop, or when the store fails.
pub(crate) async fn serve(config: Config, service: Service) -> anyhow::Result<()> {
    let Service { info, clock, fetching, asker } = service;
    let site = Site::new(info, clock.clone());
    site.set_desk(Arc::new(StoreDesk::new(config.store.clone(), clock.clone())));
    let fetchers = if fetching { Fetcher::all(&config, &clock)? } else { Vec::new() };
    let store = if fetching { config.store.open()? } else { config.store.open_read_only()? };
    let listener = TcpListener::bind(config.listen).await.with_context(|| format!("cannot listen on {}", config.listen))?;
    progress::line(&format!("Pages at http://{}/", listener.local_addr()?));
    let watcher = tokio::spawn(watch::keep(site.clone(), config.store.clone(), config.detect.settings()));
    tokio::spawn(outlook::keep(site.clone(), config.store.clone(), config.scoreboard()));
    tokio::spawn(sizes::keep(site.clone(), config.store.clone()));
    tokio::spawn(ranks::keep(site.clone(), config.store.clone()));
    let proven = Arc::new(Notify::new());
    if let Some(asker) = asker {
        let seed = clock().as_nanosecond() as u64;
        let checker = Checker { asker, concurrency: config.proofs.concurrency, store: config.store.clone(), clock, seed };
        tokio::spawn(proofs::keep(checker, site.clone(), proven.clone()));
    }
    let keeper = tokio::spawn(keep(Keeper { store, site: site.clone() }, fetchers, proven));
    let (stop, (tell, told)) = (stop_asked()?, oneshot::channel());
    let served_site = site.clone();
    let stopped = async move {
        stop.await;
        site.close();
        // Nobody is left to tell if the server has ended by itself.
        let _ = tell.send(());
    };
    let server = axum::serve(listener, router(served_site)).with_graceful_shutdown(stopped).into_future();
    tokio::select! {
        served = server => Ok(served?),
        kept = keeper => kept?,
        watched = watcher => Ok(watched?),
        () = grace_is_over(told) => {
            tracing::warn!("requests under way were cut off");
            Ok(())
        }
    }
}

/// Completes [`SHUTDOWN_GRACE`] after the program was told to stop.
async fn grace_is_over(told: oneshot::Receiver<()>) {
    match told.await {
        Ok(()) => tokio::time::sleep(SHUTDOWN_GRACE).await,
        Err(_) => std::future::pending().await,
    }
}

/// Shows what the store holds, then visits the sources again and again, each when it is due. Shows it again when told that
/// something else is proven than before.
async fn keep(keeper: Keeper, fetchers: Vec<Fetcher>, proven: Arc<Notify>) -> anyhow::Result<()> {
    let mut keeper = in_background(keeper, Keeper::show).await?;
    if fetchers.is_empty() {
        if keeper.site.view().is_none() {
            keeper.site.set_waiting_for("the store is empty, and fetching is switched off");
        }
        return std::future::pending().await;
    }
    let mut due = vec![Instant::now(); fetchers.len()];
    loop {
        let (next, at) = due.iter().copied().enumerate().min_by_key(|(_, at)| *at).context("there is a source")?;
        tokio::select! {
            () = tokio::time::sleep_until(at) => {}
            () = proven.notified() => {
                keeper = in_background(keeper, Keeper::show).await?;
                continue;
            }
        }
        let fetcher = &fetchers[next];
        let stored;
        (keeper, stored) = in_background((keeper, Stored::default()), |(keeper, stored)| {
            *stored = Stored::of(&*keeper.store)?;
            Ok(())
        })
        .await?;
        let visit = fetcher.visit(&stored).await;
        for failure in &visit.failures {
            let reason = inert(failure);
            tracing::warn!(source = fetcher.name(), %reason, "not fetched, what is stored stays in use");
            keeper.site.set_waiting_for(format!("{} could not be fetched: {reason}", fetcher.name()));
        }
        keeper = in_background(keeper, |keeper| keeper.take(visit)).await?;
        Fetcher::share_certificates(&fetchers);
        due[next] = Instant::now() + fetcher.poll;
    }
}

/// The store and the site that shows it.
struct Keeper {
    store: Box<dyn Store>,
    site: Site,
}

impl Keeper {
    /// Publishes what the store holds, if anything.
    fn show(&mut self) -> anyhow::Result<()> {
        self.site.set_sources(self.store.sources()?);
        if let Some(record) = self.store.load()? {
            let report = NetworkReport::compute_in_parallel(&record);
            tracing::info!(as_of = %record.as_of, relays = report.network.n_relays, running = report.network.n_running, "view published");
            self.site.set_view(View::new(record, report));
        }
        Ok(())
    }

    /// Stores what a visit brought and shows it. What the store refuses is logged; the pages stay as they are.
    fn take(&mut self, visit: Visit) -> anyhow::Result<()> {
        let is_empty = visit.is_empty();
        match visit.store(&mut *self.store) {
            Ok(outcome) if !is_empty => tracing::info!(outcome, "documents stored"),
            Ok(_) => {
                self.site.set_sources(self.store.sources()?);
                return Ok(());
            }
            Err(error) => {
                let reason = inert(&format!("{error:#}"));
                tracing::error!(%reason, "documents not stored");
                return Ok(());
            }
        }
        self.show()
    }
}

/// Runs heavy work away from the threads that answer requests.
async fn in_background<T, F>(mut on: T, work: F) -> anyhow::Result<T>
where
    T: Send + 'static,
    F: FnOnce(&mut T) -> anyhow::Result<()> + Send + 'static,
{
    tokio::task::spawn_blocking(move || work(&mut on).map(|()| on)).await?
}
