//! Figures that several pages of one view ask for, computed at most once: lazily, and kept as long as the view.

use std::sync::OnceLock;

use allium_analysis::Census;
use allium_analysis::groups::{Anomaly, AsAlert, GroupMonth};
use allium_model::Period;

use crate::view::View;

/// Figures that cost more than a page may take when they are asked for again and again. Bounded: one of each kind per period.
#[derive(Default)]
pub(crate) struct Derived {
    anomalies: [OnceLock<Vec<Anomaly>>; 7],
    as_alerts: [OnceLock<Vec<AsAlert>>; 7],
    network_months: OnceLock<Vec<GroupMonth>>,
    census: OnceLock<Census>,
}

impl View {
    /// The countries that are unlike their subregion or their past, by period.
    pub fn anomalies(&self, period: Period) -> &[Anomaly] {
        self.derived.anomalies[period.index()].get_or_init(|| self.groups.anomalies(period))
    }

    /// The alerts about autonomous systems, by period.
    pub fn as_alerts(&self, period: Period) -> &[AsAlert] {
        self.derived.as_alerts[period.index()].get_or_init(|| self.groups.as_alerts(period))
    }

    /// The counts of the whole network.
    pub fn census(&self) -> &Census {
        self.derived.census.get_or_init(|| Census::of(&self.record, &self.report, &self.operators))
    }

    /// The uptime of the whole network by calendar month.
    pub fn network_months(&self) -> &[GroupMonth] {
        self.derived.network_months.get_or_init(|| {
            let everybody: Vec<u32> = (0..self.groups.members.len() as u32).collect();
            self.groups.months(&everybody, &self.report)
        })
    }
}
