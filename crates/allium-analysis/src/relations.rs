//! Correlations: which quantities of relays go together.
//!
//! Spearman's rank correlation over current relays that have both quantities: it asks only whether one rises with the other, so that
//! bandwidths over five powers of ten and shares near 1 can be compared. Correlation is not cause.

use allium_model::{NetworkRecord, Period, RelayRecord};
use allium_stats::spearman;

use crate::report::{NetworkReport, RelayReport};

/// A quantity that relays are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayQuantity {
    /// Uptime over a period.
    Uptime(Period),
    /// Consensus weight.
    Weight,
    /// Advertised bandwidth, bytes per second.
    Bandwidth,
    /// Hours since its first appearance, where the date is known.
    Age,
    /// Outages in the last year.
    Outages,
}

impl RelayQuantity {
    /// Its value for a relay; `None` where it is not known.
    pub fn of(self, record: &NetworkRecord, relay: &RelayRecord, report: &RelayReport) -> Option<f64> {
        match self {
            Self::Uptime(period) => report.uptime_in(period).map(allium_model::Fraction::get),
            Self::Weight => relay.relay.consensus_weight.map(|weight| weight as f64),
            Self::Bandwidth => relay.relay.advertised_bandwidth.map(|rate| rate as f64),
            Self::Age => relay.relay.first_seen.age_hours(record.as_of).map(f64::from),
            Self::Outages => report.outages.as_ref().map(|summary| summary.outages.len() as f64),
        }
    }
}

/// The rank correlations of each quantity with each, over current relays.
pub fn correlations(record: &NetworkRecord, report: &NetworkReport, quantities: &[RelayQuantity]) -> Vec<Vec<Option<f64>>> {
    let relays = || record.relays.iter().zip(&report.relays).filter(|(_, report)| report.current);
    let columns: Vec<Vec<Option<f64>>> =
        quantities.iter().map(|q| relays().map(|(relay, report)| q.of(record, relay, report)).collect()).collect();
    let correlation = |a: &[Option<f64>], b: &[Option<f64>]| {
        let (x, y): (Vec<f64>, Vec<f64>) = a.iter().zip(b).filter_map(|(a, b)| a.zip(*b)).unzip();
        spearman(&x, &y)
    };
    // It is the same both ways round.
    let mut found = vec![vec![None; columns.len()]; columns.len()];
    for (i, a) in columns.iter().enumerate() {
        for (j, b) in columns.iter().enumerate().skip(i) {
            found[i][j] = correlation(a, b);
            found[j][i] = found[i][j];
        }
    }
    found
}
