//! Contents of pages, and that every link leads somewhere.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Write as _;
use std::time::Duration;

use allium_model::Known;
use allium_service::{Patch, View, WorkerReport};
use axum::http::StatusCode;

use crate::snapshots::{pin_page, source};
use crate::support::{NOW, ask, attributes, empty_site, fingerprint, get, is_our_script, record, site_of, tags};

#[test]
fn times_are_for_programs_too() {
    let site = site_of(record(21));
    let home = get(&site, "/").text();
    assert!(home.contains("As of the consensus of <time datetime=\"2026-02-15T18:00:00Z\">15 Feb 2026 18:00 UTC</time> (107 min ago)"));
}

#[test]
fn a_relay_page_says_since_when_and_how_reliable() {
    let site = site_of(record(21));
    let up = get(&site, &format!("/relay/{}", fingerprint(2))).text();
    assert!(up.contains("Up since <time datetime=\"2026-02-13T18:00:00Z\">13 Feb 2026 18:00 UTC</time> (2 days 1 h), as of"), "{up}");
    let down = get(&site, &format!("/relay/{}", fingerprint(3))).text();
    assert!(down.contains("Down since <time datetime=\"2026-02-14T13:00:00Z\">14 Feb 2026 13:00 UTC</time> (30 h), as of"), "{down}");
    assert!(down.contains("<span class=\"st down\">Down</span>"));
}

#[test]
fn what_nobody_measured_is_never_a_zero() {
    let mut record = record(1);
    record.known = Known::default();
    record.relays[0].spans.clear();
    record.relays[0].published.clear();
    let page = get(&site_of(record), &format!("/relay/{}", fingerprint(0))).text();
    let table = page.split("id=\"uptime\"").nth(1).and_then(|rest| rest.split("</table>").next()).unwrap();
    assert_eq!(table.matches("no data").count(), 7, "{table}");
    assert!(!table.contains("0.00"));
}

#[test]
fn strips_have_a_cell_per_interval_and_a_table() {
    let site = site_of(record(3));
    let page = get(&site, &format!("/relay/{}", fingerprint(2))).text();
    let json = get(&site, &format!("/api/v1/relays/{}", fingerprint(2))).json();
    for (period, label) in [("30_days", "30 days"), ("6_months", "6 months")] {
        let cells = json["strips"][period].as_array().unwrap().len();
        let strip = page.split(&format!("aria-label=\"Uptime over {label}:")).nth(1).unwrap().split("</span>").next().unwrap();
        assert_eq!(strip.matches("<i class=").count(), cells, "{period}");
        assert!(page.contains(&format!("<summary>Table, {label}</summary>")));
    }
}

#[test]
fn every_link_of_the_site_leads_somewhere() {
    let site = site_of(record(21));
    let mut todo = VecDeque::from(["/".to_owned()]);
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut anchors = BTreeSet::new();
    while let Some(address) = todo.pop_front() {
        if seen.contains_key(&address) || seen.len() > 400 {
            continue;
        }
        let answer = get(&site, &address);
        assert!(answer.status == StatusCode::OK || answer.status == StatusCode::SEE_OTHER, "{address}: {}", answer.status);
        let body = String::from_utf8_lossy(&answer.bytes).into_owned();
        if answer.header("content-type").starts_with("text/html") {
            for link in attributes(&body, "href").into_iter().chain(attributes(&body, "action")) {
                // Links to pick subjects are endless; the tests of charts follow them.
                let is_pick = link.starts_with("/explore") && (link.contains("with=") || link.contains("of="));
                if is_pick || link.starts_with("data:image/png;base64,") {
                    continue;
                }
                assert!(link.starts_with('/') || link.starts_with('#'), "{address} links to {link}");
                let full = if link.starts_with('#') { format!("{address}{link}") } else { link };
                let (page, anchor) = full.split_once('#').unwrap_or((&full, ""));
                if !anchor.is_empty() {
                    anchors.insert((page.to_owned(), anchor.to_owned()));
                }
                // The stream of changes has no end.
                if !page.starts_with("/api/v1/incidents/stream") {
                    todo.push_back(page.to_owned());
                }
            }
        }
        seen.insert(address, body);
    }
    assert!(seen.len() > 80, "only {} pages found", seen.len());
    for (page, anchor) in anchors {
        assert!(seen.get(&page).is_none_or(|body| body.contains(&format!(" id=\"{anchor}\""))), "{page} has no #{anchor}");
    }
}

