//! DNS: the addresses of domains, and dns-rsa.
//!
//! Addresses need no signatures, because the certificate proves who answers. TXT records do: they count only if every record of the answer is
//! secure in the words of RFC 4035, validated here from the trust anchor on, not by the resolver. An answer that is not may also be the fault of a
//! resolver that strips signatures, so the root is asked before a domain is blamed.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use allium_model::{AroiDomain, Fingerprint};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::{Proof, TrustAnchors};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{RData, RecordType};

use super::{Finding, Gate, ProverOptions};
use crate::error::Error;

/// Text of a TXT record that names a relay.
const WORDS: &str = "we-run-this-tor-relay";
/// Time that answers are remembered at most: shorter than any pause between two questions for the same relay.
const MAX_TTL: Duration = Duration::from_secs(600);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// More addresses of one name are not looked at.
const MAX_ADDRESSES: usize = 16;
/// Number of questions in a row without an answer after which the rest is not asked.
const PATIENCE: usize = 3;

/// The resolvers that the system names in `/etc/resolv.conf`, with port 53.
pub fn system_resolvers() -> Vec<SocketAddr> {
    let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    resolvers_of(&text)
}

fn resolvers_of(text: &str) -> Vec<SocketAddr> {
    let address = |line: &str| {
        let mut words = line.split_whitespace();
        (words.next() == Some("nameserver")).then(|| words.next()).flatten()?.parse::<IpAddr>().ok()
    };
    text.lines().filter_map(address).map(|address| SocketAddr::new(address, 53)).collect()
}

/// Resolves names.
#[derive(Debug, Clone)]
pub(super) struct Dns {
    plain: TokioResolver,
    secure: TokioResolver,
    gate: Gate,
}

/// Reason why there is no address to connect to.
#[derive(Debug)]
pub(super) enum Unresolved {
    /// There is no such name, or it has no address.
    None,
    /// An address that must not be asked.
    Refused,
    /// Unknown at present.
    Unknown,
}

impl Unresolved {
    pub(super) fn finding(&self) -> Finding {
        match self {
            Self::None | Self::Refused => Finding::Broken(self.to_string()),
            Self::Unknown => Finding::Nothing(self.to_string()),
        }
    }
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "its name has no address",
            Self::Refused => "its name leads to an address that is not on the public internet",
            Self::Unknown => "its name cannot be resolved at present",
        })
    }
}

impl std::error::Error for Unresolved {}

impl Dns {
    pub(super) fn new(options: &ProverOptions, gate: Gate) -> Result<Self, Error> {
        let unusable = |reason: String| Error::Option { option: "DNS".to_owned(), reason };
        let anchors = match &options.trust_anchor {
            Some(text) => TrustAnchors::from_str(text).map_err(|error| unusable(format!("trust anchor: {error}")))?,
            None => TrustAnchors::default(),
        };
        if anchors.is_empty() {
            return Err(unusable("trust anchor: no DNSKEY record".to_owned()));
        }
        let servers: Vec<NameServerConfig> = options.resolvers.iter().map(server).collect();
        let resolver = |anchors: Option<TrustAnchors>| {
            let config = ResolverConfig::from_name_servers(servers.clone());
            let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
            let settings = builder.options_mut();
            settings.timeout = ATTEMPT_TIMEOUT.min(options.timeout);
            settings.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
            settings.use_hosts_file = ResolveHosts::Never;
            (settings.positive_max_ttl, settings.negative_max_ttl) = (Some(MAX_TTL), Some(MAX_TTL));
            if let Some(anchors) = anchors {
                builder = builder.with_trust_anchor(Arc::new(anchors));
            }
            builder.build().map_err(|error| unusable(error.to_string()))
        };
        Ok(Self { plain: resolver(None)?, secure: resolver(Some(anchors))?, gate })
    }

    /// Addresses to connect to for a name. One address that must not be asked is enough to refuse the name.
    pub(super) async fn addresses(&self, host: &str) -> Result<Vec<SocketAddr>, Unresolved> {
        let found = self.plain.lookup_ip(format!("{host}.")).await.map_err(|error| match error {
            NetError::Dns(DnsError::NoRecordsFound(none)) if none.response_code != ResponseCode::ServFail => Unresolved::None,
            _ => Unresolved::Unknown,
        })?;
        let addresses: Option<Vec<SocketAddr>> = found.iter().take(MAX_ADDRESSES).map(|address| self.gate.admit(address)).collect();
        addresses.ok_or(Unresolved::Refused)
    }

