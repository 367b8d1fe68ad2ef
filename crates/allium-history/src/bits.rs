//! Sets of indices of known hours.

use std::ops::Range;

/// A set of indices, one bit each between the first and the last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bits {
    first_word: usize,
    words: Vec<u64>,
}

impl Bits {
    /// The union of sorted, disjoint ranges.
    pub fn from_ranges(ranges: impl Iterator<Item = Range<u32>>) -> Self {
        let mut bits = Self::default();
        for range in ranges.filter(|range| !range.is_empty()) {
            bits.insert(range.start as usize, range.end as usize);
        }
        bits
    }

    /// Sets `[start, end)`, which is not empty and lies after all indices set before.
    fn insert(&mut self, start: usize, end: usize) {
        if self.words.is_empty() {
            self.first_word = start / 64;
        }
        self.words.resize((end - 1) / 64 + 1 - self.first_word, 0);
        for (word, mask) in masks(start, end) {
            self.words[word - self.first_word] |= mask;
        }
    }

    /// True if the set contains an index.
    pub fn contains(&self, index: u32) -> bool {
        let word = (index as usize / 64).checked_sub(self.first_word).and_then(|i| self.words.get(i));
        word.is_some_and(|word| word & (1 << (index % 64)) != 0)
    }

    /// The number of these indices that are in the set.
    pub fn count(&self, indices: Range<u32>) -> u32 {
        let start = (indices.start as usize).max(self.first_word * 64);
        let end = (indices.end as usize).min((self.first_word + self.words.len()) * 64);
        masks(start, end).map(|(word, mask)| (self.words[word - self.first_word] & mask).count_ones()).sum()
    }

    /// The indices in the set, in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        let end = (self.first_word + self.words.len()) * 64;
        (self.first_word as u32 * 64..end as u32).filter(|index| self.contains(*index))
    }

    /// Memory of the set, in bytes.
    pub fn size_bytes(&self) -> usize {
        size_of::<Self>() + self.words.len() * size_of::<u64>()
    }
}

/// The words that `[start, end)` touches, each with the bits that belong to it.
fn masks(start: usize, end: usize) -> impl Iterator<Item = (usize, u64)> {
    let words = if start < end { start / 64..(end - 1) / 64 + 1 } else { 0..0 };
    words.map(move |word| {
        let first = start.saturating_sub(word * 64);
        let n_after = (word * 64 + 64).saturating_sub(end);
        (word, (u64::MAX << first) & (u64::MAX >> n_after))
    })
}
