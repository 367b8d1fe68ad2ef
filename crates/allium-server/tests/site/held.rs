//! What other tools got wrong and Allium must not: lines of calendars, hours nobody measured, relays that are down, names with quotes,
//! limits that are not positive, texts without an end.

use std::collections::BTreeSet;

use allium_model::{NetworkRecord, PortSummary, RelayFlag};
use allium_service::Site;
use allium_views::Route;
use allium_views::route::Form;
use axum::http::StatusCode;

use crate::forecasts::{forecast_site, operator_of};
use crate::support::{Answer, as_of, fingerprint, get, record, site_of};

/// A route of each shape that the site answers.
fn shapes(site: &Site) -> Vec<Route> {
    let mut seen = BTreeSet::new();
    Route::all(&site.snapshot()).filter(|route| seen.insert(route.pattern())).collect()
}

fn is_csv(route: &Route) -> bool {
    matches!(route, Route::Data(_, Form::Csv)) || route.address().ends_with(".csv")
}

fn relay_json(site: &Site, n: u16) -> serde_json::Value {
    get(site, &format!("/api/v1/relays/{}", fingerprint(n))).json()
}

#[test]
fn lines_of_calendars_are_short_and_never_end_inside_a_character() {
    let mut record = record(8);
    for (i, relay) in record.relays.iter_mut().enumerate() {
        relay.relay.nickname = Some(format!("{}{}", "n".repeat(i), "żółw🐢".repeat(12)));
        relay.relay.contact = Some("Grüße; \"tor\", \\ 🐢\n".repeat(9));
    }
    let site = forecast_site(record);
    let addresses = (0..6).map(|n| format!("/relay/{}/maintenance.ics", fingerprint(n)));
    for address in addresses.chain([format!("/operator/{}/maintenance.ics", operator_of(&site))]) {
        let Answer { status, bytes, .. } = get(&site, &address);
        assert_eq!(status, StatusCode::OK, "{address}");
        assert!(bytes.ends_with(b"END:VCALENDAR\r\n"), "{address}");
        for line in bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            let line = line.strip_suffix(b"\r").unwrap_or_else(|| panic!("{address}: a bare line feed"));
            assert!(line.len() <= 75 && !line.contains(&b'\r'), "{address}: {} bytes", line.len());
            assert!(std::str::from_utf8(line).is_ok(), "{address}: {}", String::from_utf8_lossy(line));
        }
        let text = String::from_utf8(bytes).unwrap();
        let n = |property: &str| text.matches(&format!("\r\n{property}")).count();
        let n_items = n("BEGIN:VEVENT") + n("BEGIN:VTODO");
        assert!(n_items > 0 && n("DTSTAMP:") == n_items && n("UID:") == n_items, "{address}: {text}");
    }
}

#[test]
fn a_relay_back_for_an_hour_was_up_an_hour_of_the_day() {
    let mut record = record(4);
    let back = record.relays.iter_mut().find(|relay| relay.relay.fingerprint == fingerprint(2)).unwrap();
    back.published.clear();
    back.spans.truncate(1);
    let state = back.spans[0].state.clone();
    back.spans.push(allium_model::StateSpan { start: as_of(), end: as_of().next(), state });
    let uptime = relay_json(&site_of(record), 2)["uptime"]["1_day"].as_f64().unwrap();
    assert!((uptime - 1.0 / 24.0).abs() < 1e-12, "{uptime}");
}

#[test]
fn hours_that_nobody_measured_lower_no_uptime() {
    let mut record = record(4);
    let hours = (0..240).filter(|hour| !(20..60).contains(hour)).map(|hour| as_of().plus(-hour)).collect();
    record.known = allium_model::Known::new(hours);
    let watched = record.relays.iter_mut().find(|relay| relay.relay.fingerprint == fingerprint(2)).unwrap();
    watched.published.clear();
    watched.spans[0].end = as_of().next();
    watched.spans.truncate(1);
    let json = relay_json(&site_of(record), 2);
    assert_eq!(json["uptime"]["7_days"], 1.0);
    let coverage = json["uptime_source"]["7_days"]["coverage"].as_f64().unwrap();
    assert!((coverage - 128.0 / 168.0).abs() < 1e-9, "{coverage}");
}

