//! Authenticated relay operator identifiers (AROI): the domain that a relay's contact names, and how that can be proven.
//!
//! ContactInfo Information Sharing Specification, versions 2 and 3: fields `key:value` in any order, separated by white space.
//! Three of them make a claim: `ciissversion:2`, `proof:uri-rsa`, `url:https://example.org`. A claim alone proves nothing:
//! anyone can write any domain. See [`AroiCheck`].

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use url::{Host, Url};

use crate::identity::ParseError;

/// Bytes of a text that may be a domain; a longer one is none in any script.
const MAX_TEXT_BYTES: usize = 1024;

/// A host name that can be in the global DNS: lower case, ASCII (punycode where it is international), at least two labels,
/// without `www.` in front, port or path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AroiDomain(Box<str>);

impl AroiDomain {
    /// The domain as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The domain of a `url:` field, as a browser reads it: scheme, port, path, `www.` and a final dot are dropped.
    ///
    /// # Errors
    /// Addresses, user parts, other schemes than HTTP, single labels, and labels that DNS does not allow are no domains.
    pub fn of_url(url: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new("expected an address such as https://example.org", url);
        let has_scheme = ["https:", "http:"].iter().any(|scheme| strip_prefix_ignoring_case(url, scheme).is_some());
        let url = if has_scheme { Url::parse(url) } else { Url::parse(&format!("https://{url}")) };
        let url = url.ok().filter(|url| url.username().is_empty() && url.password().is_none()).ok_or_else(error)?;
        let host = url.domain().map(|host| host.strip_suffix('.').unwrap_or(host)).ok_or_else(error)?;
        host.strip_prefix("www.").filter(|rest| rest.contains('.')).unwrap_or(host).parse()
    }
}

impl FromStr for AroiDomain {
    type Err = ParseError;

    /// Reads a domain in any case and script; refuses addresses, single labels and what DNS does not allow.
    ///
    /// The parser of hosts is the one that requests are made with (URL Standard), so that no text is a name here and an address there:
    /// it takes `127.0.0.0x1` and `１２７。1` for addresses.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new("expected a domain such as example.org", text);
        let is_bounded = text.len() <= MAX_TEXT_BYTES && !text.contains('%');
        let host = is_bounded.then(|| Host::parse(text).ok()).flatten().ok_or_else(error)?;
        match host {
            Host::Domain(name) if is_name(&name) => Ok(Self(name.into_boxed_str())),
            _ => Err(error()),
        }
    }
}

/// True if the DNS can have a name: at least two labels of letters, digits and hyphens, and a letter in the last of them.
fn is_name(name: &str) -> bool {
    let is_inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is_label =
        |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(is_inner) && !label.starts_with('-') && !label.ends_with('-');
    let is_top = |label: &str| label.bytes().any(|b| b.is_ascii_lowercase());
    name.len() <= 253 && name.contains('.') && name.split('.').all(is_label) && name.rsplit('.').next().is_some_and(is_top)
}

impl fmt::Display for AroiDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Method of proving a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProofMethod {
    /// The fingerprint is in `https://DOMAIN/.well-known/tor-relay/rsa-fingerprint.txt`.
    UriRsa,
    /// A DNSSEC-signed TXT record at `FINGERPRINT.DOMAIN` reads `we-run-this-tor-relay`.
    DnsRsa,
    /// As `uri-rsa`, for the relay's Ed25519 identity (`ed25519-master-pubkey.txt`).
    UriEd25519,
    /// As `dns-rsa`, for the relay's Ed25519 identity.
    DnsEd25519,
    /// As `uri-rsa`, for the Ed25519 identity of the relay's family (`ed25519-family-id.txt`).
    UriFamilyIdEd25519,
    /// As `dns-rsa`, for the Ed25519 identity of the relay's family.
    DnsFamilyIdEd25519,
}

impl ProofMethod {
    /// All methods.
    pub const ALL: [Self; 6] =
        [Self::UriRsa, Self::DnsRsa, Self::UriEd25519, Self::DnsEd25519, Self::UriFamilyIdEd25519, Self::DnsFamilyIdEd25519];

