//! Tar archives as streams of members.
//!
//! Input: the formats of tar (ustar, GNU, pax), uncompressed. Members come in the order of the archive; only regular
//! files are handed out. Names serve as names in messages and never as paths; long names and other extensions are
//! passed over. Unlike readers that take any end for the end, an archive must end with its zero block, so that one that
//! was cut between two members is distinguished from a whole one.

use std::io::{self, Read};

const BLOCK_BYTES: usize = 512;
/// Number of characters of a name that are kept.
const MAX_NAME_CHARS: usize = 100;

/// True if these first bytes are a tar header.
pub(super) fn is_tar(start: &[u8]) -> bool {
    start.get(257..262) == Some(b"ustar") || Header::parse(start).is_some_and(|header| header.is_some())
}

/// A regular file in an archive; its content is read next.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) size_bytes: u64,
}

/// Reads an archive member by member.
pub(super) struct Tar<R> {
    reader: R,
    /// Bytes of the member at hand that are not read, and of the padding after it.
    rest_bytes: u64,
    padding_bytes: u64,
}

impl<R: Read> Tar<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, rest_bytes: 0, padding_bytes: 0 }
    }

    /// The next regular file; `None` at the end of the archive.
    pub(super) fn next(&mut self) -> io::Result<Option<Member>> {
        loop {
            self.skip(self.rest_bytes + self.padding_bytes)?;
            let mut block = [0; BLOCK_BYTES];
            self.reader.read_exact(&mut block)?;
            let damaged = || io::Error::new(io::ErrorKind::InvalidData, "damaged tar header");
            let Some(header) = Header::parse(&block).ok_or_else(damaged)? else { return Ok(None) };
            self.rest_bytes = header.size_bytes;
            self.padding_bytes = header.size_bytes.next_multiple_of(BLOCK_BYTES as u64) - header.size_bytes;
            if header.is_file {
                return Ok(Some(Member { name: header.name, size_bytes: header.size_bytes }));
            }
        }
    }

    /// The content of the member at hand.
    pub(super) fn content(&mut self) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.reader.by_ref().take(self.rest_bytes).read_to_end(&mut content)?;
        if content.len() as u64 != self.rest_bytes {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.rest_bytes = 0;
        Ok(content)
    }

    fn skip(&mut self, n_bytes: u64) -> io::Result<()> {
        let skipped = io::copy(&mut self.reader.by_ref().take(n_bytes), &mut io::sink())?;
        if skipped == n_bytes { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

struct Header {
    name: String,
    size_bytes: u64,
    is_file: bool,
}

impl Header {
    /// `None` for a block that is no header, `Some(None)` for the zero block at the end.
    fn parse(block: &[u8]) -> Option<Option<Self>> {
        let block = block.get(..BLOCK_BYTES)?;
        if block.iter().all(|byte| *byte == 0) {
            return Some(None);
        }
        // The sum counts its own field as spaces.
        let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
        let own: u64 = block[148..156].iter().map(|byte| u64::from(*byte)).sum();
        if octal(&block[148..156])? != sum - own + 8 * u64::from(b' ') {
            return None;
        }
        let size_bytes = size(&block[124..136])?;
        let name = block[..100].split(|byte| *byte == 0).next().unwrap_or_default();
        let name = String::from_utf8_lossy(name).chars().take(MAX_NAME_CHARS).collect();
        Some(Some(Self { name, size_bytes, is_file: matches!(block[156], b'0' | b'7' | 0) }))
    }
}

/// Digits between spaces and zero bytes.
fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_matches(|c| c == ' ' || c == '\0');
    u64::from_str_radix(text, 8).ok()
}

/// Octal, or for large files a big-endian number marked by its first bit. Sizes that no archive has are no sizes.
fn size(field: &[u8]) -> Option<u64> {
    let size = match field {
        [0x80, rest @ ..] => rest.iter().try_fold(0_u64, |sum, byte| sum.checked_mul(256)?.checked_add(u64::from(*byte))),
        _ => octal(field),
    };
    size.filter(|size| *size < 1 << 48)
}
