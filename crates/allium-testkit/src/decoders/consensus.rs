//! Consensuses, the certificates of authorities, and signatures.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use allium_model::{PortSummary, RelayFlag};
use allium_sources::consensus::verify::{Certificates, missing, verify};
use allium_sources::consensus::{Batch, Consensus, Entry, Flavour, decode, peek};

use super::common::{is_clean, is_visible, rejects_are_counted, twice};
use super::seeds::{Signed, signed_network};

/// The shortest entry: its first line and its flags.
const LEAST_ENTRY_BYTES: usize = 33;

pub(crate) fn document(bytes: &[u8]) {
    let Some(consensus) = decoded(bytes) else { return };
    assert_eq!(peek(bytes, "input").ok(), Some((consensus.flavour, consensus.hour)));
    spans_say_the_same(&consensus);
    let consensus = Consensus { entries: consensus.entries.into_iter().filter(is_writable).collect(), ..consensus };
    if !consensus.entries.is_empty() {
        let again = decode(written(&consensus).as_bytes(), "written").expect("what was written is read");
        assert_eq!((again.n_rejects, &again.entries), (0, &consensus.entries), "{:?}", again.rejects);
    }
}

fn decoded(bytes: &[u8]) -> Option<Consensus> {
    let consensus = twice(|| decode(bytes, "input"))?;
    assert_eq!(consensus.size_bytes, bytes.len() as u64);
    rejects_are_counted(&consensus.rejects, consensus.n_rejects);
    let signed = &bytes[consensus.signed.clone()];
    assert!(signed.starts_with(b"network-status-version") && signed[..signed.len() - 1].ends_with(b"\ndirectory-signature"));
    assert!(!consensus.entries.is_empty() && consensus.entries.len() * LEAST_ENTRY_BYTES <= bytes.len());
    let relays: BTreeSet<_> = consensus.entries.iter().map(|entry| entry.fingerprint).collect();
    assert_eq!(relays.len(), consensus.entries.len(), "a relay twice");
    for entry in &consensus.entries {
        is_clean(entry.nickname.as_ref(), 19);
        entry.other_flags.iter().for_each(|flag| is_clean(Some(flag), 40));
        assert!(entry.version.as_ref().is_none_or(|version| version.len() <= 128 && is_visible(version)), "{entry:?}");
        assert!(entry.weight.is_none_or(|weight| weight <= 1_000_000_000), "{entry:?}");
    }
    for authority in &consensus.authorities {
        assert!(is_visible(&authority.nickname) && authority.contact.as_deref().is_none_or(is_visible), "{authority:?}");
    }
    Some(consensus)
}

/// One consensus is one hour of each running relay.
fn spans_say_the_same(consensus: &Consensus) {
    let mut batch = Batch::default();
    assert!(batch.add(consensus) && !batch.add(consensus), "a consensus is taken once");
    let mut states: Vec<_> = consensus.states().collect();
    states.sort_by_key(|(relay, _)| *relay);
    let spans = batch.spans();
    assert!(spans.iter().all(|(_, span)| (span.start, span.end) == (consensus.hour, consensus.hour.next())));
    assert!(spans.into_iter().map(|(relay, span)| (relay, span.state)).eq(states));
}

/// True if nothing of the entry was unreadable, so that it could be written again.
fn is_writable(entry: &Entry) -> bool {
    entry.nickname.is_some() && entry.or_address.is_some()
}

/// The consensus with nothing but what is needed.
fn written(consensus: &Consensus) -> String {
    let flavour = if consensus.flavour == Flavour::Microdesc { " microdesc" } else { "" };
    let hour = consensus.hour.start().to_string().replace('T', " ").replace('Z', "");
    let mut text = format!("network-status-version 3{flavour}\nvote-status consensus\n");
    for time in ["valid-after", "fresh-until", "valid-until"] {
        text += &format!("{time} {hour}\n");
    }
    consensus.entries.iter().for_each(|entry| write_entry(&mut text, entry, consensus.flavour).expect("strings take all text"));
    let id = "11".repeat(20);
    text + &format!("directory-footer\ndirectory-signature {id} {id}\n-----BEGIN SIGNATURE-----\nAAAA\n-----END SIGNATURE-----\n")
}

