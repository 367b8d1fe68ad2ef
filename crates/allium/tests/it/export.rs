//! `allium export history`: what other programs read equals what the store says, in both formats.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests may stop at the first surprise and say what they skip")]

mod tables;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use allium_history::{
    ConsensusInfo, ConsensusSource, Event, EventKind, ExactHistory, FullConsensus, GroupHour, GroupKey, Grouping, Listed, RelayDay, Store,
    StoreUrl, Timeline, Update,
};
use allium_model::{Asn, ConsensusHour, DocumentKind, Fingerprint, Fraction, Known, Relay, RelayFlag, RelayState, SourceStatus, Timestamp};
use allium_words::inert::csv_cell;
use assert_cmd::Command;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::schema::printer::print_schema;
use tables::{Table, read_csv, read_parquet};
use tempfile::TempDir;

fn allium(store: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_allium"));
    command.env_remove("ALLIUM_CONFIG").arg("--store").arg(store);
    command
}

fn export(store: &Path, out: &Path, more: &[&str]) -> Command {
    let mut command = allium(store);
    command.args(["export", "history", "--out"]).arg(out).args(more);
    command
}

/// A store of a simulated network over three months: lists of running relays, and for the last days consensuses and details.
fn simulated() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let (store, documents) = (dir.path().join("allium.db"), dir.path().join("documents"));
    let what = ["--relays", "40", "--days", "40", "--end", "2026-02-02T05:00:00Z", "--consensus-hours", "54"];
    allium(&store)
        .args(["simulate", "--write", "onionoo,consensuses,presence", "--out"])
        .arg(&documents)
        .args(what)
        .args(["--event", "missing at 2026-01-10T00:00:00Z for 5h"])
        .assert()
        .success();
    let pack = |name: &str| documents.join("presence").join(name);
    allium(&store).args(["import", "collector"]).arg(documents.join("consensuses")).assert().success();
    allium(&store)
        .args(["import", "presence", "--snapshots"])
        .arg(pack("snapshots.csv.zst"))
        .arg("--spans")
        .arg(pack("presence.parquet"))
        .arg("--relays")
        .arg(pack("relays.csv.zst"))
        .assert()
        .success();
    allium(&store).args(["import", "onionoo"]).arg(&documents).assert().success();
    (dir, store)
}

fn exact(store: &Path) -> ExactHistory {
    StoreUrl::from(store).open_read_only().unwrap().exact().unwrap()
}

/// All files below a directory, by their path in it.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                open.push(entry);
            } else {
                found.insert(entry.strip_prefix(dir).unwrap().to_path_buf(), fs::read(&entry).unwrap());
            }
        }
    }
    found
}

/// A table of every month, the earliest first.
fn by_month(dir: &Path, name: &str) -> Vec<(String, Table)> {
    let mut months: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    months.retain(|entry| entry.starts_with("month=") && dir.join(entry).join(name).exists());
    months.sort();
    months.into_iter().map(|month| (month["month=".len()..].to_owned(), read_parquet(&dir.join(month).join(name)))).collect()
}

fn hour(cell: &str) -> ConsensusHour {
    cell.parse().unwrap()
}

#[test]
fn both_formats_hold_the_same_rows_and_two_exports_the_same_bytes() {
    let (dir, store) = simulated();
    let mut exports = Vec::new();
    for (name, format) in [("p", "parquet"), ("p2", "parquet"), ("c", "csv"), ("c2", "csv")] {
        let out = dir.path().join(name);
        export(&store, &out, &["--format", format]).assert().success();
        exports.push(files(&out));
    }
    assert!(exports[0] == exports[1] && exports[2] == exports[3], "the same store gives the same bytes");
    assert_eq!(exports[0].len(), exports[2].len());
    for path in exports[0].keys() {
        let parquet = read_parquet(&dir.path().join("p").join(path));
        let csv = read_csv(&dir.path().join("c").join(path.with_extension("csv")));
        assert_eq!(parquet.columns, csv.columns, "{}", path.display());
        assert!(!csv.rows.is_empty() && parquet.rows == csv.rows, "{}", path.display());
    }
    let leftovers =
        fs::read_dir(dir.path()).unwrap().filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with('.'));
    assert_eq!(leftovers.count(), 0);
}

