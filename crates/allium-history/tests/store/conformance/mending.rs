//! A store that holds what lies ahead of the clock: what is true is taken in, and mending removes the rest.

use allium_history::{ConsensusInfo, SourceVisit, Store, Update};
use allium_model::{Bounds, ConsensusHour, DocumentKind, FirstSeen, Quantity, Relay, TOR_BEGAN};

use super::Backend;
use crate::common::*;

/// Ten years after the hour that the tests begin with.
const AHEAD: i32 = 10 * 365 * 24;

fn bounds() -> Bounds {
    Bounds::at(hour(1).start(), 7200)
}

fn within(update: Update) -> Update {
    Update { bounds: bounds(), ..update }
}

fn visit(at: ConsensusHour, newest: ConsensusHour) -> SourceVisit {
    SourceVisit { source: "onionoo".into(), at: at.start(), newest: Some(newest), failure: None, rejects: None }
}

/// Documents and a consensus of an hour, as every source brings them.
fn fill(store: &mut dyn Store, at: ConsensusHour, contact: &str) {
    let relay = |number| Relay { contact: Some(contact.to_owned()), ..full(number, at) };
    let relays = [1, 2].map(|number| Relay { last_restarted: Some(at.start()), overload_general_at: Some(at.start()), ..relay(number) });
    let graphs = vec![histories(1, vec![graph(Quantity::Uptime, at, &[Some(5), Some(6)])])];
    store.apply(&within(Update { histories: uptime(at, graphs).histories, ..details(at, relays.to_vec()) })).unwrap();
    store.record_visit(&visit(at, at)).unwrap();
}

fn consensus_of(store: &mut dyn Store, at: ConsensusHour) {
    store.append_consensus(&ConsensusInfo { received_at: at.start(), ..consensus(at) }, &[(fingerprint(3), state(1))]).unwrap();
}

fn is_sound(store: &dyn Store) {
    let report = store.check().unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
}

pub(crate) fn what_lies_ahead_blocks_nothing_that_is_true(backend: &dyn Backend) {
    let mut store = backend.empty();
    fill(&mut *store, hour(AHEAD), "from the future");
    fill(&mut *store, hour(0), "true");
    let stats = store.stats().unwrap();
    assert!(stats.documents.iter().all(|document| document.published == hour(0)), "{:?}", stats.documents);
    assert_eq!(store.sources().unwrap()[0].newest, Some(hour(0)));
    store.mend(bounds()).unwrap();
    is_sound(&*store);
    let record = store.load().unwrap().unwrap();
    assert_eq!((record.as_of, record.relays[0].relay.contact.as_deref()), (hour(0), Some("true")));
}

pub(crate) fn a_mended_store_is_as_if_nothing_had_lain_ahead(backend: &dyn Backend) {
    let (mut poisoned, mut clean) = (backend.empty(), backend.empty());
    for store in [&mut poisoned, &mut clean] {
        fill(&mut **store, hour(-2), "true");
        consensus_of(&mut **store, hour(-1));
        fill(&mut **store, hour(0), "true");
        is_sound(&**store);
    }
    fill(&mut *poisoned, hour(AHEAD), "from the future");
    consensus_of(&mut *poisoned, hour(AHEAD + 1));
    let would_be_removed = poisoned.try_mending(bounds()).unwrap();
    assert_eq!(poisoned.load().unwrap().unwrap().as_of, hour(AHEAD + 1), "nothing is removed by trying");
    let mended = poisoned.mend(bounds()).unwrap();
    assert_eq!(mended, would_be_removed);
    let ahead = hour(AHEAD);
    for what in [format!("consensus of {ahead}, from details"), format!("details document as of {ahead}, from details.json")] {
        assert!(mended.removed.contains(&what), "{what}: {:?}", mended.removed);
    }
    is_sound(&*poisoned);
    assert_eq!(poisoned.known().unwrap(), clean.known().unwrap());
    assert_eq!(poisoned.timeline().unwrap(), clean.timeline().unwrap());
    let events = |store: &dyn Store| store.events(None, allium_model::Timestamp::MIN, allium_model::Timestamp::MAX).unwrap();
    assert_eq!(events(&*poisoned), events(&*clean));
    let (from, to) = (hour(-100), hour(AHEAD + 100));
    assert_eq!(poisoned.relay_days(&fingerprint(1), from, to).unwrap(), clean.relay_days(&fingerprint(1), from, to).unwrap());
    let contacts = poisoned.load().unwrap().unwrap().relays.into_iter().filter_map(|relay| relay.relay.contact).collect::<Vec<_>>();
    assert_eq!(contacts, ["true", "true"]);
    assert!(poisoned.mend(bounds()).unwrap().removed.is_empty(), "once is enough");
    // The next documents make up for what descriptions do not hold.
    for store in [&mut poisoned, &mut clean] {
        fill(&mut **store, hour(1), "true");
    }
    is_sound(&*poisoned);
    assert_eq!(poisoned.load().unwrap(), clean.load().unwrap());
}

pub(crate) fn a_store_of_nothing_but_the_future_is_empty_after_mending(backend: &dyn Backend) {
    let mut store = backend.empty();
    fill(&mut *store, hour(AHEAD), "from the future");
    store.mend(bounds()).unwrap();
    is_sound(&*store);
    let stats = store.stats().unwrap();
    assert_eq!((stats.n_consensuses, stats.n_spans, stats.n_weighed, stats.n_events, stats.n_published), (0, 0, 0, 0, 0));
    assert_eq!(store.load().unwrap(), None);
    assert_eq!(store.sources().unwrap(), []);
}

pub(crate) fn what_lies_before_tor_is_mended_too(backend: &dyn Backend) {
    let mut store = backend.empty();
    let never = TOR_BEGAN.plus(-24 * 365 * 30);
    consensus_of(&mut *store, never);
    let relay = Relay { first_seen: Some(never).into(), last_restarted: Some(never.start()), ..full(1, hour(0)) };
    store.apply(&details(hour(0), vec![relay, running(2, hour(0))])).unwrap();
    let mended = store.mend(bounds()).unwrap();
    assert!(mended.removed.contains(&format!("consensus of {never}, from collector")), "{:?}", mended.removed);
    is_sound(&*store);
    let record = store.load().unwrap().unwrap();
    assert_eq!(record.known.first(), Some(hour(0)));
    let relay = &record.relays[0].relay;
    assert_eq!((relay.first_seen, relay.last_restarted, relay.nickname.is_some()), (FirstSeen::By(hour(0)), None, true));
}

pub(crate) fn graphs_that_stay_are_those_of_an_earlier_document(backend: &dyn Backend) {
    let mut store = backend.empty();
    store.apply(&within(uptime(hour(0), vec![histories(7, vec![graph(Quantity::Uptime, hour(0), &[Some(5)])])]))).unwrap();
    store.apply(&uptime(hour(AHEAD), vec![histories(8, vec![graph(Quantity::Uptime, hour(AHEAD), &[Some(5)])])])).unwrap();
    store.mend(bounds()).unwrap();
    is_sound(&*store);
    let documents = store.stats().unwrap().documents;
    assert_eq!(documents.iter().map(|document| (document.kind, document.published)).collect::<Vec<_>>(), [(DocumentKind::Uptime, hour(0))]);
    assert_eq!(store.stats().unwrap().n_published, 1);
}
