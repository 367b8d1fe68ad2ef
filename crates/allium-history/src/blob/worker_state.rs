//! The state of a worker as one blob: version byte, length as u32, zstd frame.

use super::{frame, unframe};

const VERSION: u8 = 1;

/// The most bytes that a state may have before compression.
pub(crate) const MAX_RAW_LEN: usize = 1 << 30;

/// The blob of a state of at most [`MAX_RAW_LEN`] bytes.
pub(crate) fn encode(state: &[u8]) -> Vec<u8> {
    frame(VERSION, state)
}

/// Reads a blob; the error is the reason why it is not one.
pub(crate) fn decode(blob: &[u8]) -> Result<Vec<u8>, &'static str> {
    unframe(VERSION, MAX_RAW_LEN, blob)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn states_come_back_exactly(state in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(decode(&encode(&state)), Ok(state));
        }

        #[test]
        fn damage_is_an_error_or_another_state_and_never_a_panic(
            state in prop::collection::vec(any::<u8>(), 0..50), at in any::<prop::sample::Index>(), mask in 1..=255u8
        ) {
            let mut blob = encode(&state);
            let index = at.index(blob.len());
            blob[index] ^= mask;
            let _ = decode(&blob);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
        }
    }

    /// Stores hold exactly these bytes. If this fails, introduce a version 2 beside it.
    #[test]
    fn version_1_is_pinned() {
        let blob = encode(b"seen");
        assert_eq!(blob[..5], [1, 4, 0, 0, 0]);
        assert_eq!(zstd::bulk::decompress(&blob[5..], 100).unwrap(), b"seen");
        assert_eq!(decode(&[&[1, 5, 0, 0, 0], &blob[5..]].concat()), Err("shorter than its header says"));
        assert_eq!(decode(&[2]), Err("unknown version"));
        assert_eq!(decode(&[1, 1, 0, 0, 0x40]), Err("too long"));
    }
}
