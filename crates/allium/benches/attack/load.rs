//! An ordinary client: requests at their planned times whatever the server's pace, each judged from when it was due.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use allium_stats::SplitMix64;
use tokio::task::JoinSet;

use super::client::{COMPRESSED, Who, ask};

/// The plan of a client.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) who: Who,
    pub(crate) per_second: u32,
    pub(crate) secs: u32,
    pub(crate) seed: u64,
}

/// Answers and times that a client met.
#[derive(Debug, Default)]
pub(crate) struct Met {
    /// From when a request was due until its answer had ended, sorted.
    times: Vec<Duration>,
    /// Answers other than 200, and none at all, with their number.
    pub(crate) refused: BTreeMap<String, usize>,
    /// By how much the client itself was late with its requests, sorted: the machine is busy with something else.
    late: Vec<Duration>,
    /// From the first request until the last answer.
    took: Duration,
}

impl Met {
    /// Time within which this share of the answers came, in ms; `share` in per cent.
    pub(crate) fn ms(&self, share: usize) -> f64 {
        ms_of(&self.times, share)
    }

    /// Number of requests that were not answered with 200.
    pub(crate) fn n_refused(&self) -> usize {
        self.refused.values().sum()
    }

    /// Answers, their pace and their times, in words.
    pub(crate) fn words(&self) -> String {
        let n = self.times.len();
        let pace = n as f64 / self.took.as_secs_f64().max(1e-9);
        let text = format!(
            "{n} × 200, {pace:.0}/s, p50 {:.1} ms, p99 {:.1} ms (client late {:.1})",
            self.ms(50),
            self.ms(99),
            ms_of(&self.late, 99)
        );
        self.refused.iter().fold(text, |text, (what, n)| format!("{text}, {n} × {what}"))
    }
}

/// Time in ms within which this share of sorted times lies; without any, infinite.
fn ms_of(times: &[Duration], share: usize) -> f64 {
    let at = (times.len() * share / 100).min(times.len().saturating_sub(1));
    times.get(at).map_or(f64::INFINITY, |time| time.as_secs_f64() * 1e3)
}

/// Carries a plan out on a thread of its own; each request is for one of the paths, drawn by the seed.
pub(crate) fn start(to: SocketAddr, paths: Vec<Vec<String>>, plan: Plan) -> JoinHandle<anyhow::Result<Met>> {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(runtime.block_on(run(to, &paths, &plan)))
    })
}

/// The outcome of a plan.
pub(crate) fn joined(client: JoinHandle<anyhow::Result<Met>>) -> anyhow::Result<Met> {
    client.join().map_err(|_| anyhow::anyhow!("a client ended early"))?
}

async fn run(to: SocketAddr, paths: &[Vec<String>], plan: &Plan) -> Met {
    let (begun, mut chance, mut running) = (Instant::now(), SplitMix64::new(plan.seed), JoinSet::new());
    let requests: Vec<Vec<Arc<str>>> =
        paths.iter().map(|kind| kind.iter().map(|path| plan.who.get(path, COMPRESSED).into()).collect()).collect();
    let mut met = Met::default();
    for n in 0..plan.per_second * plan.secs {
        let kind = &requests[chance.bits() as usize % requests.len()];
        let request = Arc::clone(&kind[chance.bits() as usize % kind.len()]);
        let (due, from) = (begun + Duration::from_secs(1) * n / plan.per_second, plan.who.from);
        tokio::time::sleep_until(due.into()).await;
        met.late.push(due.elapsed());
        running.spawn(async move {
            let answer = ask(from, to, &request).await;
            (due.elapsed(), answer.map(|answer| answer.status))
        });
    }
    while let Some(ended) = running.join_next().await {
        match ended {
            Ok((time, Ok(200))) => met.times.push(time),
            Ok((_, Ok(status))) => *met.refused.entry(status.to_string()).or_default() += 1,
            Ok((_, Err(error))) => *met.refused.entry(format!("{error:#}")).or_default() += 1,
            Err(error) => *met.refused.entry(error.to_string()).or_default() += 1,
        }
    }
    met.took = begun.elapsed();
    met.times.sort();
    met.late.sort();
    met
}