#[test]
fn spans_and_consensuses_together_give_the_counts_of_every_hour() {
    let (dir, store) = simulated();
    let out = dir.path().join("out");
    export(&store, &out, &[]).assert().success();
    let history = exact(&store);
    let timeline = &history.timeline;
    let hours = timeline.known().hours();
    let consensuses: Vec<Vec<String>> = by_month(&out, "consensuses.parquet").into_iter().flat_map(|(_, table)| table.rows).collect();
    assert_eq!(consensuses.iter().map(|row| hour(&row[0])).collect::<Vec<_>>(), hours);

    let mut counts: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for (_, spans) in by_month(&out, "spans.parquet") {
        for row in &spans.rows {
            let held = spans.columns.iter().zip(row).filter(|(_, cell)| *cell == "true").map(|(column, _)| column.clone());
            let location = format!("{}, AS{}, {}", spans.cell(row, "country"), spans.cell(row, "asn"), spans.cell(row, "version"));
            let (start, end) = (timeline.known().index_of(hour(&row[1])), timeline.known().index_of(hour(&row[2])));
            for group in held.chain([location]) {
                let counts = counts.entry(group).or_insert_with(|| vec![0; hours.len()]);
                counts[start..end].iter_mut().for_each(|n| *n += 1);
            }
        }
    }
    assert_eq!(counts, timeline.counts(groups));
    let column = |i: usize| consensuses.iter().map(|row| row[i].parse().unwrap()).collect::<Vec<u32>>();
    assert_eq!(column(4), counts["running"]);
    assert!(consensuses.iter().any(|row| row[1] == "presence") && consensuses.iter().any(|row| row[1] == "collector"));
}

/// The groups of a state as the test above names them.
fn groups(state: &RelayState) -> Vec<String> {
    let country = state.country.as_ref().map_or("", allium_model::CountryCode::as_str);
    let asn = state.asn.map(|asn| asn.0.to_string()).unwrap_or_default();
    let location = format!("{country}, AS{asn}, {}", state.version.as_deref().unwrap_or_default());
    state.flags.iter().map(column_of).chain([location]).collect()
}

/// `BadExit` becomes `bad_exit`.
fn column_of(flag: RelayFlag) -> String {
    match flag {
        RelayFlag::HSDir => "hs_dir".to_owned(),
        RelayFlag::V2Dir => "v2_dir".to_owned(),
        _ => flag.name().chars().enumerate().fold(String::new(), |mut name, (i, c)| {
            if i > 0 && c.is_uppercase() {
                name.push('_');
            }
            name.push(c.to_ascii_lowercase());
            name
        }),
    }
}

#[test]
fn spans_end_with_their_month_and_tell_no_flag_that_nobody_knows() {
    let (dir, store) = simulated();
    let out = dir.path().join("out");
    export(&store, &out, &[]).assert().success();
    let history = exact(&store);
    let known = history.timeline.known();
    let complete = known.of_flag(RelayFlag::Fast);
    let months = by_month(&out, "spans.parquet");
    assert_eq!(months.iter().map(|(month, _)| month.as_str()).collect::<Vec<_>>(), ["2025-12", "2026-01", "2026-02"]);
    let mut n_cut = 0;
    for (month, spans) in &months {
        assert!(spans.rows.is_sorted_by(|a, b| (&a[0], hour(&a[1])) < (&b[0], hour(&b[1]))));
        for row in &spans.rows {
            let (start, end) = (hour(&row[1]), hour(&row[2]));
            assert!(start < end && known.contains(start) && known.contains(end.plus(-1)), "{row:?}");
            assert!(row[1].starts_with(month) && end.plus(-1).to_string().starts_with(month), "{row:?}");
            assert_eq!(complete.contains(start), complete.contains(end.plus(-1)), "{row:?}");
            for flag in RelayFlag::ALL {
                let is_known = complete.contains(start) || Known::LISTED_FLAGS.contains(&flag);
                assert_eq!(!spans.cell(row, &column_of(flag)).is_empty(), is_known, "{row:?}");
            }
            n_cut += usize::from(row[2] == "2026-01-01T00:00:00Z" || row[2] == "2026-02-01T00:00:00Z");
        }
    }
    assert!(n_cut > 0, "no span reaches over a border");
}

/// The rows of a table, month after month, without the cells that are nothing.
fn rows(dir: &Path, name: &str) -> Vec<String> {
    let tables = by_month(dir, name).into_iter().map(|(_, table)| table);
    tables.flat_map(|table| table.rows.iter().map(|row| row_words(&table.columns, row)).collect::<Vec<_>>()).collect()
}

fn row_words(columns: &[impl AsRef<str>], row: &[String]) -> String {
    let cells = columns.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
    cells.map(|(column, cell)| format!("{}={cell}", column.as_ref())).collect::<Vec<_>>().join(" ")
}

fn shares(shares: [Option<Fraction>; 4]) -> [String; 4] {
    shares.map(|share| real(share.map(Fraction::get)))
}

