//! Hostile and defective consensuses: nothing panics, nothing good is lost, and the location is named.

use std::fmt::Write;

use allium_sources::Error;
use allium_sources::consensus::{decode, peek};

use super::{good, lines, read, testdata};

/// One line of what is left of each relay, or why the document is refused, and every reject.
fn outcome(name: &str) -> String {
    let consensus = match decode(&read(&format!("bad/{name}")), name) {
        Ok(consensus) => consensus,
        Err(error) => return format!("{name}\n  refused: {error}\n"),
    };
    let names: Vec<_> = consensus.entries.iter().map(|entry| entry.nickname.as_deref().unwrap_or("?")).collect();
    let mut text = format!("{name}\n  relays: {names:?}, {} signatures\n", consensus.signatures.len());
    for line in lines(&consensus) {
        writeln!(text, "  reject: {line}").unwrap();
    }
    text
}

#[test]
fn each_defect_has_its_outcome() {
    insta::assert_snapshot!(crate::outcomes(&testdata().join("bad"), outcome));
}

#[test]
fn a_consensus_cut_before_its_first_signature_ends_is_refused() {
    for name in ["ns", "microdesc", "2014"] {
        let whole = read(name);
        let text = String::from_utf8(whole.clone()).unwrap();
        let end = text.find("-----END SIGNATURE-----").unwrap() + "-----END".len();
        let is_recognised = text.find("vote-status consensus").unwrap() + "vote-status consensus".len();
        for len in 1..end {
            match decode(&whole[..len], "cut") {
                Err(Error::Truncated { byte, .. }) => assert_eq!(byte, len as u64),
                Err(Error::NotConsensus { .. } | Error::Empty { .. }) if len < is_recognised => {}
                // A time that is cut is no time.
                Err(Error::Malformed { reason, .. }) if reason.starts_with("expected a time") => {}
                other => panic!("{name} cut at {len}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_damaged_byte_never_panics() {
    for name in ["ns", "microdesc", "2014"] {
        let whole = read(name);
        for offset in 0..whole.len() {
            for byte in [b'\n', b' ', 0xff] {
                let mut damaged = whole.clone();
                damaged[offset] = byte;
                let _ = decode(&damaged, "damaged");
                let _ = peek(&damaged, "damaged");
            }
        }
    }
}

#[test]
fn a_damaged_relay_costs_no_other() {
    let whole = String::from_utf8(read("microdesc")).unwrap();
    let expected = good("microdesc").entries;
    let (start, end) = (whole.find("r bob").unwrap(), whole.find("r Carol7").unwrap());
    for offset in start + 2..end - 1 {
        let mut damaged = whole.clone().into_bytes();
        damaged[offset] = 0;
        let consensus = decode(&damaged, "damaged").unwrap();
        for relay in [0, 2, 3] {
            assert!(consensus.entries.contains(&expected[relay]), "{offset}");
        }
        assert!(consensus.n_rejects <= 1, "{offset}");
    }
}

#[test]
fn rejects_are_listed_up_to_a_thousand_and_all_counted() {
    let whole = String::from_utf8(read("microdesc")).unwrap();
    let many = whole.replace("directory-footer", &format!("{}directory-footer", "r \u{1b}[31m\n".repeat(5000)));
    let consensus = decode(many.as_bytes(), "many").unwrap();
    assert_eq!((consensus.rejects.len(), consensus.n_rejects, consensus.entries.len()), (1000, 5000, 4));
}

#[test]
fn a_line_of_ten_megabytes_is_quoted_in_short() {
    let whole = String::from_utf8(read("microdesc")).unwrap();
    let long = "\u{202e}x".repeat(2 << 20);
    for keyword in ["params", "dir-source", "r", "s", "v", "w", "a", "p", "directory-signature"] {
        let text = whole.replacen("w Bandwidth=610", &format!("{keyword} {long}\nw Bandwidth=610"), 1);
        let consensus = decode(text.as_bytes(), "long").unwrap_or_else(|error| {
            assert!(error.to_string().len() < 400, "{keyword}");
            good("microdesc")
        });
        for line in lines(&consensus) {
            assert!(line.len() < 1000 && !line.contains(|c: char| c.is_control() || c == '\u{202e}'), "{keyword}: {line}");
        }
    }
}
