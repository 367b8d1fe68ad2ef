//! Hostile and defective documents: nothing panics, nothing good is lost, and the location is named.

use std::fmt::Write;

use allium_model::{Bounds, DocumentKind};
use allium_sources::Error;
use allium_sources::onionoo::{Document, decode};

use super::{ALICE, BOB, details, document, histories, lines, read, testdata, uptime};

/// One line of what is left of a relay, or why the document is refused, and every reject.
fn outcome(name: &str) -> String {
    let kind = DocumentKind::from_name(name.split('-').next().unwrap()).unwrap();
    let document = match decode(kind, &read(&format!("bad/{name}")), name, Bounds::default()) {
        Ok(document) => document,
        Err(error) => return format!("{name}\n  refused: {error}\n"),
    };
    let relays = match &document {
        Document::Details(details) => details.relays.iter().map(|relay| relay.display_name().to_owned()).collect::<Vec<_>>(),
        Document::Histories(histories) => histories.relays.iter().map(|relay| format!("{} graphs", relay.graphs.len())).collect(),
        Document::Summary(_) => Vec::new(),
    };
    let mut text = format!("{name}\n  relays: {relays:?}\n");
    for line in lines(&document.header().rejects) {
        writeln!(text, "  reject: {line}").unwrap();
    }
    text
}

#[test]
fn each_defect_has_its_outcome() {
    insta::assert_snapshot!(crate::outcomes(&testdata().join("bad"), outcome));
}

