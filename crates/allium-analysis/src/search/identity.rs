//! Fingerprints in a question: all forms of a whole one, and beginnings.

use allium_model::Fingerprint;

/// Digits from which on a word without leading `$` may be the beginning of a fingerprint: fewer are more often meant as text.
pub(super) const LEAST_DIGITS: usize = 4;

/// The digits of a fingerprint.
const DIGITS: usize = 40;

/// The forms that are understood.
pub(super) const ALLOWED: &str = "a fingerprint of 40 hexadecimal digits, its beginning, $FINGERPRINT~nickname, or 27 characters of base64";

/// The beginning of a fingerprint, half bytes included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(Vec<u8>);

impl Prefix {
    /// Reads 1 to 39 hexadecimal digits.
    fn read(digits: &str) -> Option<Self> {
        let nibbles: Option<Vec<u8>> = digits.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
        nibbles.filter(|nibbles| (1..DIGITS).contains(&nibbles.len())).map(Self)
    }

    /// The number of digits.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// True for a fingerprint that begins so.
    pub(super) fn fits(&self, fingerprint: &Fingerprint) -> bool {
        let nibble = |i: usize| if i.is_multiple_of(2) { fingerprint.as_bytes()[i / 2] >> 4 } else { fingerprint.as_bytes()[i / 2] & 15 };
        self.0.iter().enumerate().all(|(i, wanted)| nibble(i) == *wanted)
    }
}

/// A fingerprint in hexadecimal digits, with or without `$` before and a nickname behind `~` or `=`.
pub(super) fn whole(text: &str) -> Option<Fingerprint> {
    named(text).parse().ok()
}

/// A fingerprint in base64, as consensuses write it: 27 characters, and perhaps the `=` that fills them up.
pub(super) fn base64(text: &str) -> Option<Fingerprint> {
    let text = text.strip_suffix('=').unwrap_or(text);
    if text.len() != 27 {
        return None;
    }
    let sextets = text.bytes().map(sextet).collect::<Option<Vec<u32>>>()?;
    let mut bytes = [0; 20];
    for (bytes, four) in bytes.chunks_mut(3).zip(sextets.chunks(4)) {
        let bits = (0..4).fold(0, |bits, i| bits << 6 | four.get(i).copied().unwrap_or(0));
        bytes.iter_mut().zip([16, 8, 0]).for_each(|(byte, shift)| *byte = (bits >> shift) as u8);
    }
    // Two bits of the last character are left over; they are 0 in what Tor writes.
    (sextets[26] & 3 == 0).then(|| Fingerprint::new(bytes))
}

/// The beginning of a fingerprint, with or without `$` before and a nickname behind `~`.
pub(super) fn beginning(text: &str) -> Option<Prefix> {
    Prefix::read(named(text))
}

fn named(text: &str) -> &str {
    let text = text.strip_prefix('$').unwrap_or(text);
    text.split(['~', '=']).next().unwrap_or(text)
}

fn sextet(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}
