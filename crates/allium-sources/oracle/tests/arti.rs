//! Our reading of consensuses and certificates beside that of Arti's `tor-netdoc`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests may stop at the first surprise and say what they skip")]

use std::path::{Path, PathBuf};
use std::process::Command;

use allium_model::{Fingerprint, RelayFlag};
use allium_sources::consensus::verify::{Certificates, TrustedAuthority, verify};
use allium_sources::consensus::{Consensus, Entry, Flavour, LIMITS, decode};
use allium_sources::read::read_file;
use allium_testkit::signing::AUTHORITIES;
use tor_checkable::{ExternallySigned as _, SelfSigned as _, TimeBound as _};
use tor_netdoc::doc::authcert::AuthCert;
use tor_netdoc::doc::netstatus::{MdConsensus, PlainConsensus, RelayWeight};
use tor_netdoc::types::relay_flags::RelayFlag as TorFlag;

/// A relay as both readers see it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    fingerprint: Fingerprint,
    nickname: String,
    addresses: Vec<String>,
    /// Those that both know.
    flags: Vec<String>,
    version: Option<String>,
    weight: u64,
    is_measured: bool,
}

/// A consensus as both readers see it.
#[derive(Debug, PartialEq, Eq)]
struct Read {
    relays: Vec<Seen>,
    params: Vec<(String, i64)>,
    bandwidth_weights: Vec<(String, i64)>,
}

fn ours(consensus: &Consensus) -> Read {
    let seen = |entry: &Entry| {
        let addresses =
            entry.or_address.map(|address| address.to_string()).into_iter().chain(entry.ipv6.map(|address| address.to_string()));
        let flags = entry.flags.iter().map(RelayFlag::name).filter(|name| name.parse::<TorFlag>().is_ok());
        Seen {
            fingerprint: entry.fingerprint,
            nickname: entry.nickname.clone().unwrap(),
            addresses: addresses.collect(),
            flags: sorted(flags.map(str::to_owned)),
            version: entry.version.as_ref().map(ToString::to_string),
            weight: entry.weight.unwrap_or(0),
            is_measured: entry.is_measured,
        }
    };
    Read {
        relays: sorted(consensus.entries.iter().map(seen)),
        params: consensus.params.clone().into_iter().collect(),
        bandwidth_weights: consensus.bandwidth_weights.clone().into_iter().collect(),
    }
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort();
    items
}

/// Arti's reading, for either of its types.
macro_rules! theirs {
    ($consensus:expr) => {{
        let consensus = $consensus;
        let relays = consensus.relays().iter().map(|relay| {
            let (weight, is_measured) = match relay.weight() {
                RelayWeight::Measured(weight) => (*weight, true),
                RelayWeight::Unmeasured(weight) => (*weight, false),
                other => panic!("{other:?}"),
            };
            let flags = relay.flags().iter().map(|flag| flag.to_string()).filter(|name| RelayFlag::from_name(name).is_some());
            Seen {
                fingerprint: Fingerprint::new(relay.rsa_identity().as_bytes().try_into().unwrap()),
                nickname: relay.nickname().to_owned(),
                addresses: relay.addrs().map(|address| address.to_string()).collect(),
                flags: sorted(flags),
                version: relay.version().map(|version| version.to_string().trim_start_matches("Tor ").to_owned()),
                weight: u64::from(weight),
                is_measured,
            }
        });
        let pairs = |params: &tor_netdoc::doc::netstatus::NetParams<i32>| {
            sorted(params.iter().map(|(name, value)| (name.clone(), i64::from(*value))))
        };
        Read { relays: sorted(relays), params: pairs(consensus.params()), bandwidth_weights: pairs(consensus.bandwidth_weights()) }
    }};
}

#[test]
fn both_read_real_consensuses_alike() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/data/consensus");
    let Ok(files) = std::fs::read_dir(dir) else {
        println!("skipped: no real data");
        return;
    };
    let mut n_compared = 0;
    for path in files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "xz")) {
        let bytes = read_file(&path, &LIMITS).unwrap();
        let text = std::str::from_utf8(&bytes).unwrap();
        let consensus = decode(&bytes, "real").unwrap();
        // Arti does not know CollecTor's annotation.
        let text = &text[consensus.signed.start..];
        let theirs = match consensus.flavour {
            Flavour::Ns => PlainConsensus::parse(text).map(|(_, _, read)| theirs!(read.dangerously_assume_timely().consensus)),
            Flavour::Microdesc => MdConsensus::parse(text).map(|(_, _, read)| theirs!(read.dangerously_assume_timely().consensus)),
        };
        match theirs {
            Ok(theirs) => assert_eq!(ours(&consensus), theirs, "{}", path.display()),
            // Arti requires protocol versions, which came in 2016.
            Err(error) => {
                assert!(path.to_string_lossy().contains("/2014-"), "{}: {error}", path.display());
                continue;
            }
        }
        n_compared += 1;
    }
    assert!(n_compared >= 10);
}

