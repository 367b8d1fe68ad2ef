//! Whole documents of each kind.

use std::net::{Ipv4Addr, SocketAddrV4};

use allium_model::{PortSummary, RelayFlag};
use allium_sources::consensus::{Flavour, SignatureAlgorithm, peek};

use super::{good, lines, read};

#[test]
fn a_microdesc_consensus_is_read_in_full() {
    insta::assert_debug_snapshot!(good("microdesc"));
}

#[test]
fn both_flavours_say_the_same_of_relays() {
    let (ns, microdesc) = (good("ns"), good("microdesc"));
    assert_eq!((ns.flavour, microdesc.flavour), (Flavour::Ns, Flavour::Microdesc));
    assert_eq!((ns.n_rejects, microdesc.n_rejects), (0, 0), "{:?}{:?}", lines(&ns), lines(&microdesc));
    assert_eq!(ns.states().collect::<Vec<_>>(), microdesc.states().collect::<Vec<_>>());
    for (a, b) in ns.entries.iter().zip(&microdesc.entries) {
        let without_ports = allium_sources::consensus::Entry { ports: None, ..a.clone() };
        assert_eq!(&without_ports, b);
    }
    let ports = |n: usize| ns.entries[n].ports.clone().unwrap();
    assert_eq!(ports(1), PortSummary::Accept(vec!["80".into(), "443".into(), "6660-6669".into()]));
    assert_eq!(ns.signatures[0].algorithm, SignatureAlgorithm::Sha1);
    assert_eq!(microdesc.signatures[0].algorithm, SignatureAlgorithm::Sha256);
}

#[test]
fn a_consensus_of_2014_has_no_protocol_versions() {
    let old = good("2014");
    assert_eq!((old.hour.to_string().as_str(), old.n_rejects), ("2014-12-08T18:00:00Z", 0));
    assert_eq!(old.entries.len(), 4);
    assert_eq!(old.entries[1].or_address, Some(SocketAddrV4::new(Ipv4Addr::new(198, 51, 100, 2), 443)));
    assert_eq!(old.entries[1].dir_port, Some(9030));
}

#[test]
fn relays_that_are_not_running_have_no_state() {
    let consensus = good("microdesc");
    assert_eq!(consensus.entries.len(), 4);
    assert_eq!(consensus.states().count(), 3);
    assert!(consensus.states().all(|(_, state)| state.flags.contains(RelayFlag::Running)));
    assert_eq!(consensus.states().next().unwrap().1.version.as_deref(), Some("0.4.8.21"));
}

#[test]
fn unknown_flags_and_missing_measurements_are_kept() {
    let carol = &good("microdesc").entries[2];
    assert_eq!((carol.other_flags.as_slice(), carol.is_measured, carol.weight), (["Sturdy".to_owned()].as_slice(), false, Some(1)));
}

#[test]
fn the_signed_part_ends_after_the_space_of_the_first_signature() {
    let bytes = read("ns");
    let signed = std::str::from_utf8(&bytes[good("ns").signed]).unwrap();
    assert!(signed.starts_with("network-status-version 3\n"));
    assert!(signed.ends_with("Wmm=10000\ndirectory-signature "));
    assert_eq!(signed.matches("directory-signature").count(), 1);
}

#[test]
fn a_glance_tells_flavour_and_hour() {
    for name in ["ns", "microdesc", "2014"] {
        let consensus = good(name);
        assert_eq!(peek(&read(name), name).unwrap(), (consensus.flavour, consensus.hour));
    }
}