fn real(number: Option<f64>) -> String {
    number.map(|number| format!("{number:?}")).unwrap_or_default()
}

/// All time.
const EVER: (ConsensusHour, ConsensusHour) = (ConsensusHour::new(0), ConsensusHour::new(1_000_000));

/// A relay's days as the store holds them, in the words of the table.
fn days(store: &dyn Store, relay: &Fingerprint) -> Vec<String> {
    let columns = [
        "fingerprint",
        "day",
        "n_weighed",
        "consensus_weight",
        "consensus_weight_fraction",
        "guard_probability",
        "middle_probability",
        "exit_probability",
        "advertised_bandwidth",
        "observed_bandwidth",
    ];
    let row = |day: &RelayDay| {
        let shares = shares([day.consensus_weight_fraction, day.guard_probability, day.middle_probability, day.exit_probability]);
        let first = [relay.to_string(), day.start.to_string(), day.n_weighed.to_string(), real(day.consensus_weight)];
        let last = [real(day.advertised_bandwidth), real(day.observed_bandwidth)];
        row_words(&columns, &[&first[..], &shares, &last].concat())
    };
    store.relay_days(relay, EVER.0, EVER.1).unwrap().iter().map(row).collect()
}

/// The hours of all groups, the same.
fn hours_of_groups(store: &dyn Store) -> Vec<String> {
    let columns = [
        "kind",
        "key",
        "valid_after",
        "n_weighed",
        "consensus_weight",
        "consensus_weight_fraction",
        "guard_probability",
        "middle_probability",
        "exit_probability",
        "advertised_bandwidth",
        "observed_bandwidth",
    ];
    let row = |group: &GroupKey, at: &GroupHour| {
        let [kind, key] = match group {
            GroupKey::Network => ["network".to_owned(), String::new()],
            GroupKey::Country(country) => ["country".to_owned(), country.as_str().to_owned()],
            GroupKey::AutonomousSystem(asn) => ["as".to_owned(), format!("AS{}", asn.0)],
            GroupKey::Flag(flag) => ["flag".to_owned(), flag.name().to_owned()],
        };
        let shares = shares([at.consensus_weight_fraction, at.guard_probability, at.middle_probability, at.exit_probability]);
        let bandwidth = |bytes: Option<u64>| bytes.map(|bytes| bytes.to_string()).unwrap_or_default();
        let first = [kind, key, at.hour.to_string(), at.n_weighed.to_string(), real(at.consensus_weight)];
        let last = [bandwidth(at.advertised_bandwidth), bandwidth(at.observed_bandwidth)];
        row_words(&columns, &[&first[..], &shares, &last].concat())
    };
    let groups = Grouping::ALL.map(|by| store.group_hours(by, EVER.0, EVER.1).unwrap());
    groups.iter().flatten().flat_map(|(group, hours)| hours.iter().map(move |at| row(group, at))).collect()
}

#[test]
fn weights_bandwidths_and_events_are_what_the_store_tells() {
    let (dir, path) = simulated();
    let out = dir.path().join("out");
    export(&path, &out, &[]).assert().success();
    let store = StoreUrl::from(&path).open_read_only().unwrap();
    let sorted = |mut rows: Vec<String>| {
        rows.sort();
        rows
    };
    let written = rows(&out, "relay_days.parquet");
    let relays: Vec<Fingerprint> = exact(&path).relays.iter().map(|relay| relay.fingerprint).collect();
    assert_eq!(sorted(written.clone()), sorted(relays.iter().flat_map(|relay| days(&*store, relay)).collect()));
    assert!(written.iter().any(|row| row.contains("observed_bandwidth")) && written.iter().any(|row| row.contains("guard_probability")));
    let in_order = |table: &Table| table.rows.is_sorted_by(|a, b| (hour(&a[1]), &a[0]) < (hour(&b[1]), &b[0]));
    assert!(by_month(&out, "relay_days.parquet").iter().all(|(_, table)| in_order(table)));
    assert_eq!(sorted(rows(&out, "group_hours.parquet")), sorted(hours_of_groups(&*store)));
    let events = store.events(None, Timestamp::MIN, Timestamp::MAX).unwrap();
    let columns = ["happened_at", "fingerprint", "kind"];
    let event = |event: &Event| row_words(&columns, &[event.at.to_string(), event.fingerprint.to_string(), "restart".to_owned()]);
    let restarts = events.iter().filter(|event| event.kind == EventKind::Restart).map(event).collect::<Vec<_>>();
    let written: Vec<_> = rows(&out, "events.parquet").into_iter().filter(|row| row.contains("kind=restart")).collect();
    assert!(!restarts.is_empty() && written == restarts);
}

