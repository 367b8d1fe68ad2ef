//! Small documents made by hand.

use allium_history::{ConsensusInfo, ConsensusSource, Update};
use allium_model::{
    Asn, ConsensusHour, DocumentKind, Fingerprint, Fraction, GraphPeriod, Period, PortSummary, PublishedGraph, Quantity, Reject, Relay,
    RelayFlag, RelayFlags, RelayHistories, RelayState, Series, SourceStatus,
};

/// The hour `hours` after 2026-02-15T18:00:00Z.
pub(crate) fn hour(hours: i32) -> ConsensusHour {
    "2026-02-15T18:00:00Z".parse::<ConsensusHour>().unwrap().plus(hours)
}

/// A fingerprint that begins with this number.
pub(crate) fn fingerprint(number: u32) -> Fingerprint {
    let mut bytes = [0; 20];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    Fingerprint::new(bytes)
}

pub(crate) fn running(number: u32, last_seen: ConsensusHour) -> Relay {
    let flags = RelayFlags::from_iter([RelayFlag::Running, RelayFlag::Valid]);
    Relay { running: true, flags, last_seen: Some(last_seen), first_seen: Some(hour(-100)).into(), ..Relay::unknown(fingerprint(number)) }
}

/// A relay that uses every field, with text as hostile as a source lets through.
pub(crate) fn full(number: u32, last_seen: ConsensusHour) -> Relay {
    let text = |text: &str| Some(text.to_string());
    let share = |share: f64| Fraction::new(share);
    Relay {
        nickname: text("\u{202e}<b>\0'--"),
        or_addresses: vec!["192.0.2.1:9001".parse().unwrap(), "[2001:db8::1]:9001".parse().unwrap()],
        exit_addresses: vec!["192.0.2.2".parse().unwrap()],
        dir_address: Some("192.0.2.1:9030".parse().unwrap()),
        unreachable_or_addresses: vec!["[2001:db8::2]:1".parse().unwrap()],
        last_changed_address_or_port: Some(hour(-50)),
        last_restarted: Some("2026-02-10T11:12:13Z".parse().unwrap()),
        hibernating: true,
        other_flags: vec!["Weird\"Flag".into()],
        country: Some("de".parse().unwrap()),
        country_name: text("Germany"),
        asn: Some(Asn(24940)),
        as_name: text("Hetzner Online GmbH"),
        consensus_weight: Some(u64::MAX),
        consensus_weight_fraction: share(8.39e-8),
        guard_probability: share(0.1),
        middle_probability: share(0.0),
        exit_probability: share(1.0),
        measured: Some(false),
        verified_host_names: vec!["a.example".into()],
        unverified_host_names: vec!["b.example".into(), String::new()],
        bandwidth_rate: Some(1 << 30),
        bandwidth_burst: Some(0),
        observed_bandwidth: Some(123),
        advertised_bandwidth: Some(122),
        overload_general_at: Some("2026-02-15T10:00:00.001Z".parse().unwrap()),
        exit_policy: vec!["reject *:*".into()],
        exit_policy_summary: Some(PortSummary::Accept(vec!["80".into(), "443-445".into()])),
        exit_policy_v6_summary: Some(PortSummary::Reject(vec!["1-65535".into()])),
        contact: text("mail\r\n<script>"),
        platform: text("Tor 0.4.8.9 on Linux"),
        version: text("0.4.8.9"),
        recommended_version: Some(true),
        version_status: text("recommended"),
        effective_family: vec![fingerprint(number), fingerprint(7)],
        alleged_family: vec!["friend".into()],
        indirect_family: vec![fingerprint(8)],
        ..running(number, last_seen)
    }
}

pub(crate) fn status(kind: DocumentKind, published: ConsensusHour) -> SourceStatus {
    SourceStatus {
        kind,
        origin: format!("{kind}.json"),
        published,
        obtained_at: "2026-02-15T19:10:11.5Z".parse().unwrap(),
        size_bytes: 1234,
        n_relays: 3,
        n_rejects: 1,
    }
}

/// A graph of 4-hour intervals whose last interval ends at `end`.
pub(crate) fn graph(quantity: Quantity, end: ConsensusHour, codes: &[Option<u16>]) -> PublishedGraph {
    let start_secs = end.start_secs() - 4 * 3600 * codes.len() as i64;
    let series = Series::from_codes(start_secs, 4 * 3600, 1.0 / 999.0, codes.iter().copied()).unwrap();
    PublishedGraph { quantity, period: GraphPeriod::Named(Period::OneMonth), series, completed: 0 }
}

pub(crate) fn histories(number: u32, graphs: Vec<PublishedGraph>) -> RelayHistories {
    RelayHistories { fingerprint: fingerprint(number), graphs }
}

pub(crate) fn reject(reason: &str) -> Reject {
    Reject { origin: "details.json".into(), location: "line 4".into(), relay: Some(fingerprint(1)), reason: reason.into() }
}

pub(crate) fn details(published: ConsensusHour, relays: Vec<Relay>) -> Update {
    Update { details: Some((status(DocumentKind::Details, published), relays)), ..Update::default() }
}

pub(crate) fn uptime(published: ConsensusHour, histories: Vec<RelayHistories>) -> Update {
    Update { histories: vec![(status(DocumentKind::Uptime, published), histories)], ..Update::default() }
}

pub(crate) fn consensus(hour: ConsensusHour) -> ConsensusInfo {
    ConsensusInfo { hour, source: ConsensusSource::Collector, verified: true, received_at: "2026-03-01T00:00:00Z".parse().unwrap() }
}

/// Running, with a version that tells states apart.
pub(crate) fn state(version: u8) -> RelayState {
    RelayState {
        flags: RelayFlags::from_iter([RelayFlag::Running, RelayFlag::Valid]),
        version: (version > 0).then(|| format!("0.4.{version}").into()),
        ..RelayState::default()
    }
}
