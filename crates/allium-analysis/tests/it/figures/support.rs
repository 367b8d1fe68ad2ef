//! Small records to ask about.

use allium_analysis::{NetworkReport, RelayReport};
use allium_model::{
    ConsensusHour, Fingerprint, GraphPeriod, Known, NetworkRecord, Period, PublishedGraph, Quantity, Relay, RelayFlag, RelayFlags,
    RelayRecord, RelayState, Series, StateSpan,
};

/// The newest consensus of all records here: a multiple of 4 and 12 hours and of 2 days after the epoch ends with it.
pub(crate) fn as_of() -> ConsensusHour {
    hour("2026-02-15T23:00:00Z")
}

pub(crate) fn hour(text: &str) -> ConsensusHour {
    text.parse().expect("a whole hour")
}

/// Relay number `n`, Running, seen in the newest consensus.
pub(crate) fn relay(n: u8) -> RelayRecord {
    let mut bytes = [0; 20];
    bytes[0] = n;
    let mut relay = Relay::unknown(Fingerprint::new(bytes));
    relay.running = true;
    relay.last_seen = Some(as_of());
    relay.first_seen = Some(hour("2020-01-01T00:00:00Z")).into();
    relay.flags = RelayFlags::from_iter([RelayFlag::Running]);
    RelayRecord { relay, spans: Vec::new(), published: Vec::new() }
}

/// The same, down since it was last seen.
pub(crate) fn gone_since(mut record: RelayRecord, last_seen: ConsensusHour) -> RelayRecord {
    record.relay.running = false;
    record.relay.last_seen = Some(last_seen);
    record
}

/// With a span of consensuses `[start, end)` in which it had these flags and Running.
pub(crate) fn with_span(mut record: RelayRecord, start: ConsensusHour, end: ConsensusHour, flags: &[RelayFlag]) -> RelayRecord {
    let flags = flags.iter().copied().chain([RelayFlag::Running]).collect();
    record.spans.push(StateSpan { start, end, state: RelayState { flags, ..RelayState::default() } });
    record
}

/// With a graph of uptime in thousandths that ends at `end_secs`; `completed` of its intervals were appended as down.
pub(crate) fn with_graph(record: RelayRecord, period: Period, end: ConsensusHour, codes: &[Option<u16>], completed: usize) -> RelayRecord {
    with_graph_of(record, Quantity::Uptime, period, end, codes, completed)
}

/// The same for another quantity.
pub(crate) fn with_graph_of(
    mut record: RelayRecord,
    quantity: Quantity,
    period: Period,
    end: ConsensusHour,
    codes: &[Option<u16>],
    completed: usize,
) -> RelayRecord {
    let interval_hours = match period {
        Period::SixMonths => 12,
        Period::OneYear => 48,
        Period::FiveYears => 240,
        Period::OneDay | Period::SevenDays | Period::ThirtyDays | Period::OneMonth => 4,
    };
    let start_secs = end.plus(-(codes.len() as i32) * interval_hours).start_secs();
    let series = Series::from_codes(start_secs, interval_hours as u32 * 3600, 0.001, codes.iter().copied()).expect("a usable scale");
    record.published.push(PublishedGraph { quantity, period: GraphPeriod::Named(period), series, completed });
    record
}

/// All hours of `[start, end)`.
pub(crate) fn hours(start: ConsensusHour, end: ConsensusHour) -> Vec<ConsensusHour> {
    (start.get()..end.get()).map(ConsensusHour::new).collect()
}

pub(crate) fn network(known: Vec<ConsensusHour>, relays: Vec<RelayRecord>) -> NetworkRecord {
    NetworkRecord { as_of: as_of(), known: Known::new(known), relays, sources: Vec::new(), rejects: Vec::new() }
}

/// The report of a single relay.
pub(crate) fn report(known: Vec<ConsensusHour>, relay: RelayRecord) -> RelayReport {
    NetworkReport::compute(&network(known, vec![relay])).relays.remove(0)
}
