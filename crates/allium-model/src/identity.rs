//! Names of things: relays, autonomous systems, countries; and the one unit for shares.

use std::fmt;
use std::str::FromStr;

/// A text that does not name what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{expected}, found {found:?}")]
pub struct ParseError {
    /// Description of a correct text.
    pub expected: &'static str,
    /// The beginning of what was found.
    pub found: String,
}

impl ParseError {
    /// An error that quotes at most 40 characters of what was found.
    pub fn new(expected: &'static str, found: &str) -> Self {
        Self { expected, found: found.chars().take(40).collect() }
    }
}

/// The SHA-1 digest of a relay's RSA identity key: its identity, independent of its nickname.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 20]);

impl Fingerprint {
    /// The fingerprint with these 20 bytes.
    pub const fn new(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// The 20 bytes.
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }
}

impl FromStr for Fingerprint {
    type Err = ParseError;

    /// Reads 40 hexadecimal digits in either case, alone or as Tor names a relay: with a leading `$`, and followed by the relay's
    /// nickname after `~` or `=` (control-spec, `LongName`). The nickname is checked and not kept.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new("expected 40 hexadecimal digits", text);
        let name = text.strip_prefix('$').unwrap_or(text);
        let (digits, nickname) = name.split_once(['~', '=']).map_or((name, None), |(digits, nickname)| (digits, Some(nickname)));
        let digits = digits.as_bytes();
        if digits.len() != 40 || nickname.is_some_and(|nickname| !is_nickname(nickname)) {
            return Err(error());
        }
        let mut bytes = [0; 20];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let high = char::from(pair[0]).to_digit(16).ok_or_else(error)?;
            let low = char::from(pair[1]).to_digit(16).ok_or_else(error)?;
            *byte = (high * 16 + low) as u8;
        }
        Ok(Self(bytes))
    }
}

/// True for 1 to 19 letters and digits, which a relay may call itself.
fn is_nickname(text: &str) -> bool {
    (1..=19).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The number of an autonomous system: who announces a relay's address to the internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Asn(pub u32);

impl FromStr for Asn {
    type Err = ParseError;

    /// Reads `AS24940`; the prefix may be in either case or missing. `AS0` stands for "unknown" and is refused.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new("expected an AS number such as AS24940", text);
        let digits = text.strip_prefix("AS").or_else(|| text.strip_prefix("as")).unwrap_or(text);
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(error());
        }
        match digits.parse() {
            Ok(0) | Err(_) => Err(error()),
            Ok(number) => Ok(Self(number)),
        }
    }
}

impl fmt::Display for Asn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AS{}", self.0)
    }
}

/// A country as two lower-case letters, as GeoIP tables write it (`eu` and `ap` occur beside the codes of ISO 3166).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountryCode([u8; 2]);

impl CountryCode {
    /// The two letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("two ASCII characters, checked when parsed")
    }
}

impl FromStr for CountryCode {
    type Err = ParseError;

    /// Reads a letter followed by a letter or digit, in either case. `??` and `xz` stand for "unknown" and are refused.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text.as_bytes() {
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphanumeric() && !text.eq_ignore_ascii_case("xz") => {
                Ok(Self([a.to_ascii_lowercase(), b.to_ascii_lowercase()]))
            }
            _ => Err(ParseError::new("expected a country code of two letters", text)),
        }
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A share from 0 to 1; never NaN and never -0. Percent signs appear only where pages are written.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Fraction(f64);

impl Fraction {
    /// Nothing.
    pub const ZERO: Self = Self(0.0);
    /// Everything.
    pub const ONE: Self = Self(1.0);

    /// The share, if it is one: `None` for NaN and for anything outside 0..=1.
    pub fn new(share: f64) -> Option<Self> {
        (0.0..=1.0).contains(&share).then_some(Self(share + 0.0))
    }

    /// The share, pulled into 0..=1; `None` for NaN. For sums whose last bits may overshoot.
    pub fn clamped(share: f64) -> Option<Self> {
        (!share.is_nan()).then(|| Self(share.clamp(0.0, 1.0) + 0.0))
    }

    /// `part / whole`; `None` where `whole` is not positive.
    pub fn of(part: f64, whole: f64) -> Option<Self> {
        if whole > 0.0 { Self::clamped(part / whole) } else { None }
    }

    /// The bare number, 0 to 1.
    pub const fn get(self) -> f64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_forty_digits_in_either_case() {
        let text = "000004ACBB9D29BCBA17256BB35928DDBFC8ABA9";
        let fingerprint: Fingerprint = text.parse().unwrap();
        assert_eq!(fingerprint.to_string(), text);
        assert_eq!(text.to_lowercase().parse(), Ok(fingerprint));
        assert_eq!(format!("${text}").parse(), Ok(fingerprint));
        for bad in ["", "00", &text[1..], &format!("{text}0"), &text.replace('A', "é"), &text.replace('A', "+")] {
            assert!(bad.parse::<Fingerprint>().is_err(), "{bad}");
        }
    }

    #[test]
    fn fingerprints_may_be_followed_by_a_nickname() {
        let text = "000004ACBB9D29BCBA17256BB35928DDBFC8ABA9";
        let fingerprint: Fingerprint = text.parse().unwrap();
        for name in ["~Alpha1", "=Alpha1", "~a", "=NineteenCharacters1"] {
            assert_eq!(format!("${text}{name}").parse(), Ok(fingerprint), "{name}");
            assert_eq!(format!("{}{name}", text.to_lowercase()).parse(), Ok(fingerprint), "{name}");
        }
        for name in ["~", "=", "~a b", "~TwentyCharactersLong", "~é", "=a=b", "~a~b", " a", "a"] {
            assert!(format!("${text}{name}").parse::<Fingerprint>().is_err(), "{name}");
        }
        for bad in ["$~Alpha1", "~Alpha1", "=", "$", "$$000004ACBB9D29BCBA17256BB35928DDBFC8ABA9"] {
            assert!(bad.parse::<Fingerprint>().is_err(), "{bad}");
        }
    }

    #[test]
    fn codes_for_unknown_are_not_values() {
        assert_eq!("AS24940".parse(), Ok(Asn(24940)));
        assert_eq!("CH".parse::<CountryCode>().unwrap().to_string(), "ch");
        for bad in ["AS0", "AS", "", "AS-1", "AS+1", "AS99999999999"] {
            assert!(bad.parse::<Asn>().is_err(), "{bad}");
        }
        for bad in ["??", "xz", "", "d", "deu", "\0\0", "ß"] {
            assert!(bad.parse::<CountryCode>().is_err(), "{bad}");
        }
    }

    #[test]
    fn fractions_hold_no_nan() {
        assert_eq!(Fraction::new(f64::NAN), None);
        assert_eq!(Fraction::clamped(f64::NAN), None);
        assert_eq!(Fraction::new(1.0000001), None);
        assert_eq!(Fraction::clamped(1.0000001), Some(Fraction::ONE));
        assert_eq!(Fraction::of(1.0, 0.0), None);
    }

    #[test]
    fn no_share_is_minus_zero() {
        let shares =
            [Fraction::new(-0.0), Fraction::clamped(-0.0), Fraction::clamped(-1.0), Fraction::of(-0.0, 1.0), Fraction::of(-2.0, 1.0)];
        for share in shares {
            assert!(share.is_some_and(|share| share.get().is_sign_positive()), "{share:?}");
        }
    }
}
