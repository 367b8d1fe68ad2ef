//! Incidents rest on what was known of relays at the time: lived through, replayed or restored.
#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise, helpers included")]

use allium_analysis::NetworkReport;
use allium_detect::{Kind, Settings};
use allium_history::{ConsensusInfo, ConsensusSource, FullConsensus, Listed, SourceVisit, Store, StoreUrl, Update};
use allium_model::{Asn, ConsensusHour, DocumentKind, Fingerprint, OperatorId, Relay, RelayFlag, RelayFlags, RelayState, SourceStatus};
use allium_service::View;
use allium_service::workers::detector::Watch;
use allium_views::IncidentJson;
use tempfile::TempDir;

const N_RELAYS: u32 = 120;
/// The first relays, which share all that can be shared.
const N_TOGETHER: u32 = 30;
/// Lists before somebody watches.
const BEFORE: i32 = 90;
/// The lists in which these relays are gone.
const GONE: std::ops::Range<i32> = 95..98;
/// The list from which on they are elsewhere, of another version, family and contact.
const MOVED: i32 = 110;
const N_LISTS: i32 = 130;
const BEFORE_CONTACT: &str = "before <before@example.org>";

fn hour(n: i32) -> ConsensusHour {
    "2026-01-01T00:00:00Z".parse::<ConsensusHour>().unwrap().plus(n)
}

fn fingerprint(n: u32) -> Fingerprint {
    let mut bytes = [7; 20];
    bytes[..4].copy_from_slice(&n.to_be_bytes());
    Fingerprint::new(bytes)
}

fn consensus(n: i32) -> FullConsensus {
    let listed = |relay: &u32| *relay >= N_TOGETHER || !GONE.contains(&n);
    let state = |relay: u32| RelayState {
        flags: RelayFlags::from_iter([RelayFlag::Running, RelayFlag::Valid, RelayFlag::Fast]),
        country: None,
        asn: None,
        version: Some(if relay < N_TOGETHER && n >= MOVED { "0.4.9.2" } else { "0.4.8.9" }.into()),
    };
    FullConsensus {
        info: ConsensusInfo { hour: hour(n), source: ConsensusSource::Directory, verified: true, received_at: hour(n).start() },
        listed: (0..N_RELAYS)
            .filter(listed)
            .map(|relay| Listed { weight: Some(100), ..Listed::of(fingerprint(relay), state(relay)) })
            .collect(),
        bandwidth_weights: Default::default(),
    }
}

/// A relay in a details document of the hour.
fn described(relay: u32, n: i32) -> Relay {
    let (asn, contact) = match (relay < N_TOGETHER, n < MOVED) {
        (true, true) => (64_500, BEFORE_CONTACT.to_owned()),
        (true, false) => (64_999, "after <after@example.org>".to_owned()),
        (false, _) => (64_501 + relay % 9, format!("somebody <{relay}@example.net>")),
    };
    Relay {
        contact: Some(contact),
        country: Some("de".parse().unwrap()),
        asn: Some(Asn(asn)),
        running: true,
        first_seen: Some(hour(0)).into(),
        last_seen: Some(hour(n)),
        ..Relay::unknown(fingerprint(relay))
    }
}

/// A consensus, and a details document where something changed.
fn append(store: &mut dyn Store, n: i32) {
    store.append_full_consensus(&consensus(n)).unwrap();
    if [0, MOVED].contains(&n) {
        let status = SourceStatus {
            kind: DocumentKind::Details,
            origin: "details.json".into(),
            published: hour(n),
            obtained_at: hour(n).start(),
            size_bytes: 1,
            n_relays: N_RELAYS as usize,
            n_rejects: 0,
        };
        let relays = (0..N_RELAYS).map(|relay| described(relay, n)).collect();
        store.apply(&Update { details: Some((status, relays)), ..Update::default() }).unwrap();
    }
}

fn view(store: &dyn Store) -> View {
    let record = store.load().unwrap().unwrap();
    let report = NetworkReport::compute(&record);
    View::new(record, report)
}

/// A store with the lists before somebody watches.
fn stored(dir: &TempDir) -> Box<dyn Store> {
    let mut store = StoreUrl::from(dir.path().join("tor.db")).open().unwrap();
    (0..BEFORE).for_each(|n| append(&mut *store, n));
    store
}

/// The incidents as JSON lines.
fn lines(watch: &Watch) -> Vec<String> {
    watch.log().incidents().iter().map(|incident| serde_json::to_string(&IncidentJson::of(incident)).unwrap()).collect()
}

