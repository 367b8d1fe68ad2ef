//! Files and bytes: plain or compressed, never more than allowed.
//!
//! The compression (gzip, zlib, Zstandard, xz) is recognised by the first bytes, never by the name. One layer is taken off.
//! Decompression stops at the cap, so that a bomb costs no more than the cap.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::{MultiGzDecoder, ZlibDecoder};
use liblzma::bufread::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream as XzStream};

use crate::error::{Error, Stage};

/// Up to this size after decompression no ratio is held against a document.
const RATIO_FREE_BYTES: u64 = 16 << 20;
/// Memory that an xz or Zstandard stream may ask for: 128 MiB is what their usual settings need at most.
const XZ_MEMORY_BYTES: u64 = 128 << 20;
const ZSTD_WINDOW_LOG: u32 = 27;

/// Number of first bytes that name a compression.
const HEAD_BYTES: usize = 6;
/// Compressed bytes that are read ahead: what they become at the most stays below [`RATIO_FREE_BYTES`].
const BUFFER_BYTES: usize = 8 << 10;

/// The lines with which documents of the directory protocol begin.
const BEGINNINGS: [&[u8]; 3] = [b"network-status-version ", b"dir-key-certificate-version ", b"@type "];

/// Limits for reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a compressed document as stored or sent.
    pub max_compressed_bytes: u64,
    /// Bytes of a document after decompression, or of one that is not compressed.
    pub max_bytes: u64,
    /// Bytes after decompression per compressed byte, held against documents above 16 MiB.
    pub max_ratio: u64,
}

impl Default for Limits {
    /// Several times the size of the network of 2026, whose uptime document has 94 MB, 1.2 MB in Zstandard. For files, which an operator
    /// chooses; what may come from sources is a setting.
    fn default() -> Self {
        Self { max_compressed_bytes: 128 << 20, max_bytes: 512 << 20, max_ratio: 1000 }
    }
}

/// Reads a file and decompresses it if its first bytes name a compression.
///
/// # Errors
/// The file cannot be read, is larger than `limits` allow, or its compression is damaged.
pub fn read_file(path: &Path, limits: &Limits) -> Result<Vec<u8>, Error> {
    let read_error = |source| Error::Read { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(read_error)?;
    let mut bytes = Vec::new();
    file.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut bytes).map_err(read_error)?;
    let (limit_bytes, stage) = match Format::of(&bytes) {
        Some(_) => (limits.max_compressed_bytes, Stage::Compressed),
        None => (limits.max_bytes, Stage::Decompressed),
    };
    let rest_bytes = limit_bytes.saturating_add(1).saturating_sub(bytes.len() as u64);
    file.take(rest_bytes).read_to_end(&mut bytes).map_err(read_error)?;
    let origin = path.display().to_string();
    if bytes.len() as u64 > limit_bytes {
        return Err(Error::TooLarge { origin, limit_bytes, stage });
    }
    decompress(bytes, &origin, limits)
}

/// A text in the form of the directory protocol: without a byte order mark, its lines ended by LF alone.
///
/// Programs of other systems change both when they save a text. CR LF is changed only where a line that begins a document ends so;
/// within a document whose lines end with LF a CR is a character like any other. Signatures are then checked over the text as changed.
pub fn plain_text(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    let begins = |line: &[u8]| BEGINNINGS.iter().any(|beginning| line.starts_with(beginning));
    if !bytes.contains(&b'\r') || !bytes.split(|byte| *byte == b'\n').any(|line| line.ends_with(b"\r") && begins(line)) {
        return bytes;
    }
    let mut text = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(line) => {
                text.extend_from_slice(line);
                text.push(b'\n');
            }
            None => text.extend_from_slice(line),
        }
    }
    text
}

/// Takes one layer of compression off, if the first bytes name one; other bytes come back as they are.
///
/// # Errors
/// More bytes than `limits` allow before or after, or damaged compression. A compressed document that is cut short is
/// damaged.
pub fn decompress(bytes: Vec<u8>, origin: &str, limits: &Limits) -> Result<Vec<u8>, Error> {
    if Format::of(&bytes).is_none() {
        return within(bytes, limits.max_bytes, origin, Stage::Decompressed);
    }
    inflate(bytes.as_slice(), origin, limits).map(|inflated| inflated.plain)
}

/// A document as it was read to its end.
pub(crate) struct Inflated {
    /// Its bytes, decompressed.
    pub(crate) plain: Vec<u8>,
    /// Its bytes as they came; `None` where these were not compressed.
    pub(crate) raw: Option<Vec<u8>>,
}

