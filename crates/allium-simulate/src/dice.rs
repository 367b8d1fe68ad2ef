//! Chance, repeatable: the same key gives the same numbers on every machine and in every version of this crate.
//!
//! The stream is [`SplitMix64`]: 8 bytes of state, so that every relay can own one. The bytes that a seed stands for are a promise
//! here, so the few distributions needed are written out.

use allium_stats::SplitMix64;

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Dice(SplitMix64);

impl Dice {
    /// The stream that belongs to these keys.
    pub(crate) fn keyed(keys: &[u64]) -> Self {
        Self(SplitMix64::keyed(keys))
    }

    /// 64 random bits.
    pub(crate) const fn bits(&mut self) -> u64 {
        self.0.bits()
    }

    /// Random bytes.
    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        bytes.iter_mut().for_each(|byte| *byte = self.bits() as u8);
    }

    /// A number in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0.unit()
    }

    /// A whole number in `[0, n)`; 0 where `n` is 0.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }

    /// True with this probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// An exponential waiting time with mean 1.
    pub(crate) fn exponential(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }

    /// A standard normal number (Box and Muller 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (2.0 * self.exponential()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// A log-normal number with this median and standard deviation of its logarithm.
    pub(crate) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.normal()).exp()
    }

    /// A Poisson count: by waiting times, so for means up to some thousands.
    pub(crate) fn poisson(&mut self, mean: f64) -> usize {
        let mut waited = self.exponential();
        let mut n = 0;
        while waited < mean {
            n += 1;
            waited += self.exponential();
        }
        n
    }

    /// One of the items, all equally likely.
    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u64) as usize]
    }

    /// The index of an item, likely in proportion to its weight, given the running totals of the weights.
    pub(crate) fn weighted(&mut self, running_totals: &[f64]) -> usize {
        let total = running_totals.last().copied().unwrap_or(0.0);
        let point = self.unit() * total;
        running_totals.partition_point(|sum| *sum <= point).min(running_totals.len().saturating_sub(1))
    }
}

/// A standard normal number that belongs to these keys alone.
pub(crate) fn noise(keys: &[u64]) -> f64 {
    Dice::keyed(keys).normal()
}

/// Keeps a share near its target where single draws are too large to leave to chance: with a few operators that run
/// hundreds of relays each, independent draws would give a network of 10 % exits as easily as one of 50 %.
#[derive(Debug, Clone)]
pub(crate) struct Quota {
    target: f64,
    have: f64,
    total: f64,
}

impl Quota {
    pub(crate) const fn new(target: f64) -> Self {
        Self { target, have: 0.0, total: 0.0 }
    }

    /// Counts an item that has the property anyway.
    pub(crate) fn note(&mut self, size: f64) -> bool {
        self.total += size;
        self.have += size;
        true
    }

    /// True if an item of this size gets the property. Small items (below 1 % of what came before) are left to chance.
    pub(crate) fn take(&mut self, dice: &mut Dice, size: f64) -> bool {
        let small = size < self.total * 0.01;
        let missing = self.target * (self.total + size) - self.have;
        let taken = if small {
            dice.chance((missing / size).clamp(self.target * 0.25, 1.0 - (1.0 - self.target) * 0.25))
        } else {
            missing >= size / 2.0
        };
        self.total += size;
        self.have += if taken { size } else { 0.0 };
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_one_stream_for_ever() {
        assert_eq!(Dice::keyed(&[1, 2]).bits(), Dice::keyed(&[1, 2]).bits());
        assert_ne!(Dice::keyed(&[1, 2]).bits(), Dice::keyed(&[2, 1]).bits());
        assert_eq!(Dice(SplitMix64::new(0)).bits(), 0xE220_A839_7B1D_CDAF, "the published first output of SplitMix64 for seed 0");
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut dice = Dice::keyed(&[7]);
        let n = 40_000;
        let mean = |f: &mut dyn FnMut() -> f64| (0..n).map(|_| f()).sum::<f64>() / f64::from(n);
        assert!((mean(&mut || dice.unit()) - 0.5).abs() < 0.01);
        assert!((mean(&mut || dice.exponential()) - 1.0).abs() < 0.02);
        assert!(mean(&mut || dice.normal()).abs() < 0.02);
        assert!((mean(&mut || dice.normal().powi(2)) - 1.0).abs() < 0.03);
        assert!((mean(&mut || dice.poisson(3.5) as f64) - 3.5).abs() < 0.05);
    }

    #[test]
    fn a_quota_holds_with_large_items_first() {
        let mut dice = Dice::keyed(&[3]);
        let mut quota = Quota::new(0.3);
        let sizes = [950.0, 730.0, 360.0, 300.0, 150.0].into_iter().chain((0..7000).map(|_| 1.0));
        let have: f64 = sizes.filter(|size| quota.take(&mut dice, *size)).sum();
        assert!((have / 9490.0 - 0.3).abs() < 0.03, "{have}");
    }
}
