//! Times that cannot be: before Tor, ahead of the clock, after the document's own consensus.

use allium_model::{Bounds, ConsensusHour, DocumentKind, Relay, Series};
use allium_sources::Error;
use allium_sources::onionoo::{DetailsDocument, Document, decode};

use super::{ALICE, document, histories, lines};

/// Half past seven in the evening of the day on which documents of these tests are published.
fn bounds() -> Bounds {
    Bounds::at("2026-02-15T19:30:00Z".parse().unwrap(), 7200)
}

fn within(text: &str) -> Result<DetailsDocument, Error> {
    match decode(DocumentKind::Details, text.as_bytes(), "details.json", bounds())? {
        Document::Details(details) => Ok(details),
        other => panic!("{other:?}"),
    }
}

type Field = fn(&Relay) -> Option<String>;

const FIELDS: [(&str, Field); 4] = [
    ("first_seen", |relay| relay.first_seen.documented().map(|hour| hour.to_string())),
    ("last_seen", |relay| relay.last_seen.map(|hour| hour.to_string())),
    ("last_changed_address_or_port", |relay| relay.last_changed_address_or_port.map(|hour| hour.to_string())),
    ("last_restarted", |relay| relay.last_restarted.map(|at| at.to_string())),
];

#[test]
fn a_time_that_cannot_be_is_unknown_in_every_field_and_costs_nothing_else() {
    for (field, value) in FIELDS {
        for (time, reason) in [
            ("1970-01-01 00:00:00", "1970-01-01T00:00:00Z lies before 2002-09-20, when Tor began"),
            ("2002-09-19 23:00:00", "2002-09-19T23:00:00Z lies before 2002-09-20, when Tor began"),
            (
                "2036-02-15 18:00:00",
                "2036-02-15T18:00:00Z lies ahead: by the clock of this machine nothing after 2026-02-15T21:30:00Z can be",
            ),
        ] {
            let entry = format!(r#"{{"fingerprint":"{ALICE}","nickname":"alice","{field}":"{time}","consensus_weight":7}}"#);
            let details = within(&document(&entry)).unwrap();
            let relay = &details.relays[0];
            assert_eq!(value(relay), None, "{field} {time}");
            assert_eq!((relay.display_name(), relay.consensus_weight), ("alice", Some(7)));
            assert_eq!(lines(&details.header.rejects), [format!("relays[0] {ALICE} field {field}: {reason}")]);
        }
    }
}

#[test]
fn milliseconds_are_held_against_the_same_bounds() {
    let overload = |millis: &str| {
        let entry = format!(r#"{{"fingerprint":"{ALICE}","overload_general_timestamp":{millis}}}"#);
        let details = within(&document(&entry)).unwrap();
        (details.relays.first().and_then(|relay| relay.overload_general_at).map(|at| at.to_string()), details.header.n_rejects)
    };
    assert_eq!(overload("1771178400000"), (Some("2026-02-15T18:00:00Z".to_owned()), 0));
    // Seconds instead of milliseconds are a day of 1970.
    for impossible in ["0", "1771178400", "2086711200000", "-1"] {
        assert_eq!(overload(impossible), (None, 1), "{impossible}");
    }
}

#[test]
fn a_relay_that_appeared_after_it_was_last_seen_has_no_first_appearance() {
    let entry = format!(r#"{{"fingerprint":"{ALICE}","first_seen":"2026-02-15 17:00:00","last_seen":"2026-02-15 12:00:00"}}"#);
    let details = within(&document(&entry)).unwrap();
    assert_eq!(
        (details.relays[0].first_seen.documented(), details.relays[0].last_seen.map(|hour| hour.to_string())),
        (None, Some("2026-02-15T12:00:00Z".into()))
    );
    assert_eq!(lines(&details.header.rejects), [format!("relays[0] {ALICE} field first_seen: 2026-02-15T17:00:00Z lies after last_seen")]);
}

#[test]
fn a_document_of_a_time_that_cannot_be_is_refused_and_the_clock_is_named() {
    let entry = format!(r#"{{"fingerprint":"{ALICE}","nickname":"alice"}}"#);
    let of = |time: &str| within(&document(&entry).replace("2026-02-15 18:00:00", time));
    assert!(of("2026-02-15 21:00:00").is_ok(), "two hours are within the tolerance");
    for (time, reason) in [
        ("2026-02-15 22:00:00", "2026-02-15T22:00:00Z lies ahead: by the clock of this machine nothing after 2026-02-15T21:30:00Z can be"),
        ("2036-03-10 12:00:00", "2036-03-10T12:00:00Z lies ahead: by the clock of this machine nothing after 2026-02-15T21:30:00Z can be"),
        ("1970-01-01 00:00:00", "1970-01-01T00:00:00Z lies before 2002-09-20, when Tor began"),
    ] {
        assert_eq!(of(time).unwrap_err().to_string(), format!("details.json: refused, its relays_published {reason}"));
    }
    for kind in DocumentKind::ALL {
        let text = super::read(&format!("{kind}.json"));
        let early = Bounds::at("2020-01-01T00:00:00Z".parse().unwrap(), 7200);
        assert!(matches!(decode(kind, &text, "early", early), Err(Error::ImpossibleTime { .. })), "{kind}");
    }
}

/// The graph of a member of a document, with the rejects.
fn graph(kind: DocumentKind, member: &str, period: &str, graph: &str) -> (Option<Series>, Vec<String>) {
    let text = document(&format!(r#"{{"fingerprint":"{ALICE}","{member}":{{"{period}":{graph}}}}}"#));
    let mut read = histories(kind, text.as_bytes()).unwrap();
    let location = format!("relays[0] {ALICE} field {member}.{period}: ");
    let reasons = lines(&read.header.rejects).iter().map(|line| line.trim_start_matches(&location).to_owned()).collect();
    (read.relays.remove(0).graphs.pop().map(|graph| graph.series), reasons)
}

fn daily(first: &str, last: &str, n: usize) -> String {
    let values = vec!["5"; n].join(",");
    format!(r#"{{"first":"{first}","last":"{last}","interval":86400,"factor":0.001,"count":{n},"values":[{values}]}}"#)
}

#[test]
fn a_graph_that_runs_past_the_newest_consensus_keeps_what_was_complete_by_then() {
    let members = [
        (DocumentKind::Uptime, "uptime"),
        (DocumentKind::Bandwidth, "write_history"),
        (DocumentKind::Bandwidth, "read_history"),
        (DocumentKind::Weights, "consensus_weight"),
        (DocumentKind::Weights, "guard_probability"),
    ];
    for (kind, member) in members {
        for period in ["1_month", "6_months", "1_year", "5_years"] {
            // Ten days before the document, and twenty after it.
            let (series, reasons) = graph(kind, member, period, &daily("2026-02-05 12:00:00", "2026-03-06 12:00:00", 30));
            let series = series.unwrap();
            assert_eq!((series.interval_start(0).to_string().as_str(), series.len()), ("2026-02-05T00:00:00Z", 10), "{member} {period}");
            assert_eq!(series.end_secs(), "2026-02-15T00:00:00Z".parse::<ConsensusHour>().unwrap().start_secs());
            assert_eq!(reasons, ["20 of 30 values lie after the newest consensus, 2026-02-15T18:00:00Z; they are left out"]);
        }
    }
    let (series, reasons) =
        graph(DocumentKind::Bandwidth, "write_history", "1_month", &daily("2026-02-20 12:00:00", "2026-02-24 12:00:00", 5));
    assert_eq!((series, reasons), (None, vec!["begins after the newest consensus, 2026-02-15T18:00:00Z".to_owned()]));
}

#[test]
fn the_day_that_goes_on_at_the_newest_consensus_may_be_in_a_graph() {
    let (series, reasons) =
        graph(DocumentKind::Bandwidth, "write_history", "1_month", &daily("2026-02-11 12:00:00", "2026-02-15 12:00:00", 5));
    assert_eq!((series.unwrap().len(), reasons), (5, vec![]));
}

#[test]
fn the_part_of_a_graph_before_tor_is_left_out() {
    let (series, reasons) =
        graph(DocumentKind::Bandwidth, "write_history", "5_years", &daily("2002-09-11 12:00:00", "2002-09-30 12:00:00", 20));
    let series = series.unwrap();
    assert_eq!((series.interval_start(0).to_string().as_str(), series.len()), ("2002-09-20T00:00:00Z", 11));
    assert_eq!(reasons, ["9 of 20 values lie before 2002-09-20, when Tor began; they are left out"]);
    let (series, reasons) = graph(DocumentKind::Uptime, "uptime", "1_month", &daily("1970-01-01 12:00:00", "1970-01-05 12:00:00", 5));
    assert_eq!((series, reasons), (None, vec!["ends before 2002-09-20, when Tor began".to_owned()]));
}

#[test]
fn of_a_graph_that_contradicts_itself_the_certain_part_is_kept() {
    let of = |first: &str, last: &str, interval: u32, count: &str, n: usize| {
        let values = vec!["5"; n].join(",");
        let text =
            format!(r#"{{"first":"{first}","last":"{last}","interval":{interval},"factor":0.001,"count":{count},"values":[{values}]}}"#);
        let (series, reasons) = graph(DocumentKind::Bandwidth, "write_history", "1_month", &text);
        (series.map(|series| series.len()), reasons.join("; "))
    };
    let (first, fifth) = ("2026-02-05 12:00:00", "2026-02-09 12:00:00");
    let none = |reason: &str| (None, reason.to_owned());
    let some = |n: usize, reason: &str| (Some(n), reason.to_owned());
    assert_eq!(of(first, fifth, 86_400, "5", 5), some(5, ""));
    assert_eq!(of(fifth, first, 86_400, "5", 5), none("last lies before first"));
    assert_eq!(of(first, fifth, 86_400, "5", 7), some(5, "2 values beyond last and count, which agree on 5, are left out"));
    assert_eq!(of(first, fifth, 86_400, "5", 3), some(3, "last does not fit first, interval and 3 values"));
    assert_eq!(of(first, fifth, 86_400, "9", 5), some(5, "count is 9, there are 5 values"));
    assert_eq!(of(first, fifth, 86_400, "\"x\"", 5), some(5, "count is no number of values"));
    assert_eq!(of(first, fifth, 0, "5", 5), none("interval 0 is no number of seconds up to a year"));
    assert_eq!(of(first, fifth, 86_400, "5", 0), none("no values"));
}
