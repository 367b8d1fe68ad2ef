//! Charts of offered states, kept beside the view that they show.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use allium_analysis::Sizes;
use allium_charts::Chart;
use allium_service::View;

use crate::error::RequestError;

/// Charts by address.
#[derive(Default)]
struct KeptCharts(Mutex<BTreeMap<String, Slot>>);

/// The charts of an address, with the sizes that they were made from.
struct Slot {
    sizes: Arc<Sizes>,
    /// `None` where they could not be made.
    charts: Arc<OnceLock<Option<Arc<[Chart]>>>>,
}

impl KeptCharts {
    /// The slot of an address; an empty one where the sizes have changed since.
    fn slot(&self, address: &str, sizes: &Arc<Sizes>) -> Arc<OnceLock<Option<Arc<[Chart]>>>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let empty = || Slot { sizes: Arc::clone(sizes), charts: Arc::default() };
        let slot = kept.entry(address.to_owned()).or_insert_with(empty);
        if !Arc::ptr_eq(&slot.sizes, sizes) {
            *slot = empty();
        }
        Arc::clone(&slot.charts)
    }
}

/// The charts of an address, made when it is asked for first and again when the sizes have changed. Only for addresses that the
/// site itself offers: visitors can make up any number of others.
pub(super) fn charts(
    view: &View,
    address: &str,
    sizes: &Arc<Sizes>,
    make: impl Fn() -> Result<Vec<Chart>, RequestError>,
) -> Result<Arc<[Chart]>, RequestError> {
    // A request that comes meanwhile waits for the same charts instead of making them again.
    match view.kept::<KeptCharts>().slot(address, sizes).get_or_init(|| make().ok().map(Arc::from)) {
        Some(charts) => Ok(Arc::clone(charts)),
        None => make().map(Arc::from),
    }
}
