//! The connection to an SQLite file, with a write-ahead log beside it while it is open.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use allium_model::ConsensusHour;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::failure::Failure;
use super::schema;
use super::sums::{self, Scope};
use crate::error::Error;
use crate::store::Store;
use crate::url::{StoreUrl, folder};

/// Flags of a connection that reads.
const READER: OpenFlags = OpenFlags::SQLITE_OPEN_READ_ONLY.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);
/// The time that a writer waits for another one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A [`Store`] in an SQLite file.
///
/// Each change is one transaction: after a crash at any moment the file holds all of it or nothing. Another process may
/// read the same file at any time, and write between two changes.
#[derive(Debug)]
pub struct SqliteStore {
    conn: Connection,
    url: StoreUrl,
    /// The state of the file in which every page was found to be as it was written, as SQLite counts changes by others.
    verified: Cell<Option<i64>>,
    /// The file as the operating system knows it, whatever its name leads to later.
    file: Option<FileId>,
}

impl SqliteStore {
    /// Opens a store for writing; creates it if there is none, and brings an older format to the present one.
    ///
    /// # Errors
    /// [`Error::NotAStore`], [`Error::FutureVersion`], [`Error::Corrupt`]; [`Error::ReadOnly`] and [`Error::Database`] if the
    /// file or its directory cannot be written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        Self::prepare_writer(path, flags).map_err(|failure| failure.at(&path.into()))
    }

    /// Opens a store for reading; others may write to it meanwhile.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::NotAStore`], [`Error::FutureVersion`], [`Error::PastVersion`], [`Error::Corrupt`];
    /// [`Error::ReadOnlyFolder`] where a log lies beside the file in a folder that cannot be written.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        if !path.exists() {
            return Err(Error::Missing { store: path.into() });
        }
        let opened = match Self::prepare_reader(path) {
            Err(failure) if failure.is_unfinished_change() => roll_back(path).and_then(|()| Self::prepare_reader(path)),
            Err(failure) if failure.is_unwritable_folder() => Self::prepare_reader_of_unchanging(path),
            opened => opened,
        };
        opened.map_err(|failure| failure.at(&path.into()))
    }

    /// A store that is gone when the value is dropped.
    ///
    /// # Errors
    /// [`Error::Database`] if there is not enough memory.
    pub fn open_in_memory() -> Result<Self, Error> {
        let path = Path::new(":memory:");
        Self::prepare_writer(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(|failure| failure.at(&path.into()))
    }

    /// Sets how long to wait for another writer before [`Error::Locked`]; 5 seconds unless set.
    ///
    /// # Errors
    /// Never for a store that is open.
    pub fn set_busy_timeout(&mut self, timeout: Duration) -> Result<(), Error> {
        self.conn.busy_timeout(timeout).map_err(|error| self.named(error))
    }

    /// Lets the file grow to at most this size, or stay as it is where it is larger; writes beyond end in [`Error::DiskFull`].
    ///
    /// # Errors
    /// Never for a store that is open.
    pub fn set_max_size(&mut self, size_bytes: u64) -> Result<(), Error> {
        let result: rusqlite::Result<()> = (|| {
            let page_bytes: i64 = self.conn.query_row("PRAGMA page_size", [], |row| row.get(0))?;
            let n_pages = (size_bytes / page_bytes.unsigned_abs().max(1)).clamp(1, u64::from(u32::MAX - 2));
            self.conn.query_row(&format!("PRAGMA max_page_count = {n_pages}"), [], |_| Ok(()))
        })();
        result.map_err(|error| self.named(error))
    }

    /// Gives every page the sum of what it holds: for a file that was changed on purpose, behind the back of this program. Damage is then
    /// taken for content.
    ///
    /// # Errors
    /// As [`Record::apply`](crate::Record::apply).
    pub fn accept_pages(&mut self) -> Result<(), Error> {
        let conn = &mut self.conn;
        let accepted = (|| {
            let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            sums::write(&transaction)?;
            Ok(transaction.commit()?)
        })();
        accepted.map_err(|failure: Failure| self.named(failure))
    }

    fn prepare_writer(path: &Path, flags: OpenFlags) -> Result<Self, Failure> {
        let url = StoreUrl::from(path);
        let mut conn = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        conn.busy_timeout(BUSY_TIMEOUT)?;
        schema::verify(&conn, &url, true)?;
        conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        conn.pragma_update(None, "synchronous", "NORMAL")?;
        configure(&conn)?;
        schema::migrate(&mut conn)?;
        Ok(Self { conn, url, verified: Cell::default(), file: file_id(path) })
    }

    fn prepare_reader(path: &Path) -> Result<Self, Failure> {
        Self::reader(path, Connection::open_with_flags(path, READER)?)
    }

    /// Opens a file in a folder where no log can be made beside it, as one that does not change: without a log nobody writes to it.
    fn prepare_reader_of_unchanging(path: &Path) -> Result<Self, Failure> {
        if has_log(path) {
            return Err(Error::ReadOnlyFolder { store: path.into(), folder: folder(path).to_owned() }.into());
        }
        Self::reader(path, Connection::open_with_flags(unchanging(path), READER | OpenFlags::SQLITE_OPEN_URI)?)
    }

    fn reader(path: &Path, conn: Connection) -> Result<Self, Failure> {
        let url = StoreUrl::from(path);
        conn.busy_timeout(BUSY_TIMEOUT)?;
        schema::verify(&conn, &url, false)?;
        configure(&conn)?;
        Ok(Self { conn, url, verified: Cell::default(), file: file_id(path) })
    }

    /// Does work that manages its own transactions.
    pub(super) fn without_transaction<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        work(&self.conn)
    }

    /// Address of the store.
    pub(super) const fn url(&self) -> &StoreUrl {
        &self.url
    }

    /// As [`Self::without_transaction`], for work that replaces the content; every page is compared again afterwards.
    pub(super) fn with_connection<T>(&mut self, work: impl FnOnce(&mut Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        self.verified.set(None);
        work(&mut self.conn)
    }

    /// A failure as the error of this store.
    pub(super) fn named(&self, failure: impl Into<Failure>) -> Error {
        failure.into().at(&self.url)
    }

    /// Does all of `work` in one transaction, or nothing. Damage is found before and never covered by new sums.
    pub(super) fn write<T>(&mut self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Error> {
        let Self { conn, url, verified, file } = self;
        let result = (|| {
            if file.is_some() && *file != conn.path().and_then(|path| file_id(Path::new(path))) {
                return Err(Error::Gone { store: url.clone() }.into());
            }
            let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            verify(&transaction, verified)?;
            let done = work(&transaction)?;
            sums::write(&transaction)?;
            transaction.commit()?;
            Ok(done)
        })();
        result.map_err(|failure: Failure| self.named(failure))
    }

    /// As [`Self::write`], and waits until the disk has it: for what no source gives again.
    pub(super) fn write_durably<T>(&mut self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Error> {
        self.set_synchronous("FULL")?;
        let written = self.write(work);
        self.set_synchronous("NORMAL")?;
        written
    }

    fn set_synchronous(&self, level: &str) -> Result<(), Error> {
        self.conn.pragma_update(None, "synchronous", level).map_err(|error| self.named(error))
    }

    /// Does `work` in a transaction that is undone.
    pub(super) fn try_out<T>(&mut self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Error> {
        let Self { conn, verified, .. } = self;
        let result = (|| {
            let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            verify(&transaction, verified)?;
            work(&transaction)
        })();
        result.map_err(|failure: Failure| self.named(failure))
    }

    /// Reads as of one moment, whatever others write meanwhile, once every page is found to be as it was written.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Error> {
        self.read_unverified(|conn| {
            verify(conn, &self.verified)?;
            work(conn)
        })
    }

    /// As [`Self::read`], of these tables only: little work however large the store is.
    pub(super) fn read_tables<T>(
        &self,
        tables: &'static [&'static str],
        work: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        self.read_unverified(|conn| {
            sums::require(conn, Scope::Tables(tables))?;
            work(conn)
        })
    }

    /// As [`Self::read`], whatever the pages are.
    pub(super) fn read_unverified<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Error> {
        let is_held = !self.conn.is_autocommit();
        let result = if is_held { work(&self.conn) } else { (|| work(&*self.conn.unchecked_transaction()?))() };
        result.map_err(|failure: Failure| self.named(failure))
    }
}

/// Device and number of a file.
type FileId = (u64, u64);

/// The file of that name; `None` where there is none, or the system has no such numbers.
#[cfg(unix)]
fn file_id(path: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn file_id(_: &Path) -> Option<FileId> {
    None
}

/// Compares every page with its sum, unless this connection did since others changed the file.
fn verify(conn: &Connection, verified: &Cell<Option<i64>>) -> Result<(), Failure> {
    let state: i64 = conn.query_row("PRAGMA data_version", [], |row| row.get(0))?;
    if verified.get() != Some(state) {
        sums::require(conn, Scope::All)?;
        verified.set(Some(state));
    }
    Ok(())
}

/// True if a log with changes that are not in the file lies beside it.
fn has_log(path: &Path) -> bool {
    let store = StoreUrl::from(path);
    ["-wal", "-journal"].iter().any(|suffix| std::fs::metadata(store.with_suffix(suffix)).is_ok_and(|log| log.len() > 0))
}

/// The address of a file that does not change, as SQLite takes it.
fn unchanging(path: &Path) -> String {
    let mut address = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => address.push(char::from(*byte)),
            _ => address.push_str(&format!("%{byte:02X}")),
        }
    }
    address + "?immutable=1"
}

