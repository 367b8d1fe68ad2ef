//! The workspace as cargo describes it, and its files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The packages of a build, and what each uses.
pub(crate) struct Workspace {
    metadata: Value,
    /// Names of packages by their ids.
    names: BTreeMap<String, String>,
    /// Ids of the normal (not build, not development) dependencies of every package.
    below: BTreeMap<String, Vec<String>>,
}

/// A dependency as a manifest declares it.
pub(crate) struct Declared {
    /// The name by which source files know it.
    pub(crate) ident: String,
    /// `None` for a normal dependency, otherwise `dev` or `build`.
    pub(crate) kind: Option<String>,
}

impl Workspace {
    /// Reads the packages that a build for this machine uses: those of other platforms need not have been fetched.
    pub(crate) fn of_this_platform() -> Self {
        Self::read(&["--filter-platform", &host()])
    }

    /// Reads the packages of every platform; fetches those that are missing.
    pub(crate) fn of_every_platform() -> Self {
        Self::read(&[])
    }

    fn read(more: &[&str]) -> Self {
        let metadata: Value = serde_json::from_str(&cargo(&[&["metadata", "--format-version", "1", "--locked"], more].concat())).unwrap();
        let names = list(&metadata["packages"]).map(|package| (text(&package["id"]), text(&package["name"]))).collect();
        let is_normal = |dep: &&Value| list(&dep["dep_kinds"]).any(|kind| kind["kind"].is_null());
        let below = |node: &Value| list(&node["deps"]).filter(is_normal).map(|dep| text(&dep["pkg"])).collect();
        let below = list(&metadata["resolve"]["nodes"]).map(|node| (text(&node["id"]), below(node))).collect();
        Self { names, below, metadata }
    }

    /// Names of the workspace's packages.
    pub(crate) fn members(&self) -> BTreeSet<&str> {
        list(&self.metadata["workspace_members"]).map(|id| self.names[&text(id)].as_str()).collect()
    }

    /// Names of a member's normal dependencies.
    pub(crate) fn uses(&self, member: &str) -> BTreeSet<&str> {
        self.below[self.id(member)].iter().map(|id| self.names[id].as_str()).collect()
    }

    /// Names of all packages that a member's normal dependencies lead to.
    pub(crate) fn reaches(&self, member: &str) -> BTreeSet<&str> {
        let mut seen = BTreeSet::new();
        let mut open = vec![self.id(member)];
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                open.extend(&self.below[id]);
            }
        }
        seen.into_iter().map(|id| self.names[id].as_str()).collect()
    }

    fn id(&self, member: &str) -> &String {
        let is_member = |id: &&String| list(&self.metadata["workspace_members"]).any(|listed| listed.as_str() == Some(id.as_str()));
        let named = |id: &&String| self.names[*id] == member && is_member(id);
        self.names.keys().find(named).expect("a workspace member")
    }

    /// Every package with its licence.
    pub(crate) fn licences(&self) -> impl Iterator<Item = (String, String)> {
        let name = |package: &Value| format!("{} {}", text(&package["name"]), text(&package["version"]));
        list(&self.metadata["packages"]).map(move |package| (name(package), text(&package["license"])))
    }

    /// The directory of a member and the dependencies that its manifest declares.
    pub(crate) fn manifest(&self, member: &str) -> (PathBuf, Vec<Declared>) {
        let id = self.id(member);
        let package = list(&self.metadata["packages"]).find(|package| text(&package["id"]) == *id).unwrap();
        let dir = PathBuf::from(text(&package["manifest_path"])).parent().unwrap().to_owned();
        let declared = |dep: &Value| Declared {
            ident: dep["rename"].as_str().or(dep["name"].as_str()).unwrap_or_default().replace('-', "_"),
            kind: dep["kind"].as_str().map(str::to_owned),
        };
        (dir, list(&package["dependencies"]).map(declared).collect())
    }
}

/// The platform of this machine, such as `x86_64-unknown-linux-gnu`.
fn host() -> String {
    let version = cargo(&["-vV"]);
    version.lines().find_map(|line| line.strip_prefix("host: ")).expect("cargo names its host").to_owned()
}

fn cargo(arguments: &[&str]) -> String {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(program).args(arguments).current_dir(root()).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Files below a directory whose names end so; none where it is not there.
pub(crate) fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let below = |path: PathBuf| match path.is_dir() {
        true if path.ends_with("target") || path.ends_with("node_modules") => Vec::new(),
        true => files(&path, ending),
        false => vec![path],
    };
    let paths = entries.map(|entry| entry.unwrap().path()).flat_map(below);
    paths.filter(|path| path.to_string_lossy().ends_with(ending)).collect()
}
