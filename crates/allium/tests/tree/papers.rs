//! What papers and rules name is there: tests, rows of `make attack`, metrics, licences.

use std::collections::BTreeSet;

use crate::rules::LICENCES;
use crate::workspace::{files, root};

/// Fewest words of a test's name; shorter ones in backquotes are other names.
const WORDS_OF_A_TEST: usize = 4;
/// What Prometheus' clients put behind the name of a counter or a histogram.
const ENDINGS: [&str; 4] = ["_total", "_bucket", "_sum", "_count"];

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All source text below folders of the repository.
fn sources(folders: &[&str]) -> String {
    let sources = folders.iter().flat_map(|folder| files(&root().join(folder), ".rs"));
    sources.map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

/// Words in backquotes.
fn quoted(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn is_test(word: &str) -> bool {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    word.chars().all(is_name) && word.split('_').count() >= WORDS_OF_A_TEST && !word.starts_with("allium_")
}

#[test]
fn what_the_security_paper_names_is_there() {
    let paper = read("docs/security.md");
    let (tests, rows) = (sources(&["crates"]), read("crates/allium/benches/attack/main.rs"));
    let named: Vec<&str> = quoted(&paper).into_iter().filter(|word| is_test(word)).collect();
    assert!(named.len() > 30, "{named:?}");
    let lost: Vec<&&str> = named.iter().filter(|name| !tests.contains(&format!("fn {name}("))).collect();
    assert!(lost.is_empty(), "no test has these names: {lost:?}");
    let attacks: Vec<&str> =
        quoted(&paper).into_iter().filter_map(|word| word.strip_prefix("attack:")).filter(|name| !name.is_empty()).collect();
    assert!(attacks.len() > 10, "{attacks:?}");
    let lost: Vec<&&str> = attacks.iter().filter(|name| !rows.contains(&format!("\"{name}\""))).collect();
    assert!(lost.is_empty(), "no row of make attack has these names: {lost:?}");
}

#[test]
fn every_metric_that_alerts_name_is_given() {
    let code = sources(&["crates/allium-server/src"]);
    let rules = read("packaging/prometheus/allium.rules.yml");
    let words = rules.lines().filter_map(|line| line.trim().strip_prefix("expr: "));
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let named: BTreeSet<&str> = words.flat_map(|line| line.split(|c| !is_name(c))).filter(|word| word.starts_with("allium_")).collect();
    assert!(named.len() > 8, "{named:?}");
    let is_given = |name: &str| code.contains(&format!("\"{name}\""));
    let is_known = |name: &str| is_given(name) || ENDINGS.iter().any(|ending| name.strip_suffix(ending).is_some_and(is_given));
    let lost: Vec<&&str> = named.iter().filter(|name| !is_known(name)).collect();
    assert!(lost.is_empty(), "/metrics has none of these: {lost:?}");
}

#[test]
fn cargo_deny_allows_the_same_licences() {
    let deny: toml::Table = read("deny.toml").parse().unwrap();
    let allowed: BTreeSet<&str> = deny["licenses"]["allow"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(allowed, LICENCES.iter().copied().collect());
}
