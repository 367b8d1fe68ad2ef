//! A document as lines of keyword and arguments, with their locations.

/// One line without its line break.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// Counted from 1.
    pub(super) number: usize,
    /// Byte at which it starts.
    pub(super) start: usize,
    /// Up to the first space.
    pub(super) keyword: &'a [u8],
    /// The text after that space; may be empty.
    pub(super) arguments: &'a [u8],
}

impl<'a> Line<'a> {
    fn new(number: usize, start: usize, text: &'a [u8]) -> Self {
        let (keyword, arguments) = match text.iter().position(|byte| *byte == b' ') {
            Some(space) => (&text[..space], &text[space + 1..]),
            None => (text, &text[..0]),
        };
        Self { number, start, keyword, arguments }
    }

    /// The arguments one by one.
    pub(super) fn words(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.arguments.split(|byte| *byte == b' ').filter(|word| !word.is_empty())
    }

    /// Location of the line, for rejects.
    pub(super) fn location(&self) -> String {
        format!("line {}", self.number)
    }
}

/// Walks through a document line by line; the next line can be looked at before it is taken.
#[derive(Debug, Clone)]
pub(super) struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    number: usize,
    next: Option<Line<'a>>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self::starting_at(bytes, 0, 1)
    }

    /// The lines from this byte on, the first of which has this number.
    pub(super) fn starting_at(bytes: &'a [u8], start: usize, number: usize) -> Self {
        let mut lines = Self { bytes, at: start, number: number - 1, next: None };
        lines.advance();
        lines
    }

    /// The line that [`Lines::take`] would take.
    pub(super) fn peek(&self) -> Option<Line<'a>> {
        self.next
    }

    /// The next line; `None` at the end of the document.
    pub(super) fn take(&mut self) -> Option<Line<'a>> {
        let taken = self.next;
        self.advance();
        taken
    }

    /// The next line, unless it begins another part of the document: one of these keywords.
    pub(super) fn take_until(&mut self, ends: &[&[u8]]) -> Option<Line<'a>> {
        self.take_if(|line| !ends.contains(&line.keyword))
    }

    /// The next line, if it is wanted.
    pub(super) fn take_if(&mut self, is_wanted: impl FnOnce(&Line<'a>) -> bool) -> Option<Line<'a>> {
        if self.next.as_ref().is_some_and(is_wanted) { self.take() } else { None }
    }

    /// End of the document, in bytes.
    pub(super) fn end(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn advance(&mut self) {
        let rest = &self.bytes[self.at..];
        if rest.is_empty() {
            self.next = None;
            return;
        }
        let len = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        self.number += 1;
        self.next = Some(Line::new(self.number, self.at, &rest[..len]));
        self.at = (self.at + len + 1).min(self.bytes.len());
    }
}

/// An object: base64 text between `-----BEGIN LABEL-----` and `-----END LABEL-----`. `None` if it is not there, cut short, or no base64.
pub(super) fn take_object(lines: &mut Lines<'_>, max_bytes: usize) -> Option<Vec<u8>> {
    lines.take_if(|line| line.keyword == b"-----BEGIN")?;
    let mut text = Vec::new();
    loop {
        let line = lines.take_if(|line| is_object_line(line.keyword))?;
        if line.keyword == b"-----END" {
            break;
        }
        text.extend_from_slice(line.keyword);
        if text.len() > max_bytes * 4 / 3 + 4 {
            return None;
        }
    }
    decode_base64(&text)
}

/// True if a line may belong to an object: base64, or its end. Any other line means that the end was lost.
fn is_object_line(keyword: &[u8]) -> bool {
    keyword == b"-----END" || keyword.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}

/// Bytes from base64 with or without padding.
pub(crate) fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    base64::engine::general_purpose::STANDARD_NO_PAD.decode(&text[..end]).ok()
}

/// Text of arguments: UTF-8 without control characters.
pub(super) fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|text| !text.contains(char::is_control))
}

/// A number in decimal digits and nothing else.
pub(super) fn number<T: std::str::FromStr>(digits: &[u8]) -> Option<T> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}
