//! Files: every compression, and bombs.

use std::io::Write;

use allium_model::Bounds;
use allium_sources::Error;
use allium_sources::error::Stage;
use allium_sources::onionoo::decode_file;
use allium_sources::read::{Limits, decompress, read_file};

use super::read;

const SMALL: Limits = Limits { max_compressed_bytes: 1 << 20, max_bytes: 1 << 20, max_ratio: 1000 };

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn zstandard(plain: &[u8]) -> Vec<u8> {
    zstd::encode_all(plain, 1).unwrap()
}

fn xz(plain: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

type Compress = fn(&[u8]) -> Vec<u8>;

const COMPRESSIONS: [Compress; 3] = [gzip, zstandard, xz];

#[test]
fn compression_is_recognised_by_its_first_bytes() {
    let dir = tempfile::tempdir().unwrap();
    // The name promises something else on purpose.
    let path = dir.path().join("details.json.bz2");
    for compress in COMPRESSIONS {
        std::fs::write(&path, compress(&read("details.json"))).unwrap();
        assert_eq!(decode_file(&path, &Limits::default(), Bounds::default()).unwrap().n_relays(), 3);
    }
}

#[test]
fn several_compressed_parts_are_one_document() {
    for compress in COMPRESSIONS {
        let parts = [compress(b"one "), compress(b"two")].concat();
        assert_eq!(decompress(parts, "test", &SMALL).unwrap(), b"one two");
    }
}

fn check_bomb(bomb: Vec<u8>) {
    let error = decompress(bomb.clone(), "bomb", &SMALL).unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit_bytes: 1_048_576, stage: Stage::Decompressed, .. }), "{error}");
    // Under the cap on bytes, but suspiciously well compressed.
    let by_ratio = Limits { max_bytes: 1 << 30, max_ratio: 10, ..SMALL };
    assert!(matches!(decompress(bomb, "bomb", &by_ratio), Err(Error::TooLarge { .. })));
}

#[test]
fn a_gzip_bomb_stops_at_the_cap() {
    check_bomb(gzip(&vec![0; 64 << 20]));
}

#[test]
fn a_zstd_bomb_stops_at_the_cap() {
    check_bomb(zstandard(&vec![0; 64 << 20]));
}

#[test]
fn an_xz_bomb_stops_at_the_cap() {
    check_bomb(xz(&vec![0; 64 << 20]));
}

#[test]
fn a_document_ten_times_too_large_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("details.json");
    std::fs::write(&path, vec![b' '; 10 << 20]).unwrap();
    let error = read_file(&path, &SMALL).unwrap_err();
    assert_eq!(error.to_string(), format!("{}: more than 1048576 bytes after decompression", path.display()));
    assert!(matches!(decompress(vec![b' '; 10 << 20], "test", &SMALL), Err(Error::TooLarge { .. })));
}

#[test]
fn a_compressed_document_cut_anywhere_is_damaged() {
    let plain: Vec<u8> = (0..50_000u32).flat_map(u32::to_le_bytes).collect();
    for compress in COMPRESSIONS {
        let whole = compress(&plain);
        for len in (6..whole.len()).step_by(997).chain([whole.len() - 1]) {
            match decompress(whole[..len].to_vec(), "cut", &SMALL) {
                Err(Error::Compression { .. }) => {}
                other => panic!("cut at {len}: {:?}", other.map(|bytes| bytes.len())),
            }
        }
    }
}

#[test]
fn a_missing_file_is_named() {
    let error = read_file("/nonexistent/details.json".as_ref(), &SMALL).unwrap_err();
    assert_eq!(error.to_string(), "cannot read /nonexistent/details.json");
}