/// A store with a relay that restarts, reports overload and moves.
fn eventful(dir: &TempDir) -> PathBuf {
    let path = dir.path().join("eventful.db");
    let mut store = StoreUrl::from(&path).open().unwrap();
    let fingerprint: Fingerprint = "000004ACBB9D29BCBA17256BB35928DDBFC8ABA9".parse().unwrap();
    let (country, asn, flags) = (Some("de".parse().unwrap()), Some(Asn(64512)), [RelayFlag::Running].into_iter().collect());
    let relay = Relay {
        running: true,
        flags,
        country,
        asn,
        or_addresses: vec!["10.0.0.1:9001".parse().unwrap()],
        last_restarted: Some("2023-05-06T07:08:09Z".parse().unwrap()),
        overload_general_at: Some("2026-02-15T12:00:00Z".parse().unwrap()),
        consensus_weight: Some(300),
        advertised_bandwidth: Some(7),
        ..Relay::unknown(fingerprint)
    };
    let at = hour("2026-02-15T18:00:00Z");
    let (published, obtained_at, kind) = (at, at.start(), DocumentKind::Details);
    let status = SourceStatus { kind, origin: "details".into(), published, obtained_at, size_bytes: 1, n_relays: 1, n_rejects: 0 };
    store.apply(&Update { details: Some((status, vec![relay])), ..Update::default() }).unwrap();
    let state = RelayState { flags, ..RelayState::default() };
    let address = Some("2001:db8::1".parse().unwrap());
    let consensus = FullConsensus {
        info: ConsensusInfo { hour: at.next(), source: ConsensusSource::Directory, verified: true, received_at: obtained_at },
        listed: vec![Listed { address, weight: Some(301), ..Listed::of(fingerprint, state) }],
        bandwidth_weights: [("Wmm", 10_000)].into(),
    };
    assert!(store.append_full_consensus(&consensus).unwrap());
    path
}

#[test]
fn each_month_has_the_tables_that_have_rows_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let (store, out) = (eventful(&dir), dir.path().join("out"));
    export(&store, &out, &["--format", "csv"]).assert().success();
    let names: Vec<String> = files(&out).keys().map(|path| path.display().to_string()).collect();
    let february = ["consensuses", "events", "group_hours", "relay_days", "spans"].map(|table| format!("month=2026-02/{table}.csv"));
    assert_eq!(names, [&["month=2023-05/events.csv".to_owned()][..], &february, &["relays.csv".to_owned()]].concat());
    let text = |name: &str| fs::read_to_string(out.join(name)).unwrap();
    let relay = "000004ACBB9D29BCBA17256BB35928DDBFC8ABA9";
    let header = "happened_at,fingerprint,kind,address\n";
    assert_eq!(text("month=2023-05/events.csv"), format!("{header}2023-05-06T07:08:09Z,{relay},restart,\n"));
    let (overload, moved) = ("2026-02-15T12:00:00Z", "2026-02-15T19:00:00Z");
    let expected = format!("{header}{overload},{relay},overload,\n{moved},{relay},address,2001:db8::1\n");
    assert_eq!(text("month=2026-02/events.csv"), expected);
    let days = text("month=2026-02/relay_days.csv");
    assert_eq!(days.lines().nth(1).unwrap(), format!("{relay},2026-02-15T00:00:00Z,2,300.5,1.0,,1.0,,7.0,"));
    let groups: Vec<String> = text("month=2026-02/group_hours.csv").lines().skip(1).map(str::to_owned).collect();
    let (details, later) = ("2026-02-15T18:00:00Z,1,300.0,1.0,,,,7,", "2026-02-15T19:00:00Z,1,301.0,1.0,,1.0,,,");
    let expected = [
        format!("network,,{details}"),
        format!("network,,{later}"),
        format!("country,de,{details}"),
        format!("as,AS64512,{details}"),
        format!("flag,Running,{details}"),
        format!("flag,Running,{later}"),
    ];
    assert_eq!(groups, expected, "at another address nobody knows the country");
}

#[test]
fn every_relay_is_described_once() {
    let (dir, store) = simulated();
    let out = dir.path().join("out");
    export(&store, &out, &[]).assert().success();
    let relays = read_parquet(&out.join("relays.parquet"));
    let record = StoreUrl::from(&store).open_read_only().unwrap().load().unwrap().unwrap();
    let text = |text: &Option<String>| text.as_deref().map(csv_cell).unwrap_or_default();
    let expected = record.relays.iter().map(|recorded| &recorded.relay).map(|relay| {
        let time = |hour: Option<ConsensusHour>| hour.map(|hour| hour.to_string()).unwrap_or_default();
        vec![
            relay.fingerprint.to_string(),
            text(&relay.nickname),
            time(relay.first_seen.date()),
            time(relay.last_seen),
            relay.country.map(|country| country.as_str().to_owned()).unwrap_or_default(),
            relay.asn.map(|asn| asn.0.to_string()).unwrap_or_default(),
            text(&relay.as_name),
            text(&relay.contact),
            text(&relay.version),
            text(&relay.platform),
            time(relay.first_seen.bound()),
        ]
    });
    assert_eq!(relays.rows, expected.collect::<Vec<_>>());
}

