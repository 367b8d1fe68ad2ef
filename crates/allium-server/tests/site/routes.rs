//! Addresses: parsed and written they are the same, every one answers, and none is left out where addresses are listed.

use std::collections::BTreeSet;

use allium_service::Site;
use allium_views::route::{ChartForm, Form, Page};
use allium_views::{Parsed, Route};
use axum::http::StatusCode;

use crate::support::{ask, attributes, fingerprint, get, record, site_of};

/// All routes of a site, but for pictures of more than one page of a shape: they take long.
fn routes(site: &Site) -> Vec<Route> {
    let mut drawn = BTreeSet::new();
    let is_new = |route: &Route| match route {
        Route::Chart(_, file) if file.form == ChartForm::Png => drawn.insert((route.pattern(), file.name.clone())),
        _ => true,
    };
    Route::all(&site.snapshot()).filter(is_new).collect()
}

fn route_of(address: &str) -> Option<Route> {
    match Route::parse(address.split(['?', '#']).next()?) {
        Ok(Parsed::Route(route)) => Some(route),
        _ => None,
    }
}

#[test]
fn an_address_is_read_as_it_was_written() {
    let routes: Vec<Route> = Route::all(&site_of(record(21)).snapshot()).collect();
    let addresses: BTreeSet<String> = routes.iter().map(Route::address).collect();
    assert_eq!(addresses.len(), routes.len(), "an address is listed twice");
    assert!(routes.len() > 500, "only {} routes", routes.len());
    for route in routes {
        assert_eq!(Route::parse(&route.address()), Ok(Parsed::Route(route)));
    }
    for key in ["a b/ü%", "..", "charts", "x.csv", "+&?#"] {
        let route = Route::Page(Page::Incident(key.to_owned()));
        assert_eq!(Route::parse(&route.address()), Ok(Parsed::Route(route)), "{key}");
    }
}

#[test]
fn every_address_answers() {
    let site = site_of(record(21));
    let is_forecast = |address: &str| address.contains("/forecasts") || address.ends_with("/forecast");
    for route in routes(&site) {
        let address = route.address();
        let answer = get(&site, &address);
        let is_missing = matches!(answer.status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::NOT_FOUND) && is_forecast(&address);
        let is_calendar = matches!(route, Route::Calendar(_));
        assert!(answer.status == StatusCode::OK || is_missing || is_calendar, "{address}: {}", answer.status);
    }
}

#[test]
fn every_page_that_is_linked_is_listed() {
    let site = site_of(record(21));
    let all: BTreeSet<String> = Route::all(&site.snapshot()).map(|route| route.address()).collect();
    for route in routes(&site).into_iter().filter(|route| matches!(route, Route::Page(_))) {
        let html = get(&site, &route.address()).text();
        for link in attributes(&html, "href").into_iter().chain(attributes(&html, "src")).filter(|link| link.starts_with('/')) {
            let linked = route_of(&link).unwrap_or_else(|| panic!("{} links to {link}, which is no address of its own", route.address()));
            let is_listed = matches!(linked, Route::Service(_)) || all.contains(&linked.address());
            assert!(is_listed, "{} links to {link}", route.address());
        }
    }
}

#[test]
fn every_route_has_one_of_the_patterns() {
    let patterns: Vec<String> = Route::patterns().collect();
    let distinct: BTreeSet<&String> = patterns.iter().collect();
    assert_eq!(distinct.len(), patterns.len(), "a pattern is listed twice");
    let site = site_of(record(21));
    for route in Route::all(&site.snapshot()) {
        assert!(distinct.contains(&route.pattern()), "{}", route.address());
    }
}