#[test]
fn incidents_name_where_relays_were_that_moved_since() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = stored(&dir);
    let mut lived = Watch::replay(&*store, Settings::default()).unwrap();
    for n in BEFORE..N_LISTS {
        append(&mut *store, n);
        assert!(lived.follow(&view(&*store)));
    }
    let replayed = Watch::replay(&*store, Settings::default()).unwrap();
    assert_eq!(lines(&replayed), lines(&lived));
    let log = replayed.log();
    let [outage] = log.incidents() else { panic!("{:#?}", lines(&replayed)) };
    assert_eq!((outage.kind, outage.n_affected, outage.started_at), (Kind::Outage, N_TOGETHER as usize, hour(GONE.start - 1)));
    assert_eq!(outage.systems.iter().map(|part| part.scope.key.as_str()).collect::<Vec<_>>(), ["AS64500"]);
    let before = OperatorId::of_contact(BEFORE_CONTACT).unwrap().to_string();
    let scopes: Vec<&str> = outage.causes.iter().map(|cause| cause.scope.key.as_str()).collect();
    assert!(scopes.contains(&before.as_str()), "{scopes:?}");
}

/// A watch that is saved and restored after every consensus.
#[test]
fn a_restored_watch_finds_what_one_finds_that_never_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = stored(&dir);
    let replay = |store: &dyn Store| {
        let mut watch = Watch::replay(store, Settings::default()).unwrap();
        watch.measure(store, &view(store).record).unwrap();
        watch
    };
    let mut lived = replay(&*store);
    let mut restored = replay(&*store);
    for n in BEFORE..N_LISTS {
        append(&mut *store, n);
        let view = view(&*store);
        restored = Watch::restore(&restored.save(&*store).unwrap(), &Settings::default(), &*store).unwrap();
        for watch in [&mut lived, &mut restored] {
            assert!(watch.follow(&view));
            watch.measure(&*store, &view.record).unwrap();
        }
        assert_eq!(restored.log(), lived.log(), "{n}");
    }
    let replayed = replay(&*store);
    assert_eq!(lines(&restored), lines(&replayed));
    assert_eq!(restored.log(), replayed.log());
    assert!(
        restored.log().incidents().iter().any(|incident| restored.log().effect(&incident.id).is_some()),
        "effects are compared as well"
    );
}

#[test]
fn a_state_that_does_not_fit_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = stored(&dir);
    let state = Watch::replay(&*store, Settings::default()).unwrap().save(&*store).unwrap();
    let restore = |state: &[u8], settings: &Settings, store: &dyn Store| Watch::restore(state, settings, store);
    let others = Settings { min_lost: 9, ..Settings::default() };
    assert!(restore(&state, &others, &*store).is_err(), "other settings");
    assert!(restore(b"", &Settings::default(), &*store).is_err());
    for at in [0, state.len() / 2, state.len() - 1] {
        let mut damaged = state.clone();
        damaged[at] ^= 1;
        assert!(restore(&damaged, &Settings::default(), &*store).is_err(), "damaged at {at}");
    }
    assert!(restore(&state, &Settings::default(), &*store).unwrap().follow(&view(&*store)));

    store.prune(hour(10)).unwrap();
    assert!(!restore(&state, &Settings::default(), &*store).unwrap().follow(&view(&*store)), "the history was pruned");
    let visit = SourceVisit { source: "presence".to_owned(), at: hour(BEFORE).start(), newest: None, failure: None, rejects: None };
    store.record_visit(&visit).unwrap();
    assert!(restore(&state, &Settings::default(), &*store).is_err(), "relays may be described otherwise");
}

#[test]
fn a_history_that_has_changed_is_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = StoreUrl::from(dir.path().join("tor.db")).open().unwrap();
    let listed = |n: i32| FullConsensus { info: ConsensusInfo { source: ConsensusSource::Presence, ..consensus(n).info }, ..consensus(n) };
    [0, 1, 3].iter().for_each(|n| assert!(store.append_full_consensus(&listed(*n)).unwrap()));
    let watch = || Watch::replay(&*store, Settings::default()).unwrap();
    let [mut unchanged, mut filled, mut replaced] = [watch(), watch(), watch()];
    store.append_full_consensus(&consensus(4)).unwrap();
    assert!(unchanged.follow(&view(&*store)));
    store.append_full_consensus(&consensus(1)).unwrap();
    assert!(!replaced.follow(&view(&*store)), "more flags are known of a list");
    store.append_full_consensus(&consensus(2)).unwrap();
    assert!(!filled.follow(&view(&*store)), "an hour is known that was not");
}
