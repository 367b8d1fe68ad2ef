//! Statistics of the store, and the check of its invariants.

use std::collections::BTreeMap;

use allium_model::{ConsensusHour, Fingerprint, Relay, RelayFlags, Timestamp};
use rusqlite::Connection;

use super::columns::{hour, optional_hour};
use super::describe::Descriptions;
use super::failure::Failure;
use super::families::families;
use super::hours::{known_hour_numbers, known_locations};
use super::load::{decode_column, documents, rejects};
use super::relay_states::{RelayStates, states};
use super::relays::{relay, select_relays};
use super::{events, measures, notes, proofs, schema, sources, worker_states};
use crate::blob::graphs::Decoder;
use crate::report::{CheckReport, Stats};
use crate::spans::locations::KnownLocations;
use crate::spans::merge::Run;
use crate::spans::totals::Totals;

/// Counts everything.
pub(super) fn stats(conn: &Connection) -> Result<Stats, Failure> {
    let number = |sql: &str| -> Result<u64, Failure> { Ok(conn.query_row(sql, [], |row| row.get::<_, i64>(0))?.cast_unsigned()) };
    let hour = |sql: &str| -> Result<Option<ConsensusHour>, Failure> { conn.query_row(sql, [], |row| Ok(optional_hour(row, 0)))? };
    Ok(Stats {
        format_version: schema::version(conn)?,
        size_bytes: number("PRAGMA page_count")? * number("PRAGMA page_size")?,
        n_relays: number("SELECT count(*) FROM relays")?,
        n_consensuses: number("SELECT count(*) FROM consensuses")?,
        first: hour("SELECT min(hour) FROM consensuses")?,
        last: hour("SELECT max(hour) FROM consensuses")?,
        n_spans: number("SELECT count(*) FROM spans")?,
        n_states: number("SELECT count(*) FROM states")?,
        n_descriptions: number("SELECT (SELECT count(*) FROM descriptions) + (SELECT count(*) FROM pack_descriptions)")?,
        n_weighed: number("SELECT count(*) FROM hour_weights")?,
        measures_bytes: number("SELECT ifnull(sum(length(figures)), 0) FROM measures")?,
        n_events: number("SELECT count(*) FROM events")?,
        n_proofs: number("SELECT count(*) FROM proofs")?,
        n_published: number("SELECT count(*) FROM published_histories")?,
        published_bytes: number("SELECT ifnull(sum(length(graphs)), 0) FROM published_histories")?,
        n_rejects: number("SELECT count(*) FROM rejects")?,
        documents: documents(conn)?,
    })
}

/// Checks everything; the first problems are listed.
pub(super) fn check(conn: &Connection) -> Result<CheckReport, Failure> {
    let mut report = CheckReport::default();
    check_pages(conn, &mut report)?;
    if report.is_sound() {
        let parts = [
            check_spans,
            check_published,
            check_relays,
            check_descriptions,
            check_measures,
            check_proofs,
            check_documents,
            check_notes,
            check_states,
        ];
        for part in parts {
            part(conn, &mut report).or_else(|failure| failure.damage().map(|what| add_problem(&mut report, || what)))?;
        }
    }
    Ok(report)
}

fn add_problem(report: &mut CheckReport, problem: impl FnOnce() -> String) {
    if report.problems.len() < CheckReport::MAX_PROBLEMS {
        report.problems.push(problem());
    }
}

/// Checks by SQLite itself: pages, indexes, constraints, foreign keys.
fn check_pages(conn: &Connection, report: &mut CheckReport) -> Result<(), Failure> {
    let mut statement = conn.prepare("PRAGMA integrity_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let line: String = row.get(0)?;
        if line != "ok" {
            add_problem(report, || format!("integrity_check: {line}"));
        }
    }
    let mut statement = conn.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        add_problem(report, || format!("a row of {table} refers to a row of {parent} that does not exist"));
    }
    Ok(())
}

fn check_notes(conn: &Connection, _report: &mut CheckReport) -> Result<(), Failure> {
    notes::check(conn)
}

fn check_states(conn: &Connection, _report: &mut CheckReport) -> Result<(), Failure> {
    worker_states::check(conn)
}

/// A span as stored, with its end filled in.
#[derive(Clone, Copy, PartialEq)]
struct Row {
    relay_id: i64,
    start: i32,
    end: i32,
    state_id: i64,
}

