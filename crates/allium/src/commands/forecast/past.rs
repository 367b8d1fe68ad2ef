//! The store's history in the form that forecasts are made from.

use allium_forecast::{Past, PastSpan, RelayPast};
use allium_history::{ExactHistory, PlaceSpan};
use allium_model::RelayFlag;

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
