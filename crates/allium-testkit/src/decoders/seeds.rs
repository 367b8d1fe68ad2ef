//! Inputs to begin with: documents of a small simulated network, and those of `testdata/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use allium_model::{ConsensusHour, DocumentKind, Fingerprint};
use allium_simulate::consensus::{Flavour, authorities, certificates, document, file_name};
use allium_simulate::onionoo;
use allium_simulate::presence::write_presence;
use allium_simulate::{Network, Options};
use allium_sources::consensus::decode;
use allium_sources::consensus::verify::{Certificates, TrustedAuthority, missing};
use allium_sources::onionoo::Document;
use allium_sources::read::{Limits, read_file};

use super::archive::encodings;
use super::common::Scratch;
use super::measures;
use super::store::raw;
use crate::tar::tar;

/// An input to begin with.
pub struct Seed {
    /// The target that takes it.
    pub target: &'static str,
    /// Name of the seed, unique among those of its target; a file name.
    pub name: String,
    /// The input.
    pub bytes: Vec<u8>,
}

const END_HOUR: i32 = 492_000;
/// Larger files of `testdata/` are left out.
const MAX_BYTES: u64 = 128 << 10;

/// All inputs, `testdata` being the directory of that name.
///
/// # Panics
/// The directory is not there, or nothing can be written beside it.
pub fn seeds(testdata: &Path) -> Vec<Seed> {
    let mut seeds = Vec::new();
    let mut add = |target, name: &str, bytes: Vec<u8>| seeds.push(Seed { target, name: name.to_owned(), bytes });
    for (kind, target) in ONIONOO {
        add(target, "simulated", onionoo_document(kind));
    }
    for (target, dir, beginning) in FILES {
        files(&testdata.join(dir), beginning).into_iter().for_each(|(name, bytes)| add(target, &name, bytes));
    }
    for (i, document) in signed_network().documents.iter().enumerate() {
        add("consensus", &format!("simulated-{i}"), document.clone());
        add("consensus_signatures", &format!("simulated-{i}"), document.clone());
        add("collector_archive", &format!("simulated-{i}"), document.clone());
    }
    add("consensus_certificates", "simulated", signed_network().keys_document.clone());
    let relays: String = (0..300).map(|i| format!("{:040x}\n", i * 0x1234_5678_9abc_u64)).collect();
    add("proof_file", "relays", relays.into_bytes());
    add("proof_file", "page", b"\xef\xbb\xbf<!doctype html>\r\n<script>alert(1)</script>\x1b[2J\n".to_vec());
    add("proof_file", "comments", format!("# ours\r\n\n  {:040x} # one\n{:040X}\n$\n", 1, 0xABCD).into_bytes());
    add("collector_index", "simulated", index().into_bytes());
    let archive = archive();
    encodings(&archive).into_iter().enumerate().for_each(|(i, stream)| add("collector_archive", &format!("tar-{i}"), stream));
    add("collector_archive", "tar", archive);
    encodings(b"words").into_iter().enumerate().for_each(|(i, stream)| add("compression", &format!("words-{i}"), stream));
    encodings(&[b'0'; 3 << 20]).into_iter().enumerate().for_each(|(i, stream)| add("compression", &format!("zeros-{i}"), stream));
    let scratch = Scratch::new();
    for (target, path) in PRESENCE.into_iter().zip(write_pack(scratch.path("pack").as_path())) {
        add(target, "simulated", read_file(&path, &Limits::default()).expect("the pack just written"));
    }
    add("published_graphs", "simulated", graphs());
    add("day_figures", "two-relays", measures::raw());
    WORDS.iter().enumerate().for_each(|(i, text)| add("words", &i.to_string(), text.as_bytes().to_vec()));
    CONTACTS.iter().enumerate().for_each(|(i, text)| add("contacts", &i.to_string(), text.as_bytes().to_vec()));
    QUESTIONS.iter().enumerate().for_each(|(i, text)| add("search", &i.to_string(), text.as_bytes().to_vec()));
    seeds
}

