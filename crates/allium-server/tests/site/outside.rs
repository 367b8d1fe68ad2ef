//! Addresses as people, programs and proxies write them: with slashes too many, in capitals, behind a proxy, below a path.

use std::collections::BTreeSet;

use allium_server::{Peer, Proxies, Server};
use allium_service::{Patch, Site, SiteInfo, View};
use allium_views::route::ChartForm;
use allium_views::{Parsed, Route};
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use tower::ServiceExt as _;

use crate::support::{Answer, NOW, ask, attributes, fingerprint, get, log_of, record, site_of, tags};

/// Addresses of every kind that a site answers, a picture of each kind of page among them.
fn addresses(site: &Site) -> Vec<String> {
    let mut drawn = BTreeSet::new();
    let is_new = |route: &Route| match route {
        Route::Chart(_, file) if file.form == ChartForm::Png => drawn.insert((route.pattern(), file.name.clone())),
        _ => true,
    };
    Route::all(&site.snapshot()).filter(is_new).map(|route| route.address()).collect()
}

#[test]
fn a_slash_at_the_end_leads_to_the_address_without_it() {
    let site = site_of(record(9));
    let services = ["/healthz", "/metrics", "/api/v1/incidents/stream"].map(str::to_owned);
    for address in addresses(&site).into_iter().chain(services).filter(|address| address != "/") {
        for (asked, query) in [(format!("{address}/"), ""), (format!("{address}//"), "?a=b&c"), (format!("/{address}"), "?")] {
            let answer = get(&site, &format!("{asked}{query}"));
            assert_eq!(answer.status, StatusCode::PERMANENT_REDIRECT, "{asked}");
            assert_eq!(answer.header("location"), format!("{address}{}", query.trim_end_matches('?')), "{asked}");
        }
    }
}

#[test]
fn every_form_of_an_address_leads_to_it_in_one_step_with_its_query() {
    let site = site_of(record(9));
    let relay = fingerprint(3).to_string();
    for (asked, expected) in [
        ("//", "/"),
        ("///?x=1", "/?x=1"),
        ("/relays/?sort=-weight", "/relays?sort=-weight"),
        ("/RELAYS", "/relays"),
        ("/Api/V1/Relays.csv/", "/api/v1/relays.csv"),
        ("/api//v1///network/", "/api/v1/network"),
        ("/forecasts/Scoreboard", "/forecasts/scoreboard"),
        ("/Leaderboards/BANDWIDTH/", "/leaderboards/bandwidth"),
        ("/country/DE/?page=2", "/country/de?page=2"),
        ("/country/DE?sort=%C3%BC", "/country/de?sort=%C3%BC"),
        ("/as/as24940/", "/as/AS24940"),
        ("/AS/24940", "/as/AS24940"),
        ("/as/AS24940/charts/months.svg/?theme=dark", "/as/AS24940/charts/months.svg?theme=dark"),
        ("/incidents.atom/", "/incidents.atom"),
        ("/version/0.4.8.12/", "/version/0.4.8.12"),
        ("/version/a%2Fb/", "/version/a%2Fb"),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = ask(&site, method, asked, &[]);
            assert_eq!((answer.status, answer.header("location")), (StatusCode::PERMANENT_REDIRECT, expected), "{method} {asked}");
            assert!(answer.bytes.is_empty(), "{method} {asked}");
        }
    }
    for asked in [format!("/relay/{}/", relay.to_lowercase()), format!("/Relay/{relay}"), format!("/relay/%24{relay}/")] {
        let answer = get(&site, &asked);
        assert!(answer.status == StatusCode::NOT_FOUND || answer.header("location") == format!("/relay/{relay}"), "{asked}");
    }
    let calendar = get(&site, &format!("/relay/{relay}/maintenance.ics/"));
    assert_eq!(calendar.header("location"), format!("/relay/{relay}/maintenance.ics"));
}

#[test]
fn nothing_leads_to_another_host() {
    let site = site_of(record(3));
    for asked in
        ["//evil.example/", "//evil.example//", "/%2F/evil.example/", "/%2Fevil.example/", "/\\evil.example/", "//relays@evil.example/"]
            .into_iter()
            .chain(["/relay/%2F%2Fevil.example/", "/nothing/", "/relay/", "/assets/", "///evil.example/relays/"])
    {
        let answer = get(&site, asked);
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{asked}");
    }
    for asked in ["//evil.example/../relays/", "/incident/%2F%2Fevil.example/", "/version/%5C%5Cevil.example/", "/platform/..%2F..%2Fx/"] {
        let to = get(&site, asked).header("location").to_owned();
        assert!(to.is_empty() || to.starts_with('/') && !to.starts_with("//") && !to.contains('\\'), "{asked} leads to {to}");
    }
}

