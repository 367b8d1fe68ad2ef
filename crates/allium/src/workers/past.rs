//! The store's history in the form that forecasts are made from.

use allium_forecast::{Past, PastSpan, Published, RelayPast};
use allium_history::{ExactHistory, Grouping, History as _, PlaceSpan, SqliteHistory};
use allium_model::{ConsensusHour, NetworkRecord, Quantity, RelayFlag, RelayRecord};

/// What consensuses say, and nothing else: attributes that are kept as last known only would tell of later times.
pub(crate) fn of_history(history: &ExactHistory) -> Past {
    let timeline = &history.timeline;
    let span = |span: &PlaceSpan| {
        let state = timeline.state(span);
        PastSpan {
            start: span.start,
            end: span.end,
            running: state.flags.contains(RelayFlag::Running),
            guard: state.flags.contains(RelayFlag::Guard),
            exit: state.flags.contains(RelayFlag::Exit),
            asn: state.asn,
            country: state.country,
        }
    };
    let relays = timeline.relays().iter().map(|relay| RelayPast::new(relay.fingerprint, relay.spans.iter().map(span).collect()));
    Past::new(timeline.known().hours().to_vec(), relays.collect())
}

/// What published graphs tell: for a store without a history of its own.
pub(crate) fn of_graphs(record: &NetworkRecord, as_of: ConsensusHour) -> Past {
    let current = record.relays.iter().filter(|relay| relay.is_current(as_of));
    Past::of_published(current.map(published), as_of)
}

/// The sums of consensus weights of all hours up to `as_of` that tell them.
pub(crate) fn weights(store: &SqliteHistory, as_of: ConsensusHour) -> anyhow::Result<Vec<(ConsensusHour, f64)>> {
    let Some(first) = store.stats()?.first else { return Ok(Vec::new()) };
    let groups = store.group_hours(Grouping::Network, first, as_of.next())?;
    let hours = groups.into_values().flatten();
    Ok(hours.filter_map(|hour| Some((hour.hour, hour.consensus_weight?))).collect())
}

fn published(record: &RelayRecord) -> Published<'_> {
    Published {
        fingerprint: record.relay.fingerprint,
        asn: record.relay.asn,
        country: record.relay.country,
        last_seen: record.relay.last_seen,
        uptime: record.published.iter().filter(|graph| graph.quantity == Quantity::Uptime).map(|graph| &graph.series).collect(),
    }
}
