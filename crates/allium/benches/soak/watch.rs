//! What is seen of faults, and how much memory the service has.

use std::io::Write as _;
use std::time::{Duration, Instant};

use allium_stats::SplitMix64;

use crate::HOUR;
use crate::common::server::Server;
use crate::source::{Fault, Mood};

/// Chance that a source begins to misbehave in an hour.
const CHANCE: f64 = 0.5;
/// Hours that a fault lasts: from the first, for as many more at most as the second.
const LASTS: (u32, u64) = (3, 3);
/// Time after a fault within which nothing must be left of it.
const GONE_WITHIN: Duration = Duration::from_secs(3 * HOUR.as_secs());
/// Factor by which the median of memory may grow from the second third to the last.
const FLAT: f64 = 1.1;
/// Most memory of the service at any time: 512 MiB.
const MEMORY_MB: f64 = 536.9;

/// A source that misbehaves now and then.
pub(crate) struct Fragile {
    name: &'static str,
    faults: &'static [Fault],
    chance: SplitMix64,
    pub(crate) mood: Mood,
    at_work: Option<AtWork>,
    /// Since when it behaves, while traces of the last fault are left.
    ended: Option<(Fault, Instant)>,
    n_faults: usize,
    wrong: Vec<String>,
}

/// A fault, and what is seen of it.
struct AtWork {
    fault: Fault,
    hours_left: u32,
    in_metrics: bool,
    on_page: bool,
}

impl Fragile {
    pub(crate) fn new(name: &'static str, faults: &'static [Fault], chance: SplitMix64) -> Self {
        Self { name, faults, chance, mood: Mood::default(), at_work: None, ended: None, n_faults: 0, wrong: Vec::new() }
    }

    /// Begins or ends a fault; near the end of all hours every fault ends.
    pub(crate) fn hour_begins(&mut self, is_near_end: bool) {
        match &mut self.at_work {
            Some(at_work) if at_work.hours_left > 1 && !is_near_end => at_work.hours_left -= 1,
            Some(_) => self.end(),
            None if !is_near_end && self.ended.is_none() && self.chance.unit() < CHANCE => self.begin(),
            None => {}
        }
    }

    fn begin(&mut self) {
        let fault = self.faults[self.chance.bits() as usize % self.faults.len()];
        let hours_left = LASTS.0 + (self.chance.bits() % LASTS.1) as u32;
        self.mood.set(Some(fault));
        self.n_faults += 1;
        self.at_work = Some(AtWork { fault, hours_left, in_metrics: false, on_page: false });
    }

    fn end(&mut self) {
        let Some(AtWork { fault, in_metrics, on_page, .. }) = self.at_work.take() else { return };
        self.mood.set(None);
        self.ended = Some((fault, Instant::now()));
        if !(in_metrics && on_page) {
            self.wrong.push(format!("{}: {fault} was seen in metrics: {in_metrics}, on /data-quality: {on_page}", self.name));
        }
    }

    /// Looks at what the service says of the source.
    pub(crate) fn look(&mut self, server: &Server) -> anyhow::Result<()> {
        let (in_metrics, on_page) = (self.is_seen_in_metrics(server)?, self.is_seen_on_page(server)?);
        if let Some(at_work) = &mut self.at_work {
            at_work.in_metrics |= in_metrics;
            at_work.on_page |= on_page;
        }
        match self.ended {
            Some(_) if !in_metrics && !on_page => self.ended = None,
            Some((fault, since)) if since.elapsed() > GONE_WITHIN => {
                self.wrong.push(format!("{}: {fault} is seen {} s after it ended", self.name, since.elapsed().as_secs()));
                self.ended = None;
            }
            _ => {}
        }
        Ok(())
    }

    fn is_seen_in_metrics(&self, server: &Server) -> anyhow::Result<bool> {
        let failing = format!("allium_source_failing{{source=\"{}\"}} 1", self.name);
        Ok(server.page("/metrics")?.lines().any(|line| line.starts_with(&failing)))
    }

    fn is_seen_on_page(&self, server: &Server) -> anyhow::Result<bool> {
        let answer = server.page("/api/v1/data-quality")?;
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let quality: serde_json::Value = serde_json::from_str(body)?;
        let asked = quality["asked"].as_array().map_or(&[][..], Vec::as_slice);
        Ok(asked.iter().any(|asked| asked["source"] == self.name && !asked["failure"].is_null()))
    }

    fn words(&self) -> String {
        match &self.at_work {
            Some(at_work) => format!("{}: {} (metrics {}, page {})", self.name, at_work.fault, at_work.in_metrics, at_work.on_page),
            None => format!("{}: well", self.name),
        }
    }
}

/// Memory by the hour.
#[derive(Default)]
pub(crate) struct Report {
    memory_mb: Vec<f64>,
}

impl Report {
    /// Prints an hour that has passed.
    pub(crate) fn hour(&mut self, hour: u32, server: &Server, sources: &[Fragile]) -> anyhow::Result<()> {
        let memory_mb = server.resident_mb()?;
        self.memory_mb.push(memory_mb);
        let sources: Vec<String> = sources.iter().map(Fragile::words).collect();
        let mut out = std::io::stdout().lock();
        writeln!(out, "hour {hour:>2}  {memory_mb:>6.0} MB  as of {}  {}", as_of(server)?, sources.join("; "))?;
        Ok(out.flush()?)
    }

    /// Prints what was wrong; true if nothing was.
    pub(crate) fn end(&self, server: &Server, sources: &[Fragile], unserved: &[String]) -> anyhow::Result<bool> {
        let mut wrong: Vec<String> = sources.iter().flat_map(|source| source.wrong.clone()).collect();
        let third = self.memory_mb.len() / 3;
        let (middle, last) = (middle_of(&self.memory_mb[third..2 * third]), middle_of(&self.memory_mb[2 * third..]));
        let most = self.memory_mb.iter().copied().fold(0.0, f64::max);
        if last > middle * FLAT {
            wrong.push(format!("memory grows: {middle:.0} MB in the second third, {last:.0} MB in the last"));
        }
        if most > MEMORY_MB {
            wrong.push(format!("memory is over 512 MiB: {most:.0} MB"));
        }
        wrong.extend(server.said().iter().filter(|line| line.contains("ERROR")).map(|line| format!("in the log: {line}")));
        wrong.extend(unserved.iter().map(|reader| format!("a reader: {reader}")));
        let n_faults: usize = sources.iter().map(|source| source.n_faults).sum();
        if n_faults == 0 {
            wrong.push("no fault was drawn: take more HOURS or another SEED".to_owned());
        }
        let mut out = std::io::stdout().lock();
        writeln!(
            out,
            "{n_faults} faults of sources; memory: {middle:.0} MB in the second third, {last:.0} MB in the last, most {most:.0} MB"
        )?;
        wrong.iter().try_for_each(|wrong| writeln!(out, "FAULT {wrong}"))?;
        Ok(wrong.is_empty())
    }
}

/// The median; 0 of nothing, where the run is too short for thirds.
fn middle_of(memory_mb: &[f64]) -> f64 {
    let mut sorted = memory_mb.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

/// The newest consensus that pages show.
fn as_of(server: &Server) -> anyhow::Result<String> {
    let answer = server.page("/api/v1/network")?;
    Ok(answer.split("\"as_of\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("nothing").to_owned())
}
