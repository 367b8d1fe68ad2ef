//! Answers of the domains of simulated operators about their relays.
//!
//! Most domains list every relay that their operator runs. Of every six the fourth has forgotten every other relay, and the fifth has let
//! its certificate expire, so that every state of a claim occurs. Domains without an operator do not exist.

use allium_model::Fingerprint;

use crate::Network;
use crate::operators::domain_of;

/// Answer of a domain that is asked for its file of fingerprints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DomainAnswer {
    /// With this file.
    File(String),
    /// With a certificate that has expired.
    ExpiredCertificate,
    /// Not at all: there is no such domain.
    NoSuchDomain,
}

impl Network {
    /// Answer of a domain to `GET /.well-known/tor-relay/rsa-fingerprint.txt`.
    pub fn ask_domain(&self, domain: &str) -> DomainAnswer {
        let owner = |number: &u32| domain_of(*number) == domain;
        let Some(number) = number_of(domain).filter(owner) else { return DomainAnswer::NoSuchDomain };
        let claims = |contact: &str| contact.contains(&format!("url:https://{domain} "));
        let ours = |operator: u32| self.operator(operator).contact.as_deref().is_some_and(claims);
        let mut relays: Vec<Fingerprint> =
            self.relays.iter().filter(|relay| ours(relay.profile.operator)).map(|relay| relay.profile.fingerprint).collect();
        if relays.is_empty() {
            return DomainAnswer::NoSuchDomain;
        }
        relays.sort_unstable();
        match number % 6 {
            4 => DomainAnswer::File(file(domain, relays.iter().step_by(2))),
            5 => DomainAnswer::ExpiredCertificate,
            _ => DomainAnswer::File(file(domain, relays.iter())),
        }
    }
}

fn number_of(domain: &str) -> Option<u32> {
    domain.strip_suffix(".example")?.rsplit('-').next()?.parse().ok()
}

fn file<'a>(domain: &str, relays: impl Iterator<Item = &'a Fingerprint>) -> String {
    let lines: String = relays.map(|relay| format!("{relay}\n")).collect();
    format!("# relays of {domain}\n{lines}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use allium_model::ConsensusHour;

    use super::*;
    use crate::Options;

    #[test]
    fn every_operator_answers_for_its_relays_as_its_number_says() {
        let network = Network::generate(&Options { n_relays: 600, history_days: 3, ..Options::new(1, ConsensusHour::new(492_000)) });
        let mut answers = BTreeSet::new();
        for relay in &network.relays {
            let Some(contact) = network.operator(relay.profile.operator).contact.as_deref() else { continue };
            let Some((_, rest)) = contact.split_once("url:https://").filter(|_| contact.contains("proof:uri-rsa")) else { continue };
            let domain = rest.split(' ').next().expect("a split has a first part");
            match (number_of(domain).expect("a number") % 6, network.ask_domain(domain)) {
                (4, DomainAnswer::File(text)) => assert!(text.starts_with("# relays of ")),
                (5, answer) => assert_eq!(answer, DomainAnswer::ExpiredCertificate),
                (_, DomainAnswer::File(text)) => assert!(text.contains(&relay.profile.fingerprint.to_string()), "{domain}"),
                (_, answer) => panic!("{domain}: {answer:?}"),
            }
            answers.insert(number_of(domain).expect("a number") % 6);
        }
        assert!(answers.is_superset(&BTreeSet::from([1, 4, 5])), "every kind of answer is there: {answers:?}");
        for stranger in ["example.org", "example-op-0.example", "example-op-01.example", "example-op-99999.example", "op-1.example"] {
            assert_eq!(network.ask_domain(stranger), DomainAnswer::NoSuchDomain, "{stranger}");
        }
    }
}
