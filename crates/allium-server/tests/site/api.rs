//! The API: forms agree, cursors cover everything, contracts hold.

use std::collections::BTreeMap;

use allium_analysis::NetworkReport;
use allium_service::View;
use allium_views::network_report_json;
use axum::http::StatusCode;
use serde_json::Value;

use crate::support::{ask, fingerprint, get, record, site_of};

#[test]
fn the_report_keeps_its_contract() {
    let record = record(9);
    let report = NetworkReport::compute(&record);
    let view = View::new(record, report);
    let json = serde_json::to_value(network_report_json(&view)).unwrap();
    assert_eq!(json["as_of"], "2026-02-15T18:00:00Z");
    assert_eq!(json["network"]["n_relays"], 9);
    assert_eq!(json["relays"].as_array().unwrap().len(), 9);
    for relay in json["relays"].as_array().unwrap() {
        for key in ["fingerprint", "nickname", "running", "uptime", "uptime_as_published", "uptime_source"] {
            assert!(relay.get(key).is_some(), "{key}");
        }
        let names: Vec<_> = relay["uptime"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["1_day", "1_month", "1_year", "30_days", "5_years", "6_months", "7_days"]);
        assert!(relay["uptime"]["5_years"].is_null() || relay["uptime"]["5_years"].is_f64());
        let month = relay["uptime"]["1_month"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&month));
    }
}

#[test]
fn csv_says_what_json_says() {
    let site = site_of(record(9));
    let json = get(&site, "/api/v1/relays?limit=1000").json();
    let csv = get(&site, "/api/v1/relays.csv").text();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let lines: Vec<BTreeMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    let relays = json["relays"].as_array().unwrap();
    assert_eq!(lines.len(), relays.len());
    for (line, relay) in lines.iter().zip(relays) {
        let equal = |cell: &str, value: &Value| match value {
            Value::Null => cell.is_empty(),
            // Readers of JSON may be off by the last bit.
            Value::Number(number) => cell.parse::<f64>().is_ok_and(|n| (n - number.as_f64().unwrap()).abs() <= n.abs() * 1e-15),
            Value::Bool(yes) => cell == yes.to_string(),
            Value::String(text) => cell == text,
            Value::Array(list) => cell == list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
            Value::Object(_) => true,
        };
        for (name, value) in relay.as_object().unwrap() {
            match value {
                Value::Object(periods) if name == "uptime" || name == "uptime_as_published" => {
                    periods.iter().for_each(|(period, value)| assert!(equal(&line[&format!("{name}_{period}")], value), "{name} {period}"));
                }
                Value::Object(since) if name == "since" => assert_eq!(line["since"], since["since"].as_str().unwrap()),
                Value::Object(_) => {}
                value => assert!(equal(&line[name], value), "{name}: {:?} and {value}", line[name]),
            }
        }
    }
}

#[test]
fn csv_comes_by_path_or_by_wish() {
    let site = site_of(record(3));
    let relay = fingerprint(2);
    for path in
        ["/api/v1/network".to_owned(), "/api/v1/relays".to_owned(), format!("/api/v1/relays/{relay}"), "/api/v1/data-quality".to_owned()]
    {
        let by_path = get(&site, &format!("{path}.csv"));
        let by_wish = ask(&site, "GET", &path, &[("accept", "text/csv")]);
        assert_eq!(by_path.status, StatusCode::OK, "{path}");
        assert!(by_path.header("content-type").starts_with("text/csv"), "{path}");
        assert_eq!(by_path.bytes, by_wish.bytes, "{path}");
        assert!(by_wish.header("vary").contains("accept"), "{path}");
        let lines: Vec<_> = csv::Reader::from_reader(by_path.bytes.as_slice()).records().map(|line| line.unwrap().len()).collect();
        assert!(!lines.is_empty() && lines.iter().all(|n| *n == lines[0]), "{path}");
    }
}

#[test]
fn cursors_cover_every_relay_once() {
    let site = site_of(record(23));
    let mut names = Vec::new();
    let mut cursor = String::new();
    loop {
        let json = get(&site, &format!("/api/v1/relays?limit=5&sort=-uptime_1_month{cursor}")).json();
        names.extend(json["relays"].as_array().unwrap().iter().map(|r| r["fingerprint"].as_str().unwrap().to_owned()));
        let Some(next) = json["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(names.len(), 23);
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 23);
}

#[test]
fn errors_are_json_and_name_the_parameter() {
    let site = site_of(record(3));
    for (address, status, parameter) in [
        ("/api/v1/relays?limit=0", StatusCode::BAD_REQUEST, Some("limit")),
        ("/api/v1/relays?limit=9999", StatusCode::BAD_REQUEST, Some("limit")),
        ("/api/v1/relays?cursor=x", StatusCode::BAD_REQUEST, Some("cursor")),
        ("/api/v1/relays?colour=red", StatusCode::BAD_REQUEST, Some("colour")),
        ("/api/v1/network?x=1", StatusCode::BAD_REQUEST, Some("x")),
        ("/api/v1/relays/0000000000000000000000000000000000000001", StatusCode::NOT_FOUND, None),
        ("/api/v1/nothing", StatusCode::NOT_FOUND, None),
    ] {
        let answer = get(&site, address);
        assert_eq!(answer.status, status, "{address}");
        assert_eq!(answer.json()["parameter"].as_str(), parameter, "{address}");
        assert_eq!(answer.json()["status"], status.as_u16(), "{address}");
    }
}

#[test]
fn data_quality_counts_gaps() {
    let json = get(&site_of(record(3)), "/api/v1/data-quality").json();
    assert_eq!(json["history"]["n_known"], 236);
    assert_eq!(json["history"]["n_missing"], 4);
    assert_eq!(json["history"]["gaps"][0]["start"], "2026-02-11T11:00:00Z");
    assert_eq!(json["age_hours"], 1);
    assert_eq!(json["stale"], false);
}

#[test]
fn the_same_view_gives_the_same_bytes() {
    for address in ["/", "/relays", "/api/v1/network", "/api/v1/relays", "/api/v1/relays.csv", "/data-quality"] {
        assert_eq!(get(&site_of(record(12)), address).bytes, get(&site_of(record(12)), address).bytes, "{address}");
    }
}
