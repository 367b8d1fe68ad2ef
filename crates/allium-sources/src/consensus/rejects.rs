//! Quotes of the input in rejects of a consensus.

pub(super) use crate::rejects::Rejects;

/// Number of characters of the input that a reason quotes.
const MAX_QUOTE_CHARS: usize = 60;

/// The beginning of what was found, in visible characters.
pub(super) fn quote(bytes: &[u8]) -> String {
    let start = &bytes[..bytes.len().min(4 * MAX_QUOTE_CHARS)];
    let text = String::from_utf8_lossy(start);
    let mut quoted: String = text.chars().take(MAX_QUOTE_CHARS).flat_map(char::escape_debug).collect();
    if text.chars().nth(MAX_QUOTE_CHARS).is_some() || start.len() < bytes.len() {
        quoted.push('…');
    }
    quoted
}
