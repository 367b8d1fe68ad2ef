//! Charts as a client sees them: the same description in every form, the same bytes for the same address.

use std::io::Write as _;

use allium_analysis::{SizeHour, SizeOf, SizeQuantity, Sizes};
use allium_model::{Asn, GraphPeriod, Period, PublishedGraph, Quantity, RelayFlag, Series};
use allium_service::{Patch, Site};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::{as_of, ask, attributes, fingerprint, get, record, site_of};

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
        (explore("effective"), "?show=trend&measure=diversity&from=2026-02-08&to=2026-02-14"),
        (explore("index"), "?show=trend&measure=diversity&range=30d"),
        (explore("top-10"), "?show=trend&measure=diversity&range=30d"),
        (explore("weight"), "?show=trend&measure=weight&range=30d"),
        (explore("total"), "?show=trend&measure=weight&range=30d"),
        (explore("bandwidth"), "?show=trend&measure=bandwidth&range=90d&with=de&with=AS24940"),
        (explore("written"), "?show=trend&measure=bandwidth&range=30d"),
        (explore("trend-2"), "?show=trend&with=de+nl+AS24940+AS24941+flag:Guard"),
        (explore("flags-2"), "?show=trend&measure=flags&with=de+nl"),
        (explore("regions"), "?show=map"),
        (explore("percentiles"), "?show=compare"),
        (explore("distribution"), "?show=distribution"),
        (explore("countries"), "?show=distribution&measure=weight"),
        (explore("matrix"), "?show=correlation&range=1y"),
        (explore("scatter"), "?show=correlation"),
        (explore("flow"), "?show=flow&range=7d"),
        (explore("compare"), "?show=compare&with=AS24940+de"),
        (explore("compare"), "?show=compare&with=platform:linux&with=version:0.4.8.12"),
        (explore("image"), "?range=7d&country=de"),
        (explore("image"), "?of=flag:Guard"),
    ]
}

/// Sizes as a store has them: of the network, two flags, two countries and three autonomous systems over nine days.
pub(crate) fn sizes() -> Sizes {
    let mut sizes = Sizes::default();
    let parts = [
        (SizeOf::Network, 1.0),
        (SizeOf::Flag(RelayFlag::Guard), 0.5),
        (SizeOf::Flag(RelayFlag::Exit), 0.25),
        (SizeOf::Country("de".parse().unwrap()), 0.625),
        (SizeOf::Country("nl".parse().unwrap()), 0.375),
        (SizeOf::As(Asn(24_940)), 0.5),
        (SizeOf::As(Asn(24_941)), 0.25),
        (SizeOf::As(Asn(24_942)), 0.25),
    ];
    for (of, share) in parts {
        let hour = |n: i32| {
            let mut values = [None; SizeQuantity::N];
            values[SizeQuantity::Weight as usize] = Some(share * 1e6);
            values[SizeQuantity::WeightShare as usize] = Some(share);
            values[SizeQuantity::Advertised as usize] = Some(share * 1e9);
            SizeHour { hour: as_of().plus(n), values }
        };
        sizes.add(of, &(-200..=0).map(hour).collect::<Vec<_>>());
    }
    sizes
}

/// The site of a record with sizes beside it and bytes written by its relays.
fn sized(n: u16) -> Site {
    let mut record = record(n);
    for (i, relay) in record.relays.iter_mut().enumerate() {
        let codes = (0..60).map(|day| (day % 11 != 3).then_some(100 + i as u16));
        let series = Series::from_codes(as_of().start_secs() - 60 * 86_400, 86_400, 1e4, codes).unwrap();
        let period = GraphPeriod::Named(Period::SixMonths);
        relay.published.push(PublishedGraph { quantity: Quantity::BytesWritten, period, series, completed: 0 });
    }
    let site = site_of(record);
    site.publish([Patch::Sizes(sizes())]);
    site
}

#[test]
fn weights_bandwidths_and_concentration_come_from_the_store() {
    let site = sized(30);
    let last = |address: &str, line: usize| {
        let json = get(&site, &format!("/explore/charts/{address}")).json();
        let values = json["lines"][line]["values"].as_array().unwrap().clone();
        values.iter().rev().find_map(serde_json::Value::as_f64)
    };
    assert_eq!(last("weight.json?show=trend&measure=weight", 0), Some(0.5));
    assert_eq!(last("weight.json?show=trend&measure=weight&with=nl+AS24941", 0), Some(0.375));
    assert_eq!(last("weight.json?show=trend&measure=weight&with=nl+AS24941", 1), Some(0.25));
    assert_eq!(last("total.json?show=trend&measure=weight", 0), Some(1e6));
    assert_eq!(last("bandwidth.json?show=trend&measure=bandwidth&with=de", 0), Some(6.25e8));
    // Two countries with half of the relays each, and 0.625 and 0.375 of the weight.
    assert_eq!(last("effective.json?show=trend&measure=diversity", 1), Some(2.0));
    let by_weight = last("effective.json?show=trend&measure=diversity", 3).unwrap();
    assert!((by_weight - 1.0 / (0.625f64.powi(2) + 0.375f64.powi(2))).abs() < 1e-6, "{by_weight}");
    assert_eq!(last("top-10.json?show=trend&measure=diversity", 2), Some(1.0));
    let written = last("written.json?show=trend&measure=bandwidth", 0).unwrap();
    assert!((written - (0..30).map(|i| f64::from(100 + i) * 1e4).sum::<f64>()).abs() < 1.0, "{written}");
}

