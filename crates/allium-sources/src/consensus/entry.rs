//! Entries of a consensus: one per relay.
//!
//! An entry needs a readable identity and its flags; without them it is left out. Anything else that cannot be read
//! is lost alone. Either way a damaged entry is one reject, which names the first damaged line and lists every reason.

use std::collections::{HashMap, HashSet};
use std::net::{Ipv4Addr, SocketAddrV4, SocketAddrV6};
use std::sync::Arc;

use allium_model::{Fingerprint, PortSummary, RelayFlag, RelayFlags};

use super::lines::{Line, Lines, decode_base64, number, text};
use super::rejects::{Rejects, quote};
use super::{Entry, Flavour};

/// Keywords at which the entries end.
const ENDS: [&[u8]; 2] = [b"directory-footer", b"directory-signature"];
const IDENTITY_CHARS: usize = 27;
const MAX_NICKNAME_CHARS: usize = 19;
const MAX_OTHER_FLAGS: usize = 32;
const MAX_WORD_CHARS: usize = 40;
const MAX_VERSION_CHARS: usize = 128;
const MAX_PORTS: usize = 1000;
const MAX_REASONS: usize = 5;
/// Weights above this are nonsense; they are in units of about a kilobyte per second.
const MAX_WEIGHT: u64 = 1_000_000_000;

/// Reads all entries, in the order of the document.
pub(super) fn read<'a>(lines: &mut Lines<'a>, flavour: Flavour, rejects: &mut Rejects) -> Vec<Entry> {
    let (mut entries, mut seen) = (Vec::new(), HashSet::new());
    let mut reader = EntryReader { flavour, ..EntryReader::default() };
    while let Some(line) = lines.take_until(&ENDS) {
        if line.keyword != b"r" {
            continue;
        }
        let mut faults = Faults::default();
        let (fingerprint, entry) = reader.read(line, lines, &mut faults);
        let entry = entry.filter(|entry| {
            let is_first = seen.insert(entry.fingerprint);
            if !is_first {
                faults.add(line, "listed before".to_owned());
            }
            is_first
        });
        if let Some(at) = faults.line {
            rejects.add(|| format!("line {at}"), fingerprint, &faults.reasons.join("; "));
        }
        entries.extend(entry);
    }
    entries
}

/// Defects of one entry.
#[derive(Debug, Default)]
struct Faults {
    line: Option<usize>,
    reasons: Vec<String>,
}

impl Faults {
    fn add(&mut self, line: Line<'_>, reason: String) {
        self.line.get_or_insert(line.number);
        if self.reasons.len() < MAX_REASONS {
            self.reasons.push(reason);
        }
    }

    /// The value, or a fault that quotes the line.
    fn or_fault<T>(&mut self, line: Line<'_>, expected: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.add(line, format!("expected {expected}, found {}", quote(line.arguments)));
        }
        value
    }
}

/// Flags as read from one line.
#[derive(Debug, Clone, Default)]
struct Flags {
    known: RelayFlags,
    other: Vec<String>,
}

/// Reads entries one by one. Lines that many relays share are read once.
#[derive(Debug, Default)]
struct EntryReader<'a> {
    flavour: Flavour,
    flags: HashMap<&'a [u8], Option<Flags>>,
    versions: HashMap<&'a [u8], Option<Arc<str>>>,
}

impl<'a> EntryReader<'a> {
    /// The entry that begins with this line, and its identity where at least that can be read.
    fn read(&mut self, line: Line<'a>, lines: &mut Lines<'a>, faults: &mut Faults) -> (Option<Fingerprint>, Option<Entry>) {
        let read = router(line, self.flavour, faults);
        let mut entry = faults.or_fault(line, "nickname, identity, digest, time, address and ports", read);
        let mut has_flags = false;
        while let Some(item) = lines.take_if(|item| item.keyword != b"r" && !ENDS.contains(&item.keyword)) {
            if let Some(entry) = &mut entry {
                self.item(entry, item, &mut has_flags, faults);
            }
        }
        let fingerprint = entry.as_ref().map(|entry| entry.fingerprint);
        if entry.is_some() && !has_flags {
            faults.add(line, "no flags".to_owned());
            entry = None;
        }
        (fingerprint, entry)
    }

    fn item(&mut self, entry: &mut Entry, item: Line<'a>, has_flags: &mut bool, faults: &mut Faults) {
        match item.keyword {
            b"s" if *has_flags => faults.add(item, "flags given twice".to_owned()),
            b"s" => {
                if let Some(Flags { known, other }) = faults.or_fault(item, "flags", self.flags(item)) {
                    (entry.flags, entry.other_flags, *has_flags) = (known, other, true);
                }
            }
            b"a" => {
                let address = faults.or_fault(item, "an address and port", additional_address(item));
                entry.ipv6 = entry.ipv6.or(address.flatten());
            }
            b"v" => entry.version = faults.or_fault(item, "a version", self.version(item)),
            b"w" => read_weight(entry, item, faults),
            b"p" => entry.ports = faults.or_fault(item, "accept or reject and ports", ports(item)),
            _ => {}
        }
    }

