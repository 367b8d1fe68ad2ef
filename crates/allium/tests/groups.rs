//! Figures of groups on the real documents against an independent count: `groups_count.py`, standard library only.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests may stop at the first surprise, and say what they compared")]

mod support;

use std::path::Path;
use std::process::Command;

use allium::intake::Intake;
use allium_analysis::NetworkReport;
use allium_analysis::groups::{GroupFigures, Groups};
use allium_history::assemble;
use allium_model::{Operators, Period, Relay, Timestamp};
use allium_sources::onionoo::decode_file;
use allium_sources::read::Limits;
use support::real_data;

fn groups(documents: &Path) -> Groups {
    let mut intake = Intake::default();
    for name in ["details.json.zst", "uptime.json.zst"] {
        intake.add(decode_file(&documents.join(name), &Limits::default()).unwrap(), Timestamp::UNIX_EPOCH);
    }
    let record = assemble(&intake.into_update()).unwrap();
    let report = NetworkReport::compute(&record);
    let relays: Vec<&Relay> = record.relays.iter().map(|relay| &relay.relay).collect();
    Groups::compute(&record, &report, &Operators::of(&relays))
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
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/groups_count.py");
    let Ok(output) = Command::new("python3").arg(script).args(unpacked).output() else {
        println!("skipped: no python3");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_ten_heaviest_autonomous_systems_and_countries_are_as_an_independent_count_has_them() {
    let Some(data) = real_data() else { return };
    let documents = data.join("onionoo-2026-02-15");
    let Some(lines) = independent(&documents) else { return };
    let groups = groups(&documents);
    let mut systems: Vec<(String, &GroupFigures)> = groups.autonomous_systems.iter().map(|g| (g.key.to_string(), &g.figures)).collect();
    let mut countries: Vec<(String, &GroupFigures)> = groups.countries.iter().map(|g| (g.key.to_string(), &g.figures)).collect();
    for list in [&mut systems, &mut countries] {
        list.sort_by(|a, b| b.1.consensus_weight.cmp(&a.1.consensus_weight).then_with(|| a.0.cmp(&b.0)));
        list.truncate(10);
    }
    let ours = systems.iter().map(|row| ("as", row)).chain(countries.iter().map(|row| ("country", row)));
    let ours: Vec<String> = ours
        .map(|(kind, (key, figures))| {
            let uptime = figures.uptime[Period::OneMonth.index()].unwrap();
            let (weight, mean) = (figures.weight_share.unwrap().get(), uptime.mean.get());
            format!("{kind}\t{key}\t{}\t{}\t{weight:.9}\t{mean:.6}\t{}", figures.n_relays, figures.n_running, uptime.n_relays)
        })
        .collect();
    assert_eq!(ours, lines.lines().collect::<Vec<_>>());
}
