//! `/search` and its JSON: by kind, to the page of what is named exactly, and told what is not understood.

use axum::http::StatusCode;

use super::searches::{network, site};
use super::support::{attributes, get, site_of};

const QUILL: &str = "A1B2C3D4E5F60718293A4B5C6D7E8F9001122334";

#[test]
fn what_is_named_exactly_is_gone_to_with_a_way_to_everything_else() {
    let site = site();
    for (query, page) in [
        ("q=quill", format!("/relay/{QUILL}?found_by=quill")),
        ("q=Germany", "/country/de?found_by=Germany".to_owned()),
        ("q=as24940", "/as/AS24940?found_by=AS24940".to_owned()),
        ("q=exit", "/flag/Exit?found_by=exit".to_owned()),
        ("q=203.0.113.4%3A9001", format!("/relay/{QUILL}?found_by=203.0.113.4%3A9001")),
    ] {
        let answer = get(&site, &format!("/search?{query}"));
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{query}");
        assert_eq!(answer.header("location"), page, "{query}");
        let shown = get(&site, &page);
        assert_eq!(shown.status, StatusCode::OK, "{page}");
        let all = attributes(&shown.text(), "href").into_iter().find(|href| href.starts_with("/search?q=") && href.ends_with("&all=yes"));
        let all = all.unwrap_or_else(|| panic!("{page} leads to no other finding"));
        assert_eq!(get(&site, &all).status, StatusCode::OK, "{all}");
    }
    let all = get(&site, "/search?q=quill&all=yes").text();
    assert!(all.contains("exactly this") && all.contains("/family/"), "{all}");
}

#[test]
fn the_header_of_every_page_leads_to_the_search() {
    let html = get(&site(), "/relays").text();
    assert!(html.contains("<form class=\"find\" role=\"search\" action=\"/search\">"));
    let search = get(&site(), "/search");
    assert_eq!(search.status, StatusCode::OK);
    assert!(attributes(&search.text(), "href").contains(&"/search/help".to_owned()));
}

#[test]
fn the_answer_comes_by_kind() {
    let site = site_of(network());
    let html = get(&site, "/search?q=hetzner").text();
    assert!(html.contains("1 autonomous system") && html.contains("2 relays"), "{html}");
    assert!(html.contains("Understood as <bdi>the text “hetzner”</bdi>"), "{html}");
    assert!(attributes(&html, "href").contains(&"/relays?q=hetzner".to_owned()));
    let incident = get(&site, "/search?q=00000000000000a1");
    assert_eq!(incident.header("location"), "/incident/00000000000000a1?found_by=00000000000000a1");
    let json = get(&site, "/api/v1/search?q=AS24940").json();
    let kinds: Vec<&str> = json["found"].as_array().unwrap().iter().map(|of| of["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["autonomous_systems", "relays", "incidents"]);
    assert_eq!(json["exact"]["href"], "/as/AS24940");
}

#[test]
fn what_is_not_understood_or_not_there_is_told() {
    let site = site();
    let page = get(&site, "/search?q=colour%3Ared");
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    let html = page.text();
    assert!(html.contains("This question is not understood") && html.contains("last_seen_days:"), "{html}");
    assert!(html.contains("value=\"colour:red\"") && attributes(&html, "href").contains(&"/search/help".to_owned()), "{html}");
    let json = get(&site, "/api/v1/search?q=colour%3Ared");
    assert_eq!((json.status, json.json()["parameter"].as_str()), (StatusCode::BAD_REQUEST, Some("q")));
    let nothing = get(&site, "/search?q=nobody-has-this").text();
    assert!(nothing.contains("Nothing is found for nobody-has-this.") && nothing.contains("status=all"), "{nothing}");
    assert_eq!(get(&site, "/search?colour=red").status, StatusCode::BAD_REQUEST);
    assert_eq!(get(&site, "/search?q=a&all=maybe").status, StatusCode::BAD_REQUEST);
}

#[test]
fn strangers_texts_are_shown_and_not_obeyed() {
    let mut network = network();
    network.relays[0].relay.nickname = Some("<img src=x onerror=alert(1)>".to_owned());
    network.relays[0].relay.contact = Some("\u{202e}<script>alert(1)</script> quill@evil.example".to_owned());
    let site = site_of(network);
    for address in
        ["/search?q=quill", "/search?q=%3Cscript%3E", "/search?q=%22%3Cscript%3Ealert(1)%22&all=yes", "/search?q=colour%3A%3Cscript%3E"]
    {
        let html = get(&site, address).text();
        assert!(!html.contains("<script>alert") && !html.contains("<img src=x") && !html.contains('\u{202e}'), "{address}: {html}");
    }
    let led = get(&site, "/country/de?found_by=%3Cscript%3Ealert(1)%3C/script%3E").text();
    assert!(led.contains("&lt;script&gt;") && !led.contains("<script>alert"), "{led}");
}

#[test]
fn the_help_names_every_term() {
    let site = site();
    let html = get(&site, "/search/help").text();
    for key in allium_analysis::Key::ALL {
        assert!(html.contains(&format!("{}:", key.name())), "{}", key.name());
    }
    for href in attributes(&html, "href").into_iter().filter(|href| href.starts_with("/search?") || href.starts_with("/api/")) {
        let status = get(&site, &href.replace("&amp;", "&")).status;
        assert!(status == StatusCode::OK || status == StatusCode::SEE_OTHER, "{href}: {status}");
    }
}
