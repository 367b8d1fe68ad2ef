//! `docs/searches.md`: every question finds what the document says, in a network made here.

use allium_analysis::NetworkReport;
use allium_model::{Asn, NetworkRecord, Relay, RelayFlag};
use allium_service::{Patch, Site, View};
use allium_words::inert::url_encoded;

use super::support::{NOW, as_of, empty_site, get, record};

const DOCUMENT: &str = include_str!("../../../../docs/searches.md");

/// What a relay of the network states.
struct Stated {
    nickname: &'static str,
    fingerprint: &'static str,
    addresses: &'static [&'static str],
    country: (&'static str, &'static str),
    system: (u32, &'static str),
    contact: &'static str,
    version: &'static str,
    os: &'static str,
}

const RELAYS: [Stated; 6] = [
    Stated {
        nickname: "Quill",
        fingerprint: "A1B2C3D4E5F60718293A4B5C6D7E8F9001122334",
        addresses: &["203.0.113.4:9001", "[2001:db8::20]:9001"],
        country: ("de", "Germany"),
        system: (24_940, "Hetzner Online GmbH"),
        contact: "Jane Roe <jane AT roe dot example>",
        version: "0.4.8.21",
        os: "Linux",
    },
    Stated {
        nickname: "QuillTwo",
        fingerprint: "B2B2B2B2B2B2B2B2B2B2B2B2B2B2B2B2B2B2B2B2",
        addresses: &["203.0.113.45:9001"],
        country: ("de", "Germany"),
        system: (24_940, "Hetzner Online GmbH"),
        contact: "Jane Roe <jane AT roe dot example>",
        version: "0.4.8.12",
        os: "Linux",
    },
    Stated {
        nickname: "Lantern",
        fingerprint: "C3C3C3C3C3C3C3C3C3C3C3C3C3C3C3C3C3C3C3C3",
        addresses: &["198.51.100.4:443"],
        country: ("us", "United States of America"),
        system: (64_500, "Example Transit"),
        contact: "Roe, Jane; noc[]transit.example",
        version: "0.4.9.1-alpha",
        os: "FreeBSD",
    },
    Stated {
        nickname: "Germania",
        fingerprint: "D4D4D4D4D4D4D4D4D4D4D4D4D4D4D4D4D4D4D4D4",
        addresses: &["198.51.100.5:443"],
        country: ("kr", "South Korea"),
        system: (64_501, "Seoul Net"),
        contact: "ops@seoul.example",
        version: "0.4.7.16",
        os: "Linux",
    },
    Stated {
        nickname: "Seele",
        fingerprint: "E5E5E5E5E5E5E5E5E5E5E5E5E5E5E5E5E5E5E5E5",
        addresses: &["198.51.100.6:443"],
        country: ("nl", "Netherlands"),
        system: (64_502, "Old Net"),
        contact: "",
        version: "0.4.7.10",
        os: "Linux",
    },
    Stated {
        nickname: "ted",
        fingerprint: "F6F6F6F6F6F6F6F6F6F6F6F6F6F6F6F6F6F6F6F6",
        addresses: &["198.51.100.7:443"],
        country: ("gb", "United Kingdom"),
        system: (64_503, "Island Hosting"),
        contact: "",
        version: "0.4.8.21",
        os: "Linux",
    },
];

fn relay(stated: &Stated, weight: u64) -> Relay {
    Relay {
        nickname: Some(stated.nickname.to_owned()),
        or_addresses: stated.addresses.iter().map(|address| address.parse().unwrap()).collect(),
        first_seen: Some(as_of().plus(-24 * 500)).into(),
        last_seen: Some(as_of()),
        running: true,
        flags: [RelayFlag::Fast, RelayFlag::Running, RelayFlag::Valid].into_iter().collect(),
        country: stated.country.0.parse().ok(),
        country_name: Some(stated.country.1.to_owned()),
        asn: Some(Asn(stated.system.0)),
        as_name: Some(stated.system.1.to_owned()),
        consensus_weight: Some(weight),
        contact: Some(stated.contact.to_owned()).filter(|contact| !contact.is_empty()),
        platform: Some(format!("Tor {} on {}", stated.version, stated.os)),
        version: Some(stated.version.to_owned()),
        recommended_version: Some(true),
        ..Relay::unknown(stated.fingerprint.parse().unwrap())
    }
}

/// The network of the document.
pub(crate) fn network() -> NetworkRecord {
    let mut network = record(u16::try_from(RELAYS.len()).unwrap());
    for (i, (recorded, stated)) in network.relays.iter_mut().zip(&RELAYS).enumerate() {
        recorded.relay = relay(stated, 6_000 - 1_000 * i as u64);
        recorded.spans.clear();
        recorded.published.clear();
    }
    let family = vec![network.relays[0].relay.fingerprint, network.relays[1].relay.fingerprint];
    let [quill, two, lantern, germania, seele, _] = &mut network.relays[..] else { panic!("six relays") };
    quill.relay.effective_family.clone_from(&family);
    quill.relay.verified_host_names = vec!["tor1.roe.example".to_owned()];
    two.relay.effective_family = family;
    two.relay.exit_addresses = vec!["198.51.100.41".parse().unwrap()];
    two.relay.flags.insert(RelayFlag::Exit);
    lantern.relay.first_seen = Some(as_of().plus(-50)).into();
    germania.relay.running = false;
    germania.relay.flags.remove(RelayFlag::Running);
    germania.relay.other_flags = vec!["Shiny".to_owned()];
    seele.relay.running = false;
    seele.relay.last_seen = Some(as_of().plus(-30 * 24));
    network
}

/// A site that shows it, without incidents.
pub(crate) fn site() -> Site {
    let (site, network) = (empty_site(NOW), network());
    let report = NetworkReport::compute(&network);
    site.publish([Patch::Network(Box::new(View::new(network, report)))]);
    site
}

/// The first finding in the words of the document.
fn found_first(site: &Site, question: &str) -> String {
    let answer = get(site, &format!("/api/v1/search?q={}", url_encoded(question)));
    let json = answer.json();
    if answer.status.as_u16() == 400 {
        return format!("not understood: {}", json["error"].as_str().unwrap());
    }
    let Some(of) = json["found"].as_array().unwrap().first() else { return "nothing".to_owned() };
    let (one, many) = match of["kind"].as_str().unwrap() {
        "autonomous_systems" => ("autonomous system", "autonomous systems"),
        "operators" => ("operator", "operators"),
        "countries" => ("country", "countries"),
        "families" => ("family", "families"),
        "relays" => ("relay", "relays"),
        "flags" => ("flag", "flags"),
        "versions" => ("version", "versions"),
        other => (other, other),
    };
    let name = of["first"][0]["name"].as_str().unwrap();
    match (json["exact"].is_object(), of["n"].as_u64().unwrap()) {
        (true, _) => format!("goes to {one} {name}"),
        (false, 1) => format!("1 {one}: {name}"),
        (false, n) => format!("{n} {many}: {name}"),
    }
}

#[test]
fn every_question_of_the_document_finds_what_it_says() {
    let site = site();
    let rows: Vec<(&str, &str)> =
        DOCUMENT.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |")?.split_once("` | ")).collect();
    assert!(rows.len() >= 50, "{}", rows.len());
    let wrong: Vec<String> = rows
        .into_iter()
        .filter_map(|(question, expected)| {
            let found = found_first(&site, question);
            (!found.starts_with(expected) || (found != expected && !expected.starts_with("not understood")))
                .then(|| format!("| `{question}` | {found} |"))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
