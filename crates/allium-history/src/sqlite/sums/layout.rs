//! Format of a row of `page_sums`: the sums of its pages, 8 bytes each, little-endian. Pages of the sums themselves have 0.

use std::collections::BTreeSet;

use super::page::PageNumber;

/// Pages whose sums one row has. A row fills most of a page, so that each page of the table has one.
pub(in crate::sqlite) const PAGES_PER_ROW: usize = 500;
/// Bytes of a row.
pub(super) const ROW_BYTES: usize = PAGES_PER_ROW * 8;

/// Number of rows for a file of this many pages.
pub(super) const fn n_rows(n_pages: PageNumber) -> u32 {
    n_pages.div_ceil(PAGES_PER_ROW as u32)
}

/// Rows with these sums, of which those of `own` are left out.
pub(super) fn rows(sums: &[u64], own: &BTreeSet<PageNumber>) -> Vec<Vec<u8>> {
    let kept = sums.iter().zip(1..).map(|(sum, number)| if own.contains(&number) { 0 } else { *sum });
    let bytes: Vec<u8> = kept.flat_map(u64::to_le_bytes).collect();
    bytes.chunks(ROW_BYTES).map(|row| [row, &vec![0; ROW_BYTES - row.len()]].concat()).collect()
}

/// Sums of a row.
pub(in crate::sqlite) fn sums(row: &[u8]) -> impl Iterator<Item = u64> + '_ {
    row.chunks_exact(8).map(|bytes| bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}