#[test]
fn the_heaviest_are_among_those_that_run() {
    let mut record = record(9);
    for relay in &mut record.relays {
        relay.relay.consensus_weight = Some(if relay.relay.running { 10 } else { 1_000_000 });
    }
    let running = record.relays.iter().filter(|relay| relay.relay.running).count();
    let rows = get(&site_of(record), "/api/v1/top").json()["rows"].as_array().unwrap().clone();
    assert_eq!(rows.len(), running);
    assert!(rows.iter().all(|row| row["state"] == "running" && row["consensus_weight"] == 10), "{rows:?}");
}

#[test]
fn a_relay_without_platform_or_of_another_program_is_a_relay() {
    let mut record = record(3);
    let says = [(None, None), (Some("Arti 1.9.0 on Linux"), None), (Some("experimental"), Some("1"))];
    for (n, (platform, version)) in (0..).zip(says) {
        let relay = record.relays.iter_mut().find(|relay| relay.relay.fingerprint == fingerprint(n)).unwrap();
        relay.relay.platform = platform.map(str::to_owned);
        relay.relay.version = version.map(str::to_owned);
        relay.relay.recommended_version = None;
        relay.relay.version_status = None;
        relay.spans.iter_mut().for_each(|span| span.state.version = version.map(Into::into));
    }
    let site = site_of(record);
    assert_eq!(get(&site, "/api/v1/relays").json()["n_relays"], 3);
    let unknown = relay_json(&site, 0);
    assert!(unknown["platform"].is_null() && unknown["version"].is_null(), "{unknown}");
    for route in shapes(&site) {
        let answer = get(&site, &route.address());
        assert!(answer.status.as_u16() < 500 || answer.status == StatusCode::SERVICE_UNAVAILABLE, "{}", route.address());
    }
}

#[test]
fn ports_are_numbers_and_ranges_not_characters() {
    let policies: [(&str, PortSummary); 8] = [
        ("some", PortSummary::Accept(["180", "8080", "4430-4439"].map(str::to_owned).to_vec())),
        ("some", PortSummary::Accept(vec!["80".to_owned()])),
        ("some", PortSummary::Accept(vec!["1-65534".to_owned()])),
        ("some", PortSummary::Reject(vec!["25".to_owned()])),
        ("every", PortSummary::Accept(vec!["1-65535".to_owned()])),
        ("every", PortSummary::Reject(Vec::new())),
        ("none", PortSummary::Reject(vec!["1-65535".to_owned()])),
        ("none", PortSummary::Accept(Vec::new())),
    ];
    let mut record = record(8);
    for (relay, (_, policy)) in record.relays.iter_mut().zip(&policies) {
        relay.relay.running = true;
        relay.relay.flags.insert(RelayFlag::Running);
        relay.relay.flags.insert(RelayFlag::Exit);
        relay.relay.last_seen = Some(as_of());
        relay.relay.exit_policy_summary = Some(policy.clone());
    }
    let exits = get(&site_of(record), "/api/v1/census").json()["exits"].clone();
    let of = |kind: &str| policies.iter().filter(|(expected, _)| *expected == kind).count();
    assert_eq!(exits, serde_json::json!({ "every_port": of("every"), "some_ports": of("some"), "no_port": of("none"), "unknown": 0 }));
}

