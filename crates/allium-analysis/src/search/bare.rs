//! Words without a name before them: everything that one may mean.

use allium_model::Asn;

use super::address::{self, Reading};
use super::country;
use super::error::QuestionError;
use super::identity;
use super::mail::{mail_at_start, whole_mail};
use super::question::{Condition, Term};
use super::versions::Versions;

/// The most words that are taken together for one mail address or country.
const MOST_JOINED: usize = 16;

/// True for text that is an address or would be one but for a mistake.
pub(super) fn is_address_like(text: &str) -> bool {
    address::read(text) != Reading::Other
}

/// The term that several words make together, and how many of them: a fingerprint in groups, a mail address with its marks apart, an AS
/// with its number apart, a country whose name has several words.
pub(super) fn joined(words: &[&str]) -> Option<(Term, usize)> {
    let words = &words[..words.len().min(MOST_JOINED)];
    fingerprint_in_groups(words).or_else(|| spelt_mail(words)).or_else(|| as_number(words)).or_else(|| country_name(words))
}

/// Words of hexadecimal digits that are 40 digits together, or groups of four that are the beginning of a fingerprint.
fn fingerprint_in_groups(words: &[&str]) -> Option<(Term, usize)> {
    let first = words.first()?;
    let digits_of = |(i, word): (usize, &&str)| if i == 0 { word.trim_start_matches('$').to_owned() } else { (*word).to_owned() };
    let is_hex = |word: &String| !word.is_empty() && word.bytes().all(|b| b.is_ascii_hexdigit());
    let groups: Vec<String> = words.iter().enumerate().map(digits_of).take_while(is_hex).collect();
    let whole = (2..=groups.len()).find(|n| groups[..*n].iter().map(String::len).sum::<usize>() == 40);
    let n_of_four = groups.iter().take_while(|group| group.len() == 4).count().min(9);
    let n = whole.or((n_of_four >= if first.starts_with('$') { 2 } else { 3 }).then_some(n_of_four))?;
    let text = format!("${}", groups[..n].concat().to_uppercase());
    read(&text, false).ok().map(|term| (term, n))
}

fn spelt_mail(words: &[&str]) -> Option<(Term, usize)> {
    let text = words.join(" ");
    let text = text.trim_start_matches(['<', '(']);
    let (mail, rest) = mail_at_start(text)?;
    let rest = rest.trim_start_matches(['>', ')', ',', ';']);
    if !rest.is_empty() && !rest.starts_with(' ') {
        return None;
    }
    let n = words.len() - rest.split_whitespace().count();
    (n > 1).then(|| (Term::of(mail.clone(), vec![Condition::Mail(mail)]), n))
}

fn as_number(words: &[&str]) -> Option<(Term, usize)> {
    let [first, second, ..] = words else { return None };
    let is_as = first.eq_ignore_ascii_case("as") || first.eq_ignore_ascii_case("asn");
    let asn = second.parse::<Asn>().ok().filter(|_| is_as && second.bytes().all(|b| b.is_ascii_digit()))?;
    Some((Term::of(asn.to_string(), vec![Condition::As(vec![Some(asn)])]), 2))
}

fn country_name(words: &[&str]) -> Option<(Term, usize)> {
    (2..=words.len().min(8)).rev().find_map(|n| {
        let name = words[..n].join(" ");
        country::named(name.trim_end_matches([',', ';'])).and_then(|_| read(&name, true).ok()).map(|term| (term, n))
    })
}

/// The term of one word or phrase. A phrase that looks like a broken address is a text.
///
/// # Errors
/// It can only be meant as something that it is not.
pub(super) fn read(text: &str, is_phrase: bool) -> Result<Term, QuestionError> {
    let text = text.trim_end_matches([',', ';']);
    let text = text.trim_start_matches("mailto:");
    exact(text, is_phrase).unwrap_or_else(|| Ok(Term::of(text.to_owned(), loose(text))))
}

/// Reads a text that has a form of its own: it means that and nothing else.
fn exact(text: &str, is_phrase: bool) -> Option<Result<Term, QuestionError>> {
    let term = |text: String, conditions| Some(Ok(Term::of(text, conditions)));
    if let Some(fingerprint) = identity::whole(text) {
        return term(fingerprint.to_string(), vec![Condition::Fingerprint(fingerprint)]);
    }
    if let Some(prefix) = identity::beginning(text).filter(|_| text.starts_with('$')) {
        return term(text.split('~').next().unwrap_or(text).to_uppercase(), vec![Condition::Prefix(prefix)]);
    }
    if let Some(versions) = version(text) {
        return term(text.to_owned(), vec![Condition::Versions(versions), Condition::Text(text.to_lowercase())]);
    }
    match address::read(text) {
        Reading::Of(conditions) => return term(text.to_owned(), conditions),
        Reading::Broken if !is_phrase => return Some(Err(QuestionError::bad(text, address::ALLOWED))),
        Reading::Broken | Reading::Other => {}
    }
    if let Some(mail) = whole_mail(text) {
        return term(mail.clone(), vec![Condition::Mail(mail)]);
    }
    autonomous_system(text).map(|asn| asn.map(|asn| Term::of(asn.to_string(), vec![Condition::As(vec![Some(asn)])])))
}

/// Versions that begin as Tor's do; `0.4.8.12` is no address that a relay could have.
fn version(text: &str) -> Option<Versions> {
    let is_version = text.starts_with("0.") || text.starts_with("..0.");
    Versions::read(text).filter(|_| is_version)
}

/// `AS` with a number; the number may be missing where nothing else follows, which leaves a text.
fn autonomous_system(text: &str) -> Option<Result<Asn, QuestionError>> {
    let lower = text.to_ascii_lowercase();
    let digits = lower.strip_prefix("asn").or_else(|| lower.strip_prefix("as"))?;
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| digits.parse().map_err(|_| QuestionError::bad(text, "an AS such as AS24940, from AS1 to AS4294967295")))
}

/// The conditions that a text may mean, the exact one first.
fn loose(text: &str) -> Vec<Condition> {
    let lower = text.to_lowercase();
    if let Some(country) = country::coded(text).filter(|_| text.len() == 2) {
        return vec![Condition::Country(vec![Some(country)]), Condition::Named(lower)];
    }
    let mut conditions = Vec::new();
    conditions.extend(identity::base64(text).map(Condition::Fingerprint));
    conditions.extend(text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit())).map(|asn| Condition::As(vec![Some(asn)])));
    conditions.extend(
        identity::beginning(text)
            .filter(|prefix| prefix.len() >= identity::LEAST_DIGITS && prefix.len() == text.len())
            .map(Condition::Prefix),
    );
    let coded = || country::coded(text).filter(|_| text.bytes().all(|b| b.is_ascii_uppercase()));
    conditions.extend(country::named(text).or_else(coded).map(|country| Condition::Country(vec![Some(country)])));
    conditions.push(Condition::Text(without_scheme(&lower)));
    conditions
}

/// The address of a page as contacts mostly have it.
fn without_scheme(lower: &str) -> String {
    let rest = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
    rest.map_or(lower, |rest| rest.trim_end_matches('/')).to_owned()
}
