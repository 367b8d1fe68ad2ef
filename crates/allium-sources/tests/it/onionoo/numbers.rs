//! Whole numbers in every spelling that means the same, and in those that mean none.

use allium_model::DocumentKind;

use super::{ALICE, details, document, histories, lines};

/// The amounts of a relay whose whole numbers are all written like this, and the rejects of the document.
fn amounts(number: &str) -> (Vec<Option<u64>>, Vec<String>) {
    let names = ["consensus_weight", "bandwidth_rate", "bandwidth_burst", "observed_bandwidth", "advertised_bandwidth"];
    let members: Vec<String> = names.iter().map(|name| format!(r#""{name}":{number}"#)).collect();
    let text = document(&format!(r#"{{"fingerprint":"{ALICE}","nickname":"alice",{}}}"#, members.join(",")));
    let details = details(text.as_bytes()).unwrap();
    let relay = &details.relays[0];
    assert_eq!(relay.nickname.as_deref(), Some("alice"), "the rest of the relay is kept");
    let amounts =
        [relay.consensus_weight, relay.bandwidth_rate, relay.bandwidth_burst, relay.observed_bandwidth, relay.advertised_bandwidth];
    (amounts.to_vec(), lines(&details.header.rejects))
}

#[test]
fn a_whole_number_may_be_spelled_as_a_float() {
    for (number, expected) in [
        ("5000000", 5_000_000),
        ("5000000.0", 5_000_000),
        ("5000000.000", 5_000_000),
        ("5e6", 5_000_000),
        ("5.0E+6", 5_000_000),
        ("50000000e-1", 5_000_000),
        ("0.0", 0),
        ("-0", 0),
        ("-0.0", 0),
        ("1e12", 1_000_000_000_000),
    ] {
        assert_eq!(amounts(number), (vec![Some(expected); 5], vec![]), "{number}");
    }
}

#[test]
fn other_spellings_are_rejects_with_place_and_reason() {
    for (number, reason) in [
        ("1234.5", "invalid value: floating point `1234.5`, expected a whole number"),
        ("1e-3", "invalid value: floating point `0.001`, expected a whole number"),
        ("-1.0", "-1 is not between 0 and 1000000000000"),
        ("1.1e12", "1100000000000 is not between 0 and 1000000000000"),
        ("1e300", "invalid value: floating point `1e+300`, expected a whole number"),
        ("18446744073709551615", "invalid value: integer `18446744073709551615`, expected a whole number"),
        (r#""1234""#, "invalid type: string \"1234\", expected a whole number"),
        ("true", "invalid type: boolean `true`, expected a whole number"),
        ("[1234]", "invalid type: sequence, expected a whole number"),
    ] {
        let (found, rejects) = amounts(number);
        assert_eq!(found, [None; 5], "{number}");
        assert_eq!(rejects.len(), 5, "{number}");
        assert_eq!(rejects[0], format!("relays[0] {ALICE} field consensus_weight: {reason}"));
    }
}

#[test]
fn milliseconds_may_be_spelled_as_a_float() {
    for number in ["1771137600000", "1771137600000.0", "1.7711376e12", "17711376e5"] {
        let text = document(&format!(r#"{{"fingerprint":"{ALICE}","overload_general_timestamp":{number}}}"#));
        let details = details(text.as_bytes()).unwrap();
        let at = details.relays[0].overload_general_at.map(|at| at.to_string());
        assert_eq!((at.as_deref(), details.header.n_rejects), (Some("2026-02-15T06:40:00Z"), 0), "{number}");
    }
    let text = document(&format!(r#"{{"fingerprint":"{ALICE}","nickname":"a","overload_general_timestamp":1771137600000.5}}"#));
    assert_eq!(details(text.as_bytes()).unwrap().header.n_rejects, 1);
}

/// Interval and codes of a graph.
type IntervalAndCodes = (u32, Vec<Option<u16>>);

/// A graph with these numbers as it is read, and the rejects.
fn graph(interval: &str, count: &str, values: &str) -> (Option<IntervalAndCodes>, Vec<String>) {
    let graph = format!(r#"{{"first":"2026-02-10 10:00:00","interval":{interval},"factor":1,"count":{count},"values":[{values}]}}"#);
    let text = document(&format!(r#"{{"fingerprint":"{ALICE}","write_history":{{"1_month":{graph}}}}}"#));
    let document = histories(DocumentKind::Bandwidth, text.as_bytes()).unwrap();
    let graph = document.relays[0].graphs.first().map(|graph| (graph.series.interval_secs(), graph.series.codes().collect()));
    (graph, lines(&document.header.rejects))
}

#[test]
fn interval_and_values_of_a_graph_may_be_spelled_as_floats() {
    let expected = (Some((14_400, vec![Some(999), Some(0), None])), vec![]);
    for (interval, count, values) in [
        ("14400", "3", "999,0,null"),
        ("14400.0", "3.0", "999.0,0.0,null"),
        ("1.44e4", "3e0", "9.99e2, -0.0 , null"),
        ("144e2", "3.000", "999.000,0e0,null"),
    ] {
        assert_eq!(graph(interval, count, values), expected, "{interval} {values}");
    }
}

#[test]
fn values_of_a_graph_that_are_no_codes_are_missing_alone() {
    let (found, rejects) = graph("14400", "5", r#"1.5,"7",1000.0,-1.0,7.0"#);
    assert_eq!(found, Some((14_400, vec![None, None, None, None, Some(7)])));
    assert_eq!(
        rejects,
        [format!("relays[0] {ALICE} field write_history.1_month: 4 values are no codes from 0 to 999, the first is values[0]")]
    );
    let (found, rejects) = graph("14400.5", "1", "7");
    assert_eq!(found, None);
    assert!(rejects[0].ends_with("interval 14400.5 is no number of seconds up to a year"), "{rejects:?}");
}
