//! Relays and networks made by hand.

use allium_analysis::{Issue, NetworkReport, OperatorReport, diagnose};
use allium_model::{
    ConsensusHour, Fingerprint, GraphPeriod, Known, NetworkRecord, Period, PublishedGraph, Quantity, Relay, RelayFlag, RelayFlags,
    RelayRecord, Series,
};

/// The newest consensus of every network here.
///
/// # Panics
/// Never: the hour is written here.
pub fn as_of() -> ConsensusHour {
    "2026-02-15T23:00:00Z".parse().unwrap()
}

/// The fingerprint of relay `n`.
pub fn fingerprint(n: u16) -> Fingerprint {
    let mut bytes = [0; 20];
    bytes[..2].copy_from_slice(&n.to_be_bytes());
    Fingerprint::new(bytes)
}

/// A running relay that was seen since 2020.
///
/// # Panics
/// Never: the hour is written here.
pub fn relay(n: u16) -> RelayRecord {
    let relay = Relay {
        running: true,
        last_seen: Some(as_of()),
        first_seen: Some("2020-01-01T00:00:00Z".parse().unwrap()).into(),
        flags: RelayFlags::from_iter([RelayFlag::Running]),
        consensus_weight: Some(10),
        ..Relay::unknown(fingerprint(n))
    };
    RelayRecord { relay, spans: Vec::new(), published: Vec::new() }
}

/// The same relay, changed.
pub fn with(record: RelayRecord, change: impl FnOnce(&mut Relay)) -> RelayRecord {
    let mut record = record;
    change(&mut record.relay);
    record
}

/// The same relay with a graph whose values are `codes` times `scale`, and which ends `earlier` intervals before the newest consensus does.
///
/// # Panics
/// The scale is not a positive number.
pub fn with_graph(record: RelayRecord, quantity: Quantity, period: Period, scale: f64, earlier: i64, codes: &[u16]) -> RelayRecord {
    let mut record = record;
    let interval_secs: u32 = if period == Period::SixMonths { 43_200 } else { 14_400 };
    let start_secs = as_of().next().start_secs() - (codes.len() as i64 + earlier) * i64::from(interval_secs);
    let series = Series::from_codes(start_secs, interval_secs, scale, codes.iter().map(|code| Some(*code))).unwrap();
    record.published.push(PublishedGraph { quantity, period: GraphPeriod::Named(period), series, completed: 0 });
    record
}

/// The same relay with half a year of uptime, `code` thousandths in every interval.
pub fn uptime(record: RelayRecord, code: u16) -> RelayRecord {
    with_graph(record, Quantity::Uptime, Period::SixMonths, 0.001, 0, &[code; 100])
}

/// A network of these relays.
pub fn record(relays: Vec<RelayRecord>) -> NetworkRecord {
    let mut relays = relays;
    relays.sort_by_key(|record| record.relay.fingerprint);
    NetworkRecord { as_of: as_of(), known: Known::default(), relays, sources: Vec::new(), rejects: Vec::new() }
}

/// A network of these relays, with its figures.
pub fn reports(relays: Vec<RelayRecord>) -> (NetworkRecord, NetworkReport, OperatorReport) {
    let record = record(relays);
    let report = NetworkReport::compute(&record);
    let operators = OperatorReport::compute(&record, &report);
    (record, report, operators)
}

/// Relay `n` with this contact.
pub fn contact(n: u16, text: &str) -> RelayRecord {
    with(relay(n), |relay| relay.contact = Some(text.to_owned()))
}

/// The issues of a relay that is alone in its network.
pub fn issues(record: &RelayRecord) -> Vec<Issue> {
    let network = self::record(vec![record.clone()]);
    diagnose(record, &NetworkReport::compute(&network).relays[0], as_of())
}
