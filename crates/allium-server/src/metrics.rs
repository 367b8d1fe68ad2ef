//! `/metrics`: figures of the network and of the service, in OpenMetrics text for Prometheus and what reads the same.
//!
//! An unknown figure is absent, never 0. Single relays, operators and visitors have no figures here, so the number of series stays
//! small. The names are a contract: added to, never changed.

use std::sync::atomic::AtomicU64;

use allium_detect::Severity;
use allium_model::{Period, Timestamp};
use allium_service::{IncidentLog, Snapshot, View, WorkerReport};
use allium_views::Answer;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::Server;
use crate::counts::Counts;

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Labels = Vec<(&'static str, String)>;
type Gauges = Family<Labels, Gauge<f64, AtomicU64>>;
type Counters = Family<Labels, Counter<u64, AtomicU64>>;

/// All figures; 200 also before there is data, with what is known of the sources.
pub(crate) fn answer(server: &Server, snapshot: &Snapshot, now: Timestamp) -> Answer {
    match text(server, snapshot, now) {
        Ok(text) => Answer::not_kept(200, CONTENT_TYPE, text),
        Err(_) => Answer::not_kept(500, CONTENT_TYPE, ""),
    }
}

fn text(server: &Server, snapshot: &Snapshot, now: Timestamp) -> Result<String, std::fmt::Error> {
    let mut figures = Figures::default();
    figures.add("allium_build_info", "The version of the program; always 1", &[("version", snapshot.info().version.clone())], 1.0);
    if let Some(view) = snapshot.view() {
        figures.of_network(view, now);
        let n_rejects = view.record.n_rejects(snapshot.sources());
        figures.add("allium_rejects", "Values in documents in use that could not be understood", &[], n_rejects as f64);
    }
    if let Some(log) = snapshot.incidents() {
        figures.of_incidents(log);
    }
    figures.of_sources(snapshot);
    server.site.workers().iter().for_each(|worker| figures.of_worker(worker));
    figures.of_service(server);
    figures.encoded(&server.counts)
}

/// Gauges and counters by name with their help, each in the order in which they were first added.
#[derive(Default)]
struct Figures {
    families: Vec<(&'static str, &'static str, Gauges)>,
    counters: Vec<(&'static str, &'static str, Counters)>,
}

impl Figures {
    fn add(&mut self, name: &'static str, help: &'static str, labels: &[(&'static str, String)], value: f64) {
        let index = self.families.iter().position(|(known, ..)| *known == name).unwrap_or_else(|| {
            self.families.push((name, help, Gauges::default()));
            self.families.len() - 1
        });
        self.families[index].2.get_or_create(&labels.to_vec()).set(value);
    }

    /// Adds a counter; its name is shown with `_total` behind it.
    fn count(&mut self, name: &'static str, help: &'static str, labels: &[(&'static str, String)], n: u64) {
        let index = self.counters.iter().position(|(known, ..)| *known == name).unwrap_or_else(|| {
            self.counters.push((name, help, Counters::default()));
            self.counters.len() - 1
        });
        self.counters[index].2.get_or_create(&labels.to_vec()).inc_by(n);
    }

    fn of_network(&mut self, view: &View, now: Timestamp) {
        let network = &view.report.network;
        self.add("allium_consensus_timestamp_seconds", "Valid-after of the newest consensus", &[], view.as_of().start_secs() as f64);
        if let Some(age_secs) = view.age_secs(now) {
            self.add("allium_consensus_age_seconds", "Seconds since valid-after of the newest consensus", &[], age_secs as f64);
        }
        let relays = "Relays Running in the newest consensus by role; one with Guard and Exit counts in both, middle has neither";
        let roles = network.running_by_role;
        for (role, n) in [("guard", roles.guard), ("exit", roles.exit), ("middle", roles.middle)] {
            self.add("allium_relays_running_by_role", relays, &[("role", role.to_owned())], n as f64);
        }
        self.add("allium_relays_running", "Relays Running in the newest consensus", &[], network.n_running as f64);
        self.add("allium_relays_seen", "Relays seen in the 7 days before the newest consensus", &[], network.n_relays as f64);
        if let Some(bandwidth) = network.advertised_bandwidth {
            self.add("allium_advertised_bandwidth_bytes_per_second", "Advertised bandwidth of running relays", &[], bandwidth as f64);
        }
        self.add("allium_autonomous_systems", "Autonomous systems with running relays", &[], network.n_autonomous_systems as f64);
        self.add("allium_countries", "Countries with running relays", &[], network.n_countries as f64);
        for (period, uptime) in Period::ALL.into_iter().zip(&network.uptime) {
            let Some(uptime) = uptime else { continue };
            let labels = [("period", period.name().to_owned())];
            self.add("allium_uptime_ratio", "Mean uptime over relays in a period, 0 to 1", &labels, uptime.mean.get());
        }
    }

    fn of_incidents(&mut self, log: &IncidentLog) {
        let open = log.open();
        for severity in Severity::ALL {
            let n = open.iter().filter(|incident| incident.severity == severity).count();
            self.add("allium_incidents_open", "Open incidents by severity", &[("severity", severity.name().to_owned())], n as f64);
        }
        for capacity in &log.capacity {
            let labels = [("role", capacity.role.to_owned())];
            if let Some(usual) = capacity.usual {
                self.add("allium_capacity_usual_relays", "Median of running relays over 28 days by role", &labels, f64::from(usual));
            }
            if let Some(short) = capacity.short_below {
                self.add("allium_capacity_short_below_relays", "Fewer running relays than that are a shortage", &labels, f64::from(short));
            }
        }
    }

    fn of_sources(&mut self, snapshot: &Snapshot) {
        for source in snapshot.sources() {
            let labels = [("source", source.source.clone())];
            let failing = f64::from(u8::from(source.failure.is_some()));
            self.add("allium_source_failing", "1 where a source could not be read when it was last asked, else 0", &labels, failing);
            self.add("allium_source_asked_timestamp_seconds", "When a source was last asked", &labels, secs(source.asked_at));
            if let Some(at) = source.answered_at {
                self.add("allium_source_answered_timestamp_seconds", "When a source last answered as it should", &labels, secs(at));
            }
            if let Some(newest) = source.newest {
                let at = newest.start_secs() as f64;
                self.add("allium_source_newest_timestamp_seconds", "Valid-after of the newest consensus a source has", &labels, at);
            }
        }
    }

    fn of_worker(&mut self, worker: &WorkerReport) {
        let labels = [("worker", worker.name.clone())];
        let failing = f64::from(u8::from(worker.failing_since.is_some()));
        self.add("allium_worker_failing", "1 where the last run of a worker failed or panicked, else 0", &labels, failing);
        let times = [
            ("allium_worker_failing_since_timestamp_seconds", "Since when a worker fails; absent for others", worker.failing_since),
            ("allium_worker_running_since_timestamp_seconds", "Start of a worker's run under way; absent for others", worker.running_since),
            ("allium_worker_last_success_timestamp_seconds", "End of a worker's last run that succeeded", worker.last_success),
        ];
        for (name, help, at) in times {
            at.into_iter().for_each(|at| self.add(name, help, &labels, secs(at)));
        }
        if let Some(took) = worker.last_duration {
            self.add("allium_worker_last_duration_seconds", "Time that a worker's last run took", &labels, took.as_secs_f64());
        }
        self.count("allium_worker_runs", "Runs of a worker", &labels, worker.runs);
        self.count("allium_worker_failures", "Runs of a worker that ended in an error", &labels, worker.failures);
        self.count("allium_worker_panics", "Runs of a worker that ended in a panic", &labels, worker.panics);
    }

    fn of_service(&mut self, server: &Server) {
        let gauges = [
            ("allium_http_connections", "Open connections", server.places.n_taken() as u64),
            ("allium_http_connections_limit", "Connections that may be open", server.places.total() as u64),
            ("allium_http_queue", "Requests that wait to be answered", server.lanes.n_waiting() as u64),
            ("allium_streams", "Clients that listen to changes", server.listeners.n_taken() as u64),
            ("allium_cache_bytes", "Memory of answers that are kept", server.answers.n_bytes()),
            ("allium_exports_bytes", "Disk of large answers that are kept", server.exports.n_bytes()),
            ("allium_memory_budget_bytes", "Resident memory above which nothing is kept", server.limits.memory_bytes),
        ];
        gauges.into_iter().for_each(|(name, help, n)| self.add(name, help, &[], n as f64));
        if let Some(resident) = server.memory.resident() {
            self.add("allium_memory_resident_bytes", "Resident memory of the program", &[], resident as f64);
        }
        let Some(store) = &server.store else { return };
        if let Some(size_bytes) = store.url().size_bytes() {
            self.add("allium_store_bytes", "Size of the store with its log", &[], size_bytes as f64);
        }
        let n_failures = store.n_write_failures() + server.counts.n_notes_failed();
        self.count("allium_store_write_failures", "Times that the store could not be written", &[], n_failures);
    }

    fn encoded(self, counts: &Counts) -> Result<String, std::fmt::Error> {
        let mut registry = Registry::default();
        counts.register(&mut registry);
        for (name, help, gauges) in self.families {
            registry.register(name, help, gauges);
        }
        for (name, help, counters) in self.counters {
            registry.register(name, help, counters);
        }
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }
}

fn secs(at: Timestamp) -> f64 {
    at.as_second() as f64
}
