//! Consensuses in files as CollecTor hands them out: single documents, directories, monthly tars.
//!
//! Any of them may be compressed; what a file is shows in its first bytes, never in its name. Tars are streamed: no more
//! than one document is in memory. Directories are walked to the bottom in the order of names; links to directories are
//! not followed.

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::Path;

use super::tar::{Tar, is_tar};
use crate::consensus::LIMITS;
use crate::error::{Error, Stage};
use crate::read::{Limits, decompress, plain_text, stream};

/// Limits for reading a tar. A month of consensuses has 25 MB in xz, 2 GB without.
pub const ARCHIVE_LIMITS: Limits = Limits { max_compressed_bytes: 4 << 30, max_bytes: 64 << 30, max_ratio: 1000 };

/// A document found in a file.
#[derive(Debug)]
pub struct Found {
    /// File, and member where the file is an archive.
    pub origin: String,
    /// Its bytes, decompressed and as [`plain_text`], or why they cannot be had.
    pub document: Result<Vec<u8>, Error>,
    /// True if the caller named it; false if it was found in a directory or archive.
    pub is_named: bool,
}

/// Hands every document under `path` to `visit`, one by one. What cannot be read is handed over as an error, and the walk goes on.
///
/// # Errors
/// Errors that `visit` returns end the walk.
pub fn walk<E>(path: &Path, visit: &mut dyn FnMut(Found) -> Result<(), E>) -> Result<(), E> {
    if path.is_dir() { walk_directory(path, visit) } else { walk_file(path, true, visit) }
}

fn walk_directory<E>(dir: &Path, visit: &mut dyn FnMut(Found) -> Result<(), E>) -> Result<(), E> {
    let entries = fs::read_dir(dir).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>());
    let mut paths = match entries {
        Ok(paths) => paths,
        Err(source) => return visit(failure(dir, Error::Read { path: dir.to_owned(), source })),
    };
    paths.sort();
    for path in paths {
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        match fs::symlink_metadata(&path) {
            _ if is_hidden => {}
            Ok(entry) if entry.is_dir() => walk_directory(&path, visit)?,
            Ok(entry) if entry.is_symlink() => walk_link(&path, visit)?,
            Ok(_) => walk_file_or_special(&path, visit)?,
            Err(source) => visit(failure(&path, Error::Read { path: path.clone(), source }))?,
        }
    }
    Ok(())
}

/// A link to a file stands for it; one that leads nowhere or in a circle is a failure.
fn walk_link<E>(path: &Path, visit: &mut dyn FnMut(Found) -> Result<(), E>) -> Result<(), E> {
    match fs::metadata(path) {
        Ok(_) => walk_file_or_special(path, visit),
        Err(source) => visit(failure(path, Error::Read { path: path.to_owned(), source })),
    }
}

/// Pipes, sockets, devices and links to directories are no documents; opening them may take for ever.
fn walk_file_or_special<E>(path: &Path, visit: &mut dyn FnMut(Found) -> Result<(), E>) -> Result<(), E> {
    if path.is_file() {
        return walk_file(path, false, visit);
    }
    let document = Err(Error::NotFile { path: path.to_owned() });
    visit(Found { origin: path.display().to_string(), document, is_named: false })
}

fn failure(path: &Path, error: Error) -> Found {
    Found { origin: path.display().to_string(), document: Err(error), is_named: true }
}

fn walk_file<E>(path: &Path, is_named: bool, visit: &mut dyn FnMut(Found) -> Result<(), E>) -> Result<(), E> {
    let opened = File::open(path).map_err(|source| Error::Read { path: path.to_owned(), source });
    let mut reader = match opened.and_then(|file| stream(file, &path.display().to_string(), &ARCHIVE_LIMITS)) {
        Ok(reader) => BufReader::with_capacity(1 << 16, reader),
        Err(error) => return visit(failure(path, error)),
    };
    let origin = path.display().to_string();
    let mut start = Vec::new();
    if let Err(source) = reader.by_ref().take(512).read_to_end(&mut start) {
        return visit(failure(path, unreadable(&origin, source)));
    }
    let whole = start.as_slice().chain(reader);
    if is_tar(&start) {
        return walk_tar(&origin, Tar::new(whole), visit);
    }
    let document = read_document(whole, &origin);
    visit(Found { origin, document, is_named })
}

fn read_document(reader: impl Read, origin: &str) -> Result<Vec<u8>, Error> {
    let mut document = Vec::new();
    reader.take(LIMITS.max_bytes + 1).read_to_end(&mut document).map_err(|source| unreadable(origin, source))?;
    if document.len() as u64 > LIMITS.max_bytes {
        return Err(too_large(origin));
    }
    Ok(plain_text(document))
}

fn walk_tar<E, R: Read>(archive: &str, mut tar: Tar<R>, visit: &mut dyn FnMut(Found) -> Result<(), E>) -> Result<(), E> {
    loop {
        let member = match tar.next() {
            Ok(Some(member)) => member,
            Ok(None) => return Ok(()),
            Err(source) => return visit(Found { origin: archive.to_owned(), document: Err(unreadable(archive, source)), is_named: true }),
        };
        let origin = format!("{archive}:{}", member.name);
        if member.size_bytes > LIMITS.max_bytes {
            visit(Found { document: Err(too_large(&origin)), origin, is_named: false })?;
            continue;
        }
        let document = match tar.content() {
            Ok(content) => decompress(content, &origin, &LIMITS).map(plain_text),
            Err(source) => return visit(Found { document: Err(unreadable(&origin, source)), origin, is_named: true }),
        };
        visit(Found { origin, document, is_named: false })?;
    }
}

fn too_large(origin: &str) -> Error {
    Error::TooLarge { origin: origin.to_owned(), limit_bytes: LIMITS.max_bytes, stage: Stage::Decompressed }
}

fn unreadable(origin: &str, source: std::io::Error) -> Error {
    Error::Archive { origin: origin.to_owned(), source }
}
