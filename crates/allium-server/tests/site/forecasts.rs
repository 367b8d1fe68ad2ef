//! Forecasts as a visitor and a program see them.

use std::sync::Arc;

use allium_forecast::network::Daily;
use allium_forecast::{Confidence, Forecast, HORIZON_DAYS, HeldOutScore, Label, Model, Past, PastSpan, RelayPast};
use allium_model::{Fraction, NetworkRecord};
use allium_service::{Forecasts, ModelFacts, NetworkOutlook, Outlook, Patch, Scoreboard, Site};
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
pub(crate) fn outlook() -> Outlook {
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
    let past = past();
    let network = NetworkOutlook::of(Daily::of(&past, as_of(), &[]));
    let explained = Arc::new(Model::train(&past, as_of().plus(-24 * 395), HORIZON_DAYS));
    let forecasts = Forecasts::new(as_of(), 30, model, relays).with_habits(&past, &record(8)).with_network(network);
    Outlook::Known(Arc::new(forecasts.with_explainer(explained, &past)))
}

/// 400 days of the relays of the record and of forty more, of which some rest now and then and relay 3 is down.
fn past() -> Past {
    let n = 400 * 24;
    let hours = (0..n).map(|hour| as_of().plus(hour - n + 1)).collect();
    let span = |start: u32, end: u32| PastSpan { start, end, running: true, guard: start > 99, exit: false, asn: None, country: None };
    let relays = (0..8).chain(1_000..1_040).map(|i: u16| {
        let end = if i == 3 { n as u32 - 30 } else { n as u32 };
        let rests = (1..u32::from(i % 5) * 20).map(|rest| rest * 96 + u32::from(i));
        let starts = std::iter::once(u32::from(i % 8) * 50).chain(rests.clone().map(|rest| rest + 500));
        let spans = starts.zip(rests.map(|rest| rest + 490).chain([end])).map(|(start, stop)| span(start, stop));
        RelayPast::new(fingerprint(i), spans.collect())
    });
    Past::new(hours, relays.collect())
}

pub(crate) fn forecast_site(record: NetworkRecord) -> Site {
    let site = site_of(record);
    site.publish([Patch::Outlook(outlook())]);
    site
}

pub(crate) fn hostile() -> NetworkRecord {
    let mut record = record(8);
    for relay in &mut record.relays {
        relay.relay.nickname = Some(HOSTILE.to_owned());
        relay.relay.as_name = Some(HOSTILE.to_owned());
        relay.relay.country_name = Some(HOSTILE.to_owned());
        relay.relay.contact = Some(HOSTILE.to_owned());
    }
    record
}

pub(crate) fn operator_of(site: &Site) -> String {
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
    let n = get(&site, &format!("/api/v1/forecasts?operator={id}")).json()["n_rows"].as_u64();
    assert_eq!(get(&site, &format!("/api/v1/forecasts/summary?operator={id}")).json()["n_relays"].as_u64(), n);
    for unknown in ["nobody.example", "%3Cscript%3E", "family-0"] {
        for path in ["/forecasts", "/api/v1/forecasts", "/api/v1/forecasts/summary"] {
            assert_eq!(get(&site, &format!("{path}?operator={unknown}")).status, StatusCode::NOT_FOUND, "{path} {unknown}");
        }
    }
}

#[test]
fn the_figures_of_a_relay_say_what_to_expect_of_it() {
    let site = forecast_site(record(8));
    let json = get(&site, &format!("/api/v1/relays/{}", fingerprint(1))).json();
    assert_eq!(json["forecast"]["label"].as_str(), Some("critical"));
    assert_eq!(json["forecast"]["quantiles"]["q50"].as_f64(), Some(0.7));
    assert_eq!(json["forecast"]["quantiles"].as_object().unwrap().len(), 19);
}

#[test]
fn what_has_no_forecast_says_why() {
    let site = site_of(record(8));
    assert_eq!(get(&site, "/api/v1/forecasts").status, StatusCode::SERVICE_UNAVAILABLE);
    site.publish([Patch::Outlook(Outlook::Missing("our own record holds 3 of the 168 consensuses <b>".to_owned()))]);
    for address in ["/forecasts".to_owned(), format!("/relay/{}", fingerprint(1))] {
        let page = get(&site, &address).text();
        assert!(page.contains("our own record holds 3 of the 168 consensuses") && !page.contains("consensuses <b>"), "{page}");
    }
    site.publish([Patch::Outlook(outlook())]);
    assert!(get(&site, &format!("/api/v1/relays/{}", fingerprint(7))).json()["forecast"].is_null());
}

