//! One question has one answer, wherever it is asked: how many rejects, which version is newer, which flags there are, what nothing is.

use allium_model::{NetworkRecord, Quantity, Reject, RelayFlag};
use axum::http::StatusCode;

use crate::support::{as_of, get, record, site_of};

#[test]
fn the_number_of_rejects_is_the_same_everywhere() {
    let mut record = record(12);
    let reject = |i: usize| Reject { location: format!("relays[{i}]"), ..record.rejects[0].clone() };
    record.rejects = (0..1000).map(reject).collect();
    record.sources[0].n_rejects = 1499;
    let site = site_of(record);
    assert!(get(&site, "/metrics").text().contains("\nallium_rejects 1500.0\n"));
    assert!(get(&site, "/data-quality").text().contains("1,500 values could not be understood"));
    assert!(get(&site, "/monitor").text().contains("1,500 values in documents in use could not be understood"));
    let json = get(&site, "/api/v1/data-quality").json();
    assert_eq!((json["n_rejects"].as_u64(), json["rejects"].as_array().unwrap().len()), (Some(1500), 1000));
}

const VERSIONS: [&str; 8] =
    ["0.4.8.9", "0.4.8.21", "0.4.8.21-dev", "0.4.9.1-alpha", "0.4.9.1-rc", "0.4.9.3-alpha-dev", "0.4.10.1", "Arti 1.4.0"];

/// A network whose relays have these versions, one each, of equal weight.
fn versions() -> NetworkRecord {
    let mut record = record(8);
    for (i, recorded) in record.relays.iter_mut().enumerate() {
        recorded.relay.version = Some(VERSIONS[(i * 5) % 8].to_owned());
        recorded.relay.last_seen = Some(as_of());
        (recorded.relay.running, recorded.relay.consensus_weight) = (true, Some(7));
    }
    record
}

#[test]
fn versions_are_in_order_wherever_they_are_sorted() {
    let site = site_of(versions());
    let column = |address: &str, column: &str| -> Vec<String> {
        let json = get(&site, address).json();
        let rows = json["rows"].as_array().or(json["relays"].as_array()).unwrap();
        rows.iter().map(|row| row[column].as_str().unwrap().to_owned()).collect()
    };
    let ascending = VERSIONS.map(str::to_owned).to_vec();
    let descending: Vec<String> = ascending.iter().rev().cloned().collect();
    for (address, name) in
        [("/api/v1/versions?sort=", "name"), ("/api/v1/relays?sort=", "version"), ("/api/v1/flags/Fast?sort=", "version")]
    {
        let sort = if name == "name" { "name" } else { "version" };
        assert_eq!(column(&format!("{address}{sort}"), name), ascending, "{address}");
        assert_eq!(column(&format!("{address}-{sort}"), name), descending, "{address}");
    }
    assert_eq!(column("/api/v1/versions", "name"), ascending, "of equal weight, by version");
    let names =
        |json: serde_json::Value| json["bars"].as_array().unwrap().iter().map(|bar| bar["label"].as_str().unwrap().to_owned()).collect();
    let bars: Vec<String> = names(get(&site, "/versions/charts/largest.json").json());
    assert_eq!(bars, ascending);
}

/// A network in which one relay has a flag that Allium does not know.
fn with_new_flag() -> NetworkRecord {
    let mut record = record(12);
    record.relays[0].relay.other_flags = vec!["GreenEnergy".to_owned(), "GreenEnergy".to_owned()];
    record.relays[0].relay.last_seen = Some(as_of());
    record
}

