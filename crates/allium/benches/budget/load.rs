//! A load of requests at a steady rate, whatever the server's pace: each is due at its time, and its delay counts from then.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::common::server::{Server, Start, get};

const PER_SECOND: u32 = 200;
/// Requests per kind of page.
const REQUESTS: usize = 200;
/// Requests per kind of picture.
const PICTURES: usize = 50;
const CLIENTS: usize = 32;
/// Pages of one kind that are asked for in turn.
const MANY: usize = 40;
/// Time that a server's computations after a start may take.
const TRAINING: Duration = Duration::from_secs(600);

/// A kind of page and where such pages are.
struct Kind {
    name: &'static str,
    paths: Vec<String>,
}

/// Time of an answer, from when it was due, and its size on the wire.
type Answer = (Duration, usize);

/// Work, budget and what was measured for each kind of page.
pub(crate) fn of_server(store: &Path, are_forecasts_expected: bool) -> anyhow::Result<Vec<(String, &'static str, String)>> {
    let server = Start::offline(store).run()?;
    if are_forecasts_expected {
        // Until then models are trained beside it.
        server.wait_for("/api/v1/forecasts?limit=1", TRAINING)?;
    }
    server.wait_until_idle(TRAINING)?;
    let kinds = kinds(&server)?;
    // One of each first: what a page needs only once is no part of the load.
    for kind in &kinds {
        get(server.address, &kind.paths[0], true)?;
    }
    let mut lines = Vec::new();
    for (kind, mut answers) in kinds.iter().zip(answers(server.address, &kinds)?) {
        answers.sort();
        let ms = |share: usize| answers[(answers.len() * share / 100).min(answers.len() - 1)].0.as_secs_f64() * 1e3;
        let most_kb = answers.iter().map(|(_, size_bytes)| *size_bytes).max().unwrap_or(0) as f64 / 1e3;
        let budget = if kind.name == "a relay" { "p99 25 ms, 30 kB" } else { "p99 25 ms" };
        let measured = format!("p50 {:.1} ms, p99 {:.1} ms, most {most_kb:.1} kB", ms(50), ms(99));
        lines.push((format!("{PER_SECOND} requests/s: {}", kind.name), budget, measured));
    }
    let relay = kinds.iter().find(|kind| kind.name == "a relay").and_then(|kind| kind.paths.first()).context("no page of a relay")?;
    lines.extend(pictures(server.address, relay)?);
    Ok(lines)
}

/// Pictures of charts, asked for one after the other: how long one takes to be drawn.
fn pictures(address: SocketAddr, relay: &str) -> anyhow::Result<Vec<(String, &'static str, String)>> {
    let kinds = [
        ("a relay's five years", "30 ms", format!("{relay}/charts/uptime.png?period=5_years")),
        ("the network's five years", "30 ms", "/explore/charts/trend.png?show=trend&measure=relays&range=5y".to_owned()),
        ("the world", "80 ms", "/explore/charts/map.png?range=1y".to_owned()),
    ];
    let mut lines = Vec::new();
    for (name, budget, path) in kinds {
        let size_bytes = get(address, &path, true)?.len();
        let mut times = Vec::new();
        for _ in 0..PICTURES {
            let begun = Instant::now();
            get(address, &path, true)?;
            times.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        let measured =
            format!("p50 {:.1} ms, p99 {:.1} ms, {:.1} kB", times[PICTURES / 2], times[PICTURES * 99 / 100], size_bytes as f64 / 1e3);
        lines.push((format!("PNG of {name}"), budget, measured));
    }
    Ok(lines)
}

/// Every kind of page with examples that the server itself names.
fn kinds(server: &Server) -> anyhow::Result<Vec<Kind>> {
    let mut kinds = Vec::new();
    for (name, path) in [
        ("home", "/"),
        ("relays", "/relays"),
        ("relays, searched and sorted", "/relays?q=de&sort=uptime_1_month"),
        ("countries", "/countries"),
        ("autonomous systems", "/as"),
        ("operators", "/operators"),
        ("incidents", "/incidents"),
        ("forecasts", "/forecasts"),
        ("data quality", "/data-quality"),
    ] {
        kinds.push(Kind { name, paths: vec![path.to_owned()] });
    }
    for (name, list, page) in [
        ("a relay", "/relays", "/relay/"),
        ("a country", "/countries", "/country/"),
        ("an autonomous system", "/as", "/as/"),
        ("an operator", "/operators", "/operator/"),
        ("an incident", "/incidents", "/incident/"),
    ] {
        let text = server.page(list)?;
        let links = text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let paths: BTreeSet<&str> = links.filter(|link| link.starts_with(page) && !link.contains(['?', '#', '.'])).collect();
        let paths: Vec<String> = paths.into_iter().take(MANY).map(str::to_owned).collect();
        if !paths.is_empty() {
            kinds.push(Kind { name, paths });
        }
    }
    Ok(kinds)
}

/// Asks for pages of all kinds in turn, and gives the answers by kind.
fn answers(address: SocketAddr, kinds: &[Kind]) -> anyhow::Result<Vec<Vec<Answer>>> {
    let (next, begun) = (AtomicUsize::new(0), Instant::now());
    let client = || -> anyhow::Result<Vec<(usize, Answer)>> {
        let mut answers = Vec::new();
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= REQUESTS * kinds.len() {
                return Ok(answers);
            }
            let (kind, turn) = (n % kinds.len(), n / kinds.len());
            let due = begun + Duration::from_secs(1) / PER_SECOND * n as u32;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let answer = get(address, &kinds[kind].paths[turn % kinds[kind].paths.len()], true)?;
            answers.push((kind, (due.elapsed(), answer.len())));
        }
    };
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        let mut by_kind = vec![Vec::new(); kinds.len()];
        for client in clients {
            for (kind, answer) in client.join().ok().context("a client ended early")?? {
                by_kind[kind].push(answer);
            }
        }
        Ok(by_kind)
    })
}
