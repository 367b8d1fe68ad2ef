//! The embedded store: one SQLite file with a write-ahead log beside it while it is open.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use allium_model::{ConsensusHour, Fingerprint, NetworkRecord, ProofStanding, Relay, RelayState, SourceReport, StateSpan, Timestamp};
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::error::{Error, Failure};
use crate::history::{
    Applied, AppliedPack, AppliedSpans, CheckReport, ConsensusInfo, ConsensusWeights, Event, ExactHistory, FullConsensus, GroupHour,
    GroupKey, Grouping, History, KnownConsensus, Listed, Pruned, RelayDay, SourceVisit, Stats, Update,
};
use crate::relays::RelayIds;
use crate::timeline::{self, Timeline};
use crate::{check, describe, documents, events, exact, load, measures, proofs, prune, schema, sizes, sources, spans};

/// How long a writer waits for another one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A [`History`] in an SQLite file.
///
/// Each change is one transaction: after a crash at any moment the file holds all of it or nothing. Another process may
/// read the same file at any time, and write between two changes.
#[derive(Debug)]
pub struct SqliteHistory {
    conn: Connection,
    path: PathBuf,
}

impl SqliteHistory {
    /// Opens a store for writing; creates it if there is none, and brings an older format to the present one.
    ///
    /// # Errors
    /// [`Error::NotAStore`], [`Error::FutureVersion`], [`Error::Corrupt`]; [`Error::ReadOnly`] and [`Error::Sqlite`] if the
    /// file or its directory cannot be written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        Self::prepare_writer(path, flags).map_err(|failure| failure.at(path))
    }

    /// Opens a store for reading; others may write to it meanwhile.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::NotAStore`], [`Error::FutureVersion`], [`Error::PastVersion`], [`Error::Corrupt`].
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        if !path.exists() {
            return Err(Error::Missing { path: path.to_path_buf() });
        }
        let opened = match Self::prepare_reader(path) {
            Err(failure) if failure.is_unfinished_change() => roll_back(path).and_then(|()| Self::prepare_reader(path)),
            opened => opened,
        };
        opened.map_err(|failure| failure.at(path))
    }

    /// A store that is gone when the value is dropped.
    ///
    /// # Errors
    /// [`Error::Sqlite`] if there is not enough memory.
    pub fn open_in_memory() -> Result<Self, Error> {
        let path = Path::new(":memory:");
        Self::prepare_writer(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(|failure| failure.at(path))
    }

    /// Sets how long to wait for another writer before [`Error::Locked`]; 5 seconds unless set.
    ///
    /// # Errors
    /// Never for a store that is open.
    pub fn set_busy_timeout(&mut self, timeout: Duration) -> Result<(), Error> {
        self.conn.busy_timeout(timeout).map_err(|error| Failure::from(error).at(&self.path))
    }

    /// Lets the file grow to at most this size, or stay as it is where it is larger; writes beyond end in [`Error::DiskFull`].
    ///
    /// # Errors
    /// Never for a store that is open.
    pub fn set_max_size(&mut self, size_bytes: u64) -> Result<(), Error> {
        let result = (|| {
            let page_bytes: i64 = self.conn.query_row("PRAGMA page_size", [], |row| row.get(0))?;
            let n_pages = (size_bytes / page_bytes.unsigned_abs().max(1)).clamp(1, u64::from(u32::MAX - 2));
            self.conn.query_row(&format!("PRAGMA max_page_count = {n_pages}"), [], |_| Ok(()))
        })();
        result.map_err(|error| Failure::from(error).at(&self.path))
    }

    /// Gives the space that nothing uses back to the file system. It takes up to twice the size of the content in free space for a
    /// while. Whoever reads meanwhile is not disturbed, and then the file shrinks later.
    ///
    /// # Errors
    /// As [`History::apply`]; the content is the same afterwards.
    pub fn compact(&mut self) -> Result<(), Error> {
        let result = self.conn.execute_batch("VACUUM").and_then(|()| {
            // Says "busy" in its row, which is no failure, where somebody still reads what the log has replaced.
            self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        });
        result.map_err(|error| Failure::from(error).at(&self.path))
    }

    /// Answers all questions that `ask` asks as of one moment, whatever others write meanwhile.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn as_of_one_moment<T>(&self, ask: impl FnOnce(&Self) -> T) -> Result<T, Error> {
        let moment = self.conn.unchecked_transaction().map_err(|error| Failure::from(error).at(&self.path))?;
        let answers = ask(self);
        drop(moment);
        Ok(answers)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn prepare_writer(path: &Path, flags: OpenFlags) -> Result<Self, Failure> {
        let mut conn = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        conn.busy_timeout(BUSY_TIMEOUT)?;
        schema::verify(&conn, path, true)?;
        conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        conn.pragma_update(None, "synchronous", "NORMAL")?;
        configure(&conn)?;
        schema::migrate(&mut conn)?;
        Ok(Self { conn, path: path.to_path_buf() })
    }

    fn prepare_reader(path: &Path) -> Result<Self, Failure> {
        let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        conn.busy_timeout(BUSY_TIMEOUT)?;
        schema::verify(&conn, path, false)?;
        configure(&conn)?;
        Ok(Self { conn, path: path.to_path_buf() })
    }

    /// Does all of `work` in one transaction, or nothing.
    pub(crate) fn write<T>(&mut self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Error> {
        let conn = &mut self.conn;
        let result = (|| {
            let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        })();
        result.map_err(|failure: Failure| failure.at(&self.path))
    }

    /// Reads as of one moment, whatever others write meanwhile.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Error> {
        let is_of_a_moment = !self.conn.is_autocommit();
        let result = if is_of_a_moment { work(&self.conn) } else { (|| work(&*self.conn.unchecked_transaction()?))() };
        result.map_err(|failure: Failure| failure.at(&self.path))
    }
}