#[test]
fn texts_that_look_like_escapes_stay_as_they_are() {
    let texts = ["100%% %s %d %n", "C:\\new\\u0041\\x41\\0", "a&amp;b &lt;i&gt;", "{{7*7}} ${x} #{y}", "tab\there", "Zoë 🧅"];
    let mut record = record(6);
    for (relay, text) in record.relays.iter_mut().zip(texts) {
        relay.relay.contact = Some(text.to_owned());
    }
    let fingerprints: Vec<String> = record.relays.iter().map(|relay| relay.relay.fingerprint.to_string()).collect();
    let site = site_of(record);
    for (fingerprint, text) in fingerprints.iter().zip(texts) {
        let json = get(&site, &format!("/api/v1/relays/{fingerprint}")).json();
        assert_eq!(json["contact"], text);
    }
}

/// A network whose names hold everything that CSV and spreadsheets give a meaning to.
fn quoted() -> NetworkRecord {
    let names = ["\"Zero\", Inc.", "=HYPERLINK(\"x\")", "+1", "-1", "@sum", "a,b;c\td", "line\r\nbreak", "'quoted'", "\u{FEFF}=1"];
    let mut record = record(9);
    for (relay, name) in record.relays.iter_mut().zip(names) {
        let relay = &mut relay.relay;
        relay.nickname = Some(name.to_owned());
        relay.as_name = Some(name.to_owned());
        relay.country_name = Some(name.to_owned());
        relay.contact = Some(name.to_owned());
        relay.platform = Some(format!("Tor 0.4.8.12 on {name}"));
    }
    record
}

#[test]
fn every_csv_is_whole_and_runs_nothing() {
    let site = forecast_site(quoted());
    let mut n_tables = 0;
    for route in shapes(&site).into_iter().filter(is_csv) {
        let (address, answer) = (route.address(), get(&site, &route.address()));
        if answer.status != StatusCode::OK {
            continue;
        }
        let text = answer.text();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let n_columns = reader.headers().unwrap().len();
        assert!(n_columns > 0, "{address}");
        for line in reader.records() {
            let line = line.unwrap_or_else(|error| panic!("{address}: {error}"));
            for cell in line.iter().filter(|cell| cell.parse::<f64>().is_err()) {
                assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\u{FEFF}']), "{address}: {cell:?}");
            }
        }
        n_tables += 1;
    }
    assert!(n_tables > 30, "only {n_tables} tables");
}

#[test]
fn every_text_ends_with_its_line() {
    let site = forecast_site(record(9));
    for route in shapes(&site) {
        let (address, answer) = (route.address(), get(&site, &route.address()));
        let kind = answer.header("content-type").to_owned();
        let has_lines = ["text/csv", "jsonl", "text/calendar", "text/plain"].iter().any(|lines| kind.contains(lines));
        if answer.status == StatusCode::OK && has_lines {
            assert!(answer.bytes.ends_with(b"\n"), "{address} ends with {:?}", answer.text().chars().last());
        }
    }
    assert!(get(&site, "/metrics").text().ends_with("# EOF\n"));
}

#[test]
fn limits_are_whole_numbers_from_one_on_in_every_list() {
    let site = forecast_site(record(9));
    let bad = ["0", "-1", "1.5", "1e3", "99999999999999999999", "%D9%A1", "0x10", "all"];
    let mut n_lists = 0;
    for route in shapes(&site) {
        let address = route.address();
        let is_list = matches!(route, Route::Data(..) | Route::IncidentLines);
        if is_list && get(&site, &format!("{address}?limit=1")).status == StatusCode::OK {
            n_lists += 1;
            for value in bad {
                let answer = get(&site, &format!("{address}?limit={value}"));
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{address}?limit={value}");
                assert!(answer.json()["allowed"].as_str().is_some_and(|allowed| !allowed.is_empty()), "{address}: {}", answer.text());
            }
        }
        if is_list || matches!(route, Route::Feed(_)) {
            for query in ["offset=2", "offset=-1", "page=0", "per=0", "page=-1", "per=-5"] {
                let answer = get(&site, &format!("{address}?{query}"));
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{address}?{query}");
            }
        }
    }
    assert!(n_lists > 30, "only {n_lists} lists");
}
