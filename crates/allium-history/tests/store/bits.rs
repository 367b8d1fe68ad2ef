//! Bitmaps of the timeline.

use allium_history::Bits;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn large_bitmaps_are_their_ranges(lengths in prop::collection::vec(1..150u32, 0..12)) {
        let mut at = 0;
        let ranges: Vec<_> = lengths.chunks_exact(2).map(|pair| { let start = at + pair[0]; at = start + pair[1]; start..at }).collect();
        let bits = Bits::from_ranges(ranges.iter().cloned());
        let indices: Vec<u32> = ranges.iter().cloned().flatten().collect();
        prop_assert_eq!(bits.iter().collect::<Vec<_>>(), indices.clone());
        for middle in [0, at / 3, at / 2, at] {
            prop_assert_eq!(bits.count(0..middle) as usize, indices.iter().filter(|index| **index < middle).count());
            prop_assert_eq!(bits.count(middle..u32::MAX) as usize, indices.iter().filter(|index| **index >= middle).count());
        }
    }
}
