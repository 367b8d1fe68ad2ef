//! Every kind of answer as plain text, beside what it was when it was last looked at.
//!
//! The loops follow [`Route::all`]: a page or a resource that comes to the site comes to the snapshots. After a change that is
//! meant, write them again with `INSTA_UPDATE=always` and read the difference.

use std::collections::BTreeMap;

use allium_analysis::NetworkReport;
use allium_model::{Reject, SourceFailure, SourceReport};
use allium_service::{Patch, Scoreboard, Site, View};
use allium_views::Route;
use allium_views::route::{Form, Page};
use axum::http::StatusCode;

use crate::charts::sizes;
use crate::figures::{csv_text, json_text, xml_text};
use crate::forecasts::{outlook, scoreboard};
use crate::operators::{judged, month_ago};
use crate::plain::{cut_lines, main_text, page_text};
use crate::support::{Answer, NOW, ask, empty_site, fingerprint, get, record, site_of};

/// Compares a text with the snapshot of this name.
pub(crate) fn pin(directory: &str, name: &str, text: &str) {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(format!("snapshots/{directory}"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Compares a page that answers, without navigation and foot, with its snapshot.
pub(crate) fn pin_page(site: &Site, name: &str, address: &str) {
    let answer = get(site, address);
    assert_eq!(answer.status, StatusCode::OK, "{address}");
    pin("pages", name, &main_text(&answer.text()));
}

/// A site that knows all there is to know: claims, forecasts and their scores, sizes, earlier standings, sources.
fn full_site() -> Site {
    let site = site_of(judged());
    let scores = Scoreboard::from_json(&scoreboard("boosted")).unwrap();
    site.publish([
        Patch::Outlook(outlook()),
        Patch::Scoreboard(Some(Box::new(scores))),
        Patch::Sizes(sizes()),
        Patch::Standings(month_ago()),
        Patch::Sources(vec![source("collector", None), source("directory", Some("refused\u{202e}<script>"))]),
    ]);
    site
}

/// A source as it was when last asked.
pub(crate) fn source(name: &str, failure: Option<&str>) -> SourceReport {
    let asked_at = "2026-02-15T19:45:00Z".parse().unwrap();
    let failed = |reason: &str| SourceFailure { at: asked_at, reason: reason.to_owned() };
    SourceReport {
        source: name.to_owned(),
        asked_at,
        answered_at: Some("2026-02-15T17:15:00Z".parse().unwrap()),
        newest: Some("2026-02-15T17:00:00Z".parse().unwrap()),
        failure: failure.map(str::to_owned),
        failures: failure.map(failed).into_iter().collect(),
        n_rejects: 1,
        rejects: vec![Reject {
            origin: "http://127.0.0.1/tor".to_owned(),
            location: "line 9".to_owned(),
            relay: None,
            reason: "no <b>flags</b>".to_owned(),
        }],
    }
}

/// One route of every shape: the one with something to see, where some is named, otherwise the first.
fn kinds(site: &Site, is_asked: impl Fn(&Route) -> bool) -> BTreeMap<String, Route> {
    let (relay, operator) = (fingerprint(2).to_string(), "example.org");
    let telling = [relay.as_str(), operator, "AS24940", "de", "Guard", "0.4.8.12", "linux", "consensus_weight", "00000000000000a1"];
    let is_telling = |route: &Route| route.address().split('/').any(|part| telling.contains(&part.trim_end_matches(".csv")));
    let mut kinds = BTreeMap::new();
    for route in Route::all(&site.snapshot()).filter(is_asked) {
        let pattern = route.pattern();
        if is_telling(&route) || !kinds.contains_key(&pattern) {
            kinds.insert(pattern, route);
        }
    }
    kinds
}

/// The name of the snapshot of an address or a pattern.
fn named(address: &str) -> String {
    let name = address.trim_start_matches("/api/v1").trim_matches('/').replace(['/', '?', '&', '='], "-").to_lowercase();
    if name.is_empty() { "home".to_owned() } else { name }
}

#[test]
fn pages_of_every_kind() {
    let site = full_site();
    for (pattern, route) in kinds(&site, |route| matches!(route, Route::Page(_))) {
        pin_page(&site, &named(&pattern), &route.address());
    }
    pin("pages", "home-with-frame", &page_text(&get(&site, "/").text()));
}

/// Pages in other states of their address, and of others than the first of their kind.
#[test]
fn pages_of_other_states() {
    let site = full_site();
    for (name, address) in [
        ("relay-critical", format!("/relay/{}", fingerprint(1))),
        ("relay-down", format!("/relay/{}", fingerprint(3))),
        ("relay-without-forecast", format!("/relay/{}?period=7_days", fingerprint(20))),
        ("relays-filtered", "/relays?q=relay0&status=running&flag=Guard&country=de&sort=nickname&per=100".to_owned()),
        ("relays-none", "/relays?q=nobody&country=de".to_owned()),
        ("as-filtered", "/as?period=1_year&min=10&sort=-n_relays&country=de".to_owned()),
        ("incidents-open", "/incidents?status=open".to_owned()),
        ("incident-over", "/incident/00000000000000a2".to_owned()),
        ("explore-trend-relays", "/explore?show=trend&measure=relays".to_owned()),
        ("explore-trend-diversity", "/explore?show=trend&measure=diversity&range=30d".to_owned()),
        ("explore-trend-weight", "/explore?show=trend&measure=weight".to_owned()),
        ("explore-trend-bandwidth", "/explore?show=trend&measure=bandwidth&with=de&with=AS24940".to_owned()),
        ("explore-compare-picked", "/explore?show=compare&with=AS24940&with=de&with=flag:Exit&range=90d".to_owned()),
        ("explore-image-country", "/explore/image?country=de".to_owned()),
        ("forecasts-critical", "/forecasts?label=critical".to_owned()),
        ("forecasts-none", "/forecasts?q=nobody".to_owned()),
        ("forecasts-operator", "/forecasts?operator=example.org".to_owned()),
        ("scoreboard-running", "/forecasts/scoreboard?stratum=running".to_owned()),
    ] {
        pin_page(&site, name, &address);
    }
    for show in ["map", "trend", "distribution", "correlation", "flow", "compare"] {
        pin_page(&site, &format!("explore-{show}"), &format!("/explore?show={show}"));
    }
}

/// Pages of a site that has a network and its incidents, but no forecasts, sizes, standings or reports of sources.
#[test]
fn pages_of_a_site_that_knows_less() {
    let site = site_of(record(21));
    for (name, address) in [
        ("less-home", "/".to_owned()),
        ("less-relay", format!("/relay/{}", fingerprint(2))),
        ("less-explore-weight", "/explore?show=trend&measure=weight".to_owned()),
        ("less-explore-bandwidth", "/explore?show=trend&measure=bandwidth".to_owned()),
        ("less-forecasts", "/forecasts".to_owned()),
        ("less-scoreboard", "/forecasts/scoreboard".to_owned()),
        ("less-leaderboard", "/leaderboards/consensus_weight".to_owned()),
        ("less-data-quality", "/data-quality".to_owned()),
    ] {
        pin_page(&site, name, &address);
    }
    let (unwatched, record) = (empty_site(NOW), record(21));
    let report = NetworkReport::compute(&record);
    unwatched.publish([Patch::Network(Box::new(View::new(record, report)))]);
    pin_page(&unwatched, "unwatched-monitor", "/monitor");
    pin_page(&unwatched, "unwatched-incidents", "/incidents");
}

/// Pages of relays judge the domain that they claim: its file names them, names others, cannot be fetched, was not asked for.
#[test]
fn claims_on_pages_of_relays() {
    let site = site_of(judged());
    let said = |n: u16| {
        let text = main_text(&get(&site, &format!("/relay/{}", fingerprint(n))).text());
        let lines = text.lines().filter(|line| ["domain", "example.org", "certificate"].iter().any(|word| line.contains(word)));
        format!("relay {n}\n{}\n", lines.collect::<Vec<_>>().join("\n"))
    };
    pin("pages", "relays-claims", &[0, 4, 7, 9, 20].map(said).join("\n"));
}

#[test]
fn pages_of_a_network_without_relays() {
    let site = site_of(record(0));
    for (pattern, route) in kinds(&site, |route| matches!(route, Route::Page(Page::Fixed(_) | Page::Groups(_) | Page::Leaderboard(_)))) {
        let answer = get(&site, &route.address());
        assert_eq!(answer.status, StatusCode::OK, "{pattern}");
        pin("empty", &named(&pattern), &main_text(&answer.text()));
    }
}

fn error_text(answer: &Answer) -> String {
    let text = answer.text();
    let body = if text.starts_with('{') { json_text(&answer.json()) } else { main_text(&text) };
    format!("{}\n{body}", answer.status)
}

#[test]
fn answers_to_what_is_wrong() {
    let site = site_of(record(3));
    for (name, method, address) in [
        ("page", "GET", "/nothing".to_owned()),
        ("fingerprint", "GET", "/relay/xyz".to_owned()),
        ("alike", "GET", format!("/relay/{}F", &fingerprint(2).to_string()[..39])),
        ("group", "GET", "/country/qq".to_owned()),
        ("sort", "GET", "/relays?sort=colour".to_owned()),
        ("twice", "GET", "/relays?q=a&q=b".to_owned()),
        ("method", "POST", "/relays".to_owned()),
        ("api-parameter", "GET", "/api/v1/relays?colour=red".to_owned()),
        ("api-limit", "GET", "/api/v1/relays?limit=0".to_owned()),
        ("api-relay", "GET", "/api/v1/relays/0000000000000000000000000000000000000001".to_owned()),
        ("api-page", "GET", "/api/v1/nothing".to_owned()),
    ] {
        pin("errors", name, &error_text(&ask(&site, method, &address, &[])));
    }
    let waiting = empty_site(NOW);
    waiting.publish([Patch::Waiting("the first fetch failed: connection refused".to_owned())]);
    for address in ["/", "/relays", "/data-quality", "/api/v1/network", "/healthz"] {
        pin("errors", &format!("waiting-{}", named(address)), &error_text(&get(&waiting, address)));
    }
}

#[test]
fn figures_of_every_kind() {
    let site = full_site();
    for (pattern, route) in kinds(&site, |route| matches!(route, Route::Data(..))) {
        let answer = get(&site, &route.address());
        assert_eq!(answer.status, StatusCode::OK, "{pattern}");
        let text = if matches!(route, Route::Data(_, Form::Csv)) { csv_text(&answer.text()) } else { json_text(&answer.json()) };
        pin("api", &named(&pattern), &text);
    }
    pin("api", "healthz", &json_text(&get(&site, "/healthz").json()));
    // The series of a figure come in any order.
    let metrics = get(&site, "/metrics").text();
    // The memory of the test differs from run to run.
    let mut lines: Vec<&str> = metrics.lines().filter(|line| !line.starts_with("allium_memory_resident_bytes ")).collect();
    lines.sort_unstable();
    pin("api", "metrics", &lines.join("\n"));
}

#[test]
fn feeds_and_calendars_of_every_kind() {
    let site = full_site();
    for address in ["/incidents.atom", "/incidents.rss"] {
        pin("feeds", &named(address), &xml_text(&get(&site, address).text()));
    }
    pin("feeds", "incidents.jsonl", &cut_lines(&get(&site, "/api/v1/incidents.jsonl").text()));
    for (name, owner) in [
        ("calendar-relay", format!("/relay/{}", fingerprint(1))),
        ("calendar-relay-down", format!("/relay/{}", fingerprint(3))),
        ("calendar-operator", "/operator/example.org".to_owned()),
    ] {
        pin("feeds", name, &cut_lines(&get(&site, &format!("{owner}/maintenance.ics")).text()));
    }
}
