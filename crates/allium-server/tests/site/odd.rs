//! A crawl over odd networks: none at all, one relay, all of them down, what consensuses alone say, and 100,000 relays.
//!
//! Every kind of address answers without an error of ours, and no answer holds a number that is none, a minus before zero, or a date
//! that cannot be: before Tor, or after now. Answers on forecasts and calendars look ahead, by at most [`AHEAD`].

use std::collections::BTreeMap;

use allium_model::{Fingerprint, NetworkRecord, Relay, RelayRecord};
use allium_service::Site;
use allium_views::Route;
use allium_views::route::{ChartForm, Page};

use crate::forecasts::forecast_site;
use crate::support::{Answer, NOW, as_of, empty_site, get, record, relay, site_of};

/// The last day that the figures of a relay or of the network may name: an interval under way ends with its last hour, and the longest
/// have ten days.
const UNDER_WAY: &str = "2026-02-26";
/// The last day that another answer may name.
const TODAY: &str = "2026-02-15";
/// The last day that a forecast, a calendar or advice may name: networks are forecast over a year.
const AHEAD: &str = "2027-03-01";
/// The first day that an answer may name.
const FIRST: &str = "2002-01-01";

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// What is wrong with a text, in words.
fn faults(text: &str, last: &str) -> Vec<String> {
    let cannot_be =
        dates(text).into_iter().filter(|date| date.as_str() < FIRST || date.as_str() > last).map(|date| format!("the date {date}"));
    numbers(text).filter(|word| is_none(word) || is_minus_zero(word)).map(|word| format!("the number {word}")).chain(cannot_be).collect()
}

/// The words of a text without what stands around numbers.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    let ends = |c: char| c.is_whitespace() || "()[]{}<>\"';:,/=|".contains(c) || c == '\u{a0}';
    text.split(ends).map(|word| word.trim_end_matches(['%', '.']))
}

fn is_none(word: &str) -> bool {
    matches!(word.trim_start_matches(['-', '+', '−']), "NaN" | "nan" | "inf" | "Infinity" | "infinity" | "∞")
}

fn is_minus_zero(word: &str) -> bool {
    let digits = word.strip_prefix(['-', '−']).map(|rest| rest.split(['e', 'E']).next().unwrap_or_default());
    digits.is_some_and(|digits| digits.starts_with('0') && digits.bytes().all(|b| b == b'0' || b == b'.'))
}

/// The dates of a text as `2026-02-15`: `2026-02-15…`, `20260215T…`, `15 Feb 2026`, `Feb 2026`.
fn dates(text: &str) -> Vec<String> {
    let digits = |at: usize, len: usize| text.get(at..at + len).filter(|part| part.bytes().all(|b| b.is_ascii_digit()));
    let is_bounded = |at: usize| at == 0 || !text.as_bytes()[at - 1].is_ascii_alphanumeric();
    let mut found = Vec::new();
    for at in text.match_indices('-').filter_map(|(at, _)| at.checked_sub(4)).filter(|at| is_bounded(*at)) {
        let (Some(year), Some(month), Some(day)) = (digits(at, 4), digits(at + 5, 2), digits(at + 8, 2)) else { continue };
        let is_date = text.as_bytes()[at + 7] == b'-' && ("01"..="12").contains(&month) && ("01"..="31").contains(&day);
        let goes_on = text.as_bytes().get(at + 10).is_some_and(|b| b.is_ascii_alphanumeric() && *b != b'T');
        if is_date && !goes_on {
            found.push(format!("{year}-{month}-{day}"));
        }
    }
    for at in text.match_indices('T').filter_map(|(at, _)| at.checked_sub(8)).filter(|at| is_bounded(*at)) {
        if let (Some(date), Some(_), Some("Z")) = (digits(at, 8), digits(at + 9, 6), text.get(at + 15..at + 16)) {
            found.push(format!("{}-{}-{}", &date[..4], &date[4..6], &date[6..]));
        }
    }
    for (month, name) in (1..).zip(MONTHS) {
        for (at, _) in text.match_indices(&format!("{name} ")) {
            if let Some(year) = digits(at + 4, 4).filter(|_| is_bounded(at)) {
                let day = text[..at].trim_end().rsplit(|c: char| !c.is_ascii_digit()).next().filter(|day| matches!(day.len(), 1 | 2));
                found.push(format!("{year}-{month:02}-{:0>2}", day.unwrap_or("01")));
            }
        }
    }
    found
}

