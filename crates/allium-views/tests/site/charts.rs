//! Charts as a client sees them: the same description in every form, the same bytes for the same address.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::{attributes, fingerprint, get, record, site_of};

/// Addresses of charts without their ending, each with a query part.
fn charts() -> Vec<(String, &'static str)> {
    let relay = format!("/relay/{}/charts/uptime", fingerprint(2));
    let explore = |name: &str| format!("/explore/charts/{name}");
    vec![
        (relay.clone(), "?period=7_days"),
        (relay.clone(), "?period=6_months&beside=network"),
        (relay, "?period=5_years&beside=as"),
        (explore("map"), "?show=map"),
        (explore("trend"), "?show=trend&range=7d"),
        (explore("trend"), "?show=trend&measure=relays"),
        (explore("trend"), "?show=trend&measure=flags&range=90d"),
        (explore("trend"), "?show=trend&measure=diversity&from=2026-02-08&to=2026-02-14"),
        (explore("distribution"), "?show=distribution"),
        (explore("countries"), "?show=distribution&measure=weight"),
        (explore("matrix"), "?show=correlation&range=1y"),
        (explore("scatter"), "?show=correlation"),
        (explore("flow"), "?show=flow&range=7d"),
        (explore("compare"), "?show=compare&with=AS24940+de"),
        (explore("image"), "?range=7d&country=de"),
    ]
}

#[test]
fn every_chart_has_four_forms_and_the_same_address_gives_the_same_bytes() {
    let (site, again) = (site_of(record(40)), site_of(record(40)));
    for (path, query) in charts() {
        for (ending, start) in [("png", "\u{89}PNG"), ("svg", "<svg "), ("csv", ""), ("json", "{")] {
            let address = format!("{path}.{ending}{query}");
            let answer = get(&site, &address);
            assert_eq!(answer.status, 200, "{address}");
            let beginning: String = answer.bytes.iter().take(start.chars().count()).map(|byte| char::from(*byte)).collect();
            assert_eq!(beginning, start, "{address}");
            assert_eq!(answer.bytes, get(&again, &address).bytes, "{address}");
            assert!(!answer.header("etag").is_empty(), "{address}");
        }
        let dark = get(&site, &format!("{path}.svg{query}&theme=dark&size=narrow&caption=yes")).text();
        assert!(dark.contains("#14161a") && dark.contains("width=\"360\""), "{path}");
    }
}

#[test]
fn csv_of_a_relay_has_the_values_of_its_json() {
    let site = site_of(record(10));
    for period in ["7_days", "1_month", "1_year", "5_years"] {
        let path = format!("/relay/{}/charts/uptime", fingerprint(2));
        let json = get(&site, &format!("{path}.json?period={period}")).json();
        let values = json["lines"][0]["values"].as_array().unwrap();
        let csv = get(&site, &format!("{path}.csv?period={period}")).text();
        let cells: Vec<Option<f64>> = csv.lines().skip(1).map(|line| line.split(',').nth(2).unwrap().parse().ok()).collect();
        assert_eq!(cells.len(), values.len());
        for (cell, value) in cells.iter().zip(values) {
            // The JSON reader of the test may miss the last bit.
            let differ = cell.zip(value.as_f64()).is_some_and(|(a, b)| (a - b).abs() > 1e-12);
            assert!(!differ && cell.is_none() == value.is_null(), "{period}: {cell:?} {value}");
        }
    }
}

#[test]
fn only_pages_with_charts_may_run_our_script_and_none_may_run_another() {
    let site = site_of(record(10));
    for path in [format!("/relay/{}", fingerprint(2)), "/explore".to_owned(), "/".to_owned(), "/relays".to_owned()] {
        let answer = get(&site, &path);
        let policy = answer.header("content-security-policy").to_owned();
        let scripts: Vec<_> = attributes(&answer.text(), "src").into_iter().filter(|src| src.ends_with(".js")).collect();
        assert_eq!(policy.contains("script-src 'self'"), !scripts.is_empty(), "{path}");
        assert!(!policy.contains("unsafe"), "{policy}");
        for script in scripts {
            let asset = get(&site, &script);
            assert_eq!((asset.status.as_u16(), asset.header("content-type")), (200, "text/javascript; charset=utf-8"));
            assert!(asset.header("cache-control").contains("immutable"));
        }
    }
}

#[test]
fn a_relay_page_is_small_with_every_period() {
    let site = site_of(record(10));
    for query in ["", "?period=7_days", "?period=1_month", "?period=6_months", "?period=5_years&beside=network"] {
        let html = get(&site, &format!("/relay/{}{query}", fingerprint(2))).text();
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(html.as_bytes()).unwrap();
        let size = packed.finish().unwrap().len();
        assert!(size < 30_000, "{query}: {size}");
        assert!(html.contains("aria-current=\"true\"") && html.contains("uptime.png"));
    }
}

#[test]
fn explore_says_what_is_wrong_with_an_address() {
    let site = site_of(record(5));
    for query in [
        "show=nothing",
        "range=2d",
        "from=2026-02-10&to=2026-02-01",
        "from=x&to=y",
        "show=compare&with=nobody",
        "colour=red",
        "measure=luck",
    ] {
        assert_eq!(get(&site, &format!("/explore?{query}")).status, 400, "{query}");
    }
    for query in ["period=2_years", "beside=nobody", "x=1"] {
        assert_eq!(get(&site, &format!("/relay/{}?{query}", fingerprint(2))).status, 400, "{query}");
    }
    for path in ["/explore/charts/nothing.png", "/explore/charts/map.gif", "/explore/charts/map", "/relay/x/charts/uptime.png"] {
        assert_eq!(get(&site, path).status, 404, "{path}");
    }
    assert_eq!(get(&site, "/explore/charts/map.png?theme=red").status, 400);
}

#[test]
fn every_side_of_the_network_has_a_page_in_every_form() {
    let site = site_of(record(30));
    for show in ["map", "trend", "distribution", "correlation", "flow", "compare"] {
        for display in ["picture", "table", "raw"] {
            let answer = get(&site, &format!("/explore?show={show}&display={display}"));
            assert_eq!(answer.status, 200, "{show} {display}");
            let html = answer.text();
            assert!(html.contains(".csv?"), "{show} {display}");
            assert!(!html.contains(" style="), "{show} {display}");
        }
    }
    assert!(get(&site, "/explore/image?country=de").text().contains("image.png?"));
    let empty = site_of(record(0));
    assert_eq!(get(&empty, "/explore").status, 200);
    assert_eq!(get(&empty, "/explore?show=flow").status, 200);
}