#[test]
fn charts_that_were_shown_are_made_again_when_sizes_come() {
    let site = site_of(record(30));
    let csv = |site: &Site| get(site, "/explore/charts/total.csv?show=trend&measure=weight&range=1y");
    let before = get(&site, "/explore?show=trend&measure=weight&range=1y").text();
    assert_eq!(before, get(&site, "/explore?show=trend&measure=weight&range=1y").text());
    let empty = csv(&site).text();
    site.publish([Patch::Sizes(sizes())]);
    assert_ne!(csv(&site).text(), empty);
    assert_eq!(csv(&site).text(), csv(&sized(30)).text());
}

#[test]
fn a_comparison_holds_everything_that_was_picked_and_offers_more() {
    let site = site_of(record(60));
    let relays: Vec<String> = (0..40).map(|n| format!("with={}", fingerprint(n))).collect();
    let address = format!("/explore?show=compare&with=AS24940&with=de&with=flag:Exit&{}", relays.join("&"));
    let html = get(&site, &address).text();
    let boxes = html.matches(" checked>").count();
    assert_eq!(boxes, 43);
    assert!(html.contains("43 compared reach the median"), "{html}");
    let csv = get(&site, &address.replace("/explore?", "/explore/charts/compare.csv?")).text();
    assert_eq!(csv.lines().count(), 1 + 43 + 3, "{csv}");
    let levels = get(&site, "/explore/charts/percentiles.csv?show=compare").text();
    for level in ["99th", "95th", "90th", "75th", "50th", "25th", "5th"] {
        assert!(levels.contains(&format!("\n{level} percentile")), "{level} in {levels}");
    }
}

#[test]
fn pages_of_groups_lead_to_their_image_their_course_and_their_comparison() {
    let site = site_of(record(40));
    let operator = attributes(&get(&site, "/operators").text(), "href").into_iter().find(|href| href.starts_with("/operator/")).unwrap();
    let family = attributes(&get(&site, "/families").text(), "href").into_iter().find(|href| href.starts_with("/family/")).unwrap();
    for page in [
        "/country/de",
        "/as/AS24940",
        "/flag/Guard",
        "/platform/linux",
        "/version/0.4.8.12",
        "/region/150",
        "/first-seen/2024-10-03",
        &operator,
        &family,
    ] {
        let answer = get(&site, page);
        assert_eq!(answer.status, 200, "{page}");
        let links = attributes(&answer.text(), "href");
        for start in ["/explore/image?of=", "/explore?show=trend", "/explore?show=compare&with="] {
            let link = links.iter().find(|href| href.starts_with(start)).unwrap_or_else(|| panic!("{page} has no {start}"));
            assert_eq!(get(&site, link).status, 200, "{page} {link}");
        }
        let image = links.iter().find(|href| href.starts_with("/explore/image?of=")).unwrap();
        let csv = get(&site, &image.replace("/explore/image?", "/explore/charts/image.csv?")).text();
        assert!(csv.lines().count() > 1, "{page} {image} {csv}");
    }
}

#[test]
fn numbers_of_an_explored_course_are_those_of_its_csv() {
    let site = sized(30);
    for (path, query) in charts().into_iter().filter(|(_, query)| query.contains("show=trend")) {
        let json = get(&site, &format!("{path}.json{query}")).json();
        let csv = get(&site, &format!("{path}.csv{query}")).text();
        let rows: Vec<Vec<String>> = csv.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect();
        for (at, line) in json["lines"].as_array().unwrap().iter().enumerate() {
            for (row, value) in rows.iter().zip(line["values"].as_array().unwrap()) {
                let cell = row[at + 2].parse::<f64>().ok();
                let differ = cell.zip(value.as_f64()).is_some_and(|(a, b)| (a - b).abs() > 1e-9 * b.abs().max(1.0));
                assert!(!differ && cell.is_none() == value.is_null(), "{path}{query}: {cell:?} {value}");
            }
        }
        assert_eq!(rows.len() + 1, json["edges"].as_array().unwrap().len(), "{path}");
    }
}

#[test]
fn every_chart_has_four_forms_and_the_same_address_gives_the_same_bytes() {
    let (site, again) = (sized(40), sized(40));
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
            for (accepted, coding) in [("gzip, br", "br"), ("gzip, br;q=0", "gzip"), ("GZIP", "gzip"), ("br;q=0.0", ""), ("identity", "")] {
                let kept = ask(&site, "GET", &script, &[("accept-encoding", accepted)]);
                assert_eq!(kept.header("content-encoding"), coding, "{accepted}");
                assert_eq!(kept.bytes.len() < asset.bytes.len(), !coding.is_empty(), "{accepted}");
            }
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