const CONTACTS: [&str; 6] = [
    "email:a[]b.example url:https://www.example.org proof:uri-rsa ciissversion:2",
    "url:https://127.0.0.0x1/ proof:uri-rsa ciissversion:2",
    "https://user:pw@０x7f。１:8443/x?y#z",
    "xn--bcher-kva.example.",
    "bücher.example",
    "url:1.2.3.4x proof:dns-rsa ciissversion:3, url:0x7f.0.0.0x1",
];

const QUESTIONS: [&str; 6] = [
    "flag:exit running:true country:de,fr version:0.4.8.10-0.4.8.12",
    "\"we run this\" first_seen_days:0-3 last_seen_days:7- contact:\"a \\\" b\"",
    "$0011223344556677889900112233445566778899~alice family:0011223344556677889900112233445566778899",
    "10.0.0.0/8 [2001:db8::1]:9001 as:64512 hostname:example.org",
    "url:example.org",
    "“words” „words“ «words» a:b:c ''",
];

const ONIONOO: [(DocumentKind, &str); 5] = [
    (DocumentKind::Summary, "onionoo_summary"),
    (DocumentKind::Details, "onionoo_details"),
    (DocumentKind::Uptime, "onionoo_uptime"),
    (DocumentKind::Bandwidth, "onionoo_bandwidth"),
    (DocumentKind::Weights, "onionoo_weights"),
];

/// The target that takes the files of a directory of `testdata/` whose names begin so.
const FILES: [(&str, &str, &str); 12] = [
    ("onionoo_summary", "onionoo", "summary"),
    ("onionoo_details", "onionoo", "details"),
    ("onionoo_uptime", "onionoo", "uptime"),
    ("onionoo_bandwidth", "onionoo", "bandwidth"),
    ("onionoo_weights", "onionoo", "weights"),
    ("onionoo_details", "onionoo/bad", "details"),
    ("onionoo_uptime", "onionoo/bad", "uptime"),
    ("consensus", "consensus", ""),
    ("consensus", "consensus/bad", ""),
    ("presence_snapshots", "presence", "snapshots"),
    ("presence_snapshots", "presence/bad", "snapshots"),
    ("presence_relays", "presence/bad", "relays"),
];

const PRESENCE: [&str; 3] = ["presence_snapshots", "presence_spans", "presence_relays"];

const WORDS: [&str; 8] = [
    "000004ACBB9D29BCBA17256BB35928DDBFC8ABA9\n$0011223344556677889900112233445566778899\nAS24940\nde\n1_month\nGuard\nuptime",
    "2026-02-15T18:00:00Z\n2026-02-15 18:00:00\n-009999-01-02T01:00:00Z\n9999-12-30 22:00:00\n0000-01-01 00:00:00",
    "moria1 F533C81CEF0BC0267857C99B2F471ADF249FA232 128.31.0.39:9231\nmade 0011223344556677889900112233445566778899",
    "outage as rank 1 at 2026-01-01T00:00:00Z for 12h share 40% onset 2h recovery 3h back 80%\nflap country de at 2026-01-01T00:00:00Z for 2d every 4h",
    "lose Guard operator example-op-1.example at 2026-01-01T00:00:00Z for 1w\nflood 50 as AS64512 at 2026-01-01T00:00:00Z for 1d onset 3h",
    "missing at 2026-01-01T00:00:00Z for 2h\nstale at 2026-01-01T00:00:00Z for 2h\nlate at 2026-01-01T00:00:00Z for 2h by 1h",
    "authorities 5 garbled at 2026-01-01T00:00:00Z for 1h\n# nothing\noutage version 0.4.8.11 at 2026-01-01T00:00:00Z for 12h\noutage random 5 at 2026-01-01T00:00:00Z for 1h",
    "type=relay&running=true&search=a%20b&lookup=0011223344556677889900112233445566778899&as=AS1,2&fields=nickname&limit=3&offset=1",
];

/// A network of a dozen relays that has lived for two days.
fn network() -> &'static Network {
    static NETWORK: OnceLock<Network> = OnceLock::new();
    NETWORK.get_or_init(|| Network::generate(&Options { n_relays: 12, history_days: 2, ..Options::new(1, ConsensusHour::new(END_HOUR)) }))
}

