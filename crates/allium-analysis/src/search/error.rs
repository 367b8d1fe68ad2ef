//! Questions that are not understood.

use super::key::Key;
use super::question::{MOST_BYTES, MOST_TERMS};

/// The part of a question that is not understood, and what would be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    /// The question is too long.
    #[error("the question has {n_bytes} bytes; at most {MOST_BYTES} are allowed")]
    TooLong {
        /// Its bytes.
        n_bytes: usize,
    },
    /// There are too many terms.
    #[error("the question has {n_terms} terms; at most {MOST_TERMS} are allowed")]
    TooManyTerms {
        /// Their number.
        n_terms: usize,
    },
    /// A quote is not closed.
    #[error("the quote before {rest:?} is not closed")]
    OpenQuote {
        /// The text behind it.
        rest: String,
    },
    /// There are only marks, or characters that cannot be seen.
    #[error("there is no word in the question")]
    NoWord,
    /// There is no such name before a colon.
    #[error("there is no term {name:?}; there are {}; a text with a colon stands in quotes", Key::names())]
    UnknownName {
        /// The name.
        name: String,
    },
    /// A term cannot be asked of this list.
    #[error("{term:?} cannot be asked here; allowed: {allowed}")]
    OutOfPlace {
        /// The term.
        term: String,
        /// The terms that can be.
        allowed: String,
    },
    /// A term has a value that is not allowed.
    #[error("{term:?} is not understood; allowed: {allowed}")]
    Bad {
        /// The term.
        term: String,
        /// The values that are allowed.
        allowed: String,
    },
}

/// Characters of a question that an error quotes.
const QUOTED: usize = 60;

impl QuestionError {
    pub(super) fn bad(term: &str, allowed: &str) -> Self {
        Self::Bad { term: cut(term), allowed: allowed.to_owned() }
    }

    pub(super) fn open_quote(rest: &str) -> Self {
        Self::OpenQuote { rest: cut(rest) }
    }

    pub(super) fn unknown(name: &str) -> Self {
        Self::UnknownName { name: cut(&format!("{name}:")) }
    }

    /// The forms that are understood.
    pub fn allowed(&self) -> String {
        match self {
            Self::TooLong { .. } => format!("at most {MOST_BYTES} bytes"),
            Self::TooManyTerms { .. } => format!("at most {MOST_TERMS} terms"),
            Self::OpenQuote { .. } => "a quote that is closed".to_owned(),
            Self::NoWord => "words".to_owned(),
            Self::UnknownName { .. } => format!("{}; a text with a colon stands in quotes", Key::names()),
            Self::OutOfPlace { allowed, .. } | Self::Bad { allowed, .. } => allowed.clone(),
        }
    }

    /// A term that cannot be asked of a list, which knows these.
    pub fn out_of_place(term: &str, allowed: impl Into<String>) -> Self {
        Self::OutOfPlace { term: cut(term), allowed: allowed.into() }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(QUOTED).collect()
}
