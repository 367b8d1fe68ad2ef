//! Counts of the service itself since its start, for `/metrics`.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds of the classes of durations, in seconds.
const CLASSES: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

type Counters<const N: usize> = Family<[(&'static str, String); N], Counter>;

/// Counts since the start.
#[derive(Debug)]
pub(crate) struct Counts {
    requests: Counters<2>,
    durations: Family<[(&'static str, String); 1], Histogram>,
    refused: Counters<1>,
    ended: Counters<1>,
    shed: Counters<1>,
    kept: Counters<1>,
    streams_refused: Counter,
    tokens_refused: Counter,
    notes_failed: Counter,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(CLASSES)),
            refused: Family::default(),
            ended: Family::default(),
            shed: Family::default(),
            kept: Family::default(),
            streams_refused: Counter::default(),
            tokens_refused: Counter::default(),
            notes_failed: Counter::default(),
        }
    }
}

impl Counts {
    /// An answer of a kind with its status, and the time until it began.
    pub(crate) fn answered(&self, kind: &'static str, status: u16, took: Duration) {
        self.requests.get_or_create(&[("kind", kind.to_owned()), ("status", status.to_string())]).inc();
        self.durations.get_or_create(&[("kind", kind.to_owned())]).observe(took.as_secs_f64());
    }

    /// A connection that was refused.
    pub(crate) fn refused(&self, reason: &str) {
        self.refused.get_or_create(&[("reason", reason.to_owned())]).inc();
    }

    /// A connection that was ended before its client ended it.
    pub(crate) fn ended(&self, reason: &str) {
        self.ended.get_or_create(&[("reason", reason.to_owned())]).inc();
    }

    /// A request that was not answered because too many wait.
    pub(crate) fn shed(&self, class: &str) {
        self.shed.get_or_create(&[("class", class.to_owned())]).inc();
    }

    /// An answer that was kept already (`hit`), was made (`miss`), or may not be kept (`none`).
    pub(crate) fn kept(&self, result: &str) {
        self.kept.get_or_create(&[("result", result.to_owned())]).inc();
    }

    /// A listener for which there was no place.
    pub(crate) fn stream_refused(&self) {
        self.streams_refused.inc();
    }

    /// A note with a wrong token.
    pub(crate) fn token_refused(&self) {
        self.tokens_refused.inc();
    }

    /// A note that could not be stored.
    pub(crate) fn note_failed(&self) {
        self.notes_failed.inc();
    }

    /// Number of notes that could not be stored.
    pub(crate) fn n_notes_failed(&self) -> u64 {
        self.notes_failed.get()
    }

    /// Shows them. The names are a contract, as all names of metrics.
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register("allium_http_requests", "Answers by kind and status", self.requests.clone());
        registry.register(
            "allium_http_request_duration_seconds",
            "Time from the head of a request to that of its answer, by kind",
            self.durations.clone(),
        );
        registry.register("allium_http_connections_refused", "Connections refused, by reason", self.refused.clone());
        registry.register("allium_http_connections_ended", "Connections that the service ended, by reason", self.ended.clone());
        registry.register("allium_http_shed", "Requests answered with 503 because too many waited, by class", self.shed.clone());
        registry.register("allium_cache_answers", "Answers by whether they were kept already", self.kept.clone());
        registry.register("allium_streams_refused", "Listeners for which there was no place", self.streams_refused.clone());
        registry.register("allium_tokens_refused", "Notes with a wrong token", self.tokens_refused.clone());
    }
}