/// Spans are sorted, disjoint, as long as they can be, start and end at known consensuses, and add up to the totals.
fn check_spans(conn: &Connection, report: &mut CheckReport) -> Result<(), Failure> {
    let hours = known_hour_numbers(conn)?;
    let flags: BTreeMap<i64, RelayFlags> = states(conn)?.into_iter().map(|(id, state)| (id, state.flags)).collect();
    let mut changes = vec![Totals::default(); hours.len() + 1];
    let mut statement = conn.prepare("SELECT relay_id, start_hour, end_hour, state_id FROM spans ORDER BY relay_id, start_hour")?;
    let mut rows = statement.query([])?;
    let mut previous: Option<Row> = None;
    let mut locations = LocationCheck::new(conn)?;
    while let Some(row) = rows.next()? {
        report.n_spans += 1;
        let open_end = hours.last().map_or(i32::MIN, |last| last.saturating_add(1));
        let stored_end = optional_hour(row, 2)?.map(ConsensusHour::get);
        let span = Row { relay_id: row.get(0)?, start: hour(row, 1)?.get(), end: stored_end.unwrap_or(open_end), state_id: row.get(3)? };
        let before = previous.filter(|before| before.relay_id == span.relay_id);
        for problem in span_problems(&hours, before, span, stored_end) {
            add_problem(report, || format!("span of relay {} from hour {}: {problem}", span.relay_id, span.start));
        }
        let index = |hour: i32| hours.partition_point(|known| *known < hour);
        let flags = flags.get(&span.state_id).copied().unwrap_or_default();
        changes[index(span.start)].add(flags, 1);
        changes[index(span.end)].add(flags, -1);
        locations.add(span, report)?;
        previous = Some(span);
    }
    locations.finish(report)?;
    check_totals(conn, &changes, report)
}

/// Compares country and AS with those last known.
struct LocationCheck {
    known: KnownLocations,
    states: RelayStates,
    relay_id: i64,
    runs: Vec<Run>,
}

impl LocationCheck {
    fn new(conn: &Connection) -> Result<Self, Failure> {
        Ok(Self { known: known_locations(conn)?, states: RelayStates::load(conn)?, relay_id: 0, runs: Vec::new() })
    }

    fn add(&mut self, span: Row, report: &mut CheckReport) -> Result<(), Failure> {
        if span.relay_id != self.relay_id {
            self.finish(report)?;
            self.relay_id = span.relay_id;
        }
        self.runs.push(Run { start: span.start, end: span.end, state: span.state_id });
        Ok(())
    }

    /// Compares the runs of one relay and forgets them. Other problems of runs are found elsewhere.
    fn finish(&mut self, report: &mut CheckReport) -> Result<(), Failure> {
        let (runs, states) = (std::mem::take(&mut self.runs), &self.states);
        let is_in_order = runs.iter().all(|run| run.start < run.end) && runs.windows(2).all(|pair| pair[0].end <= pair[1].start);
        if !is_in_order || !self.known.are_known(&runs) {
            return Ok(());
        }
        let carried = self.known.carry(&runs, |id| states.content(id), |state| Ok::<_, Failure>(states.find(state).unwrap_or(-1)))?;
        if carried != runs {
            add_problem(report, || format!("spans of relay {}: country or AS is not as last known", self.relay_id));
        }
        Ok(())
    }
}

fn span_problems(hours: &[i32], before: Option<Row>, span: Row, stored_end: Option<i32>) -> Vec<&'static str> {
    let index = |hour: i32| hours.partition_point(|known| *known < hour);
    let is_known = |hour: i32| hours.binary_search(&hour).is_ok();
    let open_end = hours.last().map(|last| last.saturating_add(1));
    let checks = [
        (span.start >= span.end, "it ends before it starts"),
        (!is_known(span.start), "it starts at an hour whose consensus is not known"),
        (!is_known(span.end.saturating_sub(1)), "it ends at an hour whose consensus is not known"),
        (stored_end.is_some() && stored_end >= open_end, "it reaches the newest consensus and is not open"),
        (before.is_some_and(|before| before.end > span.start), "it overlaps the one before"),
        (
            before.is_some_and(|before| before.state_id == span.state_id && index(before.end) == index(span.start)),
            "it continues the one before in the same state",
        ),
    ];
    checks.into_iter().filter(|(wrong, _)| *wrong).map(|(_, problem)| problem).collect()
}

