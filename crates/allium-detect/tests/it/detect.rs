//! What the detector promises, on small synthetic networks.

#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use allium_detect::evaluate::{exchanged, shifted};
use allium_detect::{Detector, Event, Incident, Kind, Observation, Presence, Record, RelayInfo, RestoreError, ScopeKind, Settings, Status};
use allium_model::{Asn, ConsensusHour, Fingerprint, RelayFlag, RelayFlags};
use proptest::prelude::*;

const N: u32 = 600;
const HOURS: u32 = 460;

fn flags(names: &[RelayFlag]) -> RelayFlags {
    names.iter().copied().collect()
}

/// Relays spread over AS (40 each), countries (120 each) and operators (20 each); every hour a few leave for an hour.
fn network() -> Record {
    let told = flags(&[RelayFlag::Running, RelayFlag::Guard, RelayFlag::Exit]);
    let start: ConsensusHour = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut record = Record { hours: (0..HOURS as i32).map(|hour| (start.plus(hour), told)).collect(), ..Record::default() };
    for relay in 0..N {
        let mut bytes = [0; 20];
        bytes[..4].copy_from_slice(&(relay.wrapping_mul(0x9e37_79b9)).to_be_bytes());
        record.relays.push(RelayInfo {
            asn: Some(Asn(64496 + relay % 15)),
            country: Some(["de", "us", "fr", "nl", "ch"][(relay % 15 / 3) as usize].parse().unwrap()),
            operator: Some(format!("operator-{}", relay % 30).into()),
            ..RelayInfo::unknown(Fingerprint::new(bytes))
        });
        let absent = 20 + relay.wrapping_mul(7919) % (HOURS - 40);
        let running = flags(&[RelayFlag::Running, RelayFlag::Guard]);
        let spans = [0..absent, absent + 1..HOURS];
        record.presence.push(spans.into_iter().map(|lists| Presence { lists, flags: running }).collect());
    }
    record
}

/// Takes relays out of the lists `[start, end)`.
fn lose(record: &mut Record, start: u32, end: u32, concerned: impl Fn(u32) -> bool) {
    for presence in record.presence.iter_mut().enumerate().filter(|(relay, _)| concerned(*relay as u32)).map(|(_, presence)| presence) {
        let parts = |span: &Presence| {
            [span.lists.start..span.lists.end.min(start), span.lists.start.max(end)..span.lists.end]
                .map(|lists| Presence { lists, flags: span.flags })
        };
        *presence = presence.iter().flat_map(parts).filter(|span| span.lists.start < span.lists.end).collect();
    }
}

fn detect(record: &Record) -> Vec<Incident> {
    let mut detector = Detector::new(Settings::default(), record.relays.clone());
    record.walk(0..record.hours.len(), |_, list| {
        detector.step(list);
    });
    detector.incidents().collect()
}

fn told(incident: &Incident) -> (Kind, ScopeKind, &str, usize) {
    (incident.kind, incident.scope.kind, incident.scope.key.as_str(), incident.n_affected)
}

#[test]
fn nothing_is_reported_where_relays_leave_one_by_one() {
    assert_eq!(detect(&network()), []);
}

#[test]
fn the_smallest_scope_that_explains_a_loss_is_named_in_the_first_list_that_shows_it() {
    type Concerned = fn(u32) -> bool;
    let cases: [(Concerned, ScopeKind, &str); 4] = [
        (|relay| relay % 15 == 4, ScopeKind::As, "AS64500"),
        (|relay| relay % 15 == 4 && relay / 15 % 4 < 2, ScopeKind::As, "AS64500"),
        (|relay| relay % 30 == 7, ScopeKind::Operator, "operator-7"),
        (|relay| relay % 15 / 3 == 2, ScopeKind::Country, "fr"),
    ];
    for (concerned, kind, key) in cases {
        let mut record = network();
        lose(&mut record, 300, 306, concerned);
        let incidents = detect(&record);
        assert_eq!(incidents.len(), 1, "{key}: {incidents:?}");
        let incident = &incidents[0];
        assert_eq!((incident.scope.kind, incident.scope.key.as_str()), (kind, key));
        assert_eq!(incident.causes[0].scope, incident.scope);
        let hour = |index: usize| record.hours[index].0;
        assert_eq!((incident.started_at, incident.detected_at), (hour(299), hour(300)));
        assert_eq!((incident.status, incident.resolved_at), (Status::Resolved, Some(hour(306))));
    }
}

