//! The table of attacks: what strangers can do to a running service, each with its limit and what came of it.
//!
//! Everything happens on the loopback interface, is bounded in number and time, and is drawn from one seed. The program serves the real
//! documents and hourly lists where they are, else simulated ones of the same size, and a small simulated network for what needs no size.
//! Run it with `make attack`; it exits with 1 unless every attack is held. `make attack ROWS=idle,worst` runs only rows so named.

mod attackers;
mod client;
#[path = "../common/mod.rs"]
mod common;
mod connections;
mod life;
mod load;
mod misuse;
mod pages;
mod pressure;
mod price;
mod requests;
mod table;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use common::process::descriptors;
use common::server::{Server, Start};
use common::store::{large, small};
use pressure::Origin;
use table::{Row, Table};
use tokio::runtime::{Handle, Runtime};

/// Seed of everything that is drawn.
const SEED: u64 = 14;
/// Descriptors that attackers have open at a time, and some more.
const DESCRIPTORS: usize = 4_096;
/// Time that a server's computations after a start may take.
const COMPUTING: Duration = Duration::from_secs(600);

fn main() -> anyhow::Result<ExitCode> {
    let n = descriptors()?;
    anyhow::ensure!(
        n >= DESCRIPTORS,
        "the attackers need {DESCRIPTORS} descriptors, and {n} may be open: run ulimit -n {DESCRIPTORS} first"
    );
    let (scratch, runtime) = (tempfile::tempdir()?, attackers_runtime()?);
    let stores = Stores { large: scratch.path().join("large.db"), small: scratch.path().join("small.db") };
    small(scratch.path(), &stores.small)?;
    let of = large(scratch.path(), &stores.large)?;
    writeln!(std::io::stdout(), "attacks on a server of {of}, and on one of a small simulated network; seed {SEED}")?;
    let (begun, mut table) = (Instant::now(), Table::begun()?);
    let on = runtime.handle();
    let patient = with_incidents(Start::offline(&stores.small).without_proxy())?;
    let incident = life::incident_of(&patient)?;
    let waiting = is_asked_for("waiting").then(|| connections::begin(&patient, &incident, on));
    attack_small(&stores, scratch.path(), &incident, on, &mut table)?;
    if LARGE.into_iter().any(is_asked_for) {
        attack_large(&stores, on, &mut table)?;
    }
    waiting.map_or(Ok(()), |waiting| table.add("waiting", waiting.rows(on)))?;
    let all_held = table.end()?;
    writeln!(std::io::stdout(), "took {} s", begun.elapsed().as_secs())?;
    Ok(if all_held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Attacks on a server of the real network's size.
const LARGE: [&str; 7] = ["rest", "mixed", "price", "heavy", "readers", "worst", "proxy"];

/// Stores that are served.
struct Stores {
    large: PathBuf,
    small: PathBuf,
}

/// The runtime of all attackers: one thread, so that they leave the rest of the machine to the service and the ordinary client.
fn attackers_runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()
}

/// True unless only other rows are asked for.
fn is_asked_for(name: &str) -> bool {
    std::env::var("ROWS").map_or(true, |rows| rows.is_empty() || rows.split(',').any(|row| row == name))
}

/// Adds the rows of an attack if it is asked for.
fn run(table: &mut Table, name: &str, attack: impl FnOnce() -> anyhow::Result<Vec<Row>>) -> anyhow::Result<()> {
    if is_asked_for(name) { table.add(name, attack()) } else { Ok(()) }
}

/// Attacks that need no size.
fn attack_small(stores: &Stores, scratch: &Path, incident: &str, on: &Handle, table: &mut Table) -> anyhow::Result<()> {
    run(table, "malformed", || misuse::malformed(&Start::offline(&stores.small).run()?))?;
    run(table, "exhaustion", || connections::exhaustion(&stores.small, on))?;
    run(table, "streams", || misuse::streams(&with_incidents(Start::offline(&stores.small))?, on))?;
    run(table, "tokens", || misuse::tokens(&with_incidents(Start::offline(&stores.small))?, incident))?;
    run(table, "privacy", || misuse::privacy(&Start::offline(&stores.small).log("trace").run()?, on))?;
    run(table, "kills", || life::kills(&stores.small, scratch, on))?;
    run(table, "disk", || life::disk_full(&stores.small, scratch, on))?;
    run(table, "deleted", || life::deleted(&stores.small, scratch, on))?;
    run(table, "neighbours", || life::neighbours(&stores.small, scratch))?;
    run(table, "stops", || life::stops(&stores.small, on))
}

/// A server that has read its history.
fn with_incidents(start: Start) -> anyhow::Result<Server> {
    let server = start.run()?;
    life::incident_of(&server)?;
    Ok(server)
}

/// Attacks on a server of the real network's size.
fn attack_large(stores: &Stores, on: &Handle, table: &mut Table) -> anyhow::Result<()> {
    let server = Start::offline(&stores.large).run()?;
    server.wait_for("/api/v1/forecasts?limit=1", COMPUTING)?;
    server.wait_until_idle(COMPUTING)?;
    let pages = pages::of_all_kinds(&server)?;
    let idle_mb = server.resident_mb()?;
    run(table, "rest", || {
        Ok(vec![Row::new("nobody asks: memory", "≤ 512 MiB", format!("{idle_mb:.0} MB"), idle_mb <= pressure::MEMORY_MB)])
    })?;
    run(table, "mixed", || pressure::mixed(&server, &pages, 100, 10))?;
    run(table, "mixed", || pressure::mixed(&server, &pages, 200, 10))?;
    run(table, "price", || price::without_body(&server, on))?;
    run(table, "heavy", || pressure::heavy_clients(&server, on))?;
    run(table, "readers", || pressure::readers(&server, on))?;
    run(table, "worst", || pressure::worst(&server, &pages, on, Origin::Apart, 60))?;
    run(table, "proxy", || pressure::worst(&server, &pages, on, Origin::Together, 20))
}
