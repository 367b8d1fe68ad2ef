//! Forecasts as a visitor and a program see them.

use std::sync::Arc;

use allium_forecast::{Confidence, Forecast, HeldOutScore, Label};
use allium_model::{Fraction, NetworkRecord};
use allium_views::{Forecasts, ModelFacts, Outlook, Site};
use axum::http::StatusCode;

use crate::support::{as_of, attributes, fingerprint, get, record, site_of, tags};

const HOSTILE: &str = "<script>alert(1)</script>\u{202E}\r\n=1+1";

fn share(x: f64) -> Fraction {
    Fraction::clamped(x).unwrap()
}

/// A forecast around a median, spread so far to either side.
fn forecast(n: u16, median: f64, spread: f64, p_below_90: f64, label: Label) -> Forecast {
    let quantiles = std::array::from_fn(|i| share(median + spread * (i as f64 - 9.0) / 9.0));
    Forecast {
        fingerprint: fingerprint(n),
        as_of: as_of(),
        horizon_days: 30,
        mean: share(median),
        quantiles,
        p_below_90: share(p_below_90),
        p_gone: share(p_below_90 / 10.0),
        recent: (n != 4).then(|| share(0.93)),
        running: n % 7 != 3,
        label,
        confidence: if spread > 0.1 { Confidence::Low } else { Confidence::High },
    }
}

/// Six relays of the record of eight, and one that the record does not know.
fn outlook() -> Outlook {
    let relays = vec![
        forecast(0, 0.99, 0.01, 0.01, Label::Stable),
        forecast(1, 0.70, 0.30, 0.80, Label::Critical),
        forecast(2, 0.92, 0.05, 0.30, Label::AtRisk),
        forecast(3, 0.10, 0.10, 0.99, Label::Critical),
        forecast(4, 0.96, 0.02, 0.04, Label::Monitor),
        forecast(5, 0.97, 0.02, 0.02, Label::Improving),
        forecast(999, 0.5, 0.4, 0.9, Label::Critical),
    ];
    let model = ModelFacts {
        name: "boosted".to_owned(),
        trained_as_of: as_of().plus(-5),
        first_origin: Some(as_of().plus(-24 * 300)),
        n_origins: 36,
        n_rows: 300_000,
        scores: vec![
            HeldOutScore { model: "boosted".to_owned(), crps: 0.0421, n: 1_000 },
            HeldOutScore { model: "renewal".to_owned(), crps: 0.0612, n: 1_000 },
        ],
    };
    Outlook::Known(Arc::new(Forecasts::new(as_of(), 30, model, relays)))
}

fn forecast_site(record: NetworkRecord) -> Site {
    let site = site_of(record);
    site.set_outlook(outlook());
    site
}

fn hostile() -> NetworkRecord {
    let mut record = record(8);
    for relay in &mut record.relays {
        relay.relay.nickname = Some(HOSTILE.to_owned());
        relay.relay.as_name = Some(HOSTILE.to_owned());
        relay.relay.country_name = Some(HOSTILE.to_owned());
        relay.relay.contact = Some(HOSTILE.to_owned());
    }
    record
}

fn operator_of(site: &Site) -> String {
    let links = attributes(&get(site, "/forecasts?columns=all").text(), "href");
    links.into_iter().find_map(|link| link.strip_prefix("/operator/").map(str::to_owned)).unwrap()
}

#[test]
fn the_first_sentence_has_the_figures() {
    let page = get(&forecast_site(record(8)), "/forecasts").text();
    // Running: 0, 1, 2, 4, 5, 999; their medians have the mean 0.84.
    assert!(
        page.contains("relays that run now are expected to be up 84.0\u{a0}% of the time on average; eight in ten lie between"),
        "{page}"
    );
    assert!(page.contains("Of 6 relays, 2 are more likely than not to stay below 90\u{a0}%."), "{page}");
    assert!(page.contains("<strong>2 of 7</strong> stable or improving"), "{page}");
    assert!(page.contains("0.0421") && page.contains("(in use)") && page.contains("300,000 forecasts of the past"), "{page}");
}

#[test]
fn labels_are_word_and_shape_and_lead_to_their_relays() {
    let site = forecast_site(record(8));
    let page = get(&site, "/forecasts?label=critical").text();
    assert!(page.contains("<span class=\"fl f-cr\">Critical</span>"));
    let shown = |address: &str| get(&site, address).json()["rows"].as_array().unwrap().len();
    let cases = [
        ("label=critical", 2),
        ("label=at_risk", 1),
        ("confidence=low", 1),
        ("state=down", 1),
        ("country=de", 3),
        ("as=AS24940", 2),
        ("q=relay002", 1),
        ("q=nobody", 0),
    ];
    for (query, n) in cases {
        assert_eq!(shown(&format!("/api/v1/forecasts?{query}")), n, "{query}");
    }
    assert!(get(&site, "/forecasts?q=nobody").text().contains("No relay fits"));
}

