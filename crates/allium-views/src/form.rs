//! Forms of figures for programs: JSON and CSV, in which no character is active.

use serde::Serialize;

use crate::error::RequestError;

/// A form in which the API answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// JSON.
    Json,
    /// Comma-separated values.
    Csv,
}

impl Form {
    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }
}

/// The value as JSON in which no character is active.
///
/// # Errors
/// [`RequestError::Internal`] for a value that has no JSON form; the types of this crate all have one.
pub(crate) fn to_json(value: &impl Serialize) -> Result<String, RequestError> {
    allium_words::json::to_json(value).map_err(|error| {
        tracing::error!(%error, "an answer could not be written as JSON");
        RequestError::Internal
    })
}

/// The header and the lines as CSV.
pub(crate) fn write_csv(header: Vec<String>, lines: impl Iterator<Item = Vec<String>>) -> Result<String, RequestError> {
    allium_words::csv::to_csv(header, lines).map_err(|error| {
        tracing::error!(%error, "an answer could not be written as CSV");
        RequestError::Internal
    })
}
