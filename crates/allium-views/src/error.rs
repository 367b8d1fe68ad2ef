//! Requests that cannot be answered: what was wrong, and a way onward. Pages get HTML, the API gets JSON.

use std::fmt;

use allium_analysis::{MOST_BYTES, QuestionError};
use allium_service::{NoteError, StoreError};

/// A request that cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestError {
    /// There is no page at this address.
    NoSuchPage,
    /// No relay has this fingerprint; the text is what was asked for.
    NoSuchRelay(String),
    /// No current relay is in this group.
    NoSuchGroup {
        /// Kind of group.
        noun: &'static str,
        /// The group that was asked for.
        asked: String,
    },
    /// A parameter has a value that is not allowed.
    BadParameter {
        /// Its name.
        name: String,
        /// The beginning of what was given.
        found: String,
        /// The values that are allowed.
        allowed: String,
    },
    /// A question that is not understood.
    BadQuestion {
        /// The beginning of the question.
        asked: String,
        /// The part that is not understood, and why.
        reason: String,
        /// The forms that would be understood in its place.
        allowed: String,
    },
    /// The address is longer than any that a page links to.
    TooLong,
    /// Only reading is possible.
    MethodNotAllowed,
    /// Only sending is possible.
    OnlyPost,
    /// There is no data yet; the text says why.
    NoDataYet(String),
    /// The incidents are not known yet.
    NoIncidentsYet,
    /// There is no forecast; the text says why.
    NoForecast(String),
    /// The token is not valid, or there is none.
    WrongToken,
    /// The note that was sent is rejected; the text says why.
    BadBody(String),
    /// The note that was sent is larger than any that is accepted.
    BodyTooLarge,
    /// As many clients listen already as may.
    TooManyListeners,
    /// Too many requests wait already.
    Busy,
    /// The request names no host, or two.
    BadHost,
    /// The fault is ours.
    Internal,
}

impl From<allium_charts::Error> for RequestError {
    fn from(error: allium_charts::Error) -> Self {
        tracing::error!(%error, "a chart could not be written");
        Self::Internal
    }
}

impl From<NoteError> for RequestError {
    fn from(error: NoteError) -> Self {
        match error {
            NoteError::NoSuchIncident => Self::NoSuchPage,
            other => Self::BadBody(other.to_string()),
        }
    }
}

impl From<StoreError> for RequestError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::WrongToken => Self::WrongToken,
            StoreError::Full => Self::BadBody(error.to_string()),
            StoreError::Failed => Self::Internal,
        }
    }
}

impl RequestError {
    /// A parameter with a wrong value, quoted to 60 characters.
    pub fn bad(name: &str, found: &str, allowed: impl Into<String>) -> Self {
        let cut = |text: &str| text.chars().take(60).collect();
        Self::BadParameter { name: cut(name), found: cut(found), allowed: allowed.into() }
    }

    /// A question that is not understood, quoted to as many characters as one may have.
    pub(crate) fn question(asked: &str, error: &QuestionError) -> Self {
        Self::BadQuestion { asked: asked.chars().take(MOST_BYTES).collect(), reason: error.to_string(), allowed: error.allowed() }
    }

    /// A group without current relays, quoted to 60 characters.
    pub fn no_such_group(noun: &'static str, asked: &str) -> Self {
        Self::NoSuchGroup { noun, asked: asked.chars().take(60).collect() }
    }

    /// The status of the answer, in numbers of HTTP.
    pub const fn status(&self) -> u16 {
        match self {
            Self::NoSuchPage | Self::NoSuchRelay(_) | Self::NoSuchGroup { .. } => 404,
            Self::BadParameter { .. } | Self::BadQuestion { .. } | Self::BadBody(_) | Self::BadHost => 400,
            Self::WrongToken => 401,
            Self::BodyTooLarge => 413,
            Self::TooLong => 414,
            Self::MethodNotAllowed | Self::OnlyPost => 405,
            Self::NoDataYet(_) | Self::NoForecast(_) | Self::NoIncidentsYet | Self::TooManyListeners | Self::Busy => 503,
            Self::Internal => 500,
        }
    }

    /// The heading of the page.
    pub const fn title(&self) -> &'static str {
        match self {
            Self::NoSuchPage => "No page here",
            Self::NoSuchRelay(_) => "No relay with this fingerprint",
            Self::NoSuchGroup { .. } => "No relay in this group",
            Self::BadParameter { .. } => "This address has a value that is not allowed",
            Self::BadQuestion { .. } => "This question is not understood",
            Self::TooLong => "This address is too long",
            Self::MethodNotAllowed => "Only reading is possible here",
            Self::OnlyPost => "Only notes can be sent here",
            Self::NoDataYet(_) => "No data yet",
            Self::NoIncidentsYet => "Incidents are being computed",
            Self::NoForecast(_) => "No forecast yet",
            Self::WrongToken => "This token is not valid",
            Self::BadBody(_) => "This note was rejected",
            Self::BodyTooLarge => "This is too long",
            Self::TooManyListeners => "Too many listeners",
            Self::Busy => "Too many requests at the moment",
            Self::BadHost => "This request names no host",
            Self::Internal => "This page could not be made",
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchPage => f.write_str("there is nothing at this address"),
            Self::NoSuchRelay(asked) => write!(f, "no relay on record has the fingerprint {asked:?}"),
            Self::NoSuchGroup { noun, asked } => write!(f, "no relay seen in the last 7 days is in the {noun} {asked:?}"),
            Self::BadParameter { name, found, allowed } => write!(f, "the value {found:?} of {name:?} is not allowed; allowed: {allowed}"),
            Self::BadQuestion { reason, .. } => f.write_str(reason),
            Self::TooLong => f.write_str("the address is longer than 4,096 bytes"),
            Self::MethodNotAllowed => f.write_str("only GET and HEAD are allowed"),
            Self::OnlyPost => f.write_str("only POST is allowed"),
            Self::NoDataYet(reason) => write!(f, "no consensus has been taken in yet: {reason}"),
            Self::NoIncidentsYet => f.write_str("incidents are being computed from the stored history; ask again in a minute"),
            Self::NoForecast(reason) => write!(f, "there is no forecast: {reason}"),
            Self::WrongToken => f.write_str("submitting a note needs a valid token, which whoever runs this service hands out"),
            Self::BadBody(reason) => write!(f, "the note was rejected: {reason}"),
            Self::BodyTooLarge => f.write_str("a note may have at most 32 kB"),
            Self::TooManyListeners => {
                f.write_str("as many clients listen already as may; ask again later, or read /api/v1/incidents.jsonl")
            }
            Self::Busy => f.write_str("too many requests wait already; ask again in some seconds"),
            Self::BadHost => f.write_str("a request must name one host, in one header Host"),
            Self::Internal => f.write_str("the fault is on this side and has been logged"),
        }
    }
}
