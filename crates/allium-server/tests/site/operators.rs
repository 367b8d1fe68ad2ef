//! Operators, families, leaderboards and statistics: pages, data, addresses, strangers' text.

use std::sync::Arc;

use allium_analysis::{NetworkReport, OperatorReport, PastStandings, Standings};
use allium_model::{AroiCheck, AroiResult, NetworkRecord, ProofMethod, Relay};
use allium_service::Patch;
use axum::http::StatusCode;

use crate::support::{attributes, fingerprint, get, is_our_script, record, site_of, tags};

const CONTACT: &str = "url:https://www.Example.org/x proof:uri-rsa ciissversion:2";

/// Forty relays; the first ten claim a domain, which names the first four.
fn claimed() -> NetworkRecord {
    let mut record = record(40);
    let number = |relay: &Relay| (0..40).find(|n| fingerprint(*n) == relay.fingerprint).unwrap();
    for relay in record.relays.iter_mut().map(|record| &mut record.relay).filter(|relay| number(relay) < 10) {
        relay.contact = Some(CONTACT.to_owned());
        relay.effective_family.clear();
        relay.aroi_check = (number(relay) < 4).then(check);
    }
    record
}

fn check() -> AroiCheck {
    AroiCheck {
        domain: "example.org".parse().unwrap(),
        method: ProofMethod::UriRsa,
        result: AroiResult::Validated,
        reason: String::new(),
        checked_at: "2026-02-15T19:00:00Z".parse().unwrap(),
    }
}