    /// The value of the `proof:` field.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UriRsa => "uri-rsa",
            Self::DnsRsa => "dns-rsa",
            Self::UriEd25519 => "uri-ed25519",
            Self::DnsEd25519 => "dns-ed25519",
            Self::UriFamilyIdEd25519 => "uri-familyid-ed25519",
            Self::DnsFamilyIdEd25519 => "dns-familyid-ed25519",
        }
    }

    /// The method of that name, in either case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name().eq_ignore_ascii_case(name))
    }

    /// True if the proof is about the RSA fingerprint. The others are about Ed25519 identities, which no document contains.
    pub const fn is_checkable(self) -> bool {
        matches!(self, Self::UriRsa | Self::DnsRsa)
    }
}

/// A complete claim: this relay belongs to that domain, and here is how to check it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AroiClaim {
    /// The domain.
    pub domain: AroiDomain,
    /// The method by which it can be proven.
    pub method: ProofMethod,
    /// Version of the contact specification, 2 or 3.
    pub version: u8,
}

/// Content of a contact as far as an AROI is concerned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AroiContact {
    /// None of the three fields.
    NotConfigured,
    /// Some of the three fields, or unusable values.
    Incomplete {
        /// The domain, where that much is there.
        domain: Option<AroiDomain>,
        /// Descriptions of what is missing or wrong, one per field.
        problems: Vec<&'static str>,
    },
    /// A complete claim.
    Claim(AroiClaim),
}

impl AroiContact {
    /// Reads a contact. The first of repeated fields counts.
    pub fn of(contact: &str) -> Self {
        let fields = Fields::of(contact);
        if fields.version.is_none() && fields.proof.is_none() {
            // Addresses of web pages alone are no attempt at a claim.
            return Self::NotConfigured;
        }
        let version = fields.version.and_then(|text| text.parse().ok()).filter(|version| matches!(version, 2 | 3));
        let method = fields.proof.and_then(ProofMethod::from_name);
        let domain = fields.url.and_then(|url| AroiDomain::of_url(url).ok());
        if fields.proof.is_none() && fields.url.is_none() {
            // The specification has other uses than a proof.
            return Self::NotConfigured;
        }
        match (version, method, domain) {
            (Some(version), Some(method), Some(domain)) => Self::Claim(AroiClaim { domain, method, version }),
            (version, method, domain) => {
                let problem = |missing: bool, absent: bool, words: [&'static str; 2]| missing.then(|| words[usize::from(!absent)]);
                let problems = [
                    problem(version.is_none(), fields.version.is_none(), ["ciissversion is missing", "ciissversion is neither 2 nor 3"]),
                    problem(method.is_none(), fields.proof.is_none(), ["proof is missing", "proof names no known method"]),
                    problem(domain.is_none(), fields.url.is_none(), ["url is missing", "url has no domain"]),
                ];
                Self::Incomplete { domain, problems: problems.into_iter().flatten().collect() }
            }
        }
    }

    /// The claim, if it is complete.
    pub const fn claim(&self) -> Option<&AroiClaim> {
        match self {
            Self::Claim(claim) => Some(claim),
            Self::NotConfigured | Self::Incomplete { .. } => None,
        }
    }

    /// The domain named, claimed completely or not.
    pub const fn domain(&self) -> Option<&AroiDomain> {
        match self {
            Self::Claim(claim) => Some(&claim.domain),
            Self::Incomplete { domain, .. } => domain.as_ref(),
            Self::NotConfigured => None,
        }
    }
}

/// Result of checking a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AroiResult {
    /// The domain names the relay, as the method demands.
    Validated,
    /// The proof is in place and does not name the relay.
    Unauthorised,
    /// The proof cannot be had as the method demands: no such file, invalid certificate, unsigned zone.
    Misconfigured,
}

impl AroiResult {
    /// All results.
    pub const ALL: [Self; 3] = [Self::Validated, Self::Unauthorised, Self::Misconfigured];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Validated => "validated",
            Self::Unauthorised => "unauthorised",
            Self::Misconfigured => "misconfigured",
        }
    }

    /// The result of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|result| result.name() == name)
    }
}

/// A check of a relay's claim. It counts for that claim only, not for another domain or method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AroiCheck {
    /// The domain that was asked.
    pub domain: AroiDomain,
    /// The method used.
    pub method: ProofMethod,
    /// The result.
    pub result: AroiResult,
    /// Reason in one line; empty if validated.
    pub reason: String,
    /// Time of the check.
    pub checked_at: Timestamp,
}

impl AroiCheck {
    /// True if this check is about this claim.
    pub fn is_of(&self, claim: &AroiClaim) -> bool {
        self.domain == claim.domain && self.method == claim.method
    }
}

