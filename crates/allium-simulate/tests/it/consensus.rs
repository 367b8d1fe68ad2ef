//! Consensuses and certificates, read back and verified as dir-spec wants it.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use allium_model::{ConsensusHour, DocumentKind, Fingerprint, RelayFlag};
use allium_simulate::consensus::{Flavour, authorities, certificates, document, file_name, write_dir};
use allium_simulate::{Network, Options, Scenario, onionoo};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use rsa::pkcs1::DecodeRsaPublicKey as _;
use rsa::{Pkcs1v15Sign, RsaPublicKey};
use serde_json::Value;
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

fn hour(text: &str) -> ConsensusHour {
    format!("{text}:00:00Z").parse().unwrap()
}

fn network(events: &str) -> Network {
    let scenario: Scenario = events.parse().unwrap();
    Network::generate(&Options { n_relays: 150, history_days: 20, scenario, ..Options::new(3, hour("2026-01-02T18")) })
}

fn sha1(bytes: &[u8]) -> Vec<u8> {
    Sha1::digest(bytes).to_vec()
}

/// The object after the line that begins so.
fn object_after(text: &str, line: &str) -> Vec<u8> {
    let rest = &text[text.find(line).unwrap()..];
    let lines = rest.lines().skip(1).skip_while(|line| !line.starts_with("-----BEGIN")).skip(1);
    STANDARD.decode(lines.take_while(|line| !line.starts_with("-----END")).collect::<String>()).unwrap()
}

fn verifies(key: &[u8], digest: &[u8], signature: &[u8]) -> bool {
    let key = RsaPublicKey::from_pkcs1_der(key).unwrap();
    key.verify(Pkcs1v15Sign::new_unprefixed(), digest, signature).is_ok()
}

/// Checked signing keys by identity and digest, with their times of validity.
fn signing_keys(certificates: &str) -> BTreeMap<(Fingerprint, Fingerprint), (Vec<u8>, String, String)> {
    let mut keys = BTreeMap::new();
    for certificate in certificates.split_inclusive("-----END SIGNATURE-----\n") {
        assert!(certificate.starts_with("dir-key-certificate-version 3\nfingerprint "), "{certificate}");
        let field = |name: &str| certificate.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
        let identity: Fingerprint = field("fingerprint ").parse().unwrap();
        let (identity_key, signing_key) = (object_after(certificate, "dir-identity-key\n"), object_after(certificate, "dir-signing-key\n"));
        assert_eq!(sha1(&identity_key), identity.as_bytes());
        let end = certificate.find("dir-key-certification\n").unwrap() + "dir-key-certification\n".len();
        let certification = object_after(certificate, "dir-key-certification\n");
        assert!(verifies(&identity_key, &sha1(&certificate.as_bytes()[..end]), &certification));
        let cross = object_after(certificate, "dir-key-crosscert\n");
        assert!(verifies(&signing_key, &sha1(&identity_key), &cross));
        let digest = Fingerprint::new(sha1(&signing_key).try_into().unwrap());
        keys.insert((identity, digest), (signing_key, field("dir-key-published "), field("dir-key-expires ")));
    }
    keys
}

/// Authorities with good signatures, and the number of these signatures.
fn signers(text: &str, certificates: &str, flavour: Flavour) -> (BTreeSet<Fingerprint>, usize) {
    let keys = signing_keys(certificates);
    let end = text.find("\ndirectory-signature ").unwrap() + "\ndirectory-signature ".len();
    let signed = &text.as_bytes()[..end];
    let valid_after = text.lines().find_map(|line| line.strip_prefix("valid-after ")).unwrap();
    let (mut good, mut n) = (BTreeSet::new(), 0);
    for signature in text[end - "directory-signature ".len()..].split_inclusive("-----END SIGNATURE-----\n") {
        let words: Vec<&str> = signature.lines().next().unwrap().split(' ').collect();
        let (identity, key, digest) = match (flavour, &words[1..]) {
            (Flavour::Ns, [identity, key]) => (identity, key, sha1(signed)),
            (Flavour::Microdesc, ["sha256", identity, key]) => (identity, key, Sha256::digest(signed).to_vec()),
            _ => panic!("{words:?}"),
        };
        let (key, published, expires) = &keys[&(identity.parse().unwrap(), key.parse().unwrap())];
        assert!(published.as_str() <= valid_after && valid_after < expires.as_str());
        n += 1;
        if verifies(key, &digest, &object_after(signature, "directory-signature")) {
            good.insert(identity.parse().unwrap());
        }
    }
    (good, n)
}

