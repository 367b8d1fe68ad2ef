//! `allium simulate`: a synthetic network as files or as a server.

use std::path::Path;
use std::sync::RwLock;
use std::time::Duration;

use allium_model::ConsensusHour;
use allium_simulate::serve::{Handle, ServeOptions, serve};
use allium_simulate::{Network, Options, Scenario, consensus, onionoo, presence, truth};
use anyhow::Context as _;
use tokio::net::TcpListener;

use crate::cli::{NetworkArgs, SimulateArgs, Simulated};
use crate::progress;
use crate::signals::stop_asked;

/// The newest consensus of a network that is not asked to be of another time: equal arguments give equal bytes.
const DEFAULT_END: ConsensusHour = ConsensusHour::new(490_896);

/// Writes what is asked for, then serves it if asked to.
pub(crate) fn run(args: &SimulateArgs) -> anyhow::Result<()> {
    let options = Options { scenario: scenario(args)?, ..options(&args.network, DEFAULT_END) };
    progress::line(&format!("simulating {} relays over {} days", options.n_relays, options.history_days));
    let network = Network::generate(&options);
    warn_of_idle_events(&network, &options, args.listen.is_some());
    if let Some(dir) = &args.out {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        write(&network, args, dir).with_context(|| format!("cannot write into {}", dir.display()))?;
    }
    let Some(address) = args.listen else { return Ok(()) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
        let address = listener.local_addr()?;
        progress::line(&format!("Onionoo documents at http://{address}/"));
        progress::line(&format!("the directory protocol at http://{address}/tor/, CollecTor's recent files at http://{address}/index/"));
        progress::line(&format!("a pack of hourly lists at http://{address}/presence/, the truth at http://{address}/truth.jsonl"));
        for authority in consensus::authorities(&network) {
            progress::line(&format!("authority {} {}", authority.nickname, authority.identity));
        }
        let options = ServeOptions { hour_every: args.hour_every.map(Duration::from_secs), ..ServeOptions::default() };
        tokio::select! {
            served = serve(Handle::new(RwLock::new(network)), listener, options) => Ok(served?),
            () = stop_asked()? => Ok(()),
        }
    })
}

/// Options of the network that the arguments ask for.
pub(crate) fn options(args: &NetworkArgs, end: ConsensusHour) -> Options {
    Options { n_relays: args.relays as usize, history_days: args.days, ..Options::new(args.seed, args.end.unwrap_or(end)) }
}

/// The events of the file, then those of the command line.
fn scenario(args: &SimulateArgs) -> anyhow::Result<Scenario> {
    let mut scenario = Scenario::default();
    if let Some(path) = &args.events {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        scenario = text.parse().with_context(|| format!("cannot read the events in {}", path.display()))?;
    }
    scenario.events.extend(args.event.iter().cloned());
    Ok(scenario)
}

fn warn_of_idle_events(network: &Network, options: &Options, goes_on: bool) {
    let truths: Vec<truth::Truth> = network.truth();
    for event in &options.scenario.events {
        let text = event.to_string();
        match truths.iter().find(|truth| truth.event == text) {
            Some(truth) if truth.concerns_relays() && truth.n == 0 => {
                progress::line(&format!("warning: no relay matches: {text}"));
            }
            None if !goes_on || event.start < network.now() => progress::line(&format!("warning: outside the simulated history: {text}")),
            _ => {}
        }
    }
}

fn write(network: &Network, args: &SimulateArgs, dir: &Path) -> anyhow::Result<()> {
    let asked = |what| args.write.contains(&what);
    if asked(Simulated::Onionoo) {
        onionoo::write_dir(network, dir)?;
        progress::line(&format!("Onionoo documents as of {} in {}", network.newest().unwrap_or(network.now()), dir.display()));
    }
    if asked(Simulated::Consensuses) {
        let n = consensus::write_dir(network, dir, args.consensus_hours)?;
        progress::line(&format!("{n} consensuses of both flavours up to {} in {}", network.now(), dir.display()));
    }
    if asked(Simulated::Presence) {
        let dir = dir.join("presence");
        presence::write_presence(network, &dir)?;
        progress::line(&format!("hourly lists from {} to {} in {}", network.first_consensus(), network.now(), dir.display()));
    }
    truth::write_file(network, &dir.join("truth.jsonl"))?;
    Ok(())
}
