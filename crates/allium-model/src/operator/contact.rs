//! Contacts as identities: relays with the same text belong to the same operator, as far as a text can show.

use sha2::{Digest as _, Sha256};

use super::aroi::fields_of;

/// Contacts that many unrelated operators write, in normalised form.
const PLACEHOLDERS: &[&str] = &[
    "0xffffffff random person <nobody at example dot com>",
    "random person <nobody at example dot com>",
    "random person <nobody@example.com>",
    "random person nobody@tor.org",
    "<nobody at example dot com>",
    "nobody at example dot com",
    "nobody@example.com",
    "nobody@tor.org",
    "your@e-mail",
    "your@email",
    "your email",
    "you@example.com",
    "my@mail",
    "x@x.com",
    "email",
    "e-mail",
    "none@none",
    "none@none.com",
    "none",
    "null",
    "<null>",
    "nobody",
    "noinfo",
    "no info",
    "n/a",
    "not available",
    "anonymous",
    "anon",
    "unknown",
    "unnamed",
    "redacted",
    "private",
    "disabled",
    "blank",
    "empty",
    "contact",
    "contactinfo",
    "admin",
    "abuse",
    "root",
    "tor",
    "test",
    "/dev/null",
    "0xffffffff",
];

/// The contact as identities are compared: lower case, white space and invisible characters joined to single spaces; of a
/// contact in the form of the CIISS only address and claimed page, because its other fields describe single relays.
///
/// `None` where it identifies nobody: fewer than three letters or digits, or a text that strangers share, such as the
/// example in Tor's manual.
pub fn normalised_contact(contact: &str) -> Option<String> {
    let plain = joined(contact);
    let identity = ciiss_identity(&plain).unwrap_or(plain);
    let n_letters = identity.chars().filter(|c| c.is_alphanumeric()).take(3).count();
    (n_letters == 3 && !PLACEHOLDERS.contains(&identity.as_str())).then_some(identity)
}

/// The first 16 bytes of the SHA-256 digest of a normalised contact.
pub(super) fn contact_key(normalised: &str) -> [u8; 16] {
    let digest = Sha256::digest(normalised.as_bytes());
    let mut key = [0; 16];
    key.copy_from_slice(&digest[..16]);
    key
}

fn joined(contact: &str) -> String {
    let is_separator = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}');
    let mut text = String::with_capacity(contact.len());
    for word in contact.split(is_separator).filter(|word| !word.is_empty()) {
        if !text.is_empty() {
            text.push(' ');
        }
        text.extend(word.chars().flat_map(char::to_lowercase));
    }
    text
}

/// `email:… url:…` of a contact in the form of the CIISS; `None` of others and where it has no address.
fn ciiss_identity(plain: &str) -> Option<String> {
    if !plain.contains("ciissversion:") {
        return None;
    }
    let field = |name: &str| fields_of(plain).find(|(key, _)| *key == name).map(|(_, value)| value);
    let email = field("email").filter(|email| !email.is_empty())?;
    Some(format!("email:{} url:{}", email.replace("[at]", "[]").replace('@', "[]"), field("url").unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_apart_from_case_and_space_matters() {
        let same = [
            ("Tor@Example.org", " tor@example.ORG\t"),
            ("a  b\u{200B} c", "A B C"),
            ("email:a[]b.example ciissversion:2 cpu:1", "ciissversion:2 cpu:2 email:A@b.example"),
        ];
        for (a, b) in same {
            assert_eq!(normalised_contact(a), normalised_contact(b), "{a} {b}");
        }
        let different = [
            ("a@b.example", "a@c.example"),
            ("email:a[]b.example url:x.example ciissversion:2", "email:a[]b.example url:y.example ciissversion:2"),
            ("long contact 30 characters and more: A", "long contact 30 characters and more: B"),
        ];
        for (a, b) in different {
            assert_ne!(normalised_contact(a), normalised_contact(b), "{a} {b}");
        }
    }

    #[test]
    fn what_identifies_nobody_is_no_identity() {
        for contact in
            ["", "  ", "🧅", "@", "<>", "no", "None", "N/A", "0xFFFFFFFF Random Person <nobody AT example dot com>", "...", "\u{200B}"]
        {
            assert_eq!(normalised_contact(contact), None, "{contact}");
        }
    }
}