/// The lines of each relay by keyword.
fn entries(text: &str) -> Vec<BTreeMap<&str, &str>> {
    let mut entries: Vec<BTreeMap<&str, &str>> = Vec::new();
    for line in text.lines().skip_while(|line| !line.starts_with("r ")).take_while(|line| *line != "directory-footer") {
        let (keyword, arguments) = line.split_once(' ').unwrap();
        if keyword == "r" {
            entries.push(BTreeMap::new());
        }
        assert!(entries.last_mut().unwrap().insert(keyword, arguments).is_none(), "{line}");
    }
    entries
}

fn fingerprint(entry: &BTreeMap<&str, &str>) -> Fingerprint {
    let identity = entry["r"].split(' ').nth(1).unwrap();
    Fingerprint::new(STANDARD_NO_PAD.decode(identity).unwrap().try_into().unwrap())
}

#[test]
fn signatures_of_all_authorities_verify_in_both_flavours_and_years() {
    let network = network("");
    let trusted: BTreeSet<Fingerprint> = authorities(&network).iter().map(|authority| authority.identity).collect();
    assert_eq!(trusted.len(), 9);
    for time in ["2025-12-31T23", "2026-01-01T00", "2026-01-02T18"] {
        for flavour in Flavour::ALL {
            let text = document(&network, hour(time), flavour).unwrap();
            let certificates = certificates(&network, hour(time));
            assert_eq!(signers(&text, &certificates, flavour), (trusted.clone(), 9), "{time} {flavour:?}");
            let forged = text.replacen("w Bandwidth=", "w Bandwidth=9", 1);
            assert!(signers(&forged, &certificates, flavour).0.is_empty());
        }
    }
    assert_ne!(certificates(&network, hour("2025-12-31T23")), certificates(&network, hour("2026-01-01T00")));
}

#[test]
fn entries_are_what_the_network_knows_in_the_order_of_identities() {
    let network = network("");
    for at in [network.first_consensus(), hour("2025-12-24T07"), network.now()] {
        for flavour in Flavour::ALL {
            let text = document(&network, at, flavour).unwrap();
            let entries = entries(&text);
            let exact: BTreeMap<_, _> =
                network.relays().filter_map(|relay| relay.flags_at(at).map(|flags| (relay.fingerprint, flags))).collect();
            assert_eq!(entries.iter().map(fingerprint).collect::<Vec<_>>(), exact.keys().copied().collect::<Vec<_>>());
            for (entry, flags) in entries.iter().zip(exact.values()) {
                assert_eq!(entry["s"].split(' ').collect::<Vec<_>>(), flags.iter().map(RelayFlag::name).collect::<Vec<_>>());
                let words: Vec<&str> = entry["r"].split(' ').collect();
                let nickname = words[0];
                assert!((1..=19).contains(&nickname.len()) && nickname.bytes().all(|b| b.is_ascii_alphanumeric()), "{nickname}");
                assert_eq!(
                    (words.len(), entry.contains_key("p"), entry.contains_key("m")),
                    match flavour {
                        Flavour::Ns => (8, true, false),
                        Flavour::Microdesc => (7, false, true),
                    }
                );
                assert!(words[words.len() - 3].starts_with("10."));
                assert!(entry["w"].starts_with("Bandwidth=") && entry["v"].starts_with("Tor 0.4."));
            }
        }
    }
}

