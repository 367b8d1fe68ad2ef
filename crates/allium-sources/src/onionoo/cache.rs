//! The newest good document of each kind on disk.
//!
//! A document is two files: `details.body`, the bytes as the server sent them, and `details.json` with the address they came from, their
//! number, the server's `Last-Modified` and the consensus they are as of. Each is written to a temporary name, synced and renamed, the
//! body first: after a crash in between, the old description does not fit the length of the new body, and the next request is
//! unconditional.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use allium_model::{ConsensusHour, DocumentKind};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::read::{Limits, read_file};

/// The documents that a client keeps.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    dir: PathBuf,
}

/// Description of a kept document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) base_url: String,
    pub(super) last_modified: Option<String>,
    pub(super) published: ConsensusHour,
    pub(super) n_bytes: u64,
}

/// [`Kept`] as it is written. Stable: members are added, never changed; unknown ones are ignored.
#[derive(Serialize, Deserialize)]
struct Description {
    base_url: String,
    last_modified: Option<String>,
    published: String,
    n_bytes: u64,
}

impl Cache {
    /// Opens the directory, creating it where needed.
    pub(super) fn open(dir: &Path) -> Result<Self, Error> {
        fs::create_dir_all(dir).map_err(|source| Error::Cache { path: dir.to_owned(), source })?;
        Ok(Self { dir: dir.to_owned() })
    }

    /// Description of the kept document of this kind from this server; `None` if there is none, or it is unreadable.
    pub(super) fn kept(&self, kind: DocumentKind, base_url: &str) -> Option<Kept> {
        let text = fs::read(self.path(kind, "json")).ok()?;
        let description: Description = serde_json::from_slice(&text).ok()?;
        let Description { base_url: kept_url, last_modified, published, n_bytes } = description;
        let kept = Kept { base_url: kept_url, last_modified, published: published.parse().ok()?, n_bytes };
        (kept.base_url == base_url).then_some(kept)
    }

    /// True if the body is there in full.
    pub(super) fn has_body(&self, kind: DocumentKind, kept: &Kept) -> bool {
        fs::metadata(self.path(kind, "body")).is_ok_and(|file| file.is_file() && file.len() == kept.n_bytes)
    }

    /// The kept document, decompressed.
    pub(super) fn body(&self, kind: DocumentKind, limits: &Limits) -> Result<Vec<u8>, Error> {
        read_file(&self.path(kind, "body"), limits)
    }

    /// Replaces the kept document of this kind.
    pub(super) fn keep(&self, kind: DocumentKind, kept: &Kept, body: &[u8]) -> Result<(), Error> {
        let description = Description {
            base_url: kept.base_url.clone(),
            last_modified: kept.last_modified.clone(),
            published: kept.published.to_string(),
            n_bytes: kept.n_bytes,
        };
        let text = serde_json::to_vec(&description).expect("text and numbers can be written as JSON");
        self.replace(&self.path(kind, "body"), body)?;
        self.replace(&self.path(kind, "json"), &text)
    }

    fn path(&self, kind: DocumentKind, extension: &str) -> PathBuf {
        self.dir.join(format!("{kind}.{extension}"))
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let replaced = self.write_beside(path, bytes);
        replaced.map_err(|source| Error::Cache { path: path.to_owned(), source })
    }

    fn write_beside(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let part = path.with_file_name(name);
        let written = write_synced(&part, bytes).and_then(|()| fs::rename(&part, path));
        if written.is_err() {
            // The error at hand matters more than one of cleaning up.
            let _ = fs::remove_file(&part);
        }
        written?;
        File::open(&self.dir)?.sync_all()
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
