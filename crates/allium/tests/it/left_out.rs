//! One wrong file among several: the others are stored, the wrong one is named with its reason, and the exit status says that something
//! was left out.

use std::path::{Path, PathBuf};
use std::process::Command;

use allium_history::StoreUrl;
use allium_model::NetworkRecord;
use allium_testkit::tar::tar;
use tempfile::TempDir;

const ALICE: &str = "0011223344556677889900112233445566778899";

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(name)
}

/// A directory of documents, a store beside it.
struct Case {
    dir: TempDir,
}

impl Case {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("in")).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("in").join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        std::fs::write(self.path(name), content).unwrap();
        self
    }

    /// Exit status and standard error of an import of the directory.
    fn import(&self, what: &str) -> (Option<i32>, String) {
        self.import_paths(what, &[&self.path("")])
    }

    fn import_paths(&self, what: &str, paths: &[&Path]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_allium"));
        command.env_remove("ALLIUM_CONFIG").args(["import", what]).args(paths).arg("--store").arg(self.store());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }

    fn store(&self) -> PathBuf {
        self.dir.path().join("tor.db")
    }

    fn record(&self) -> NetworkRecord {
        StoreUrl::from(self.store().as_path()).open_read_only().unwrap().load().unwrap().unwrap()
    }
}

pub(crate) fn details(members: &str) -> String {
    format!(
        r#"{{"relays_published":"2026-02-15 18:00:00","relays":[{{"fingerprint":"{ALICE}","nickname":"alice",
            "last_seen":"2026-02-15 18:00:00","running":true,"flags":["Running"]{members}}}]}}"#
    )
}

fn uptime() -> String {
    let graph = r#"{"first":"2026-02-15 08:00:00","last":"2026-02-15 16:00:00","interval":14400.0,"factor":0.001,"values":[999.0,500,0]}"#;
    format!(r#"{{"relays_published":"2026-02-15 18:00:00","relays":[{{"fingerprint":"{ALICE}","uptime":{{"1_month":{graph}}}}}]}}"#)
}

const HTML: &str = "<!doctype html>\r\n<title>503</title>\r\n";

#[test]
fn an_error_page_among_documents_costs_itself() {
    let case = Case::new();
    case.write("details.json", details("")).write("uptime.json", uptime()).write("bandwidth.json", HTML).write("README.md", "words");
    let (status, said) = case.import("onionoo");
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("bandwidth.json: not a JSON document, it begins with: <!doctype html>"), "{said}");
    assert!(said.contains("passed over: ") && said.contains("README.md"), "{said}");
    assert!(said.ends_with("1 of the documents could not be read\n"), "{said}");
    let relay = &case.record().relays[0];
    assert_eq!((relay.relay.nickname.as_deref(), relay.published.len()), (Some("alice"), 1));
}

