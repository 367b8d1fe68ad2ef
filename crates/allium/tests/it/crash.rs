//! `kill -9` at random moments: the store opens, holds all of the work or nothing of it, and the work can be done again.
//!
//! Every kind of work that writes is killed in a store that is empty and in one that is in use: a row of one to three kills,
//! then one run to the end. What the file holds then is compared, table by table, with what a run that nobody disturbed leaves.
//! Moments are drawn from a fixed seed over the time that undisturbed runs take on this machine, so where exactly a kill lands
//! differs from run to run; nothing that is asserted of the store depends on it.

#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise, helpers included")]
#![allow(clippy::print_stdout, reason = "where kills landed is worth reading")]

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use allium_history::{Grouping, StoreUrl};
use allium_model::ConsensusHour;
use allium_simulate::{Network, Options, consensus, onionoo, presence};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

/// Kills in each row, for each kind of work: 20 kills.
const ROWS: [usize; 10] = [1, 3, 1, 3, 1, 3, 1, 3, 2, 2];
/// A kill comes at most this many times later than an undisturbed run ends.
const LATEST: f64 = 1.1;
const SEED: u64 = 0x416c_6c69;
/// Columns that differ between two runs of the same work: numbers without meaning, the time of the run, and what is decoded instead.
const OF_THE_RUN: [&str; 6] = ["id", "received_at", "obtained_at", "asked_at", "answered_at", "figures"];

/// Endings of columns that refer to rows by number without saying so in the schema.
const UNDECLARED: [(&str, &str); 2] = [("_text", "texts"), ("family_id", "families")];

/// Work that is killed.
struct Work {
    name: &'static str,
    /// The store that it finds; none unless given.
    base: Option<PathBuf>,
    args: Vec<String>,
}

/// Outcomes of the kills.
#[derive(Default)]
struct Tally {
    n_kills: usize,
    /// The program was still running.
    n_landed: usize,
    /// The store was open for writing: its log was left behind.
    n_open: usize,
    /// There was no store yet, or an empty file.
    n_nothing: usize,
    /// The store was as before the work.
    n_before: usize,
    /// The store was as after the work.
    n_after: usize,
}

/// The rows of every table, without [`OF_THE_RUN`], sorted.
type Content = BTreeMap<String, Vec<String>>;