    fn flags(&mut self, line: Line<'a>) -> Option<Flags> {
        self.flags.entry(line.arguments).or_insert_with(|| flags(line)).clone()
    }

    fn version(&mut self, line: Line<'a>) -> Option<Arc<str>> {
        self.versions.entry(line.arguments).or_insert_with(|| version(line)).clone()
    }
}

/// `nickname identity [digest] date time address or-port dir-port`; the digest is missing in microdesc consensuses.
fn router(line: Line<'_>, flavour: Flavour, faults: &mut Faults) -> Option<Entry> {
    let mut words = line.words();
    let (nickname, fingerprint) = (words.next()?, identity(words.next()?)?);
    let n_skipped = match flavour {
        Flavour::Ns => 3,
        Flavour::Microdesc => 2,
    };
    let mut words = words.skip(n_skipped);
    let (address, or_port, dir_port) = (words.next(), words.next(), words.next());
    let or_address = address.and_then(ipv4).zip(or_port.and_then(number)).map(|(ip, port)| SocketAddrV4::new(ip, port));
    let dir_port = faults.or_fault(line, "a directory port", dir_port.and_then(number::<u16>));
    Some(Entry {
        fingerprint,
        nickname: faults.or_fault(line, "a nickname", is_nickname(nickname).then(|| String::from_utf8_lossy(nickname).into_owned())),
        or_address: faults.or_fault(line, "an IPv4 address and port", or_address),
        dir_port: dir_port.filter(|port| *port != 0),
        ipv6: None,
        flags: RelayFlags::EMPTY,
        other_flags: Vec::new(),
        version: None,
        weight: None,
        is_measured: true,
        ports: None,
    })
}

fn identity(text: &[u8]) -> Option<Fingerprint> {
    let bytes = Some(text).filter(|text| text.len() == IDENTITY_CHARS).and_then(decode_base64)?;
    Some(Fingerprint::new(bytes.try_into().ok()?))
}

fn is_nickname(text: &[u8]) -> bool {
    (1..=MAX_NICKNAME_CHARS).contains(&text.len()) && text.iter().all(u8::is_ascii_alphanumeric)
}

fn ipv4(bytes: &[u8]) -> Option<Ipv4Addr> {
    text(bytes)?.parse().ok()
}

/// An IPv6 address; another IPv4 address is allowed and passed over.
fn additional_address(line: Line<'_>) -> Option<Option<SocketAddrV6>> {
    let text = text(line.arguments)?;
    match text.parse() {
        Ok(std::net::SocketAddr::V6(address)) => Some(Some(address)),
        Ok(std::net::SocketAddr::V4(_)) => Some(None),
        Err(_) => None,
    }
}

fn flags(line: Line<'_>) -> Option<Flags> {
    let mut flags = Flags::default();
    for name in text(line.arguments)?.split(' ').filter(|name| !name.is_empty()) {
        match RelayFlag::from_name(name) {
            Some(flag) => flags.known.insert(flag),
            None if flags.other.len() < MAX_OTHER_FLAGS => flags.other.push(name.chars().take(MAX_WORD_CHARS).collect()),
            None => return None,
        }
    }
    Some(flags)
}

/// `Tor 0.4.8.21` is version 0.4.8.21; other software is named in full.
fn version(line: Line<'_>) -> Option<Arc<str>> {
    let text = text(line.arguments).filter(|text| !text.is_empty() && text.len() <= MAX_VERSION_CHARS)?;
    Some(text.strip_prefix("Tor ").unwrap_or(text).into())
}

/// `Bandwidth=610 [Unmeasured=1]`; other pairs are ignored.
fn read_weight(entry: &mut Entry, line: Line<'_>, faults: &mut Faults) {
    for word in line.words() {
        if let Some(digits) = word.strip_prefix(b"Bandwidth=") {
            let weight = number(digits).filter(|weight| *weight <= MAX_WEIGHT);
            entry.weight = faults.or_fault(line, "a consensus weight", weight);
        } else if word == b"Unmeasured=1" {
            entry.is_measured = false;
        }
    }
}

fn ports(line: Line<'_>) -> Option<PortSummary> {
    let (verb, list) = text(line.arguments)?.split_once(' ')?;
    let ranges: Vec<String> = list.split(',').take(MAX_PORTS + 1).map(str::to_owned).collect();
    if ranges.len() > MAX_PORTS || !ranges.iter().all(|range| is_port_range(range)) {
        return None;
    }
    match verb {
        "accept" => Some(PortSummary::Accept(ranges)),
        "reject" => Some(PortSummary::Reject(ranges)),
        _ => None,
    }
}

fn is_port_range(text: &str) -> bool {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (number::<u16>(first.as_bytes()), number::<u16>(last.as_bytes())) {
        (Some(first), Some(last)) => first <= last,
        _ => false,
    }
}
