//! FNV-1a, 64 bits: a hash that is the same on every machine. Names contents and notices damage; protects nothing.

/// The hash of these bytes.
///
/// ```
/// assert_eq!(allium_model::fnv_1a(*b""), 0xcbf2_9ce4_8422_2325);
/// assert_eq!(allium_model::fnv_1a(*b"foobar"), 0x8594_4171_f739_67e8);
/// ```
pub fn fnv_1a(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
