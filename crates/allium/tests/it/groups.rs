//! Figures of groups and leaderboards on the real documents against an independent count: `groups_count.py`, standard library only.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests may stop at the first surprise, and say what they compared")]

use std::path::Path;
use std::process::Command;

use crate::support::real_data;
use allium_analysis::groups::GroupFigures;
use allium_analysis::operators::MemberFigures;
use allium_analysis::{Category, NetworkReport};
use allium_history::assemble;
use allium_model::{Bounds, Fraction, Period, Timestamp};
use allium_service::View;
use allium_service::workers::intake::Intake;
use allium_sources::onionoo::decode_file;
use allium_sources::read::Limits;

/// Groups of each kind, and ranks of each leaderboard, that are compared.
const COMPARED: usize = 10;

fn view(documents: &Path) -> View {
    let mut intake = Intake::default();
    for name in ["details.json.zst", "uptime.json.zst"] {
        intake.add(decode_file(&documents.join(name), &Limits::default(), Bounds::default()).unwrap(), Timestamp::UNIX_EPOCH);
    }
    let record = assemble(&intake.into_update()).unwrap();
    let report = NetworkReport::compute(&record);
    View::new(record, report)
}

/// The lines of the independent count, where Python is at hand.
fn independent(documents: &Path) -> Option<String> {
    let dir = tempfile::tempdir().unwrap();
    let unpacked = ["details", "uptime"].map(|name| {
        let path = dir.path().join(format!("{name}.json"));
        let packed = std::fs::File::open(documents.join(format!("{name}.json.zst"))).unwrap();
        zstd::stream::copy_decode(packed, std::fs::File::create(&path).unwrap()).unwrap();
        path
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/groups_count.py");
    let Ok(output) = Command::new("python3").arg(script).args(unpacked).output() else {
        println!("skipped: no python3");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// A group as one line, behind its consensus weight and its key, which order the lines.
type Line = (u64, String, String);

/// Relays, running relays, weight share, mean uptime, relays with a figure.
type Figures = (usize, usize, Option<Fraction>, Fraction, usize);

fn line(kind: &str, key: &str, weight: u64, (relays, running, share, mean, with_figure): Figures) -> Line {
    let share = share.unwrap().get();
    (weight, key.to_owned(), format!("{kind}\t{key}\t{relays}\t{running}\t{share:.9}\t{:.6}\t{with_figure}", mean.get()))
}

fn of_group(kind: &str, key: &str, figures: &GroupFigures) -> Option<Line> {
    let uptime = figures.uptime[Period::OneMonth.index()]?;
    let rest = (figures.n_relays, figures.n_running, figures.weight_share, uptime.mean, uptime.n_relays);
    Some(line(kind, key, figures.consensus_weight.unwrap(), rest))
}

fn of_members(kind: &str, key: &str, figures: &MemberFigures) -> Option<Line> {
    let uptime = figures.uptime[Period::OneMonth.index()]?;
    let rest = (figures.n_relays, figures.n_running, figures.weight_share, uptime.mean, uptime.n_relays);
    Some(line(kind, key, figures.consensus_weight.unwrap(), rest))
}

fn heaviest(mut lines: Vec<Line>) -> Vec<String> {
    lines.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    lines.into_iter().take(COMPARED).map(|(_, _, line)| line).collect()
}

fn group_lines(view: &View) -> Vec<String> {
    let (groups, operators) = (&view.groups, &view.operators);
    let systems = groups.autonomous_systems.iter().filter_map(|group| of_group("as", &group.key.to_string(), &group.figures));
    let countries = groups.countries.iter().filter_map(|group| of_group("country", group.key.as_str(), &group.figures));
    let domains = operators.domains.iter().filter_map(|(domain, figures)| of_members("domain", domain.as_str(), &figures.claimed));
    let families = operators.directory.families.families.iter().zip(&operators.families);
    let families = families.filter_map(|(family, figures)| of_members("family", &family.key.to_string(), figures));
    [systems.collect(), countries.collect(), domains.collect(), families.collect()].into_iter().flat_map(heaviest).collect()
}

fn board_lines(view: &View, category: Category) -> Vec<String> {
    let ranking = view.operators.leaderboards.ranking(category);
    let name = category.name();
    let mut lines: Vec<String> = ranking
        .iter()
        .take(COMPARED)
        .map(|ranked| {
            let id = &view.operators.list()[ranked.operator_idx as usize].id;
            format!("board\t{name}\t{}\t{id}\t{:.9}\t{}", ranked.rank, ranked.score, ranked.n_relays)
        })
        .collect();
    lines.push(format!("board\t{name}\tranked\t{}", ranking.len()));
    lines
}

#[test]
fn groups_and_leaderboards_are_as_an_independent_count_has_them() {
    let Some(data) = real_data() else { return };
    let documents = data.join("onionoo-2026-02-15");
    let Some(theirs) = independent(&documents) else { return };
    let view = view(&documents);
    let mut ours = group_lines(&view);
    ours.extend(Category::ALL.into_iter().flat_map(|category| board_lines(&view, category)));
    let mut theirs: Vec<&str> = theirs.lines().collect();
    // The two have categories in different orders.
    let by_board = |line: &str| line.strip_prefix("board\t").map(|rest| rest.split('\t').next().unwrap_or_default().to_owned());
    ours.sort_by_key(|line| by_board(line));
    theirs.sort_by_key(|line| by_board(line));
    let differing: Vec<_> = ours.iter().zip(&theirs).filter(|(ours, theirs)| ours != *theirs).collect();
    assert!(differing.is_empty() && ours.len() == theirs.len(), "{} lines and {}: {differing:#?}", ours.len(), theirs.len());
    println!("{} lines are equal", ours.len());
}
