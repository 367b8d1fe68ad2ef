//! The budget table: what the design allows, and what this machine measures on the real documents.
//!
//! Every row is measured in a process of its own, so that its CPU time and peak memory are its alone. Nothing is asserted:
//! machines differ. Run it with `make bench`; where the real documents are missing a simulated network of the same size is measured.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use allium::intake::Intake;
use allium_analysis::NetworkReport;
use allium_history::{History as _, SqliteHistory, Update, assemble};
use allium_model::Timestamp;
use allium_sources::onionoo::decode_file;
use allium_sources::read::Limits;
use allium_views::View;
use anyhow::{Context as _, bail};

const PROGRAM: &str = env!("CARGO_BIN_EXE_allium");
const RUNS: usize = 3;
const REQUESTS: usize = 300;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    if let Some(place) = args.iter().position(|arg| arg == "--row") {
        let [row, documents, store] = &args[place + 1..place + 4] else { bail!("--row takes a row, documents and a store") };
        return measured_row(row, Path::new(documents), Path::new(store));
    }
    let scratch = tempfile::tempdir()?;
    let documents = documents(scratch.path())?;
    let store = scratch.path().join("allium.db");
    let mut out = std::io::stdout().lock();
    writeln!(out, "{:<52} {:>26} {:>34}", "work", "budget", "measured (median of 3)")?;
    for (row, work, budget) in [
        ("memory", "documents → every figure, in memory", "2 s CPU, 600 MB peak"),
        ("store", "the same, with writing the store", "4 s CPU"),
        ("load", "store → every figure (start of serve)", "–"),
    ] {
        writeln!(out, "{work:<52} {budget:>26} {:>34}", median_run(row, &documents, &store)?)?;
    }
    writeln!(out, "{:<52} {:>26} {:>31.1} MB", "size of the store", "–", store.metadata()?.len() as f64 / 1e6)?;
    if let Some(line) = presence(scratch.path())? {
        writeln!(out, "{line}")?;
    }
    for line in requests(&store)? {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// The real documents where they are, else simulated ones of the same size.
fn documents(scratch: &Path) -> anyhow::Result<PathBuf> {
    let real = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/onionoo-2026-02-15");
    let mut out = std::io::stdout().lock();
    if real.is_dir() {
        writeln!(out, "real documents of 2026-02-15, 10,703 relays")?;
        return Ok(real);
    }
    writeln!(out, "skipped: no real data; simulated documents of 9,700 running relays instead")?;
    let simulated = scratch.join("documents");
    let status = Command::new(PROGRAM).args(["simulate", "--relays", "9700", "--days", "730", "--out"]).arg(&simulated).status()?;
    if !status.success() {
        bail!("the simulation failed");
    }
    std::fs::remove_file(simulated.join("bandwidth.json"))?;
    std::fs::remove_file(simulated.join("weights.json"))?;
    Ok(simulated)
}

/// Runs a row in processes of its own and gives the median CPU time and the largest peak.
fn median_run(row: &str, documents: &Path, store: &Path) -> anyhow::Result<String> {
    let mut figures = Vec::new();
    for _ in 0..RUNS {
        let output = Command::new(std::env::current_exe()?).arg("--row").arg(row).arg(documents).arg(store).output()?;
        if !output.status.success() {
            bail!("row {row} failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        let text = String::from_utf8(output.stdout)?;
        let numbers: Vec<f64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let [cpu_secs, peak_mb] = numbers[..] else { bail!("row {row} printed {text:?}") };
        figures.push((cpu_secs, peak_mb));
    }
    figures.sort_by(|a, b| a.0.total_cmp(&b.0));
    let peak_mb = figures.iter().map(|figure| figure.1).fold(0.0, f64::max);
    Ok(format!("{:.2} s CPU, {peak_mb:.0} MB peak", figures[RUNS / 2].0))
}

/// Does the work of a row, then prints CPU seconds and peak megabytes of this process.
fn measured_row(row: &str, documents: &Path, store: &Path) -> anyhow::Result<()> {
    let view = match row {
        "memory" => {
            let record = assemble(&update(documents)?).context("no details document")?;
            let report = NetworkReport::compute(&record);
            View::new(record, report)
        }
        "store" => {
            for leftover in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{leftover}", store.display()));
            }
            let mut history = SqliteHistory::open(store)?;
            history.apply(&update(documents)?)?;
            stored_view(&history)?
        }
        _ => stored_view(&SqliteHistory::open(store)?)?,
    };
    let (cpu_secs, peak_mb) = (cpu_secs()?, peak_mb()?);
    drop(view);
    writeln!(std::io::stdout(), "{cpu_secs} {peak_mb}")?;
    Ok(())
}

fn update(documents: &Path) -> anyhow::Result<Update> {
    let mut intake = Intake::default();
    let mut files: Vec<PathBuf> = std::fs::read_dir(documents)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.sort();
    for file in files {
        intake.add(decode_file(&file, &Limits::default())?, Timestamp::UNIX_EPOCH);
    }
    Ok(intake.into_update())
}

fn stored_view(history: &SqliteHistory) -> anyhow::Result<View> {
    let record = history.load()?.context("the store is empty")?;
    let report = NetworkReport::compute(&record);
    Ok(View::new(record, report))
}

/// Imports the real pack of hourly lists where it is.
fn presence(scratch: &Path) -> anyhow::Result<Option<String>> {
    let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/presence");
    if !pack.is_dir() {
        return Ok(None);
    }
    let store = scratch.join("presence.db");
    let file = |name: &str| pack.join(name);
    let start = Instant::now();
    let output = Command::new(PROGRAM)
        .args(["import", "presence", "--snapshots"])
        .arg(file("snapshots.csv.zst"))
        .arg("--spans")
        .arg(file("presence.parquet"))
        .arg("--relays")
        .arg(file("relays.csv.zst"))
        .arg("--store")
        .arg(&store)
        .output()?;
    if !output.status.success() {
        bail!("import presence failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let measured = format!("{:.1} s, {:.1} MB", start.elapsed().as_secs_f64(), store.metadata()?.len() as f64 / 1e6);
    Ok(Some(format!("{:<52} {:>26} {measured:>34}", "23 months of hourly lists → store", "30 s, 60 MB")))
}

/// User and system time of this process in seconds; Linux counts in hundredths.
fn cpu_secs() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks: f64 = [11, 12].iter().filter_map(|i| fields.get(*i)?.parse::<f64>().ok()).sum();
    Ok(ticks / 100.0)
}

fn peak_mb() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).context("no VmHWM in /proc/self/status")?;
    Ok(line.split_whitespace().nth(1).context("no number after VmHWM")?.parse::<f64>()? * 1024.0 / 1e6)
}

/// Asks a running server for pages, one after the other, on loopback.
fn requests(store: &Path) -> anyhow::Result<Vec<String>> {
    let (mut server, address) = start_server(store)?;
    let relays = get(address, "/api/v1/relays?limit=5")?;
    let fingerprint = relays.split('"').find(|text| text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit()));
    let relay = format!("/relay/{}", fingerprint.context("no fingerprint in the API's answer")?);
    let paths =
        [("home", "/"), ("relay list", "/relays"), ("relay list, searched", "/relays?q=de&sort=uptime_1_month"), ("relay page", &relay)];
    let lines = paths.iter().map(|(name, path)| {
        let mut times = Vec::new();
        for _ in 0..REQUESTS {
            let start = Instant::now();
            get(address, path)?;
            times.push(start.elapsed());
        }
        times.sort();
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let measured = format!("{:.1} ms median, {:.1} ms p99", ms(times[REQUESTS / 2]), ms(times[REQUESTS * 99 / 100]));
        Ok(format!("{:<52} {:>26} {measured:>34}", format!("{name}, from the running server"), "p99 25 ms"))
    });
    let lines = lines.collect();
    server.kill()?;
    server.wait()?;
    lines
}

/// The program's server with data on a port of its own.
fn start_server(store: &Path) -> anyhow::Result<(Child, SocketAddr)> {
    let mut server = Command::new(PROGRAM)
        .args(["serve", "--offline", "--listen", "127.0.0.1:0", "--log", "warn", "--store"])
        .arg(store)
        .stderr(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(server.stderr.take().context("no standard error")?).read_line(&mut line)?;
    let address = line.trim().strip_prefix("Pages at http://").and_then(|rest| rest.trim_end_matches('/').parse().ok());
    let address = address.with_context(|| format!("the server said {line:?}"))?;
    for _ in 0..200 {
        if get(address, "/healthz").is_ok() {
            return Ok((server, address));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    server.kill()?;
    bail!("the server shows no data")
}

/// The body of a page; an error unless the answer is 200.
fn get(address: SocketAddr, path: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    if !answer.starts_with("HTTP/1.1 200") {
        bail!("{path}: {}", answer.lines().next().unwrap_or_default());
    }
    Ok(answer.into_owned())
}
