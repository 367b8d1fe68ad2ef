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
        ("country=atlantis", "country", "a country by name or code"),
        ("country=zz", "country", "a country by name or code"),
        ("version=new", "version", "a range such as 0.4.8..0.4.9"),
        ("version=0.4.8..x", "version", "a list with commas"),
        ("family=relay001", "family", "40 hexadecimal digits"),
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
    for (query, told) in [
        ("q=%22Jane%20Roe", "is not closed"),
        (
            "q=colour:red",
            "country:, as:, as_name:, flag:, contact:, family:, version:, os:, host_name:, running:, first_seen_days:, last_seen_days:",
        ),
        ("q=flag:Green", "Guard"),
        ("q=country:zz", "a country by name or code"),
        ("q=300.1.2.3", "an address such as 203.0.113.4"),
        ("q=a+b+c+d+e+f+g+h+i+j+k+l+m+n+o+p+q", "at most 16 are allowed"),
    ] {
        for list in [
            "/relays",
            "/operators",
            "/families",
            "/countries",
            "/as",
            "/flags",
            "/versions",
            "/platforms",
            "/first-seen",
            "/domains",
            "/top",
            "/leaderboards/reliability_masters",
            "/explore/image",
        ] {
            let page = get(&site, &format!("{list}?{query}"));
            assert_eq!(page.status, StatusCode::BAD_REQUEST, "{list}?{query}");
            assert!(page.text().contains(told), "{list}?{query}: {}", page.text());
        }
        for list in ["/api/v1/relays", "/api/v1/operators", "/api/v1/as", "/api/v1/relays.csv"] {
            let answer = get(&site, &format!("{list}?{query}"));
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{list}?{query}");
            assert!(answer.json()["error"].as_str().is_some_and(|error| error.contains(told)), "{list}?{query}: {}", answer.text());
            assert_eq!(answer.json()["parameter"], "q", "{list}?{query}");
        }
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
    assert_eq!(csv.lines().next().map(|header| header.split(',').count()), Some(45));
}

/// The nicknames that an address of the API finds.
fn nicknames(site: &allium_service::Site, query: &str) -> Vec<String> {
    let answer = get(site, &format!("/api/v1/relays?sort=nickname&{query}"));
    assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.text());
    let json = answer.json();
    json["relays"].as_array().unwrap().iter().map(|relay| relay["nickname"].as_str().unwrap_or("Unnamed").to_owned()).collect()
}

#[test]
fn filters_take_lists_and_ranges() {
    let mut network = record(4);
    for (relay, version) in network.relays.iter_mut().zip(["0.4.7.16", "0.4.8.21", "0.4.9.1-alpha", "0.4.10.1"]) {
        relay.relay.nickname = Some(format!("v{}", version.replace(['.', '-'], "")));
        relay.relay.version = Some(version.to_owned());
        relay.relay.country = relay.relay.nickname.as_deref().and_then(|name| if name == "v04716" { "fr" } else { "de" }.parse().ok());
    }
    let site = site_of(network);
    for (query, expected) in [
        ("version=0.4.8..0.4.9", vec!["v04821", "v0491alpha"]),
        ("version=0.4.8,0.4.9", vec!["v04821", "v0491alpha"]),
        ("version=0.4.9..", vec!["v04101", "v0491alpha"]),
        ("version=..0.4.8", vec!["v04716", "v04821"]),
        ("version=0.4.1", vec![]),
        ("country=fr,de", vec!["v04101", "v04716", "v04821", "v0491alpha"]),
        ("country=France", vec!["v04716"]),
        ("q=country:france", vec!["v04716"]),
        ("q=France", vec!["v04716"]),
        ("q=version:0.4.8..0.4.9", vec!["v04821", "v0491alpha"]),
    ] {
        assert_eq!(nicknames(&site, query), expected, "{query}");
    }
    let html = get(&site, "/relays?country=fr,de&version=0.4.8..0.4.9").text();
    assert!(html.contains("value=\"fr,de\" selected"), "{html}");
    assert!(html.contains("name=\"version\" value=\"0.4.8..0.4.9\""));
}

#[test]
fn a_family_is_the_same_as_a_filter_and_as_a_page() {
    let mut network = record(4);
    // Relays name each other in a chain: the first and the last are one family although neither names the other.
    let all: Vec<_> = network.relays.iter().map(|relay| relay.relay.fingerprint).collect();
    for i in 0..3_usize {
        let near = [i.checked_sub(1), Some(i), (i < 2).then_some(i + 1)];
        network.relays[i].relay.effective_family = near.into_iter().flatten().map(|i| all[i]).collect();
        network.relays[i].relay.nickname = Some(format!("chain{i}"));
    }
    network.relays[3].relay.effective_family = vec![all[3]];
    let site = site_of(network);
    for member in &all[..3] {
        assert_eq!(nicknames(&site, &format!("family={member}")), ["chain0", "chain1", "chain2"]);
        assert_eq!(nicknames(&site, &format!("q=family:{member}")), ["chain0", "chain1", "chain2"]);
    }
    assert_eq!(get(&site, &format!("/api/v1/families/{}", all[0])).json()["n_rows"], 3);
    assert_eq!(nicknames(&site, &format!("family={}", all[3])).len(), 1);
}

#[test]
fn lists_of_groups_find_those_with_a_relay_that_fits() {
    let site = site_of(record(12));
    let keys = |address: &str| -> Vec<String> {
        let answer = get(&site, address);
        assert_eq!(answer.status, StatusCode::OK, "{address}: {}", answer.text());
        answer.json()["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["key"].as_str().or(row["version"].as_str()).or(row["name"].as_str()).unwrap_or_default().to_owned())
            .collect()
    };
    for (address, expected) in [
        ("/api/v1/countries?q=germany", vec!["de"]),
        ("/api/v1/countries?q=Deutschland", vec!["de"]),
        ("/api/v1/countries?q=de", vec!["de"]),
        ("/api/v1/countries?q=country:nl,fr", vec!["nl"]),
        ("/api/v1/as?q=24941", vec!["AS24941"]),
        ("/api/v1/as?q=AS24941", vec!["AS24941"]),
        ("/api/v1/as?q=as:as24941", vec!["AS24941"]),
        ("/api/v1/versions?q=0.4.8..0.4.9", vec!["0.4.8.12"]),
        ("/api/v1/versions?q=version:0.4.9..", vec![]),
        ("/api/v1/platforms?q=os:linux", vec!["linux"]),
        ("/api/v1/flags?q=guard", vec!["Guard"]),
        ("/api/v1/countries?q=%22South+Korea%22", vec![]),
    ] {
        assert_eq!(keys(address), expected, "{address}");
    }
    let n = |address: &str| get(&site, address).json()["n_rows"].clone();
    assert_eq!(n("/api/v1/operators?q=tor%20(at)%20example%20dot%20org"), n("/api/v1/operators"));
    assert_eq!(n("/api/v1/families?q=192.0.2.4"), 1);
    assert_eq!(n("/api/v1/families?q=192.0.2.44"), 0);
}