#[test]
fn a_network_wide_loss_of_stable_relays_is_told_by_who_left() {
    let mut record = network();
    // Relays that have not been absent yet, of every operator and AS the same part.
    let struck = |relay: u32| relay % 24 == 11 && 20 + relay.wrapping_mul(7919) % (HOURS - 40) > 300;
    lose(&mut record, 300, 306, struck);
    let n = (0..N).filter(|relay| struck(*relay)).count();
    let incidents = detect(&record);
    assert_eq!(incidents.len(), 1, "{incidents:?}");
    assert_eq!((incidents[0].kind, incidents[0].scope.kind), (Kind::Outage, ScopeKind::Network));
    assert!(incidents[0].n_affected >= n && incidents[0].n_affected <= n + 3, "{} of {n}", incidents[0].n_affected);
    assert_eq!(incidents[0].detected_at, record.hours[300].0);
}

#[test]
fn relays_that_leave_one_by_one_for_days_are_a_decline() {
    let mut record = network();
    for i in 0..30 {
        lose(&mut record, 300 + 4 * i, HOURS, |relay| relay == 4 + 15 * i);
    }
    let incidents = detect(&record);
    assert_eq!(incidents.iter().map(|incident| incident.kind).collect::<Vec<_>>(), [Kind::Outage], "{incidents:?}");
    let decline = &incidents[0];
    assert_eq!((decline.detail.as_deref(), decline.scope.key.as_str()), (Some("decline"), "AS64500"));
    assert!(decline.n_affected >= 12 && decline.status == Status::Active);
}

#[test]
fn relays_that_are_back_can_be_lost_again_while_others_are_still_missed() {
    let mut record = network();
    lose(&mut record, 300, HOURS, |relay| relay % 15 == 4 && relay < 200);
    lose(&mut record, 300, 310, |relay| relay % 15 == 4 && relay >= 200);
    lose(&mut record, 340, 350, |relay| relay % 15 == 4 && relay >= 450);
    let incidents = detect(&record);
    assert_eq!(incidents.iter().map(|incident| incident.n_affected).collect::<Vec<_>>(), [40, 10], "{incidents:?}");
    assert_eq!(incidents.iter().map(|incident| incident.status).collect::<Vec<_>>(), [Status::Recovering, Status::Resolved]);
}

#[test]
fn recovery_is_told_at_half_and_at_nine_tenths_and_a_second_drop_reopens() {
    let mut record = network();
    lose(&mut record, 300, 304, |relay| relay % 15 == 4 && relay < 300);
    lose(&mut record, 300, 307, |relay| relay % 15 == 4 && relay >= 300);
    lose(&mut record, 312, 314, |relay| relay % 15 == 4);
    let incidents = detect(&record);
    assert_eq!(incidents.len(), 1, "{incidents:?}");
    let told = |hour: usize, event: Event| (record.hours[hour].0, event);
    let expected = [
        told(300, Event::Detected(40)),
        told(304, Event::HalfBack),
        told(307, Event::Resolved),
        told(312, Event::Reopened(40)),
        told(314, Event::Resolved),
    ];
    assert_eq!(incidents[0].timeline, expected);
}

#[test]
fn relays_that_stay_away_for_two_weeks_are_gone() {
    let mut record = network();
    lose(&mut record, 100, HOURS, |relay| relay % 15 == 4);
    let incidents = detect(&record);
    let outage = incidents.iter().find(|incident| incident.kind == Kind::Outage).unwrap();
    assert_eq!((outage.status, outage.resolved_at), (Status::Permanent, None));
    assert_eq!(outage.timeline.last().unwrap(), &(record.hours[100 + 14 * 24].0, Event::Permanent));
}

#[test]
fn a_version_that_is_rejected_everywhere_is_named() {
    let mut record = network();
    for (relay, info) in record.relays.iter_mut().enumerate() {
        info.version = Some(if relay % 7 == 3 { "0.4.7.16" } else { "0.4.8.14" }.into());
    }
    lose(&mut record, 300, HOURS, |relay| relay % 7 == 3);
    let incidents = detect(&record);
    let outages: Vec<_> = incidents.iter().filter(|incident| incident.kind == Kind::Outage).map(told).collect();
    assert_eq!(outages, [(Kind::Outage, ScopeKind::Version, "0.4.7.16", 85)]);
    let cause = &incidents.iter().find(|incident| incident.kind == Kind::Outage).unwrap().causes[0];
    assert_eq!(cause.cause, "this version of the software, or its rejection by the authorities");
}

