//! Parity of pages, from which a damaged one is made again: each block of 1,024 pages has 16 groups, of every sixteenth page, and the
//! parity of a group is the exclusive or of its pages.
//!
//! One damaged page of a group is the exclusive or of the others and the parity; 16 damaged pages in a row are in as many groups. Pages of
//! the sums count as zeros. The parities of a block, one after the other, are rows of `page_sums` beside its sums.

use std::collections::BTreeSet;
use std::ops::Range;

use super::layout::ROW_BYTES;
use super::page::{PageNumber, masked};

const BLOCK: usize = 1024;
const N_GROUPS: usize = 16;
/// Number of the first row with parity.
pub(in crate::sqlite) const FIRST_ROW: u32 = 1_000_000;
/// Bytes of a page, as SQLite makes them unless told otherwise.
const PAGE_BYTES: usize = 4096;
/// Rows that the parities of a block take.
const ROWS_PER_BLOCK: usize = (N_GROUPS * PAGE_BYTES).div_ceil(ROW_BYTES);

/// Number of rows for a file of this many pages.
pub(super) const fn n_rows(n_pages: PageNumber) -> u32 {
    n_pages.div_ceil(BLOCK as u32) * ROWS_PER_BLOCK as u32
}

/// Group of a page.
pub(in crate::sqlite) const fn group(number: PageNumber) -> usize {
    let index = number as usize - 1;
    index / BLOCK * N_GROUPS + index % N_GROUPS
}

/// Pages of a group in a file of this many pages.
pub(in crate::sqlite) fn members(group: usize, n_pages: PageNumber) -> impl Iterator<Item = PageNumber> {
    let first = group / N_GROUPS * BLOCK + group % N_GROUPS;
    let end = (group / N_GROUPS * BLOCK + BLOCK).min(n_pages as usize);
    (first..end).step_by(N_GROUPS).map(|index| index as PageNumber + 1)
}

/// Parities of all groups.
pub(super) struct Parities {
    bytes: Vec<u8>,
}

impl Parities {
    /// Those of pages that are all zeros.
    pub(super) fn new(n_pages: PageNumber) -> Self {
        Self { bytes: vec![0; (n_pages as usize).div_ceil(BLOCK) * N_GROUPS * PAGE_BYTES] }
    }

    /// Adds a page, unless it is one of `own`.
    pub(super) fn add(&mut self, number: PageNumber, page: &[u8], own: &BTreeSet<PageNumber>) {
        let at = group(number) * PAGE_BYTES;
        if let Some(parity) = self.bytes.get_mut(at..at + PAGE_BYTES).filter(|_| !own.contains(&number)) {
            add(parity, &masked(number, page));
        }
    }

    /// Rows with their numbers.
    pub(super) fn rows(&self) -> impl Iterator<Item = (u32, Vec<u8>)> + '_ {
        let row = |bytes: &[u8]| [bytes, &vec![0; ROW_BYTES - bytes.len()]].concat();
        self.bytes
            .chunks(N_GROUPS * PAGE_BYTES)
            .flat_map(|block| block.chunks(ROW_BYTES))
            .map(row)
            .zip(FIRST_ROW..)
            .map(|(row, id)| (id, row))
    }
}

/// Exclusive or of two pages, in the place of the first: eight bytes at a time.
pub(in crate::sqlite) fn add(sum: &mut [u8], page: &[u8]) {
    let number = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_ne_bytes);
    for (sum, bytes) in sum.chunks_exact_mut(8).zip(page.chunks_exact(8)) {
        sum.copy_from_slice(&(number(sum) ^ number(bytes)).to_ne_bytes());
    }
}

/// Parity of a group, from rows by their number; `None` if one of them is not there.
pub(in crate::sqlite) fn of_group<'r>(group: usize, row: impl Fn(u32) -> Option<&'r [u8]>) -> Option<Vec<u8>> {
    let first_row = FIRST_ROW + (group / N_GROUPS * ROWS_PER_BLOCK) as u32;
    let wanted: Range<usize> = group % N_GROUPS * PAGE_BYTES..(group % N_GROUPS + 1) * PAGE_BYTES;
    let mut parity = Vec::with_capacity(PAGE_BYTES);
    while parity.len() < PAGE_BYTES {
        let at = wanted.start + parity.len();
        let end = (ROW_BYTES * (at / ROW_BYTES + 1)).min(wanted.end);
        let offset = at / ROW_BYTES * ROW_BYTES;
        parity.extend_from_slice(row(first_row + (at / ROW_BYTES) as u32)?.get(at - offset..end - offset)?);
    }
    Some(parity)
}
