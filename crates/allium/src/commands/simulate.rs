//! `allium simulate`: a synthetic network as files or as a server.

use std::sync::RwLock;
use std::time::Duration;

use allium_model::ConsensusHour;
use allium_simulate::serve::{Handle, ServeOptions, serve};
use allium_simulate::{Network, Options, onionoo};
use anyhow::Context as _;
use tokio::net::TcpListener;

use crate::cli::{NetworkArgs, SimulateArgs};
use crate::progress;
use crate::signals::stop_asked;

/// The newest consensus of a network that is not asked to be of another time: equal arguments give equal bytes.
const DEFAULT_END: ConsensusHour = ConsensusHour::new(490_896);

/// Writes the documents, then serves them if asked to.
pub(crate) fn run(args: &SimulateArgs) -> anyhow::Result<()> {
    let options = options(&args.network, DEFAULT_END);
    progress::line(&format!("simulating {} relays over {} days", options.n_relays, options.history_days));
    let network = Network::generate(&options);
    if let Some(dir) = &args.out {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        onionoo::write_dir(&network, dir).with_context(|| format!("cannot write into {}", dir.display()))?;
        progress::line(&format!("Onionoo documents as of {} in {}", network.now(), dir.display()));
    }
    let Some(address) = args.listen else { return Ok(()) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
        progress::line(&format!("Onionoo documents at http://{}/", listener.local_addr()?));
        let options = ServeOptions { hour_every: args.hour_every.map(Duration::from_secs), ..ServeOptions::default() };
        tokio::select! {
            served = serve(Handle::new(RwLock::new(network)), listener, options) => Ok(served?),
            () = stop_asked()? => Ok(()),
        }
    })
}

/// What the arguments ask for.
pub(crate) fn options(args: &NetworkArgs, end: ConsensusHour) -> Options {
    Options { n_relays: args.relays as usize, history_days: args.days, ..Options::new(args.seed, args.end.unwrap_or(end)) }
}
