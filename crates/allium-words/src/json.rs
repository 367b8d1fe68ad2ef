//! JSON in which no character can act on a terminal or a page: such characters are written as `\u` escapes. No number is -0.

use std::io;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};

use crate::format::unsigned_zero;
use crate::inert::is_deceptive;

/// The value as compact JSON with a newline at the end.
///
/// # Errors
/// For a value that has no JSON form, such as a map whose keys are no texts.
pub fn to_json(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut out = Vec::with_capacity(4096);
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Inert);
    value.serialize(&mut serializer)?;
    out.push(b'\n');
    String::from_utf8(out).map_err(serde::ser::Error::custom)
}

struct Inert;

impl Formatter for Inert {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        CompactFormatter.write_f64(writer, unsigned_zero(value))
    }

    fn write_f32<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        // -0 + 0 is 0, and every other number stays as it is.
        CompactFormatter.write_f32(writer, value + 0.0)
    }

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
    fn no_number_is_minus_zero() {
        let sum_of_nothing: f64 = [].iter().sum();
        let json = to_json(&serde_json::json!({ "a": -0.0, "b": [sum_of_nothing, -0.0_f32, -1e-300], "c": 0.5 })).unwrap();
        assert_eq!(json, "{\"a\":0.0,\"b\":[0.0,0.0,-1e-300],\"c\":0.5}\n");
        assert_eq!(to_json(&(-0.0_f32, -0.0_f64, f64::NAN)).unwrap(), "[0.0,0.0,null]\n");
    }

    #[test]
    fn strings_come_back_exactly_and_hold_nothing_active() {
        let text = "</script>&\u{202E}\u{7F}\u{0}\n\u{E0041}é\"";
        let json = to_json(&text).unwrap();
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        assert_eq!(json, "\"\\u003c/script\\u003e\\u0026\\u202e\\u007f\\u0000\\n\\udb40\\udc41é\\\"\"\n");
    }
}
