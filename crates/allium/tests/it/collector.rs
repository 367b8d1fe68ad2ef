//! `allium import collector`: what the store holds afterwards equals a count of the documents, line by line.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests may stop at the first surprise and say what they skip")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use allium_history::StoreUrl;
use allium_model::{ConsensusHour, RelayFlag};
use allium_simulate::consensus as simulated;
use allium_sources::consensus::verify::{Certificates, TrustedAuthority, verify};
use allium_sources::consensus::{Flavour, LIMITS, decode};
use allium_sources::read::read_file;
use allium_testkit::signing;
use assert_cmd::Command;

/// Relays by flag, and all of them under the empty name.
type Counts = BTreeMap<String, usize>;

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/consensus").join(name)
}

fn import(store: &Path, paths: &[PathBuf]) -> Command {
    let mut command = Command::cargo_bin("allium").unwrap();
    command.arg("--store").arg(store).args(["import", "collector"]).args(paths);
    command
}

/// Relays and flags of a document whose relays are all Running.
fn counted(text: &str) -> Counts {
    let mut counts = Counts::new();
    for line in text.lines() {
        if line.starts_with("r ") {
            *counts.entry(String::new()).or_default() += 1;
        }
        for flag in line.strip_prefix("s ").unwrap_or_default().split_whitespace() {
            *counts.entry(flag.to_owned()).or_default() += 1;
        }
    }
    counts
}

fn counted_weight(text: &str) -> u64 {
    let weights = text.lines().filter_map(|line| line.strip_prefix("w Bandwidth="));
    weights.map(|weight| weight.split(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

/// The same of every consensus in the store.
fn stored(store: &Path) -> BTreeMap<ConsensusHour, Counts> {
    let record = StoreUrl::from(store).open_read_only().unwrap().load().unwrap().unwrap();
    let mut stored: BTreeMap<ConsensusHour, Counts> = record.known.hours().iter().map(|hour| (*hour, Counts::new())).collect();
    for span in record.relays.iter().flat_map(|relay| &relay.spans) {
        for counts in stored.range_mut(span.start..span.end).map(|(_, counts)| counts) {
            let flags = span.state.flags.iter().map(RelayFlag::name);
            flags.chain([""]).for_each(|name| *counts.entry(name.to_owned()).or_default() += 1);
        }
    }
    stored
}

#[test]
fn real_consensuses_of_both_flavours_since_2014_are_stored_as_they_are() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/consensus");
    let Ok(files) = std::fs::read_dir(&dir) else {
        println!("skipped: no real data");
        return;
    };
    let files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "xz")).collect();
    let temporary = tempfile::tempdir().unwrap();
    let store = temporary.path().join("allium.db");
    import(&store, &[dir]).assert().success();
    let stored = stored(&store);
    assert_eq!(stored.len(), files.len());
    for file in files {
        let bytes = read_file(&file, &LIMITS).unwrap();
        let (text, consensus) = (std::str::from_utf8(&bytes).unwrap(), decode(&bytes, "real").unwrap());
        assert_eq!(stored[&consensus.hour], counted(text), "{}", file.display());
        assert_eq!(consensus.entries.iter().filter_map(|entry| entry.weight).sum::<u64>(), counted_weight(text), "{}", file.display());
    }
}

#[test]
fn an_hour_is_accepted_once_whatever_the_flavour_and_order() {
    let temporary = tempfile::tempdir().unwrap();
    let (a, b) = (temporary.path().join("a.db"), temporary.path().join("b.db"));
    import(&a, &["ns", "2014", "microdesc"].map(testdata)).assert().success();
    for name in ["microdesc", "2014", "ns", "2014"] {
        import(&b, &[testdata(name)]).assert().success();
    }
    assert_eq!(stored(&a), stored(&b));
    assert_eq!(stored(&a).len(), 2);
    for store in [&a, &b] {
        let history = StoreUrl::from(store).open_read_only().unwrap();
        assert!(history.check().unwrap().is_sound());
        assert_eq!(history.stats().unwrap().n_consensuses, 2);
    }
}

