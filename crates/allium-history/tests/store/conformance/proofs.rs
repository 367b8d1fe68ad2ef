//! Proofs of claimed domains.

use allium_history::Store;
use allium_model::{AroiResult, ProofMethod, ProofStanding, ProofVerdict, Timestamp};

use super::Backend;
use crate::common::*;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_771_178_400 + 60 * minute).unwrap()
}

pub(crate) fn standing(number: u32, result: AroiResult) -> ProofStanding {
    let reason = if result == AroiResult::Validated { "" } else { "HTTP status 404" };
    ProofStanding {
        relay: fingerprint(number),
        domain: "example.org".parse().unwrap(),
        method: ProofMethod::UriRsa,
        verdict: Some(ProofVerdict { result, reason: reason.to_owned(), found_at: at(1) }),
        asked_at: at(1),
        n_failures: u32::from(result != AroiResult::Validated),
        trouble: None,
    }
}

fn store(backend: &dyn Backend) -> Box<dyn Store> {
    let mut store = backend.empty();
    store.apply(&details(hour(0), (1..=4).map(|number| full(number, hour(0))).collect())).unwrap();
    store
}

pub(crate) fn proofs_are_kept_and_come_with_the_relay(backend: &dyn Backend) {
    let mut store = store(backend);
    let unanswered =
        ProofStanding { verdict: None, trouble: Some("timed out".to_owned()), n_failures: 2, ..standing(3, AroiResult::Misconfigured) };
    let recorded =
        [standing(1, AroiResult::Validated), standing(2, AroiResult::Unauthorised), unanswered, standing(99, AroiResult::Validated)];
    assert_eq!(store.record_proofs(&recorded).unwrap(), 3, "a relay that nobody knows has no claim");
    assert_eq!(store.proofs().unwrap(), recorded[..3]);
    assert_eq!(store.stats().unwrap().n_proofs, 3);
    assert!(store.check().unwrap().is_sound());
    let checks: Vec<_> = store.load().unwrap().unwrap().relays.into_iter().map(|relay| relay.relay.aroi_check).collect();
    assert_eq!(checks, [recorded[0].check(), recorded[1].check(), None, None]);
    assert_eq!(checks[1].as_ref().unwrap().reason, "HTTP status 404");
    assert_eq!(store.exact().unwrap().relays[0].aroi_check, recorded[0].check());
}

pub(crate) fn a_later_attempt_replaces_the_one_before(backend: &dyn Backend) {
    let mut store = store(backend);
    store.record_proofs(&[standing(1, AroiResult::Validated)]).unwrap();
    let kept = ProofStanding { asked_at: at(9), n_failures: 1, trouble: Some("timed out".into()), ..standing(1, AroiResult::Validated) };
    store.record_proofs(std::slice::from_ref(&kept)).unwrap();
    assert_eq!(store.proofs().unwrap(), [kept]);
    let moved = ProofStanding { domain: "other.example".parse().unwrap(), ..standing(1, AroiResult::Unauthorised) };
    store.record_proofs(std::slice::from_ref(&moved)).unwrap();
    assert_eq!(store.proofs().unwrap(), [moved], "a relay makes one claim at a time");
}

pub(crate) fn a_new_document_leaves_proofs_alone_and_the_past_has_none(backend: &dyn Backend) {
    let mut store = store(backend);
    store.record_proofs(&[standing(1, AroiResult::Validated)]).unwrap();
    store.apply(&details(hour(1), (1..=4).map(|number| full(number, hour(1))).collect())).unwrap();
    assert!(store.load().unwrap().unwrap().relays[0].relay.aroi_check.is_some());
    assert!(store.load_as_of(hour(1)).unwrap().unwrap().relays.iter().all(|relay| relay.relay.aroi_check.is_none()));
}

pub(crate) fn proofs_go_with_their_relays(backend: &dyn Backend) {
    let mut store = store(backend);
    store.record_proofs(&[standing(1, AroiResult::Validated), standing(2, AroiResult::Validated)]).unwrap();
    store.apply(&details(hour(100), vec![full(2, hour(100))])).unwrap();
    store.prune(hour(50)).unwrap();
    assert_eq!(store.proofs().unwrap(), [standing(2, AroiResult::Validated)]);
    assert!(store.check().unwrap().is_sound());
}
