//! A seeded synthetic Tor network that resembles the real one, for demos, tests, load and scale.
//!
//! Input: a seed, a number of relays, a newest hour and a length of history. Output: a [`Network`] with its exact history, which can be
//! written as Onionoo documents ([`onionoo`]) and signed consensuses ([`consensus`]), and served over HTTP on the loopback interface
//! ([`serve`]). Faults come from a script ([`scenario`]), and [`truth`] records what they did. The same options give the same bytes. All
//! relays are invented: private-use AS numbers, addresses of 10.0.0.0/8 and 2001:db8::/32, domains under `.example`; only countries are
//! real.
//!
//! Deliberately unknown here: how anything is analysed, stored or shown; the clock.
//!
//! `docs/simulator.md` compares the statistics with the real network's.
//!
//! ```
//! use allium_simulate::{Network, Options};
//! let end = "2026-02-15T18:00:00Z".parse().unwrap();
//! let mut network = Network::generate(&Options { n_relays: 50, history_days: 10, ..Options::new(1, end) });
//! assert_eq!(network.now(), end);
//! network.advance();
//! assert_eq!(network.now(), end.next());
//! ```

mod authority;
pub mod compile;
pub mod consensus;
mod dice;
mod life;
mod locations;
mod network;
pub mod onionoo;
mod operators;
pub mod presence;
mod proofs;
mod publication;
mod relay;
mod releases;
pub mod scenario;
pub mod serve;
pub mod spans_file;
mod stage;
mod traffic;
pub mod truth;
mod votes;

use allium_model::ConsensusHour;

pub use network::{FlagSpan, Network, SimulatedRelay};
pub use proofs::DomainAnswer;
pub use scenario::Scenario;

/// Choice of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Identifies the network: equal options give equal networks.
    pub seed: u64,
    /// Approximate number of relays running at a time; made for 10 to 200,000.
    pub n_relays: usize,
    /// The newest consensus of the generated history.
    pub end: ConsensusHour,
    /// Length of the generated history. Relays may be older, as their `first_seen` says.
    pub history_days: u32,
    /// Faults, and their times.
    pub scenario: Scenario,
}

impl Options {
    /// 1,500 relays with 400 days of history in which nothing goes wrong by script.
    pub const fn new(seed: u64, end: ConsensusHour) -> Self {
        Self { seed, n_relays: 1500, end, history_days: 400, scenario: Scenario { events: Vec::new() } }
    }
}
