//! dns-rsa: TXT records that are signed as they should be, and others.

use std::time::Duration;

use allium_model::{Fingerprint, ProofMethod};
use allium_sources::proof::{Finding, Prover, ProverOptions};

use super::zone::{Dns, Signing, txt};
use super::{domain, relay};

const WORDS: &str = "we-run-this-tor-relay";

fn prover(dns: &Dns) -> Prover {
    let options = ProverOptions {
        resolvers: vec![dns.address],
        trust_anchor: Some(dns.anchor.clone()),
        timeout: Duration::from_secs(5),
        ..ProverOptions::default()
    };
    Prover::new(&options).unwrap()
}

async fn server(signing: Signing) -> Dns {
    let at = |number: u8, zone: &str| format!("{}.{zone}", relay(number));
    let zones = vec![
        (
            "signed.org.",
            vec![
                txt(&at(1, "signed.org."), &[WORDS]),
                txt(&at(2, "signed.org."), &["v=spf1 -all", "we-run-", "this-tor-relay"]),
                txt(&at(3, "signed.org."), &["<script>alert(1)</script>\u{1b}[2J"]),
            ],
        ),
        ("unsigned.org.", vec![txt(&at(1, "unsigned.org."), &[WORDS])]),
        ("broken.org.", vec![txt(&at(1, "broken.org."), &[WORDS])]),
    ];
    Dns::start(signing, vec![txt(&at(1, "top.org."), &[WORDS])], zones).await
}

async fn ask(prover: &Prover, name: &str, relays: &[u8]) -> Vec<Finding> {
    let relays: Vec<Fingerprint> = relays.iter().map(|number| relay(*number)).collect();
    prover.ask(&domain(name), ProofMethod::DnsRsa, &relays).await
}

fn broken(reason: &str) -> Finding {
    Finding::Broken(reason.to_owned())
}

#[tokio::test]
async fn a_signed_record_names_a_relay() {
    let dns = server(Signing::Mixed).await;
    let prover = prover(&dns);
    assert_eq!(ask(&prover, "top.org", &[1]).await, [Finding::Named], "in the zone of the trust anchor");
    let found = ask(&prover, "signed.org", &[1, 2, 3, 4]).await;
    let other = Finding::NotNamed("the TXT record for the relay does not say we-run-this-tor-relay".to_owned());
    assert_eq!(found, [Finding::Named, Finding::Named, other, broken("there is no TXT record for the relay")]);
}

#[tokio::test]
async fn a_record_without_valid_signatures_names_nobody() {
    let dns = server(Signing::Mixed).await;
    let prover = prover(&dns);
    assert_eq!(ask(&prover, "unsigned.org", &[1]).await, [broken("its zone is not signed with DNSSEC")]);
    assert_eq!(ask(&prover, "broken.org", &[1]).await, [broken("the signatures of its zone (DNSSEC) are not valid")]);
}

#[tokio::test]
async fn a_resolver_that_gives_no_signatures_is_no_reason_to_blame_a_domain() {
    let dns = server(Signing::None).await;
    let expected = Finding::Nothing("the resolver in use gives no signatures, so nothing can be validated".to_owned());
    assert_eq!(ask(&prover(&dns), "signed.org", &[1]).await, std::slice::from_ref(&expected));
    // Validation begins with the key that is trusted, not with any key that the root shows.
    let (signed, other) = (server(Signing::Mixed).await, server(Signing::Mixed).await);
    let options = ProverOptions { resolvers: vec![signed.address], trust_anchor: Some(other.anchor.clone()), ..ProverOptions::default() };
    assert_eq!(ask(&Prover::new(&options).unwrap(), "signed.org", &[1]).await, [expected]);
}

#[tokio::test]
async fn the_real_root_does_not_trust_a_zone_made_here() {
    let dns = server(Signing::Mixed).await;
    let options = ProverOptions { resolvers: vec![dns.address], ..ProverOptions::default() };
    let found = ask(&Prover::new(&options).unwrap(), "signed.org", &[1]).await;
    assert!(matches!(found[0], Finding::Nothing(_)), "{found:?}");
}

#[tokio::test]
async fn silence_and_names_that_are_too_long() {
    let dns = server(Signing::Mixed).await;
    let long = format!("{0}.{0}.{0}.{1}.org", "a".repeat(60), "b".repeat(50));
    assert_eq!(ask(&prover(&dns), &long, &[1]).await, [broken("the name of its TXT record is no name of the DNS")]);
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let options =
        ProverOptions { resolvers: vec![socket.local_addr().unwrap()], timeout: Duration::from_millis(300), ..ProverOptions::default() };
    let found = ask(&Prover::new(&options).unwrap(), "signed.org", &[1]).await;
    assert_eq!(found, [Finding::Nothing("no answer from the DNS".to_owned())]);
    assert!(
        Prover::new(&ProverOptions { trust_anchor: Some("nonsense".into()), resolvers: vec![dns.address], ..ProverOptions::default() })
            .is_err()
    );
}