#[test]
fn a_note_sent_with_a_slash_too_many_is_sent_again() {
    let site = site_of(record(9));
    let answer = ask(&site, "POST", "/api/v1/incidents/00000000000000a1/annotations/", &[]);
    let expected = (StatusCode::PERMANENT_REDIRECT, "/api/v1/incidents/00000000000000a1/annotations");
    assert_eq!((answer.status, answer.header("location")), expected);
    assert_eq!(ask(&site, "POST", "/relays/", &[]).status, StatusCode::METHOD_NOT_ALLOWED);
}

#[test]
fn figures_come_in_the_form_that_the_client_would_rather_have() {
    let site = site_of(record(9));
    let kind = |address: &str, accept: &str| get_as(&site, address, accept).header("content-type").to_owned();
    let relay = format!("/api/v1/relays/{}", fingerprint(2));
    for address in ["/api/v1/relays", "/api/v1/as", "/api/v1/countries/de", "/api/v1/incidents", &relay] {
        for (accept, expected) in [
            ("text/csv;q=0.4, application/json;q=0.6", "application/json"),
            ("text/csv;q=0.6, application/json;q=0.4", "text/csv; charset=utf-8; header=present"),
            ("*/*;q=0.1", "application/json"),
            ("text/html;q=0, */*;q=0.1", "application/json"),
            ("application/json;q=0, */*", "text/csv; charset=utf-8; header=present"),
            ("text/csv;q=many", "application/json"),
        ] {
            assert_eq!(kind(address, accept), expected, "{address} {accept}");
        }
        assert_eq!(kind(&format!("{address}.csv"), "application/json"), "text/csv; charset=utf-8; header=present");
    }
    for accept in ["text/html;q=0", "application/json", "text/csv", "*/*;q=0"] {
        assert_eq!(kind("/relays", accept), "text/html; charset=utf-8", "{accept}");
        assert_eq!(kind("/as/AS24940/charts/months.svg", accept), "image/svg+xml", "{accept}");
        assert!(kind("/incidents.atom", accept).starts_with("application/atom+xml"), "{accept}");
    }
}

fn get_as(site: &Site, address: &str, accept: &str) -> Answer {
    ask(site, "GET", address, &[("accept", accept)])
}

/// A site with a configured address.
fn site_at(address: Option<&str>) -> Site {
    let info = SiteInfo { address: address.map(|address| address.parse().unwrap()), ..SiteInfo::default() };
    let site = Site::new(info, std::sync::Arc::new(|| NOW.parse().unwrap()));
    let record = record(9);
    let report = allium_analysis::NetworkReport::compute(&record);
    site.publish([Patch::Incidents(Box::new(log_of(&record))), Patch::Network(Box::new(View::new(record, report)))]);
    site
}

/// Asks as this peer of a server that trusts these proxies.
fn ask_as(site: &Site, proxies: Option<&[&str]>, peer: Peer, address: &str, headers: &[(&str, &str)]) -> Answer {
    let trusted = proxies.map(|proxies| Proxies::new(proxies.iter().map(|proxy| proxy.parse().unwrap()))).unwrap_or_default();
    let mut request = Request::builder().uri(address).extension(ConnectInfo(peer));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    let router = Server::new(site.clone()).trusting(trusted).router();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
        Answer { status: parts.status, headers: parts.headers, bytes: to_bytes(body, usize::MAX).await.unwrap().to_vec() }
    })
}

/// Beginning of the addresses in the feed.
fn base_of_feed(answer: &Answer) -> String {
    let feed = answer.text().parse::<atom_syndication::Feed>().unwrap();
    let itself = feed.links().iter().find(|link| link.rel() == "self").unwrap().href().to_owned();
    for link in feed.links().iter().chain(feed.entries().iter().flat_map(atom_syndication::Entry::links)) {
        assert!(link.href().starts_with(itself.trim_end_matches("/incidents.atom")), "{}", link.href());
    }
    itself.trim_end_matches("/incidents.atom").to_owned()
}

const LOOPBACK: Peer = Peer::At(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
const STRANGER: Peer = Peer::At(std::net::IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 7)));

