//! The store's history in the form that forecasts are made from, and the choice of what they rest on.

use std::borrow::Borrow;

use crate::Basis;
use allium_forecast::{Past, PastSpan, Published, RelayPast};
use allium_history::{ExactHistory, Grouping, IndexSpan, Store, Timeline};
use allium_model::{ConsensusHour, NetworkRecord, PublishedGraph, Quantity, RelayFlag, RelayRecord};

/// With fewer consensuses than there are in five weeks, published graphs reach further than the own history does.
const MIN_OWN_CONSENSUSES: usize = 35 * 24;
/// Fewest known consensuses to forecast from where no graphs are published: a week of them.
const MIN_CONSENSUSES: usize = 168;

/// The data that forecasts rest on.
#[derive(Debug, Clone)]
pub struct Ground {
    /// The history.
    pub past: Past,
    /// Source of the past.
    pub basis: Basis,
    /// The part that is missing where there is hardly anything to forecast from; the rest of a sentence.
    pub shortage: Option<String>,
}

/// Chooses what forecasts rest on: our own record once it is long enough, published graphs of uptime before that, and where there are
/// none even a short record. `published` loads the record with the graphs; it is asked only where the own record is short.
///
/// # Errors
/// Those of `published`.
pub fn ground<R: Borrow<NetworkRecord>>(
    own: Past,
    as_of: ConsensusHour,
    published: impl FnOnce() -> anyhow::Result<Option<R>>,
) -> anyhow::Result<Ground> {
    let n_known = own.hours().len();
    let of_own = |past, shortage| Ground { past, basis: Basis::OwnRecord, shortage };
    if n_known >= MIN_OWN_CONSENSUSES {
        return Ok(of_own(own, None));
    }
    if let Some(record) = published()?.filter(|record| has_uptime(record.borrow())) {
        return Ok(Ground { past: of_graphs(record.borrow(), as_of), basis: Basis::PublishedGraphs, shortage: None });
    }
    let shortage = (n_known < MIN_CONSENSUSES).then(|| {
        format!(
            "our own record holds {n_known} of the {MIN_CONSENSUSES} consensuses, a week of them, that it takes at least, and there are no published graphs of uptime"
        )
    });
    Ok(of_own(own, shortage))
}

fn has_uptime(record: &NetworkRecord) -> bool {
    let is_uptime = |graph: &PublishedGraph| graph.quantity == Quantity::Uptime;
    record.relays.iter().any(|relay| relay.published.iter().any(is_uptime))
}

/// History as consensuses have it, and nothing else: attributes that are kept as last known only would come from later times.
pub fn of_history(history: &ExactHistory) -> Past {
    of_timeline(&history.timeline, ConsensusHour::new(i32::MAX))
}

/// The same up to and including an hour.
pub(super) fn of_timeline(timeline: &Timeline, until: ConsensusHour) -> Past {
    let span = |span: &IndexSpan| {
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
    let hours = timeline.known().hours();
    let n_until = hours.partition_point(|hour| *hour <= until);
    Past::new(hours[..n_until].to_vec(), relays.collect())
}

/// History as published graphs have it: for a store without a history of its own.
fn of_graphs(record: &NetworkRecord, as_of: ConsensusHour) -> Past {
    let current = record.relays.iter().filter(|relay| relay.is_current(as_of));
    Past::of_published(current.map(published), as_of)
}

/// The sums of consensus weights of all hours up to `as_of` whose weights are known.
///
/// # Errors
/// If the store cannot be read.
pub fn weights(store: &dyn Store, as_of: ConsensusHour) -> anyhow::Result<Vec<(ConsensusHour, f64)>> {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

    use allium_forecast::{HORIZON_DAYS, Model};
    use allium_model::{Fingerprint, GraphPeriod, Known, Period, Relay, Series};

    use super::*;

    const AS_OF: ConsensusHour = ConsensusHour::new(490_000);

    fn past(n_hours: u32) -> Past {
        let span = PastSpan { start: 0, end: n_hours, running: true, guard: false, exit: false, asn: None, country: None };
        let relays = vec![RelayPast::new(Fingerprint::new([7; 20]), vec![span])];
        Past::new((0..n_hours as i32).map(ConsensusHour::new).collect(), relays)
    }

    fn record(published: Vec<PublishedGraph>) -> NetworkRecord {
        let as_of = AS_OF;
        let relay = Relay { last_seen: Some(as_of), running: true, ..Relay::unknown(Fingerprint::new([7; 20])) };
        let relays = vec![RelayRecord { relay, spans: Vec::new(), published }];
        NetworkRecord { as_of, known: Known::default(), relays, sources: Vec::new(), rejects: Vec::new() }
    }

    fn graph(quantity: Quantity) -> PublishedGraph {
        let start = AS_OF.next().start_secs() - 180 * 14_400;
        let series = Series::from_codes(start, 14_400, 0.001, [Some(900); 180]).unwrap();
        PublishedGraph { quantity, period: GraphPeriod::Named(Period::OneMonth), series, completed: 0 }
    }

    #[test]
    fn forecasts_rest_on_graphs_until_the_own_record_is_five_weeks_long() {
        let with = |hours| ground(past(hours), AS_OF, || Ok(Some(record(vec![graph(Quantity::Uptime)])))).unwrap();
        let without = |hours| ground(past(hours), AS_OF, || Ok(Some(record(Vec::new())))).unwrap();
        assert_eq!([0, 200, 839, 840].map(|hours| with(hours).basis == Basis::PublishedGraphs), [true, true, true, false]);
        assert_eq!((without(200).basis, without(200).shortage), (Basis::OwnRecord, None));
        let reason = without(100).shortage.unwrap();
        assert!(reason.contains("100 of the 168 consensuses"), "{reason}");
        let Ground { past, shortage, .. } = with(0);
        let forecasts = Model::train(&past, AS_OF, HORIZON_DAYS).forecast(&past, AS_OF);
        assert!(forecasts.len() == 1 && forecasts[0].running && forecasts[0].recent.is_some(), "{forecasts:?}");
        assert_eq!(shortage, None);
    }

    /// Pages and the command line rest on the same: graphs of bandwidth are no ground for a forecast of uptime.
    #[test]
    fn only_graphs_of_uptime_are_ground() {
        let ground = ground(past(200), AS_OF, || Ok(Some(record(vec![graph(Quantity::BytesRead)])))).unwrap();
        assert_eq!(ground.basis, Basis::OwnRecord);
    }

    #[test]
    fn a_long_record_asks_for_no_graphs() {
        let ground = ground(past(840), AS_OF, || -> anyhow::Result<Option<NetworkRecord>> { anyhow::bail!("asked") });
        assert_eq!(ground.unwrap().basis, Basis::OwnRecord);
    }
}
