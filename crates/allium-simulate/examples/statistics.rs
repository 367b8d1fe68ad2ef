//! Prints the simulated side of the table in `docs/simulator.md`: `statistics [RELAYS] [DAYS] [SEED]`.
#![allow(clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use allium_model::{ConsensusHour, DocumentKind, Timestamp, time::parse_tor_time};
use allium_simulate::{Network, Options, SimulatedRelay, onionoo};
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u32| arguments.next().map_or(Ok(default), |text| text.parse());
    let (n_relays, history_days, seed) = (number(9700)? as usize, number(400)?, u64::from(number(1)?));
    let network = Network::generate(&Options { n_relays, history_days, ..Options::new(seed, "2026-02-15T18:00:00Z".parse()?) });
    let details = relays(&network, DocumentKind::Details)?;
    let running: Vec<&Value> = details.iter().filter(|relay| relay["running"] == true).collect();
    println!("running relays: {}; not running among listed: {:.4}", running.len(), 1.0 - running.len() as f64 / details.len() as f64);
    flags(&running);
    group("autonomous systems", &running, |relay| relay["as"].as_str().map(str::to_owned));
    group("countries", &running, |relay| relay["country"].as_str().map(str::to_owned));
    group("contacts", &running, |relay| relay["contact"].as_str().map(str::to_owned));
    group("proven domains", &running, proven_domain);
    group("families of several", &running, |relay| {
        relay["effective_family"].as_array().filter(|family| family.len() > 1).map(|family| family[0].to_string())
    });
    let days_since = |key: &'static str| {
        let now = network.now().start_secs();
        let secs = move |relay: &&Value| relay[key].as_str().and_then(|text| parse_tor_time(text).ok()).map(Timestamp::as_second);
        running.iter().filter_map(secs).map(|at| (now - at) as f64 / 86_400.0).collect::<Vec<_>>()
    };
    quantiles("age in days", days_since("first_seen"));
    quantiles("process uptime in days", days_since("last_restarted"));
    uptime(&network)?;
    churn(&network);
    lifetimes(&network);
    Ok(())
}

fn relays(network: &Network, kind: DocumentKind) -> Result<Vec<Value>, Box<dyn Error>> {
    let mut bytes = Vec::new();
    onionoo::document(network, kind, &mut bytes)?;
    let mut json: Value = serde_json::from_slice(&bytes)?;
    Ok(json["relays"].as_array_mut().map(std::mem::take).unwrap_or_default())
}

fn flags(running: &[&Value]) {
    let mut shares: BTreeMap<&str, usize> = BTreeMap::new();
    for flag in running.iter().filter_map(|relay| relay["flags"].as_array()).flatten().filter_map(Value::as_str) {
        *shares.entry(flag).or_default() += 1;
    }
    let text: Vec<String> = shares.iter().map(|(flag, n)| format!("{flag} {:.3}", *n as f64 / running.len() as f64)).collect();
    println!("flag shares: {}", text.join(", "));
}

fn proven_domain(relay: &Value) -> Option<String> {
    let contact = relay["contact"].as_str().filter(|text| text.contains("ciissversion:") && text.contains("proof:"))?;
    contact.split_whitespace().find_map(|word| word.strip_prefix("url:")).map(str::to_owned)
}

fn group(what: &str, running: &[&Value], key: impl Fn(&Value) -> Option<String>) {
    let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
    running.iter().filter_map(|relay| key(relay)).for_each(|key| *sizes.entry(key).or_default() += 1);
    let mut sizes: Vec<usize> = sizes.into_values().collect();
    sizes.sort_unstable_by_key(|n| std::cmp::Reverse(*n));
    let share = |n: usize| sizes.iter().take(n).sum::<usize>() as f64 / running.len() as f64;
    let alone = sizes.iter().filter(|n| **n == 1).count() as f64 / sizes.len() as f64;
    println!(
        "{what}: {} groups; largest {:.3}, ten largest {:.3}, all {:.3}; of one relay {alone:.3}",
        sizes.len(),
        share(1),
        share(10),
        share(usize::MAX)
    );
}

fn quantiles(what: &str, mut values: Vec<f64>) {
    values.sort_by(f64::total_cmp);
    let at = |level: f64| values[((values.len() - 1) as f64 * level) as usize];
    let text: Vec<String> = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.95].map(|level| format!("{:.4}", at(level))).into();
    println!("{what}, quantiles 1 5 10 25 50 75 95 %: {}", text.join(" "));
}