#[test]
fn a_trusted_proxy_says_under_which_address_the_service_is_known() {
    let site = site_at(None);
    let base = |headers: &[(&str, &str)]| {
        let headers: Vec<_> = headers.iter().copied().chain([("host", "10.0.0.5:8080")]).collect();
        base_of_feed(&ask_as(&site, None, LOOPBACK, "/incidents.atom", &headers))
    };
    for (headers, expected) in [
        (&[][..], "http://10.0.0.5:8080"),
        (&[("x-forwarded-proto", "https")], "https://10.0.0.5:8080"),
        (&[("x-forwarded-proto", "HTTPS"), ("x-forwarded-host", "Tor.Example")], "https://tor.example"),
        (&[("x-forwarded-proto", "http, https")], "https://10.0.0.5:8080"),
        (&[("x-forwarded-host", "evil.example, tor.example:8443")], "http://tor.example:8443"),
        (&[("x-forwarded-prefix", "/allium/")], "http://10.0.0.5:8080/allium"),
        (&[("forwarded", "for=192.0.2.43;proto=https;host=tor.example")], "https://tor.example"),
        (&[("forwarded", "For=\"[2001:db8::17]:4711\" ; Proto=https; HOST=\"tor.example:443\"")], "https://tor.example:443"),
        // The outer proxy is trusted as well, so what it wrote about the client counts.
        (&[("forwarded", "for=192.0.2.43;proto=https;host=tor.example, for=127.0.0.9;proto=http;host=inner")], "https://tor.example"),
        // The client wrote the first element itself.
        (&[("forwarded", "proto=https;host=evil.example, for=192.0.2.43;proto=http;host=tor.example")], "http://tor.example"),
        (&[("forwarded", "proto=https"), ("x-forwarded-proto", "http"), ("x-forwarded-host", "tor.example")], "https://tor.example"),
    ] {
        assert_eq!(base(headers), expected, "{headers:?}");
    }
}

#[test]
fn what_cannot_be_an_address_is_not_believed() {
    let site = site_at(None);
    for (name, value) in [
        ("x-forwarded-proto", "javascript"),
        ("x-forwarded-proto", ""),
        ("x-forwarded-host", "tor.example/<script>"),
        ("x-forwarded-host", "me@tor.example"),
        ("x-forwarded-host", ""),
        ("x-forwarded-prefix", "allium"),
        ("x-forwarded-prefix", "//evil.example"),
        ("x-forwarded-prefix", "/a/../b"),
        ("x-forwarded-prefix", "/\"><b>"),
        ("forwarded", "proto=https;host"),
        ("forwarded", "proto=\"https;host=tor.example"),
        ("forwarded", "proto=https;host=tor.example,,"),
        ("forwarded", "proto https"),
        ("forwarded", "proto=ftp;host=\"a b\""),
        ("forwarded", "=https"),
    ] {
        let answer = ask_as(&site, None, LOOPBACK, "/incidents.atom", &[("host", "here.example"), (name, value)]);
        assert_eq!(base_of_feed(&answer), "http://here.example", "{name}: {value}");
    }
    let answer = ask_as(&site, None, LOOPBACK, "/incidents.atom", &[("host", "<b>")]);
    assert_eq!(base_of_feed(&answer), "");
}

#[test]
fn nobody_else_is_believed() {
    let site = site_at(None);
    let said = [
        ("host", "here.example"),
        ("forwarded", "proto=https;host=evil.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-prefix", "/evil"),
    ];
    let base = |proxies: Option<&[&str]>, peer| base_of_feed(&ask_as(&site, proxies, peer, "/incidents.atom", &said));
    let (plain, believed) = ("http://here.example", "https://evil.example/evil");
    assert_eq!(base(None, STRANGER), plain);
    assert_eq!(base(Some(&[]), LOOPBACK), plain);
    assert_eq!(base(Some(&[]), Peer::Unix), plain);
    assert_eq!(base(Some(&["203.0.113.0/24"]), LOOPBACK), plain);
    assert_eq!(base(Some(&["203.0.113.0/24"]), STRANGER), believed);
    assert_eq!(base(None, Peer::Unix), believed);
    assert_eq!(base(None, LOOPBACK), believed);
    let configured = site_at(Some("https://tor.example"));
    assert_eq!(base_of_feed(&ask_as(&configured, None, LOOPBACK, "/incidents.atom", &said)), "https://tor.example");
}

/// Attributes whose value is an address.
const ADDRESSES: [&str; 9] = ["href", "src", "srcset", "action", "formaction", "data-chart", "data-world", "poster", "cite"];

