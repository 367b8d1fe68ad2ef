//! The file as bytes, page by page, whatever SQLite would say to it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use crate::sqlite::sums::page::PageNumber;

/// Bytes of a page of every store.
pub(super) const PAGE_BYTES: usize = 4096;

/// A file with pages, of which some are not to be believed.
pub(super) struct Image {
    file: RefCell<File>,
    /// Number of pages in the file, the last one whole or not.
    pub(super) n_pages: PageNumber,
    /// Pages that are not as they were written, or missing.
    pub(super) damaged: BTreeSet<PageNumber>,
}

impl Image {
    pub(super) fn open(path: &Path) -> std::io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let n_pages = PageNumber::try_from(file.metadata()?.len().div_ceil(PAGE_BYTES as u64)).unwrap_or(PageNumber::MAX);
        Ok(Self { file: RefCell::new(file), n_pages, damaged: BTreeSet::new() })
    }

    /// Bytes of a page as they are; `None` beyond the end of the file.
    pub(super) fn raw(&self, number: PageNumber) -> Option<Vec<u8>> {
        let mut file = self.file.borrow_mut();
        let mut page = vec![0; PAGE_BYTES];
        file.seek(SeekFrom::Start(u64::from(number.checked_sub(1)?) * PAGE_BYTES as u64)).ok()?;
        file.read_exact(&mut page).ok()?;
        Some(page)
    }

    /// Bytes of a page that is as it was written.
    pub(super) fn sound(&self, number: PageNumber) -> Option<Vec<u8>> {
        if self.damaged.contains(&number) { None } else { self.raw(number) }
    }

    /// Puts a page back that was made again.
    pub(super) fn restore(&mut self, number: PageNumber, page: &[u8]) -> std::io::Result<()> {
        let mut file = self.file.borrow_mut();
        file.seek(SeekFrom::Start(u64::from(number - 1) * PAGE_BYTES as u64))?;
        file.write_all(page)?;
        drop(file);
        self.damaged.remove(&number);
        Ok(())
    }

    /// Gives the file this many pages, and puts all of it on the disk.
    pub(super) fn finish(&self, n_pages: PageNumber) -> std::io::Result<()> {
        let file = self.file.borrow();
        file.set_len(u64::from(n_pages) * PAGE_BYTES as u64)?;
        file.sync_all()
    }
}
