//! Proofs asked for over TLS and DNS, from servers on loopback.
#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise, helpers included")]

mod dns_rsa;
mod inward;
mod uri_rsa;
mod web;
mod zone;

use allium_model::{AroiDomain, Fingerprint};

fn relay(number: u8) -> Fingerprint {
    Fingerprint::new([number; 20])
}

fn domain(name: &str) -> AroiDomain {
    name.parse().unwrap()
}