/// A store with one relay whose texts are hostile.
fn hostile(dir: &TempDir) -> PathBuf {
    let path = dir.path().join("hostile.db");
    let mut store = StoreUrl::from(&path).open().unwrap();
    let mut relay = Relay::unknown("000004ACBB9D29BCBA17256BB35928DDBFC8ABA9".parse().unwrap());
    relay.running = true;
    relay.nickname = Some("=1+1".into());
    relay.contact = Some("a,\"b\"\r\n\u{202e}@SUM(A1)".into());
    relay.platform = Some("@SUM(A1)".into());
    relay.version = Some("\t-2".into());
    relay.as_name = Some(String::new());
    let published = hour("2026-02-15T18:00:00Z");
    let obtained_at = published.start();
    let kind = DocumentKind::Details;
    let status = SourceStatus { kind, origin: "details".into(), published, obtained_at, size_bytes: 1, n_relays: 1, n_rejects: 0 };
    store.apply(&Update { details: Some((status, vec![relay])), ..Update::default() }).unwrap();
    path
}

#[test]
fn hostile_text_is_exact_in_parquet_and_inert_in_csv() {
    let dir = tempfile::tempdir().unwrap();
    let store = hostile(&dir);
    let (parquet, csv) = (dir.path().join("parquet"), dir.path().join("csv"));
    export(&store, &parquet, &[]).assert().success();
    export(&store, &csv, &["--format", "csv"]).assert().success();
    let fingerprint = "000004ACBB9D29BCBA17256BB35928DDBFC8ABA9,";
    // The only consensus of the record does not show when the relay appeared.
    let (seen, hour) = ("2026-02-15T18:00:00Z", "2026-02-15T18:00:00Z,2026-02-15T19:00:00Z");
    let contact = "\"a,\"\"b\"\"[U+000D][U+000A][U+202E]@SUM(A1)\"";
    let header = "fingerprint,nickname,first_seen,last_seen,country,asn,as_name,contact,version,platform,first_seen_bound";
    let expected = format!("{header}\n{fingerprint}'=1+1,,{seen},,,,{contact},'[U+0009]-2,'@SUM(A1),{seen}\n");
    assert_eq!(fs::read_to_string(csv.join("relays.csv")).unwrap(), expected);
    let header = "fingerprint,start_at,end_at,running,guard,exit,authority,bad_exit,fast,hs_dir,middle_only,no_ed_consensus,stable,\
                  stale_desc,sybil,v2_dir,valid,country,asn,version";
    let flags = ["true"].into_iter().chain(["false"; 13]).collect::<Vec<_>>().join(",");
    let expected = format!("{header}\n{fingerprint}{hour},{flags},,,'[U+0009]-2\n");
    assert_eq!(fs::read_to_string(csv.join("month=2026-02/spans.csv")).unwrap(), expected);
    let expected = "valid_after,source,verified,n_listed,n_running,n_guard,n_exit\n2026-02-15T18:00:00Z,details,false,1,1,0,0\n";
    assert_eq!(fs::read_to_string(csv.join("month=2026-02/consensuses.csv")).unwrap(), expected);
    let exact = tables::read_parquet_exactly(&parquet.join("relays.parquet"));
    assert_eq!(exact.cell(&exact.rows[0], "contact"), "a,\"b\"\r\n\u{202e}@SUM(A1)");
    assert_eq!(exact.cell(&exact.rows[0], "nickname"), "=1+1");
}

#[test]
fn the_documentation_lists_every_column() {
    let dir = tempfile::tempdir().unwrap();
    let (store, out) = (eventful(&dir), dir.path().join("out"));
    export(&store, &out, &[]).assert().success();
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/export.md")).unwrap();
    let monthly = ["spans", "consensuses", "relay_days", "group_hours", "events"].map(|name| (name, format!("month=2026-02/{name}")));
    for (name, file) in monthly.into_iter().chain([("relays", "relays".to_owned())]) {
        let section = text.split("\n## ").find(|section| section.starts_with(&format!("`{name}`"))).unwrap();
        let first_cells = section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
        let documented: Vec<&str> = first_cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
        assert_eq!(documented, read_parquet(&out.join(file).with_extension("parquet")).columns, "{name}");
    }
}