#[test]
fn fingerprints_in_other_forms_lead_to_the_one_address() {
    let site = site_of(record(3));
    let canonical = format!("/relay/{}", fingerprint(2));
    let plain = fingerprint(2).to_string();
    for form in [plain.to_lowercase(), format!("${plain}"), format!("${plain}~relay002"), "SgACAAAAAAAAAAAAAAAAAAAAAAA".to_owned()] {
        let answer = get(&site, &format!("/relay/{form}"));
        assert_eq!((answer.status, answer.header("location")), (StatusCode::PERMANENT_REDIRECT, canonical.as_str()), "{form}");
    }
    let searched = get(&site, &format!("/relays?q={}", fingerprint(2).to_string().to_lowercase()));
    assert_eq!((searched.status, searched.header("location")), (StatusCode::SEE_OTHER, canonical.as_str()));
    for (asked, page) in [("/country/Germany", "/country/de"), ("/country/DEU", "/country/de"), ("/as/asn24940", "/as/AS24940")] {
        let answer = get(&site, asked);
        assert_eq!((answer.status, answer.header("location")), (StatusCode::PERMANENT_REDIRECT, page), "{asked}");
    }
}

#[test]
fn errors_offer_a_way_onward() {
    let site = site_of(record(3));
    let unknown = get(&site, &format!("/relay/{}F", &fingerprint(2).to_string()[..39]));
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    for (method, address, status) in [
        ("GET", "/nothing", StatusCode::NOT_FOUND),
        ("GET", "/relay/xyz", StatusCode::NOT_FOUND),
        ("GET", "/assets/other.css", StatusCode::NOT_FOUND),
        ("GET", "/relays?sort=colour", StatusCode::BAD_REQUEST),
        ("POST", "/relays", StatusCode::METHOD_NOT_ALLOWED),
        ("DELETE", "/api/v1/relays", StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let answer = ask(&site, method, address, &[]);
        assert_eq!(answer.status, status, "{address}");
        if !address.starts_with("/api/") {
            assert!(attributes(&answer.text(), "href").contains(&"/relays".to_owned()), "{address}");
        }
    }
    assert_eq!(get(&site, &format!("/{}", "a".repeat(5_000))).status, StatusCode::URI_TOO_LONG);
}

#[test]
fn without_data_every_page_says_so() {
    let site = empty_site(NOW);
    site.publish([Patch::Waiting("the first fetch failed: connection refused".to_owned())]);
    for address in ["/", "/relays", "/data-quality", "/relay/0000000000000000000000000000000000000000", "/api/v1/network"] {
        let answer = get(&site, address);
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{address}");
        assert!(answer.text().contains("connection refused"), "{address}");
    }
    let health = get(&site, "/healthz");
    assert_eq!(health.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(health.json()["reason"], "the first fetch failed: connection refused");
    assert_eq!(get(&site, "/methods").status, StatusCode::OK);
}

#[test]
fn old_data_is_called_old_and_a_simulation_a_simulation() {
    let fresh = get(&site_of(record(3)), "/").text();
    assert!(!fresh.contains("Old data.") && !fresh.contains("Simulated network."));
    let old = empty_site("2026-02-16T02:10:00Z");
    let record = record(3);
    let report = allium_analysis::NetworkReport::compute(&record);
    old.publish([Patch::Network(Box::new(View::new(record, report)))]);
    assert!(get(&old, "/").text().contains("Old data.</strong> The newest consensus taken in is 8 h old"));
    assert_eq!(get(&old, "/healthz").json()["status"], "stale");
}

#[test]
fn data_quality_tells_how_it_goes_with_each_source() {
    let site = site_of(record(3));
    site.publish([Patch::Sources(vec![source("collector", None), source("directory", Some("refused\u{202e}<script>"))])]);
    let page = get(&site, "/data-quality").text();
    assert!(!page.contains("<script>") && !page.contains('\u{202e}'));
    let json = get(&site, "/api/v1/data-quality").json();
    assert_eq!(json["asked"][1]["source"], "directory");
    assert_eq!(json["asked"][1]["failure"], "refused\u{202e}<script>");
    // The next visit succeeds; the failure stays in sight.
    let answered = source("directory", Some("refused\u{202e}<script>"));
    site.publish([Patch::Sources(vec![allium_model::SourceReport {
        asked_at: "2026-02-15T19:55:00Z".parse().unwrap(),
        failure: None,
        ..answered
    }])]);
    pin_page(&site, "data-quality-answered-again", "/data-quality");
    let failures = get(&site, "/api/v1/data-quality").json()["failures"].clone();
    assert_eq!(failures.as_array().map(Vec::len), Some(1), "{failures}");
    assert_eq!((&failures[0]["source"], &failures[0]["at"]), (&"directory".into(), &"2026-02-15T19:45:00Z".into()));
    assert_eq!((&json["asked"][0]["failure"], &json["asked"][0]["newest"]), (&serde_json::Value::Null, &"2026-02-15T17:00:00Z".into()));
}

#[test]
fn every_answer_is_locked_down() {
    let site = site_of(record(3));
    for address in ["/", "/relays", "/methods", "/nothing", "/healthz", "/robots.txt", "/api/v1/network", "/favicon.ico"] {
        let answer = get(&site, address);
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; style-src 'self'; img-src 'self' data:;") && !policy.contains("unsafe"),
            "{address}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{address}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{address}");
        assert!(answer.headers.get("set-cookie").is_none(), "{address}");
    }
}

#[test]
fn no_page_has_inline_style_or_script_or_loads_from_elsewhere() {
    let site = site_of(record(21));
    let relay = format!("/relay/{}", fingerprint(2));
    for address in ["/", "/relays", relay.as_str(), "/data-quality", "/methods", "/nothing", "/relays?q=zzzz"] {
        let html = get(&site, address).text();
        for tag in tags(&html) {
            let name = tag.split_whitespace().next().unwrap_or_default();
            let is_ours = is_our_script(tag);
            assert!(is_ours || !["script", "style", "svg", "iframe", "object", "embed"].contains(&name), "{address}: <{tag}>");
            assert!(!tag.contains(" style=") && !tag.contains(" on") && !tag.contains("javascript:"), "{address}: <{tag}>");
            assert!(!tag.contains("src=\"http") && !tag.contains("href=\"http"), "{address}: <{tag}>");
        }
        assert_eq!(html.matches("<h1").count(), 1, "{address}");
        assert!(html.contains("<html lang=\"en\">") && html.contains("<main id=\"main\">") && html.contains("class=\"skip\""), "{address}");
    }
}

#[test]
fn unchanged_pages_are_not_sent_again() {
    let site = site_of(record(3));
    let first = get(&site, "/api/v1/network");
    assert_eq!(first.header("last-modified"), "Sun, 15 Feb 2026 19:47:00 GMT");
    let again = ask(&site, "GET", "/api/v1/network", &[("if-none-match", first.header("etag"))]);
    assert_eq!((again.status, again.bytes.len()), (StatusCode::NOT_MODIFIED, 0));
    let since = ask(&site, "GET", "/", &[("if-modified-since", "Sun, 15 Feb 2026 19:47:00 GMT")]);
    assert_eq!(since.status, StatusCode::NOT_MODIFIED);
    let head = ask(&site, "HEAD", "/", &[]);
    assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0));
}