#[test]
fn a_fault_would_be_seen() {
    for (text, n) in [
        ("{\"a\":-0.0,\"b\":[-0]}", 2),
        ("a,-0.00,NaN\r\n", 2),
        ("<td>−0.0\u{a0}%</td><td>inf</td>", 2),
        ("between -0.0 and +Infinity", 2),
        ("{\"a\":-0.01,\"b\":-10,\"c\":\"2026-01-02\",\"d\":1e-05}", 0),
        ("first seen 1 Jan 1970, 1969-12-31T23:00:00Z", 2),
        ("<time datetime=\"2026-02-16T00:00:00Z\">16 Feb 2026</time>", 2),
        ("DTSTART:20260216T000000Z; Mar 2026; 15 Feb 2026; 2026-02-15T18:00:00Z", 2),
        ("2031-02", 0),
        ("c0ffee2031-02-03, 2031-02-03a4", 0),
    ] {
        assert_eq!(faults(text, TODAY).len(), n, "{text}: {:?}", faults(text, TODAY));
    }
}

/// True if there is nothing at the address without a forecast or scores of some.
fn is_forecast(route: &Route) -> bool {
    route.address().contains("forecast") || matches!(route, Route::Calendar(_))
}

/// The last day that the answer of this address may name: forecasts, calendars and advice look ahead.
fn last_day(route: &Route, has_forecasts: bool) -> &'static str {
    let address = route.address();
    let may = ["forecast", "/relay", "/operator", "/family", "/families", "/explore"].iter().any(|part| address.contains(part));
    match (has_forecasts && (may || address == "/"), address.contains("/relay") || address.contains("/network")) {
        (true, _) => AHEAD,
        (false, true) => UNDER_WAY,
        (false, false) => TODAY,
    }
}

fn is_text(answer: &Answer) -> bool {
    let kind = answer.header("content-type");
    ["text/html", "text/csv", "text/calendar", "json", "xml", "openmetrics"].iter().any(|known| kind.contains(known))
}

/// Checks every address, or `most` of each kind.
fn check(name: &str, site: &Site, most: usize, has_forecasts: bool) {
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for route in Route::all(&site.snapshot()) {
        // A picture is drawn of the shapes that are asked for as SVG.
        let is_png = matches!(&route, Route::Chart(_, file) if file.form == ChartForm::Png);
        let n = asked.entry(route.pattern()).or_default();
        let limit = if is_png { 1 } else { most };
        if *n >= limit || matches!(route, Route::Page(Page::Methods) | Route::Asset(_)) {
            continue;
        }
        *n += 1;
        let (address, answer) = (route.address(), get(site, &route.address()));
        let is_right = answer.status.is_success() || answer.status.is_redirection();
        let is_missing = matches!(answer.status.as_u16(), 404 | 503) && is_forecast(&route);
        if !is_right && !is_missing {
            wrong.push(format!("{address}: {}", answer.status));
        }
        if is_text(&answer) {
            wrong.extend(
                faults(&answer.text(), last_day(&route, has_forecasts)).into_iter().take(3).map(|fault| format!("{address}: {fault}")),
            );
        }
    }
    for service in ["/healthz", "/metrics"] {
        wrong.extend(faults(&get(site, service).text(), TODAY).into_iter().map(|fault| format!("{service}: {fault}")));
    }
    wrong.truncate(40);
    assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
    assert!(asked.len() > 100, "{name}: only {} kinds of addresses", asked.len());
}