#[test]
fn floods_with_a_common_name_or_family_are_named_by_it() {
    let family = Fingerprint::new([0xfe; 20]);
    for (kind, key) in [(ScopeKind::Nickname, "swarm".to_owned()), (ScopeKind::Family, family.to_string())] {
        let mut record = network();
        for i in 0..60u32 {
            let mut bytes = [0xff; 20];
            bytes[..4].copy_from_slice(&i.to_be_bytes());
            record.relays.push(RelayInfo {
                asn: Some(Asn(65000 + i)),
                nickname: Some(if kind == ScopeKind::Nickname { format!("swarm{i}") } else { format!("{i}x{i}yz") }),
                family: (kind == ScopeKind::Family).then_some(family),
                ..RelayInfo::unknown(Fingerprint::new(bytes))
            });
            record.presence.push(vec![Presence { lists: 300 + i % 4..HOURS, flags: flags(&[RelayFlag::Running]) }]);
        }
        let incidents = detect(&record);
        assert_eq!(incidents.len(), 1, "{incidents:?}");
        assert_eq!((incidents[0].kind, incidents[0].scope.kind, &incidents[0].scope.key), (Kind::Surge, kind, &key));
    }
}

#[test]
fn what_an_outage_leaves_short_is_not_told_twice() {
    let mut record = network();
    lose(&mut record, 300, HOURS, |relay| relay % 15 / 3 == 2);
    let incidents = detect(&record);
    assert_eq!(incidents.iter().map(|incident| incident.kind).collect::<Vec<_>>(), [Kind::Outage], "{incidents:?}");
}

#[test]
fn exchanging_who_leaves_keeps_how_many_and_takes_groups_apart() {
    let mut record = network();
    lose(&mut record, 300, 306, |relay| relay % 15 == 4);
    let exchanged = exchanged(&record, 1);
    let counts = |record: &Record| {
        let mut counts = Vec::new();
        record.walk(0..record.hours.len(), |_, list| counts.push(list.listed.len()));
        counts
    };
    assert_eq!(counts(&exchanged), counts(&record));
    let narrow = |record: &Record| detect(record).iter().filter(|incident| incident.scope.kind != ScopeKind::Network).count();
    assert_eq!((narrow(&record), narrow(&exchanged)), (1, 0));
    assert_eq!(detect(&shifted(&record, 1)), []);
}

#[test]
fn relays_that_go_and_come_three_times_are_flapping() {
    let mut record = network();
    for start in [300, 304, 308] {
        lose(&mut record, start, start + 2, |relay| relay % 15 == 4);
    }
    let incidents = detect(&record);
    assert_eq!(incidents.iter().map(|incident| incident.kind).collect::<Vec<_>>(), [Kind::Flap]);
}

#[test]
fn a_flag_that_relays_lose_together_is_no_outage() {
    let mut record = network();
    for presence in record.presence.iter_mut().enumerate().filter(|(relay, _)| relay % 15 == 4).map(|(_, presence)| presence) {
        let mut parts = Vec::new();
        for span in presence.drain(..) {
            let without = flags(&[RelayFlag::Running]);
            let cuts = [(span.lists.start..span.lists.end.min(300), span.flags), (span.lists.start.max(300)..span.lists.end, without)];
            parts.extend(cuts.into_iter().filter(|(lists, _)| lists.start < lists.end).map(|(lists, flags)| Presence { lists, flags }));
        }
        *presence = parts;
    }
    let incidents = detect(&record);
    assert_eq!(incidents.len(), 1, "{incidents:?}");
    assert_eq!(
        (incidents[0].kind, incidents[0].detail.as_deref(), incidents[0].scope.key.as_str()),
        (Kind::FlagLoss, Some("Guard"), "AS64500")
    );
}

