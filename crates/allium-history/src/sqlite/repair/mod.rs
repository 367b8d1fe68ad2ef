//! Repair: a sound store out of a damaged file.
//!
//! The damaged file is only read. Its copy takes in the log, damaged pages are found by their sums, and those that are alone in their
//! group are made again from parity, byte for byte. If that is all of them, the copy is the repaired store. Otherwise the rows on sound pages
//! go into an empty store, and what rests on lost ones is forgotten ([`settle`]): hours whose list is no longer complete become unknown,
//! relays without their attributes undescribed. Sources give such things again; notes and tokens nobody does, so they are kept by all means.

mod image;
mod judge;
mod record;
mod rows;
mod salvage;
mod settle;

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use self::image::Image;
use self::judge::{Judgement, judge};
use super::connection::SqliteStore;
use super::sums::page::PageNumber;
use crate::error::Error;
use crate::report::Repaired;
use crate::store::Upkeep as _;
use crate::url::{StoreUrl, folder};

/// Makes a sound store at `to`, where no file is, of the damaged one at `from`, which stays as it is.
pub(crate) fn repair(from: &Path, to: &Path) -> Result<Repaired, Error> {
    if to.exists() {
        return Err(Error::Exists { path: to.to_path_buf() });
    }
    if !from.exists() {
        return Err(Error::Missing { store: from.into() });
    }
    let scratch = Scratch::new(folder(to), from.into())?;
    let mut report = Repaired::default();
    let copy = scratch.file("copy");
    copy_with_log(from, &copy, &mut report)?;
    let sound = restored(&copy, &mut report)?.map_or_else(|image| salvage::salvage(&image, &scratch, &mut report), Ok)?;
    std::fs::rename(sound, to).map_err(|source| Error::Io { path: to.to_path_buf(), source })?;
    Ok(report)
}

/// The copy, if every damaged page could be made again; else what is known of it.
fn restored(copy: &Path, report: &mut Repaired) -> Result<Result<PathBuf, Judged>, Error> {
    let failed = |source| Error::Io { path: copy.to_path_buf(), source };
    let mut image = Image::open(copy).map_err(failed)?;
    let judgement = judge(&mut image);
    report.damaged = image.damaged.iter().copied().collect();
    let restored: Vec<PageNumber> = judgement.restore(&mut image).map_err(failed)?;
    report.restored = restored;
    report.is_judged = judgement.is_complete;
    let is_whole = image.damaged.is_empty() && judgement.is_complete;
    if let Some(seal) = judgement.seal.as_ref().filter(|_| is_whole) {
        image.finish(seal.n_pages).map_err(failed)?;
        drop(image);
        if is_sound(copy) {
            return Ok(Ok(copy.to_path_buf()));
        }
        image = Image::open(copy).map_err(failed)?;
    }
    Ok(Err(Judged { image, judgement }))
}

/// A file and what is known of its pages.
struct Judged {
    image: Image,
    judgement: Judgement,
}

fn is_sound(store: &Path) -> bool {
    SqliteStore::open_read_only(store).and_then(|store| store.check()).is_ok_and(|report| report.is_sound())
}

/// Copies the file, with the changes that wait in its log.
fn copy_with_log(from: &Path, to: &Path, report: &mut Repaired) -> Result<(), Error> {
    let copy = |from: &Path, to: &Path| std::fs::copy(from, to).map_err(|source| Error::Io { path: to.to_path_buf(), source });
    copy(from, to)?;
    let (log, log_copy) = (StoreUrl::from(from).with_suffix("-wal"), StoreUrl::from(to).with_suffix("-wal"));
    if std::fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        copy(&log, &log_copy)?;
        report.is_log_lost = take_in_log(to).is_err();
        for suffix in ["-wal", "-shm"] {
            // Whatever SQLite could not take in must not be taken in later.
            let _ = std::fs::remove_file(StoreUrl::from(to).with_suffix(suffix));
        }
    }
    Ok(())
}

fn take_in_log(store: &Path) -> rusqlite::Result<()> {
    let conn = Connection::open_with_flags(store, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// A folder for copies, gone with the value.
struct Scratch {
    folder: PathBuf,
    /// The store that is repaired, for messages.
    store: StoreUrl,
}

impl Scratch {
    fn new(beside: &Path, store: StoreUrl) -> Result<Self, Error> {
        let path = beside.join(format!(".allium-repair-{}", std::process::id()));
        // Left by an earlier program with the same process number.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).map_err(|source| Error::Io { path: path.clone(), source })?;
        Ok(Self { folder: path, store })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Space is all that a copy left behind costs.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
