//! A day or two in minutes: a simulated network holds a consensus every 10 seconds, sources misbehave, readers read.
//!
//! Which source misbehaves, when, how and for how long is drawn from a seed. Printed for each hour: memory, faults at work, and whether
//! they are seen. The program exits with 1 if memory grows, a fault is not seen while it lasts or does not go away after it, a line of
//! the log says ERROR, or nothing arrives any more. `HOURS=6 make soak` is a shorter one, `SEED=2` another.
//!
//! The network's time ends at the clock's, so that no document lies ahead: it begins as many hours ago as are to pass.

#[path = "../common/mod.rs"]
mod common;
mod readers;
mod source;
mod watch;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::RwLock;
use std::time::{Duration, Instant};

use allium_model::{ConsensusHour, Timestamp};
use allium_simulate::serve::{Handle, ServeOptions, serve};
use allium_simulate::{Network, Options, consensus};
use allium_stats::SplitMix64;
use anyhow::Context as _;
use common::server::Start;
use source::{Fault, Mood, stand};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use watch::{Fragile, Report};

/// Wall time of an hour.
const HOUR: Duration = Duration::from_secs(10);
/// Hours without a fault at the end: nothing must be left of those before.
const ENDING: u32 = 5;

fn main() -> anyhow::Result<ExitCode> {
    let number = |name: &str, default: u64| std::env::var(name).ok().map_or(Ok(default), |text| text.parse()).context(name.to_owned());
    let (n_hours, seed) = (number("HOURS", 48)? as u32, number("SEED", 14)?);
    let (scratch, runtime) = (tempfile::tempdir()?, tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?);
    let end = ConsensusHour::containing(Timestamp::now()).plus(-(n_hours as i32) - 1);
    let network = Network::generate(&Options { n_relays: 300, history_days: 30, ..Options::new(seed, end) });
    let authorities: Vec<String> =
        consensus::authorities(&network).iter().map(|authority| format!("{} {}", authority.nickname, authority.identity)).collect();
    let real = start_network(&runtime, network)?;
    let mut sources = [
        Fragile::new("onionoo", &Fault::OF_DOCUMENTS, SplitMix64::keyed(&[seed, 1])),
        Fragile::new("directory", &Fault::OF_CONSENSUSES, SplitMix64::keyed(&[seed, 2])),
    ];
    let [onionoo, directory] = [&sources[0].mood, &sources[1].mood].map(|mood| start_stranger(&runtime, real, mood.clone()));
    let config = configuration(scratch.path(), onionoo?, directory?, &authorities)?;
    let server = Start::configured(&config).run()?;
    server.wait_for("/api/v1/incidents.jsonl", Duration::from_secs(60))?;
    let readers = readers::start(server.address, seed);
    writeln!(std::io::stdout(), "{n_hours} hours of {} s, seed {seed}", HOUR.as_secs())?;
    let mut report = Report::default();
    for hour in 0..n_hours {
        let begun = Instant::now();
        sources.iter_mut().for_each(|source| source.hour_begins(hour + ENDING >= n_hours));
        while begun.elapsed() < HOUR {
            sources.iter_mut().try_for_each(|source| source.look(&server))?;
            std::thread::sleep(Duration::from_millis(500));
        }
        report.hour(hour, &server, &sources)?;
    }
    let held = report.end(&server, &sources, &readers.stop())?;
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Serves a network that lives on.
fn start_network(runtime: &Runtime, network: Network) -> anyhow::Result<SocketAddr> {
    let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0)))?;
    let address = listener.local_addr()?;
    runtime.spawn(serve(Handle::new(RwLock::new(network)), listener, ServeOptions { hour_every: Some(HOUR), ..ServeOptions::default() }));
    Ok(address)
}

fn start_stranger(runtime: &Runtime, source: SocketAddr, mood: Mood) -> anyhow::Result<SocketAddr> {
    let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0)))?;
    let address = listener.local_addr()?;
    runtime.spawn(stand(listener, source, mood));
    Ok(address)
}

/// Writes the settings of the service: two sources that are asked every two seconds, with little patience.
fn configuration(dir: &Path, onionoo: SocketAddr, directory: SocketAddr, authorities: &[String]) -> anyhow::Result<PathBuf> {
    let text = format!(
        "store = {:?}\nlisten = '127.0.0.1:0'\nsources = ['onionoo', 'directory']\n\
         [onionoo]\nurl = 'http://{onionoo}'\npoll_secs = 2\ntimeout_secs = 3\nretries = 0\n\
         [directory]\nurls = ['http://{directory}']\nauthorities = {authorities:?}\npoll_secs = 2\ntimeout_secs = 3\n\
         [proofs]\nenabled = false\n",
        dir.join("soak.db")
    );
    let path = dir.join("allium.toml");
    std::fs::write(&path, text)?;
    Ok(path)
}
