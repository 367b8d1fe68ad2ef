//! Preamble of a consensus, before its first relay.

use std::collections::BTreeMap;
use std::str::FromStr;

use allium_model::time::parse_tor_time;
use allium_model::{ConsensusHour, Fingerprint, Timestamp};

use super::lines::{Line, Lines, number, text};
use super::rejects::{Rejects, quote};
use super::{Authority, Flavour};
use crate::error::Error;

/// Keywords at which the preamble ends.
pub(super) const ENDS: [&[u8]; 3] = [b"r", b"directory-footer", b"directory-signature"];
const MAX_AUTHORITIES: usize = 100;
const MAX_PARAMS: usize = 2000;
const MAX_KNOWN_FLAGS: usize = 100;
const MAX_TEXT_CHARS: usize = 1000;

/// The preamble of a consensus.
#[derive(Debug)]
pub(super) struct Preamble {
    /// Byte at which `network-status-version` starts: signatures cover everything from there.
    pub(super) start: usize,
    pub(super) flavour: Flavour,
    pub(super) method: Option<u32>,
    pub(super) hour: ConsensusHour,
    pub(super) fresh_until: Timestamp,
    pub(super) valid_until: Timestamp,
    pub(super) known_flags: Vec<String>,
    pub(super) params: BTreeMap<String, i64>,
    pub(super) authorities: Vec<Authority>,
}

/// Reads up to the first relay.
pub(super) fn read(lines: &mut Lines<'_>, rejects: &mut Rejects) -> Result<Preamble, Error> {
    let (start, flavour) = read_beginning(lines, &rejects.origin)?;
    let (mut times, mut is_consensus) = ([None; 3], false);
    let (mut method, mut known_flags, mut params, mut authorities) = (None, Vec::new(), BTreeMap::new(), Vec::new());
    while let Some(line) = lines.take_until(&ENDS) {
        match line.keyword {
            b"vote-status" if line.arguments == b"consensus" => is_consensus = true,
            b"vote-status" => return Err(other_document(&rejects.origin, format!("vote-status {}", quote(line.arguments)))),
            b"consensus-method" => method = number(line.arguments),
            b"valid-after" => times[0] = Some(time(line, &rejects.origin)?),
            b"fresh-until" => times[1] = Some(time(line, &rejects.origin)?),
            b"valid-until" => times[2] = Some(time(line, &rejects.origin)?),
            b"known-flags" => known_flags = line.words().filter_map(text).take(MAX_KNOWN_FLAGS).map(str::to_owned).collect(),
            b"params" => params = numbers_by_name(line, rejects),
            b"dir-source" => add_authority(&mut authorities, line, rejects),
            b"contact" => note(&mut authorities, |authority| &mut authority.contact, line),
            b"vote-digest" => note(&mut authorities, |authority| &mut authority.vote_digest, line),
            b"network-status-version" => return Err(malformed(line, &rejects.origin, "a second document begins".to_owned())),
            _ => {}
        }
    }
    if lines.peek().is_none() {
        return Err(Error::Truncated { origin: rejects.origin.clone(), byte: lines.end(), n_understood: 0 });
    }
    let missing = |what: &str| Error::Malformed { origin: rejects.origin.clone(), byte: start as u64, reason: format!("no {what}") };
    let [Some(valid_after), Some(fresh_until), Some(valid_until)] = times else {
        return Err(missing("valid-after, fresh-until or valid-until"));
    };
    if !is_consensus {
        return Err(missing("vote-status"));
    }
    let hour = ConsensusHour::containing(valid_after);
    if hour.start() != valid_after {
        return Err(missing(&format!("whole hour in valid-after, found {valid_after}")));
    }
    Ok(Preamble { start, flavour, method, hour, fresh_until, valid_until, known_flags, params, authorities })
}

