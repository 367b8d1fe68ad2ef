//! Relays that disappeared: their graphs are completed with what is known, and nothing more.
//!
//! Documents are as of 2026-02-15T18:00:00Z, so graphs that are up to date end at 16:00 (4 hours) and 12:00 (12 hours).

use allium_model::time::parse_tor_time;
use allium_model::{DocumentKind, PublishedGraph, Timestamp};
use allium_sources::onionoo::HistoriesDocument;

use super::{document, histories, uptime};

/// A graph that ends at `end`; `values` as in JSON.
fn graph(interval_hours: i64, end: &str, values: &str) -> String {
    let end_secs = parse_tor_time(&format!("2026-02-{end}:00:00")).unwrap().as_second();
    let half_secs = interval_hours * 1800;
    let n = values.split(',').count() as i64;
    let time = |secs| Timestamp::from_second(secs).unwrap().to_string().replace('T', " ").replace('Z', "");
    let (first, last) = (time(end_secs - (2 * n - 1) * half_secs), time(end_secs - half_secs));
    format!(r#"{{"first":"{first}","last":"{last}","interval":{},"factor":0.001,"values":[{values}]}}"#, interval_hours * 3600)
}

fn relay(i: usize, members: &str) -> String {
    format!(r#"{{"fingerprint":"{i:040X}",{members}}}"#)
}

fn one_month(i: usize, end: &str, values: &str) -> String {
    relay(i, &format!(r#""uptime":{{"1_month":{}}}"#, graph(4, end, values)))
}

fn decode(entries: &[String]) -> HistoriesDocument {
    let document = uptime(document(&entries.join(",")).as_bytes());
    assert_eq!(document.header.n_rejects, 0, "{:?}", document.header.rejects);
    document
}

/// The appended intervals: `0` down, `-` missing.
fn appended(graph: &PublishedGraph) -> String {
    let codes: Vec<Option<u16>> = graph.series.codes().collect();
    codes[codes.len() - graph.completed..].iter().map(|code| code.map_or("-".to_owned(), |code| code.to_string())).collect()
}

fn first_appended(entries: &[String]) -> String {
    appended(&decode(entries).relays[0].graphs[0])
}

#[test]
fn intervals_after_the_last_appearance_are_down() {
    // Last listed for some hour from 15:00 to 18:00 on the 14th: the first interval may hold its last appearances.
    let document = decode(&[one_month(0, "14 16", "999,999")]);
    assert_eq!(document.n_frozen, 1);
    let graph = &document.relays[0].graphs[0];
    assert_eq!((appended(graph).as_str(), graph.completed, graph.series.len()), ("-00000", 6, 8));
    assert_eq!(graph.series.end_secs(), "2026-02-15T16:00:00Z".parse::<Timestamp>().unwrap().as_second());
}

#[test]
fn graphs_that_are_up_to_date_stay_as_they_are() {
    assert_eq!(first_appended(&[one_month(0, "15 16", "999,0")]), "");
    assert_eq!(decode(&[one_month(0, "15 16", "999,0")]).n_frozen, 0);
}

#[test]
fn a_graph_one_interval_short_is_never_taken_for_downtime() {
    assert_eq!(first_appended(&[one_month(0, "15 12", "999,999")]), "-");
}

#[test]
fn coarser_graphs_and_flags_follow_the_finest_uptime_graph() {
    let members = |month_end: &str| {
        let (month, half_year) = (graph(4, month_end, "999,999"), graph(12, "14 00", "999,999"));
        format!(r#""uptime":{{"6_months":{half_year},"1_month":{month}}},"flags":{{"Guard":{{"6_months":{half_year}}}}}"#)
    };
    let document = decode(&[relay(0, &members("14 08")), relay(1, &members("15 16"))]);
    let all = |i: usize| document.relays[i].graphs.iter().map(appended).collect::<Vec<_>>();
    // Intervals of 12 hours from 14th 00:00, 12:00, 15th 00:00; the relay disappeared in the first.
    assert_eq!(all(0), ["-00", "-0000000", "-00"]);
    // This one is there: its coarse graphs are short for another reason.
    assert_eq!(all(1), ["", "", ""]);
}

#[test]
fn what_nobody_measured_stays_missing() {
    let gap = one_month(1, "15 16", "999,999,null,999,999,999");
    assert_eq!(first_appended(&[one_month(0, "14 16", "999,999"), gap.clone()]), "-0-000");
    let measured = one_month(2, "15 16", "999,999,999,999,999,999");
    assert_eq!(first_appended(&[one_month(0, "14 16", "999,999"), gap, measured]), "-00000");
}

#[test]
fn a_network_whose_graphs_all_end_early_is_not_down() {
    let mut entries: Vec<String> = (0..60).map(|i| one_month(i, "15 04", "999,999")).collect();
    assert_eq!(decode(&entries).n_frozen, 0);
    entries[0] = one_month(0, "14 16", "999,999");
    assert_eq!(first_appended(&entries), "-00");
    assert_eq!(decode(&entries).n_frozen, 1);
}

#[test]
fn a_graph_whose_end_is_not_certain_is_left_alone() {
    let values = graph(4, "14 16", "999,999").replace("999,999", "999");
    let text = document(&relay(0, &format!(r#""uptime":{{"1_month":{values}}}"#)));
    let document = uptime(text.as_bytes());
    assert_eq!((document.n_frozen, document.header.n_rejects), (0, 1));
    assert_eq!(document.relays[0].graphs[0].series.len(), 1);
}

#[test]
fn bandwidth_and_weights_are_not_completed() {
    for (kind, member) in [(DocumentKind::Bandwidth, "write_history"), (DocumentKind::Weights, "guard_probability")] {
        let text = document(&relay(0, &format!(r#""{member}":{{"1_month":{}}}"#, graph(4, "10 16", "999,999"))));
        let document = histories(kind, text.as_bytes()).unwrap();
        assert_eq!((document.n_frozen, document.relays[0].graphs[0].completed), (0, 0));
    }
}

#[test]
fn a_relay_without_uptime_graphs_is_not_completed() {
    let flags = format!(r#""flags":{{"Guard":{{"1_month":{}}}}}"#, graph(4, "14 16", "999,999"));
    assert_eq!(first_appended(&[relay(0, &flags)]), "");
}
