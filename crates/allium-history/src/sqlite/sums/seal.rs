//! Format of the seal: what holds for the sums themselves.
//!
//! It is the only row of its table and lies at the end of the only page of it. A page that ends with the sum of what comes before is a seal
//! wherever it lies, so that it is found even where the schema is not. Numbers are little-endian.

use super::page::{PageNumber, sum};

/// Beginning of the content.
const MAGIC: &[u8; 8] = b"AlliSeal";
/// The most tables and indexes whose first page is noted.
pub(super) const MAX_ROOTS: usize = 100;
/// Sums of the pages of `page_sums`: page `i` of them counts in sum `i` mod this, which is the exclusive or of its pages. Up to 778 MB each
/// page has one of its own.
const N_SLOTS: usize = 380;
/// Bytes of the content: magic, number of pages, first page of the sums, roots, slots, own sum.
pub(super) const SEAL_BYTES: usize = 16 + MAX_ROOTS * 8 + N_SLOTS * 8 + SUM_BYTES;
const SUM_BYTES: usize = 8;

/// Content of the seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sqlite) struct Seal {
    /// Number of pages of the file.
    pub(in crate::sqlite) n_pages: PageNumber,
    /// First page of `page_sums`.
    pub(in crate::sqlite) sums_root: PageNumber,
    /// First pages of tables and indexes, by [`name_hash`].
    pub(in crate::sqlite) roots: Vec<(u32, PageNumber)>,
    slots: Vec<u64>,
}

impl Seal {
    /// A seal over these pages of `page_sums`, in their order.
    pub(super) fn new(n_pages: PageNumber, sums_root: PageNumber, roots: Vec<(u32, PageNumber)>, own: &[u64]) -> Self {
        Self { n_pages, sums_root, roots, slots: slots(own) }
    }

    /// The content without its own sum, which is 0.
    pub(super) fn content(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.n_pages.to_le_bytes());
        bytes.extend(self.sums_root.to_le_bytes());
        for (hash, root) in &self.roots {
            bytes.extend(hash.to_le_bytes());
            bytes.extend(root.to_le_bytes());
        }
        bytes.resize(16 + MAX_ROOTS * 8, 0);
        bytes.extend(self.slots.iter().flat_map(|slot| slot.to_le_bytes()));
        bytes.resize(SEAL_BYTES, 0);
        bytes
    }

    /// The seal on this page; `None` if there is none, or it is damaged.
    pub(in crate::sqlite) fn on_page(number: PageNumber, page: &[u8]) -> Option<Self> {
        let (content, own_sum) = parts(page)?;
        let is_sealed = content.starts_with(MAGIC) && own_sum == page_sum(number, page).to_le_bytes();
        if !is_sealed {
            return None;
        }
        let u32_at = |at: usize| content[at..at + 4].iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte));
        let roots = (0..MAX_ROOTS).map(|i| (u32_at(16 + i * 8), u32_at(20 + i * 8))).filter(|(_, root)| *root > 0).collect();
        let slots = super::layout::sums(&content[16 + MAX_ROOTS * 8..]).collect();
        Some(Self { n_pages: u32_at(8), sums_root: u32_at(12), roots, slots })
    }

    /// Indices of pages of `page_sums` that are not as they were written, or may not be: of the pages with these sums, or of one that is
    /// missing.
    pub(in crate::sqlite) fn wrong(&self, own: &[u64]) -> Vec<usize> {
        let found = slots(own);
        let is_wrong = |i: &usize| self.slots[i % N_SLOTS] != found[i % N_SLOTS];
        (0..own.len().max(N_SLOTS)).filter(is_wrong).collect()
    }
}

/// Content of a page whose end is a seal, and its sum.
pub(super) fn parts(page: &[u8]) -> Option<(&[u8], &[u8])> {
    page.get(page.len().checked_sub(SEAL_BYTES)?..)?.split_at_checked(SEAL_BYTES - SUM_BYTES)
}

/// Sum of a page with a seal, without the sum at its end.
pub(super) fn page_sum(number: PageNumber, page: &[u8]) -> u64 {
    sum(number, &page[..page.len().saturating_sub(SUM_BYTES)])
}

/// The number by which the seal knows a table or an index.
pub(in crate::sqlite) fn name_hash(name: &str) -> u32 {
    sum(0, name.as_bytes()) as u32
}

fn slots(own: &[u64]) -> Vec<u64> {
    let mut slots = vec![0; N_SLOTS];
    own.iter().enumerate().for_each(|(i, sum)| slots[i % N_SLOTS] ^= sum);
    slots
}