fn arti_certificates(text: &str) -> Vec<AuthCert> {
    let certificates = AuthCert::parse_multiple(text).unwrap();
    certificates.map(|certificate| certificate.unwrap().check_signature().unwrap().dangerously_assume_timely()).collect()
}

/// True if Arti, trusting `n_authorities`, accepts the signatures.
fn arti_accepts(document: &str, flavour: Flavour, certificates: &[AuthCert], n_authorities: usize) -> bool {
    match flavour {
        Flavour::Ns => {
            let (_, _, read) = PlainConsensus::parse(document).unwrap();
            read.dangerously_assume_timely().set_n_authorities(n_authorities).check_signature(certificates).is_ok()
        }
        Flavour::Microdesc => {
            let (_, _, read) = MdConsensus::parse(document).unwrap();
            read.dangerously_assume_timely().set_n_authorities(n_authorities).check_signature(certificates).is_ok()
        }
    }
}

/// True if our verifier accepts them.
fn we_accept(document: &str, certificates: &str, trusted: &[TrustedAuthority]) -> bool {
    let mut known = Certificates::default();
    assert_eq!(known.add(certificates.as_bytes(), "certificates", trusted), []);
    let consensus = decode(at_the_next_hour(document).as_bytes(), "document").unwrap();
    verify(&consensus, document.as_bytes(), &known, trusted).is_ok()
}

/// The same document, as long as before, with a whole hour in valid-after: test networks vote every few seconds, which the
/// public one never does.
fn at_the_next_hour(document: &str) -> String {
    let offset = document.find("\nvalid-after ").unwrap() + "\nvalid-after 2000-01-01 ".len();
    let (hour, rest) = document[offset..].split_at(2);
    match rest.starts_with(":00:00\n") {
        true => document.to_owned(),
        false => format!("{}{:02}:00:00{}", &document[..offset], hour.parse::<u32>().unwrap() + 1, &rest[6..]),
    }
}

#[test]
fn both_accept_and_refuse_the_same_signatures() {
    let certificates = signing::certificates(2025..2027);
    for (name, flavour) in [("ns", Flavour::Ns), ("microdesc", Flavour::Microdesc)] {
        let unsigned = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../testdata/consensus").join(name)).unwrap();
        let start = unsigned.windows(22).position(|bytes| bytes == b"network-status-version").unwrap();
        for n in 1..=AUTHORITIES.len() {
            let good = String::from_utf8(signing::signed(&unsigned[start..], flavour, &AUTHORITIES[..n])).unwrap();
            let tampered = good.replace("Bandwidth=610", "Bandwidth=611");
            for document in [good, tampered] {
                let expected = arti_accepts(&document, flavour, &arti_certificates(&certificates), AUTHORITIES.len());
                assert_eq!(we_accept(&document, &certificates, &signing::trusted()), expected, "{name}, {n} signatures");
                assert_eq!(expected, n >= 2 && !document.contains("Bandwidth=611"));
            }
        }
    }
}

/// The directory of Arti's own test documents.
fn arti_documents() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments =
        ["metadata", "--format-version", "1", "--offline", "--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")];
    let output = Command::new(cargo).args(arguments).output().unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "tor-netdoc").unwrap();
    Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned()
}

#[test]
fn signatures_made_by_tor_are_accepted() {
    let dir = arti_documents();
    let cases = [
        ("testdata/mdconsensus1.txt", "testdata/authcerts2.txt", Flavour::Microdesc),
        ("testdata2/cached-consensus", "testdata2/cached-certs", Flavour::Ns),
        ("testdata2/cached-microdesc-consensus", "testdata2/cached-certs", Flavour::Microdesc),
    ];
    for (document, certificates, flavour) in cases {
        let read = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
        let (document, certificates) = (read(document), read(certificates));
        let arti = arti_certificates(&certificates);
        let authority = |certificate: &AuthCert| TrustedAuthority {
            name: "authority".to_owned(),
            identity: Fingerprint::new(certificate.id_fingerprint().as_bytes().try_into().unwrap()),
            directory: None,
        };
        let trusted: Vec<TrustedAuthority> = arti.iter().map(authority).collect();
        assert!(arti_accepts(&document, flavour, &arti, trusted.len()));
        assert!(we_accept(&document, &certificates, &trusted));
        let consensus = decode(at_the_next_hour(&document).as_bytes(), "tor").unwrap();
        assert_eq!(consensus.n_rejects, 0, "{:?}", consensus.rejects);
        let tampered = document.replacen("Bandwidth=", "Bandwidth=1", 1);
        assert_ne!(document, tampered);
        assert!(!we_accept(&tampered, &certificates, &trusted));
    }
}
