//! `allium serve`: pages from the store, kept up to date from the sources.

use std::future::IntoFuture as _;
use std::sync::Arc;
use std::time::Duration;

use allium_analysis::NetworkReport;
use allium_history::{History as _, SqliteHistory};
use allium_model::{SourceStatus, Timestamp};
use allium_views::text::inert;
use allium_views::{Clock, Site, SiteInfo, View, router};
use anyhow::Context as _;
use tokio::net::TcpListener;

use crate::cli::ServeArgs;
use crate::config::Config;
use crate::fetch::{Fetcher, Visit};
use crate::progress;
use crate::signals::stop_asked;

/// How long requests under way may take to end once the program is told to stop.
pub(crate) const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// Serves until told to stop.
pub(crate) fn run(config: &Config, args: &ServeArgs) -> anyhow::Result<()> {
    let info = SiteInfo { version: env!("CARGO_PKG_VERSION").to_owned(), ..SiteInfo::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let service = Service { info, clock: Arc::new(Timestamp::now), fetching: !args.offline };
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
}

/// Serves the pages of the store. Ends when the program is told to stop, or when the store fails.
pub(crate) async fn serve(config: Config, service: Service) -> anyhow::Result<()> {
    let Service { info, clock, fetching } = service;
    let site = Site::new(info, clock.clone());
    let fetcher = if fetching { Some(Fetcher::new(&config, clock)?) } else { None };
    let store = if fetching { SqliteHistory::open(&config.store)? } else { SqliteHistory::open_read_only(&config.store)? };
    let listener = TcpListener::bind(config.listen).await.with_context(|| format!("cannot listen on {}", config.listen))?;
    progress::line(&format!("Pages at http://{}/", listener.local_addr()?));
    let poll = Duration::from_secs(config.onionoo.poll_secs.max(1));
    let keeper = tokio::spawn(keep(Keeper { store, site: site.clone() }, fetcher, poll));
    let server = axum::serve(listener, router(site)).with_graceful_shutdown(stop_asked()?).into_future();
    tokio::select! {
        served = server => Ok(served?),
        kept = keeper => kept?,
    }
}

/// Shows what the store holds, then visits the sources again and again.
async fn keep(keeper: Keeper, fetcher: Option<Fetcher>, poll: Duration) -> anyhow::Result<()> {
    let mut keeper = in_background(keeper, Keeper::show).await?;
    let Some(fetcher) = fetcher else {
        if keeper.site.view().is_none() {
            keeper.site.set_waiting_for("the store is empty, and fetching is switched off");
        }
        return std::future::pending().await;
    };
    let mut ticks = tokio::time::interval(poll);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let stored = keeper.stored();
        let mut visit = fetcher.visit(&stored).await;
        for (kind, error) in std::mem::take(&mut visit.failures) {
            let reason = inert(&format!("{error:#}"));
            tracing::warn!(%kind, %reason, "document not fetched, the stored one stays in use");
            keeper.site.set_waiting_for(format!("{kind} could not be fetched: {reason}"));
        }
        if !visit.documents.is_empty() {
            keeper = in_background(keeper, |keeper| keeper.take(visit)).await?;
        }
    }
}

/// The store and the site that shows it.
struct Keeper {
    store: SqliteHistory,
    site: Site,
}

impl Keeper {
    /// The documents in use.
    fn stored(&self) -> Vec<SourceStatus> {
        self.site.view().map(|view| view.record.sources.clone()).unwrap_or_default()
    }

    /// Publishes what the store holds, if anything.
    fn show(&mut self) -> anyhow::Result<()> {
        if let Some(record) = self.store.load()? {
            let report = NetworkReport::compute(&record);
            tracing::info!(as_of = %record.as_of, relays = report.network.n_relays, running = report.network.n_running, "view published");
            self.site.set_view(View::new(record, report));
        }
        Ok(())
    }

    /// Stores what a visit brought and shows it. What the store refuses is logged; the pages stay as they are.
    fn take(&mut self, visit: Visit) -> anyhow::Result<()> {
        match visit.store(&mut self.store) {
            Ok(outcome) => tracing::info!(outcome, "documents stored"),
            Err(error) => {
                let reason = inert(&format!("{error:#}"));
                tracing::error!(%reason, "documents not stored");
                return Ok(());
            }
        }
        self.show()
    }
}

/// Runs heavy work on the keeper away from the threads that answer requests.
async fn in_background<F>(mut keeper: Keeper, work: F) -> anyhow::Result<Keeper>
where
    F: FnOnce(&mut Keeper) -> anyhow::Result<()> + Send + 'static,
{
    tokio::task::spawn_blocking(move || work(&mut keeper).map(|()| keeper)).await?
}
