//! Proofs: the domains that relays claim are asked whether they name them.
//!
//! A claim in a relay's contact proves nothing until its domain confirms it. Two methods are checked:
//!
//! - *uri-rsa*: the fingerprint is in `https://DOMAIN/.well-known/tor-relay/rsa-fingerprint.txt`, served with a certificate that is valid
//!   for the domain (tor-relay well-known URI specification; Tor proposal 326). One answer counts for all relays of the domain.
//! - *dns-rsa*: a TXT record at `FINGERPRINT.DOMAIN` reads `we-run-this-tor-relay`, in an answer that is validated with DNSSEC from the
//!   root's keys on (ContactInfo Information Sharing Specification).
//!
//! The other methods are about Ed25519 keys, which no document in use contains; [`ProofMethod::is_checkable`] names them.
//!
//! The author of a contact chooses the machine that is asked, so asking is bounded in every way: only names and addresses of the public
//! internet, judged after resolution and for the very connection that is made; port 443; redirects on the same host only; one answer of at
//! most a megabyte; a time limit for everything. Text of the answer is never passed on: findings are in Allium's own words.
//!
//! [`Prover`] asks. [`plan`] decides, without a clock or network of its own, which domain to ask next and what an answer changes.

mod address;
mod dns;
mod file;
pub mod plan;
mod uri;

use std::net::SocketAddr;
use std::time::Duration;

use allium_model::{AroiDomain, AroiResult, Fingerprint, ProofMethod};

pub use self::dns::system_resolvers;
pub use self::file::{FingerprintFile, MAX_BYTES, MAX_LINES};
use crate::error::Error;

/// Settings for asking domains.
#[derive(Debug, Clone)]
pub struct ProverOptions {
    /// DNS resolvers that give the addresses of domains and TXT records with their signatures. Without any nothing is resolved here, which
    /// rules dns-rsa out, and uri-rsa unless there is a proxy.
    pub resolvers: Vec<SocketAddr>,
    /// A SOCKS5 proxy for uri-rsa, which then resolves the names itself.
    pub proxy: Option<String>,
    /// Addresses that are asked though they are not of the public internet, each at this port instead of 443. While there is one,
    /// names that the public DNS does not have are asked too.
    pub allowed: Vec<SocketAddr>,
    /// Certificates, as PEM, of the only authorities that count; those that the system trusts where it is empty.
    pub roots: Vec<u8>,
    /// DNSKEY records, as in a zone file, with which validation begins; without any, those of the DNS root.
    pub trust_anchor: Option<String>,
    /// Time that asking a domain may take.
    pub timeout: Duration,
    /// Name under which Allium sends requests.
    pub user_agent: String,
}

impl Default for ProverOptions {
    /// No resolvers, the public internet, half a minute.
    fn default() -> Self {
        Self {
            resolvers: Vec::new(),
            proxy: None,
            allowed: Vec::new(),
            roots: Vec::new(),
            trust_anchor: None,
            timeout: Duration::from_secs(30),
            user_agent: concat!("allium/", env!("CARGO_PKG_VERSION"), " (checks of AROI proofs)").to_owned(),
        }
    }
}

/// Result of asking, for one relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The domain names the relay.
    Named,
    /// The proof is in place and does not name the relay; with the reason in one line.
    NotNamed(String),
    /// The proof cannot be had as the method demands; with the reason in one line.
    Broken(String),
    /// No answer, or one that settles nothing; with the reason in one line.
    Nothing(String),
}

impl Finding {
    /// The result of the finding; `None` if it settles nothing.
    pub const fn result(&self) -> Option<AroiResult> {
        match self {
            Self::Named => Some(AroiResult::Validated),
            Self::NotNamed(_) => Some(AroiResult::Unauthorised),
            Self::Broken(_) => Some(AroiResult::Misconfigured),
            Self::Nothing(_) => None,
        }
    }