#[test]
fn every_kind_of_wrong_file_is_named_and_costs_itself() {
    let whole = uptime();
    let wrong: [(&str, &[u8], &str); 6] = [
        ("bandwidth.json", b"", "bandwidth.json: empty"),
        ("uptime.json", &whole.as_bytes()[..150], "uptime.json: truncated at byte 150"),
        ("weights.json", br#"{"error":"busy"}"#, "weights.json: no usable relays_published: missing"),
        ("weights.json", b"[]", "weights.json: not a JSON document"),
        ("uptime.json.gz", b"\x1f\x8b\x08\x00 broken", "uptime.json.gz: damaged gzip data"),
        ("weights.json", whole.as_bytes(), "weights.json: expected a document of kind weights, found uptime"),
    ];
    for (name, content, reason) in wrong {
        let case = Case::new();
        let (status, said) = case.write("details.json", details("")).write(name, content).import("onionoo");
        assert_eq!(status, Some(1), "{said}");
        assert!(said.contains(reason), "{said}");
        assert_eq!(case.record().relays.len(), 1, "{said}");
    }
}

#[cfg(unix)]
#[test]
fn names_of_documents_that_are_no_files_are_left_out() {
    let case = Case::new();
    case.write("details.json", details(""));
    std::fs::create_dir(case.path("uptime.json")).unwrap();
    assert!(Command::new("mkfifo").arg(case.path("weights.json")).status().unwrap().success());
    std::os::unix::fs::symlink(case.path("bandwidth.json"), case.path("bandwidth.json")).unwrap();
    let (status, said) = case.import("onionoo");
    assert_eq!(status, Some(1), "{said}");
    for name in ["uptime.json: not a file", "weights.json: not a file", "bandwidth.json: "] {
        assert!(said.contains(name), "{said}");
    }
    assert!(said.ends_with("3 of the documents could not be read\n"), "{said}");
    assert_eq!(case.record().relays.len(), 1);
}

#[test]
fn what_is_missing_or_no_document_among_named_files_costs_itself() {
    let case = Case::new();
    case.write("details.json", details("")).write("notes.txt", "words");
    std::fs::create_dir(case.path("empty")).unwrap();
    let paths = ["notes.txt", "missing.json", "empty", "details.json"].map(|name| case.path(name));
    let (status, said) = case.import_paths("onionoo", &paths.each_ref().map(PathBuf::as_path));
    assert_eq!(status, Some(1), "{said}");
    for reason in ["notes.txt: not a JSON document", "cannot read", "empty holds no Onionoo documents", "3 of the documents"] {
        assert!(said.contains(reason), "{reason}: {said}");
    }
    assert_eq!(case.record().relays.len(), 1);
}

#[test]
fn documents_that_another_system_saved_are_taken() {
    let case = Case::new();
    let saved = |text: &str| format!("\u{feff}{}", text.replace('\n', "\r\n"));
    let (status, said) = case.write("details.json", saved(&details(""))).write("uptime.json", saved(&uptime())).import("onionoo");
    assert_eq!(status, Some(0), "{said}");
    assert_eq!(case.record().relays[0].published.len(), 1);
}

#[test]
fn whole_numbers_as_floats_reach_the_store() {
    let case = Case::new();
    let members = r#","consensus_weight":1234.0,"advertised_bandwidth":5e6,"overload_general_timestamp":1771137600000.0"#;
    let (status, said) = case.write("details.json", details(members)).import("onionoo");
    assert!(status == Some(0) && said.contains("(0 rejects)"), "{said}");
    let relay = &case.record().relays[0].relay;
    assert_eq!((relay.consensus_weight, relay.advertised_bandwidth), (Some(1234), Some(5_000_000)));
    assert_eq!(relay.overload_general_at.map(|at| at.to_string()).as_deref(), Some("2026-02-15T06:40:00Z"));
}

fn consensus(name: &str) -> String {
    std::fs::read_to_string(testdata("consensus").join(name)).unwrap()
}

/// Number of hours of which the store has a consensus.
fn n_hours(case: &Case) -> usize {
    case.record().known.hours().len()
}

#[test]
fn several_consensuses_of_a_file_are_all_taken() {
    let (new, old) = (consensus("ns"), consensus("2014"));
    let annotated = format!("@type network-status-consensus-3 1.0\n{new}@type network-status-consensus-3 1.0\n{old}");
    for file in [format!("{new}{old}"), annotated.clone(), format!("\u{feff}{}", annotated.replace('\n', "\r\n"))] {
        let case = Case::new();
        let (status, said) = case.write("both", file).write("README", "words").import("collector");
        assert_eq!(status, Some(0), "{said}");
        assert!(said.contains("2 of 2 consensuses taken in") && said.contains("passed over: ") && said.contains("README"), "{said}");
        assert_eq!(n_hours(&case), 2);
    }
}

#[test]
fn a_damaged_consensus_among_others_costs_itself() {
    let (new, old) = (consensus("ns"), consensus("2014"));
    let cut = &new[..new.len() / 2];
    let html = HTML.as_bytes();
    let archive =
        tar(&[("a-consensus", b'0', cut.as_bytes()), ("b-consensus", b'0', old.as_bytes()), ("c-consensus.gz", b'0', b"\x1f\x8b\x08 no")]);
    let cases: [(&str, Vec<u8>, &[&str], &str); 5] = [
        ("both", format!("{cut}{old}").into_bytes(), &["both: truncated at byte", "(from line 1)"], "1 of the documents"),
        ("both", format!("{HTML}{old}").into_bytes(), &["both: not a consensus", "(from line 1)"], "1 of the documents"),
        ("2026-02-15-18-00-00-consensus", html.to_vec(), &["-consensus: not a consensus, it begins with: <!doctype"], "1 of the documents"),
        ("2026-02-15-18-00-00-consensus", vec![], &["-consensus: empty"], "1 of the documents"),
        ("month.tar", archive, &["month.tar:a-consensus: truncated", "month.tar:c-consensus.gz: damaged gzip"], "2 of the documents"),
    ];
    for (name, content, reasons, end) in cases {
        let case = Case::new();
        let (status, said) = case.write(name, content).write("old", &old).import("collector");
        assert_eq!(status, Some(1), "{said}");
        assert!(reasons.iter().all(|reason| said.contains(reason)) && said.contains(end), "{said}");
        assert_eq!(n_hours(&case), 1, "{said}");
    }
}

#[test]
fn text_after_the_signatures_is_a_reject_that_is_printed() {
    let case = Case::new();
    let (status, said) = case.write("both", format!("{}{HTML}{}", consensus("ns"), consensus("2014"))).import("collector");
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("2 lines after the signatures, beginning with <!doctype html>") && said.contains("1 rejects"), "{said}");
    assert_eq!(n_hours(&case), 2);
}

#[test]
fn a_certificate_file_that_cannot_be_read_costs_itself() {
    let case = Case::new();
    case.write("consensus", consensus("ns"));
    let path = |name: &str| case.dir.path().join(name).display().to_string();
    let certificates = allium_testkit::signing::certificates(2025..2027);
    std::fs::write(path("certificates"), certificates.replace('\n', "\r\n")).unwrap();
    let signed = allium_testkit::signing::signed(
        consensus("ns").as_bytes(),
        allium_sources::consensus::Flavour::Ns,
        &allium_testkit::signing::AUTHORITIES[..2],
    );
    let signed = String::from_utf8(signed).unwrap();
    case.write("consensus", format!("{}{}", signed.replace('\n', "\r\n"), consensus("2014")));
    let mut command = Command::new(env!("CARGO_BIN_EXE_allium"));
    command.args(["import", "collector", &case.path("").display().to_string(), "--store", &path("tor.db")]);
    for authority in allium_testkit::signing::trusted() {
        command.arg("--authority").arg(format!("{} {}", authority.name, authority.identity));
    }
    command.args(["--certificates", &path("missing"), "--certificates", &path("certificates")]);
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot read") && said.contains("2 of 2 consensuses taken in, 1 verified"), "{said}");
}
