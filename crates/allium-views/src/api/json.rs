//! JSON in which no character can act on a terminal or a page: such characters are written as `\u` escapes.

use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;

use crate::error::RequestError;
use crate::text::is_deceptive;

/// The value as compact JSON with a newline at the end.
///
/// # Errors
/// [`RequestError::Internal`] for a value that has no JSON form; the types of this crate all have one.
pub fn to_json(value: &impl Serialize) -> Result<String, RequestError> {
    let mut out = Vec::with_capacity(4096);
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Inert);
    let written = value.serialize(&mut serializer).map_err(|error| error.to_string());
    out.push(b'\n');
    written.and_then(|()| String::from_utf8(out).map_err(|error| error.to_string())).map_err(|error| {
        tracing::error!(error, "an answer could not be written as JSON");
        RequestError::Internal
    })
}

struct Inert;

impl Formatter for Inert {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(|c| matches!(c, '<' | '>' | '&') || is_deceptive(c)) {
            writer.write_all(&rest.as_bytes()[..at])?;
            let c = rest[at..].chars().next().unwrap_or_default();
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &rest[at + c.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_back_exactly_and_hold_nothing_active() {
        let text = "</script>&\u{202E}\u{7F}\u{0}\n\u{E0041}é\"";
        let json = to_json(&text).unwrap();
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        assert_eq!(json, "\"\\u003c/script\\u003e\\u0026\\u202e\\u007f\\u0000\\n\\udb40\\udc41é\\\"\"\n");
    }
}