#[test]
fn a_flood_that_leaves_again_is_a_surge_and_no_outage() {
    let mut record = network();
    for i in 0..200u32 {
        let mut bytes = [0xff; 20];
        bytes[..4].copy_from_slice(&i.to_be_bytes());
        record.relays.push(RelayInfo { asn: Some(Asn(64511)), ..RelayInfo::unknown(Fingerprint::new(bytes)) });
        record.presence.push(vec![Presence { lists: 300..320, flags: flags(&[RelayFlag::Running]) }]);
    }
    let incidents = detect(&record);
    assert_eq!(incidents.iter().map(told).collect::<Vec<_>>(), [(Kind::Surge, ScopeKind::As, "AS64511", 200)]);
    assert_eq!(incidents[0].status, Status::Resolved);
}

#[test]
fn relays_that_came_while_nobody_looked_did_not_come_together() {
    let mut record = network();
    for (hour, _) in &mut record.hours[300..] {
        *hour = hour.plus(72);
    }
    for i in 0..40u32 {
        let mut bytes = [0xff; 20];
        bytes[..4].copy_from_slice(&i.to_be_bytes());
        record.relays.push(RelayInfo { asn: Some(Asn(64511)), ..RelayInfo::unknown(Fingerprint::new(bytes)) });
        record.presence.push(vec![Presence { lists: 300..HOURS, flags: flags(&[RelayFlag::Running]) }]);
    }
    let surges = |record: &Record| detect(record).iter().filter(|incident| incident.kind == Kind::Surge).count();
    assert_eq!(surges(&record), 0, "three days lie between the lists");
    for (hour, _) in &mut record.hours[300..] {
        *hour = hour.plus(-72);
    }
    assert_eq!(surges(&record), 1, "the same within an hour");
}

#[test]
fn a_list_that_lacks_relays_everywhere_is_doubted_and_one_that_repeats_says_nothing() {
    let mut record = network();
    lose(&mut record, 300, 301, |relay| relay.wrapping_mul(2_654_435_761) >> 16 & 7 < 2);
    let incidents = detect(&record);
    assert_eq!(
        incidents.iter().map(|incident| (incident.kind, incident.status)).collect::<Vec<_>>(),
        [(Kind::DataQuality, Status::Resolved)]
    );
}

#[test]
fn a_saved_detector_goes_on_as_if_it_had_never_stopped() {
    let mut record = network();
    lose(&mut record, 250, 258, |relay| relay % 15 == 4);
    lose(&mut record, 300, 306, |relay| relay % 30 == 7);
    flood(&mut record);
    move_relays(&mut record);
    let mut whole = Detector::new(Settings::default(), record.relays.clone());
    record.walk(0..record.hours.len(), |_, list| drop(whole.step(list)));
    assert_eq!(whole.incidents().map(|incident| incident.kind).collect::<Vec<_>>(), [Kind::Outage, Kind::Outage, Kind::Surge]);
    for stop in [1, 100, 251, 257, 301, 322, 399] {
        let mut first = Detector::new(Settings::default(), record.relays.clone());
        record.walk(0..stop, |_, list| drop(first.step(list)));
        let mut second = Detector::restore(&first.save(), Settings::default()).unwrap();
        assert_eq!(second.save(), first.save(), "stopped at {stop}");
        record.walk(stop..record.hours.len(), |index, list| {
            // A stretch begins with everything described before it, which the restored detector knows.
            let described =
                if index == stop { record.described.get(&(index as u32)).map_or(&[][..], |infos| infos) } else { list.described };
            drop(second.step(&Observation { described, ..*list }));
        });
        assert_eq!(second.incidents().collect::<Vec<_>>(), whole.incidents().collect::<Vec<_>>(), "stopped at {stop}");
        assert_eq!(second.save(), whole.save(), "stopped at {stop}");
    }
}

/// Adds relays of one AS that join together.
fn flood(record: &mut Record) {
    for i in 0..60u32 {
        let mut bytes = [0xff; 20];
        bytes[..4].copy_from_slice(&i.to_be_bytes());
        record.relays.push(RelayInfo { asn: Some(Asn(64511)), ..RelayInfo::unknown(Fingerprint::new(bytes)) });
        record.presence.push(vec![Presence { lists: 320 + i % 3..HOURS, flags: flags(&[RelayFlag::Running]) }]);
    }
}

/// Moves relays to other AS over time, some of which are not known before.
fn move_relays(record: &mut Record) {
    for i in 0..20u32 {
        let info = RelayInfo {
            asn: Some(Asn(64490 + i % 10)),
            nickname: Some(format!("mover{i}")),
            address: Some([192, 0, 2, i as u8].into()),
            version: Some("0.4.8.14".into()),
            weight: Some(0.001),
            ..record.relays[(i * 29) as usize].clone()
        };
        record.described.entry(30 + 17 * i).or_default().push(info);
    }
}

