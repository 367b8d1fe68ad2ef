//! Lists and pages of groups: one definition as page, JSON and CSV; addresses; hostile names.

use axum::http::StatusCode;

use crate::support::{attributes, get, record, site_of, tags};

const LISTS: [&str; 7] = ["/countries", "/regions", "/as", "/flags", "/platforms", "/versions", "/first-seen"];

const PAGES: [&str; 7] =
    ["/country/de", "/region/155", "/as/AS24940", "/flag/Guard", "/platform/linux", "/version/0.4.8.12", "/first-seen/2024-10-03"];

#[test]
fn every_list_and_page_answers_in_every_form() {
    let site = site_of(record(60));
    for list in LISTS {
        let page = get(&site, list);
        assert_eq!(page.status, StatusCode::OK, "{list}");
        let json = get(&site, &format!("/api/v1{list}")).json();
        let csv = get(&site, &format!("{list}.csv")).text();
        assert_eq!(csv, get(&site, &format!("/api/v1{list}.csv")).text(), "{list}");
        let rows = json["rows"].as_array().unwrap();
        assert!(!rows.is_empty() && csv.lines().count() == rows.len() + 1, "{list}");
        let header: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
        assert!(header.iter().all(|name| !rows[0][name].is_null() || rows[0].get(name).is_some()), "{list}: {header:?}");
    }
    for page in PAGES {
        assert_eq!(get(&site, page).status, StatusCode::OK, "{page}");
        assert!(get(&site, &format!("{page}.csv")).text().starts_with("nickname,fingerprint,"), "{page}");
    }
}

#[test]
fn a_group_tells_the_same_in_its_list_and_on_its_page() {
    let site = site_of(record(60));
    let listed = get(&site, "/api/v1/countries").json()["rows"].as_array().unwrap().iter().find(|row| row["key"] == "nl").cloned().unwrap();
    let own = get(&site, "/api/v1/countries/nl").json();
    assert_eq!(own["group"], listed);
    assert_eq!(own["n_rows"], listed["n_relays"]);
    assert!(own["rows"].as_array().unwrap().iter().all(|relay| relay["country"] == "NL"));
}

#[test]
fn groups_have_one_address() {
    let site = site_of(record(12));
    for (asked, canonical) in [
        ("/country/DE", "/country/de"),
        ("/as/24940", "/as/AS24940"),
        ("/as/as24940", "/as/AS24940"),
        ("/flag/guard", "/flag/Guard"),
        ("/region/2", "/region/002"),
        ("/platform/Linux", "/platform/linux"),
    ] {
        let answer = get(&site, asked);
        assert_eq!((answer.status, answer.header("location")), (StatusCode::PERMANENT_REDIRECT, canonical), "{asked}");
    }
}

#[test]
fn groups_that_nobody_knows_are_not_found() {
    let site = site_of(record(12));
    for asked in
        ["/country/qq", "/country/nowhere", "/as/AS1", "/flag/Green", "/region/999", "/version/9", "/first-seen/tomorrow", "/platform/x"]
    {
        assert_eq!(get(&site, asked).status, StatusCode::NOT_FOUND, "{asked}");
        assert_eq!(get(&site, &format!("{asked}.csv")).status, StatusCode::NOT_FOUND, "{asked}");
    }
}

#[test]
fn the_address_holds_period_order_and_filters() {
    let site = site_of(record(60));
    let html = get(&site, "/as?period=1_year&min=10&sort=-n_relays&country=de").text();
    assert!(attributes(&html, "href").iter().any(|link| link == "/as?period=1_year&min=10&country=de&sort=n_relays"));
    for wrong in ["period=2_years", "min=7", "sort=colour", "country=xx", "cursor=AS0"] {
        assert_eq!(get(&site, &format!("/as?{wrong}")).status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    assert_eq!(get(&site, "/api/v1/as?colour=red").status, StatusCode::BAD_REQUEST);
}

#[test]
fn every_formula_that_groups_link_to_is_on_the_methods_page() {
    let site = site_of(record(60));
    let methods = get(&site, "/methods").text();
    for page in LISTS.iter().chain(&PAGES) {
        let html = get(&site, &format!("{page}?columns=all")).text();
        let anchors = attributes(&html, "href").into_iter().filter_map(|link| link.strip_prefix("/methods#").map(str::to_owned));
        let anchors: Vec<String> = anchors.collect();
        assert!(anchors.len() > 4, "{page}");
        for anchor in anchors {
            assert!(methods.contains(&format!(" id=\"{anchor}\"")), "{page} links to #{anchor}");
        }
    }
}

#[test]
fn names_of_strangers_are_escaped_once_and_inert() {
    for hostile in ["<img src=x onerror=alert(1)>&amp;\"'", "=HYPERLINK(\"http://x\")", "a\u{202E}b\r\nc", &"\u{FDFA}".repeat(50_000)] {
        let mut record = record(30);
        for relay in &mut record.relays {
            relay.relay.as_name = Some(hostile.to_owned());
            relay.relay.country_name = Some(hostile.to_owned());
            relay.relay.version = Some(hostile.chars().take(100).collect());
            relay.relay.platform = Some(format!("Tor on {hostile}"));
        }
        let site = site_of(record);
        for page in LISTS.into_iter().chain(["/country/de", "/as/AS24940"]) {
            let html = get(&site, &format!("{page}?columns=all")).text();
            assert!(tags(&html).iter().all(|tag| !tag.starts_with("img src=x") && !tag.contains(" onerror")), "{page}");
            assert!(!html.contains("&amp;lt;") && !html.contains("&amp;amp;amp;"), "{page}");
            assert!(!html.contains('\u{202E}') && html.len() < 900_000, "{page}: {} bytes", html.len());
            let csv = get(&site, &format!("{page}.csv")).text();
            let mut reader = csv::Reader::from_reader(csv.as_bytes());
            for cell in reader.records().map(Result::unwrap).collect::<Vec<_>>().iter().flat_map(csv::StringRecord::iter) {
                assert!(!cell.starts_with(['=', '+', '@']) && !cell.chars().any(char::is_control), "{page}: {cell:?}");
            }
        }
        // Every version has a page, whatever it calls itself.
        let links = attributes(&get(&site, "/versions").text(), "href");
        let version = links.iter().find(|link| link.starts_with("/version/")).unwrap();
        assert_eq!(get(&site, version).status, StatusCode::OK, "{version}");
    }
}

#[test]
fn charts_of_groups_are_drawn() {
    let site = site_of(record(60));
    for address in ["/countries/charts/map", "/as/charts/ranking", "/as/charts/largest", "/country/de/charts/months"] {
        for (extension, kind) in [("png", "image/png"), ("svg", "image/svg+xml"), ("csv", "text/csv"), ("json", "application/json")] {
            let answer = get(&site, &format!("{address}.{extension}"));
            assert_eq!(answer.status, StatusCode::OK, "{address}.{extension}");
            assert!(answer.header("content-type").starts_with(kind), "{address}.{extension}");
        }
    }
    assert_eq!(get(&site, "/as/charts/nothing.png").status, StatusCode::NOT_FOUND);
}