#[test]
fn whatever_the_moment_a_killed_program_leaves_a_sound_store_and_the_work_can_be_done_again() {
    let dir = tempfile::tempdir().unwrap();
    let (works, source) = prepare(dir.path());
    let n_kills = works.len() * ROWS.iter().sum::<usize>();
    let queue = Mutex::new(works.into_iter().enumerate().rev().collect::<Vec<_>>());
    let next = || queue.lock().unwrap().pop();
    let worker = || {
        let mut tallies = Vec::new();
        while let Some((i, work)) = next() {
            let folder = dir.path().join(format!("work-{i}"));
            std::fs::create_dir(&folder).unwrap();
            tallies.push(disturb(&work, &folder, SEED + i as u64));
        }
        tallies
    };
    let tallies: Vec<Tally> = std::thread::scope(|scope| {
        let workers = [scope.spawn(worker), scope.spawn(worker)];
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    drop(source);
    let sum = |part: fn(&Tally) -> usize| tallies.iter().map(part).sum::<usize>();
    let landed = sum(|tally| tally.n_landed);
    println!("{landed} of {n_kills} kills landed while the program was running, {} of them in an open store", sum(|tally| tally.n_open));
    assert_eq!(n_kills, 200);
    assert_eq!(sum(|tally| tally.n_kills), n_kills);
    assert!(landed > n_kills / 2, "{landed} of {n_kills} kills landed");
}

/// The documents of a network in every form, stores that hold some of them, and a server.
fn prepare(dir: &Path) -> (Vec<Work>, Source) {
    let end = "2026-01-01T00:00:00Z".parse().unwrap();
    let network = Network::generate(&Options { n_relays: 300, history_days: 60, ..Options::new(3, end) });
    let path = |name: &str| dir.join(name).display().to_string();
    onionoo::write_dir(&network, &dir.join("documents")).unwrap();
    presence::write_presence(&network, &dir.join("presence")).unwrap();
    consensus::write_dir(&network, &dir.join("collector"), 24).unwrap();
    let earlier = Network::generate(&Options { n_relays: 300, history_days: 30, ..Options::new(3, end.plus(-200)) });
    onionoo::write_dir(&earlier, &dir.join("earlier")).unwrap();
    let source = Source::start();

    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let import = words(&["import", "onionoo", &path("documents")]);
    let pack = [("--snapshots", "snapshots.csv.zst"), ("--spans", "presence.parquet"), ("--relays", "relays.csv.zst")];
    let pack = pack.map(|(flag, name)| [flag.to_owned(), path(&format!("presence/{name}"))]).concat();
    let pack = [words(&["import", "presence"]), pack].concat();
    let collector = words(&["import", "collector", &path("collector")]);
    let ingest = words(&["ingest", "--onionoo-url", &source.url]);
    let prune = words(&["store", "prune", "--before", "2025-12-10T00:00:00Z"]);
    let vacuum = [prune.clone(), words(&["--vacuum"])].concat();

    let used = |name: &str, works: &[&[String]]| {
        let store = dir.join(name);
        works.iter().for_each(|args| drop(succeed(args, &store)));
        Some(store)
    };
    let old = used("old.db", &[&words(&["import", "onionoo", &path("earlier")])]);
    let listed = used("listed.db", &[&pack]);
    let full = used("full.db", &[&pack, &import, &collector]);
    let works = [
        ("import onionoo", None, &import),
        ("import onionoo into an older store", old.clone(), &import),
        ("import presence", None, &pack),
        ("import presence into an older store", old.clone(), &pack),
        ("import collector", None, &collector),
        ("import collector over a pack", listed, &collector),
        ("ingest", None, &ingest),
        ("ingest into an older store", old, &ingest),
        ("store prune", full.clone(), &prune),
        ("store prune --vacuum", full, &vacuum),
    ];
    (works.into_iter().map(|(name, base, args)| Work { name, base, args: args.clone() }).collect(), source)
}

/// Does the work undisturbed, then kills it in rows; says what was seen.
fn disturb(work: &Work, folder: &Path, seed: u64) -> Tally {
    let undisturbed = folder.join("undisturbed.db");
    let mut durations: Vec<Duration> = (0..3).map(|i| run_undisturbed(work, &folder.join(format!("undisturbed-{i}.db")))).collect();
    durations.push(run_undisturbed(work, &undisturbed));
    durations.sort();
    let latest = durations[0].mul_f64(LATEST);
    let expected = Expected {
        before: work.base.as_deref().map(content),
        after: content(&undisturbed),
        analysis: succeed(&["analyze", "--format", "json"], &undisturbed).stdout,
    };
    let (mut tally, mut moments) = (Tally::default(), Moments(seed));
    for (i, n_kills) in ROWS.into_iter().enumerate() {
        let store = folder.join(format!("row-{i}")).join("tor.db");
        begin(work, &store);
        for _ in 0..n_kills {
            kill_at(work, &store, latest.mul_f64(moments.next()), &mut tally);
            expected.require_all_or_nothing(work, &store, &mut tally);
        }
        expected.require_completion(work, &store);
    }
    let Tally { n_kills, n_landed, n_open, n_nothing, n_before, n_after } = tally;
    println!(
        "{}: {:.0?}; {n_landed} of {n_kills} kills while running, {n_open} with the store open; then nothing {n_nothing}, as before {n_before}, done {n_after}",
        work.name, durations[0]
    );
    tally
}

/// Contents that the store may hold.
struct Expected {
    before: Option<Content>,
    after: Content,
    analysis: Vec<u8>,
}

impl Expected {
    /// After a kill: no store yet, or a sound one with all of the work or nothing of it.
    fn require_all_or_nothing(&self, work: &Work, store: &Path, tally: &mut Tally) {
        let check = run(&["store", "check"], store);
        let said = String::from_utf8_lossy(&check.stderr).into_owned();
        if !check.status.success() {
            assert!(self.before.is_none(), "{}: {said}", work.name);
            let is_said = ["there is no store at", "is not an Allium store"].iter().any(|words| said.contains(words));
            assert!(is_said && said.lines().count() == 1, "{}: {said}", work.name);
            assert_eq!(n_objects(store), 0, "{}: {said}", work.name);
            tally.n_nothing += 1;
            return;
        }
        let found = content(store);
        if found == self.after {
            tally.n_after += 1;
        } else if let Some(before) = &self.before {
            require_equal(work, &found, before);
            tally.n_before += 1;
        } else {
            assert!(found.values().all(Vec::is_empty), "{}: half of the work is there", work.name);
            tally.n_before += 1;
        }
    }

    /// The work runs to its end, and nothing shows that it was killed before.
    fn require_completion(&self, work: &Work, store: &Path) {
        succeed(&work.args, store);
        succeed(&["store", "check"], store);
        require_equal(work, &content(store), &self.after);
        let analysis = succeed(&["analyze", "--format", "json"], store).stdout;
        assert!(analysis == self.analysis, "{}: the analysis differs", work.name);
    }
}

fn require_equal(work: &Work, found: &Content, expected: &Content) {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{}", work.name);
    for (table, rows) in expected {
        let differing = found[table].iter().zip(rows).find(|(found, expected)| found != expected);
        assert!(found[table] == *rows, "{}: {} rows in {table}, {} expected: {differing:?}", work.name, found[table].len(), rows.len());
    }
}

/// A store as the work finds it.
fn begin(work: &Work, store: &Path) {
    std::fs::create_dir_all(store.parent().unwrap()).unwrap();
    if let Some(base) = &work.base {
        std::fs::copy(base, store).unwrap();
    }
}

fn run_undisturbed(work: &Work, store: &Path) -> Duration {
    begin(work, store);
    let start = Instant::now();
    succeed(&work.args, store);
    start.elapsed()
}

fn kill_at(work: &Work, store: &Path, moment: Duration, tally: &mut Tally) {
    let mut child = allium(&work.args, store).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(moment);
    child.kill().unwrap();
    let was_running = child.wait().unwrap().code().is_none();
    tally.n_kills += 1;
    tally.n_landed += usize::from(was_running);
    tally.n_open += usize::from(was_running && with_suffix(store, "-wal").exists());
}

fn with_suffix(store: &Path, suffix: &str) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn allium(args: &[impl AsRef<str>], store: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_allium"));
    command.arg("--store").arg(store).args(args.iter().map(AsRef::as_ref)).env_remove("ALLIUM_CONFIG");
    command
}

fn run(args: &[impl AsRef<str>], store: &Path) -> Output {
    allium(args, store).output().unwrap()
}

fn succeed(args: &[impl AsRef<str>], store: &Path) -> Output {
    let output = run(args, store);
    let words: Vec<&str> = args.iter().map(AsRef::as_ref).collect();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// A simulated Onionoo service that ends with the test.
struct Source {
    child: Child,
    url: String,
}

impl Source {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_allium"));
        command.args(["simulate", "--listen", "127.0.0.1:0", "--relays", "300", "--days", "60"]).env_remove("ALLIUM_CONFIG");
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let url = lines.by_ref().map_while(Result::ok).find_map(|line| Some(line[line.find("http://")?..].to_owned()));
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url: url.expect("the program says where it listens") }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Numbers from 0 to 1: SplitMix64.
struct Moments(u64);

impl Moments {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Content of the file, whatever tables it has.
fn content(store: &Path) -> Content {
    let conn = Connection::open_with_flags(store, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    // The outcome of a visit is noted after its documents are stored; sums are of pages, and the times of the run are on them.
    let tables: Vec<String> = column(
        &conn,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT IN ('sources', 'source_failures',
         'source_rejects', 'page_sums', 'page_seal')",
    );
    let mut seen = HashMap::new();
    let rows = |table: &String, seen: &mut HashMap<_, _>| {
        read_table(&conn, table, seen);
        let mut rows: Vec<String> = seen[table].iter().map(|(_, row): &(i64, String)| row.clone()).collect();
        rows.sort();
        rows
    };
    let mut content: Content = tables.iter().map(|table| (table.clone(), rows(table, &mut seen))).collect();
    if tables.iter().any(|table| table == "measures") {
        content.insert("measures, decoded".to_owned(), measures(store));
    }
    content
}

/// Weights and bandwidths, which the table has by numbers of relays.
fn measures(store: &Path) -> Vec<String> {
    let store = StoreUrl::from(store).open_read_only().unwrap();
    let all = |by| store.group_hours(by, ConsensusHour::new(0), ConsensusHour::new(10_000_000)).unwrap();
    [Grouping::Flag, Grouping::Country, Grouping::AutonomousSystem]
        .map(all)
        .iter()
        .map(|groups| format!("{groups:?}"))
        .filter(|text| text != "{}")
        .collect()
}

/// Reads a table and those that it refers to; a reference by number stands for the content of its row.
fn read_table(conn: &Connection, table: &str, seen: &mut HashMap<String, Vec<(i64, String)>>) {
    if seen.contains_key(table) {
        return;
    }
    let mut references: HashMap<String, HashMap<i64, u64>> = HashMap::new();
    let mut keys =
        conn.prepare(&format!("SELECT \"from\", \"table\" FROM pragma_foreign_key_list('{table}') WHERE \"to\" = 'id'")).unwrap();
    let keys = keys.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap);
    let mut query = conn.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let names: Vec<String> = query.column_names().map(str::to_owned).collect();
    let undeclared = names.iter().filter_map(|name| {
        let to = UNDECLARED.iter().find(|(suffix, _)| name.ends_with(suffix))?.1;
        Some((name.clone(), to.to_owned()))
    });
    for (from, to) in keys.chain(undeclared).collect::<BTreeMap<String, String>>() {
        read_table(conn, &to, seen);
        references.insert(from, seen[&to].iter().map(|(id, row)| (*id, hash(row.as_bytes()))).collect());
    }
    let mut rows = query.query([]).unwrap();
    let mut read = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let mut text = String::new();
        let mut id = 0;
        for (i, name) in names.iter().enumerate() {
            let value = row.get_ref(i).unwrap();
            match (references.get(name), value) {
                (Some(referred), ValueRef::Integer(to)) => text.push_str(&format!("{name} {:x}, ", referred[&to])),
                _ if !OF_THE_RUN.contains(&name.as_str()) => text.push_str(&format!("{name} {}, ", shown(value))),
                (_, ValueRef::Integer(number)) if name == "id" => id = number,
                _ => {}
            }
        }
        read.push((id, text));
    }
    seen.insert(table.to_owned(), read);
}

fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Blob(bytes) if bytes.len() > 32 => format!("{} bytes {:x}", bytes.len(), hash(bytes)),
        other => format!("{other:?}"),
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

fn column(conn: &Connection, query: &str) -> Vec<String> {
    conn.prepare(query).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Tables and the like in a file; 0 where there is none.
fn n_objects(store: &Path) -> i64 {
    let count = |conn: Connection| conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    if store.exists() { count(Connection::open_with_flags(store, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()) } else { 0 }
}