/// Readers such as DuckDB shift times without a zone by their own.
#[test]
fn every_time_of_every_table_is_an_instant_of_utc() {
    let dir = tempfile::tempdir().unwrap();
    let (store, out) = (eventful(&dir), dir.path().join("out"));
    export(&store, &out, &[]).assert().success();
    let times = ["valid_after", "happened_at", "day", "first_seen", "first_seen_bound", "last_seen", "start_at", "end_at"];
    let mut found = std::collections::BTreeSet::new();
    for path in files(&out).into_keys().filter(|path| path.extension().is_some_and(|ending| ending == "parquet")) {
        let file = SerializedFileReader::new(fs::File::open(out.join(&path)).unwrap()).unwrap();
        for column in file.metadata().file_metadata().schema().get_fields() {
            let mut text = Vec::new();
            print_schema(&mut text, column);
            let is_instant = String::from_utf8(text).unwrap().contains("TIMESTAMP(MICROS,true)");
            assert_eq!(is_instant, times.contains(&column.name()), "{}: {}", path.display(), column.name());
            found.extend(is_instant.then(|| column.name().to_owned()));
        }
    }
    assert_eq!(found.len(), times.len(), "{found:?}");
}

#[test]
fn what_is_there_is_replaced_only_if_that_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let (store, out) = (hostile(&dir), dir.path().join("deep/out"));
    let fails = |more: &[&str]| String::from_utf8(export(&store, &out, more).assert().code(1).get_output().stderr.clone()).unwrap();
    export(&store, &out, &[]).assert().success();
    let before = files(&out);
    assert!(fails(&[]).contains("is not empty; --replace replaces an earlier export"));
    assert!(files(&out) == before);
    export(&store, &out, &["--replace", "--format", "csv"]).assert().success();
    assert!(files(&out).keys().all(|path| path.extension().is_some_and(|extension| extension == "csv")));
    fs::write(out.join("thesis.tex"), "x").unwrap();
    assert!(fails(&["--replace"]).contains("holds thesis.tex, which is no part of an export"));
    assert_eq!(fs::read(out.join("thesis.tex")).unwrap(), b"x");
    fs::remove_dir_all(&out).unwrap();
    fs::create_dir(&out).unwrap();
    export(&store, &out, &[]).assert().success();
    assert!(files(&out) == before, "an empty directory is taken");
    assert_eq!(fs::read_dir(dir.path().join("deep")).unwrap().count(), 1);
    export(&dir.path().join("none.db"), &dir.path().join("nothing"), &[]).assert().code(1);
    assert!(!dir.path().join("nothing").exists());
}

#[test]
fn an_empty_store_gives_an_empty_table() {
    let dir = tempfile::tempdir().unwrap();
    let (store, out) = (dir.path().join("allium.db"), dir.path().join("out"));
    drop(StoreUrl::from(&store).open().unwrap());
    export(&store, &out, &[]).assert().success();
    assert_eq!(files(&out).len(), 1);
    assert!(read_parquet(&out.join("relays.parquet")).rows.is_empty());
}

#[test]
fn a_state_that_lists_and_consensuses_share_is_cut_where_they_meet() {
    let dir = tempfile::tempdir().unwrap();
    let (path, out) = (dir.path().join("allium.db"), dir.path().join("out"));
    let mut store = StoreUrl::from(&path).open().unwrap();
    let relay: Fingerprint = "000004ACBB9D29BCBA17256BB35928DDBFC8ABA9".parse().unwrap();
    let state = RelayState { flags: [RelayFlag::Running].into_iter().collect(), ..RelayState::default() };
    for (text, source) in [("2026-02-15T18:00:00Z", ConsensusSource::Presence), ("2026-02-15T20:00:00Z", ConsensusSource::Collector)] {
        let hour = hour(text);
        let info = ConsensusInfo { hour, source, verified: false, received_at: hour.start() };
        store.append_consensus(&info, &[(relay, state.clone())]).unwrap();
    }
    drop(store);
    export(&path, &out, &["--format", "csv"]).assert().success();
    let spans = read_csv(&out.join("month=2026-02/spans.csv"));
    let found: Vec<_> = spans.rows.iter().map(|row| [&row[1], &row[2], spans.cell(row, "guard"), spans.cell(row, "fast")]).collect();
    let expected =
        [["2026-02-15T18:00:00Z", "2026-02-15T19:00:00Z", "false", ""], ["2026-02-15T20:00:00Z", "2026-02-15T21:00:00Z", "false", "false"]];
    assert_eq!(found, expected);
}

