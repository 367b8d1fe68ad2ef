//! Strangers' text is inert wherever it is shown.

use allium_model::{NetworkRecord, Relay};

use crate::support::{fingerprint, get, is_our_script, record, site_of, tags};

const MARKUP: &str = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>&amp;";
const DECEPTIVE: &str = "a\u{202E}b\u{0}c\u{200B}d\u{7}e\u{2066}f\u{85}g\r\nh\u{E0041}";

/// A network whose second relay says this in every field that takes text.
fn network_that_says(text: &str) -> NetworkRecord {
    let mut record = record(4);
    let relay: &mut Relay = &mut record.relays[1].relay;
    let all = || Some(text.to_owned());
    relay.nickname = all();
    relay.country_name = all();
    relay.as_name = all();
    relay.contact = all();
    relay.platform = all();
    relay.version = all();
    relay.version_status = all();
    let lists = [&mut relay.other_flags, &mut relay.verified_host_names, &mut relay.unverified_host_names, &mut relay.exit_policy];
    lists.into_iter().for_each(|list| *list = vec![text.to_owned()]);
    relay.alleged_family = vec![text.to_owned()];
    relay.exit_policy_summary = Some(allium_model::PortSummary::Accept(vec![text.to_owned()]));
    record.relays[1].spans.iter_mut().for_each(|span| span.state.version = Some(text.into()));
    record.sources[0].origin = text.to_owned();
    record.rejects[0].origin = text.to_owned();
    record.rejects[0].location = text.to_owned();
    record.rejects[0].reason = text.to_owned();
    record
}

fn pages_of(record: NetworkRecord) -> Vec<(String, String)> {
    let fingerprint = record.relays[1].relay.fingerprint;
    let site = site_of(record);
    let addresses = ["/".to_owned(), "/relays".to_owned(), format!("/relay/{fingerprint}"), "/data-quality".to_owned()];
    addresses.into_iter().map(|address| (address.clone(), get(&site, &address).text())).collect()
}

#[test]
fn markup_stays_text_on_every_page() {
    for (address, html) in pages_of(network_that_says(MARKUP)) {
        for tag in tags(&html) {
            let is_ours = is_our_script(tag) || tag.starts_with("img src=\"/relay/");
            assert!(is_ours || !tag.starts_with("img") && !tag.starts_with("script"), "{address}: <{tag}>");
            assert!(!tag.contains(" onerror"), "{address}: <{tag}>");
        }
        if address.starts_with("/relay") {
            assert!(html.contains("&lt;img src=x onerror=alert(1)&gt;"), "{address}");
        }
    }
}

#[test]
fn deceptive_characters_are_shown_as_their_code_points() {
    for (address, html) in pages_of(network_that_says(DECEPTIVE)) {
        let hidden = html.chars().find(|c| allium_words::inert::is_deceptive(*c) && *c != '\n');
        assert_eq!(hidden, None, "{address}");
        if address.starts_with("/relay") {
            assert!(html.contains("U+202E") && html.contains("U+0000") && html.contains("<bdi>"), "{address}");
        }
    }
}

#[test]
fn what_a_visitor_typed_is_inert_too() {
    let site = site_of(record(4));
    let typed = "%3Cscript%3E%22%27%E2%80%AE%00";
    for address in [
        format!("/relays?q={typed}"),
        format!("/relay/{typed}"),
        format!("/relays?sort={typed}"),
        format!("/{typed}"),
        format!("/relays?{typed}=1"),
    ] {
        let html = get(&site, &address).text();
        assert!(tags(&html).iter().all(|tag| !tag.starts_with("script")), "{address}");
        assert!(!html.contains('\u{202E}') && !html.contains('\0'), "{address}");
    }
}

#[test]
fn huge_texts_are_cut() {
    for (address, html) in pages_of(network_that_says(&"\u{FDFA}".repeat(100_000))) {
        assert!(html.len() < 800_000, "{address}: {} bytes", html.len());
    }
}

#[test]
fn csv_has_no_formula_and_one_line_per_relay() {
    for text in ["=HYPERLINK(\"http://x\")", "+1+1", "-1", "@SUM(A1)", "\t=1", "\r=1", DECEPTIVE, "a\"b,c\nd"] {
        let site = site_of(network_that_says(text));
        let csv = get(&site, "/api/v1/relays.csv").text();
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let records: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(records.len(), 4, "{text:?}");
        for cell in records.iter().flat_map(csv::StringRecord::iter) {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
            assert!(!cell.chars().any(char::is_control), "{cell:?}");
        }
    }
}

#[test]
fn json_is_exact_and_inert() {
    for text in [MARKUP, DECEPTIVE] {
        let record = network_that_says(text);
        let hostile = record.relays[1].relay.fingerprint;
        let answer = get(&site_of(record), &format!("/api/v1/relays/{hostile}"));
        let json = answer.json();
        assert_eq!(json["nickname"], text);
        assert_eq!(json["contact"], text);
        assert_eq!(json["alleged_family"][0], text);
        let raw = answer.text();
        assert!(!raw.contains('<') && !raw.trim_end().chars().any(allium_words::inert::is_deceptive));
    }
    assert_ne!(fingerprint(0), fingerprint(1));
}

#[test]
fn a_long_contact_is_cut_and_inert_where_operators_are_picked() {
    let mut record = record(4);
    record.relays[1].relay.contact = Some(format!("{MARKUP}{DECEPTIVE}{}", "x".repeat(500)));
    record.relays[1].relay.consensus_weight = Some(1_000_000);
    let html = get(&site_of(record), "/explore?show=compare").text();
    let boxes: Vec<&str> = html.split("<label title=\"").skip(1).filter_map(|rest| rest.split("</label>").next()).collect();
    let contact = boxes.into_iter().find(|label| label.contains("onerror")).unwrap();
    assert!(contact.contains("…</bdi>") && contact.len() < 600, "{contact}");
    assert!(!contact.contains("<img") && !contact.contains("<script"), "{contact}");
    assert_eq!(html.chars().find(|c| allium_words::inert::is_deceptive(*c) && *c != '\n'), None);
}
