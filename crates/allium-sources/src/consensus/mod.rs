//! The consensus: which relays there are, as the directory authorities agree once an hour.
//!
//! Input: a `network-status-consensus-3` document, whole and decompressed, of either flavour, from 2014 to today: with or without
//! CollecTor's annotations, protocol versions, IPv6 addresses and bandwidth weights. Output: a [`Consensus`] in the units of the model and
//! a list of what could not be understood in it.
//!
//! Method: one pass over the lines in the order that the directory specification (dir-spec, section 3.4.1) gives them:
//! preamble, entries, footer. Unknown keywords are ignored, as the specification asks. A damaged entry is one reject;
//! the others are kept. A document that does not reach its signatures is refused as a whole, because its missing relays
//! would read as vanished ones.
//!
//! Signatures are read here and checked by [`verify`]: a decoded consensus proves nothing.
//!
//! ```
//! # let text = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/consensus/microdesc")).unwrap();
//! let consensus = allium_sources::consensus::decode(&text, "example").unwrap();
//! assert_eq!(consensus.hour.to_string(), "2026-02-15T18:00:00Z");
//! assert_eq!(consensus.entries[0].weight, Some(78_000));
//! ```

mod batch;
mod entry;
mod footer;
mod lines;
mod parts;
mod preamble;
mod rejects;
pub mod verify;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddrV4, SocketAddrV6};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use allium_model::{Bounds, ConsensusHour, Fingerprint, PortSummary, Reject, RelayFlag, RelayFlags, RelayState, Timestamp};

pub use self::batch::Batch;
use self::lines::Lines;
pub(crate) use self::lines::decode_base64;
pub use self::parts::{Part, parts};
use self::rejects::Rejects;
use crate::error::Error;
use crate::read::{Limits, plain_text, read_file};

/// Limits for reading a consensus: some twenty times the size of those of 2026.
pub const LIMITS: Limits = Limits { max_compressed_bytes: 32 << 20, max_bytes: 64 << 20, max_ratio: 1000 };

/// A decoded consensus.
#[derive(Debug, Clone, PartialEq)]
pub struct Consensus {
    /// File or address that it came from.
    pub origin: String,
    /// Its size in bytes after decompression.
    pub size_bytes: u64,
    /// Its flavour.
    pub flavour: Flavour,
    /// Number of the agreed method by which it was made.
    pub method: Option<u32>,
    /// Its valid-after time: the hour that it is about.
    pub hour: ConsensusHour,
    /// Time from which the next one should be available.
    pub fresh_until: Timestamp,
    /// Time from which it must not be used.
    pub valid_until: Timestamp,
    /// Flags on which the authorities voted.
    pub known_flags: Vec<String>,
    /// Parameters of the network.
    pub params: BTreeMap<String, i64>,
    /// Factors of consensus weights by position, in units of 1/10,000.
    pub bandwidth_weights: BTreeMap<String, i64>,
    /// The authorities whose votes it was made from.
    pub authorities: Vec<Authority>,
    /// Signatures, unchecked.
    pub signatures: Vec<Signature>,
    /// The relays, each once.
    pub entries: Vec<Entry>,
    /// Parts that could not be understood, at most a thousand.
    pub rejects: Vec<Reject>,
    /// Number of rejects, listed or not.
    pub n_rejects: usize,
    /// Range of bytes that the signatures cover.
    pub signed: Range<usize>,
}

/// Flavour of a consensus. Both list the same relays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Flavour {
    /// The full form, with digests of server descriptors and summaries of exit policies.
    #[default]
    Ns,
    /// The form that clients use, with digests of microdescriptors.
    Microdesc,
}

impl Flavour {
    /// The name in addresses: `consensus-microdesc` is the microdesc one.
    pub const fn resource(self) -> &'static str {
        match self {
            Self::Ns => "consensus",
            Self::Microdesc => "consensus-microdesc",
        }
    }
}

impl fmt::Display for Flavour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ns => "ns",
            Self::Microdesc => "microdesc",
        })
    }
}

/// An authority that voted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// Its nickname.
    pub nickname: String,
    /// Digest of its identity key.
    pub identity: Fingerprint,
    /// Its host name or address.
    pub host_name: String,
    /// Its address.
    pub address: IpAddr,
    /// Port at which it serves documents over HTTP; 0 if none.
    pub dir_port: u16,
    /// Port at which it relays.
    pub or_port: u16,
    /// Text in which its operator says how to be reached.
    pub contact: Option<String>,
    /// Digest of its vote.
    pub vote_digest: Option<String>,
}

/// A signature of an authority, unchecked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Digest algorithm of the document.
    pub algorithm: SignatureAlgorithm,
    /// Digest of the authority's identity key.
    pub identity: Fingerprint,
    /// Digest of the key that signed.
    pub signing_key: Fingerprint,
    /// The signature itself.
    pub bytes: Vec<u8>,
}

