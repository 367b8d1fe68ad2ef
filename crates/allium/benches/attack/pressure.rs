//! An ordinary client, alone and while others do their worst.

use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::SEED;
use super::attackers::{Attackers, heavy, idle, slow_readers};
use super::client::Who;
use super::load::{Met, Plan, joined, start};
use super::pages::{HEAVY, LARGEST};
use super::table::Row;
use crate::common::server::Server;

/// Most milliseconds for 99 % of pages, and of answers about the state of the service.
const PAGES_MS: f64 = 50.0;
const HEALTH_MS: f64 = 25.0;
/// Most memory of the service: 512 MiB.
pub(crate) const MEMORY_MB: f64 = 536.9;
/// Share by which memory may grow in the last third, and be called flat.
const FLAT: f64 = 1.05;
/// Addresses of pages by kind.
pub(crate) type Pages = [Vec<String>];

/// Addresses of attackers and of the ordinary client.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin {
    /// Each has one of its own.
    Apart,
    /// All come through one proxy or onion service that tells nothing about them.
    Together,
}

impl Origin {
    /// The attackers of a kind, or the ordinary client, which is number 0.
    fn who(self, n: u8) -> Who {
        match self {
            Self::Apart => Who::at(1, 1 + n),
            Self::Together => Who::anybody(),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Apart => "each with an address",
            Self::Together => "behind one proxy",
        }
    }
}

/// An ordinary client alone, over pages of all kinds.
pub(crate) fn mixed(server: &Server, pages: &Pages, per_second: u32, secs: u32) -> anyhow::Result<Vec<Row>> {
    let (met, health) = ordinary(server, pages, Plan { who: Origin::Apart.who(0), per_second, secs, seed: SEED }, || Ok(()))?;
    Ok(rows_of(&format!("{per_second} requests/s over {} kinds of pages, {secs} s", pages.len()), &met, &health))
}

/// 200 requests a second while 100 slow readers, 1,000 idle connections and 8 clients of the heaviest answers do their worst.
pub(crate) fn worst(server: &Server, pages: &Pages, on: &Handle, origin: Origin, secs: u32) -> anyhow::Result<Vec<Row>> {
    let to = server.address;
    let attackers = [
        slow_readers(on, 100, &origin.who(1), to, LARGEST),
        idle(on, 1_000, origin.who(2).from, to),
        heavy(on, 8, &origin.who(3), to, &HEAVY),
    ];
    let mut memory_mb = Vec::new();
    let (met, health) = ordinary(server, pages, Plan { who: origin.who(0), per_second: 200, secs, seed: SEED }, || {
        memory_mb.push(server.resident_mb()?);
        Ok(())
    })?;
    let attack = format!("200 requests/s, {secs} s, under all attackers {}", origin.words());
    let mut rows = rows_of(&attack, &met, &health);
    rows.push(memory_row(&attack, &memory_mb));
    let did = format!("readers: {}; idle: {}; heavy: {}", attackers[0].words(), attackers[1].words(), answers(&attackers[2]));
    rows.push(Row::new("… what the attackers got", "–", did, true));
    Ok(rows)
}

/// 8 clients of one heavy answer.
pub(crate) fn heavy_clients(server: &Server, on: &Handle) -> anyhow::Result<Vec<Row>> {
    let attackers = heavy(on, 8, &Origin::Apart.who(3), server.address, &["/api/v1/forecasts.csv"]);
    let home = vec![vec!["/".to_owned()]];
    let plan = Plan { who: Origin::Apart.who(0), per_second: 20, secs: 8, seed: SEED };
    let met = joined(start(server.address, home, plan))?;
    let held = met.n_refused() == 0 && met.ms(99) <= HEALTH_MS;
    let figure = format!("{}; they: {}", met.words(), answers(&attackers));
    Ok(vec![Row::new("8 clients on forecasts.csv: the home page", "p99 ≤ 25 ms, none refused", figure, held)])
}

/// 100 slow readers alone: memory before, while they read and after they left.
pub(crate) fn readers(server: &Server, on: &Handle) -> anyhow::Result<Vec<Row>> {
    const READERS: usize = 100;
    let before = server.resident_mb()?;
    let attackers = slow_readers(on, READERS, &Origin::Apart.who(1), server.address, LARGEST);
    let begun = Instant::now();
    let mut most = before;
    while begun.elapsed() < Duration::from_secs(8) {
        most = most.max(server.resident_mb()?);
        std::thread::sleep(Duration::from_millis(100));
    }
    let words = attackers.words();
    drop(attackers);
    std::thread::sleep(Duration::from_secs(5));
    let after = server.resident_mb()?;
    let per_reader_kb = (most - before) * 1e3 / READERS as f64;
    let attack = "100 slow readers of relays.csv?status=all, 1 kB/s";
    let figure = format!("{per_reader_kb:.0} kB a reader: {before:.0} → {most:.0} MB; {words}");
    let left = format!("{before:.0} → {after:.0} MB");
    Ok(vec![
        Row::new(attack, "≤ 256 kB a reader, ≤ 512 MiB", figure, per_reader_kb <= 256.0 && most <= MEMORY_MB),
        Row::new("… memory 5 s after they left", "as before, + 5 %", left, after <= before * FLAT),
    ])
}

/// What a client of pages and a probe of `/healthz` met; `each_second` is called meanwhile.
fn ordinary(server: &Server, pages: &Pages, plan: Plan, mut each_second: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<(Met, Met)> {
    let probe = Plan { per_second: 5, seed: SEED + 1, ..plan.clone() };
    let client = start(server.address, pages.to_vec(), plan);
    let health = start(server.address, vec![vec!["/healthz".to_owned()], vec!["/metrics".to_owned()]], probe);
    while !client.is_finished() {
        each_second()?;
        std::thread::sleep(Duration::from_secs(1));
    }
    Ok((joined(client)?, joined(health)?))
}

fn rows_of(attack: &str, pages: &Met, health: &Met) -> Vec<Row> {
    let (calm, alive) = (pages.ms(99) <= PAGES_MS && pages.n_refused() == 0, health.ms(99) <= HEALTH_MS && health.n_refused() == 0);
    vec![
        Row::new(attack, "p99 ≤ 50 ms, none refused", pages.words(), calm),
        Row::new("… /healthz and /metrics meanwhile", "p99 ≤ 25 ms, none refused", health.words(), alive),
    ]
}

/// Memory over the seconds of an attack: within the budget, and flat at the end.
fn memory_row(attack: &str, memory_mb: &[f64]) -> Row {
    let most = |part: &[f64]| part.iter().copied().fold(0.0, f64::max);
    let third = memory_mb.len() / 3;
    let (middle, last) = (most(&memory_mb[third..2 * third]), most(&memory_mb[2 * third..]));
    let first = memory_mb.first().copied().unwrap_or_default();
    let figure = format!("{first:.0} MB at first, most {:.0}; thirds: {middle:.0} → {last:.0}", most(memory_mb));
    let held = most(memory_mb) <= MEMORY_MB && last <= middle * FLAT;
    Row::new(&format!("… memory: {attack}"), "≤ 512 MiB, last third ≤ second + 5 %", figure, held)
}

fn answers(attackers: &Attackers) -> String {
    format!("{} answers", attackers.counts.n_answers.load(std::sync::atomic::Ordering::Relaxed))
}
