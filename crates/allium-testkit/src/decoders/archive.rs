//! Files as CollecTor and others hand them out: its index, archives, compression.

use std::collections::hash_map::DefaultHasher;
use std::convert::Infallible;
use std::hash::{Hash as _, Hasher as _};
use std::io::Write;

use allium_sources::collector::archive::{Found, walk};
use allium_sources::collector::index::Index;
use allium_sources::consensus::{Flavour, LIMITS};
use allium_sources::read::{Limits, decompress, read_file};

use super::common::{Scratch, twice};

/// Up to this size no ratio is held against a document.
const RATIO_FREE_BYTES: u64 = 16 << 20;

thread_local! {
    static SCRATCH: Scratch = Scratch::new();
}

pub(crate) fn index(bytes: &[u8]) {
    for flavour in [Flavour::Ns, Flavour::Microdesc] {
        let Some(Index { consensuses, certificates, .. }) = twice(|| Index::read(bytes, "input", flavour)) else { continue };
        assert!(consensuses.is_sorted_by(|a, b| a.hour >= b.hour), "the latest come first");
        assert!(certificates.len() <= 100);
        for path in consensuses.iter().map(|listed| &listed.path).chain(&certificates) {
            assert!(path.starts_with("recent/relay-descriptors/") && path.len() < 400, "{path:?}");
            let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
            assert!(path.chars().all(is_plain) && !path.contains("/.") && !path.contains("//"), "it leads elsewhere: {path:?}");
        }
        let name = flavour.resource();
        assert!(consensuses.iter().all(|listed| listed.path.ends_with(&format!("-{name}"))));
    }
}

/// Content of an archive: origin, and size and digest or the error.
type Walked = Vec<(String, Result<(u64, u64), String>)>;

pub(crate) fn walked(bytes: &[u8]) {
    SCRATCH.with(|scratch| {
        let path = scratch.file("archive", bytes);
        let found = twice(|| {
            let mut all: Walked = Vec::new();
            walk::<Infallible>(&path, &mut |Found { origin, document, .. }| {
                all.push((origin, document.map(|document| sized(&document)).map_err(|error| error.to_string())));
                Ok(())
            })?;
            Ok::<_, Infallible>(all)
        });
        let (found, file) = (found.unwrap_or_default(), path.display().to_string());
        assert!(!found.is_empty() || bytes.len() >= 512, "every file has an outcome");
        for (origin, document) in found {
            assert!(document.as_ref().is_ok_and(|(size_bytes, _)| *size_bytes <= LIMITS.max_bytes) || document.is_err());
            match origin.strip_prefix(&file) {
                Some("") => same_as_decompressed(bytes, document.ok()),
                Some(member) => assert!(member.starts_with(':') && member.len() <= 401, "{member:?}"),
                None => panic!("{origin:?} is somewhere else"),
            }
        }
    });
}

fn same_as_decompressed(bytes: &[u8], document: Option<(u64, u64)>) {
    if let Some(document) = document {
        let plain = decompress(bytes.to_vec(), "input", &LIMITS).expect("the walk could do it");
        assert_eq!(sized(&plain), document);
    }
}

fn sized(document: &[u8]) -> (u64, u64) {
    let mut hasher = DefaultHasher::new();
    document.hash(&mut hasher);
    (document.len() as u64, hasher.finish())
}

pub(crate) fn compression(bytes: &[u8]) {
    let small = Limits { max_compressed_bytes: 1 << 20, max_bytes: 1 << 20, max_ratio: 100 };
    let within_small = twice(|| decompress(bytes.to_vec(), "input", &small));
    if let Some(plain) = &within_small {
        assert!(plain.len() as u64 <= small.max_bytes);
        let large = decompress(bytes.to_vec(), "input", &Limits::default()).expect("larger limits allow more");
        assert_eq!(&large, plain);
    } else if let Ok(plain) = decompress(bytes.to_vec(), "input", &Limits::default()) {
        assert!(plain.len() as u64 > small.max_bytes && plain.len() as u64 <= RATIO_FREE_BYTES.max(1000 * bytes.len() as u64));
    }
    SCRATCH.with(|scratch| {
        let path = scratch.file("compressed", bytes);
        assert_eq!(read_file(&path, &small).ok(), within_small, "a file and its bytes");
    });
    for compressed in encodings(bytes) {
        let plain = decompress(compressed.clone(), "input", &Limits::default()).expect("a whole stream");
        assert!(plain == bytes, "compressed and back");
        let cut = compressed[..compressed.len() - 1].to_vec();
        assert!(decompress(cut, "input", &Limits::default()).is_err(), "a stream without its last byte");
    }
}

/// The bytes in every compression.
pub(crate) fn encodings(bytes: &[u8]) -> [Vec<u8>; 4] {
    const IN_MEMORY: &str = "memory takes all bytes";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 0);
    gzip.write_all(bytes).and_then(|()| zlib.write_all(bytes)).and_then(|()| xz.write_all(bytes)).expect(IN_MEMORY);
    let [gzip, zlib, xz] = [gzip.finish(), zlib.finish(), xz.finish()].map(|stream| stream.expect(IN_MEMORY));
    [gzip, zlib, xz, zstd::encode_all(bytes, 1).expect(IN_MEMORY)]
}