/// Means of the published graphs of running relays.
fn uptime(network: &Network) -> Result<(), Box<dyn Error>> {
    let running: BTreeSet<String> = network.running().map(|relay| relay.fingerprint.to_string()).collect();
    let document = relays(network, DocumentKind::Uptime)?;
    for period in ["1_month", "6_months", "1_year"] {
        let graphs = document.iter().filter(|relay| relay["fingerprint"].as_str().is_some_and(|f| running.contains(f)));
        let mean = |relay: &Value| {
            let graph = relay["uptime"].get(period)?;
            let values: Vec<f64> = graph["values"].as_array()?.iter().filter_map(Value::as_f64).collect();
            Some(values.iter().sum::<f64>() / values.len() as f64 * graph["factor"].as_f64()?)
        };
        let means: Vec<f64> = graphs.filter_map(mean).collect();
        let high = means.iter().filter(|mean| **mean >= 0.9984).count() as f64 / means.len() as f64;
        println!("uptime {period}: mean {:.4}, at 99.9 % or more {high:.3}", means.iter().sum::<f64>() / means.len() as f64);
        quantiles(&format!("uptime {period}"), means);
    }
    Ok(())
}

/// Stretches of presence of a relay: spans joined where only flags changed.
fn runs(relay: &SimulatedRelay<'_>) -> Vec<(ConsensusHour, ConsensusHour)> {
    let mut runs: Vec<(ConsensusHour, ConsensusHour)> = Vec::new();
    for span in relay.spans {
        match runs.last_mut() {
            Some((_, end)) if *end == span.start => *end = span.end,
            _ => runs.push((span.start, span.end)),
        }
    }
    runs
}

fn churn(network: &Network) {
    let n_hours = network.now().hours_since(network.first_consensus());
    let runs: Vec<_> = network.relays().map(|relay| runs(&relay)).collect();
    let index_of = |hour: ConsensusHour| hour.hours_since(network.first_consensus()) as usize;
    let (mut joined, mut left) = (vec![0.0; n_hours as usize + 2], vec![0.0; n_hours as usize + 2]);
    runs.iter().flatten().for_each(|(start, end)| {
        joined[index_of(*start)] += 1.0;
        left[index_of(*end)] += 1.0;
    });
    let mut n_running = 0.0;
    let mut shares = Vec::new();
    for hour in 0..=n_hours as usize {
        if hour > 0 {
            shares.push(left[hour] / n_running);
        }
        n_running += joined[hour] - left[hour];
    }
    let relay_years: f64 = runs.iter().flatten().map(|(start, end)| f64::from(end.hours_since(*start))).sum::<f64>() / 8766.0;
    let gaps: Vec<f64> = runs.iter().flat_map(|runs| runs.windows(2)).map(|pair| f64::from(pair[1].0.hours_since(pair[0].1))).collect();
    println!(
        "leaving per hour: mean {:.5}; outages per relay-year {:.1}",
        shares.iter().sum::<f64>() / shares.len() as f64,
        gaps.len() as f64 / relay_years
    );
    quantiles("share leaving per hour", shares);
    quantiles("outage length in hours", gaps);
}

/// Kaplan–Meier survival of relays that arrived within the history.
fn lifetimes(network: &Network) {
    let since = network.first_consensus().plus(24);
    let week_ago = network.now().plus(-7 * 24);
    let lives = network.relays().filter(|relay| relay.first_seen > since && !relay.spans.is_empty()).map(|relay| {
        let end = relay.spans[relay.spans.len() - 1].end;
        (end.hours_since(relay.first_seen), end < week_ago)
    });
    let mut lives: Vec<(i32, bool)> = lives.collect();
    lives.sort_unstable();
    let mut survival = 1.0;
    let mut days = [1, 7, 30, 90, 180, 365].into_iter().peekable();
    for (i, (hours, ended)) in lives.iter().enumerate() {
        while let Some(day) = days.next_if(|day| day * 24 < *hours) {
            println!("share of relays that live longer than {day} days: {survival:.3}");
        }
        if *ended {
            survival *= 1.0 - 1.0 / (lives.len() - i) as f64;
        }
    }
}