/// The tables of `docs/api.md` name every address of the API, and the text below them what is no table of figures.
#[test]
fn the_documented_api_is_the_whole_api() {
    let docs = include_str!("../../../../docs/api.md");
    let family = fingerprint(2).to_string();
    let names = [("FINGERPRINT", family.as_str()), ("OPERATOR", "example.org"), ("FAMILY", &family), ("CATEGORY", "bandwidth")];
    let rows = docs.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0));
    let address = |row: &str| names.iter().fold(row.to_owned(), |row, (name, key)| row.replace(name, key));
    let documented: BTreeSet<String> = rows
        .map(|row| route_of(&address(row)).unwrap_or_else(|| panic!("{row} is documented and is no address")))
        .filter(|route| !matches!(route, Route::Data(_, Form::Csv)))
        .map(|route| route.pattern())
        .collect();
    let is_tabled = |pattern: &String| pattern.starts_with("/api/v1/") && !pattern.ends_with(".csv") && !documented.contains(pattern);
    for pattern in Route::patterns().filter(is_tabled) {
        assert!(docs.contains(&format!("`{pattern}`")) || pattern.contains("/incidents/INCIDENT/"), "{pattern} is not documented");
    }
}

#[test]
fn a_form_is_answered_only_where_there_is_one() {
    let site = site_of(record(9));
    let operator = get(&site, "/api/v1/operators").json()["rows"][0]["operator"].as_str().unwrap_or("example.org").to_owned();
    for address in ["/api/v1/census".to_owned(), "/api/v1/network".to_owned(), format!("/api/v1/operators/{operator}")] {
        let answer = ask(&site, "GET", &address, &[("accept", "text/csv")]);
        let is_json = serde_json::from_slice::<serde_json::Value>(&answer.bytes).is_ok();
        assert_eq!(answer.header("content-type").starts_with("application/json"), is_json, "{address}");
    }
    let refused = ask(&site, "GET", "/api/v1/network", &[("accept", "text/csv;q=0, application/json")]);
    assert_eq!(refused.header("content-type"), "application/json");
}

#[test]
fn scripts_are_allowed_where_a_page_loads_one() {
    let site = site_of(record(21));
    for route in routes(&site).into_iter().filter(|route| matches!(route, Route::Page(_))) {
        let answer = get(&site, &route.address());
        let loads = answer.text().contains("<script ");
        assert_eq!(answer.header("content-security-policy").contains("script-src"), loads, "{}", route.address());
    }
}

#[test]
fn methods_and_broken_addresses_are_refused_in_the_form_of_the_address() {
    let site = site_of(record(3));
    for (method, address, status) in [
        ("GET", "/api/v1/incidents/00000000000000a1/acknowledge", StatusCode::METHOD_NOT_ALLOWED),
        ("GET", "/incident/00000000000000a1/notes", StatusCode::METHOD_NOT_ALLOWED),
        ("POST", "/healthz", StatusCode::METHOD_NOT_ALLOWED),
        ("POST", "/country/DE", StatusCode::METHOD_NOT_ALLOWED),
        ("OPTIONS", "/as/AS24940/charts/months.png", StatusCode::METHOD_NOT_ALLOWED),
        ("POST", "/nothing", StatusCode::NOT_FOUND),
        ("GET", "/relay/%FF", StatusCode::BAD_REQUEST),
        ("GET", "/api/v1/relays/%FF", StatusCode::BAD_REQUEST),
        ("GET", "/relay/", StatusCode::NOT_FOUND),
        ("GET", "/nothing/", StatusCode::NOT_FOUND),
        ("GET", "/methods/charts/uptime.png", StatusCode::NOT_FOUND),
        ("GET", "/as/AS24940/charts/months.gif", StatusCode::NOT_FOUND),
        ("GET", "/api/v1/census.csv", StatusCode::NOT_FOUND),
    ] {
        let answer = ask(&site, method, address, &[]);
        assert_eq!(answer.status, status, "{method} {address}");
        let form = if address.starts_with("/api/") { "application/json" } else { "text/html; charset=utf-8" };
        assert_eq!(answer.header("content-type"), form, "{method} {address}");
        assert_eq!(answer.header("cache-control"), "no-store", "{method} {address}");
        if status == StatusCode::METHOD_NOT_ALLOWED {
            let is_note = address.contains("00000000000000a1");
            assert_eq!(answer.header("allow"), if is_note { "POST" } else { "GET, HEAD" }, "{method} {address}");
        }
    }
    let head = ask(&site, "HEAD", "/api/v1/network", &[]);
    let full = get(&site, "/api/v1/network");
    assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0));
    assert_eq!(head.header("content-length"), full.bytes.len().to_string());
}