/// The three fields of a claim as they stand.
#[derive(Default)]
struct Fields<'a> {
    version: Option<&'a str>,
    proof: Option<&'a str>,
    url: Option<&'a str>,
}

impl<'a> Fields<'a> {
    fn of(contact: &'a str) -> Self {
        let mut fields = Self::default();
        for (key, value) in fields_of(contact) {
            let field = match key {
                _ if key.eq_ignore_ascii_case("ciissversion") => &mut fields.version,
                _ if key.eq_ignore_ascii_case("proof") => &mut fields.proof,
                _ if key.eq_ignore_ascii_case("url") => &mut fields.url,
                _ => continue,
            };
            field.get_or_insert(value);
        }
        fields
    }
}

/// Every `key:value` of a contact.
pub(super) fn fields_of(contact: &str) -> impl Iterator<Item = (&str, &str)> {
    let words = contact.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|' | '<' | '>' | '"' | '(' | ')'));
    words.filter_map(|word| word.trim_start_matches(|c: char| !c.is_alphanumeric()).split_once(':'))
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_lower_case_without_scheme_www_and_path() {
        let cases = [
            ("https://www.Example.ORG/tor?x#y", Some("example.org")),
            ("HTTP://example.org:8443", Some("example.org")),
            ("example.org.", Some("example.org")),
            ("www.org", Some("www.org")),
            ("tor2.xn--sb-lka.org", Some("tor2.xn--sb-lka.org")),
            ("bücher.example", Some("xn--bcher-kva.example")),
            ("BÜCHER.example", Some("xn--bcher-kva.example")),
            ("https://", None),
            ("localhost", None),
            ("192.0.2.1", None),
            ("[2001:db8::1]", None),
            ("user@example.org", None),
            ("-a.example", None),
            ("a..example", None),
            ("xn--a.example", None),
            ("exa_mple.org", None),
        ];
        for (url, expected) in cases {
            assert_eq!(AroiDomain::of_url(url).ok().as_ref().map(AroiDomain::as_str), expected, "{url}");
        }
        assert!(AroiDomain::of_url(&format!("{}.org", "a".repeat(64))).is_err());
        assert!(AroiDomain::of_url(&"a.".repeat(200)).is_err());
    }

    #[test]
    fn a_claim_needs_all_three_fields_in_any_case_and_order() {
        let claim = |contact: &str| AroiContact::of(contact).claim().map(|c| (c.domain.to_string(), c.method.name(), c.version));
        let of = |domain: &str, method, version| Some((domain.to_owned(), method, version));
        let cases = [
            ("email:a[]b.example url:https://www.example.org proof:uri-rsa ciissversion:2", of("example.org", "uri-rsa", 2)),
            ("CIISSVERSION:2 Proof:DNS-RSA URL:Example.org", of("example.org", "dns-rsa", 2)),
            ("url:example.org,proof:uri-rsa,ciissversion:2", of("example.org", "uri-rsa", 2)),
            ("(url:example.org proof:uri-familyid-ed25519 ciissversion:3)", of("example.org", "uri-familyid-ed25519", 3)),
            ("url:a.example url:b.example proof:dns-ed25519 ciissversion:2", of("a.example", "dns-ed25519", 2)),
            ("donationurl:https://example.org proof:uri-rsa ciissversion:2", None),
            ("url:example.org proof:uri-rsa ciissversion:22", None),
            ("url:example.org proof:uri-rsax ciissversion:2", None),
            ("url:example.org proof:uri-rsa", None),
        ];
        for (contact, expected) in cases {
            assert_eq!(claim(contact), expected, "{contact}");
        }
    }

    #[test]
    fn what_is_missing_is_told() {
        let problems = |contact: &str| match AroiContact::of(contact) {
            AroiContact::Incomplete { problems, .. } => problems,
            _ => Vec::new(),
        };
        assert_eq!(problems("url:example.org proof:uri-rsa"), ["ciissversion is missing"]);
        assert_eq!(
            problems("url:x proof:pgp ciissversion:9"),
            ["ciissversion is neither 2 nor 3", "proof names no known method", "url has no domain"]
        );
        assert_eq!(problems("url:example.org ciissversion:2"), ["proof is missing"]);
        for contact in ["", "tor@example.org", "url:example.org", "email:a[]b.example ciissversion:2"] {
            assert_eq!(AroiContact::of(contact), AroiContact::NotConfigured, "{contact}");
        }
    }
}