#[test]
fn strangers_text_is_inert_and_links_and_definitions_exist() {
    let site = forecast_site(hostile());
    let methods = get(&site, "/methods").text();
    site.publish([Patch::Scoreboard(Some(Box::new(Scoreboard::from_json(&scoreboard("<b>\u{202E}")).unwrap())))]);
    let pages =
        ["/", "/explore", "/forecasts", "/forecasts?columns=all", "/forecasts/scoreboard", "/as/AS24940", "/country/de"].map(str::to_owned);
    let operator = operator_of(&site);
    let own = [format!("/relay/{}", fingerprint(2)), format!("/operator/{operator}"), format!("/forecasts?operator={operator}")];
    let mut links = std::collections::BTreeSet::new();
    for address in pages.into_iter().chain(own) {
        let html = get(&site, &address).text();
        assert!(!html.contains("<script>alert") && !html.contains('\u{202E}'), "{address}");
        assert!(tags(&html).iter().all(|tag| !tag.contains(" style=")), "{address}");
        // Other links of these pages are followed where those pages are tested.
        let ours = |link: &String| {
            ["/forecasts", "/methods#", "/api/v1/forecasts"].iter().any(|start| link.starts_with(start)) || link.ends_with(".ics")
        };
        links.extend(attributes(&html, "href").into_iter().filter(ours));
    }
    for link in links {
        let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
        let is_there =
            if path == "/methods" { methods.contains(&format!("id=\"{anchor}\"")) } else { get(&site, path).status.is_success() };
        assert!(is_there, "{link}");
    }
    let csv = get(&site, "/api/v1/forecasts.csv").text();
    assert!(!csv.contains('\u{202E}') || csv.lines().all(|line| !line.starts_with('=')), "{csv}");
}

/// A scoreboard of two models, two strata and two origins, the second in a flood, as the evaluation writes it.
pub(crate) fn scoreboard(chosen: &str) -> String {
    let event = serde_json::json!({
        "rate": 0.2, "brier": 0.08, "auc": 0.88, "calibration_error": 0.02,
        "reliability": [{"forecast": 0.05, "observed": 0.04, "n": 800}, {"forecast": 0.7, "observed": 0.74, "n": 200}]
    });
    let scores = |model: &str, stratum: &str, crps: f64| {
        serde_json::json!({
            "model": model, "stratum": stratum, "n": 1000, "crps": crps, "skill": 1.0 - crps / 0.07, "mae": 0.06, "within_5": 0.86,
            "covered": [0.52, 0.81, 0.95], "covered_shares": [0.5, 0.8, 0.95], "width_80": 0.2, "below_90": event, "gone": event,
            "pit": vec![0.05; 20]
        })
    };
    let origin = |origin: &str, flood: bool, crps: f64| {
        let scores = [("allium", "all"), ("allium", "running"), ("conditional", "all"), ("conditional", "running")]
            .map(|(model, stratum)| scores(model, stratum, if model == "allium" { crps } else { 0.07 }));
        serde_json::json!({
            "origin": origin, "n_relays": 1000, "n_origins_trained": 36, "n_rows_trained": 300_000, "chosen": chosen, "flood": flood, "scores": scores
        })
    };
    let data = ["2024-04-03T14:00:00Z", "2026-02-15T18:00:00Z"];
    let origins = [origin("2025-12-15T00:00:00Z", false, 0.056), origin("2026-02-05T00:00:00Z", true, 0.063)];
    serde_json::json!({"data": data, "horizon_days": 30, "origins": origins}).to_string()
}

#[test]
fn the_scoreboard_is_what_the_evaluation_wrote() {
    let site = forecast_site(record(8));
    let empty = get(&site, "/forecasts/scoreboard");
    assert!(empty.text().contains("0.0421"), "held-out scores of the model in use stand there in any case");
    assert_eq!(get(&site, "/api/v1/forecasts/scoreboard").status, StatusCode::NOT_FOUND);
    let file = scoreboard("boosted");
    site.publish([Patch::Scoreboard(Some(Box::new(Scoreboard::from_json(&file).unwrap())))]);
    assert_eq!(get(&site, "/forecasts/scoreboard?stratum=nobody").status, StatusCode::BAD_REQUEST);
    assert_eq!(get(&site, "/api/v1/forecasts/scoreboard").text(), file);
    let pit = get(&site, "/forecasts/scoreboard/charts/pit.csv").text();
    assert_eq!(pit.lines().count(), 21, "{pit}");
    assert!(get(&site, "/forecasts/scoreboard/charts/reliability.png").bytes.starts_with(b"\x89PNG"));
    // The diagonal of calibrated forecasts, and the level of a histogram of them.
    for (chart, line) in [("reliability", "stroke-dasharray=\"4 3\""), ("pit", "stroke-dasharray=\"6 4\"")] {
        assert!(get(&site, &format!("/forecasts/scoreboard/charts/{chart}.svg")).text().contains(line), "{chart}");
    }
    for bad in ["", "[]", "{\"horizon_days\":30,\"origins\":[]}", "{\"horizon_days\":30}"] {
        assert!(Scoreboard::from_json(bad).is_err(), "{bad}");
    }
}