fn pages() -> Vec<String> {
    let family = fingerprint(20).min(fingerprint(21));
    [
        "/operators",
        "/operators?columns=all&min=2",
        "/domains",
        "/families",
        "/leaderboards",
        "/leaderboards/consensus_weight",
        "/statistics",
        "/top",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain(["/operator/example.org".to_owned(), format!("/operator/family-{family}"), format!("/family/{family}")])
    .collect()
}

#[test]
fn every_page_answers_and_its_links_to_definitions_exist() {
    let site = site_of(claimed());
    let methods = get(&site, "/methods").text();
    for address in pages() {
        let answer = get(&site, &address);
        assert_eq!(answer.status, StatusCode::OK, "{address}");
        let html = answer.text();
        let anchors: Vec<String> =
            attributes(&html, "href").into_iter().filter_map(|link| link.strip_prefix("/methods#").map(str::to_owned)).collect();
        assert!(!anchors.is_empty(), "{address} links to no definition");
        for anchor in anchors {
            assert!(methods.contains(&format!("id=\"{anchor}\"")), "{address}: {anchor}");
        }
    }
}

#[test]
fn every_link_of_these_pages_leads_somewhere() {
    let site = site_of(claimed());
    for address in pages() {
        let links = attributes(&get(&site, &address).text(), "href");
        for link in links.iter().filter(|link| link.starts_with('/') && !link.contains('#')) {
            let status = get(&site, link).status;
            assert!(status.is_success() || status.is_redirection(), "{address}: {link} gives {status}");
        }
    }
}

#[test]
fn json_and_csv_tell_the_same_rows() {
    let site = site_of(claimed());
    for path in ["operators", "domains", "families", "top", "leaderboards/consensus_weight"] {
        let json = get(&site, &format!("/api/v1/{path}?limit=1000")).json();
        let csv = get(&site, &format!("/api/v1/{path}.csv"));
        assert_eq!(csv.status, StatusCode::OK, "{path}");
        let n_lines = csv::Reader::from_reader(csv.bytes.as_slice()).records().count();
        assert_eq!(json["rows"].as_array().unwrap().len(), n_lines, "{path}");
        assert!(n_lines > 0, "{path}");
    }
    for path in ["leaderboards", "statistics"] {
        assert_eq!(get(&site, &format!("/api/v1/{path}")).status, StatusCode::OK);
        assert!(csv::Reader::from_reader(get(&site, &format!("/api/v1/{path}.csv")).bytes.as_slice()).records().count() > 0);
    }
}

#[test]
fn an_operator_has_the_relays_that_its_domain_names() {
    let site = site_of(claimed());
    let json = get(&site, "/api/v1/operators/example.org").json();
    assert_eq!((json["n_relays"].as_u64(), json["aroi"]["validated"].as_u64()), (Some(4), Some(4)));
    let relays = get(&site, "/api/v1/operators/example.org/relays").json();
    let named: Vec<_> = relays["rows"].as_array().unwrap().iter().map(|row| row["aroi"].as_str().unwrap().to_owned()).collect();
    assert_eq!(named, ["validated"; 4]);
    let domains = get(&site, "/api/v1/domains").json();
    assert_eq!((domains["rows"][0]["n_relays"].as_u64(), domains["rows"][0]["n_validated"].as_u64()), (Some(10), Some(4)));
}

/// Ten relays claim a domain: four are named, three are not, two could not be asked for, one was not asked for yet.
pub(crate) fn judged() -> NetworkRecord {
    let mut record = claimed();
    for i in 0..10 {
        let relay = record.relays.iter_mut().map(|record| &mut record.relay).find(|relay| relay.fingerprint == fingerprint(i)).unwrap();
        let (result, reason) = match i {
            0..4 => (AroiResult::Validated, ""),
            4..7 => (AroiResult::Unauthorised, "its file lists 4 relays, but not the relay that claims it"),
            _ => (AroiResult::Misconfigured, "its certificate <b>has expired\u{202e}"),
        };
        relay.aroi_check = (i < 9).then(|| AroiCheck { result, reason: reason.to_owned(), ..check() });
    }
    record
}

#[test]
fn a_domain_is_listed_with_what_became_of_its_relays_and_why() {
    let site = site_of(judged());
    let row = get(&site, "/api/v1/domains?columns=all").json()["rows"][0].clone();
    let counts = ["n_validated", "n_unauthorised", "n_misconfigured", "n_unchecked"].map(|name| row[name].as_u64().unwrap());
    assert_eq!((row["state"].as_str(), counts, row["method"].as_str()), (Some("validated in part"), [4, 3, 2, 1], Some("uri-rsa")));
    assert_eq!(
        (row["reason"].as_str(), row["checked_at"].as_str()),
        (Some("its file lists 4 relays, but not the relay that claims it"), Some("2026-02-15T19:00:00Z"))
    );
    let state = |change: fn(&mut Relay)| {
        let mut record = judged();
        record.relays.iter_mut().for_each(|record| change(&mut record.relay));
        get(&site_of(record), "/api/v1/domains").json()["rows"][0]["state"].as_str().unwrap().to_owned()
    };
    let only = |relay: &mut Relay, result| relay.aroi_check = relay.aroi_check.take().map(|check| AroiCheck { result, ..check });
    assert_eq!(state(|relay| relay.aroi_check = relay.aroi_check.take().or_else(|| Some(check()))), "validated in part");
    assert_eq!(state(|relay| relay.aroi_check = Some(check())), "validated");
    assert_eq!(state(|relay| relay.aroi_check = None), "unchecked");
    let mut record = judged();
    record.relays.iter_mut().for_each(|record| only(&mut record.relay, AroiResult::Misconfigured));
    assert_eq!(get(&site_of(record), "/api/v1/domains").json()["rows"][0]["state"], "misconfigured");
    assert_eq!(get(&site, "/api/v1/domains?state=misconfigured").json()["rows"].as_array().unwrap().len(), 0);
}

#[test]
fn a_relay_says_what_its_claim_is_worth_and_what_to_do() {
    let site = site_of(judged());
    let of = |i| {
        let page = get(&site, &format!("/relay/{}", fingerprint(i))).text();
        (page, get(&site, &format!("/api/v1/relays/{}", fingerprint(i))).json()["aroi"].clone())
    };
    let (_, json) = of(0);
    assert_eq!((json["state"].as_str(), json["domain"].as_str(), json["reason"].is_null()), (Some("validated"), Some("example.org"), true));
    let (_, json) = of(4);
    assert_eq!(json["reason"], "its file lists 4 relays, but not the relay that claims it");
    let (page, json) = of(7);
    assert!(!page.contains('\u{202e}'));
    assert_eq!((json["state"].as_str(), json["checked_at"].as_str()), (Some("misconfigured"), Some("2026-02-15T19:00:00Z")));
    let (_, json) = of(9);
    assert_eq!((json["state"].as_str(), json["method"].as_str()), (Some("unchecked"), Some("uri-rsa")));
    let (page, json) = of(20);
    assert!(!page.contains("It claims the domain") && json.is_null());
    let csv = get(&site, "/api/v1/relays.csv").text();
    assert!(csv.lines().next().unwrap().ends_with(",aroi,aroi_domain") && csv.contains(",misconfigured,example.org"), "{csv}");
}

#[test]
fn addresses_have_one_form() {
    let site = site_of(claimed());
    let redirect = |address: &str| (get(&site, address).status, get(&site, address).header("location").to_owned());
    assert_eq!(redirect("/operator/Example.ORG"), (StatusCode::PERMANENT_REDIRECT, "/operator/example.org".to_owned()));
    let (small, large) = (fingerprint(20).min(fingerprint(21)), fingerprint(20).max(fingerprint(21)));
    assert_eq!(redirect(&format!("/family/{large}")), (StatusCode::TEMPORARY_REDIRECT, format!("/family/{small}")));
    for nobody in ["/operator/nobody.example", "/operator/x", "/operator/family-0", "/family/0", "/leaderboards/none"] {
        assert_eq!(get(&site, nobody).status, StatusCode::NOT_FOUND, "{nobody}");
    }
    assert_eq!(get(&site, &format!("/family/{}", fingerprint(0))).status, StatusCode::NOT_FOUND);
    assert_eq!(get(&site, "/operators?colour=red").status, StatusCode::BAD_REQUEST);
}

#[test]
fn strangers_text_is_inert_on_pages_of_operators() {
    for text in ["<script>alert(1)</script>\"'><img src=x onerror=1>", "a\u{202E}b\u{0}c\u{200B}d =1+1"] {
        let mut record = claimed();
        for relay in record.relays.iter_mut().map(|record| &mut record.relay).filter(|relay| relay.contact.as_deref() != Some(CONTACT)) {
            let all = Some(text.to_owned());
            *relay = Relay { nickname: all.clone(), contact: all.clone(), platform: all.clone(), version_status: all, ..relay.clone() };
            relay.recommended_version = Some(false);
        }
        let site = site_of(record);
        let mut addresses = pages();
        addresses.push(format!("/operator/{}", allium_model::OperatorId::of_contact(text).unwrap()));
        for address in addresses {
            let html = get(&site, &address).text();
            let is_ours = |tag: &str| is_our_script(tag) || tag.starts_with("img src=\"/");
            let loads = |tag: &&&str| tag.starts_with("script") || tag.starts_with("img");
            assert!(tags(&html).iter().filter(loads).all(|tag| is_ours(tag)), "{address}");
            assert!(!html.chars().any(|c| allium_words::inert::is_deceptive(c) && c != '\n'), "{address}");
        }
        for path in ["operators.csv?columns=all", "leaderboards.csv", "top.csv"] {
            let csv = get(&site, &format!("/api/v1/{path}")).text();
            let mut reader = csv::Reader::from_reader(csv.as_bytes());
            for cell in reader.records().flat_map(|line| line.unwrap().iter().map(str::to_owned).collect::<Vec<_>>()) {
                assert!(!cell.starts_with(['=', '+', '@', '\t', '\r']) && !cell.chars().any(char::is_control), "{cell:?}");
            }
        }
    }
}

#[test]
fn an_empty_network_has_pages_too() {
    let site = site_of(record(0));
    for address in ["/operators", "/domains", "/families", "/leaderboards", "/leaderboards/bandwidth", "/statistics", "/top"] {
        assert_eq!(get(&site, address).status, StatusCode::OK, "{address}");
    }
}

#[test]
fn an_operator_is_told_its_score_its_peers_and_what_to_do() {
    let site = site_of(claimed());
    let html = get(&site, "/operator/example.org").text();
    for part in ["id=\"standing\"", "id=\"advice\"", "id=\"trend\"", "chart-months"] {
        assert!(html.contains(part), "{part}");
    }
    let json = get(&site, "/api/v1/operators/example.org").json();
    assert_eq!(json["standing"]["n_relays"], 4);
    let advice: Vec<&str> = json["advice"].as_array().unwrap().iter().map(|advice| advice["advice"].as_str().unwrap()).collect();
    assert!(advice.contains(&"bring_back") && advice.contains(&"name_back"), "{advice:?}");
    for (file, kind) in [("months.csv", "text/csv"), ("months.png", "image/png")] {
        let answer = get(&site, &format!("/operator/example.org/charts/{file}"));
        assert_eq!(answer.status, StatusCode::OK, "{file}");
        assert!(answer.header("content-type").starts_with(kind));
    }
    assert_eq!(get(&site, "/operator/example.org/charts/nothing.csv").status, StatusCode::NOT_FOUND);
}

/// Standings of operators a month ago, had only the first twenty relays been there.
pub(crate) fn month_ago() -> PastStandings {
    let mut record = claimed();
    let hour = "2026-01-16T00:00:00Z".parse().unwrap();
    record.relays.retain(|record| (0..20).any(|n| fingerprint(n) == record.relay.fingerprint));
    record.relays.iter_mut().for_each(|relay| relay.relay.last_seen = Some(hour));
    record.as_of = hour;
    let report = NetworkReport::compute(&record);
    let operators = OperatorReport::compute(&record, &report);
    PastStandings::new(vec![Arc::new(Standings::of(&record, &report, &operators))])
}

#[test]
fn leaderboards_tell_earlier_places_or_why_there_are_none() {
    let site = site_of(claimed());
    let board = "/leaderboards/consensus_weight";
    site.publish([Patch::Standings(PastStandings::default())]);
    assert!(get(&site, board).text().contains("Not enough history for earlier places"));
    assert!(get(&site, "/operator/example.org").text().contains("Not enough history of our own"));
    site.publish([Patch::Standings(month_ago())]);
    let json = get(&site, &format!("/api/v1{board}?columns=all")).json();
    let rows = json["rows"].as_array().unwrap();
    let own = rows.iter().find(|row| row["id"] == "example.org").unwrap();
    assert_eq!((&own["rank"], &own["rank_30_days_ago"]), (&2.into(), &2.into()));
    assert_eq!((&own["places_gained"], &own["best_rank"]), (&0.0.into(), &2.0.into()));
    assert!(rows.iter().any(|row| row["rank_30_days_ago"].is_null() && !row["best_rank"].is_null()), "new ones");
}