fn check_totals(conn: &Connection, changes: &[Totals], report: &mut CheckReport) -> Result<(), Failure> {
    let mut statement = conn.prepare("SELECT hour, n_listed, n_running, n_guard, n_exit FROM consensuses ORDER BY hour")?;
    let mut rows = statement.query([])?;
    let mut counted = Totals::default();
    for change in changes {
        let Some(row) = rows.next()? else { break };
        counted.accumulate(*change);
        let stored = Totals { n_listed: row.get(1)?, n_running: row.get(2)?, n_guard: row.get(3)?, n_exit: row.get(4)? };
        report.n_consensuses += 1;
        if stored != counted {
            let hour = hour(row, 0)?;
            add_problem(report, || format!("consensus {hour}: stored totals {stored:?}, counted from spans {counted:?}"));
        }
    }
    Ok(())
}

/// Every blob of graphs can be decoded and belongs to a document not newer than the one in use.
fn check_published(conn: &Connection, report: &mut CheckReport) -> Result<(), Failure> {
    let mut statement = conn.prepare(
        "SELECT r.fingerprint, p.kind, p.graphs, p.published_hour <= d.published_hour, p.published_hour
         FROM published_histories p JOIN relays r ON r.id = p.relay_id LEFT JOIN documents d ON d.kind = p.kind ORDER BY p.id",
    )?;
    let mut rows = statement.query([])?;
    let mut decoder = Decoder::new();
    while let Some(row) = rows.next()? {
        report.n_published += 1;
        hour(row, 4)?;
        let (relay, kind): (_, String) = (Fingerprint::new(row.get(0)?), row.get(1)?);
        if let Err(reason) = decode_column(&mut decoder, row, 2)? {
            add_problem(report, || format!("{kind} graphs of relay {relay}: {reason}"));
        }
        if row.get::<_, Option<bool>>(3)? != Some(true) {
            add_problem(report, || format!("{kind} graphs of relay {relay}: newer than the document in use"));
        }
    }
    Ok(())
}

/// Documents, sources and rejects can be read.
fn check_documents(conn: &Connection, _: &mut CheckReport) -> Result<(), Failure> {
    rejects(conn, &documents(conn)?)?;
    sources::all(conn).map(|_| ())
}

/// Every proof can be read and does not contradict itself.
fn check_proofs(conn: &Connection, _: &mut CheckReport) -> Result<(), Failure> {
    proofs::all(conn).map(|_| ())
}

/// The attributes of every relay can be read.
fn check_relays(conn: &Connection, report: &mut CheckReport) -> Result<(), Failure> {
    let families = families(conn)?;
    let mut statement = conn.prepare(&select_relays())?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        report.n_relays += 1;
        if let Err(failure) = relay(row, &families) {
            let what = failure.damage()?;
            let fingerprint = row.get("fingerprint").map(Fingerprint::new)?;
            add_problem(report, || format!("attributes of relay {fingerprint}: {what}"));
        }
    }
    Ok(())
}

/// Weights, bandwidths and events can be read.
fn check_measures(conn: &Connection, report: &mut CheckReport) -> Result<(), Failure> {
    for problem in measures::problems(conn)? {
        add_problem(report, || problem);
    }
    events::load(conn, None, Timestamp::MIN, Timestamp::MAX).map(|_| ())
}

/// Every description can be read, differs from the one before, and comes from a document that the relay's row knows of.
fn check_descriptions(conn: &Connection, report: &mut CheckReport) -> Result<(), Failure> {
    let descriptions = Descriptions::load(conn)?;
    let mut previous: Option<(i64, Relay)> = None;
    descriptions.of_details(conn, ConsensusHour::new(i32::MAX), |id, since, relay| {
        let described = Relay { last_seen: None, ..relay };
        if previous.replace((id, described.clone())).is_some_and(|before| before == (id, described)) {
            add_problem(report, || format!("description of relay {id} from {since}: it repeats the one before"));
        }
        Ok(())
    })?;
    descriptions.of_packs(conn, |_, _| Ok(()))?;
    let later = "SELECT count(*) FROM descriptions d JOIN relays r ON r.id = d.relay_id WHERE ifnull(r.details_hour, -1e9) < d.since_hour";
    let n_later: i64 = conn.query_row(later, [], |row| row.get(0))?;
    if n_later > 0 {
        add_problem(report, || format!("{n_later} descriptions are later than the newest details document that lists their relay"));
    }
    let undescribed = "SELECT count(*) FROM relays r WHERE r.details_hour IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM descriptions d WHERE d.relay_id = r.id)";
    let n_undescribed: i64 = conn.query_row(undescribed, [], |row| row.get(0))?;
    if n_undescribed > 0 {
        add_problem(report, || format!("{n_undescribed} relays of details documents have no description"));
    }
    Ok(())
}
