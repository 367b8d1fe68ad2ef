//! [`Upkeep`] in SQLite.

use std::fs::File;
use std::path::{Path, PathBuf};

use allium_model::{Bounds, ConsensusHour};

use super::connection::SqliteStore;
use super::{check, compact, mend, prune, stats};
use crate::error::Error;
use crate::report::{CheckReport, Mended, Pruned, Stats};
use crate::store::Upkeep;

impl Upkeep for SqliteStore {
    fn stats(&self) -> Result<Stats, Error> {
        self.read(stats::stats)
    }

    fn check(&self) -> Result<CheckReport, Error> {
        self.read_unverified(check::check)
    }

    fn prune(&mut self, before: ConsensusHour) -> Result<Pruned, Error> {
        self.write(|conn| prune::prune(conn, before.get()))
    }

    fn mend(&mut self, bounds: Bounds) -> Result<Mended, Error> {
        self.write(|conn| mend::mend(conn, bounds))
    }

    fn try_mending(&mut self, bounds: Bounds) -> Result<Mended, Error> {
        self.try_out(|conn| mend::mend(conn, bounds))
    }

    fn compact(&mut self) -> Result<(), Error> {
        self.read(|_| Ok(()))?;
        self.compacted().map_err(|failure| self.named(failure))
    }

    fn backup(&self, to: &Path) -> Result<(), Error> {
        if to.exists() {
            return Err(Error::Exists { path: to.to_path_buf() });
        }
        self.read(|_| Ok(()))?;
        let mut partial = to.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        remove_if_there(&partial)?;
        let copied = copy(self, &partial, to);
        if copied.is_err() {
            // A disk that is full should not stay so for a copy that nobody can use; the error at hand is the one that matters.
            let _ = remove_if_there(&partial);
        }
        copied
    }
}

/// Copies the store to `partial`, and once that is on the disk gives it the name `to`.
fn copy(store: &SqliteStore, partial: &Path, to: &Path) -> Result<(), Error> {
    store.without_transaction(|conn| compact::copy(conn, partial)).map_err(|failure| failure.at(&partial.into()))?;
    let synced = File::open(partial).and_then(|file| file.sync_all());
    synced.and_then(|()| std::fs::rename(partial, to)).map_err(|source| Error::Io { path: to.to_path_buf(), source })
}

/// Removes what a backup left that was not completed.
fn remove_if_there(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(Error::Io { path: path.to_path_buf(), source }),
        _ => Ok(()),
    }
}