/// Documents that the network's authorities signed, with their keys.
pub(crate) struct Signed {
    /// Consensuses of both flavours.
    pub(crate) documents: Vec<Vec<u8>>,
    /// Their certificates, as they are served.
    pub(crate) keys_document: Vec<u8>,
    /// The same, decoded.
    pub(crate) certificates: Certificates,
    /// Identity and signing key of each authority.
    pub(crate) keys: Vec<(Fingerprint, Fingerprint)>,
    /// The authorities.
    pub(crate) trusted: Vec<TrustedAuthority>,
}

pub(crate) fn signed_network() -> &'static Signed {
    static SIGNED: OnceLock<Signed> = OnceLock::new();
    SIGNED.get_or_init(|| {
        let (network, hour) = (network(), ConsensusHour::new(END_HOUR));
        let documents = Flavour::ALL.map(|flavour| document(network, hour, flavour).expect("nothing goes wrong").into_bytes()).to_vec();
        let keys_document = certificates(network, hour).into_bytes();
        let trusted: Vec<_> = authorities(network)
            .into_iter()
            .map(|authority| TrustedAuthority { name: authority.nickname.to_owned(), identity: authority.identity, directory: None })
            .collect();
        let consensus = decode(&documents[0], "simulated").expect("a good document");
        let keys = missing(&consensus, &Certificates::default(), &trusted);
        let mut certificates = Certificates::default();
        assert!(certificates.add(&keys_document, "simulated", &trusted).is_empty() && certificates.len() == trusted.len());
        Signed { documents, keys_document, certificates, keys, trusted }
    })
}

/// Writes the network's pack and returns the paths of snapshots, spans and relays.
pub(crate) fn write_pack(dir: &Path) -> [PathBuf; 3] {
    write_presence(network(), dir).expect("a pack can be written");
    ["snapshots.csv.zst", "presence.parquet", "relays.csv.zst"].map(|name| dir.join(name))
}

fn onionoo_document(kind: DocumentKind) -> Vec<u8> {
    let mut bytes = Vec::new();
    onionoo::document(network(), kind, &mut bytes).expect("memory takes all bytes");
    bytes
}

/// The raw graphs of one relay.
fn graphs() -> Vec<u8> {
    let bytes = onionoo_document(DocumentKind::Uptime);
    let document = allium_sources::onionoo::decode(DocumentKind::Uptime, &bytes, "simulated", allium_model::Bounds::default())
        .expect("a good document");
    let Document::Histories(document) = document else { panic!("uptime is a document of histories") };
    let largest = document.relays.into_iter().max_by_key(|relay| relay.graphs.len());
    raw(largest.expect("a dozen relays").graphs)
}

fn files(dir: &Path, beginning: &str) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let paths = entries.map(|entry| entry.expect("a readable directory").path());
    let mut files: Vec<_> = paths
        .filter(|path| path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() <= MAX_BYTES))
        .map(|path| (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), path))
        .filter(|(name, _)| name.starts_with(beginning))
        .map(|(name, path)| (name, fs::read(path).expect("a readable file")))
        .collect();
    files.sort();
    files
}

/// An index of the two consensuses and one file of certificates.
fn index() -> String {
    let name = |flavour| format!(r#"{{"path":"{}","size":9,"sha256":"AAAA"}}"#, file_name(ConsensusHour::new(END_HOUR), flavour));
    let [ns, microdesc] = Flavour::ALL.map(name);
    format!(
        r#"{{"directories":[{{"path":"recent","directories":[{{"path":"relay-descriptors","directories":[
        {{"path":"consensuses","files":[{ns}]}},{{"path":"certs","files":[{{"path":"2026-02-15-00-00-00"}}]}},
        {{"path":"microdescs","directories":[{{"path":"consensus-microdesc","files":[{microdesc}]}}]}}]}}]}}]}}"#
    )
}

/// A tar of one consensus plain and one compressed.
fn archive() -> Vec<u8> {
    let [ns, microdesc] = &signed_network().documents[..] else { panic!("two flavours") };
    let [_, _, xz, _] = encodings(microdesc);
    tar(&[("consensuses/ns", b'0', ns), ("consensuses/microdesc.xz", b'0', &xz)])
}
