//! `allium import presence`: a small pack made by hand, and the real one.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests may stop at the first surprise and say what they skip")]

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::support::real_data;
use allium_history::{RelayTimeline, StoreUrl, Timeline};
use allium_model::time::HOUR_SECS;
use allium_model::{
    Bounds, ConsensusHour, GraphPeriod, Period, PublishedGraph, Quantity, RelayFlag, RelayHistories, RelayState, Timestamp,
};
use allium_simulate::compile::{Entry, Graph, Scheme, compile};
use allium_sources::onionoo::{Document, decode_file};
use allium_sources::presence::{Files, decode_files};
use allium_sources::read::{Limits, read_file};
use allium_testkit::spans_file::{Form, spans_as_parquet};
use assert_cmd::Command;
use tempfile::TempDir;

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(name)
}

fn allium(store: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_allium"));
    command.arg("--store").arg(store);
    command
}

fn import(store: &Path, [snapshots, spans, relays]: &[PathBuf; 3]) -> Command {
    let mut command = allium(store);
    command.args(["import", "presence", "--snapshots"]).arg(snapshots).arg("--spans").arg(spans).arg("--relays").arg(relays);
    command
}

/// A directory with the spans of a hand-made pack as Parquet, and the pack's files.
fn hand_made(name: &str) -> (TempDir, [PathBuf; 3]) {
    let dir = tempfile::tempdir().unwrap();
    let spans = dir.path().join("spans.parquet");
    let text = std::fs::read_to_string(testdata(name).join("spans.csv")).unwrap();
    std::fs::write(&spans, spans_as_parquet(&text, Form::default())).unwrap();
    (dir, [testdata(name).join("snapshots.csv"), spans, testdata(name).join("relays.csv")])
}