/// The annotations, and the line that names the kind of document.
fn read_beginning(lines: &mut Lines<'_>, origin: &str) -> Result<(usize, Flavour), Error> {
    while let Some(line) = lines.take_if(|line| line.keyword.first() == Some(&b'@')) {
        if line.keyword == b"@type" && !is_known_type(line) {
            return Err(other_document(origin, format!("@type {}", quote(line.arguments))));
        }
    }
    let Some(line) = lines.take() else { return Err(Error::Empty { origin: origin.to_owned() }) };
    if line.keyword != b"network-status-version" {
        return Err(other_document(origin, quote(&[line.keyword, b" ", line.arguments].concat())));
    }
    let mut words = line.words();
    let flavour = match (words.next(), words.next()) {
        (Some(b"3"), None | Some(b"ns")) => Flavour::Ns,
        (Some(b"3"), Some(b"microdesc")) => Flavour::Microdesc,
        _ => return Err(other_document(origin, format!("network-status-version {}", quote(line.arguments)))),
    };
    Ok((line.start, flavour))
}

/// CollecTor names the format in the first line; a new first digit means that old readers cannot read it.
fn is_known_type(line: Line<'_>) -> bool {
    let mut words = line.words();
    matches!(words.next(), Some(b"network-status-consensus-3" | b"network-status-microdesc-consensus-3"))
        && words.next().is_some_and(|version| version.starts_with(b"1."))
}

fn time(line: Line<'_>, origin: &str) -> Result<Timestamp, Error> {
    let parsed = parse_tor_time(&String::from_utf8_lossy(line.arguments));
    parsed.map_err(|error| malformed(line, origin, error.to_string()))
}

/// `name=number` pairs; the same form serves for bandwidth weights.
pub(super) fn numbers_by_name(line: Line<'_>, rejects: &mut Rejects) -> BTreeMap<String, i64> {
    let mut numbers = BTreeMap::new();
    for word in line.words() {
        let pair = text(word).and_then(|word| word.split_once('=')).and_then(|(name, value)| Some((name, i64::from_str(value).ok()?)));
        match pair {
            Some((name, value)) if numbers.len() < MAX_PARAMS => drop(numbers.insert(name.to_owned(), value)),
            Some(_) => rejects.add(|| line.location(), None, &format!("more than {MAX_PARAMS} parameters")),
            None => rejects.add(|| line.location(), None, &format!("expected name=number, found {}", quote(word))),
        }
    }
    numbers
}

fn add_authority(authorities: &mut Vec<Authority>, line: Line<'_>, rejects: &mut Rejects) {
    match authority(line) {
        Some(authority) if authorities.len() < MAX_AUTHORITIES => authorities.push(authority),
        Some(_) => rejects.add(|| line.location(), None, &format!("more than {MAX_AUTHORITIES} authorities")),
        None => rejects.add(|| line.location(), None, &format!("expected an authority, found {}", quote(line.arguments))),
    }
}

/// `nickname identity host-name address dir-port or-port`.
fn authority(line: Line<'_>) -> Option<Authority> {
    let mut words = line.words().map(text);
    let (nickname, identity, host_name, address) = (words.next()??, words.next()??, words.next()??, words.next()??);
    let (dir_port, or_port) = (words.next()??, words.next()??);
    Some(Authority {
        nickname: short(nickname),
        identity: identity.parse::<Fingerprint>().ok()?,
        host_name: short(host_name),
        address: address.parse().ok()?,
        dir_port: number(dir_port.as_bytes())?,
        or_port: number(or_port.as_bytes())?,
        contact: None,
        vote_digest: None,
    })
}

/// A line about the authority named last.
fn note(authorities: &mut [Authority], field: impl FnOnce(&mut Authority) -> &mut Option<String>, line: Line<'_>) {
    if let Some(authority) = authorities.last_mut() {
        *field(authority) = Some(short(&String::from_utf8_lossy(line.arguments)));
    }
}

/// Text of strangers in one line of bounded length.
fn short(text: &str) -> String {
    text.chars().take(MAX_TEXT_CHARS).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn other_document(origin: &str, beginning: String) -> Error {
    Error::NotConsensus { origin: origin.to_owned(), beginning }
}

fn malformed(line: Line<'_>, origin: &str, reason: String) -> Error {
    Error::Malformed { origin: origin.to_owned(), byte: line.start as u64, reason }
}
