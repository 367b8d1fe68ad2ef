//! Promises of the decoders and the client, through their public interface. No network but loopback.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests may stop at the first surprise and say what they skip")]

mod bad;
mod client;
mod documents;
mod endless;
mod files;
mod frozen;
mod graphs;
mod numbers;
mod real;
mod times;

use std::path::{Path, PathBuf};

use allium_model::{Bounds, DocumentKind, Reject};
use allium_sources::Error;
use allium_sources::onionoo::{DetailsDocument, Document, HistoriesDocument, decode};

const ALICE: &str = "0011223344556677889900112233445566778899";
const BOB: &str = "AABBCCDDEEFF00112233445566778899AABBCCDD";

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/onionoo")
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(testdata().join(name)).unwrap()
}

/// A document as of 2026-02-15T18:00:00Z with these entries.
fn document(entries: &str) -> String {
    format!(r#"{{"version":"8.0","relays_published":"2026-02-15 18:00:00","relays":[{entries}],"bridges":[]}}"#)
}

fn details(bytes: &[u8]) -> Result<DetailsDocument, Error> {
    match decode(DocumentKind::Details, bytes, "test", Bounds::default())? {
        Document::Details(details) => Ok(details),
        other => panic!("{other:?}"),
    }
}

fn histories(kind: DocumentKind, bytes: &[u8]) -> Result<HistoriesDocument, Error> {
    match decode(kind, bytes, "test", Bounds::default())? {
        Document::Histories(histories) => Ok(histories),
        other => panic!("{other:?}"),
    }
}

fn uptime(bytes: &[u8]) -> HistoriesDocument {
    histories(DocumentKind::Uptime, bytes).unwrap()
}

/// Rejects as lines of `location: reason`.
fn lines(rejects: &[Reject]) -> Vec<String> {
    rejects.iter().map(|reject| format!("{}: {}", reject.location, reject.reason)).collect()
}
