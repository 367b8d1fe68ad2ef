//! The list: its state is its address, and its pages together are all relays.

use std::collections::BTreeSet;

use axum::http::StatusCode;

use crate::support::{attributes, fingerprint, get, record, site_of};

fn relays_of(html: &str) -> Vec<String> {
    let body = html.split("<tbody>").nth(1).and_then(|rest| rest.split("</tbody>").next()).unwrap_or_default();
    attributes(body, "href").into_iter().filter_map(|link| link.strip_prefix("/relay/").map(str::to_owned)).collect()
}

#[test]
fn pages_cover_every_relay_once() {
    let site = site_of(record(121));
    for sort in ["", "&sort=nickname", "&sort=-uptime_1_month", "&sort=country", "&sort=-version"] {
        let mut all = Vec::new();
        for page in 1..=3 {
            all.extend(relays_of(&get(&site, &format!("/relays?page={page}{sort}")).text()));
        }
        assert_eq!(all.len(), 121, "{sort}");
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 121, "{sort}");
    }
    assert_eq!(get(&site, "/relays?page=4").status, StatusCode::BAD_REQUEST);
}

#[test]
fn the_address_holds_the_whole_state() {
    let site = site_of(record(121));
    let address = "/relays?q=relay0&status=running&flag=Guard&country=de&sort=nickname&per=100";
    let html = get(&site, address).text();
    let shown = relays_of(&html);
    assert!(!shown.is_empty());
    let json = get(&site, "/api/v1/relays?q=relay0&status=running&flag=Guard&country=de&sort=nickname&limit=1000").json();
    let named: Vec<_> = json["relays"].as_array().unwrap().iter().map(|r| r["fingerprint"].as_str().unwrap().to_owned()).collect();
    assert_eq!(shown, named);
    for relay in json["relays"].as_array().unwrap() {
        assert!(relay["running"] == true && relay["country"] == "de" && relay["nickname"].as_str().unwrap().starts_with("relay0"));
    }
    // A link that changes the order keeps everything else.
    let other_order = attributes(&html, "href").into_iter().find(|link| link.contains("sort=-bandwidth")).unwrap();
    assert_eq!(other_order, "/relays?q=relay0&status=running&flag=Guard&country=de&sort=-bandwidth&per=100");
    assert_eq!(relays_of(&get(&site, &other_order).text()).iter().collect::<BTreeSet<_>>(), shown.iter().collect());
}

#[test]
fn sorting_turns_round() {
    let site = site_of(record(30));
    let html = get(&site, "/relays?sort=nickname").text();
    let forth = relays_of(&html);
    let back = relays_of(&get(&site, "/relays?sort=-nickname").text());
    let unnamed = fingerprint(5).to_string();
    // A relay without a nickname comes last in either order.
    assert_eq!((forth.last(), back.last()), (Some(&unnamed), Some(&unnamed)));
    assert!(forth[..29].iter().eq(back[..29].iter().rev()));
}

#[test]
fn wrong_values_are_named_with_what_is_allowed() {
    let site = site_of(record(3));
    let cases = [
        ("sort=colour", "sort", "nickname"),
        ("status=maybe", "status", "running"),
        ("flag=Green", "flag", "Guard"),
        ("country=germany", "country", "two letters"),
        ("as=hetzner", "as", "AS24940"),
        ("page=0", "page", "a whole number from 1"),
        ("per=7", "per", "50 or 100"),
        ("q=a&q=b", "q", "one value"),
    ];
    for (query, name, allowed) in cases {
        let answer = get(&site, &format!("/relays?{query}"));
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(answer.text().contains(name) && answer.text().contains(allowed), "{query}: {}", answer.text());
    }
    let long = format!("/relays?q={}", "a".repeat(300));
    assert_eq!(get(&site, &long).status, StatusCode::BAD_REQUEST);
}

#[test]
fn an_empty_result_offers_ways_onward() {
    let site = site_of(record(3));
    let html = get(&site, "/relays?q=nobody&country=de").text();
    assert!(html.contains("No relay fits this search."));
    let links = attributes(&html, "href");
    assert!(
        links.contains(&"/relays?q=nobody".to_owned()) && links.contains(&"/relays?q=nobody&status=all&country=de".to_owned()),
        "{links:?}"
    );
}

#[test]
fn all_columns_are_headed_and_filled() {
    let site = site_of(record(30));
    for (query, n_columns) in [("", 15), ("?columns=all", 22)] {
        let html = get(&site, &format!("/relays{query}")).text();
        assert_eq!(html.matches("<th scope=\"col\"").count(), n_columns, "{query}");
        let row = html.split("<tbody>").nth(1).and_then(|rest| rest.split("</tr>").next()).unwrap();
        assert_eq!(row.matches("<td").count() + row.matches("<th").count(), n_columns, "{query}");
    }
    let csv = get(&site, "/api/v1/relays.csv").text();
    assert_eq!(csv.lines().next().map(|header| header.split(',').count()), Some(43));
}