#[test]
fn the_network_has_a_table_a_fan_chart_and_figures_for_programs() {
    let site = forecast_site(record(8));
    let json = get(&site, "/api/v1/forecasts/network").json();
    let forecasts = json["forecasts"].as_array().unwrap();
    let named: Vec<(&str, u64)> = forecasts.iter().map(|f| (f["figure"].as_str().unwrap(), f["horizon_days"].as_u64().unwrap())).collect();
    assert!(named.starts_with(&[("uptime", 30), ("uptime", 91), ("relays", 91), ("relays", 182), ("relays", 365)]), "{named:?}");
    for forecast in forecasts {
        let quantiles = ["q05", "q10", "q50", "q90", "q95"].map(|name| forecast[name].as_f64().unwrap());
        assert!(quantiles.is_sorted(), "{forecast}");
    }
    let csv = get(&site, "/api/v1/forecasts/network.csv");
    assert_eq!(csv::Reader::from_reader(csv.bytes.as_slice()).records().count(), forecasts.len());
    for file in ["network-relays.png", "network-relays.svg", "network-uptime.csv", "network-exits.json", "uptime-ahead.png"] {
        assert_eq!(get(&site, &format!("/forecasts/charts/{file}")).status, StatusCode::OK, "{file}");
    }
    assert_eq!(get(&site, "/forecasts/charts/network-weight.png").status, StatusCode::NOT_FOUND, "no weights are known");
    assert!(get(&site, "/").text().contains("of known relays are expected to run at any time"));
    assert!(get(&site, "/explore").text().contains("Next 3 months"));
}

#[test]
fn a_relay_says_what_to_do_and_what_drives_its_forecast() {
    let site = forecast_site(record(8));
    let page = get(&site, &format!("/relay/{}", fingerprint(3))).text();
    // The reasons that documents state stand with the forecast, once.
    assert_eq!(page.matches("Not running for").count(), 1, "{page}");
    let json = get(&site, &format!("/api/v1/relays/{}", fingerprint(1))).json();
    let advice = &json["forecast"]["advice"];
    assert_eq!(advice["urgency"].as_str(), Some("urgent"));
    assert!(advice["window"][0].as_str().unwrap() < advice["window"][1].as_str().unwrap(), "{advice}");
    let drivers = json["forecast"]["drivers"].as_array().unwrap();
    let effects: Vec<f64> = drivers.iter().map(|driver| driver["effect"].as_f64().unwrap().abs()).collect();
    assert!(effects.is_sorted_by(|a, b| a >= b), "{drivers:?}");
    assert_eq!(get(&site, &format!("/relay/{}/charts/forecast.png", fingerprint(1))).status, StatusCode::OK);
    let urgent = get(&site, "/api/v1/forecasts?todo=urgent").json();
    assert_eq!(urgent["n_rows"].as_u64(), Some(2));
}

#[test]
fn an_operator_has_one_list_of_what_to_do_without_saying_anything_twice() {
    let mut record = record(8);
    for relay in &mut record.relays {
        relay.relay.contact = Some("one operator".to_owned());
        relay.relay.effective_family = (0..8).map(fingerprint).collect();
        relay.relay.running = relay.relay.fingerprint != fingerprint(3);
    }
    let site = forecast_site(record);
    let page = get(&site, &format!("/operator/{}", operator_of(&site))).text();
    let section = page.split("id=\"advice\"").nth(1).and_then(|rest| rest.split("</section>").next()).unwrap();
    let positions = ["Urgent", "Scheduled", "Watch"].map(|word| section.find(&format!(">{word}</span>")));
    assert!(positions.iter().all(Option::is_some) && positions.is_sorted(), "{positions:?} {section}");
    // The relay that is down is brought back, with the words of its forecast.
    assert_eq!(section.matches("Bring back 1 relay").count(), 1, "{section}");
    assert_eq!(section.matches("Not running for 30 h").count(), 1, "{section}");
    let by_relay = section.split(">In the long run</span>").next().unwrap();
    for relay in [1, 2, 3, 4] {
        assert_eq!(by_relay.matches(&format!("/relay/{}", fingerprint(relay))).count(), 1, "{relay}: {section}");
    }
    assert!(section.contains("Look again in a week at 1 relay") && section.contains("Best window:"), "{section}");
    assert!(section.contains("/maintenance.ics\">Schedule maintenance"), "{section}");
    assert_eq!(page.matches("Schedule maintenance").count(), 1, "{page}");
}