#[test]
fn a_document_cut_anywhere_is_refused() {
    for kind in DocumentKind::ALL {
        let whole = read(&format!("{kind}.json"));
        let end = whole.iter().rposition(|byte| *byte == b'}').unwrap();
        for len in 1..=end {
            match decode(kind, &whole[..len], "cut", Bounds::default()) {
                Err(Error::Truncated { byte, .. }) => assert_eq!(byte, len as u64),
                other => panic!("{kind} cut at {len}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_truncated_document_tells_how_far_it_went() {
    let error = details(&read("bad/details-truncated.json")).unwrap_err();
    assert!(matches!(error, Error::Truncated { n_understood: 2, .. }), "{error}");
}

#[test]
fn a_damaged_byte_never_panics() {
    for kind in DocumentKind::ALL {
        let whole = read(&format!("{kind}.json"));
        for offset in 0..whole.len() {
            for byte in [b'"', b'{', b']', b'\\', b'-', 0, 0xff] {
                let mut damaged = whole.clone();
                damaged[offset] = byte;
                let _ = decode(kind, &damaged, "damaged", Bounds::default());
            }
        }
    }
}

#[test]
fn html_in_names_is_kept_as_it_is() {
    let details = details(&read("bad/details-html.json")).unwrap();
    assert_eq!(details.relays[0].nickname.as_deref(), Some("<script>alert(1)</script>"));
    assert_eq!(details.header.n_rejects, 0);
}

#[test]
fn bidi_characters_are_kept_as_they_are() {
    let details = details(&read("bad/details-bidi-characters.json")).unwrap();
    assert_eq!(details.relays[0].nickname.as_deref(), Some("ali\u{202e}ce"));
}

#[test]
fn nul_and_control_characters_become_visible() {
    let details = details(&read("bad/details-control-characters.json")).unwrap();
    assert_eq!(details.relays[0].contact.as_deref(), Some("nul\u{fffd}bell\u{fffd}esc\u{fffd}[31m line\u{fffd}break c1\u{fffd}"));
    assert_eq!(details.header.n_rejects, 2);
}

#[test]
fn quotes_in_rejects_hold_no_control_or_bidi_characters() {
    let text = document(&format!(r#"{{"fingerprint":"{ALICE}","first_seen":"\u0000\u001b\u202e","fla\u202egs":1,"flags":"\u0007"}}"#));
    for line in lines(&details(text.as_bytes()).unwrap().header.rejects) {
        assert!(!line.contains(|c: char| c.is_control() || c == '\u{202e}'), "{line:?}");
    }
}

#[test]
fn a_contact_of_ten_megabytes_is_cut() {
    let text = document(&format!(r#"{{"fingerprint":"{ALICE}","contact":"{}"}}"#, "é".repeat(5 << 20)));
    let details = details(text.as_bytes()).unwrap();
    assert_eq!(details.relays[0].contact.as_ref().unwrap().chars().count(), 64 * 1024);
    assert_eq!(lines(&details.header.rejects), [format!("relays[0] {ALICE} field contact: 10485760 bytes long, cut to 65536 characters")]);
}

#[test]
fn a_name_of_ten_megabytes_is_quoted_in_short() {
    let name = "x".repeat(10 << 20);
    let text = document(&format!(r#"{{"fingerprint":"{ALICE}","{name}":NaN,"flags":"{name}"}}"#));
    let details = details(text.as_bytes()).unwrap();
    assert_eq!(details.header.n_rejects, 2);
    assert!(lines(&details.header.rejects).iter().all(|line| line.len() < 400));
    let text = document(&format!(r#"{{"fingerprint":"{ALICE}","uptime":{{"{name}":{{"first":"{name}"}}}}}}"#));
    assert!(lines(&uptime(text.as_bytes()).header.rejects).iter().all(|line| line.len() < 400));
}

#[test]
fn of_duplicate_relays_the_newest_counts() {
    let details = details(&read("bad/details-duplicate-relays.json")).unwrap();
    let names: Vec<&str> = details.relays.iter().map(allium_model::Relay::display_name).collect();
    assert_eq!(names, ["newer", "bob"]);
    assert_eq!((details.n_duplicates, details.header.n_rejects), (2, 2));
}

#[test]
fn rejects_are_listed_up_to_a_thousand_and_all_counted() {
    let entries = vec!["null"; 5000].join(",");
    let details = details(document(&entries).as_bytes()).unwrap();
    assert_eq!((details.header.rejects.len(), details.header.n_rejects), (1000, 5000));
    let members = vec![r#""contact":1"#; 5000].join(",");
    let text = document(&format!(r#"{{"fingerprint":"{ALICE}",{members}}}"#));
    let crowded = super::details(text.as_bytes()).unwrap();
    assert_eq!((crowded.header.rejects.len(), crowded.header.n_rejects), (1000, 5000));
}

#[test]
fn deep_nesting_costs_its_field_only() {
    for open in ["[", r#"{"x":"#] {
        let close = if open == "[" { "]" } else { "}" };
        let deep = format!("{}1{}", open.repeat(1_000_000), close.repeat(1_000_000));
        let text = document(&format!(
            r#"{{"fingerprint":"{ALICE}","nickname":"alice","contact":{deep}}},{{"fingerprint":"{BOB}","running":true}}"#
        ));
        let details = details(text.as_bytes()).unwrap();
        assert_eq!(details.relays[0].nickname.as_deref(), Some("alice"));
        assert_eq!((details.relays.len(), details.header.n_rejects), (2, 1));
        let text = document(&format!(r#"{{"fingerprint":"{ALICE}","uptime":{{"1_month":{deep}}}}}"#));
        assert_eq!(uptime(text.as_bytes()).header.n_rejects, 1);
    }
}

#[test]
fn a_bad_graph_costs_itself_only() {
    let name = "bad/uptime-factor-text.json";
    let histories = uptime(&read(name));
    assert_eq!(histories.relays.iter().map(|relay| relay.graphs.len()).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(lines(&histories.header.rejects), [format!("relays[0] {ALICE} field uptime.1_month: expected a number")]);
}

#[test]
fn graphs_that_would_fill_the_memory_are_not_completed() {
    // Frozen for 23 years at one value a second.
    let text = document(&format!(
        r#"{{"fingerprint":"{ALICE}","uptime":{{"x":{{"first":"2002-09-20 00:00:01","interval":1,"factor":0,"values":[1,1]}}}}}}"#
    ));
    let document = histories(DocumentKind::Uptime, text.as_bytes()).unwrap();
    assert_eq!(document.relays[0].graphs[0].series.len(), 2);
    assert_eq!(lines(&document.header.rejects), ["relays: 1 graphs stopped too long ago to be completed"]);
}

#[test]
fn a_part_of_an_answer_is_told_from_the_whole() {
    assert_eq!(details(&read("bad/details-part-only.json")).unwrap().header.n_left_out, 9002);
}
