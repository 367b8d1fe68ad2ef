//! The documents with histories: uptime, weights, bandwidth.

use std::fmt::Write;

use allium_model::{ConsensusHour, RelayFlag};

use super::json::{Object, java_double, tor_time};
use super::{Context, Listed};
use crate::compile::{Entry, Graph, Scheme, compile, share_entries};
use crate::dice::Dice;
use crate::network::FlagSpan;
use crate::traffic::BLOCK_HOURS;

const DAY_HOURS: i32 = 24;

impl Context<'_> {
    /// The line of a relay in the uptime document.
    pub(super) fn uptime(&self, listed: &Listed<'_>) -> String {
        let spans = &listed.relay.spans;
        let first = listed.relay.profile.first_seen.max(self.network.first_consensus());
        let end = listed.last_seen.next();
        let known: Vec<_> = self.network.known_until(end).collect();
        let share = |held: &dyn Fn(&FlagSpan) -> bool| {
            let held: Vec<_> = spans.iter().filter(|span| held(span)).map(|span| (span.start, span.end)).collect();
            graphs_json(&compile(&share_entries(&held, &known, first), end, &Scheme::UPTIME))
        };
        let mut flags = Object::with_capacity(8 << 10);
        for flag in RelayFlag::ALL {
            if spans.iter().any(|span| span.flags.contains(flag)) {
                flags = flags.json(flag.name(), &share(&|span| span.flags.contains(flag)));
            }
        }
        let flags = flags.end();
        Object::with_capacity(16 << 10)
            .text("fingerprint", &listed.relay.profile.fingerprint.to_string())
            .json("uptime", &share(&|_| true))
            .json("flags", if flags.len() > 2 { &flags } else { "" })
            .end()
    }

    /// The line of a relay in the weights document.
    pub(super) fn weights(&self, listed: &Listed<'_>) -> String {
        let end = listed.last_seen.next();
        let mut entries: [Vec<Entry>; 5] = Default::default();
        let known: Vec<_> = self.network.known_until(end).collect();
        for_each_block(&listed.relay.spans, &known, |span, start, stop| {
            let Some(totals) = self.network.totals_at(start) else { return };
            let weight = listed.relay.profile.capacity.weight(start);
            let selected = totals.probabilities(span.flags, weight);
            let values = [selected.fraction, selected.guard, selected.middle, selected.exit, weight];
            for (entries, value) in entries.iter_mut().zip(values) {
                entries.push(Entry { start_secs: start.start_secs(), end_secs: stop.start_secs(), value });
            }
        });
        let keys = ["consensus_weight_fraction", "guard_probability", "middle_probability", "exit_probability", "consensus_weight"];
        let object = Object::with_capacity(12 << 10).text("fingerprint", &listed.relay.profile.fingerprint.to_string());
        keys.iter()
            .zip(&entries)
            .fold(object, |object, (key, entries)| object.json(key, &graphs_json(&compile(entries, end, &Scheme::WEIGHTS))))
            .end()
    }

    /// The line of a relay in the bandwidth document.
    pub(super) fn bandwidth(&self, listed: &Listed<'_>) -> String {
        let profile = &listed.relay.profile;
        let end = listed.last_seen.next();
        let phase = profile.index as i32 % DAY_HOURS;
        let written: Vec<Entry> = days(&listed.relay.spans, self.network.first_consensus(), end, phase)
            .map(|(day, share)| Entry {
                start_secs: day.start_secs(),
                end_secs: day.plus(DAY_HOURS).start_secs(),
                value: (profile.capacity.bytes_per_second(day) * share).round(),
            })
            .collect();
        let read: Vec<Entry> = written.iter().map(|entry| Entry { value: (entry.value * 0.985).round(), ..*entry }).collect();
        Object::with_capacity(4 << 10)
            .text("fingerprint", &profile.fingerprint.to_string())
            .json("write_history", &graphs_json(&compile(&written, end, &Scheme::BANDWIDTH)))
            .json("read_history", &graphs_json(&compile(&read, end, &Scheme::BANDWIDTH)))
            .json("overload_ratelimits", &self.overload_ratelimits(listed))
            .end()
    }

    /// Times that the configured rate was too low, for relays that have one.
    fn overload_ratelimits(&self, listed: &Listed<'_>) -> String {
        let profile = &listed.relay.profile;
        let day = listed.last_seen.get().div_euclid(DAY_HOURS);
        let mut dice = Dice::keyed(&[self.network.seed, u64::from(profile.index), 21, day as u64]);
        let Some(rate) = profile.configured_rate.filter(|_| dice.chance(0.02)) else { return String::new() };
        Object::new()
            .integer("timestamp", i64::from(day) * 86_400_000)
            .integer("rate-limit", rate as i64)
            .integer("burst-limit", rate as i64)
            .integer("read-count", dice.below(5000) as i64)
            .integer("write-count", dice.below(5000) as i64)
            .end()
    }
}