#[test]
fn relays_that_are_not_running_are_not_listed() {
    let temporary = tempfile::tempdir().unwrap();
    let store = temporary.path().join("allium.db");
    import(&store, &[testdata("microdesc")]).assert().success();
    let counts = stored(&store).into_values().next().unwrap();
    assert_eq!((counts[""], counts["Running"], counts["Sybil"], counts["Guard"]), (3, 3, 1, 1));
}

#[test]
fn what_the_authorities_signed_is_marked_as_verified() {
    let temporary = tempfile::tempdir().unwrap();
    let path = |name: &str| temporary.path().join(name);
    let document = std::fs::read(testdata("ns")).unwrap();
    std::fs::write(path("signed"), signing::signed(&document, Flavour::Ns, &signing::AUTHORITIES[..2])).unwrap();
    std::fs::write(path("certificates"), signing::certificates(2025..2027)).unwrap();
    let import = |store: &str, document: PathBuf, trusted: bool| {
        let mut command = import(&path(store), &[document]);
        for authority in signing::trusted().iter().filter(|_| trusted) {
            command.arg("--authority").arg(format!("{} {}", authority.name, authority.identity));
        }
        let output = command.arg("--certificates").arg(path("certificates")).output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    for (store, document, expected) in [("a.db", path("signed"), "1 verified"), ("b.db", testdata("ns"), "0 verified")] {
        let (is_success, text) = import(store, document, true);
        assert!(is_success && text.contains(expected), "{text}");
    }
    let (is_success, text) = import("c.db", path("signed"), false);
    assert!(!is_success && text.contains("no certificate of a trusted authority"), "{text}");
}

#[test]
fn a_simulated_network_is_read_and_verified_in_both_flavours() {
    let end: ConsensusHour = "2026-02-15T18:00:00Z".parse().unwrap();
    let options = allium_simulate::Options { n_relays: 60, history_days: 3, ..allium_simulate::Options::new(7, end) };
    let network = allium_simulate::Network::generate(&options);
    let trusted = |authority: simulated::Authority| TrustedAuthority {
        name: authority.nickname.to_owned(),
        identity: authority.identity,
        directory: None,
    };
    let trusted: Vec<TrustedAuthority> = simulated::authorities(&network).into_iter().map(trusted).collect();
    let mut certificates = Certificates::default();
    assert_eq!(certificates.add(simulated::certificates(&network, end).as_bytes(), "simulated", &trusted), []);
    for flavour in simulated::Flavour::ALL {
        let text = simulated::document(&network, end, flavour).unwrap();
        let consensus = decode(text.as_bytes(), "simulated").unwrap();
        assert_eq!((consensus.hour, consensus.n_rejects), (end, 0), "{:?}", consensus.rejects);
        let weight: u64 = consensus.entries.iter().filter_map(|entry| entry.weight).sum();
        assert_eq!((consensus.entries.len(), weight), (counted(&text)[""], counted_weight(&text)));
        assert_eq!(verify(&consensus, text.as_bytes(), &certificates, &trusted).unwrap().len(), consensus.signatures.len());
    }
}

#[test]
fn what_cannot_be_read_fails_the_command_and_costs_nothing_else() {
    let temporary = tempfile::tempdir().unwrap();
    let store = temporary.path().join("allium.db");
    let paths = [testdata("bad/truncated-between-relays"), testdata("microdesc"), testdata("bad/html-error-page")];
    let output = import(&store, &paths).assert().failure().code(1).get_output().clone();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("truncated at byte"), "{text}");
    assert!(text.contains("2 of the documents could not be read"), "{text}");
    assert_eq!(stored(&store).len(), 1);
}

#[test]
fn a_directory_without_consensuses_is_no_success() {
    let temporary = tempfile::tempdir().unwrap();
    std::fs::write(temporary.path().join("README"), "nothing here").unwrap();
    import(&temporary.path().join("allium.db"), &[temporary.path().to_owned()]).assert().failure().code(1);
}
