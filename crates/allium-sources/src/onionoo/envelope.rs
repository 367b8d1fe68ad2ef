//! The frame of every document: as of which consensus it is, and its relays one by one.
//!
//! Only the members `relays_published` and `relays` matter, in any order; bridges and everything else are passed over.
//! Where a member is given twice the first counts. The frame must be complete to its last bracket: a document that
//! ends earlier is refused, however much of it can be read.

use allium_model::time::parse_tor_time;
use allium_model::{Bounds, ConsensusHour, DocumentKind, ImpossibleTime, Reject};

use super::json::{Broken, Cursor};
use super::rejects::{Rejects, one_line};
use crate::error::Error;

/// Number of relays of a document that are kept: a hundred times the network of 2026.
pub(super) const MAX_RELAYS: usize = 1_000_000;

/// Facts about a document as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// Its kind.
    pub kind: DocumentKind,
    /// File or address that it came from.
    pub origin: String,
    /// The newest consensus that it knows of.
    pub published: ConsensusHour,
    /// Its size in bytes after decompression.
    pub size_bytes: u64,
    /// Relays that the answer leaves out because its request asked for a part only.
    pub n_left_out: u64,
    /// Everything that could not be understood, listed or not.
    pub n_rejects: usize,
    /// The first 1000 of these.
    pub rejects: Vec<Reject>,
}

impl Header {
    pub(super) fn new(kind: DocumentKind, bytes: &[u8], frame: &Frame, rejects: Rejects) -> Self {
        Self {
            kind,
            origin: rejects.origin,
            published: frame.published,
            size_bytes: bytes.len() as u64,
            n_left_out: frame.n_left_out,
            n_rejects: rejects.n,
            rejects: rejects.listed,
        }
    }
}

/// Content of the frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) published: ConsensusHour,
    pub(super) n_left_out: u64,
    pub(super) n_entries: usize,
}

/// Position of a decoder while it walks through the relays.
pub(super) struct Visit<'w> {
    /// The newest consensus that the document knows of.
    pub(super) published: ConsensusHour,
    /// Times that can be.
    pub(super) bounds: Bounds,
    /// Index of this entry.
    pub(super) entry_idx: usize,
    /// List that takes the rejects.
    pub(super) rejects: &'w mut Rejects,
}

/// Walks through a document and hands each entry of `relays` to `visit`, which must consume exactly that value.
pub(super) fn walk<'a, F>(bytes: &'a [u8], bounds: Bounds, rejects: &mut Rejects, mut visit: F) -> Result<Frame, Error>
where
    F: FnMut(&mut Cursor<'a>, &mut Visit<'_>) -> Result<(), Broken>,
{
    let origin = rejects.origin.clone();
    let cursor = Cursor::new(bytes);
    let mut walker = Walker { cursor, bounds, rejects, published: None, relays: Relays::NotSeen, n_left_out: 0, n_entries: 0 };
    match walker.cursor.peek() {
        None => return Err(Error::Empty { origin }),
        Some(b'{') => {}
        Some(_) => return Err(Error::NotJson { origin, beginning: beginning(bytes) }),
    }
    let walked = walker.document(&mut visit);
    let n_understood = walker.n_entries;
    match walked {
        Ok(frame) => Ok(frame),
        Err(Stop::Broken(Broken { byte, at_end: true, .. })) => Err(Error::Truncated { origin, byte: byte as u64, n_understood }),
        Err(Stop::Broken(Broken { byte, reason, .. })) => Err(Error::Malformed { origin, byte: byte as u64, reason: reason.to_owned() }),
        Err(Stop::Published(reason)) => Err(Error::NoPublished { origin, reason }),
        Err(Stop::Impossible(reason)) => Err(Error::ImpossibleTime { origin, what: "relays_published", reason }),
    }
}

/// The consensus that a document is as of, and its number of entries; refuses a document that is not complete.
pub(super) fn check(bytes: &[u8], origin: &str, bounds: Bounds) -> Result<Frame, Error> {
    walk(bytes, bounds, &mut Rejects::new(origin), |cursor, _| cursor.skip().map(drop))
}

enum Stop {
    Broken(Broken),
    Published(String),
    Impossible(ImpossibleTime),
}