fn write_entry(text: &mut String, entry: &Entry, flavour: Flavour) -> std::fmt::Result {
    let id = base64(entry.fingerprint.as_bytes());
    let digest = if flavour == Flavour::Ns { format!(" {id}") } else { String::new() };
    let (nickname, address) = (entry.nickname.as_deref().unwrap_or_default(), entry.or_address.ok_or(std::fmt::Error)?);
    let (ip, port, dir_port) = (address.ip(), address.port(), entry.dir_port.unwrap_or(0));
    writeln!(text, "r {nickname} {id}{digest} 2038-01-01 00:00:00 {ip} {port} {dir_port}")?;
    if let Some(ipv6) = entry.ipv6 {
        writeln!(text, "a {ipv6}")?;
    }
    let mut flags: Vec<&str> = entry.flags.iter().map(RelayFlag::name).collect();
    flags.extend(entry.other_flags.iter().map(String::as_str));
    writeln!(text, "s {}", flags.join(" "))?;
    match entry.version.as_deref() {
        Some(version) if version.starts_with("Tor ") => writeln!(text, "v Tor {version}")?,
        Some(version) => writeln!(text, "v {version}")?,
        None => {}
    }
    match (entry.weight, entry.is_measured) {
        (Some(weight), true) => writeln!(text, "w Bandwidth={weight}")?,
        (Some(weight), false) => writeln!(text, "w Bandwidth={weight} Unmeasured=1")?,
        (None, false) => writeln!(text, "w Unmeasured=1")?,
        (None, true) => {}
    }
    match &entry.ports {
        Some(PortSummary::Accept(ports)) => writeln!(text, "p accept {}", ports.join(","))?,
        Some(PortSummary::Reject(ports)) => writeln!(text, "p reject {}", ports.join(","))?,
        None => {}
    }
    Ok(())
}

/// 20 bytes in base64 without padding.
fn base64(bytes: &[u8; 20]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bit = |i: usize| usize::from(bytes.get(i / 8).copied().unwrap_or(0) >> (7 - i % 8) & 1);
    (0..27).map(|digit| char::from(DIGITS[(0..6).fold(0, |number, i| number * 2 + bit(digit * 6 + i))])).collect()
}

/// Holds that only what the authorities signed verifies, however a document is damaged.
pub(crate) fn signatures(bytes: &[u8]) {
    let Signed { documents, certificates, trusted, .. } = signed_network();
    let Some(consensus) = decoded(bytes) else { return };
    let verified = verify(&consensus, bytes, certificates, trusted);
    if let Ok(signers) = verified {
        let signed = &bytes[consensus.signed.clone()];
        assert!(documents.iter().any(|document| document.windows(signed.len()).any(|part| part == signed)), "a forgery verifies");
        assert!(signers.len() > trusted.len() / 2 && signers.is_sorted_by(|a, b| a < b));
    }
    assert!(missing(&consensus, certificates, trusted).len() <= consensus.signatures.len());
    assert!(verify(&consensus, bytes, &Certificates::default(), trusted).is_err(), "verified without a key");
}

/// Holds that only certificates of authorities are accepted, however they are damaged.
pub(crate) fn certificates(bytes: &[u8]) {
    let Signed { certificates: genuine, trusted, keys, .. } = signed_network();
    let mut certificates = Certificates::default();
    let rejects = certificates.add(bytes, "input", trusted);
    rejects_are_counted(&rejects[..rejects.len().min(1000)], rejects.len());
    let n_genuine = keys.iter().filter(|(identity, signing_key)| certificates.contains(*identity, *signing_key)).count();
    assert_eq!(certificates.len(), n_genuine, "a forged certificate is accepted");
    assert!(certificates.is_empty() || certificates.len() <= genuine.len());
    let n_before = certificates.len();
    assert_eq!(certificates.add(bytes, "input", trusted), rejects);
    assert_eq!(certificates.len(), n_before, "the same certificates again");
    let mut of_nobody = Certificates::default();
    assert!(of_nobody.add(bytes, "input", &[]).is_empty() && of_nobody.is_empty(), "nobody is trusted");
}
