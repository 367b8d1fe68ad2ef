//! Mail addresses in the spellings that people hide them in: `a@b.org`, `a[]b.org`, `a (at) b dot org`, `a AT b [dot] org`.
//!
//! An address is a name, a mark for @, and at least two labels with marks for the dot between. A mark is the character itself, or the
//! word `at` or `dot` in either case, in brackets or between spaces. Written out it is lower case with `@` and `.`.

use winnow::ModalResult;
use winnow::Parser as _;
use winnow::ascii::{Caseless, multispace0, multispace1};
use winnow::combinator::{alt, delimited, preceded, repeat};
use winnow::token::{one_of, take_while};

/// The address at the beginning of a text, and the rest of the text.
pub(super) fn mail_at_start(text: &str) -> Option<(String, &str)> {
    let mut rest = text;
    mail.parse_next(&mut rest).ok().map(|found| (found, rest))
}

/// The address that a text is, brackets around it left aside.
pub(super) fn whole_mail(text: &str) -> Option<String> {
    let inner = text.trim().trim_start_matches(['<', '(']).trim_end_matches(['>', ')', ',', ';', '.']);
    mail_at_start(inner).filter(|(_, rest)| rest.is_empty()).map(|(found, _)| found)
}

/// Every address in a text, in its order.
pub(super) fn mails_in(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_of_name) {
        rest = &rest[start..];
        rest = match mail_at_start(rest) {
            Some((mail, behind)) => {
                found.push(mail);
                behind
            }
            None => rest.trim_start_matches(is_of_name),
        };
    }
    found
}

fn mail(input: &mut &str) -> ModalResult<String> {
    let name = take_while(1.., is_of_name).verify(|name: &str| name.contains(char::is_alphanumeric)).parse_next(input)?;
    at.parse_next(input)?;
    let first = label.parse_next(input)?;
    let others: Vec<&str> = repeat(1.., preceded(dot, label)).parse_next(input)?;
    let domain = others.into_iter().fold(first.to_owned(), |domain, label| format!("{domain}.{label}"));
    Ok(format!("{}@{domain}", name.trim_matches('.')).to_ascii_lowercase())
}

fn label<'a>(input: &mut &'a str) -> ModalResult<&'a str> {
    take_while(1.., |c: char| c.is_alphanumeric() || c == '-').verify(|label: &str| !label.starts_with('-')).parse_next(input)
}

fn at(input: &mut &str) -> ModalResult<()> {
    let sign = delimited(multispace0, "@", multispace0).void();
    alt((sign, bracketed("at"), bracketed("@"), bracketed(""), spaced("at"))).parse_next(input)
}

fn dot(input: &mut &str) -> ModalResult<()> {
    alt((".".void(), bracketed("dot"), bracketed("."), spaced("dot"))).parse_next(input)
}

/// A word in brackets of any kind, with or without spaces around and inside; an empty one needs square brackets.
fn bracketed<'a>(word: &'static str) -> impl FnMut(&mut &'a str) -> ModalResult<()> {
    move |input| {
        multispace0.parse_next(input)?;
        let open = one_of(['[', '(', '{', '<']).verify(|c| *c == '[' || !word.is_empty()).parse_next(input)?;
        let close = match open {
            '[' => ']',
            '(' => ')',
            '{' => '}',
            _ => '>',
        };
        (multispace0, Caseless(word), multispace0, close, multispace0).void().parse_next(input)
    }
}

fn spaced<'a>(word: &'static str) -> impl FnMut(&mut &'a str) -> ModalResult<()> {
    move |input| delimited(multispace1, Caseless(word), multispace1).void().parse_next(input)
}

/// True for characters of the name before the @, as far as people use them.
fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '+' | '%' | '-' | '_')
}