impl From<Broken> for Stop {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

enum Relays {
    NotSeen,
    /// Met before `relays_published`: to be gone back to.
    At(usize),
    Done,
}

struct Walker<'a, 'r> {
    cursor: Cursor<'a>,
    bounds: Bounds,
    rejects: &'r mut Rejects,
    published: Option<ConsensusHour>,
    relays: Relays,
    n_left_out: u64,
    n_entries: usize,
}

impl<'a> Walker<'a, '_> {
    fn document<F>(&mut self, visit: &mut F) -> Result<Frame, Stop>
    where
        F: FnMut(&mut Cursor<'a>, &mut Visit<'_>) -> Result<(), Broken>,
    {
        self.cursor.expect(b'{', "expected an object")?;
        let mut first = true;
        while let Some(key) = self.cursor.next_key(&mut first)? {
            match (key, &self.relays) {
                (b"relays_published", _) => self.published()?,
                (b"relays", Relays::NotSeen) => self.relays(visit)?,
                (b"relays", _) => self.given_twice("relays")?,
                (b"relays_skipped" | b"relays_truncated", _) => self.left_out()?,
                _ => drop(self.cursor.skip()?),
            }
        }
        if self.cursor.peek().is_some() {
            self.cursor.broken("more after the end of the document")?;
        }
        let published = self.published.ok_or_else(|| Stop::Published("missing".to_owned()))?;
        match self.relays {
            Relays::NotSeen => {
                return Err(Stop::Broken(Broken { byte: self.cursor.pos(), at_end: false, reason: "no relays in the document" }));
            }
            Relays::At(pos) => {
                self.cursor.go_back(pos);
                self.entries(published, visit)?;
            }
            Relays::Done => {}
        }
        Ok(Frame { published, n_left_out: self.n_left_out, n_entries: self.n_entries })
    }

    fn published(&mut self) -> Result<(), Stop> {
        if self.published.is_some() {
            return Ok(self.given_twice("relays_published")?);
        }
        let start = self.cursor.pos();
        let text = match self.cursor.string() {
            Ok(text) => text,
            Err(broken) if broken.at_end => return Err(Stop::Broken(broken)),
            Err(broken) => return Err(Stop::Published(broken.reason.to_owned())),
        };
        let instant = parse_tor_time(&text).map_err(|e| Stop::Published(one_line(&e.to_string(), 200)))?;
        let hour = ConsensusHour::containing(instant);
        if hour.start() != instant {
            self.rejects.add(|| format!("byte {start} field relays_published"), None, "not a whole hour; the hour around it is taken");
        }
        self.bounds.check_hour(hour).map_err(Stop::Impossible)?;
        self.published = Some(hour);
        Ok(())
    }

    fn relays<F>(&mut self, visit: &mut F) -> Result<(), Broken>
    where
        F: FnMut(&mut Cursor<'a>, &mut Visit<'_>) -> Result<(), Broken>,
    {
        if let Some(published) = self.published {
            self.relays = Relays::Done;
            return self.entries(published, visit);
        }
        self.relays = Relays::At(self.cursor.pos());
        self.cursor.skip().map(drop)
    }

    fn entries<F>(&mut self, published: ConsensusHour, visit: &mut F) -> Result<(), Broken>
    where
        F: FnMut(&mut Cursor<'a>, &mut Visit<'_>) -> Result<(), Broken>,
    {
        self.cursor.expect(b'[', "expected a list of relays")?;
        let mut first = true;
        while self.cursor.next_element(&mut first)? {
            let (bounds, entry_idx) = (self.bounds, self.n_entries);
            visit(&mut self.cursor, &mut Visit { published, bounds, entry_idx, rejects: self.rejects })?;
            self.n_entries += 1;
        }
        Ok(())
    }

    fn left_out(&mut self) -> Result<(), Broken> {
        let value = self.cursor.skip()?;
        let n: u64 = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
        self.n_left_out = self.n_left_out.saturating_add(n);
        Ok(())
    }

    fn given_twice(&mut self, field: &str) -> Result<(), Broken> {
        let start = self.cursor.pos();
        self.rejects.add(|| format!("byte {start} field {field}"), None, "given twice; the first counts");
        self.cursor.skip().map(drop)
    }
}

fn beginning(bytes: &[u8]) -> String {
    one_line(&String::from_utf8_lossy(&bytes[..bytes.len().min(240)]), 60)
}
