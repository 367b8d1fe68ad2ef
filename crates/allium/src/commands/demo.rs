//! `allium demo`: a synthetic network behind the very same pages, with no network needed.

use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use allium_model::{ConsensusHour, Timestamp};
use allium_simulate::Network;
use allium_simulate::serve::{Handle, ServeOptions, serve as serve_network};
use allium_views::{Clock, SiteInfo};
use tokio::net::TcpListener;

use super::serve::{Service, serve};
use super::simulate::options;
use crate::cli::DemoArgs;
use crate::config::Config;
use crate::progress;
use crate::proofs::Asker;

/// Visits to the simulated service per simulated hour.
const VISITS_PER_HOUR: u64 = 4;

/// Simulates a network in accelerated time, and serves its pages until told to stop. Nothing is kept.
pub(crate) fn run(config: &Config, args: &DemoArgs) -> anyhow::Result<()> {
    let start = Timestamp::now();
    let newest = ConsensusHour::containing(start).plus(-1);
    let options = options(&args.network, newest);
    progress::line(&format!("Simulating {} relays over {} days", options.n_relays, options.history_days));
    let network = Handle::new(RwLock::new(Network::generate(&options)));
    let scratch = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let outcome = runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let mut config = config.clone();
        config.store = scratch.path().join("demo.db");
        config.sources = vec!["onionoo".to_owned()];
        config.onionoo.cache = None;
        config.onionoo.proxy.clear();
        config.onionoo.url = format!("http://{}", listener.local_addr()?);
        config.onionoo.documents = ["details", "uptime", "bandwidth", "weights"].map(str::to_owned).to_vec();
        config.onionoo.poll_secs = (args.hour_every / VISITS_PER_HOUR).max(1);
        let hour_every = Duration::from_secs(args.hour_every);
        let asker = Some(Asker::Simulation(network.clone()));
        let simulation =
            tokio::spawn(serve_network(network, listener, ServeOptions { hour_every: Some(hour_every), ..Default::default() }));
        progress::line(&format!(
            "Demo: a simulated network in which an hour passes every {} s; allium serve shows the real one",
            args.hour_every
        ));
        let info = SiteInfo { version: env!("CARGO_PKG_VERSION").to_owned(), demo: true, ..SiteInfo::default() };
        let clock = accelerated(options.end.next().start(), hour_every);
        let outcome = serve(config, Service { info, clock, fetching: true, asker }).await;
        simulation.abort();
        outcome
    });
    runtime.shutdown_timeout(super::serve::SHUTDOWN_GRACE);
    outcome
}

/// A clock that shows `start` at first and in which an hour takes `hour_every`.
fn accelerated(start: Timestamp, hour_every: Duration) -> Clock {
    let begun = Instant::now();
    Arc::new(move || {
        let hours = begun.elapsed().as_secs_f64() / hour_every.as_secs_f64();
        Timestamp::from_second(start.as_second() + (hours * 3600.0) as i64).unwrap_or(start)
    })
}
