//! Any network written as a consensus is read as it was.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};

use allium_model::{Fingerprint, RelayFlag, RelayFlags};
use allium_sources::consensus::{Entry, Flavour, decode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use proptest::prelude::*;

fn entry() -> impl Strategy<Value = Entry> {
    let names = (any::<[u8; 20]>(), "[a-zA-Z0-9]{1,19}", proptest::option::of("[0-9]\\.[0-9]\\.[0-9]{1,2}\\.[0-9]{1,3}(-alpha|-rc|-dev)?"));
    let addresses = (any::<u32>(), any::<u16>(), any::<u16>(), proptest::option::of((any::<u128>(), any::<u16>())));
    let flags = (any::<u32>(), proptest::collection::vec("New[A-Z][a-z]{1,10}", 0..3));
    (names, addresses, flags, proptest::option::of(0..1_000_000_000_u64), any::<bool>()).prop_map(
        |((id, nickname, version), (ip, or_port, dir_port, ipv6), (bits, other_flags), weight, is_measured)| Entry {
            fingerprint: Fingerprint::new(id),
            nickname: Some(nickname),
            or_address: Some(SocketAddrV4::new(Ipv4Addr::from(ip), or_port)),
            dir_port: Some(dir_port).filter(|port| *port != 0),
            ipv6: ipv6.map(|(ip, port)| SocketAddrV6::new(Ipv6Addr::from(ip), port, 0, 0)),
            flags: RelayFlags::from_bits(bits),
            other_flags,
            version: version.map(Into::into),
            weight,
            is_measured: is_measured || weight.is_none(),
            ports: None,
        },
    )
}

fn write_entry(text: &mut String, entry: &Entry, flavour: Flavour) {
    let id = STANDARD_NO_PAD.encode(entry.fingerprint.as_bytes());
    let digest = if flavour == Flavour::Ns { format!("{id} ") } else { String::new() };
    let (nickname, address) = (entry.nickname.as_ref().unwrap(), entry.or_address.unwrap());
    let dir_port = entry.dir_port.unwrap_or(0);
    writeln!(text, "r {nickname} {id} {digest}2038-01-01 00:00:00 {} {} {dir_port}", address.ip(), address.port()).unwrap();
    if let Some(ipv6) = entry.ipv6 {
        writeln!(text, "a {ipv6}").unwrap();
    }
    let mut flags: Vec<&str> = entry.flags.iter().map(RelayFlag::name).collect();
    flags.extend(entry.other_flags.iter().map(String::as_str));
    writeln!(text, "s {}", flags.join(" ")).unwrap();
    if let Some(version) = &entry.version {
        writeln!(text, "v Tor {version}").unwrap();
    }
    if let Some(weight) = entry.weight {
        writeln!(text, "w Bandwidth={weight}{}", if entry.is_measured { "" } else { " Unmeasured=1" }).unwrap();
    }
}

fn document(entries: &[Entry], flavour: Flavour) -> String {
    let of_flavour = if flavour == Flavour::Ns { "" } else { " microdesc" };
    let mut text = format!(
        "network-status-version 3{of_flavour}\nvote-status consensus\nvalid-after 2026-02-15 18:00:00\n\
         fresh-until 2026-02-15 19:00:00\nvalid-until 2026-02-15 21:00:00\n"
    );
    entries.iter().for_each(|entry| write_entry(&mut text, entry, flavour));
    let id = "11".repeat(20);
    write!(text, "directory-footer\ndirectory-signature {id} {id}\n-----BEGIN SIGNATURE-----\nAAAA\n-----END SIGNATURE-----\n").unwrap();
    text
}

proptest! {
    #[test]
    fn what_is_written_is_read(entries in proptest::collection::vec(entry(), 1..20), is_ns in any::<bool>()) {
        let flavour = if is_ns { Flavour::Ns } else { Flavour::Microdesc };
        let consensus = decode(document(&entries, flavour).as_bytes(), "made").unwrap();
        prop_assert_eq!(consensus.n_rejects, 0, "{:?}", consensus.rejects);
        prop_assert_eq!(consensus.entries, entries);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
        let _ = decode(&bytes, "bytes");
    }

    #[test]
    fn any_lines_of_known_keywords_are_read_or_refused(lines in proptest::collection::vec(
        ("(r|s|a|v|w|p|m|params|dir-source|directory-footer|directory-signature|bandwidth-weights|-----BEGIN|-----END)", "[ -~é\u{0}]{0,60}"), 0..60)) {
        let body: String = lines.iter().map(|(keyword, rest)| format!("{keyword} {rest}\n")).collect();
        let text = document(&[], Flavour::Ns).replace("directory-footer\n", &format!("{body}directory-footer\n"));
        let _ = decode(text.as_bytes(), "lines");
    }
}