/// Calls with each stretch of known hours with equal flags within one block of hours.
fn for_each_block(
    spans: &[FlagSpan],
    known: &[(ConsensusHour, ConsensusHour)],
    mut call: impl FnMut(&FlagSpan, ConsensusHour, ConsensusHour),
) {
    let mut known = known.iter().peekable();
    for span in spans {
        let mut at = span.start;
        while at < span.end {
            while known.next_if(|(_, end)| *end <= at).is_some() {}
            let Some((known_start, known_end)) = known.peek() else { return };
            if at < *known_start {
                at = *known_start;
                continue;
            }
            let block_end = ConsensusHour::new((at.get().div_euclid(BLOCK_HOURS) + 1) * BLOCK_HOURS);
            let stop = block_end.min(span.end).min(*known_end);
            call(span, at, stop);
            at = stop;
        }
    }
}

/// Whole days of a relay's own reckoning in which it was there, with the share of the day.
fn days(spans: &[FlagSpan], from: ConsensusHour, end: ConsensusHour, phase: i32) -> impl Iterator<Item = (ConsensusHour, f64)> {
    let first_day = ConsensusHour::new((from.get().div_euclid(DAY_HOURS) + 1) * DAY_HOURS + phase);
    let n_days = end.hours_since(first_day).max(0) / DAY_HOURS;
    let mut at = 0;
    (0..n_days).filter_map(move |i| {
        let (start, stop) = (first_day.plus(i * DAY_HOURS), first_day.plus((i + 1) * DAY_HOURS));
        while spans.get(at).is_some_and(|span| span.end <= start) {
            at += 1;
        }
        let within = spans[at..].iter().take_while(|span| span.start < stop);
        let hours: i32 = within.map(|span| span.end.min(stop).hours_since(span.start.max(start))).sum();
        (hours > 0).then(|| (start, f64::from(hours) / f64::from(DAY_HOURS)))
    })
}

/// Graphs as an object by period; empty if there is none.
fn graphs_json(graphs: &[Graph]) -> String {
    if graphs.is_empty() {
        return String::new();
    }
    let mut out = String::with_capacity(graphs.iter().map(|graph| 160 + graph.values.len() * 4).sum());
    for (i, graph) in graphs.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            "{}\"{}\":{{\"first\":\"{}\",\"last\":\"{}\",\"interval\":{},\"factor\":{},\"count\":{},\"values\":[",
            if i == 0 { '{' } else { ',' },
            graph.period.name(),
            tor_time(graph.first_secs),
            tor_time(graph.last_secs),
            graph.interval_secs,
            java_double(graph.factor),
            graph.values.len(),
        );
        push_values(&mut out, &graph.values);
        out.push_str("]}");
    }
    out.push('}');
    out
}

fn push_values(out: &mut String, values: &[Option<u16>]) {
    for (i, value) in values.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        match value {
            None => out.push_str("null"),
            Some(999) => out.push_str("999"),
            Some(value) => {
                // Writing to a string cannot fail.
                let _ = write!(out, "{value}");
            }
        }
    }
}