/// Undoes what a program began that was killed while it made the file, which a reader must not do: SQLite does it for any writer.
fn roll_back(path: &Path) -> Result<(), Failure> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    Ok(conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?)
}

/// Settings that hold for a connection, not for the file.
fn configure(conn: &Connection) -> Result<(), Failure> {
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update(None, "cache_size", -65_536)?;
    Ok(())
}

impl History for SqliteHistory {
    fn apply(&mut self, update: &Update) -> Result<Applied, Error> {
        self.write(|conn| documents::apply(conn, update))
    }

    fn append_consensus(&mut self, info: &ConsensusInfo, listed: &[(Fingerprint, RelayState)]) -> Result<bool, Error> {
        let listed: Vec<Listed> = listed.iter().map(|(fingerprint, state)| Listed::of(*fingerprint, state.clone())).collect();
        self.write(|conn| spans::append_consensus(conn, &mut RelayIds::load(conn)?, info, &listed))
    }

    fn append_full_consensus(&mut self, consensus: &FullConsensus) -> Result<bool, Error> {
        self.write(|conn| {
            let (FullConsensus { info, listed, .. }, mut ids) = (consensus, RelayIds::load(conn)?);
            let is_new = spans::append_consensus(conn, &mut ids, info, listed)?;
            if is_new {
                events::of_consensus(conn, &mut ids, info.hour, listed)?;
            }
            measures::add_weights(conn, &mut ids, std::slice::from_ref(&consensus.weights()))?;
            Ok(is_new)
        })
    }

    fn append_weights(&mut self, consensuses: &[ConsensusWeights]) -> Result<usize, Error> {
        self.write(|conn| measures::add_weights(conn, &mut RelayIds::load(conn)?, consensuses))
    }

    fn append_weighed_spans(
        &mut self,
        consensuses: &[ConsensusInfo],
        spans: &mut dyn Iterator<Item = (Fingerprint, StateSpan)>,
        weights: &[ConsensusWeights],
    ) -> Result<AppliedSpans, Error> {
        self.write(|conn| {
            let applied = spans::append_spans(conn, consensuses, spans)?;
            measures::add_weights(conn, &mut RelayIds::load(conn)?, weights)?;
            Ok(applied)
        })
    }

    fn relay_days(&self, relay: &Fingerprint, from: ConsensusHour, to: ConsensusHour) -> Result<Vec<RelayDay>, Error> {
        self.read(|conn| sizes::relay_days(conn, relay, from, to))
    }

    fn each_relay_day(
        &self,
        from: ConsensusHour,
        to: ConsensusHour,
        take: &mut dyn FnMut(&Fingerprint, &RelayDay) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.read(|conn| sizes::each_relay_day(conn, from, to, take))
    }

    fn group_hours(&self, by: Grouping, from: ConsensusHour, to: ConsensusHour) -> Result<BTreeMap<GroupKey, Vec<GroupHour>>, Error> {
        self.read(|conn| sizes::group_hours(conn, by, from, to))
    }

