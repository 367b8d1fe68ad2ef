//! The surroundings of a monitor in a step.

use crate::book::Book;
use crate::cases::{Cases, Start};
use crate::network::Network;
use crate::risk::{Lost, Standing};
use crate::scan::{Cluster, Thresholds, clusters};
use crate::settings::Settings;

/// The state that every monitor reads, and the cases that it opens and changes.
pub(crate) struct Context<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) book: &'a Book,
    pub(crate) network: &'a mut Network,
    pub(crate) cases: &'a mut Cases,
    /// A zero for every scope.
    pub(crate) scratch: &'a mut Vec<u32>,
}

impl Context<'_> {
    /// Opens a case and gives its index.
    pub(crate) fn open(&mut self, start: Start<'_>) -> usize {
        self.cases.open(start, self.book, self.network)
    }

    /// Finds the clusters in a pool; `hazards` are those of the running relays that could have been lost within `elapsed` hours.
    pub(crate) fn clusters(&mut self, pool: Vec<Lost>, hazards: &[f32], elapsed: f64, thresholds: &Thresholds) -> Vec<Cluster> {
        let standing = Standing { relays: self.network.running(), hazards, elapsed };
        clusters(self.book, pool, &standing, thresholds, self.scratch)
    }
}
