//! The pieces of a question: words, phrases in quotes, and either with a name and a colon before it.
//!
//! ```text
//! question  = { separator } { piece { separator } }
//! piece     = [ name ":" ] ( phrase | word )
//! name      = letter { letter | "_" | "-" }
//! phrase    = quote { any character; quote and backslash after a backslash } quote
//! word      = character that is no separator { character that is no separator }
//! separator = white space, control character, invisible character
//! ```
//!
//! A quote inside a word is a character like others. What is no qualifier although it has a colon: addresses (`2001:db8::1`),
//! addresses of pages (`https://…`), `mailto:`.

use winnow::ModalResult;
use winnow::Parser as _;
use winnow::combinator::{alt, delimited, dispatch, eof, fail, opt, peek, preceded, repeat, terminated};
use winnow::token::{any, none_of, one_of, take_while};

/// A piece of a question, as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// The name before the colon, in lower case with `_` for `-`.
    pub(super) name: Option<String>,
    /// The word, or the phrase without its quotes.
    pub(super) text: String,
    /// True if it stood in quotes.
    pub(super) is_quoted: bool,
}

/// Quotes that open a phrase, each with the one that closes it.
const QUOTES: [(char, char); 4] = [('"', '"'), ('\u{201c}', '\u{201d}'), ('\u{201e}', '\u{201c}'), ('\u{ab}', '\u{bb}')];

/// The pieces of a text.
///
/// # Errors
/// The rest of the text from a quote on that is not closed.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut rest = text;
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches(is_separator);
        if rest.is_empty() {
            return Ok(found);
        }
        let piece = piece.parse_next(&mut rest).map_err(|_| rest.to_owned())?;
        found.push(piece);
    }
}

/// True for characters between words: white space, and whatever cannot be seen.
pub(super) fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn piece(input: &mut &str) -> ModalResult<Piece> {
    let name = opt(name).parse_next(input)?;
    let (text, is_quoted) = match name {
        // A name may stand without a value; what follows is another piece.
        Some(_) => alt((phrase.map(|text| (text, true)), unquoted(0).map(|text| (text, false)))).parse_next(input)?,
        None => alt((phrase.map(|text| (text, true)), unquoted(1).map(|text| (text, false)))).parse_next(input)?,
    };
    Ok(Piece { name, text, is_quoted })
}

/// A name with its colon, where they qualify what follows.
fn name(input: &mut &str) -> ModalResult<String> {
    let letters = (one_of(|c: char| c.is_ascii_alphabetic()), take_while(0.., |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '-')));
    let name = terminated(letters.take(), ':').parse_next(input)?;
    let is_address = super::bare::is_address_like(&format!("{name}:{}", input.split(is_separator).next().unwrap_or_default()));
    if input.starts_with("//") || name.eq_ignore_ascii_case("mailto") || is_address {
        return fail.parse_next(input);
    }
    Ok(name.to_ascii_lowercase().replace('-', "_"))
}

/// A phrase in quotes of any kind, with a separator or nothing behind it.
fn phrase(input: &mut &str) -> ModalResult<String> {
    let closing = |open: char| QUOTES.into_iter().find(|(of, _)| *of == open).map(|(_, close)| close);
    let Some(close) = input.chars().next().and_then(closing) else { return fail.parse_next(input) };
    let character = dispatch! {peek(any); '\\' => preceded('\\', any), _ => none_of(move |c: char| c == close)};
    let inside = repeat(0.., character).fold(String::new, |mut text, c| {
        text.push(c);
        text
    });
    let end = peek(alt((eof.void(), one_of(is_separator).void())));
    terminated(delimited(any, inside, close), end).parse_next(input)
}

/// So many characters and more up to a separator, unless they open a phrase.
fn unquoted<'a>(least: usize) -> impl FnMut(&mut &'a str) -> ModalResult<String> {
    move |input| {
        if input.starts_with(|c| QUOTES.iter().any(|(open, _)| *open == c)) {
            return fail.parse_next(input);
        }
        take_while(least.., |c| !is_separator(c)).map(str::to_owned).parse_next(input)
    }
}