/// Counts Running relays and guards from spans alone, and compares them with every consensus; counts rows; counts Running relays by
/// country, AS and flag; and prints the measures of groups, relays and events, floats as the number of their bits.
const QUERY: &str = r#"
import struct
import sys
try:
    import duckdb
except ImportError:
    print("skipped: no duckdb")
    sys.exit()
out, form = sys.argv[1:]
read = "read_csv" if form == "csv" else "read_parquet"
table = lambda name: f"{read}('{out}/**/{name}.{form}', hive_partitioning=true)"
query = lambda text: duckdb.execute(text).fetchall()
bits = lambda x: "-" if x is None else struct.unpack("<q", struct.pack("<d", x))[0] if isinstance(x, float) else x
for month, n in query(f"select month, count(*) from {table('spans')} group by month order by month"):
    print("spans", month, n)
print("relays", query(f"select count(*) from {read}('{out}/relays.{form}')")[0][0])
rows = query(f"""
    select epoch(c.valid_after)::bigint, c.n_running, count(*) filter (s.running),
        count(*) filter (s.running and s.guard), count(s.fast), count(*) filter (s.fast)
    from {table('consensuses')} c left join {table('spans')} s on s.start_at <= c.valid_after and c.valid_after < s.end_at
    group by all order by 1""")
for row in rows:
    print("hour", *row)
duckdb.execute(f"""create table running as
    select c.valid_after as hour, s.country, s.asn, s.exit
    from {table('consensuses')} c join {table('spans')} s on s.running and s.start_at <= c.valid_after and c.valid_after < s.end_at""")
for kind, group in [("country", "country"), ("as", "asn"), ("flag", "case when exit then 'Exit' end")]:
    rows = query(f"""select epoch(hour)::bigint, {group} as key, count(*) from running
        where key is not null group by all order by all""")
    for row in rows:
        print("running", kind, *row)
measures = """consensus_weight::double, consensus_weight_fraction::double, guard_probability::double, middle_probability::double,
    exit_probability::double, advertised_bandwidth::double, observed_bandwidth::double"""
rows = query(f"""select kind, key, epoch(valid_after)::bigint as hour, n_weighed, {measures} from {table('group_hours')}
    order by array_position(['network', 'country', 'as', 'flag'], kind), key collate nocase, hour""")
for row in rows:
    print("group", *map(bits, row))
for row in query(f"select fingerprint, epoch(day)::bigint as day, n_weighed, {measures} from {table('relay_days')} order by fingerprint, day"):
    print("day", *map(bits, row))
for row in query(f"select epoch(happened_at)::bigint as happened_at, fingerprint, kind, address from {table('events')} order by all"):
    print("event", *map(bits, row))
"#;

#[test]
fn duckdb_gives_the_same_answers() {
    let (dir, store) = simulated();
    let expected = |out: &Path| {
        let history = exact(&store);
        let sizes = our_sizes(&*StoreUrl::from(&store).open_read_only().unwrap(), &history);
        [our_answers(&history, out), our_counts(&history.timeline), sizes].concat()
    };
    for form in ["parquet", "csv"] {
        let out = dir.path().join(form);
        export(&store, &out, &["--format", form]).assert().success();
        let Ok(output) = std::process::Command::new(python()).args(["-c", QUERY]).arg(&out).arg(form).output() else {
            println!("skipped: no python3");
            return;
        };
        let answers = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        if answers.starts_with("skipped") {
            print!("{answers}");
            return;
        }
        let answers: Vec<&str> = answers.lines().collect();
        let expected = expected(&dir.path().join("parquet"));
        if let Some(i) = (0..answers.len().max(expected.len())).find(|i| answers.get(*i).copied() != expected.get(*i).map(String::as_str)) {
            panic!("{form}, line {i}: DuckDB says {:?}, the store {:?}", answers.get(i), expected.get(i));
        }
    }
}

/// The Python that `.ci/setup-duckdb` installs, where the one of the system had no DuckDB.
fn python() -> PathBuf {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/duckdb/bin/python");
    if installed.exists() { installed } else { PathBuf::from("python3") }
}

