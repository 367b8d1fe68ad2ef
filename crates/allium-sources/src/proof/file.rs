//! The file in which a domain names its relays.
//!
//! Input: the bytes of `/.well-known/tor-relay/rsa-fingerprint.txt` (tor-relay well-known URI specification): one fingerprint per line, 40
//! hexadecimal digits in either case; `#` begins a comment. Lines that are anything else are rejects and do not spoil the others.

use std::collections::BTreeSet;

use allium_model::{Fingerprint, Reject};

use crate::error::Error;
use crate::rejects::Rejects;

/// Lines that a file may have: twice as many as there are relays.
pub const MAX_LINES: usize = 20_000;
/// Bytes that a file may have.
pub const MAX_BYTES: u64 = 1 << 20;

/// The relays that a domain names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FingerprintFile {
    /// Fingerprints that it lists.
    pub fingerprints: BTreeSet<Fingerprint>,
    /// Number of lines that could not be understood.
    pub n_rejects: usize,
    /// The first of them.
    pub rejects: Vec<Reject>,
}

impl FingerprintFile {
    /// Reads a file; `origin` is where it comes from.
    ///
    /// # Errors
    /// More than [`MAX_LINES`] lines or [`MAX_BYTES`] bytes; or a text without a fingerprint, such as a page of HTML.
    pub fn parse(bytes: &[u8], origin: &str) -> Result<Self, Error> {
        let unusable = |reason: String| Error::Table { origin: origin.to_owned(), reason };
        if bytes.len() as u64 > MAX_BYTES {
            return Err(unusable(format!("more than {MAX_BYTES} bytes")));
        }
        let (mut fingerprints, mut rejects) = (BTreeSet::new(), Rejects::new(origin));
        for (i, line) in lines(bytes).enumerate() {
            if i == MAX_LINES {
                return Err(unusable(format!("more than {MAX_LINES} lines")));
            }
            let text = line.split(|byte| *byte == b'#').next().unwrap_or_default().trim_ascii();
            match fingerprint(text) {
                Some(fingerprint) => {
                    fingerprints.insert(fingerprint);
                }
                None if text.is_empty() => {}
                None => rejects.add(|| format!("line {}", i + 1), None, "expected a fingerprint of 40 hexadecimal digits"),
            }
        }
        if fingerprints.is_empty() && rejects.n > 0 {
            return Err(unusable(format!("{} and none is a fingerprint", if rejects.n == 1 { "one line" } else { "several lines" })));
        }
        Ok(Self { fingerprints, n_rejects: rejects.n, rejects: rejects.listed })
    }
}

/// The lines of a text, whichever way they end, without a byte order mark.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    text.split(|byte| *byte == b'\n')
}

fn fingerprint(text: &[u8]) -> Option<Fingerprint> {
    // A `$`, which other documents of Tor have in front, is no part of this format.
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() == 40)?;
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "000004ACBB9D29BCBA17256BB35928DDBFC8ABA9";
    const B: &str = "00000F22BC8A0AD26B3E2E6EA8F0BA2D1A5F2F73";

    fn parse(text: &str) -> Result<(Vec<String>, usize), String> {
        let file = FingerprintFile::parse(text.as_bytes(), "example").map_err(|error| error.to_string())?;
        Ok((file.fingerprints.iter().map(ToString::to_string).collect(), file.n_rejects))
    }

    #[test]
    fn one_fingerprint_per_line_with_comments_in_either_case() {
        let both = Ok((vec![A.to_owned(), B.to_owned()], 0));
        assert_eq!(parse(&format!("{A}\n{B}\n")), both);
        assert_eq!(parse(&format!("\u{feff}# ours\r\n\r\n  {}\t# first\r\n{B}", A.to_lowercase())), both);
        assert_eq!(parse(&format!("{B}\n{A}\n{B}")), both, "twice is once");
        assert_eq!(parse(""), Ok((Vec::new(), 0)));
        assert_eq!(parse("# none yet\n"), Ok((Vec::new(), 0)));
    }

    #[test]
    fn other_lines_are_counted_and_cost_themselves() {
        let text = format!("{A}\n<script>alert(1)</script>\n\u{1b}[2J\n${B}\n{B} {A}\n{}\n", &B[1..]);
        assert_eq!(parse(&text), Ok((vec![A.to_owned()], 5)));
        let file = FingerprintFile::parse(text.as_bytes(), "example").unwrap();
        assert_eq!(file.rejects[1].location, "line 3");
        assert!(file.rejects.iter().all(|reject| !reject.reason.contains(['<', '\u{1b}'])));
        assert_eq!(
            FingerprintFile::parse(b"\xff\xfe\n", "x").unwrap_err().to_string(),
            "x: no usable table: one line and none is a fingerprint"
        );
    }

    #[test]
    fn what_is_no_list_is_refused() {
        assert!(parse("<!doctype html>\n<title>404</title>\n").unwrap_err().ends_with("several lines and none is a fingerprint"));
        assert!(parse(&"#\n".repeat(MAX_LINES + 1)).unwrap_err().ends_with("more than 20000 lines"));
        assert!(parse(&" ".repeat((1 << 20) + 1)).unwrap_err().ends_with("more than 1048576 bytes"));
        let many: String = (0..10_000).map(|i| format!("{i:040x}\n")).collect();
        assert_eq!(parse(&many).unwrap().0.len(), 10_000);
    }
}
