//! What the record tells of an outage beyond who left.

#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use allium_detect::explain::{CauseKind, Evidence, Share, evidence, hypotheses};
use allium_detect::{Event, Incident, Kind, Roles, Scope, ScopeKind, Severity, Status};
use allium_model::{
    Asn, ConsensusHour, DocumentKind, Fingerprint, FirstSeen, Known, NetworkRecord, Relay, RelayFlag, RelayRecord, RelayState,
    SourceStatus, StateSpan,
};

fn hour(n: i32) -> ConsensusHour {
    "2026-02-15T00:00:00Z".parse::<ConsensusHour>().unwrap().plus(n)
}

/// Runs until hour 10 and from hour 13 on, with another version then where it says so; last restarted at an hour.
fn relay(n: u8, restarted: i32, version: &str) -> RelayRecord {
    let state = |version: &str| RelayState {
        flags: [RelayFlag::Running].into_iter().collect(),
        asn: Some(Asn(64496)),
        version: Some(version.into()),
        ..RelayState::default()
    };
    let relay = Relay {
        asn: Some(Asn(64496)),
        first_seen: Some(hour(-24 * 400)).into(),
        last_restarted: Some(hour(restarted).start()),
        ..Relay::unknown(Fingerprint::new([n; 20]))
    };
    let span = |start, end, version| StateSpan { start: hour(start), end: hour(end), state: state(version) };
    RelayRecord { relay, spans: vec![span(-100, 10, "0.4.8.1"), span(13, 40, version)], published: Vec::new() }
}

/// Three relays that kept running and one that was restarted while it was away and came back with another version.
fn record(details_of: i32) -> NetworkRecord {
    let details = SourceStatus {
        kind: DocumentKind::Details,
        origin: String::new(),
        published: hour(details_of),
        obtained_at: hour(details_of + 1).start(),
        size_bytes: 1,
        n_relays: 4,
        n_rejects: 0,
    };
    NetworkRecord {
        as_of: hour(39),
        known: Known::new((-100..40).map(hour).collect()),
        relays: vec![relay(1, -50, "0.4.8.1"), relay(2, -50, "0.4.8.1"), relay(3, -50, "0.4.8.1"), relay(4, 12, "0.4.8.2")],
        sources: vec![details],
        rejects: Vec::new(),
    }
}

fn incident(detected: i32, resolved: i32) -> Incident {
    Incident {
        id: format!("{detected:016x}"),
        kind: Kind::Outage,
        detail: None,
        scope: Scope { kind: ScopeKind::As, key: "AS64496".to_owned() },
        status: Status::Resolved,
        started_at: hour(detected - 1),
        detected_at: hour(detected),
        resolved_at: Some(hour(resolved)),
        relays: (1..5).map(|n| Fingerprint::new([n; 20])).collect(),
        n_expected: 0.1,
        n_affected: 4,
        n_at_risk: 4,
        network_share: 0.1,
        weight_share: None,
        roles: Roles::default(),
        severity: Severity::Minor,
        p_value: 1e-6,
        causes: Vec::new(),
        countries: Vec::new(),
        systems: Vec::new(),
        timeline: vec![(hour(detected), Event::Detected(3)), (hour(detected + 1), Event::Grew(1))],
        similar: Vec::new(),
    }
}

fn found(record: &NetworkRecord) -> Evidence {
    let incident = incident(10, 13);
    let past = [incident.clone(), self::incident(10 - 24, 11 - 24), self::incident(11 - 72, 12 - 72), self::incident(20 - 72, 21 - 72)];
    let operator_of = |relay: &Fingerprint| (relay.as_bytes()[0] < 4).then(|| "example.org".to_owned());
    evidence(&incident, record, &operator_of, past.iter(), record.as_of)
}

#[test]
fn evidence_is_read_off_the_record() {
    let found = found(&record(20));
    assert_eq!((found.kept_running, found.restarted), (Share { n: 3, of: 4 }, Share { n: 1, of: 4 }));
    assert_eq!((found.other_version, found.young, found.marked), (Share { n: 1, of: 4 }, Share { n: 0, of: 4 }, Share { n: 0, of: 4 }));
    assert_eq!((found.together, found.back_together), (Share { n: 3, of: 4 }, Share { n: 4, of: 4 }));
    assert_eq!((found.in_one_system, found.n_systems, found.of_one_operator), (Share { n: 4, of: 4 }, 1, Share { n: 3, of: 3 }));
    assert_eq!((found.lasted_hours, found.n_before, found.n_same_time_of_day), (3, 3, 2));
    assert_eq!(hypotheses(&found)[0].kind, CauseKind::Routing);
}

/// What a document says of restarts is older than an outage that came after it.
#[test]
fn documents_from_before_the_return_tell_nothing_of_restarts() {
    for record in [record(12), NetworkRecord { sources: Vec::new(), ..record(20) }] {
        let found = found(&record);
        assert_eq!((found.kept_running, found.restarted), (Share::default(), Share::default()));
    }
}

#[test]
fn a_relay_is_young_only_where_its_first_appearance_is_known() {
    let mut record = record(20);
    record.relays[0].relay.first_seen = FirstSeen::Recorded(hour(-100));
    record.relays[1].relay.first_seen = FirstSeen::By(hour(-100));
    record.relays[2].relay.first_seen = FirstSeen::By(hour(-24 * 30));
    assert_eq!(found(&record).young, Share { n: 1, of: 3 });
}
