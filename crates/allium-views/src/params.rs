//! The query part of an address: read strictly, written canonically.

use allium_analysis::Question;
use allium_charts::{Look, Size, Theme};
use allium_service::View;
use allium_words::inert::url_encoded;

use crate::error::RequestError;

/// The longest value that a parameter may have, in bytes.
pub(crate) const LONGEST_VALUE: usize = 200;
/// The longest list of things to compare, `with`: as many fingerprints as may be compared, with a comma behind each.
const LONGEST_LIST: usize = 60 * 41;

/// The parameters of a request in their order; those with an empty value count as absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads the query part of an address, without its `?`.
    ///
    /// # Errors
    /// A value is too long.
    pub fn read(query: &str) -> Result<Self, RequestError> {
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned();
        let pairs: Vec<(String, String)> = pairs.filter(|(_, value)| !value.trim().is_empty()).collect();
        match pairs.iter().find(|(name, value)| value.len() > longest(name)) {
            Some((name, value)) => Err(RequestError::bad(name, value, format!("at most {} bytes", longest(name)))),
            None => Ok(Self(pairs)),
        }
    }

    /// The value of a parameter that may occur once.
    ///
    /// # Errors
    /// It occurs more often.
    pub fn one<'a>(&'a self, name: &'a str) -> Result<Option<&'a str>, RequestError> {
        let mut values = self.all(name);
        let value = values.next();
        match values.next() {
            Some(second) => Err(RequestError::bad(name, second, "one value")),
            None => Ok(value),
        }
    }

    /// The question in the parameter `q`; the empty one where there is none.
    pub(crate) fn question(&self, view: &View) -> Result<Question, RequestError> {
        let text = self.one("q")?.unwrap_or_default();
        view.question(text).map_err(|error| RequestError::question(text, &error))
    }

    /// The values of a parameter that may occur often, or hold several with commas between them.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.trim())
    }

    /// The value of a parameter as a number in a range.
    pub(crate) fn number(&self, name: &str, range: std::ops::RangeInclusive<usize>) -> Result<Option<usize>, RequestError> {
        let allowed = || format!("a whole number from {} to {}", range.start(), range.end());
        self.one(name)?
            .map(|text| {
                let number = text.parse().ok().filter(|n| range.contains(n));
                number.ok_or_else(|| RequestError::bad(name, text, allowed()))
            })
            .transpose()
    }

    /// Names of the parameters that a look is read from.
    pub(crate) const LOOK: [&'static str; 3] = ["theme", "size", "caption"];

    /// Look of a picture, by the parameters `theme`, `size` and `caption`.
    pub(crate) fn look(&self) -> Result<Look, RequestError> {
        let choose = |name: &str, [first, second]: [&str; 2]| match self.one(name)? {
            None => Ok(false),
            Some(value) if value == first => Ok(false),
            Some(value) if value == second => Ok(true),
            Some(other) => Err(RequestError::bad(name, other, format!("{first} or {second}"))),
        };
        Ok(Look {
            theme: if choose("theme", ["light", "dark"])? { Theme::Dark } else { Theme::Light },
            size: if choose("size", ["wide", "narrow"])? { Size::Narrow } else { Size::Wide },
            caption: choose("caption", ["no", "yes"])?,
        })
    }

    /// The query part that says the same, without its `?`.
    pub(crate) fn written(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    /// The others.
    pub(crate) fn without(&self, names: &[&str]) -> Self {
        Self(self.0.iter().filter(|(name, _)| !names.contains(&name.as_str())).cloned().collect())
    }

    /// The same with these behind them.
    pub(crate) fn with(mut self, pairs: Vec<(&str, String)>) -> Self {
        self.0.extend(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)));
        self
    }

    /// Refuses parameters that are not among these.
    ///
    /// # Errors
    /// There is another one.
    pub fn only(&self, names: &[&str]) -> Result<(), RequestError> {
        match self.0.iter().find(|(name, _)| !names.contains(&name.as_str())) {
            Some((name, value)) => Err(RequestError::bad(name, value, format!("the parameters {}", names.join(", ")))),
            None => Ok(()),
        }
    }
}

/// The longest value of a parameter, in bytes.
fn longest(name: &str) -> usize {
    if name == "with" { LONGEST_LIST } else { LONGEST_VALUE }
}

/// The query part that says the same, with its `?`; empty if there is nothing to say.
pub(crate) fn query_string(pairs: &[(&str, String)]) -> String {
    let joined: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={}", url_encoded(value))).collect();
    if joined.is_empty() { String::new() } else { format!("?{}", joined.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_to_compare_has_room_for_sixty_fingerprints_and_other_values_for_two_hundred_bytes() {
        let fingerprints: Vec<String> = (0..60).map(|number| format!("{number:040X}")).collect();
        assert!(Params::read(&format!("with={}", fingerprints.join(","))).is_ok());
        for (name, most) in [("with", LONGEST_LIST), ("q", LONGEST_VALUE)] {
            assert!(Params::read(&format!("{name}={}", "a".repeat(most))).is_ok(), "{name}");
            assert!(Params::read(&format!("{name}={}", "a".repeat(most + 1))).is_err(), "{name}");
        }
    }
}
