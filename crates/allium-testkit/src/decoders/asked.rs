//! What strangers ask and claim: questions to the search, and contacts of relays.

use allium_analysis::{MOST_BYTES, MOST_TERMS, Question};
use allium_model::{AroiContact, AroiDomain, ProofMethod};

/// Longest text of an error: whatever was asked is cut short in it.
const MAX_ERROR_BYTES: usize = 2048;

/// Holds that a question is bounded, written in one form, and read from that form as the same.
pub(crate) fn question(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Question::parse(text) {
        Ok(question) => {
            assert!(text.len() <= MOST_BYTES && question.terms().len() <= MOST_TERMS);
            let written = question.to_string();
            // Quotes make a form longer, up to a length that is refused.
            if written.len() <= MOST_BYTES {
                assert_eq!(Question::parse(&written).as_ref(), Ok(&question), "{text:?} is written as {written:?}");
            }
        }
        Err(error) => assert!(error.to_string().len() + error.allowed().len() <= MAX_ERROR_BYTES, "{error}"),
    }
}

/// Holds that a domain that a contact claims is a name of the DNS in its one form, and no address in any.
pub(crate) fn contact(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let contact = AroiContact::of(text);
    assert_eq!(AroiContact::of(text), contact);
    let read = [contact.domain().cloned(), AroiDomain::of_url(text).ok(), text.parse().ok()];
    read.iter().flatten().for_each(is_a_name);
    if let Some(claim) = contact.claim() {
        assert!(matches!(claim.version, 2 | 3));
        assert_eq!(ProofMethod::from_name(claim.method.name()), Some(claim.method));
        let written = format!("url:{} proof:{} ciissversion:{}", claim.domain, claim.method.name(), claim.version);
        let again = AroiContact::of(&written).claim().map(|claim| claim.domain.to_string());
        assert_eq!(again, Some(without_www(claim.domain.as_str())));
    }
}

fn is_a_name(domain: &AroiDomain) {
    let text = domain.as_str();
    assert_eq!(text.parse().as_ref(), Ok(domain), "one form");
    assert_eq!(AroiDomain::of_url(&format!("https://{text}/")).ok().map(|read| read.to_string()), Some(without_www(text)));
    assert!(text.len() <= 253 && text.contains('.') && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.')));
    let last = text.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|b| b.is_ascii_digit())
        || last.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    assert!(!is_number, "{text} is an address to some parser");
}

fn without_www(text: &str) -> String {
    text.strip_prefix("www.").filter(|rest| rest.contains('.')).unwrap_or(text).to_owned()
}
