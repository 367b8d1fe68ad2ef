//! Large answers in files without a name, plain and as gzip, from which every reader takes a piece at a time at its own pace.
//!
//! The files have a budget. Where a new one does not fit, the oldest is cut: whoever still reads it after all that time loses the
//! connection, so that slow readers cost disk that is bounded and no memory.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use axum::body::{Body, Bytes};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream;

/// Bytes that a reader holds at a time.
const PIECE: usize = 64 << 10;

/// A large answer in a file.
#[derive(Debug)]
pub(crate) struct Export {
    file: File,
    /// Bytes of the plain form, and behind it of gzip.
    lens: [u64; 2],
    is_cut: AtomicBool,
}

/// A form of a large answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Plain,
    Gzip,
}

/// Large answers, the oldest first, and the bytes that they may take.
#[derive(Debug)]
pub(crate) struct Exports {
    max_bytes: u64,
    known: Mutex<VecDeque<Weak<Export>>>,
}

impl Exports {
    pub(crate) fn new(max_bytes: u64) -> Self {
        Self { max_bytes, known: Mutex::default() }
    }

    /// Writes a large answer to a file.
    ///
    /// # Errors
    /// If there is no room for it on the disk, or within the budget.
    pub(crate) fn write(&self, body: &[u8]) -> io::Result<Arc<Export>> {
        if body.len() as u64 > self.max_bytes / 2 {
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, "the answer is larger than half of serve.exports_mb"));
        }
        let mut file = tempfile::tempfile()?;
        file.write_all(body)?;
        let mut gzip = GzEncoder::new(io::BufWriter::new(file), Compression::fast());
        gzip.write_all(body)?;
        let mut file = gzip.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        let plain = body.len() as u64;
        let lens = [plain, file.stream_position()? - plain];
        let export = Arc::new(Export { file, lens, is_cut: AtomicBool::new(false) });
        self.admit(&export);
        Ok(export)
    }

    fn admit(&self, export: &Arc<Export>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|known| known.strong_count() > 0);
        known.push_back(Arc::downgrade(export));
        let mut n_bytes: u64 = known.iter().filter_map(Weak::upgrade).map(|export| export.n_bytes()).sum();
        while n_bytes > self.max_bytes && known.len() > 1 {
            if let Some(oldest) = known.pop_front().and_then(|oldest| oldest.upgrade()) {
                n_bytes = n_bytes.saturating_sub(oldest.n_bytes());
                oldest.cut();
            }
        }
    }

    /// Bytes of disk that large answers take.
    pub(crate) fn n_bytes(&self) -> u64 {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().filter_map(Weak::upgrade).map(|export| export.n_bytes()).sum()
    }
}

impl Export {
    fn n_bytes(&self) -> u64 {
        self.lens.iter().sum()
    }

    /// Gives its disk back; readers find that it ends early.
    fn cut(&self) {
        self.is_cut.store(true, Ordering::Relaxed);
        if let Err(error) = self.file.set_len(0) {
            tracing::warn!(%error, "the file of a large answer could not be cut");
        }
    }

    /// False if it was cut.
    pub(crate) fn is_whole(&self) -> bool {
        !self.is_cut.load(Ordering::Relaxed)
    }

    /// Bytes of a form.
    pub(crate) const fn len(&self, part: Part) -> u64 {
        self.lens[part as usize]
    }

    /// A form, read as its reader takes it.
    pub(crate) fn body(self: Arc<Self>, part: Part) -> Body {
        let start = if part == Part::Gzip { self.lens[0] } else { 0 };
        let end = start + self.len(part);
        Body::from_stream(stream::try_unfold((self, start), move |(export, at)| async move {
            if at == end {
                return Ok(None);
            }
            let n = usize::try_from(end - at).unwrap_or(PIECE).min(PIECE);
            let reading = Arc::clone(&export);
            let piece = tokio::task::spawn_blocking(move || reading.piece(at, n)).await.map_err(io::Error::other)??;
            Ok::<_, io::Error>(Some((piece, (export, at + n as u64))))
        }))
    }

    fn piece(&self, at: u64, n: usize) -> io::Result<Bytes> {
        let mut piece = vec![0; n];
        self.file.read_exact_at(&mut piece, at)?;
        Ok(piece.into())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

    use std::io::Read as _;

    use axum::body::to_bytes;

    use super::*;

    /// Text that compresses, as lists do.
    fn text(n: usize) -> Vec<u8> {
        (0..n).map(|i| b"relay,"[i % 6] + u8::from(i % 1_000 == 0)).collect()
    }

    #[tokio::test]
    async fn both_forms_say_the_same() {
        let (exports, text) = (Exports::new(1 << 20), text(300_001));
        let export = exports.write(&text).unwrap();
        let [plain, gzip] = [Part::Plain, Part::Gzip].map(|part| (export.len(part), Arc::clone(&export).body(part)));
        assert_eq!((plain.0, to_bytes(plain.1, usize::MAX).await.unwrap().as_ref()), (300_001, text.as_slice()));
        let bytes = to_bytes(gzip.1, usize::MAX).await.unwrap();
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(bytes.as_ref()).read_to_end(&mut unpacked).unwrap();
        assert_eq!((gzip.0, unpacked == text), (bytes.len() as u64, true));
        assert!(gzip.0 < 30_000, "{}", gzip.0);
    }

    #[tokio::test]
    async fn the_oldest_is_cut_where_the_budget_ends_and_its_readers_are_not_told_that_it_was_whole() {
        let exports = Exports::new(1 << 20);
        let first = exports.write(&text(400_000)).unwrap();
        let second = exports.write(&text(500_000)).unwrap();
        assert!(first.is_whole() && second.is_whole());
        let _third = exports.write(&text(400_000)).unwrap();
        assert!(!first.is_whole() && second.is_whole());
        assert!(to_bytes(first.body(Part::Plain), usize::MAX).await.is_err());
        assert_eq!(to_bytes(second.body(Part::Plain), usize::MAX).await.unwrap().len(), 500_000);
        assert!(exports.n_bytes() <= 1 << 20);
        assert!(exports.write(&text(600_000)).is_err());
    }
}