#[test]
fn a_flag_that_nobody_knew_is_listed_like_the_others() {
    let record = with_new_flag();
    let fingerprint = record.relays[0].relay.fingerprint.to_string();
    let site = site_of(record);
    let flags = get(&site, "/api/v1/flags").json();
    let row = flags["rows"].as_array().unwrap().iter().find(|row| row["name"] == "GreenEnergy").cloned().unwrap();
    assert_eq!(row["n_relays"], 1);
    for address in ["/flags", "/flag/GreenEnergy", "/flag/GreenEnergy.csv", "/api/v1/flags.csv", "/relays", "/api/v1/relays.csv"] {
        let answer = get(&site, address);
        assert_eq!((answer.status, answer.text().contains("GreenEnergy")), (StatusCode::OK, true), "{address}");
    }
    let group = get(&site, "/api/v1/flags/GreenEnergy").json();
    assert_eq!(group["relays"].as_array().or(group["rows"].as_array()).unwrap().len(), 1, "{group}");
    assert!(get(&site, &format!("/relay/{fingerprint}")).text().contains("GreenEnergy"));
    assert_eq!(get(&site, "/flag/Purple").status, StatusCode::NOT_FOUND);
}

#[test]
fn what_is_known_but_empty_is_a_page_that_says_so() {
    let site = site_of(record(12));
    for (page, data) in
        [("/flag/Sybil", "/api/v1/flags/Sybil"), ("/country/jp", "/api/v1/countries/jp"), ("/region/005", "/api/v1/regions/005")]
    {
        let answer = get(&site, page);
        assert_eq!(answer.status, StatusCode::OK, "{page}");
        assert!(answer.text().contains("no relay of it was seen in the last 7 days"), "{page}");
        let json = get(&site, data);
        assert_eq!(json.status, StatusCode::OK, "{data}");
        assert!(!json.text().contains("NaN") && !json.text().contains("-0.0"), "{data}");
        assert_eq!(get(&site, &format!("{page}.csv")).text().lines().count(), 1, "{page}");
    }
    for page in ["/flag/Purple", "/country/qq", "/version/9", "/platform/x", "/as/AS1"] {
        assert_eq!(get(&site, page).status, StatusCode::NOT_FOUND, "{page}");
    }
}

/// True if a text has a zero with a sign: as JSON, in CSV, on a page.
fn has_minus_zero(text: &str) -> bool {
    text.match_indices(['-', '\u{2212}']).any(|(i, sign)| {
        let number: String = text[i + sign.len()..].chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let is_start = text[..i].chars().next_back().is_none_or(|c| matches!(c, ',' | ':' | '[' | '"' | '>' | ' ' | '\n' | '('));
        let is_end = text[i + sign.len() + number.len()..]
            .chars()
            .next()
            .is_none_or(|c| matches!(c, ',' | '}' | ']' | '"' | '<' | ' ' | '\n' | '\u{a0}' | '%'));
        let is_zero = number.contains('0') && number.chars().all(|c| matches!(c, '0' | '.'));
        is_start && is_end && is_zero
    })
}

#[test]
fn a_sum_of_nothing_is_zero() {
    for text in ["\"a\":-0.0,", "x,-0\n", "<td>\u{2212}0.00</td>", "[-0.0]"] {
        assert!(has_minus_zero(text), "{text}");
    }
    assert!(!["-0.5", "2026-00-01", ":-0.01,", "a-0 b"].into_iter().any(has_minus_zero));
    let mut record = record(4);
    for recorded in &mut record.relays {
        let relay = &mut recorded.relay;
        (relay.guard_probability, relay.country) = (None, "de".parse().ok());
        relay.flags = [RelayFlag::Running, RelayFlag::Valid].into_iter().collect();
        recorded.published.iter_mut().for_each(|graph| graph.quantity = Quantity::Uptime);
    }
    let site = site_of(record);
    assert!(get(&site, "/api/v1/census").text().contains("\"five_eyes\":0.0"));
    let pages =
        ["/", "/network", "/relays", "/countries", "/country/de", "/flags", "/operators", "/leaderboards", "/regions", "/flag/Exit"];
    let data = ["network", "relays", "countries", "as", "flags", "versions", "operators", "families", "census", "statistics"];
    let data = data.into_iter().flat_map(|name| [format!("/api/v1/{name}"), format!("/api/v1/{name}.csv")]);
    for address in pages.into_iter().map(str::to_owned).chain(data) {
        assert!(!has_minus_zero(&get(&site, &address).text()), "{address}");
    }
}
