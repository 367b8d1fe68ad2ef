//! Writing JSON objects as Onionoo's Jackson does: fields in a fixed order, nothing empty, Java's numbers.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::Offset;

/// An object being written. Fields with nothing in them leave no trace.
pub(crate) struct Object(String);

impl Object {
    pub(crate) fn new() -> Self {
        Self::with_capacity(1024)
    }

    pub(crate) fn with_capacity(bytes: usize) -> Self {
        let mut text = String::with_capacity(bytes);
        text.push('{');
        Self(text)
    }

    pub(crate) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }

    pub(crate) fn text(mut self, key: &str, value: &str) -> Self {
        if !value.is_empty() {
            self.key(key);
            push_text(&mut self.0, value);
        }
        self
    }

    pub(crate) fn text_opt(self, key: &str, value: Option<&str>) -> Self {
        self.text(key, value.unwrap_or_default())
    }

    pub(crate) fn texts<T: AsRef<str>>(mut self, key: &str, values: &[T]) -> Self {
        if values.is_empty() {
            return self;
        }
        self.key(key);
        for (i, value) in values.iter().enumerate() {
            self.0.push(if i == 0 { '[' } else { ',' });
            push_text(&mut self.0, value.as_ref());
        }
        self.0.push(']');
        self
    }

    pub(crate) fn bool(mut self, key: &str, value: bool) -> Self {
        self.key(key);
        self.0.push_str(if value { "true" } else { "false" });
        self
    }

    pub(crate) fn integer(mut self, key: &str, value: i64) -> Self {
        self.key(key);
        // Writing to a string cannot fail.
        let _ = write!(self.0, "{value}");
        self
    }

    pub(crate) fn integer_opt(self, key: &str, value: Option<i64>) -> Self {
        match value {
            Some(value) => self.integer(key, value),
            None => self,
        }
    }

    pub(crate) fn float(mut self, key: &str, value: f32) -> Self {
        self.key(key);
        self.0.push_str(&java_float(value));
        self
    }

    /// A value that is JSON already; nothing if empty.
    pub(crate) fn json(mut self, key: &str, value: &str) -> Self {
        if !value.is_empty() {
            self.key(key);
            self.0.push_str(value);
        }
        self
    }

    fn key(&mut self, key: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        push_text(&mut self.0, key);
        self.0.push(':');
    }
}

/// A string in quotes: control characters, quotes and backslashes escaped, everything else as it is.
fn push_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// As `Float.toString`: plain from 0.001 up to ten million, otherwise scientific with a capital E.
pub(crate) fn java_float(value: f32) -> String {
    java_number(f64::from(value.abs()), value.is_sign_negative() && value != 0.0, &format!("{:e}", value.abs()))
}

/// As `Double.toString`.
pub(crate) fn java_double(value: f64) -> String {
    java_number(value.abs(), value.is_sign_negative() && value != 0.0, &format!("{:e}", value.abs()))
}

/// Rearranges the shortest digits, given as Rust writes them (`1.25e-4`).
fn java_number(magnitude: f64, negative: bool, scientific: &str) -> String {
    let sign = if negative { "-" } else { "" };
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    if magnitude != 0.0 && !(1e-3..1e7).contains(&magnitude) {
        let point = if mantissa.contains('.') { "" } else { ".0" };
        return format!("{sign}{mantissa}{point}E{exponent}");
    }
    let digits = mantissa.replace('.', "");
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let plain = if exponent < 0 {
        format!("0.{}{digits}", "0".repeat((-exponent - 1) as usize))
    } else {
        let whole = exponent as usize + 1;
        let padded = format!("{digits:0<whole$}");
        let (before, after) = padded.split_at(whole);
        format!("{before}.{}", if after.is_empty() { "0" } else { after })
    };
    format!("{sign}{plain}")
}

/// `2026-02-15 18:00:00`.
pub(crate) fn tor_time(secs: i64) -> String {
    let instant = Timestamp::from_second(secs).unwrap_or(Timestamp::UNIX_EPOCH);
    let t = Offset::UTC.to_datetime(instant);
    format!("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", t.year(), t.month(), t.day(), t.hour(), t.minute(), t.second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_java_writes_them() {
        let cases = [
            (0.0, "0.0"),
            (1.0, "1.0"),
            (0.001, "0.001"),
            (0.001001001001001001, "0.001001001001001001"),
            (9.99e-4, "9.99E-4"),
            (8.39e-8, "8.39E-8"),
            (1e-5, "1.0E-5"),
            (123.5, "123.5"),
            (2723.6236232700335, "2723.6236232700335"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (-0.25, "-0.25"),
        ];
        for (value, expected) in cases {
            assert_eq!(java_double(value), expected);
        }
        assert_eq!(java_float(1.670_967_4e-6), "1.6709674E-6");
    }

    #[test]
    fn strings_are_inert() {
        assert_eq!(Object::new().text("n", "a\"\\\u{0}\u{202e}\n").end(), "{\"n\":\"a\\\"\\\\\\u0000\u{202e}\\n\"}");
        assert_eq!(Object::new().text("n", "").texts::<&str>("a", &[]).bool("r", false).end(), "{\"r\":false}");
    }

    #[test]
    fn times_are_written_without_zone() {
        assert_eq!(tor_time(1_771_178_400), "2026-02-15 18:00:00");
    }
}
