//! Draws from a repeatable stream of random numbers.

use allium_stats::SplitMix64;

pub(super) struct Dice(SplitMix64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(SplitMix64::new(seed))
    }

    /// A number in `0..n`; 0 for `n = 0`.
    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.0.bits() % n.max(1) as u64) as usize
    }

    /// A share, 0 to below 1.
    pub(super) fn share(&mut self) -> f64 {
        self.0.unit()
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// `n` of them, each set as likely as any other.
    pub(super) fn sample(&mut self, mut from: Vec<u32>, n: usize) -> Vec<u32> {
        for i in 0..n.min(from.len()) {
            let other = i + self.below(from.len() - i);
            from.swap(i, other);
        }
        from.truncate(n);
        from.sort_unstable();
        from
    }
}