    /// The reason; empty for [`Finding::Named`].
    pub fn reason(&self) -> &str {
        match self {
            Self::Named => "",
            Self::NotNamed(reason) | Self::Broken(reason) | Self::Nothing(reason) => reason,
        }
    }
}

/// Asks domains.
#[derive(Debug, Clone)]
pub struct Prover {
    dns: Option<dns::Dns>,
    uri: Option<uri::Uri>,
    gate: Gate,
}

impl Prover {
    /// Prepares the prover; nothing is asked.
    ///
    /// # Errors
    /// A proxy that is not SOCKS5, certificates or keys that cannot be read, a system without trusted authorities.
    pub fn new(options: &ProverOptions) -> Result<Self, Error> {
        let gate = Gate { allowed: options.allowed.clone() };
        let resolving = !options.resolvers.is_empty();
        let dns = resolving.then(|| dns::Dns::new(options, gate.clone())).transpose()?;
        let uri = (resolving || options.proxy.is_some()).then(|| uri::Uri::new(options, dns.as_ref())).transpose()?;
        Ok(Self { dns, uri, gate })
    }

    /// True if it can ask by this method.
    pub const fn can_ask(&self, method: ProofMethod) -> bool {
        match method {
            ProofMethod::UriRsa => self.uri.is_some(),
            ProofMethod::DnsRsa => self.dns.is_some(),
            _ => false,
        }
    }

    /// Asks a domain for relays that claim it: a finding for each, in their order.
    pub async fn ask(&self, domain: &AroiDomain, method: ProofMethod, relays: &[Fingerprint]) -> Vec<Finding> {
        let same = |finding: Finding| vec![finding; relays.len()];
        if !self.gate.admits_name(domain) {
            return same(Finding::Broken("its name is not in the public DNS".to_owned()));
        }
        match (method, &self.uri, &self.dns) {
            (ProofMethod::UriRsa, Some(uri), _) => match uri.get(domain).await {
                Ok(bytes) => judge_file(&bytes, relays),
                Err(finding) => same(finding),
            },
            (ProofMethod::DnsRsa, _, Some(dns)) => dns.ask(domain, relays).await,
            _ => same(Finding::Nothing(format!("{} cannot be checked here", method.name()))),
        }
    }
}

/// Findings of a domain's file about relays that claim it.
pub fn judge_file(bytes: &[u8], relays: &[Fingerprint]) -> Vec<Finding> {
    let file = match FingerprintFile::parse(bytes, "the file") {
        Ok(file) => file,
        Err(Error::Table { reason, .. }) => {
            return vec![Finding::Broken(format!("its file is no list of fingerprints: {reason}")); relays.len()];
        }
        Err(error) => return vec![Finding::Broken(error.to_string()); relays.len()],
    };
    let others = match file.fingerprints.len() {
        0 => "its file lists no relay".to_owned(),
        1 => "its file lists one relay, but not the relay that claims it".to_owned(),
        n => format!("its file lists {n} relays, but not the relay that claims it"),
    };
    let finding = |relay| if file.fingerprints.contains(relay) { Finding::Named } else { Finding::NotNamed(others.clone()) };
    relays.iter().map(finding).collect()
}

/// Rule for names and addresses that may be asked.
#[derive(Debug, Clone)]
struct Gate {
    allowed: Vec<SocketAddr>,
}

impl Gate {
    fn admits_name(&self, domain: &AroiDomain) -> bool {
        !self.allowed.is_empty() || address::is_public_name(domain)
    }

    /// Address to connect to; `None` if that is forbidden. Port 0 stands for the one that belongs to the scheme.
    fn admit(&self, address: std::net::IpAddr) -> Option<SocketAddr> {
        let allowed = self.allowed.iter().find(|allowed| allowed.ip() == address).copied();
        allowed.or_else(|| address::is_public(address).then(|| SocketAddr::new(address, 0)))
    }
}