#[test]
fn the_newest_consensus_and_the_details_say_the_same() {
    let network = network("");
    let mut bytes = Vec::new();
    onionoo::document(&network, DocumentKind::Details, &mut bytes).unwrap();
    let json: Value = serde_json::from_slice(&bytes).unwrap();
    let running: BTreeMap<&str, &Value> = json["relays"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|relay| relay["running"] == true)
        .map(|relay| (relay["fingerprint"].as_str().unwrap(), relay))
        .collect();
    let text = document(&network, network.now(), Flavour::Ns).unwrap();
    let entries = entries(&text);
    assert_eq!(entries.len(), running.len());
    let weights: BTreeMap<&str, f64> = text
        .lines()
        .find_map(|line| line.strip_prefix("bandwidth-weights "))
        .unwrap()
        .split(' ')
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(key, value)| (key, value.parse().unwrap()))
        .collect();
    assert_eq!(weights.len(), 19);
    let mut guard_total = 0.0;
    let mut guards = Vec::new();
    for entry in &entries {
        let relay = running[fingerprint(entry).to_string().as_str()];
        let weight: i64 = entry["w"].trim_start_matches("Bandwidth=").split(' ').next().unwrap().parse().unwrap();
        assert_eq!(relay["consensus_weight"], weight);
        assert_eq!(relay["measured"] == true, !entry["w"].contains("Unmeasured=1"));
        assert_eq!(format!("Tor {}", relay["version"].as_str().unwrap()), entry["v"]);
        let words: Vec<&str> = entry["r"].split(' ').collect();
        assert_eq!(relay["or_addresses"][0], format!("{}:{}", words[5], words[6]));
        assert_eq!(relay["or_addresses"].get(1).and_then(Value::as_str), entry.get("a").copied());
        let (verdict, ports) = relay["exit_policy_summary"].as_object().unwrap().iter().next().unwrap();
        let ports: Vec<&str> = ports.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!(entry["p"], format!("{verdict} {}", ports.join(",")));
        let flags: Vec<&str> = entry["s"].split(' ').collect();
        let exit = flags.contains(&"Exit") && !flags.contains(&"BadExit");
        if flags.contains(&"Guard") {
            let share = weight as f64 * if exit { weights["Wgd"] } else { weights["Wgg"] };
            guard_total += share;
            guards.push((share, relay["guard_probability"].as_f64().unwrap()));
        }
    }
    assert!(guards.len() > 20);
    for (share, published) in guards {
        assert!((share / guard_total - published).abs() < 1e-4, "{published}");
    }
}

#[test]
fn failing_authorities_leave_their_marks() {
    let events = "authorities 2 silent at 2026-01-02T10:00:00Z for 2h\nauthorities 3 unsigned at 2026-01-02T12:00:00Z for 1h\n\
                  authorities 6 garbled at 2026-01-02T13:00:00Z for 1h\nauthorities 5 unsigned at 2026-01-02T14:00:00Z for 1h";
    let network = network(events);
    for (time, n_votes, n_signatures, n_good) in
        [("2026-01-02T09", 9, 9, 9), ("2026-01-02T10", 7, 7, 7), ("2026-01-02T12", 9, 6, 6), ("2026-01-02T13", 9, 9, 3)]
    {
        for flavour in Flavour::ALL {
            let text = document(&network, hour(time), flavour).unwrap();
            let (good, n) = signers(&text, &certificates(&network, hour(time)), flavour);
            let n_sources = text.lines().filter(|line| line.starts_with("dir-source ")).count();
            assert_eq!((n_sources, n, good.len()), (n_votes, n_signatures, n_good), "{time}");
        }
    }
    assert!(document(&network, hour("2026-01-02T14"), Flavour::Ns).is_none(), "too few signatures for a consensus");
}

#[test]
fn equal_networks_give_equal_bytes_whenever_they_are_asked() {
    let (early, mut late) = (network(""), network(""));
    let at = early.now();
    let text = document(&early, at, Flavour::Microdesc).unwrap();
    (0..100).for_each(|_| late.advance());
    assert_eq!(text, document(&late, at, Flavour::Microdesc).unwrap());
    assert!(document(&early, at.next(), Flavour::Microdesc).is_none());
    assert!(document(&early, early.first_consensus().plus(-1), Flavour::Ns).is_none());
}

#[test]
fn directories_hold_what_collector_would() {
    let dir = tempfile::tempdir().unwrap();
    let network = network("missing at 2026-01-01T00:00:00Z for 2h");
    assert_eq!(write_dir(&network, dir.path(), 48).unwrap(), 2 * 46);
    let at = hour("2025-12-31T20");
    let path = dir.path().join("microdescs/consensus-microdesc/2025-12-31-20-00-00-consensus-microdesc");
    assert_eq!(file_name(at, Flavour::Microdesc), "2025-12-31-20-00-00-consensus-microdesc");
    let text = std::fs::read_to_string(path).unwrap();
    let text = text.strip_prefix("@type network-status-microdesc-consensus-3 1.0\n").unwrap();
    assert_eq!(text, document(&network, at, Flavour::Microdesc).unwrap());
    assert!(dir.path().join("consensuses/2026-01-02-18-00-00-consensus").exists());
    assert!(!dir.path().join("consensuses/2026-01-01-01-00-00-consensus").exists());
    let certs = std::fs::read_to_string(dir.path().join("certs/certificates")).unwrap();
    let certs = certs.replace("@type dir-key-certificate-3 1.0\n", "");
    assert_eq!(signing_keys(&certs).len(), 18);
    assert_eq!(signers(text, &certs, Flavour::Microdesc).0.len(), 9);
    assert_eq!(std::fs::read_to_string(dir.path().join("authorities.txt")).unwrap().lines().count(), 9);
}