/// Undoes the unfinished change of a program that was killed while it made the file. A reader must not; SQLite does it for any writer.
fn roll_back(path: &Path) -> Result<(), Failure> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    Ok(conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?)
}

/// Settings that hold for a connection, not for the file.
pub(super) fn configure(conn: &Connection) -> Result<(), Failure> {
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update(None, "cache_size", -65_536)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    // Pages that become free are written as zeros; else what they hold would depend on what SQLite finds worth writing, and have no sum.
    conn.query_row("PRAGMA secure_delete = ON", [], |_| Ok(()))?;
    // Hours that this connection answers as if they were not known.
    conn.execute_batch("CREATE TEMP TABLE left_out (hour INTEGER PRIMARY KEY)")?;
    Ok(())
}

impl Store for SqliteStore {
    fn hold_moment(&self, ask: &mut dyn FnMut(&dyn Store)) -> Result<(), Error> {
        let moment = self.conn.unchecked_transaction().map_err(|error| self.named(error))?;
        ask(self);
        drop(moment);
        Ok(())
    }

    fn leave_out(&mut self, hours: &BTreeSet<ConsensusHour>) -> Result<(), Error> {
        let named: rusqlite::Result<()> = (|| {
            self.conn.execute("DELETE FROM temp.left_out", [])?;
            let mut insert = self.conn.prepare("INSERT INTO temp.left_out (hour) VALUES (?)")?;
            hours.iter().try_for_each(|hour| insert.execute([hour.get()]).map(drop))
        })();
        named.map_err(|failure| self.named(failure))
    }
}
