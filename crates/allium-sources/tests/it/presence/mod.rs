//! Promises of the decoder of presence packs, through its public interface.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests may stop at the first surprise and say what they skip")]

mod bad;
mod pack;

use std::path::{Path, PathBuf};

use allium_model::Bounds;
use allium_sources::Error;
use allium_sources::presence::{Files, Pack, decode_files};
use allium_sources::read::Limits;
use allium_testkit::spans_file::{Form, spans_as_parquet};

const ALICE: &str = "0011223344556677889900112233445566778899";
const DORA: &str = "1122334455667788990011223344556677889900";
const NAMELESS: &str = "2233445566778899001122334455667788990011";

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/presence").join(name)
}

/// Decodes the pack of a directory below `testdata/presence`, its spans written as Parquet.
fn decode(dir: &str, form: Form) -> Result<Pack, Error> {
    let scratch = tempfile::tempdir().unwrap();
    let spans = scratch.path().join("spans.parquet");
    let text = std::fs::read_to_string(testdata(dir).join("spans.csv")).unwrap();
    std::fs::write(&spans, spans_as_parquet(&text, form)).unwrap();
    let (snapshots, relays) = (testdata(dir).join("snapshots.csv"), testdata(dir).join("relays.csv"));
    decode_files(&Files { snapshots: &snapshots, spans: &spans, relays: &relays }, &Limits::default(), Bounds::default())
}
