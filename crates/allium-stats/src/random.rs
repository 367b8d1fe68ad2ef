//! SplitMix64: chance that is repeatable on every machine and in every version.
//!
//! Steele, Lea, Flood (2014), "Fast Splittable Pseudorandom Number Generators", OOPSLA: 8 bytes of state and a period of 2^64. A
//! generator library would be free to change its streams with a release; the numbers that a seed stands for are a promise here.

/// The Weyl constant: 2^64 over the golden ratio, odd.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// A stream of random numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// The stream of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The stream of several keys, in this order; streams of different keys have nothing in common.
    pub fn keyed(keys: &[u64]) -> Self {
        Self(keys.iter().fold(GOLDEN, |state, key| mix(state ^ mix(key.wrapping_add(GOLDEN)))))
    }

    /// 64 random bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// A number in `[0, 1)`.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The finaliser: spreads every bit of `x` over all bits.
const fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_names_one_stream_for_ever() {
        let mut stream = SplitMix64::new(0);
        assert_eq!(stream.bits(), 0xe220_a839_7b1d_cdaf, "the published first output for seed 0");
        assert_eq!([stream.bits(), stream.bits()], [0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f]);
        assert_eq!(SplitMix64::keyed(&[1, 2]), SplitMix64::keyed(&[1, 2]));
        assert_ne!(SplitMix64::keyed(&[1, 2]), SplitMix64::keyed(&[2, 1]));
    }

    #[test]
    fn units_are_spread_evenly_over_0_to_1() {
        let mut stream = SplitMix64::new(7);
        let units: Vec<f64> = (0..40_000).map(|_| stream.unit()).collect();
        assert!(units.iter().all(|unit| (0.0..1.0).contains(unit)));
        assert!((units.iter().sum::<f64>() / 40_000.0 - 0.5).abs() < 0.01);
    }
}
