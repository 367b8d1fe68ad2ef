//! A question: what somebody typed, taken apart into terms that must all fit.

use std::fmt;
use std::net::IpAddr;

use allium_model::{Asn, CountryCode, Fingerprint, IpPrefix};

use super::bare;
use super::days::Days;
use super::error::QuestionError;
use super::grammar::{Piece, is_separator, pieces};
use super::identity::Prefix;
use super::key::Key;
use super::versions::Versions;

/// The most terms of a question.
pub const MOST_TERMS: usize = 16;

/// The most bytes of a question.
pub const MOST_BYTES: usize = 200;

/// Days after its last appearance for which a relay counts as part of the network.
const CURRENT_DAYS: u32 = (allium_model::RelayRecord::CURRENT_HOURS / 24) as u32;

/// A question that is understood. The empty one fits everything.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Question {
    terms: Vec<Term>,
}

/// A part of a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// The name before the colon, where there is one.
    pub key: Option<Key>,
    /// The value in one form: a whole fingerprint in 40 digits, a mail address with its @.
    pub text: String,
    /// Conditions of which one must hold, the exact one first.
    pub any: Vec<Condition>,
}

/// Something that a relay fits or not. Texts are lower-case.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Everything fits.
    Everything,
    /// A part of nickname, contact, mail address, AS name, country name or host name.
    Text(String),
    /// The whole nickname.
    Named(String),
    /// A part of the nickname.
    Nickname(String),
    /// A part of the contact, or of a mail address in it.
    Contact(String),
    /// A whole mail address in the contact, however it is spelt there.
    Mail(String),
    /// A part of the AS name.
    AsName(String),
    /// The end of a host name.
    HostName(String),
    /// The beginning of the operating system.
    Os(String),
    /// The fingerprint, or its SHA-1 digest.
    Fingerprint(Fingerprint),
    /// The beginning of the fingerprint.
    Prefix(Prefix),
    /// One of the addresses; with a port, one that it listens on.
    Address(IpAddr, Option<u16>),
    /// One of the addresses lies in this network.
    Network(IpPrefix),
    /// One of these autonomous systems; `None` for an unknown one.
    As(Vec<Option<Asn>>),
    /// One of these countries; `None` for an unknown one.
    Country(Vec<Option<CountryCode>>),
    /// All of these flags, by name.
    Flags(Vec<String>),
    /// The family of this relay.
    Family(Fingerprint),
    /// One of these versions.
    Versions(Versions),
    /// Running, or not.
    Running(bool),
    /// A version that the authorities recommend, or not.
    Recommended(bool),
    /// Days since the first appearance.
    FirstSeen(Days),
    /// Days since the last appearance.
    LastSeen(Days),
}

impl Question {
    /// Reads what somebody typed.
    ///
    /// # Errors
    /// A part is not understood, or there is too much of it.
    pub fn parse(text: &str) -> Result<Self, QuestionError> {
        if text.len() > MOST_BYTES {
            return Err(QuestionError::TooLong { n_bytes: text.len() });
        }
        let pieces = pieces(text).map_err(|rest| QuestionError::open_quote(&rest))?;
        let terms = terms(&pieces)?;
        match terms.len() {
            0 if text.chars().any(|c| !c.is_whitespace()) => Err(QuestionError::NoWord),
            n_terms if n_terms > MOST_TERMS => Err(QuestionError::TooManyTerms { n_terms }),
            _ => Ok(Self { terms }),
        }
    }

    /// The terms, in their order.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// True if nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// True if it is one whole fingerprint, which at most one relay has.
    pub fn asks_for_one_relay(&self) -> bool {
        matches!(self.terms.as_slice(), [term] if matches!(term.any.first(), Some(Condition::Fingerprint(_))))
    }

    /// True if the question is about relays that may have left the network: it names one by its whole fingerprint, or asks for relays
    /// last seen longer ago than current ones can be.
    pub fn asks_for_gone(&self) -> bool {
        let asks = |condition: &Condition| match condition {
            Condition::Fingerprint(_) => true,
            Condition::LastSeen(days) => days.goes_beyond(CURRENT_DAYS),
            _ => false,
        };
        self.terms.iter().any(|term| term.any.first().is_some_and(asks))
    }

    /// The same with each word that could be taken together with others, or for something else, in quotes.
    fn quoted(&self) -> String {
        self.terms.iter().map(|term| term.written(true)).collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Display for Question {
    /// Writes the question in one form, which [`Question::parse`] reads as the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = self.terms.iter().map(|term| term.written(false)).collect::<Vec<_>>().join(" ");
        let is_same = Self::parse(&plain).is_ok_and(|read| read == *self);
        f.write_str(&if is_same { plain } else { self.quoted() })
    }
}

impl Term {
    /// A term without a name.
    pub(super) fn of(text: String, any: Vec<Condition>) -> Self {
        Self { key: None, text, any }
    }

    /// The term as it stands in a question.
    fn written(&self, in_quotes: bool) -> String {
        let quotes = ['"', '\u{201c}', '\u{201e}', '\u{ab}'];
        let needs_quotes = self.text.contains(is_separator) || self.text.starts_with(quotes) || self.text.is_empty();
        let text = if needs_quotes || (in_quotes && self.key.is_none()) { quote(&self.text) } else { self.text.clone() };
        self.key.map_or_else(|| text.clone(), |key| format!("{}:{text}", key.name()))
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written(false))
    }
}

fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn terms(pieces: &[Piece]) -> Result<Vec<Term>, QuestionError> {
    let mut terms = Vec::new();
    let mut rest = pieces;
    while let Some((piece, behind)) = rest.split_first() {
        let (term, n_more) = match &piece.name {
            Some(name) => qualified(name, piece, behind)?,
            None => bare_term(piece, rest)?,
        };
        rest = &behind[n_more..];
        terms.extend((term.key.is_some() || !term.text.is_empty()).then_some(term));
    }
    Ok(terms)
}

/// A term with a name; its value may stand apart.
fn qualified(name: &str, piece: &Piece, behind: &[Piece]) -> Result<(Term, usize), QuestionError> {
    let key = Key::from_name(name).ok_or_else(|| QuestionError::unknown(name))?;
    let apart = behind.first().filter(|next| piece.text.is_empty() && !piece.is_quoted && next.name.is_none());
    let value = apart.unwrap_or(piece);
    Ok((key.read(&value.text)?, usize::from(apart.is_some())))
}

/// A term of one word or phrase, or of several words that belong together.
fn bare_term(piece: &Piece, rest: &[Piece]) -> Result<(Term, usize), QuestionError> {
    if piece.is_quoted {
        return quoted_name(&piece.text).unwrap_or_else(|| bare::read(&joined_spaces(&piece.text), true)).map(|term| (term, 0));
    }
    let words: Vec<&str> =
        rest.iter().take_while(|piece| piece.name.is_none() && !piece.is_quoted).map(|piece| piece.text.as_str()).collect();
    match bare::joined(&words) {
        Some((term, n)) => Ok((term, n - 1)),
        None => bare::read(&piece.text, false).map(|term| (term, 0)),
    }
}

/// A term that stands in quotes with its name, as Relay Search also takes it.
fn quoted_name(text: &str) -> Option<Result<Term, QuestionError>> {
    let (name, value) = text.split_once(':')?;
    let key = Key::from_name(&name.to_ascii_lowercase()).filter(|_| !value.starts_with(is_separator))?;
    Some(key.read(value))
}

/// A phrase with single spaces between its words.
fn joined_spaces(text: &str) -> String {
    text.split(is_separator).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