    fn each_group_hour(
        &self,
        by: Grouping,
        from: ConsensusHour,
        to: ConsensusHour,
        take: &mut dyn FnMut(&GroupKey, &GroupHour) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.read(|conn| sizes::each_group_hour(conn, by, from, to, take))
    }

    fn events(&self, relay: Option<&Fingerprint>, from: Timestamp, to: Timestamp) -> Result<Vec<Event>, Error> {
        self.read(|conn| events::load(conn, relay, from, to))
    }

    fn append_spans(
        &mut self,
        consensuses: &[ConsensusInfo],
        spans: &mut dyn Iterator<Item = (Fingerprint, StateSpan)>,
    ) -> Result<AppliedSpans, Error> {
        self.write(|conn| spans::append_spans(conn, consensuses, spans))
    }

    fn append_pack(
        &mut self,
        consensuses: &[ConsensusInfo],
        spans: &mut dyn Iterator<Item = (Fingerprint, StateSpan)>,
        relays: &[Relay],
    ) -> Result<AppliedPack, Error> {
        self.write(|conn| {
            let spans = spans::append_spans(conn, consensuses, spans)?;
            let newest = consensuses.iter().map(|info| info.hour).max();
            let n_described = newest.map_or(Ok(0), |newest| describe::describe(conn, newest, relays))?;
            Ok(AppliedPack { spans, n_described })
        })
    }

    fn note_source(&mut self, visit: &SourceVisit) -> Result<(), Error> {
        self.write(|conn| sources::note(conn, visit))
    }

    fn sources(&self) -> Result<Vec<SourceReport>, Error> {
        self.read(sources::all)
    }

    fn note_proofs(&mut self, standings: &[ProofStanding]) -> Result<usize, Error> {
        self.write(|conn| proofs::note(conn, standings))
    }

    fn proofs(&self) -> Result<Vec<ProofStanding>, Error> {
        self.read(proofs::all)
    }

    fn known(&self) -> Result<Vec<KnownConsensus>, Error> {
        self.read(|conn| exact::consensuses(conn, None))
    }

    fn prune(&mut self, before: ConsensusHour) -> Result<Pruned, Error> {
        self.write(|conn| prune::prune(conn, before.get()))
    }

    fn timeline(&self) -> Result<Timeline, Error> {
        self.read(|conn| timeline::load(conn, None))
    }

    fn exact(&self) -> Result<ExactHistory, Error> {
        self.read(exact::load)
    }

    fn exact_as_of(&self, at: ConsensusHour) -> Result<ExactHistory, Error> {
        self.read(|conn| exact::load_as_of(conn, at))
    }

    fn load(&self) -> Result<Option<NetworkRecord>, Error> {
        self.read(load::load)
    }

    fn load_as_of(&self, at: ConsensusHour) -> Result<Option<NetworkRecord>, Error> {
        self.read(|conn| load::load_as_of(conn, at))
    }

    fn each_description(&self, until: ConsensusHour, take: &mut dyn FnMut(Option<ConsensusHour>, Relay)) -> Result<(), Error> {
        self.read(|conn| describe::each(conn, until, take))
    }

    fn stats(&self) -> Result<Stats, Error> {
        self.read(check::stats)
    }

    fn check(&self) -> Result<CheckReport, Error> {
        self.read(check::check)
    }

    fn backup(&self, to: &Path) -> Result<(), Error> {
        if to.exists() {
            return Err(Error::Exists { path: to.to_path_buf() });
        }
        let mut partial = to.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        remove_if_there(&partial)?;
        let copied = self.copy(&partial, to);
        if copied.is_err() {
            // A disk that is full should not stay so for a copy that nobody can use; what is wrong is told by the error at hand.
            let _ = remove_if_there(&partial);
        }
        copied
    }
}

impl SqliteHistory {
    /// Copies the store to `partial`, and once that is on the disk gives it the name `to`.
    fn copy(&self, partial: &Path, to: &Path) -> Result<(), Error> {
        self.conn.execute("VACUUM INTO ?", [partial.to_string_lossy()]).map_err(|error| Failure::from(error).at(partial))?;
        let synced = File::open(partial).and_then(|file| file.sync_all());
        synced.and_then(|()| std::fs::rename(partial, to)).map_err(|source| Error::Io { path: to.to_path_buf(), source })
    }
}

/// Removes what a backup left that was not completed.
fn remove_if_there(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(Error::Io { path: path.to_path_buf(), source }),
        _ => Ok(()),
    }
}
