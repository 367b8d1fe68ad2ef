//! Operators of relays: claims prove nothing, families and proofs do.

#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use allium_model::{
    AroiCheck, AroiDomain, AroiResult, ConsensusHour, Families, Fingerprint, OperatorId, Operators, ProofMethod, Relay, Timestamp,
};
use proptest::prelude::*;

fn fingerprint(n: u16) -> Fingerprint {
    let mut bytes = [0; 20];
    bytes[..2].copy_from_slice(&n.to_be_bytes());
    Fingerprint::new(bytes)
}

fn relay(n: u16, contact: &str, family: &[u16]) -> Relay {
    let contact = Some(contact.to_owned()).filter(|text| !text.is_empty());
    let last_seen = Some(ConsensusHour::new(1_000));
    Relay { contact, last_seen, effective_family: family.iter().map(|n| fingerprint(*n)).collect(), ..Relay::unknown(fingerprint(n)) }
}

fn claim(domain: &str) -> String {
    format!("url:{domain} proof:uri-rsa ciissversion:2")
}

fn checked(relay: Relay, domain: &str, result: AroiResult) -> Relay {
    let domain: AroiDomain = domain.parse().unwrap();
    let check = AroiCheck { domain, method: ProofMethod::UriRsa, result, reason: String::new(), checked_at: Timestamp::UNIX_EPOCH };
    Relay { aroi_check: Some(check), ..relay }
}

fn proven(n: u16, domain: &str, family: &[u16]) -> Relay {
    checked(relay(n, &claim(domain), family), domain, AroiResult::Validated)
}

/// The operator of each relay as text; `-` where it is unknown.
fn operators(relays: &[Relay]) -> Vec<String> {
    let relays: Vec<&Relay> = relays.iter().collect();
    let found = Operators::of(&relays);
    (0..relays.len()).map(|i| found.operator_of(i).map_or_else(|| "-".to_owned(), |operator| operator.id.to_string())).collect()
}

fn family_id(n: u16) -> String {
    format!("family-{}", fingerprint(n))
}

#[test]
fn an_unproven_url_never_joins_the_named_operator() {
    let relays = [
        proven(1, "victim.example", &[]),
        relay(2, &claim("victim.example"), &[]),
        checked(relay(3, &claim("victim.example"), &[]), "victim.example", AroiResult::Unauthorised),
        checked(relay(4, &claim("victim.example"), &[]), "victim.example", AroiResult::Misconfigured),
        // Proven for another domain than it claims today.
        checked(relay(5, &claim("victim.example"), &[]), "own.example", AroiResult::Validated),
        relay(6, &claim("victim.example"), &[6, 7]),
        relay(7, "other", &[6, 7]),
    ];
    let found = operators(&relays);
    assert_eq!(found[0], "victim.example");
    assert!(found[1..5].iter().all(|id| id.starts_with("contact-")), "{found:?}");
    assert_eq!(found[5..], [family_id(6), family_id(6)]);
}

#[test]
fn proofs_come_before_families_before_contacts() {
    let relays = [
        proven(1, "a.example", &[1, 2, 3]),
        proven(2, "b.example", &[1, 2, 3]),
        relay(3, "Somebody <x@y.example>", &[1, 2, 3]),
        relay(4, "Somebody <x@y.example>", &[]),
        relay(5, "somebody  <X@y.example>", &[5]),
    ];
    let contact = OperatorId::of_contact("Somebody <x@y.example>").unwrap().to_string();
    assert_eq!(operators(&relays), ["a.example".to_owned(), "b.example".to_owned(), family_id(1), contact.clone(), contact]);
}

#[test]
fn families_under_one_proven_domain_are_one_operator() {
    let relays = [
        proven(1, "a.example", &[1, 2]),
        proven(2, "a.example", &[1, 2]),
        proven(3, "a.example", &[3, 4]),
        proven(4, "a.example", &[3, 4]),
        proven(5, "a.example", &[]),
        // In one of these families and claiming nothing: its family is all that is known.
        relay(6, "somebody else", &[1, 2, 6]),
    ];
    let with_guest: Vec<Relay> = relays
        .iter()
        .map(|relay| match relay.effective_family.as_slice() {
            [first, ..] if *first == fingerprint(1) => Relay { effective_family: [1, 2, 6].map(fingerprint).to_vec(), ..relay.clone() },
            _ => relay.clone(),
        })
        .collect();
    assert_eq!(operators(&with_guest), ["a.example", "a.example", "a.example", "a.example", "a.example", &family_id(1)]);
    let unproven: Vec<Relay> = relays[..5].iter().map(|relay| Relay { aroi_check: None, ..relay.clone() }).collect();
    assert_eq!(operators(&unproven)[..4], [family_id(1), family_id(1), family_id(3), family_id(3)]);
}

