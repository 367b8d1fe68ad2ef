//! Processes and what they take.

use std::fmt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// The program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_allium");
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Resources that a process took.
pub(crate) struct Taken {
    wall: Duration,
    peak_mb: f64,
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} s wall, {:.0} MB peak", self.wall.as_secs_f64(), self.peak_mb)
    }
}

/// Runs a program to its end, without what it prints; its peak memory is as last seen, every 10 ms.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<Taken> {
    let (begun, mut peak_mb) = (Instant::now(), 0.0f64);
    let mut child = command.env_remove("ALLIUM_CONFIG").stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        peak_mb = peak_mb.max(peak_mb_of(&child.id().to_string()).unwrap_or(0.0));
        std::thread::sleep(LOOK_EVERY);
    };
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(Taken { wall: begun.elapsed(), peak_mb })
}

/// Runs a program to its end and gives what it prints.
pub(crate) fn finish(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output()?;
    if !output.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// User and system time of a process (`self` or its number) in seconds; Linux counts in hundredths.
pub(crate) fn cpu_secs_of(process: &str) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks: f64 = [11, 12].iter().filter_map(|i| fields.get(*i)?.parse::<f64>().ok()).sum();
    Ok(ticks / 100.0)
}

/// The most memory that a process (`self` or its number) has had.
pub(crate) fn peak_mb_of(process: &str) -> anyhow::Result<f64> {
    memory_mb_of(process, "VmHWM:")
}

/// The memory that a process (`self` or its number) has.
pub(crate) fn resident_mb_of(process: &str) -> anyhow::Result<f64> {
    memory_mb_of(process, "VmRSS:")
}

fn memory_mb_of(process: &str, name: &str) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find(|line| line.starts_with(name)).with_context(|| format!("no {name} in the status of a process"))?;
    Ok(line.split_whitespace().nth(1).with_context(|| format!("no number after {name}"))?.parse::<f64>()? * 1024.0 / 1e6)
}

/// Files and sockets that this process may have open; Linux says so in its limits.
pub(crate) fn descriptors() -> anyhow::Result<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).context("no limit of open files")?;
    let soft = line.split_whitespace().next().context("no number of open files")?;
    Ok(if soft == "unlimited" { usize::MAX } else { soft.parse()? })
}