    /// Findings of a domain about relays that claim it, one question each.
    pub(super) async fn ask(&self, domain: &AroiDomain, relays: &[Fingerprint]) -> Vec<Finding> {
        let mut findings = Vec::with_capacity(relays.len());
        let mut n_silent = 0;
        for relay in relays {
            let finding = if n_silent < PATIENCE { self.ask_one(domain, relay).await } else { Finding::Nothing(SILENT.to_owned()) };
            n_silent = if matches!(finding, Finding::Nothing(_)) { n_silent + 1 } else { 0 };
            findings.push(finding);
        }
        let blames = |finding: &Finding| matches!(finding, Finding::Broken(reason) if reason == UNSIGNED || reason == BOGUS);
        if findings.iter().any(blames) && !self.root_is_secure().await {
            let stripped = || Finding::Nothing("the resolver in use gives no signatures, so nothing can be validated".to_owned());
            findings.iter_mut().filter(|finding| blames(finding)).for_each(|finding| *finding = stripped());
        }
        findings
    }

    async fn ask_one(&self, domain: &AroiDomain, relay: &Fingerprint) -> Finding {
        match self.secure.lookup(format!("{relay}.{domain}."), RecordType::TXT).await {
            Ok(answer) => judge(&answer),
            Err(error) => unanswered(&error),
        }
    }

    /// True if the root's own records can be validated; if not, no domain's can.
    async fn root_is_secure(&self) -> bool {
        let answer = self.secure.lookup(".", RecordType::DNSKEY).await;
        answer.is_ok_and(|answer| weakest(&answer) == Some(Proof::Secure))
    }
}

const SILENT: &str = "no answer from the DNS";
const UNSIGNED: &str = "its zone is not signed with DNSSEC";
const BOGUS: &str = "the signatures of its zone (DNSSEC) are not valid";

fn server(address: &SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.into())
}

fn judge(answer: &Lookup) -> Finding {
    match weakest(answer) {
        None => Finding::Broken("there is no TXT record for the relay".to_owned()),
        Some(Proof::Secure) if says_so(answer) => Finding::Named,
        Some(Proof::Secure) => Finding::NotNamed(format!("the TXT record for the relay does not say {WORDS}")),
        Some(Proof::Insecure) => Finding::Broken(UNSIGNED.to_owned()),
        Some(Proof::Bogus | Proof::Indeterminate) => Finding::Broken(BOGUS.to_owned()),
    }
}

/// The weakest proof among the records of an answer, aliases on the way included; signatures need none.
fn weakest(answer: &Lookup) -> Option<Proof> {
    let strength = |proof: &Proof| match proof {
        Proof::Secure => 3,
        Proof::Insecure => 2,
        Proof::Indeterminate => 1,
        Proof::Bogus => 0,
    };
    let records = answer.answers().iter().filter(|record| record.record_type() != RecordType::RRSIG);
    records.map(|record| record.proof).min_by_key(strength)
}

fn says_so(answer: &Lookup) -> bool {
    let has_words = |data: &RData| match data {
        RData::TXT(txt) => txt.txt_data.concat().windows(WORDS.len()).any(|part| part == WORDS.as_bytes()),
        _ => false,
    };
    answer.answers().iter().any(|record| has_words(&record.data))
}

fn unanswered(error: &NetError) -> Finding {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) if none.response_code != ResponseCode::ServFail => {
            Finding::Broken("there is no TXT record for the relay".to_owned())
        }
        NetError::Dns(DnsError::Nsec { proof: Proof::Insecure, .. }) => Finding::Broken(UNSIGNED.to_owned()),
        NetError::Dns(DnsError::Nsec { .. } | DnsError::DnssecBogus) => Finding::Broken(BOGUS.to_owned()),
        NetError::Proto(_) => Finding::Broken("the name of its TXT record is no name of the DNS".to_owned()),
        _ => Finding::Nothing(SILENT.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolvers_are_read_from_the_system() {
        let text =
            "# made by hand\nsearch example.org\nnameserver 192.0.2.53\nnameserver 2001:db8::53\n nameserver fe80::1%eth0\nnameserver\n";
        let expected = ["192.0.2.53:53", "[2001:db8::53]:53"].map(|address| address.parse().unwrap());
        assert_eq!(resolvers_of(text), expected);
    }
}
