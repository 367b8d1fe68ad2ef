//! The file that is named is the file that is opened, whatever its name means elsewhere.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::{Command, Output};

fn allium(dir: &Path, args: &[&OsStr], environment: &[(&str, &OsStr)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_allium"));
    command.args(args).envs(environment.iter().copied()).env_remove("ALLIUM_CONFIG").current_dir(dir).output().unwrap()
}

fn import(dir: &Path, store: &OsStr) -> Output {
    let documents = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/onionoo/details.json");
    allium(dir, &[OsStr::new("import"), OsStr::new("onionoo"), OsStr::new(documents), OsStr::new("--store"), store], &[])
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn files(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = dir.read_dir().unwrap().map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_name_is_no_uri() {
    for name in [
        "two words.db",
        "50%25 of it#top?mode=memory.db",
        "file:plain.db",
        "file:x.db?mode=memory",
        ":memory:",
        "it's \"it\".db",
        "żółw.db",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let output = import(dir.path(), OsStr::new(name));
        assert!(output.status.success(), "{name}: {}", said(&output));
        assert_eq!(files(dir.path()), [name]);
        let arguments = ["store", "check", "--store", name].map(OsStr::new);
        assert!(allium(dir.path(), &arguments, &[]).status.success(), "{name}");
        let copy = format!("copy of {name}");
        let arguments = ["store", "backup", &copy, "--store", name].map(OsStr::new);
        assert!(allium(dir.path(), &arguments, &[]).status.success(), "{name}");
        assert!(dir.path().join(&copy).exists(), "{copy}: {:?}", files(dir.path()));
    }
}

#[test]
fn a_path_is_taken_from_where_the_program_runs() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("below")).unwrap();
    let whole = format!("sqlite:{}", dir.path().join("whole.db").display());
    for store in ["sqlite:plain.db", "below/../up.db", "./below/in it.db", &whole] {
        let output = import(dir.path(), OsStr::new(store));
        assert!(output.status.success(), "{store}: {}", said(&output));
    }
    assert_eq!(files(dir.path()), ["below", "plain.db", "up.db", "whole.db"]);
    assert_eq!(files(&dir.path().join("below")), ["in it.db"]);
}

#[test]
fn what_can_be_no_store_is_refused_and_nothing_is_made() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("folder")).unwrap();
    for (store, expected) in [
        (&b"folder"[..], "folder"),
        (b"no/such/folder/tor.db", "no/such/folder/tor.db"),
        (b"", "store"),
        (b"sqlite:", "expected a path"),
        (b"not\xffutf-8.db", "UTF-8"),
    ] {
        let output = import(dir.path(), OsStr::from_bytes(store));
        assert!(!output.status.success() && said(&output).contains(expected), "{store:?}: {}", said(&output));
    }
    let arguments = ["store", "stats"].map(OsStr::new);
    let output = allium(dir.path(), &arguments, &[("ALLIUM_STORE", OsStr::from_bytes(b"\xff.db"))]);
    assert!(!output.status.success() && said(&output).contains("not UTF-8"), "{}", said(&output));
    assert_eq!(files(dir.path()), ["folder"]);
}