fn analysis(store: &Path) -> Vec<u8> {
    allium(store).args(["store", "check"]).assert().success();
    let output = allium(store).args(["analyze", "--format", "json"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn the_order_of_pack_and_documents_does_not_matter_and_a_second_time_changes_nothing() {
    let (dir, pack) = hand_made("presence");
    let documents = [testdata("onionoo/details.json"), testdata("onionoo/uptime.json")];
    let (one, other) = (dir.path().join("one.db"), dir.path().join("other.db"));
    import(&one, &pack).assert().success();
    allium(&one).args(["import", "onionoo"]).args(&documents).assert().success();
    allium(&other).args(["import", "onionoo"]).args(&documents).assert().success();
    import(&other, &pack).assert().success();
    let expected = analysis(&one);
    assert_eq!(String::from_utf8_lossy(&analysis(&other)), String::from_utf8_lossy(&expected));
    import(&one, &pack).assert().success();
    assert_eq!(analysis(&one), expected);
    let report: serde_json::Value = serde_json::from_slice(&expected).unwrap();
    assert_eq!(report["as_of"], "2026-02-15T19:00:00Z");
    let relay = |nickname: &str| report["relays"].as_array().unwrap().iter().find(|relay| relay["nickname"] == nickname).cloned();
    assert!(relay("alice").is_some_and(|alice| alice["running"] == true), "details have the word on nicknames");
    assert!(relay("dora").is_some_and(|dora| dora["running"] == false), "a relay that only the pack knows");
    assert!(relay("never").is_none(), "a relay that no list names");
}

#[test]
fn rejects_are_told_and_the_rest_is_stored() {
    let (dir, pack) = hand_made("presence/bad");
    let store = dir.path().join("allium.db");
    let output = import(&store, &pack).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && text.contains("snapshots.csv line 3: snapshot is \"one\"") && text.contains("26 rejects"), "{text}");
    allium(&store).args(["store", "check"]).assert().success();
}

#[test]
fn a_pack_that_cannot_be_read_leaves_no_store() {
    let (dir, [snapshots, spans, relays]) = hand_made("presence");
    let store = dir.path().join("allium.db");
    let output = import(&store, &[snapshots.clone(), snapshots.clone(), relays.clone()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("snapshots.csv: no usable table"));
    let output = import(&store, &[snapshots, spans, dir.path().join("none.csv")]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(!store.exists());
    allium(&store).args(["import", "presence", "--spans", "x"]).assert().code(2);
}

fn real_pack(data: &Path) -> [PathBuf; 3] {
    ["snapshots.csv.zst", "presence.parquet", "relays.csv.zst"].map(|name| data.join("presence").join(name))
}

/// The real pack in a store, and what the store holds in memory.
fn real_store(data: &Path) -> (TempDir, Timeline) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("allium.db");
    let start = Instant::now();
    import(&path, &real_pack(data)).assert().success();
    println!("imported in {:.2?}, {} bytes", start.elapsed(), std::fs::metadata(&path).unwrap().len());
    assert!(std::fs::metadata(&path).unwrap().len() <= 60_000_000);
    let start = Instant::now();
    allium(&path).args(["store", "check"]).assert().success();
    println!("checked in {:.2?}", start.elapsed());
    let store = StoreUrl::from(&path).open_read_only().unwrap();
    let start = Instant::now();
    let timeline = store.timeline().unwrap();
    let bitmaps: Vec<_> = timeline.relays().iter().map(|relay| timeline.running(relay)).collect();
    let n_spans: usize = timeline.relays().iter().map(|relay| relay.spans.len()).sum();
    let n_bytes: usize = n_spans * 12 + bitmaps.iter().map(allium_history::Bits::size_bytes).sum::<usize>();
    println!("{n_spans} spans and a bitmap of each relay in memory in {:.2?}, {n_bytes} bytes", start.elapsed());
    assert!(n_bytes <= 200_000_000);
    (dir, timeline)
}

/// Running, Guard and Exit.
type Totals = [u32; 3];

/// The instant at which each list was fetched, by the hour for which it stands: the last one of an hour.
fn fetched_at(path: &Path) -> BTreeMap<ConsensusHour, Timestamp> {
    let text = String::from_utf8(read_file(path, &Limits::default()).unwrap()).unwrap();
    let instants = text.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().parse().unwrap());
    instants.map(|instant| (valid_after(instant), instant)).collect()
}

/// The consensus that Onionoo showed at this instant: the newest that was 65 minutes old.
fn valid_after(fetched_at: Timestamp) -> ConsensusHour {
    ConsensusHour::containing(Timestamp::from_second(fetched_at.as_second() - 65 * 60).unwrap())
}

/// The totals of every list as `snapshots.csv` has them, by the hour for which the list stands: the last one of an hour.
fn listed_totals(path: &Path) -> (BTreeMap<ConsensusHour, Totals>, usize) {
    let bytes = read_file(path, &Limits::default()).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let by_hour = rows.iter().map(|row| {
        let hour = valid_after(row[1].parse::<Timestamp>().unwrap());
        (hour, [2, 3, 4].map(|column: usize| row[column].parse().unwrap()))
    });
    (by_hour.collect(), rows.len())
}

#[test]
fn totals_of_the_real_lists_are_those_of_their_file() {
    let Some(data) = real_data() else { return };
    let [snapshots, spans, relays] = real_pack(&data);
    let pack =
        decode_files(&Files { snapshots: &snapshots, spans: &spans, relays: &relays }, &Limits::default(), Bounds::default()).unwrap();
    assert_eq!((pack.n_mismatches, pack.n_rejects), (0, 0), "every list, superseded ones included: {:?}", pack.rejects.first());

    let (_place, timeline) = real_store(&data);
    let (expected, n_lists) = listed_totals(&snapshots);
    let flags = |state: &RelayState| [RelayFlag::Running, RelayFlag::Guard, RelayFlag::Exit].map(|f| state.flags.contains(f).then_some(f));
    let counts = timeline.counts(|state| flags(state).into_iter().flatten());
    let of = |flag: RelayFlag, idx: usize| counts[&flag][idx];
    let counted = timeline.known().hours().iter().enumerate();
    let counted: BTreeMap<_, Totals> =
        counted.map(|(i, hour)| (*hour, [RelayFlag::Running, RelayFlag::Guard, RelayFlag::Exit].map(|flag| of(flag, i)))).collect();
    assert_eq!(counted, expected);
    println!("{n_lists} lists, {} hours: all totals equal", expected.len());
    assert!(n_lists > 15_000);
}

/// Least share of equal values. The rest is bin 0 of five years, where the document counts one list more than the pack has, from before
/// the pack's first (69 of 82 where we find 68 of 81), and some thirty values whose share is an exact multiple of 1/999 and that rounding
/// cut by one.
const LEAST_EQUAL: f64 = 0.9999;

/// The newest consensus of the real documents.
const AS_OF: &str = "2026-02-15T18:00:00Z";

/// Numbers of values that were compared.
#[derive(Default)]
struct Comparison {
    n_values: usize,
    n_equal: usize,
    n_graphs: usize,
    /// Graphs that only one side has.
    n_unmatched: usize,
    n_factors_differ: usize,
}

#[test]
fn our_bins_are_those_of_the_real_uptime_document() {
    let Some(data) = real_data() else { return };
    let document = data.join("onionoo-2026-02-15/uptime.json.zst");
    let Document::Histories(published) = decode_file(&document, &Limits::default(), Bounds::default()).unwrap() else {
        panic!("no uptime document")
    };
    let (_place, timeline) = real_store(&data);
    let details = data.join("onionoo-2026-02-15/details.json.zst");
    let Document::Details(details) = decode_file(&details, &Limits::default(), Bounds::default()).unwrap() else {
        panic!("no details document")
    };
    let last_seen: HashMap<_, _> = details.relays.iter().filter_map(|relay| Some((relay.fingerprint, relay.last_seen?))).collect();
    let [snapshots, ..] = real_pack(&data);
    let fetched: Vec<_> = fetched_at(&snapshots).into_values().map(ConsensusHour::containing).collect();
    assert_eq!(fetched.len(), timeline.known().hours().len());
    let lists: Vec<_> = fetched.iter().enumerate().map(|(i, hour)| (fetched.get(i + 1) != Some(hour)).then_some(*hour)).collect();
    let mut comparisons: BTreeMap<(String, String), Comparison> = BTreeMap::new();
    for relay in &published.relays {
        let seen = last_seen.get(&relay.fingerprint).copied();
        compare(relay, timeline.relay(&relay.fingerprint), seen, &timeline, &lists, &mut comparisons);
    }
    let (mut n_values, mut n_equal) = (0, 0);
    for ((quantity, period), found) in &comparisons {
        let Comparison { n_values: values, n_equal: equal, n_graphs, n_unmatched, n_factors_differ } = found;
        let percent = 100.0 * *equal as f64 / *values as f64;
        println!(
            "{quantity:8} {period:9} {percent:8.4} % of {values} values equal; {n_graphs} graphs, {n_unmatched} on one side only, \
             {n_factors_differ} with another factor"
        );
        (n_values, n_equal) = (n_values + values, n_equal + equal);
    }
    println!("all      {:.5} % of {n_values} values equal", 100.0 * n_equal as f64 / n_values as f64);
    assert!(n_values > 10_000_000);
    assert!(n_equal as f64 >= LEAST_EQUAL * n_values as f64);
}

/// Compiles the graphs of one relay from its spans and compares them.
///
/// The document was compiled as if a list stood for the hour in which it was fetched, so for this comparison it does: `lists` has
/// that hour for each known consensus, and `None` where a later list of the same hour replaced it. Graphs are frozen an hour
/// after `last_seen`, as Onionoo does; the details document says when that was.
fn compare(
    published: &RelayHistories,
    relay: Option<&RelayTimeline>,
    last_seen: Option<ConsensusHour>,
    timeline: &Timeline,
    lists: &[Option<ConsensusHour>],
    comparisons: &mut BTreeMap<(String, String), Comparison>,
) {
    let as_of: ConsensusHour = AS_OF.parse().unwrap();
    let n_hours = lists.partition_point(|hour| hour.is_none_or(|hour| hour <= as_of));
    let spans = relay.map(|relay| relay.spans_in(0..n_hours as u32)).unwrap_or_default();
    let spans: Vec<_> =
        spans.iter().map(|span| (span.start as usize, (span.end as usize).min(n_hours), timeline.state(span).flags)).collect();
    let end = last_seen.unwrap_or(as_of).next();
    for (name, flag, quantity) in [
        ("uptime", RelayFlag::Running, Quantity::Uptime),
        ("Guard", RelayFlag::Guard, Quantity::Flag(RelayFlag::Guard)),
        ("Exit", RelayFlag::Exit, Quantity::Flag(RelayFlag::Exit)),
    ] {
        let graphs = match spans.first() {
            Some((first, ..)) if spans.iter().any(|(_, _, flags)| flags.contains(flag)) => {
                let held: Vec<_> = spans.iter().filter(|(_, _, flags)| flags.contains(flag)).map(|(start, end, _)| *start..*end).collect();
                compile(&hourly_entries(lists, *first..n_hours, &held), end, &Scheme::UPTIME)
            }
            _ => Vec::new(),
        };
        let ours: HashMap<Period, &Graph> = graphs.iter().map(|graph| (graph.period, graph)).collect();
        let theirs = published.graphs.iter().filter(|graph| graph.quantity == quantity);
        let theirs: HashMap<&GraphPeriod, &PublishedGraph> = theirs.map(|graph| (&graph.period, graph)).collect();
        for period in [Period::OneMonth, Period::SixMonths, Period::OneYear, Period::FiveYears] {
            let found = comparisons.entry((name.to_owned(), period.name().to_owned())).or_default();
            compare_graphs(ours.get(&period).copied(), theirs.get(&GraphPeriod::Named(period)).copied(), found);
        }
    }
}

/// One entry per list, as the document was compiled: 1 where the relay is in it with the flag, else 0.
fn hourly_entries(lists: &[Option<ConsensusHour>], indices: Range<usize>, held: &[Range<usize>]) -> Vec<Entry> {
    let mut held = held.iter().peekable();
    let entry = |idx: usize| {
        while held.next_if(|range| range.end <= idx).is_some() {}
        let is_held = held.peek().is_some_and(|range| range.contains(&idx));
        let hour = lists[idx]?;
        Some(Entry { start_secs: hour.start_secs(), end_secs: hour.next().start_secs(), value: f64::from(u8::from(is_held)) })
    };
    indices.filter_map(entry).collect()
}

/// Values at the same moment are equal if both are missing, or both have the same code.
fn compare_graphs(ours: Option<&Graph>, theirs: Option<&PublishedGraph>, found: &mut Comparison) {
    let values = |start_secs: i64, interval_secs: i64, codes: Vec<Option<u16>>| -> BTreeMap<i64, Option<u16>> {
        codes.into_iter().enumerate().map(|(i, code)| (start_secs + i as i64 * interval_secs, code)).collect()
    };
    let ours_by_time = ours.map(|graph| values(graph.first_secs - graph.interval_secs / 2, graph.interval_secs, graph.values.clone()));
    let theirs_by_time = theirs.map(|graph| {
        let n_published = graph.series.len() - graph.completed;
        values(graph.series.start_secs(), i64::from(graph.series.interval_secs()), graph.series.codes().take(n_published).collect())
    });
    if ours.is_none() && theirs.is_none() {
        return;
    }
    found.n_graphs += 1;
    found.n_unmatched += usize::from(ours.is_none() != theirs.is_none());
    if let (Some(ours), Some(theirs)) = (ours, theirs) {
        found.n_factors_differ += usize::from((ours.factor - theirs.series.scale()).abs() > 1e-12);
        assert_eq!(ours.interval_secs % HOUR_SECS, 0);
    }
    let (ours, theirs) = (ours_by_time.unwrap_or_default(), theirs_by_time.unwrap_or_default());
    let moments: std::collections::BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    found.n_values += moments.len();
    found.n_equal += moments.into_iter().filter(|at| ours.get(at).copied().flatten() == theirs.get(at).copied().flatten()).count();
}
