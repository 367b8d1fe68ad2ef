//! Choices in the form of a table.

use allium_analysis::Key;

use crate::error::RequestError;
use crate::params::Params;

/// Something to choose in the form of a table.
pub(crate) struct Choice<'a, R> {
    /// Its name in addresses.
    pub(crate) name: &'static str,
    /// Its label.
    pub(crate) label: &'static str,
    /// The values to choose from.
    pub(crate) values: Values,
    /// True for rows that fit a value other than the default; `None` where the page itself acts on the value.
    pub(crate) fits: Option<RowTest<'a, R>>,
}

/// Tests whether a row fits a value.
pub(crate) type RowTest<'a, R> = Box<dyn Fn(&R, &str) -> bool + 'a>;

/// The values of a choice.
pub(crate) enum Values {
    /// One of these values with their labels; the first is the default, which does not stand in the address.
    OneOf(Vec<(String, String)>),
    /// One of these values with their labels, or none.
    OneOrAny(Vec<(String, String)>),
    /// Any of these values, several at once.
    Several(Vec<String>),
    /// A free text, which the page itself has looked at.
    Text(TextField),
    /// A text that the form carries along unseen.
    Carried,
}

/// An input for a free text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextField {
    /// The most characters.
    pub(crate) longest: usize,
    /// Characters that it has room for, where that is not as usual.
    pub(crate) room: Option<usize>,
    /// An example.
    pub(crate) example: Option<&'static str>,
}

impl Default for TextField {
    fn default() -> Self {
        Self { longest: crate::params::LONGEST_VALUE, room: None, example: None }
    }
}

/// A country or an AS as addresses write it, whatever people call it; other values as they are.
fn canonical(name: &str, value: &str) -> String {
    let key = Key::from_name(name).filter(|key| matches!(key, Key::Country | Key::As));
    key.and_then(|key| key.read(value).ok()).map_or_else(|| value.to_owned(), |term| term.text)
}

impl<R> Choice<'_, R> {
    /// The values that an address chooses; empty for the default.
    pub(super) fn chosen(&self, params: &Params) -> Result<Vec<String>, RequestError> {
        let is_default = |value: &str| matches!(&self.values, Values::OneOf(options) if options.first().is_some_and(|(v, _)| v == value));
        match &self.values {
            Values::Several(_) => params.all(self.name).map(|value| self.known(value)).collect(),
            _ => match params.one(self.name)? {
                Some(value) if !is_default(value) => Ok(vec![self.known(value)?]),
                _ => Ok(Vec::new()),
            },
        }
    }

    /// The value, where it is one of those that are offered.
    fn known(&self, value: &str) -> Result<String, RequestError> {
        let offered: Vec<&str> = match &self.values {
            Values::OneOf(options) | Values::OneOrAny(options) => options.iter().map(|(option, _)| option.as_str()).collect(),
            Values::Several(options) => options.iter().map(String::as_str).collect(),
            Values::Text(_) | Values::Carried => return Ok(value.to_owned()),
        };
        let written = canonical(self.name, value);
        if offered.contains(&written.as_str()) {
            return Ok(written);
        }
        let allowed: Vec<&str> = offered.into_iter().take(100).collect();
        Err(RequestError::bad(self.name, value, allowed.join(", ")))
    }

    /// True if a row fits all values chosen.
    pub(super) fn is_fit(&self, row: &R, chosen: &[String]) -> bool {
        self.fits.as_ref().is_none_or(|fits| chosen.iter().all(|value| fits(row, value)))
    }
}
