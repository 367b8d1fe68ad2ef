//! A pull reader over the bytes of a JSON document.
//!
//! Reason for not using serde alone: a document has 94 MB, four fifths of it short integers, and one broken value must cost no more than
//! itself. The reader walks forward once; a caller that meets something unreadable goes back to the value's start and
//! [`skips`](Cursor::skip) it. Skipping follows brackets and strings only, without recursion, so that what is inside a
//! skipped value (`NaN`, bytes that are not UTF-8, a million brackets) does not matter.

use std::borrow::Cow;

use crate::whole::whole;

/// Reason why reading stopped, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    /// Offset in bytes.
    pub(super) byte: usize,
    /// True if the document ended there.
    pub(super) at_end: bool,
    /// Description of the defect.
    pub(super) reason: &'static str,
}

/// A position in a document.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    pos: usize,
}

impl<'a> Cursor<'a> {
    /// The start of a document; a byte order mark is passed over.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let pos = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Self { bytes, pos }
    }

    /// The position as a byte offset.
    pub(super) fn pos(&self) -> usize {
        self.pos
    }

    /// Goes back to an earlier position.
    pub(super) fn go_back(&mut self, pos: usize) {
        self.pos = pos;
    }

    /// The next byte that is no white space; it is not consumed.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.pos) {
            self.pos += 1;
        }
        self.bytes.get(self.pos).copied()
    }

    /// An error at this position.
    pub(super) fn broken<T>(&self, reason: &'static str) -> Result<T, Broken> {
        Err(Broken { byte: self.pos, at_end: self.pos >= self.bytes.len(), reason })
    }

    /// Consumes this byte after white space.
    pub(super) fn expect(&mut self, byte: u8, reason: &'static str) -> Result<(), Broken> {
        if self.peek() != Some(byte) {
            return self.broken(reason);
        }
        self.pos += 1;
        Ok(())
    }

    /// The next key of an object whose `{` is consumed, as written (escapes and all); `None` after its `}`.
    ///
    /// `first` starts as `true` and is the caller's memory between calls.
    pub(super) fn next_key(&mut self, first: &mut bool) -> Result<Option<&'a [u8]>, Broken> {
        if !self.next_item(b'}', first)? {
            return Ok(None);
        }
        let quoted = self.quoted("expected a field name")?;
        self.expect(b':', "expected a colon")?;
        Ok(Some(&quoted[1..quoted.len() - 1]))
    }

    /// True if an array whose `[` is consumed has one more element; `false` after its `]`.
    pub(super) fn next_element(&mut self, first: &mut bool) -> Result<bool, Broken> {
        self.next_item(b']', first)
    }

    fn next_item(&mut self, close: u8, first: &mut bool) -> Result<bool, Broken> {
        let is_first = std::mem::replace(first, false);
        match self.peek() {
            Some(byte) if byte == close => {
                self.pos += 1;
                return Ok(false);
            }
            Some(b',') if !is_first => self.pos += 1,
            Some(_) if is_first => {}
            _ => return self.broken("expected a comma or the end of a list"),
        }
        Ok(true)
    }

    /// Reads a string.
    pub(super) fn string(&mut self) -> Result<Cow<'a, str>, Broken> {
        let start = self.pos;
        let quoted = self.quoted("expected a string")?;
        let inner = &quoted[1..quoted.len() - 1];
        let text = if inner.contains(&b'\\') {
            serde_json::from_slice(quoted).ok().map(Cow::Owned)
        } else {
            std::str::from_utf8(inner).ok().map(Cow::Borrowed)
        };
        text.ok_or(Broken { byte: start, at_end: false, reason: "unreadable string" })
    }

    /// Reads a number, as written.
    pub(super) fn number(&mut self) -> Result<&'a str, Broken> {
        match self.peek() {
            Some(b'-' | b'0'..=b'9') => {}
            _ => return self.broken("expected a number"),
        }
        let scalar = self.skip()?;
        std::str::from_utf8(scalar).or_else(|_| self.broken("expected a number"))
    }

    /// Passes over one value of any kind and returns it as written.
    pub(super) fn skip(&mut self) -> Result<&'a [u8], Broken> {
        match self.peek() {
            None => self.broken("expected a value"),
            Some(b'"') => self.quoted("expected a string"),
            Some(b'{' | b'[') => self.skip_nested(),
            Some(_) => self.skip_scalar(),
        }
    }

    fn skip_nested(&mut self) -> Result<&'a [u8], Broken> {
        let start = self.pos;
        let mut depth = 0usize;
        while let Some(byte) = self.bytes.get(self.pos) {
            match byte {
                b'"' => {
                    self.quoted("expected a string")?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.pos += 1;
            if depth == 0 {
                return Ok(&self.bytes[start..self.pos]);
            }
        }
        self.broken("unclosed bracket")
    }

    fn skip_scalar(&mut self) -> Result<&'a [u8], Broken> {
        let start = self.pos;
        let rest = &self.bytes[start..];
        let len = rest.iter().position(|b| matches!(b, b',' | b']' | b'}' | b':' | b' ' | b'\n' | b'\r' | b'\t')).unwrap_or(rest.len());
        if len == 0 {
            return self.broken("expected a value");
        }
        self.pos += len;
        Ok(&rest[..len])
    }

    /// A string as written, quotes included.
    fn quoted(&mut self, reason: &'static str) -> Result<&'a [u8], Broken> {
        if self.peek() != Some(b'"') {
            return self.broken(reason);
        }
        let start = self.pos;
        self.pos += 1;
        while let Some(byte) = self.bytes.get(self.pos) {
            self.pos += match byte {
                b'\\' => 2,
                _ => 1,
            };
            if *byte == b'"' {
                return Ok(&self.bytes[start..self.pos]);
            }
        }
        self.pos = self.bytes.len();
        self.broken("unclosed string")
    }

    /// Reads an array of whole numbers from 0 to `max` and nulls; `None` for null and for anything else.
    ///
    /// Returns the number of elements that were something else, and the index of the first of them in the array.
    pub(super) fn codes(&mut self, max: u16, codes: &mut Vec<Option<u16>>) -> Result<Option<BadCodes>, Broken> {
        codes.clear();
        self.expect(b'[', "expected a list of values")?;
        let mut bad: Option<BadCodes> = None;
        let mut first = true;
        while self.next_element(&mut first)? {
            self.peek();
            let code = match self.code(max) {
                Ok(code) => code,
                Err(()) => {
                    let code = spelled_otherwise(self.skip()?, max);
                    if code.is_none() {
                        let before = bad.unwrap_or(BadCodes { n: 0, first: codes.len() });
                        bad = Some(BadCodes { n: before.n + 1, ..before });
                    }
                    code
                }
            };
            codes.push(code);
        }
        Ok(bad)
    }

    /// One integer of at most four digits and at most `max`, or null; otherwise leaves the position as it was.
    fn code(&mut self, max: u16) -> Result<Option<u16>, ()> {
        let rest = &self.bytes[self.pos..];
        let n_digits = rest.iter().take(5).take_while(|b| b.is_ascii_digit()).count();
        let (len, code) = match n_digits {
            0 if rest.starts_with(b"null") => (4, None),
            1..=4 => (n_digits, Some(rest[..n_digits].iter().fold(0, |n, b| n * 10 + u16::from(b - b'0')))),
            _ => return Err(()),
        };
        match rest.get(len) {
            Some(b',' | b']' | b' ' | b'\n' | b'\r' | b'\t') if code.is_none_or(|number| number <= max) => {
                self.pos += len;
                Ok(code)
            }
            _ => Err(()),
        }
    }
}

/// A code that is not written as digits alone, such as `999.0`.
fn spelled_otherwise(scalar: &[u8], max: u16) -> Option<u16> {
    let code = std::str::from_utf8(scalar).ok().and_then(whole)?;
    u16::try_from(code).ok().filter(|code| *code <= max)
}

/// Elements of a list of codes that are not codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadCodes {
    /// Their number.
    pub(super) n: usize,
    /// Index of the first.
    pub(super) first: usize,
}
