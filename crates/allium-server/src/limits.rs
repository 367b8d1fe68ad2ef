//! Limits that keep the service reachable whatever its clients do.

use std::time::Duration;

/// Descriptors that connections never take: for the store, the sources, names, and files of large answers.
const RESERVED_DESCRIPTORS: u64 = 192;

/// Limits of the service. Sizes are in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time.
    pub max_connections: usize,
    /// Connections of one address at a time. Those of proxies and of this machine are not counted apart: many people share them.
    pub max_connections_per_address: usize,
    /// Clients that listen to changes at a time.
    pub max_listeners: usize,
    /// Clients of one address that listen to changes at a time.
    pub max_listeners_per_address: usize,
    /// Memory for answers that are kept.
    pub cache_bytes: u64,
    /// Disk for large answers, which are kept in files without a name.
    pub exports_bytes: u64,
    /// Resident memory that the program should not exceed: above it, the log says so and answers that are kept are given up.
    pub memory_bytes: u64,
    /// Time for the head of a request.
    pub head: Duration,
    /// Time that a connection may have no request under way.
    pub idle: Duration,
    /// Time for a client to take some bytes of an answer.
    pub stalled: Duration,
    /// Time for a client to take a whole answer.
    pub answer: Duration,
    /// Time after which a stream of changes ends; its client comes back and misses nothing.
    pub listening: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 4_096,
            max_connections_per_address: 128,
            max_listeners: 3_000,
            max_listeners_per_address: 32,
            cache_bytes: 32 << 20,
            exports_bytes: 256 << 20,
            memory_bytes: 512 << 20,
            head: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            stalled: Duration::from_secs(30),
            answer: Duration::from_secs(600),
            listening: Duration::from_secs(3_600),
        }
    }
}

impl Limits {
    /// The same, with as many connections as the descriptors of the process allow, and with more descriptors where the system gives them.
    /// A quarter of the connections stays free of streams.
    #[must_use]
    pub fn within_descriptors(self) -> Self {
        let n_descriptors = raised(RESERVED_DESCRIPTORS + self.max_connections as u64);
        let left = usize::try_from(n_descriptors.saturating_sub(RESERVED_DESCRIPTORS)).unwrap_or(usize::MAX);
        let max_connections = self.max_connections.min(left.max(16));
        Self { max_connections, max_listeners: self.max_listeners.min(max_connections / 4 * 3), ..self }
    }
}

/// The number of descriptors that the process may have, after it asked for `wanted`.
fn raised(wanted: u64) -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let Some(current) = current.filter(|current| *current < wanted) else { return u64::MAX };
    let more = maximum.map_or(wanted, |maximum| maximum.min(wanted)).max(current);
    match setrlimit(Resource::Nofile, Rlimit { current: Some(more), maximum }) {
        Ok(()) => more,
        Err(_) => current,
    }
}
