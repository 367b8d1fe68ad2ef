//! `allium forecast` and `allium evaluate forecast` on a small simulated network.
#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use allium_history::{ConsensusInfo, ExactHistory, StoreUrl};
use allium_model::{ConsensusHour, StateSpan};

const AS_OF: &str = "2025-12-20T00:00:00Z";
const COLUMNS: &str = "fingerprint,as_of,horizon_days,model,mean,q05,q10,q25,q50,q75,q90,q95,p_below_90,p_gone,label";

fn run(store: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_allium")).arg("--store").arg(store).args(args).env_remove("ALLIUM_CONFIG").output().unwrap()
}

fn stdout(store: &Path, args: &[&str]) -> String {
    let output = run(store, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A store with 160 days of 60 relays up to 2026-01-01.
fn store(dir: &Path) -> PathBuf {
    let store = dir.join("whole.db");
    let out = dir.to_str().unwrap();
    stdout(&store, &["simulate", "--relays", "60", "--days", "160", "--write", "presence", "--out", out]);
    let mut import: Vec<String> = ["import", "presence"].map(String::from).to_vec();
    for entry in std::fs::read_dir(dir.join("presence")).unwrap().map(|entry| entry.unwrap().path()) {
        let flag = entry.file_name().unwrap().to_str().unwrap().split('.').next().unwrap().to_owned();
        let flag = if flag == "presence" { "spans" } else { &flag };
        import.extend([format!("--{flag}"), entry.display().to_string()]);
    }
    stdout(&store, &import.iter().map(String::as_str).collect::<Vec<_>>());
    store
}

/// A store with what another one holds up to an hour.
fn cut(dir: &Path, whole: &Path, as_of: ConsensusHour) -> PathBuf {
    let store = dir.join("cut.db");
    let ExactHistory { consensuses, timeline, .. } = StoreUrl::from(whole).open_read_only().unwrap().exact().unwrap();
    let infos: Vec<ConsensusInfo> = consensuses.into_iter().map(|known| known.info).filter(|info| info.hour <= as_of).collect();
    let hours = timeline.known().hours();
    let spans = timeline.relays().iter().flat_map(|relay| relay.spans.iter().map(move |span| (relay.fingerprint, span)));
    let spans = spans.map(|(fingerprint, span)| {
        let state = timeline.state(span).clone();
        let end = hours[span.end as usize - 1].next().min(as_of.next());
        (fingerprint, StateSpan { start: hours[span.start as usize], end, state })
    });
    let mut known = spans.filter(|(_, span)| span.start < span.end);
    StoreUrl::from(&store).open().unwrap().append_spans(&infos, &mut known).unwrap();
    store
}

#[test]
fn forecasts_are_the_same_whether_or_not_the_store_holds_later_data() {
    let dir = tempfile::tempdir().unwrap();
    let whole = store(dir.path());
    let cut = cut(dir.path(), &whole, AS_OF.parse().unwrap());
    let args = ["forecast", "--as-of", AS_OF, "--horizon-days", "30", "--format", "csv"];
    let [first, again, without] = [&whole, &whole, &cut].map(|store| stdout(store, &args));
    assert_eq!(first, again);
    assert_eq!(first, without);
    let mut lines = first.lines();
    assert_eq!(lines.next(), Some(COLUMNS));
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert!(rows.len() >= 50 && rows.is_sorted_by_key(|row| row[0]), "{} rows", rows.len());
    for row in rows {
        assert_eq!((row.len(), row[0].len(), row[1], row[2]), (15, 40, AS_OF, "30"), "{row:?}");
        let shares: Vec<f64> = row[4..14].iter().map(|share| share.parse().unwrap()).collect();
        assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)) && shares[1..8].is_sorted(), "{row:?}");
        assert!(["stable", "improving", "monitor", "at_risk", "critical"].contains(&row[14]), "{row:?}");
    }
}

