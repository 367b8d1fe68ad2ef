//! Totals of consensuses.

use allium_model::{RelayFlag, RelayFlags};

/// Totals of one consensus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Totals {
    pub(crate) n_listed: i64,
    pub(crate) n_running: i64,
    pub(crate) n_guard: i64,
    pub(crate) n_exit: i64,
}

impl Totals {
    /// Counts `n` relays with these flags; guards and exits count where Running.
    pub(crate) fn add(&mut self, flags: RelayFlags, n: i64) {
        let running = flags.contains(RelayFlag::Running);
        self.n_listed += n;
        self.n_running += if running { n } else { 0 };
        self.n_guard += if running && flags.contains(RelayFlag::Guard) { n } else { 0 };
        self.n_exit += if running && flags.contains(RelayFlag::Exit) { n } else { 0 };
    }

    /// Adds the difference from one consensus to the next.
    pub(crate) fn accumulate(&mut self, change: Self) {
        self.n_listed += change.n_listed;
        self.n_running += change.n_running;
        self.n_guard += change.n_guard;
        self.n_exit += change.n_exit;
    }
}