#[test]
fn an_empty_network_says_so_everywhere() {
    let (full, empty) = (site_of(record(9)), empty_site(NOW));
    let mut seen = std::collections::BTreeSet::new();
    for route in Route::all(&full.snapshot()).filter(|route| seen.insert(route.pattern())) {
        let (address, answer) = (route.address(), get(&empty, &route.address()));
        let needs_nothing = matches!(route, Route::Page(Page::Methods) | Route::Asset(_) | Route::Icon | Route::Robots);
        assert_eq!(answer.status.as_u16(), if needs_nothing { 200 } else { 503 }, "{address}");
        if is_text(&answer) && !needs_nothing {
            assert_eq!(faults(&answer.text(), TODAY), Vec::<String>::new(), "{address}");
        }
    }
    assert_eq!(faults(&get(&empty, "/metrics").text(), TODAY), Vec::<String>::new());
    let nobody = NetworkRecord { relays: Vec::new(), ..record(1) };
    check("no relay", &site_of(nobody), usize::MAX, false);
}

#[test]
fn one_relay_is_a_network() {
    check("one relay", &site_of(record(1)), usize::MAX, false);
    check("one relay with forecasts", &forecast_site(record(1)), usize::MAX, true);
}

#[test]
fn a_network_may_be_down() {
    let mut down = record(5);
    for record in &mut down.relays {
        record.relay.running = false;
        record.relay.flags.remove(allium_model::RelayFlag::Running);
        record.relay.last_seen = Some(as_of().plus(-30));
        record.relay.consensus_weight_fraction = None;
        record.spans.retain_mut(|span| {
            span.end = span.end.min(as_of().plus(-29));
            span.start < span.end
        });
    }
    check("all down", &site_of(down), usize::MAX, false);
}

/// A relay of which consensuses alone are known: flags, weight, hours.
fn listed(n: u16) -> RelayRecord {
    let full = relay(n);
    let known = Relay {
        running: full.relay.running,
        flags: full.relay.flags,
        first_seen: allium_model::FirstSeen::Unknown,
        last_seen: full.relay.last_seen,
        ..Relay::unknown(full.relay.fingerprint)
    };
    let bare = |mut span: allium_model::StateSpan| {
        span.state.country = None;
        span.state.asn = None;
        span.state.version = None;
        span
    };
    RelayRecord { relay: known, spans: full.spans.into_iter().map(bare).collect(), published: Vec::new() }
}

#[test]
fn consensuses_alone_are_a_network() {
    let mut relays: Vec<RelayRecord> = (0..9).map(listed).collect();
    relays.sort_by_key(|record| record.relay.fingerprint);
    let record = NetworkRecord { relays, sources: Vec::new(), rejects: Vec::new(), ..record(1) };
    check("consensuses only", &site_of(record), usize::MAX, false);
}

#[test]
fn a_network_may_be_without_weights() {
    let mut weightless = record(6);
    for (record, n) in weightless.relays.iter_mut().zip(0..) {
        let relay = &mut record.relay;
        relay.consensus_weight = (n % 2 == 0).then_some(0);
        (relay.consensus_weight_fraction, relay.guard_probability) = (None, None);
        (relay.bandwidth_rate, relay.observed_bandwidth, relay.advertised_bandwidth) = (None, Some(0), None);
        record.published.clear();
    }
    check("without weights", &site_of(weightless), usize::MAX, false);
}

#[test]
fn a_network_may_have_a_hundred_thousand_relays() {
    let of = |n: u32| {
        let mut record = if n.is_multiple_of(50) { relay(n as u16) } else { RelayRecord { published: Vec::new(), ..relay(n as u16) } };
        let mut bytes = [0; 20];
        bytes[..4].copy_from_slice(&n.wrapping_mul(2_654_435_761).to_be_bytes());
        record.relay.fingerprint = Fingerprint::new(bytes);
        record.relay.effective_family = vec![record.relay.fingerprint];
        record.relay.contact = Some(format!("operator{}@tor.example", n % 4_000));
        record.relay.asn = Some(allium_model::Asn(64_496 + n % 1_500));
        record
    };
    let mut relays: Vec<RelayRecord> = (0..100_000).map(of).collect();
    relays.sort_by_key(|record| record.relay.fingerprint);
    relays.dedup_by_key(|record| record.relay.fingerprint);
    assert_eq!(relays.len(), 100_000);
    check("100,000 relays", &site_of(NetworkRecord { relays, ..record(1) }), 1, false);
}
