//! The dependency tree keeps its shape: arrows go one way, pure crates stay pure, licences allow use.

#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Workspace crates and the workspace crates that each may use.
const ARROWS: &[(&str, &[&str])] = &[
    ("allium-model", &[]),
    ("allium-sources", &["allium-model"]),
    ("allium-simulate", &["allium-model", "allium-stats"]),
    ("allium-history", &["allium-model"]),
    ("allium-stats", &[]),
    ("allium-analysis", &["allium-model", "allium-stats"]),
    ("allium-forecast", &["allium-model", "allium-stats"]),
    ("allium-detect", &["allium-model", "allium-stats"]),
    ("allium-views", &["allium-model", "allium-analysis", "allium-detect", "allium-forecast"]),
    (
        "allium",
        &[
            "allium-model",
            "allium-sources",
            "allium-simulate",
            "allium-history",
            "allium-stats",
            "allium-analysis",
            "allium-forecast",
            "allium-detect",
            "allium-views",
        ],
    ),
];

/// Crates in which no async runtime, HTTP or SQL may appear, not even far below.
const PURE: &[&str] = &["allium-model", "allium-stats", "allium-analysis", "allium-forecast", "allium-detect"];
const IMPURE: &[&str] = &["tokio", "mio", "hyper", "axum", "reqwest", "rusqlite", "libsqlite3-sys", "async-std", "futures-core"];

/// Licences under which a dependency may come; each expression must be satisfiable with these.
const LICENCES: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
    "0BSD",
    "MIT-0",
];

fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo writes JSON")
}

/// Normal (not build, not development) dependencies of every package by its id.
fn normal_dependencies(metadata: &Value) -> BTreeMap<String, Vec<String>> {
    let normal = |dep: &&Value| dep["dep_kinds"].as_array().unwrap().iter().any(|kind| kind["kind"].is_null());
    let below = |node: &Value| node["deps"].as_array().unwrap().iter().filter(normal).map(|dep| text(&dep["pkg"])).collect();
    metadata["resolve"]["nodes"].as_array().unwrap().iter().map(|node| (text(&node["id"]), below(node))).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn names(metadata: &Value) -> BTreeMap<String, String> {
    metadata["packages"].as_array().unwrap().iter().map(|package| (text(&package["id"]), text(&package["name"]))).collect()
}

#[test]
fn arrows_between_crates_go_one_way() {
    let metadata = metadata();
    let names = names(&metadata);
    let dependencies = normal_dependencies(&metadata);
    let members: BTreeSet<String> = metadata["workspace_members"].as_array().unwrap().iter().map(text).collect();
    for member in &members {
        let name = &names[member];
        let allowed = ARROWS.iter().find(|(from, _)| from == name).unwrap_or_else(|| panic!("{name} is not in ARROWS")).1;
        for used in dependencies[member].iter().filter(|id| members.contains(*id)).map(|id| &names[id]) {
            assert!(allowed.contains(&used.as_str()), "{name} must not use {used}");
        }
    }
    assert_eq!(members.len(), ARROWS.len());
}

#[test]
fn pure_crates_know_no_sockets_and_no_sql() {
    let metadata = metadata();
    let names = names(&metadata);
    let dependencies = normal_dependencies(&metadata);
    for pure in PURE {
        let start = names.iter().find(|(_, name)| name == pure).expect("a workspace member").0;
        let mut seen = BTreeSet::new();
        let mut open = vec![start];
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                assert!(!IMPURE.contains(&names[id].as_str()), "{pure} reaches {}", names[id]);
                open.extend(&dependencies[id]);
            }
        }
    }
}

#[test]
fn licences_allow_use() {
    for package in metadata()["packages"].as_array().unwrap() {
        let expression = text(&package["license"]);
        assert!(satisfiable(&expression), "{} {}: licence {expression:?}", text(&package["name"]), text(&package["version"]));
    }
}

/// Whether an SPDX expression of ANDs of ORs (or old-style slashes) can be met with [`LICENCES`].
fn satisfiable(expression: &str) -> bool {
    let flat = expression.replace(['(', ')'], " ").replace('/', " OR ");
    let met = |term: &str| term.split(" OR ").any(|licence| LICENCES.contains(&licence.trim()));
    !expression.is_empty() && flat.split(" AND ").all(met)
}