#[test]
fn documents_of_a_later_time_change_no_forecast() {
    let dir = tempfile::tempdir().unwrap();
    let whole = store(dir.path());
    let documents = dir.path().join("documents");
    let out = documents.to_str().unwrap();
    stdout(&whole, &["simulate", "--relays", "60", "--days", "160", "--write", "onionoo", "--out", out]);
    let train = |name: &str| {
        let model = dir.path().join(name);
        stdout(&whole, &["forecast", "train", "--as-of", AS_OF, "--out", model.to_str().unwrap()]);
        std::fs::read(model).unwrap()
    };
    let ask = || stdout(&whole, &["forecast", "--as-of", AS_OF]);
    let (forecast, model) = (ask(), train("before.json"));
    stdout(&whole, &["import", "onionoo", out]);
    assert_eq!(ask(), forecast);
    assert!(train("after.json") == model, "the same model");
}

#[test]
fn a_trained_model_forecasts_the_same_and_only_what_comes_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let model = dir.path().join("model.json").display().to_string();
    let train = ["forecast", "train", "--as-of", AS_OF, "--out", &model];
    stdout(&store, &train);
    let kept = std::fs::read(&model).unwrap();
    let with = stdout(&store, &["forecast", "--as-of", AS_OF, "--model", &model]);
    assert_eq!(with, stdout(&store, &["forecast", "--as-of", AS_OF]));
    let later: serde_json::Value =
        serde_json::from_str(&stdout(&store, &["forecast", "--as-of", "2025-12-25T06:30:00Z", "--model", &model, "--format", "json"]))
            .unwrap();
    assert_eq!(later["as_of"], "2025-12-25T06:00:00Z");
    assert_eq!(later["model"]["trained_as_of"], AS_OF);
    assert!(later["relays"].as_array().unwrap().len() >= 50);
    // Learned from what is later than asked for; of another horizon; older than the one in use.
    for (refused, why) in [
        (vec!["forecast", "--as-of", "2025-12-19T00:00:00Z", "--model", &model], "later than --as-of"),
        (vec!["forecast", "--as-of", AS_OF, "--horizon-days", "7", "--model", &model], "forecasts 30 days"),
        (vec!["forecast", "train", "--as-of", "2025-12-01T00:00:00Z", "--out", &model], "the model in use"),
    ] {
        let output = run(&store, &refused);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && said.contains(why), "{said}");
    }
    stdout(&store, &train);
    assert_eq!(std::fs::read(&model).unwrap(), kept);
}

#[test]
fn evaluation_prints_tables_and_writes_a_scoreboard() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let out = dir.path().join("board");
    let args = ["evaluate", "forecast", "--from", "2025-10-20", "--to", "2025-12-31", "--out", out.to_str().unwrap()];
    let tables = stdout(&store, &args);
    for word in ["2025-11-20T00:00:00Z", "allium", "persistence", "combination", "network", "ets", "Mean over 2 origins", "survivors"] {
        assert!(tables.contains(word), "{word}: {tables}");
    }
    let scoreboard: serde_json::Value = serde_json::from_slice(&std::fs::read(out.join("forecast.json")).unwrap()).unwrap();
    // More than half of the horizon of 2025-12-20 is unknown.
    assert_eq!(scoreboard["origins"].as_array().unwrap().len(), 2);
    // A run that was stopped is taken up: what is done is not done again.
    let origins = out.join("forecast-origins");
    std::fs::remove_file(origins.join("2025-10-20T000000Z.json")).unwrap();
    let kept = std::fs::read(origins.join("2025-11-20T000000Z.json")).unwrap();
    let resumed: Vec<&str> = args.iter().copied().chain(["--resume"]).collect();
    assert_eq!(stdout(&store, &resumed), tables);
    assert_eq!(std::fs::read(origins.join("2025-11-20T000000Z.json")).unwrap(), kept);
    let one = stdout(&store, &["evaluate", "forecast", "--from", "2025-10-20", "--to", "2025-10-20", "--models", "persistence"]);
    assert!(!one.contains("2025-11-10"), "{one}");
    let two =
        stdout(&store, &["evaluate", "forecast", "--from", "2025-10-20", "--to", "2025-10-20", "--also", "2025-11-10", "--models", "wfu"]);
    assert!(two.contains("2025-11-10T00:00:00Z") && two.contains("Mean over 2 origins"), "{two}");
    assert!(one.contains("persistence") && one.contains("conditional") && !one.contains("forest"), "{one}");
    assert_eq!(run(&store, &["evaluate", "forecast", "--from", "2026-01-01", "--to", "2025-01-01"]).status.code(), Some(1));
}
