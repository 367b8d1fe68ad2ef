//! The dependency tree keeps its shape: arrows go one way, pure crates stay pure, licences allow use; nothing lies about unused.

#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise, helpers included")]

mod papers;
mod rules;
mod workspace;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rules::{ARROWS, HOLDERS, LICENCES, OUT_OF_REACH, UNNAMED};
use workspace::{Declared, Workspace, files, root};

#[test]
fn arrows_between_crates_go_one_way() {
    let workspace = Workspace::of_this_platform();
    let members = workspace.members();
    assert_eq!(members.len(), ARROWS.len(), "each crate has a row, and each row a crate");
    for member in &members {
        let allowed = ARROWS.iter().find(|(from, _)| from == member).unwrap_or_else(|| panic!("{member} is not in ARROWS")).1;
        for used in workspace.uses(member).intersection(&members) {
            assert!(allowed.contains(used), "{member} must not use {used}");
        }
    }
}

#[test]
fn heavy_dependencies_stay_where_they_belong() {
    let workspace = Workspace::of_this_platform();
    let members = workspace.members();
    for (dependency, holders) in HOLDERS {
        for member in members.iter().filter(|member| !holders.contains(member)) {
            assert!(!workspace.uses(member).contains(dependency), "{member} must not use {dependency}");
        }
    }
}

#[test]
fn pure_crates_know_no_sockets_no_sql_and_no_html() {
    let workspace = Workspace::of_this_platform();
    let members = workspace.members();
    for (crates, barred) in OUT_OF_REACH {
        for pure in crates.iter().filter(|pure| members.contains(*pure)) {
            let reached = workspace.reaches(pure);
            let found: Vec<_> = barred.iter().filter(|name| reached.contains(*name)).collect();
            assert!(found.is_empty(), "{pure} reaches {found:?}");
        }
    }
}

#[test]
fn licences_allow_use() {
    licences_are_allowed(&Workspace::of_this_platform());
}

#[test]
#[ignore = "fetches the packages of all other platforms; `make check` runs it"]
fn licences_of_every_platform_allow_use() {
    licences_are_allowed(&Workspace::of_every_platform());
}

fn licences_are_allowed(workspace: &Workspace) {
    for (package, licence) in workspace.licences() {
        assert!(satisfiable(&licence), "{package}: licence {licence:?}");
    }
}

/// True if an SPDX expression of ANDs of ORs (or old-style slashes) can be met with [`LICENCES`].
fn satisfiable(expression: &str) -> bool {
    let flat = expression.replace(['(', ')'], " ").replace('/', " OR ");
    let met = |term: &str| term.split(" OR ").any(|licence| LICENCES.contains(&licence.trim()));
    !expression.is_empty() && flat.split(" AND ").all(met)
}

#[test]
fn every_dependency_is_used() {
    let workspace = Workspace::of_this_platform();
    let unused: Vec<String> = workspace.members().into_iter().flat_map(|member| unused(&workspace, member)).collect();
    assert!(unused.is_empty(), "no source file names these: {unused:?}");
}

/// Dependencies of a member that none of its files names.
fn unused(workspace: &Workspace, member: &str) -> Vec<String> {
    let (dir, dependencies) = workspace.manifest(member);
    let is_excused = |ident: &str| UNNAMED.iter().any(|(name, dependency, _)| *name == member && *dependency == ident);
    let is_used = |Declared { ident, kind }: &Declared| {
        is_excused(ident) || places_of(&dir, kind.as_deref()).iter().any(|file| names(&std::fs::read_to_string(file).unwrap(), ident))
    };
    dependencies.iter().filter(|dependency| !is_used(dependency)).map(|dependency| format!("{member}: {}", dependency.ident)).collect()
}

#[test]
fn every_dependency_of_the_workspace_has_a_crate_that_uses_it() {
    let workspace = Workspace::of_this_platform();
    let manifest: toml::Table = std::fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let declared = workspace.members().into_iter().flat_map(|member| workspace.manifest(member).1);
    let used: BTreeSet<String> = declared.map(|declared| declared.ident).collect();
    let names = manifest["workspace"]["dependencies"].as_table().unwrap().keys();
    let unused: Vec<_> = names.filter(|name| !used.contains(&name.replace('-', "_"))).collect();
    assert!(unused.is_empty(), "no crate uses these: {unused:?}");
}

/// Source files that may name a dependency of this kind.
fn places_of(dir: &Path, kind: Option<&str>) -> Vec<PathBuf> {
    match kind {
        Some("build") => vec![dir.join("build.rs")],
        Some(_) => ["src", "tests", "benches", "examples"].iter().flat_map(|name| files(&dir.join(name), ".rs")).collect(),
        None => files(&dir.join("src"), ".rs"),
    }
}

/// True if code, comments aside, begins a path with this name or takes it into scope.
fn names(code: &str, ident: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let named_at = |line: &str, at: usize| {
        let rest = &line[at + ident.len()..];
        !line[..at].ends_with(is_word) && (rest.starts_with("::") || (line.contains("use ") && rest.starts_with([';', ' '])))
    };
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.into_iter().any(|line| line.match_indices(ident).any(|(at, _)| named_at(line, at)))
}

#[test]
fn every_worker_is_started() {
    let serve = std::fs::read_to_string(root().join("crates/allium/src/commands/serve.rs")).unwrap();
    let started: Vec<&str> = serve.lines().filter(|line| line.contains("supervisor.start(")).collect();
    let sources = files(&root().join("crates/allium-service/src/workers"), ".rs");
    let text: String = sources.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let workers: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("impl Worker for ")?.strip_suffix(" {")).collect();
    assert!(workers.len() >= 7, "{workers:?}");
    for worker in workers {
        assert!(started.iter().any(|line| line.contains(worker)), "serve does not start {worker}");
    }
}

#[test]
fn every_snapshot_is_accepted_and_has_its_test() {
    let pending: Vec<PathBuf> = files(&root().join("crates"), ".snap.new");
    assert!(pending.is_empty(), "neither accepted nor removed: {pending:?}");
    for file in files(&root().join("crates"), ".snap") {
        let text = std::fs::read_to_string(&file).unwrap();
        let source = text.lines().find_map(|line| line.strip_prefix("source: ")).expect("a snapshot names its source");
        assert!(root().join(source).is_file(), "{}: {source} is not there", file.display());
    }
}
