//! The meaning of a question as it was understood, in words.

use allium_analysis::{Condition, Key, Term};
use allium_words::countries::country_name;

/// A term in words; a text in it is as it was typed.
pub(crate) fn understood(term: &Term) -> String {
    if let Some(key) = term.key.filter(|key| *key != Key::Country) {
        return format!("{} {}", key.name().replace('_', " "), term.text);
    }
    let all: Vec<String> = term.any.iter().map(|condition| meant(condition, &term.text)).collect();
    all.join(" or ")
}

fn meant(condition: &Condition, text: &str) -> String {
    match condition {
        Condition::Fingerprint(fingerprint) => format!("the fingerprint {fingerprint}"),
        Condition::Prefix(_) => format!("a fingerprint that begins with {}", text.trim_start_matches('$').to_uppercase()),
        Condition::Address(address, None) => format!("the address {address}"),
        Condition::Address(address, Some(port)) => format!("the address {address} with the port {port}"),
        Condition::Network(prefix) => format!("addresses in {prefix}"),
        Condition::As(all) => list("the autonomous system", all.iter().map(|asn| asn.map_or("unknown".to_owned(), |asn| asn.to_string()))),
        Condition::Country(all) => list("the country", all.iter().map(|code| code.map_or("unknown".to_owned(), named))),
        Condition::Mail(mail) => format!("the mail address {mail}"),
        Condition::Versions(versions) => format!("the version {versions}"),
        Condition::Named(_) => format!("the nickname {text}"),
        _ => format!("the text \u{201c}{text}\u{201d}"),
    }
}

fn named(code: allium_model::CountryCode) -> String {
    country_name(code).unwrap_or_else(|| code.as_str().to_uppercase())
}

fn list(what: &str, all: impl Iterator<Item = String>) -> String {
    format!("{what} {}", all.collect::<Vec<_>>().join(", "))
}