/// Digest algorithm of a document before it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    /// SHA-1, for the ns flavour.
    Sha1,
    /// SHA-256, for the microdesc flavour.
    Sha256,
    /// One that no consensus used so far.
    Other(String),
}

/// Entry of one relay in a consensus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The relay.
    pub fingerprint: Fingerprint,
    /// Its nickname; `None` if unreadable.
    pub nickname: Option<String>,
    /// Address and port for Tor connections over IPv4; `None` if unreadable.
    pub or_address: Option<SocketAddrV4>,
    /// Port at which it serves directory documents over plain HTTP.
    pub dir_port: Option<u16>,
    /// Address and port for Tor connections over IPv6.
    pub ipv6: Option<SocketAddrV6>,
    /// Its flags.
    pub flags: RelayFlags,
    /// Flags that Allium has no name for.
    pub other_flags: Vec<String>,
    /// Version of Tor; other software is named in full.
    pub version: Option<Arc<str>>,
    /// Consensus weight, in units of about a kilobyte per second; `None` if the consensus gives none.
    pub weight: Option<u64>,
    /// True if enough authorities measured it; otherwise its weight is capped.
    pub is_measured: bool,
    /// Exit policy summarised by port; ns flavour only.
    pub ports: Option<PortSummary>,
}

impl Consensus {
    /// The consensus itself if its hour can be.
    ///
    /// # Errors
    /// [`Error::ImpossibleTime`] where its valid-after lies outside the bounds.
    pub fn within(self, bounds: Bounds) -> Result<Self, Error> {
        match bounds.check_hour(self.hour) {
            Ok(()) => Ok(self),
            Err(reason) => Err(Error::ImpossibleTime { origin: self.origin, what: "valid-after", reason }),
        }
    }

    /// The Running relays, each with its state from this hour on. A consensus contains no countries and no autonomous systems.
    pub fn states(&self) -> impl Iterator<Item = (Fingerprint, RelayState)> + '_ {
        let running = self.entries.iter().filter(|entry| entry.flags.contains(RelayFlag::Running));
        running.map(|entry| {
            let state = RelayState { flags: entry.flags, country: None, asn: None, version: entry.version.clone() };
            (entry.fingerprint, state)
        })
    }
}

/// Decodes a consensus. `origin` is the file or address named in errors and rejects.
///
/// # Errors
/// The document is empty, something else, truncated, or without the times for which it is valid.
pub fn decode(bytes: &[u8], origin: &str) -> Result<Consensus, Error> {
    decode_part(bytes, &Part::whole(bytes), origin)
}

/// Decodes one of the [`parts`] of a file. Locations and the signed range are those within the file.
///
/// # Errors
/// As [`decode`], for this part.
pub fn decode_part(file: &[u8], part: &Part, origin: &str) -> Result<Consensus, Error> {
    let mut lines = part.lines(file);
    let mut rejects = Rejects::new(origin);
    let preamble = preamble::read(&mut lines, &mut rejects)?;
    let entries = entry::read(&mut lines, preamble.flavour, &mut rejects);
    let footer = footer::read(&mut lines, entries.len(), &mut rejects)?;
    if entries.is_empty() {
        let (origin, byte) = (origin.to_owned(), preamble.start as u64);
        return Err(Error::Malformed { origin, byte, reason: "no relay can be read".to_owned() });
    }
    Ok(Consensus {
        origin: rejects.origin,
        size_bytes: part.bytes.len() as u64,
        flavour: preamble.flavour,
        method: preamble.method,
        hour: preamble.hour,
        fresh_until: preamble.fresh_until,
        valid_until: preamble.valid_until,
        known_flags: preamble.known_flags,
        params: preamble.params,
        bandwidth_weights: footer.bandwidth_weights,
        authorities: preamble.authorities,
        signatures: footer.signatures,
        entries,
        rejects: rejects.listed,
        n_rejects: rejects.n,
        signed: preamble.start..footer.signed_end,
    })
}

/// Flavour and hour of a document, by its preamble alone.
///
/// # Errors
/// As [`decode`], for defects in the preamble.
pub fn peek(bytes: &[u8], origin: &str) -> Result<(Flavour, ConsensusHour), Error> {
    let preamble = preamble::read(&mut Lines::new(bytes), &mut Rejects::new(origin))?;
    Ok((preamble.flavour, preamble.hour))
}

/// Reads and decodes a file of one consensus, plain or compressed.
///
/// # Errors
/// As [`read_file`] and [`decode`].
pub fn decode_file(path: &Path, limits: &Limits) -> Result<Consensus, Error> {
    decode(&plain_text(read_file(path, limits)?), &path.display().to_string())
}
