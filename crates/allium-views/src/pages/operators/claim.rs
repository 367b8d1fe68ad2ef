//! Worth of a relay's claim of a domain, in words: on its page, on its operator's, and as an issue with advice.

use std::collections::BTreeMap;

use allium_model::{AroiCheck, AroiContact, AroiResult, ProofMethod, Relay, Timestamp};
use allium_words::format;
use allium_words::inert::inert;

use crate::markup::{Html, When};

/// Record or file in which a domain must name its relays.
fn target(check: &AroiCheck) -> String {
    let domain = inert(check.domain.as_str());
    match check.method {
        ProofMethod::DnsRsa | ProofMethod::DnsEd25519 | ProofMethod::DnsFamilyIdEd25519 => format!("a TXT record at FINGERPRINT.{domain}"),
        _ => format!("https://{domain}/.well-known/tor-relay/rsa-fingerprint.txt"),
    }
}

/// Title, explanation and suggestion for a relay that its domain does not name.
pub(crate) fn unauthorised(check: &AroiCheck) -> (String, String, String) {
    let how = match check.method {
        ProofMethod::DnsRsa => format!("Write we-run-this-tor-relay into {}", target(check)),
        _ => format!("Put the fingerprint on a line of its own into {}", target(check)),
    };
    (
        "Its domain does not name it".to_owned(),
        format!(
            "The contact claims {}, and {} ({}).",
            inert(check.domain.as_str()),
            inert(&check.reason),
            format::instant(check.checked_at)
        ),
        format!("{how}, or take the claim out of the contact."),
    )
}

/// The same for a relay whose domain cannot be asked as the method demands.
pub(crate) fn misconfigured(check: &AroiCheck) -> (String, String, String) {
    let how = match check.method {
        ProofMethod::DnsRsa => "Sign the zone with DNSSEC, have its parent publish the key (DS), and give the record to every relay",
        _ => "Serve the file over HTTPS on port 443, as plain text, with a valid certificate and without redirects to another host",
    };
    (
        "The proof of its domain cannot be had".to_owned(),
        format!("Looked for {}: {} ({}).", target(check), inert(&check.reason), format::instant(check.checked_at)),
        format!("{how}; or take the claim out of the contact."),
    )
}

/// A sentence for the page of a relay; `None` where it claims nothing.
pub(crate) fn sentence(relay: &Relay) -> Option<Html> {
    let claim = match AroiContact::of(relay.contact.as_deref()?) {
        AroiContact::NotConfigured => return None,
        AroiContact::Incomplete { problems, .. } => {
            return Some(Html::words(format!("Its claim of a domain is incomplete: {}.", problems.join(", "))));
        }
        AroiContact::Claim(claim) => claim,
    };
    let domain = Html::element("strong", &[], &Html::words(inert(claim.domain.as_str())));
    let claims = [Html::words("It claims the domain"), domain, Html::words(format!("({}):", claim.method.name()))];
    let words = match relay.claim_check() {
        Some(check) => {
            let reason = if check.reason.is_empty() { String::new() } else { format!(", because {}", inert(&check.reason)) };
            let worth = Html::words(format!("{}{reason}; checked", check.result.name()));
            vec![worth, Html::safe(When(check.checked_at)), Html::words(".")]
        }
        None if claim.method.is_checkable() => vec![Html::words("not checked yet.")],
        None => vec![Html::words("cannot be checked, because no public document tells the key that this method is about.")],
    };
    Some(Html::joined(claims.into_iter().chain(words), " ").tightened())
}

/// Findings about the claims of relays, one sentence per domain, method and finding, in this order.
pub(crate) fn findings<'a>(relays: impl Iterator<Item = &'a Relay>) -> Vec<Html> {
    let mut found: BTreeMap<(&str, ProofMethod, AroiResult, &str), (usize, Timestamp)> = BTreeMap::new();
    for check in relays.filter_map(Relay::claim_check) {
        let key = (check.domain.as_str(), check.method, check.result, check.reason.as_str());
        let (n, at) = found.entry(key).or_insert((0, check.checked_at));
        *n += 1;
        *at = check.checked_at.max(*at);
    }
    let sentence = |((domain, method, result, reason), (n, at)): ((&str, ProofMethod, AroiResult, &str), (usize, Timestamp))| {
        let relays = format::counted(n, "relay");
        let words = match result {
            AroiResult::Validated => format!("{} names {relays} ({}),", inert(domain), method.name()),
            _ => format!("{} ({}): {relays} {}, because {},", inert(domain), method.name(), result.name(), inert(reason)),
        };
        Html::joined([Html::words(words), Html::words("checked"), Html::safe(When(at)), Html::words(".")], " ").tightened()
    };
    found.into_iter().map(sentence).collect()
}