#[test]
fn a_family_proves_the_domain_that_its_member_claims() {
    let relays = [proven(1, "a.example", &[1, 2, 3]), relay(2, &claim("a.example"), &[1, 2, 3]), relay(3, &claim("c.example"), &[1, 2, 3])];
    assert_eq!(operators(&relays), ["a.example".to_owned(), "a.example".to_owned(), family_id(1)]);
}

#[test]
fn relays_without_contact_and_family_are_never_one_operator() {
    let relays = [relay(1, "", &[]), relay(2, "", &[2]), relay(3, "none", &[]), relay(4, "None", &[])];
    assert_eq!(operators(&relays), ["-"; 4]);
}

#[test]
fn a_family_is_what_names_each_other() {
    let key_of = |relays: &[Relay]| {
        let relays: Vec<&Relay> = relays.iter().collect();
        let families = Families::of(&relays);
        let key = |i: &Option<u32>| i.map(|i| families.families[i as usize].key.as_bytes()[1]);
        families.of_relay.iter().map(key).collect::<Vec<_>>()
    };
    // Named by one side only: no family.
    assert_eq!(key_of(&[relay(1, "", &[1, 2]), relay(2, "", &[2])]), [None, None]);
    // Connected through the middle.
    assert_eq!(key_of(&[relay(3, "", &[3, 2]), relay(2, "", &[1, 2, 3]), relay(1, "", &[1, 2])]), [Some(1); 3]);
    // Unknown relays make no family.
    assert_eq!(key_of(&[relay(1, "", &[1, 9])]), [None]);
    // A relay that left keeps its family; one that is there and is not named back does not.
    let gone = |hours| Relay { last_seen: Some(ConsensusHour::new(1_000 - hours)), ..relay(1, "", &[1, 2, 3]) };
    assert_eq!(key_of(&[gone(200), relay(2, "", &[2, 3]), relay(3, "", &[2, 3])]), [Some(1); 3]);
    assert_eq!(key_of(&[gone(20), relay(2, "", &[2, 3]), relay(3, "", &[2, 3])]), [None, Some(2), Some(2)]);
}

#[test]
fn long_contacts_with_the_same_beginning_stay_apart() {
    let beginning = "a contact whose first thirty characters say nothing of the rest ";
    let found = operators(&[relay(1, &format!("{beginning}a"), &[]), relay(2, &format!("{beginning}b"), &[])]);
    assert_ne!(found[0], found[1]);
}

proptest! {
    #[test]
    fn ids_come_back_from_their_text(contact in "\\PC{3,40}", n in any::<u16>(), label in "[a-z][a-z0-9]{0,20}") {
        let ids = [OperatorId::of_contact(&contact), Some(OperatorId::Family(fingerprint(n))), format!("{label}.example").parse().ok().map(OperatorId::Domain)];
        for id in ids.into_iter().flatten() {
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }
    }

    #[test]
    fn the_order_of_relays_changes_no_operator(seed in prop::collection::vec((any::<u8>(), prop::collection::vec(0u16..12, 0..5), 0u8..4), 12), rotate in 0usize..12) {
        let contacts = ["", "somebody", "url:a.example proof:uri-rsa ciissversion:2", "other"];
        let mut relays: Vec<Relay> = seed.iter().enumerate().map(|(n, (proof, family, contact))| {
            let made = relay(n as u16, contacts[usize::from(*contact)], family);
            if proof % 3 == 0 { checked(made, "a.example", AroiResult::Validated) } else { made }
        }).collect();
        let by_fingerprint = |relays: &[Relay]| {
            let mut pairs: Vec<_> = relays.iter().map(|relay| relay.fingerprint).zip(operators(relays)).collect();
            pairs.sort();
            pairs
        };
        let before = by_fingerprint(&relays);
        relays.rotate_left(rotate);
        prop_assert_eq!(before, by_fingerprint(&relays));
    }

    #[test]
    fn no_text_is_too_strange(text in "\\PC{0,200}") {
        let _ = text.parse::<OperatorId>();
        let _ = operators(&[relay(1, &text, &[])]);
    }
}