/// Reads a document and decompresses it on the way if its first bytes name a compression. Bytes are counted as they come: nothing is read
/// any further once there are more than allowed, before or after decompression, or in relation to what came so far.
///
/// # Errors
/// As [`decompress`], and those of the reader.
pub(crate) fn inflate(mut source: impl Read, origin: &str, limits: &Limits) -> Result<Inflated, Error> {
    let unreadable = |source| Error::Archive { origin: origin.to_owned(), source };
    let mut head = Vec::with_capacity(HEAD_BYTES);
    source.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head).map_err(unreadable)?;
    let format = Format::of(&head);
    let rest = io::Cursor::new(head).chain(source);
    let Some(format) = format else {
        let mut plain = Vec::new();
        rest.take(limits.max_bytes.saturating_add(1)).read_to_end(&mut plain).map_err(unreadable)?;
        return Ok(Inflated { plain: within(plain, limits.max_bytes, origin, Stage::Decompressed)?, raw: None });
    };
    let (raw, n_came) = (RefCell::new(Vec::new()), Cell::new(0));
    let came = Came { reader: rest, raw: &raw, n_came: &n_came, limit_bytes: limits.max_compressed_bytes };
    let damaged = |source| match n_came.get() > limits.max_compressed_bytes {
        true => too_large(origin, limits.max_compressed_bytes, Stage::Compressed),
        false => Error::Compression { origin: origin.to_owned(), format: format.name(), source },
    };
    let mut reader = format.reader(BufReader::with_capacity(BUFFER_BYTES, came)).map_err(damaged)?;
    let (mut plain, mut piece) = (Vec::new(), vec![0; 1 << 16]);
    loop {
        let n_bytes = reader.read(&mut piece).map_err(damaged)?;
        if n_bytes == 0 {
            break;
        }
        plain.extend_from_slice(&piece[..n_bytes]);
        let by_ratio = n_came.get().saturating_mul(limits.max_ratio).max(RATIO_FREE_BYTES);
        let limit_bytes = limits.max_bytes.min(by_ratio);
        if plain.len() as u64 > limit_bytes {
            return Err(too_large(origin, limit_bytes, Stage::Decompressed));
        }
    }
    drop(reader);
    plain.shrink_to_fit();
    Ok(Inflated { plain, raw: Some(raw.into_inner()) })
}

/// A reader that keeps what it reads, and fails where that is more than allowed.
struct Came<'a, R> {
    reader: R,
    raw: &'a RefCell<Vec<u8>>,
    n_came: &'a Cell<u64>,
    limit_bytes: u64,
}

impl<R: Read> Read for Came<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n_bytes = self.reader.read(buffer)?;
        self.n_came.set(self.n_came.get() + n_bytes as u64);
        if self.n_came.get() > self.limit_bytes {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "more bytes than allowed before decompression"));
        }
        self.raw.borrow_mut().extend_from_slice(&buffer[..n_bytes]);
        Ok(n_bytes)
    }
}

fn too_large(origin: &str, limit_bytes: u64, stage: Stage) -> Error {
    Error::TooLarge { origin: origin.to_owned(), limit_bytes, stage }
}

/// A file as a stream of decompressed bytes, which ends with an error where `limits` are exceeded: for archives, which
/// are larger than memory.
///
/// # Errors
/// The file cannot be read, or is larger than allowed before decompression.
pub(crate) fn stream(file: File, origin: &str, limits: &Limits) -> Result<Box<dyn Read>, Error> {
    let unreadable = |source| Error::Archive { origin: origin.to_owned(), source };
    let size_bytes = file.metadata().map_err(unreadable)?.len();
    if size_bytes > limits.max_compressed_bytes {
        return Err(Error::TooLarge { origin: origin.to_owned(), limit_bytes: limits.max_compressed_bytes, stage: Stage::Compressed });
    }
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let format = Format::of(reader.fill_buf().map_err(unreadable)?);
    let by_ratio = size_bytes.saturating_mul(limits.max_ratio).max(RATIO_FREE_BYTES);
    let left_bytes = limits.max_bytes.min(by_ratio);
    Ok(match format {
        Some(format) => Box::new(Capped { reader: format.reader(reader).map_err(unreadable)?, left_bytes }),
        None => Box::new(Capped { reader, left_bytes }),
    })
}

/// A reader that fails where more bytes come than allowed.
struct Capped<R> {
    reader: R,
    left_bytes: u64,
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n_bytes = self.reader.read(buffer)?;
        let left_bytes = self.left_bytes.checked_sub(n_bytes as u64);
        self.left_bytes =
            left_bytes.ok_or_else(|| io::Error::new(io::ErrorKind::FileTooLarge, "more bytes than allowed after decompression"))?;
        Ok(n_bytes)
    }
}

fn within(bytes: Vec<u8>, limit_bytes: u64, origin: &str, stage: Stage) -> Result<Vec<u8>, Error> {
    if bytes.len() as u64 > limit_bytes {
        return Err(too_large(origin, limit_bytes, stage));
    }
    Ok(bytes)
}

#[derive(Clone, Copy)]
enum Format {
    Gzip,
    Zlib,
    Zstd,
    Xz,
}

impl Format {
    fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            // No document begins with an x; with a check in its second byte this is what HTTP calls deflate.
            [0x78, check, ..] if (0x78_00 + u16::from(*check)).is_multiple_of(31) => Some(Self::Zlib),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zlib => "zlib",
            Self::Zstd => "Zstandard",
            Self::Xz => "xz",
        }
    }

    fn reader<'a>(self, bytes: impl BufRead + 'a) -> io::Result<Box<dyn Read + 'a>> {
        Ok(match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(bytes)),
            Self::Zlib => Box::new(ZlibDecoder::new(bytes)),
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Box::new(decoder)
            }
            Self::Xz => Box::new(XzDecoder::new_stream(bytes, XzStream::new_stream_decoder(XZ_MEMORY_BYTES, CONCATENATED)?)),
        })
    }
}