/// Checks every address of a site that lies below `/allium`, asked for with `ask`, which takes the address as it stands in a link.
fn no_link_leaves_the_path(site: &Site, ask: impl Fn(&str) -> Answer) {
    let mut n_links = 0;
    for address in addresses(site) {
        let answer = ask(&format!("/allium{address}"));
        let kind = answer.header("content-type").to_owned();
        assert!(answer.status.is_success() || answer.status.is_client_error() || answer.status == 503, "{address}: {}", answer.status);
        if kind.starts_with("text/html") {
            for link in ADDRESSES.iter().flat_map(|name| attributes(&answer.text(), name)) {
                if link.starts_with('#') || link.starts_with("https://") || link.starts_with("data:") || link.starts_with('?') {
                    continue;
                }
                n_links += 1;
                let inner = link.strip_prefix("/allium").unwrap_or_else(|| panic!("{address} links to {link}"));
                let path = inner.split(['?', '#']).next().unwrap_or_default();
                let parsed = Route::parse(if path.is_empty() { "/" } else { path });
                assert!(matches!(parsed, Ok(Parsed::Route(_))), "{address} links to {link}");
            }
            let values = ["value", "title", "alt", "placeholder", "aria-label", "content", "data-l"];
            for tag in tags(&answer.text()) {
                let lost = tag.split(' ').find(|part| part.contains("=\"/") && !part.contains("=\"/allium"));
                assert!(lost.is_none_or(|part| values.iter().any(|name| part.starts_with(name))), "{address}: {tag}");
            }
        } else if kind.starts_with("application/json") {
            let lost = answer.text().match_indices("\"/").any(|(at, _)| !answer.text()[at + 1..].starts_with("/allium"));
            assert!(!lost, "{address}: an address without the path");
        } else if kind.contains("xml") && !kind.contains("svg") {
            assert!(!answer.text().contains("tor.example/i"), "{address}: {}", answer.text());
        }
    }
    assert!(n_links > 5_000, "only {n_links} links");
}

#[test]
fn below_a_path_no_link_leaves_it() {
    let site = site_at(Some("https://tor.example/allium"));
    no_link_leaves_the_path(&site, |address| get(&site, address));
}

#[test]
fn below_a_path_that_a_proxy_takes_off_no_link_leaves_it() {
    let site = site_at(None);
    let headers =
        [("host", "inner"), ("x-forwarded-prefix", "/allium"), ("x-forwarded-host", "tor.example"), ("x-forwarded-proto", "https")];
    let bare = |address: &str| address.strip_prefix("/allium").unwrap().to_owned();
    no_link_leaves_the_path(&site, |address| ask_as(&site, None, LOOPBACK, &bare(address), &headers));
}

#[test]
fn below_a_path_redirects_and_errors_stay_there() {
    let site = site_at(Some("https://tor.example/allium"));
    for (asked, expected) in [
        ("/allium/relays/?q=x", "/allium/relays?q=x"),
        ("/relays/", "/allium/relays"),
        ("/allium/country/DE", "/allium/country/de"),
        ("/allium//evil.example//", ""),
        ("/allium//", "/allium/"),
        (&format!("/allium/relays?q={}", fingerprint(4)), &format!("/allium/relay/{}", fingerprint(4))),
    ] {
        assert_eq!(get(&site, asked).header("location"), expected, "{asked}");
    }
    assert_eq!(get(&site, "/allium").status, StatusCode::OK);
    assert_eq!(get(&site, "/allium/").text(), get(&site, "/").text());
    for asked in ["/allium/nothing", "/alliumx/relays", "/nothing"] {
        let answer = get(&site, asked);
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{asked}");
        assert!(attributes(&answer.text(), "href").iter().all(|link| !link.starts_with('/') || link.starts_with("/allium")), "{asked}");
    }
    let error = get(&site, "/allium/api/v1/nothing");
    assert_eq!((error.status, error.header("content-type")), (StatusCode::NOT_FOUND, "application/json"));
    assert_eq!(error.header("access-control-allow-origin"), "*");
    assert!(get(&site, "/allium/robots.txt").text().contains("Disallow: /allium/api/"));
    let head = ask(&site, "HEAD", "/allium/relays", &[]);
    assert_eq!(head.header("content-length"), get(&site, "/allium/relays").bytes.len().to_string());
    // A first word of ours as the path: what a proxy has taken off already is still found.
    let ambiguous = site_at(Some("https://tor.example/as"));
    assert_eq!(get(&ambiguous, "/as/AS24940").status, StatusCode::OK);
    assert_eq!(get(&ambiguous, "/as/as/AS24940").status, StatusCode::OK);
}
