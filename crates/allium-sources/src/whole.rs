//! Whole numbers, however they are spelled.
//!
//! JSON has one kind of number and CSV has none, so `1234.0` and `1.234e3` are 1234, and writers that keep numbers as floating point
//! write them so.
//! A number with a fraction has no certain meaning as a whole one, and in JSON a string of digits is no number: both are refused.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// The greatest amount up to which every whole number has a floating-point number of its own.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// A whole number as a member of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole(pub(crate) i64);

/// The whole number that this text spells; `None` for fractions, for what exceeds 64 bits and for anything else.
pub(crate) fn whole(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| exact(text.parse().ok()?))
}

/// The whole number that this one is; `None` for fractions and for those too large to be certain.
fn exact(number: f64) -> Option<i64> {
    (number.abs() <= MAX_EXACT && number.fract() == 0.0).then_some(number as i64)
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeVisitor)
    }
}

struct WholeVisitor;

impl Visitor<'_> for WholeVisitor {
    type Value = Whole;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E>(self, number: i64) -> Result<Whole, E> {
        Ok(Whole(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Whole, E> {
        i64::try_from(number).map(Whole).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Whole, E> {
        exact(number).map(Whole).ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
    }
}