/// Relays that move, come and go change which scopes there are and who belongs to them; a saved detector knows all of it.
#[test]
fn a_saved_detector_knows_who_the_relays_are() {
    let mut record = network();
    lose(&mut record, 300, 306, |relay| relay % 30 == 7);
    for (index, relay) in [(120, 7), (200, 37), (310, 7)] {
        let info = RelayInfo { asn: Some(Asn(65_000 + index)), version: Some("0.4.9.2".into()), ..record.relays[relay].clone() };
        record.described.insert(index, vec![info]);
    }
    let mut lived = Detector::new(Settings::default(), record.relays.clone());
    let mut restored = lived.clone();
    record.walk(0..record.hours.len(), |index, list| {
        if index % 50 == 25 {
            restored = Detector::restore(&restored.save(), Settings::default()).unwrap();
        }
        assert_eq!(restored.step(list), lived.step(list), "{index}");
    });
    assert_eq!(restored.incidents().collect::<Vec<_>>(), lived.incidents().collect::<Vec<_>>());
    assert_eq!(restored.save(), lived.save());
}

#[test]
fn bytes_that_are_no_state_are_refused() {
    let record = network();
    let bytes = Detector::new(Settings::default(), record.relays).save();
    let restore = |bytes: &[u8]| Detector::restore(bytes, Settings::default()).map(drop);
    assert_eq!(restore(&bytes), Ok(()));
    assert_eq!(restore(b""), Err(RestoreError::Version));
    let mut of_another_version = bytes.clone();
    let digit = bytes.iter().position(u8::is_ascii_digit).unwrap();
    of_another_version[digit] += 1;
    assert_eq!(restore(&of_another_version), Err(RestoreError::Version));
    assert_eq!(restore(&bytes[..bytes.len() - 1]), Err(RestoreError::Damaged));
    assert_eq!(restore(&[&bytes[..], b"x"].concat()), Err(RestoreError::Damaged));
    let mut damaged = bytes.clone();
    damaged[bytes.len() / 2] ^= 1;
    assert_eq!(restore(&damaged), Err(RestoreError::Damaged));
    let others = Settings { min_lost: 9, ..Settings::default() };
    assert_eq!(Detector::restore(&bytes, others).map(drop), Err(RestoreError::Mismatch));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn hours_without_a_list_are_never_an_outage(missing in proptest::collection::btree_set(100usize..399, 1..60)) {
        let record = network();
        let mut detector = Detector::new(Settings::default(), record.relays.clone());
        record.walk(0..record.hours.len(), |index, list| {
            if !missing.contains(&index) {
                detector.step(list);
            }
        });
        prop_assert_eq!(detector.incidents().count(), 0);
    }

    #[test]
    fn repeating_a_list_changes_nothing(repeated in 100usize..399) {
        let mut record = network();
        lose(&mut record, 300, 306, |relay| relay % 15 == 4);
        let mut detector = Detector::new(Settings::default(), record.relays.clone());
        record.walk(0..record.hours.len(), |index, list| {
            detector.step(list);
            if index == repeated {
                let before = detector.incidents().collect::<Vec<_>>();
                assert!(!detector.step(&Observation { ..*list }).believed);
                assert_eq!(detector.incidents().collect::<Vec<_>>(), before);
            }
        });
        prop_assert_eq!(detector.incidents().collect::<Vec<_>>(), detect(&record));
    }

    #[test]
    fn the_order_of_relays_changes_nothing(seed in any::<u32>()) {
        let mut record = network();
        lose(&mut record, 300, 306, |relay| relay % 15 == 4);
        let expected = detect(&record);
        let mut order: Vec<usize> = (0..N as usize).collect();
        order.sort_by_key(|relay| (*relay as u32 ^ seed).wrapping_mul(0x9e37_79b9));
        let relays = order.iter().map(|relay| record.relays[*relay].clone()).collect();
        let presence = order.iter().map(|relay| record.presence[*relay].clone()).collect();
        let found = detect(&Record { relays, presence, hours: record.hours.clone(), described: record.described.clone() });
        prop_assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            prop_assert_eq!(told(found), told(expected));
            prop_assert_eq!((&found.id, &found.relays), (&expected.id, &expected.relays));
        }
    }
}
