//! Footer of a consensus, after its last relay.

use std::collections::BTreeMap;

use super::lines::{Line, Lines, take_object, text};
use super::preamble::numbers_by_name;
use super::rejects::{Rejects, quote};
use super::{Signature, SignatureAlgorithm};
use crate::error::Error;

const MAX_SIGNATURES: usize = 200;
/// An RSA key of 16,384 bits; authorities use 2048 to 4096.
const MAX_SIGNATURE_BYTES: usize = 2048;
const SIGNATURE: &[u8] = b"directory-signature";

/// The footer of a consensus.
#[derive(Debug)]
pub(super) struct Footer {
    pub(super) bandwidth_weights: BTreeMap<String, i64>,
    /// At least one.
    pub(super) signatures: Vec<Signature>,
    /// Byte after the space of the first `directory-signature `: signatures cover everything up to there.
    pub(super) signed_end: usize,
}

/// Reads to the end of the document.
pub(super) fn read(lines: &mut Lines<'_>, n_entries: usize, rejects: &mut Rejects) -> Result<Footer, Error> {
    let truncated =
        |lines: &Lines<'_>, origin: &str| Error::Truncated { origin: origin.to_owned(), byte: lines.end(), n_understood: n_entries };
    if lines.take_if(|line| line.keyword == b"directory-footer").is_none() {
        return Err(truncated(lines, &rejects.origin));
    }
    let (mut bandwidth_weights, mut signatures, mut signed_end) = (BTreeMap::new(), Vec::new(), None);
    let mut foreign = Foreign::default();
    while let Some(line) = lines.take() {
        match line.keyword {
            b"bandwidth-weights" => bandwidth_weights = numbers_by_name(line, rejects),
            SIGNATURE => {
                signed_end.get_or_insert(line.start + SIGNATURE.len() + 1);
                foreign.follows_broken_signature = !add_signature(&mut signatures, line, lines, rejects);
            }
            b"network-status-version" | b"r" => return Err(unexpected(line, &rejects.origin)),
            _ if signed_end.is_some() => foreign.add(line),
            _ => {}
        }
    }
    foreign.report(rejects);
    match signed_end {
        Some(signed_end) if !signatures.is_empty() => Ok(Footer { bandwidth_weights, signatures, signed_end }),
        _ => Err(truncated(lines, &rejects.origin)),
    }
}

/// Lines after the signatures, where a consensus has ended: another text that was put behind it.
#[derive(Default)]
struct Foreign<'a> {
    first: Option<Line<'a>>,
    n: usize,
    /// True if what comes next may be the rest of a signature that could not be read.
    follows_broken_signature: bool,
}

impl<'a> Foreign<'a> {
    /// Counts a line, unless it is empty or belongs to a signature that is a reject already.
    fn add(&mut self, line: Line<'a>) {
        if self.follows_broken_signature {
            self.follows_broken_signature = line.keyword != b"-----END";
            return;
        }
        if line.keyword.is_empty() && line.arguments.is_empty() {
            return;
        }
        self.first.get_or_insert(line);
        self.n += 1;
    }

    /// One reject for all of them.
    fn report(&self, rejects: &mut Rejects) {
        let Some(line) = self.first else { return };
        let found = quote([line.keyword, b" ", line.arguments].concat().trim_ascii());
        let lines = if self.n == 1 { "1 line".to_owned() } else { format!("{} lines", self.n) };
        rejects.add(|| line.location(), None, &format!("{lines} after the signatures, beginning with {found}"));
    }
}

/// Returns true if a signature could be read.
fn add_signature(signatures: &mut Vec<Signature>, line: Line<'_>, lines: &mut Lines<'_>, rejects: &mut Rejects) -> bool {
    let signature = signature(line, lines);
    let is_read = signature.is_some();
    match signature {
        Some(signature) if signatures.len() < MAX_SIGNATURES => signatures.push(signature),
        Some(_) => rejects.add(|| line.location(), None, &format!("more than {MAX_SIGNATURES} signatures")),
        None => rejects.add(|| line.location(), None, &format!("expected a signature, found {}", quote(line.arguments))),
    }
    is_read
}

/// `[algorithm] identity signing-key-digest` and an object; no algorithm means SHA-1.
fn signature(line: Line<'_>, lines: &mut Lines<'_>) -> Option<Signature> {
    let words: Vec<&str> = line.words().map(text).collect::<Option<_>>()?;
    let (algorithm, identity, signing_key) = match words[..] {
        [identity, signing_key] => ("sha1", identity, signing_key),
        [algorithm, identity, signing_key, ..] => (algorithm, identity, signing_key),
        _ => return None,
    };
    Some(Signature {
        algorithm: match algorithm {
            "sha1" => SignatureAlgorithm::Sha1,
            "sha256" => SignatureAlgorithm::Sha256,
            other => SignatureAlgorithm::Other(other.chars().take(40).collect()),
        },
        identity: identity.parse().ok()?,
        signing_key: signing_key.parse().ok()?,
        bytes: take_object(lines, MAX_SIGNATURE_BYTES)?,
    })
}

fn unexpected(line: Line<'_>, origin: &str) -> Error {
    let reason = format!("{} after the footer", quote(line.keyword));
    Error::Malformed { origin: origin.to_owned(), byte: line.start as u64, reason }
}