#[test]
fn pages_are_light() {
    let site = site_of(record(120));
    for (address, limit) in
        [(format!("/relay/{}", fingerprint(2)), 30_000), ("/".to_owned(), 15_000), ("/relays?per=100".to_owned(), 30_000)]
    {
        let answer = ask(&site, "GET", &address, &[("accept-encoding", "gzip")]);
        assert_eq!(answer.header("content-encoding"), "gzip");
        assert!(answer.bytes.len() < limit, "{address}: {} bytes", answer.bytes.len());
    }
}

#[test]
fn the_stylesheet_is_small_and_kept_for_ever() {
    let site = site_of(record(3));
    let home = get(&site, "/").text();
    let path = attributes(&home, "href").into_iter().find(|link| link.ends_with(".css")).unwrap();
    let answer = get(&site, &path);
    assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&answer.bytes).unwrap();
    let compressed = encoder.finish().unwrap().len();
    assert!(compressed <= 15_000, "{compressed} bytes");
}

#[test]
fn metrics_tell_what_is_known_and_leave_out_what_is_not() {
    let site = site_of(record(21));
    let answer = get(&site, "/metrics");
    assert_eq!(answer.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    let text = answer.text();
    let value = |series: &str| text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    assert_eq!(value("allium_relays_running"), Some("18.0"), "{text}");
    assert_eq!(value("allium_relays_seen"), Some("21.0"), "{text}");
    assert_eq!(value("allium_consensus_age_seconds"), Some("6420.0"), "{text}");
    assert_eq!(value("allium_incidents_open{severity=\"critical\"}"), Some("0.0"), "{text}");
    assert!(text.contains("# TYPE allium_uptime_ratio gauge") && text.ends_with("# EOF\n"), "{text}");
    assert!(!text.contains("NaN"), "{text}");
    for (name, n) in text.lines().filter(|line| line.starts_with("# TYPE ")).map(|line| (line, text.matches(line).count())) {
        assert_eq!(n, 1, "{name}");
    }

    let waiting = get(&empty_site(NOW), "/metrics");
    assert_eq!(waiting.status, StatusCode::OK);
    assert!(!waiting.text().contains("allium_relays") && waiting.text().contains("allium_build_info{version=\"0.0.0-test\"} 1.0"));
}

#[test]
fn metrics_and_health_name_the_worker_that_fails() {
    let at = |text: &str| Some(text.parse().unwrap());
    let failing = WorkerReport {
        runs: 7,
        failures: 2,
        panics: 1,
        last_success: at("2026-02-15T18:00:00Z"),
        last_duration: Some(Duration::from_millis(1_500)),
        failing_since: at("2026-02-15T18:30:00Z"),
        reason: Some("disk full".to_owned()),
        ..WorkerReport::new("detector")
    };
    let running = WorkerReport { running_since: at("2026-02-15T19:00:00Z"), ..WorkerReport::new("forecasts") };
    let site = site_of(record(3));
    site.set_workers(vec![failing, running, WorkerReport::new("sizes")]);

    let health = get(&site, "/healthz");
    assert_eq!((health.status, &health.json()["status"]), (StatusCode::OK, &"ok".into()));
    let workers = health.json()["workers"].clone();
    let of = |n: usize| ["name", "status", "since", "reason"].map(|key| workers[n][key].as_str().unwrap_or("-").to_owned());
    assert_eq!(of(0), ["detector", "failing", "2026-02-15T18:30:00Z", "disk full"]);
    assert_eq!(of(1), ["forecasts", "running", "2026-02-15T19:00:00Z", "-"]);
    assert_eq!(of(2), ["sizes", "starting", "-", "-"]);

    let text = get(&site, "/metrics").text();
    for line in [
        "allium_worker_failing{worker=\"detector\"} 1.0",
        "allium_worker_failing{worker=\"sizes\"} 0.0",
        "allium_worker_failing_since_timestamp_seconds{worker=\"detector\"} 1771180200.0",
        "allium_worker_last_duration_seconds{worker=\"detector\"} 1.5",
        "allium_worker_runs_total{worker=\"detector\"} 7",
        "allium_worker_failures_total{worker=\"detector\"} 2",
        "allium_worker_panics_total{worker=\"detector\"} 1",
    ] {
        assert!(text.lines().any(|known| known == line), "{line}\n{text}");
    }
    assert!(!text.contains("last_success_timestamp_seconds{worker=\"sizes\"}"), "{text}");
}

/// Every address in the tables of `docs/api.md` answers, and refuses a parameter that it does not know.
#[test]
fn the_addresses_of_the_documented_api_answer() {
    let site = site_of(record(30));
    let relay = fingerprint(2).to_string();
    let first = |list: &str, key: &str| get(&site, list).json()["rows"][0][key].as_str().unwrap().to_owned();
    let operator = get(&site, "/api/v1/operators").json()["next_cursor"].as_str().map(str::to_owned);
    let names = [
        ("FINGERPRINT", relay),
        ("OPERATOR", operator.unwrap_or_else(|| first("/api/v1/families", "operator"))),
        ("FAMILY", first("/api/v1/families", "fingerprint")),
        ("CATEGORY", get(&site, "/api/v1/leaderboards").json()["leaderboards"][0]["category"].as_str().unwrap().to_owned()),
        ("INCIDENT", "00000000000000a1".to_owned()),
    ];
    let (answered, awaited) = include_str!("../../../../docs/api.md").split_once("Forecasts, once").unwrap();
    let addresses = |text: &str| -> Vec<String> {
        let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
        rows.map(|(address, _)| names.iter().fold(address.to_owned(), |address, (name, value)| address.replace(name, value))).collect()
    };
    assert!(addresses(answered).len() > 20);
    for address in addresses(answered) {
        let answer = get(&site, &address);
        assert_eq!(answer.status, StatusCode::OK, "{address}: {}", answer.text());
        let refused = get(&site, &format!("{address}?no_such_parameter=1"));
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{address}");
        assert_eq!(refused.json()["parameter"], "no_such_parameter", "{address}");
    }
    for address in addresses(awaited) {
        let status = get(&site, &address).status;
        assert!(status != StatusCode::NOT_FOUND || address.ends_with("scoreboard"), "{address}: {status}");
    }
}
