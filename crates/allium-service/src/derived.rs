//! What several pages of one view ask for, worked out at most once: lazily, and kept as long as the view.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use allium_analysis::groups::{Anomaly, AsAlert, GroupMonth};
use allium_analysis::{Census, Sizes};
use allium_charts::Chart;
use allium_model::Period;

use crate::error::RequestError;
use crate::view::View;

/// Figures that cost more than a page may take when they are asked for again and again. Bounded: one of each kind per period.
#[derive(Default)]
pub(crate) struct Derived {
    anomalies: [OnceLock<Vec<Anomaly>>; 7],
    as_alerts: [OnceLock<Vec<AsAlert>>; 7],
    network_months: OnceLock<Vec<GroupMonth>>,
    census: OnceLock<Census>,
    charts: Mutex<BTreeMap<String, Slot>>,
}

/// Charts of an address, with the sizes that they were made from.
struct Slot {
    sizes: Arc<Sizes>,
    /// `None` where they could not be made.
    charts: Arc<OnceLock<Option<Arc<[Chart]>>>>,
}

impl View {
    /// The countries that are unlike their subregion or their past, by period.
    pub(crate) fn anomalies(&self, period: Period) -> &[Anomaly] {
        self.derived.anomalies[period.index()].get_or_init(|| self.groups.anomalies(period))
    }

    /// What is wrong with autonomous systems, by period.
    pub(crate) fn as_alerts(&self, period: Period) -> &[AsAlert] {
        self.derived.as_alerts[period.index()].get_or_init(|| self.groups.as_alerts(period))
    }

    /// The network counted through.
    pub(crate) fn census(&self) -> &Census {
        self.derived.census.get_or_init(|| Census::of(&self.record, &self.report, &self.operators))
    }

    /// The charts of an address, made when it is asked for first and again when the sizes have changed. Only for addresses that the
    /// site itself offers: of what visitors make up there is no end.
    pub(crate) fn kept_charts(
        &self,
        address: &str,
        sizes: &Arc<Sizes>,
        make: impl Fn() -> Result<Vec<Chart>, RequestError>,
    ) -> Result<Arc<[Chart]>, RequestError> {
        let slot = {
            let mut kept = self.derived.charts.lock().unwrap_or_else(PoisonError::into_inner);
            let empty = || Slot { sizes: Arc::clone(sizes), charts: Arc::default() };
            let slot = kept.entry(address.to_owned()).or_insert_with(empty);
            if !Arc::ptr_eq(&slot.sizes, sizes) {
                *slot = empty();
            }
            Arc::clone(&slot.charts)
        };
        // Who comes meanwhile waits for the same charts instead of making them again.
        match slot.get_or_init(|| make().ok().map(Arc::from)) {
            Some(charts) => Ok(Arc::clone(charts)),
            None => make().map(Arc::from),
        }
    }

    /// The uptime of the whole network by calendar month.
    pub(crate) fn network_months(&self) -> &[GroupMonth] {
        self.derived.network_months.get_or_init(|| {
            let everybody: Vec<u32> = (0..self.groups.members.len() as u32).collect();
            self.groups.months(&everybody, &self.report)
        })
    }
}
