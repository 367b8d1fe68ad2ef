//! Documents in files: single, in directories, in tars, plain and compressed.

use std::convert::Infallible;
use std::io::Write;
use std::path::Path;

use allium_sources::Error;
use allium_sources::collector::archive::{Found, walk};
use allium_sources::consensus::{Batch, decode};
use allium_testkit::tar::tar;

use super::{good, read};

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn xz(plain: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 0);
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// Result of a walk: the beginning of each document, or the error.
fn found(path: &Path) -> Vec<(String, Result<String, String>)> {
    let mut all = Vec::new();
    let Ok(()) = walk::<Infallible>(path, &mut |Found { origin, document, .. }| {
        let origin = origin.strip_prefix(&path.display().to_string()).unwrap().to_owned();
        let outcome = document.and_then(|bytes| decode(&bytes, "")).map(|consensus| consensus.hour.to_string());
        all.push((origin, outcome.map_err(|error| with_cause(&error))));
        Ok(())
    });
    all
}

fn with_cause(error: &Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

fn found_in(bytes: &[u8]) -> Vec<(String, Result<String, String>)> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    std::fs::write(&path, bytes).unwrap();
    found(&path)
}

#[test]
fn tars_are_read_plain_and_in_every_compression() {
    let (ns, old) = (read("ns"), read("2014"));
    let archive = tar(&[("consensuses-2026-02/15/x", b'0', &ns), ("consensuses-2026-02/", b'5', b""), ("y", b'0', &xz(&old))]);
    let expected = [
        (":consensuses-2026-02/15/x".to_owned(), Ok("2026-02-15T18:00:00Z".to_owned())),
        (":y".to_owned(), Ok("2014-12-08T18:00:00Z".to_owned())),
    ];
    for bytes in [archive.clone(), gzip(&archive), xz(&archive), zstd::encode_all(archive.as_slice(), 1).unwrap()] {
        assert_eq!(found_in(&bytes), expected);
    }
}

#[test]
fn names_in_tars_never_become_paths() {
    let ns = read("ns");
    let outside = found_in(&tar(&[("../../../../etc/passwd", b'0', &ns), ("/absolute", b'2', b""), ("", b'0', &ns)]));
    assert_eq!(outside.len(), 2);
    assert_eq!(outside[0].0, ":../../../../etc/passwd");
    assert!(outside.iter().all(|(_, document)| document.is_ok()));
}

#[test]
fn a_tar_cut_anywhere_is_told_from_a_whole_one() {
    let archive = tar(&[("x", b'0', &read("ns")), ("y", b'0', &read("2014"))]);
    let (first, end) = (512 + read("ns").len(), archive.len() - 1024);
    let second = first.next_multiple_of(512) + 512 + read("2014").len();
    for len in (512..end).step_by(100).chain([1024, end]) {
        let all = found_in(&archive[..len]);
        assert!(all.last().unwrap().1.is_err(), "{len}");
        assert_eq!(
            all.iter().filter(|(_, document)| document.is_ok()).count(),
            usize::from(len >= first) + usize::from(len >= second),
            "{len}"
        );
    }
}

#[test]
fn damaged_archives_are_errors_and_never_panic() {
    let archive = tar(&[("x", b'0', &read("ns")), ("y", b'0', &read("2014"))]);
    for offset in (0..512).step_by(3).chain((archive.len() - 1100..archive.len()).step_by(30)) {
        for byte in [0xff, b'7', 0x80] {
            let mut damaged = archive.clone();
            damaged[offset] = byte;
            let _ = found_in(&damaged);
        }
    }
    let compressed = xz(&archive);
    assert!(found_in(&compressed[..compressed.len() / 2]).last().unwrap().1.is_err());
}

#[test]
fn members_above_the_cap_are_errors_and_the_rest_is_read() {
    let large = vec![b'n'; (64 << 20) + 1];
    let all = found_in(&tar(&[("large", b'0', &large), ("x", b'0', &read("ns"))]));
    assert!(all[0].1.as_ref().unwrap_err().ends_with("file:large: more than 67108864 bytes after decompression"), "{all:?}");
    assert!(all[1].1.is_ok());
}

#[test]
fn bombs_stop_at_the_ratio() {
    let bomb = zstd::encode_all(tar(&[("bomb", b'0', &vec![0; 200 << 20])]).as_slice(), 3).unwrap();
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    let all = found_in(&bomb);
    assert!(all.iter().all(|(_, document)| document.is_err()), "{all:?}");
}

#[test]
fn directories_are_walked_to_the_bottom_in_order() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("b/c")).unwrap();
    for (name, content) in [("z", read("ns")), ("b/c/x.gz", gzip(&read("2014"))), ("b/README", b"words".to_vec()), (".hidden", read("ns"))]
    {
        std::fs::write(dir.path().join(name), content).unwrap();
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(dir.path(), dir.path().join("b/loop")).unwrap();
    let names: Vec<String> = found(dir.path()).into_iter().map(|(name, _)| name).collect();
    let not_followed: &[&str] = if cfg!(unix) { &["/b/loop"] } else { &[] };
    assert_eq!(names, [&["/b/README", "/b/c/x.gz"], not_followed, &["/z"]].concat());
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_named_and_never_opened() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    std::fs::write(path("z"), read("ns")).unwrap();
    std::os::unix::fs::symlink(path("z"), path("a-link")).unwrap();
    std::os::unix::fs::symlink(path("circle"), path("circle")).unwrap();
    std::os::unix::fs::symlink(path("nowhere"), path("dangling")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
    let found: Vec<_> = found(dir.path()).into_iter().map(|(name, outcome)| (name, outcome.is_ok())).collect();
    let expected = [("/a-link", true), ("/circle", false), ("/dangling", false), ("/pipe", false), ("/socket", false), ("/z", true)];
    assert_eq!(found, expected.map(|(name, is_ok)| (name.to_owned(), is_ok)));
}

#[test]
fn batches_say_what_their_consensuses_say() {
    let first = good("microdesc");
    let consensus = |hours: i32, without: usize| {
        let mut consensus = first.clone();
        consensus.hour = first.hour.plus(hours);
        consensus.entries.remove(without);
        consensus
    };
    // Entry 3 is not Running. Hour 2 is missing.
    let all = [consensus(0, 3), consensus(1, 0), consensus(3, 3), consensus(4, 1)];
    for order in [[0, 1, 2, 3], [3, 1, 0, 2], [2, 3, 1, 0]] {
        let mut batch = Batch::default();
        for index in order {
            assert!(batch.add(&all[index]));
            assert!(!batch.add(&all[index]));
        }
        let spans: Vec<_> = batch
            .spans()
            .into_iter()
            .map(|(relay, span)| (relay, span.start.hours_since(first.hour), span.end.hours_since(first.hour)))
            .collect();
        let relay = |index: usize| first.entries[index].fingerprint;
        assert_eq!(spans, [(relay(0), 0, 1), (relay(0), 3, 5), (relay(1), 0, 4), (relay(2), 0, 5)]);
        assert_eq!((batch.n_listed(), batch.hours().count()), (10, 4));
    }
}
