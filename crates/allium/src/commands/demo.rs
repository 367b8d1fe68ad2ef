//! `allium demo`: a synthetic network behind the very same pages, with no network needed.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use allium_history::StoreUrl;
use allium_model::{Bounds, ConsensusHour, Timestamp};
use allium_service::workers::proofs::{Asker, Oracle};
use allium_service::workers::sources::Stored;
use allium_service::{Clock, SiteInfo};
use allium_simulate::serve::{Handle, ServeOptions, serve as serve_network};
use allium_simulate::{DomainAnswer, Network, Options, Scenario, presence};
use allium_sources::presence::{Files, decode_files};
use allium_sources::proof::plan::Question;
use allium_sources::proof::{Finding, judge_file};
use allium_sources::read::Limits;
use allium_words::format::counted;
use tokio::net::TcpListener;

use super::import_presence;
use super::serve::{Service, serve};
use super::simulate::options;
use crate::cli::DemoArgs;
use crate::config::Config;
use crate::progress;
use crate::setup;

/// Visits to the simulated service per simulated hour.
const VISITS_PER_HOUR: u64 = 4;

/// Simulates a network in accelerated time, and serves its pages until a signal ends it. Nothing is kept. Its past is known from
/// hourly lists, as if the service had run all the time, and has faults in it; some are to come.
pub(crate) fn run(config: &Config, args: &DemoArgs) -> anyhow::Result<()> {
    let start = Timestamp::now();
    let newest = ConsensusHour::containing(start).plus(-1);
    let options = options(&args.network, newest);
    let options = Options { scenario: faults(&options)?, ..options };
    let days = counted(options.history_days as usize, "day");
    progress::line(&format!("Simulating {} over {days}", counted(options.n_relays, "relay")));
    let network = Network::generate(&options);
    let scratch = tempfile::tempdir()?;
    let store = scratch.path().join("demo.db");
    remember(&network, scratch.path(), &store, options.end.next().start())?;
    let network = Handle::new(RwLock::new(network));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let outcome = runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let mut config = config.clone();
        config.store = store.into();
        config.sources = vec!["onionoo".to_owned()];
        config.onionoo.cache = None;
        config.onionoo.proxy.clear();
        config.onionoo.url = format!("http://{}", listener.local_addr()?);
        config.onionoo.documents = ["details", "uptime", "bandwidth", "weights"].map(str::to_owned).to_vec();
        config.onionoo.poll_secs = (args.hour_every / VISITS_PER_HOUR).max(1);
        let hour_every = Duration::from_secs(args.hour_every);
        let asker = Some(Asker::Oracle(oracle(network.clone())));
        let simulation =
            tokio::spawn(serve_network(network, listener, ServeOptions { hour_every: Some(hour_every), ..Default::default() }));
        progress::line(&format!(
            "Demo: a simulated network with {days} of hourly history, in which an hour passes every {} s; allium serve shows the real one",
            args.hour_every
        ));
        let info = SiteInfo { version: env!("CARGO_PKG_VERSION").to_owned(), demo: true, ..SiteInfo::default() };
        let clock = accelerated(options.end.next().start(), hour_every);
        // Pages come with documents from the first on.
        let mut store = config.store.open()?;
        for fetcher in setup::sources(&config, &clock)? {
            fetcher.visit(&Stored::of(&*store)?).await.store(&mut *store)?;
        }
        drop(store);
        let outcome = serve(config, Service { info, clock, fetching: true, asker }).await;
        simulation.abort();
        outcome
    });
    runtime.shutdown_timeout(super::serve::SHUTDOWN_GRACE);
    outcome
}

/// Answers of the domains that the operators of a simulated network claim.
fn oracle(network: Handle) -> Oracle {
    Arc::new(move |question: &Question| {
        let answer = network.read().unwrap_or_else(PoisonError::into_inner).ask_domain(question.domain.as_str());
        let broken = |reason: &str| vec![Finding::Broken(reason.to_owned()); question.relays.len()];
        match answer {
            DomainAnswer::File(text) => judge_file(text.as_bytes(), &question.relays),
            DomainAnswer::ExpiredCertificate => broken("its certificate has expired"),
            DomainAnswer::NoSuchDomain => broken("its name has no address"),
        }
    })
}

/// Faults in the network of the demo: days ago, at the newest consensus, and within the first hours to come.
fn faults(options: &Options) -> anyhow::Result<Scenario> {
    let at = |hours: i32| options.end.plus(hours);
    let n_flood = (options.n_relays / 8).max(40);
    Ok([
        format!("outage country rank 5 at {} for 7h recovery 3h", at(-61 * 24)),
        format!("flood {n_flood} at {} for 20h onset 6h recovery 3h", at(-33 * 24)),
        format!("flap as rank 5 at {} for 12h every 4h", at(-17 * 24)),
        format!("missing at {} for 2h", at(-9 * 24)),
        format!("outage as rank 2 at {} for 9h recovery 4h", at(-4 * 24)),
        format!("outage operator rank 3 at {} for 26h recovery 2h", at(-5)),
        format!("outage as rank 3 at {} for 8h recovery 2h", at(4)),
        format!("outage country rank 3 at {} for 5h recovery 3h", at(30)),
    ]
    .join("\n")
    .parse()?)
}

/// Stores hourly lists of all that the network went through.
fn remember(network: &Network, scratch: &Path, store: &Path, at: Timestamp) -> anyhow::Result<()> {
    let dir = scratch.join("presence");
    presence::write_presence(network, &dir)?;
    let [snapshots, spans, relays] = presence::FILES.map(|name| dir.join(name));
    let pack = decode_files(&Files { snapshots: &snapshots, spans: &spans, relays: &relays }, &Limits::default(), Bounds::default())?;
    import_presence::take(&mut *StoreUrl::from(store).open()?, &pack, at)?;
    Ok(())
}

/// A clock that shows `start` at first and in which an hour takes `hour_every`.
fn accelerated(start: Timestamp, hour_every: Duration) -> Clock {
    let begun = Instant::now();
    Arc::new(move || {
        let hours = begun.elapsed().as_secs_f64() / hour_every.as_secs_f64();
        Timestamp::from_second(start.as_second() + (hours * 3600.0) as i64).unwrap_or(start)
    })
}