/// The lines that the query has to print.
fn our_answers(history: &ExactHistory, out: &Path) -> Vec<String> {
    let known = history.timeline.known();
    let mut lines: Vec<String> =
        by_month(out, "spans.parquet").iter().map(|(month, table)| format!("spans {month} {}", table.rows.len())).collect();
    lines.push(format!("relays {}", history.relays.len()));
    for consensus in &history.consensuses {
        let hour = consensus.info.hour;
        let listed = history.timeline.listed_at(hour).unwrap();
        let count = |flag: RelayFlag| listed.iter().filter(|(_, state)| state.flags.contains(flag)).count();
        let n_known = if known.of_flag(RelayFlag::Fast).contains(hour) { listed.len() } else { 0 };
        let (running, guard, fast) = (count(RelayFlag::Running), consensus.n_guard, count(RelayFlag::Fast));
        lines.push(format!("hour {} {} {running} {guard} {n_known} {fast}", hour.start_secs(), consensus.n_running));
    }
    lines
}

/// The same for the numbers of Running relays by country, AS and flag.
fn our_counts(timeline: &Timeline) -> Vec<String> {
    let counted = |kind: &str, key: &dyn Fn(&RelayState) -> Option<String>| {
        let counts = timeline.counts(|state| key(state).filter(|_| state.flags.contains(RelayFlag::Running)));
        let mut lines = Vec::new();
        for (idx, hour) in timeline.known().hours().iter().enumerate() {
            let mut at: Vec<(&String, u32)> = counts.iter().map(|(key, counts)| (key, counts[idx])).filter(|(_, n)| *n > 0).collect();
            at.sort_by_key(|(key, _)| (key.parse::<u64>().ok(), key.as_str()));
            lines.extend(at.into_iter().map(|(key, n)| format!("running {kind} {} {key} {n}", hour.start_secs())));
        }
        lines
    };
    let country = counted("country", &|state| state.country.map(|country| country.to_string()));
    let asn = counted("as", &|state| state.asn.map(|asn| asn.0.to_string()));
    let exit = counted("flag", &|state| state.flags.contains(RelayFlag::Exit).then(|| "Exit".to_owned()));
    [country, asn, exit].concat()
}

/// The same for weights, bandwidths and events.
fn our_sizes(store: &dyn Store, history: &ExactHistory) -> Vec<String> {
    let bits = |number: Option<f64>| number.map_or("-".to_owned(), |number| number.to_bits().to_string());
    let share = |share: Option<Fraction>| bits(share.map(Fraction::get));
    let bytes = |bytes: Option<u64>| bits(bytes.map(|bytes| bytes as f64));
    let mut lines = Vec::new();
    for (group, hours) in Grouping::ALL.iter().flat_map(|by| by_name(store.group_hours(*by, EVER.0, EVER.1).unwrap())) {
        lines.extend(hours.iter().map(|at| {
            let shares =
                [at.consensus_weight_fraction, at.guard_probability, at.middle_probability, at.exit_probability].map(share).join(" ");
            let (weight, advertised, observed) = (bits(at.consensus_weight), bytes(at.advertised_bandwidth), bytes(at.observed_bandwidth));
            format!("group {group} {} {} {weight} {shares} {advertised} {observed}", at.hour.start_secs(), at.n_weighed)
        }));
    }
    for relay in history.relays.iter().map(|relay| relay.fingerprint) {
        lines.extend(store.relay_days(&relay, EVER.0, EVER.1).unwrap().iter().map(|day| {
            let shares = [day.consensus_weight_fraction, day.guard_probability, day.middle_probability, day.exit_probability];
            let (weight, shares) = (bits(day.consensus_weight), shares.map(share).join(" "));
            let (advertised, observed) = (bits(day.advertised_bandwidth), bits(day.observed_bandwidth));
            format!("day {relay} {} {} {weight} {shares} {advertised} {observed}", day.start.start_secs(), day.n_weighed)
        }));
    }
    lines.extend(store.events(None, Timestamp::MIN, Timestamp::MAX).unwrap().iter().map(|event| {
        let (kind, address) = match event.kind {
            EventKind::Restart => ("restart", "-".to_owned()),
            EventKind::Overload => ("overload", "-".to_owned()),
            EventKind::Address(address) => ("address", address.to_string()),
        };
        format!("event {} {} {kind} {address}", event.at.as_second(), event.fingerprint)
    }));
    lines
}

/// Groups in the order of the names that the table has for them.
fn by_name(groups: BTreeMap<GroupKey, Vec<GroupHour>>) -> Vec<(String, Vec<GroupHour>)> {
    let name = |group: &GroupKey| match group {
        GroupKey::Network => "network -".to_owned(),
        GroupKey::Country(country) => format!("country {country}"),
        GroupKey::AutonomousSystem(asn) => format!("as AS{}", asn.0),
        GroupKey::Flag(flag) => format!("flag {}", flag.name()),
    };
    let mut named: Vec<_> = groups.into_iter().map(|(group, hours)| (name(&group), hours)).collect();
    named.sort_by_key(|(name, _)| name.to_lowercase());
    named
}