#[test]
fn json_and_csv_tell_the_same_relays_and_cursors_reach_each_once() {
    let site = forecast_site(record(8));
    let all = get(&site, "/api/v1/forecasts").json();
    assert_eq!((all["n_rows"].as_u64(), all["as_of"].as_str()), (Some(6), Some("2026-02-15T18:00:00Z")));
    let csv = get(&site, "/api/v1/forecasts.csv");
    assert_eq!(csv::Reader::from_reader(csv.bytes.as_slice()).records().count(), 6);
    let (mut cursor, mut seen) = (String::new(), Vec::new());
    loop {
        let part = get(&site, &format!("/api/v1/forecasts?limit=4{cursor}")).json();
        seen.extend(part["rows"].as_array().unwrap().iter().map(|row| row["fingerprint"].as_str().unwrap().to_owned()));
        let Some(next) = part["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let expected: Vec<_> = [3, 1, 2, 4, 5, 0].map(|n| fingerprint(n).to_string()).to_vec();
    assert_eq!(seen, expected, "largest probability of less than 90 % first");
    let summary = get(&site, "/api/v1/forecasts/summary").json();
    assert_eq!((summary["n_relays"].as_u64(), summary["labels"]["critical"].as_u64()), (Some(7), Some(3)));
    assert_eq!(summary["model"]["held_out_scores"][0]["crps"].as_f64(), Some(0.0421));
}

#[test]
fn an_operator_has_a_dashboard_of_its_own() {
    let site = forecast_site(record(8));
    let id = operator_of(&site);
    let page = get(&site, &format!("/forecasts?operator={id}"));
    assert_eq!(page.status, StatusCode::OK);
    let html = page.text();
    assert!(html.contains("this operator&#39;s relays that run now") || html.contains("this operator's relays that run now"), "{html}");
    let n = get(&site, &format!("/api/v1/forecasts?operator={id}")).json()["n_rows"].as_u64();
    assert_eq!(get(&site, &format!("/api/v1/forecasts/summary?operator={id}")).json()["n_relays"].as_u64(), n);
    for unknown in ["nobody.example", "%3Cscript%3E", "family-0"] {
        for path in ["/forecasts", "/api/v1/forecasts", "/api/v1/forecasts/summary"] {
            assert_eq!(get(&site, &format!("{path}?operator={unknown}")).status, StatusCode::NOT_FOUND, "{path} {unknown}");
        }
    }
}

#[test]
fn a_relay_says_what_to_expect_of_it() {
    let site = forecast_site(record(8));
    let page = get(&site, &format!("/relay/{}", fingerprint(1))).text();
    assert!(page.contains("it is as likely to be up more than 70.0\u{a0}% of the time as less"), "{page}");
    assert!(page.contains("Less than 90\u{a0}% is likely (80\u{a0}%)."), "{page}");
    assert!(page.contains("class=\"fan\" role=\"img\" aria-label=\"Median 70.0 %"), "{page}");
    let json = get(&site, &format!("/api/v1/relays/{}", fingerprint(1))).json();
    assert_eq!(json["forecast"]["label"].as_str(), Some("critical"));
    assert_eq!(json["forecast"]["quantiles"]["q50"].as_f64(), Some(0.7));
    assert_eq!(json["forecast"]["quantiles"].as_object().unwrap().len(), 19);
}

#[test]
fn what_has_no_forecast_says_why() {
    let site = site_of(record(8));
    assert!(get(&site, "/forecasts").text().contains("There is no forecast yet: the first one is being worked out."));
    assert_eq!(get(&site, "/api/v1/forecasts").status, StatusCode::SERVICE_UNAVAILABLE);
    site.set_outlook(Outlook::Missing("our own record holds 3 of the 168 consensuses <b>".to_owned()));
    for address in ["/forecasts".to_owned(), format!("/relay/{}", fingerprint(1))] {
        let page = get(&site, &address).text();
        assert!(page.contains("our own record holds 3 of the 168 consensuses") && !page.contains("consensuses <b>"), "{page}");
    }
    site.set_outlook(outlook());
    let without = get(&site, &format!("/relay/{}", fingerprint(7)));
    assert!(without.text().contains("There is no forecast: our own record of consensuses has not listed this relay"));
    assert!(get(&site, &format!("/api/v1/relays/{}", fingerprint(7))).json()["forecast"].is_null());
}

#[test]
fn strangers_text_is_inert_and_links_and_definitions_exist() {
    let site = forecast_site(hostile());
    let methods = get(&site, "/methods").text();
    for address in ["/forecasts".to_owned(), "/forecasts?columns=all".to_owned(), format!("/relay/{}", fingerprint(2))] {
        let html = get(&site, &address).text();
        assert!(!html.contains("<script>alert") && !html.contains('\u{202E}'), "{address}");
        assert!(tags(&html).iter().all(|tag| !tag.contains(" style=")), "{address}");
        for link in attributes(&html, "href").iter().filter(|link| link.starts_with('/')) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let status = get(&site, path).status;
            assert!(status.is_success() || status.is_redirection(), "{address}: {link} gives {status}");
            assert!(path != "/methods" || anchor.is_empty() || methods.contains(&format!("id=\"{anchor}\"")), "{address}: {link}");
        }
    }
    let csv = get(&site, "/api/v1/forecasts.csv").text();
    assert!(!csv.contains('\u{202E}') || csv.lines().all(|line| !line.starts_with('=')), "{csv}");
}
