//! A store that holds what lies ahead of the clock, and the command that mends it.

use allium_history::Store;
use allium_model::Bounds;

use crate::progress;

/// Prints what to do about a store whose newest consensus or document lies ahead of the clock.
pub(crate) fn warn(store: &dyn Store, bounds: Bounds) -> anyhow::Result<()> {
    let stats = store.stats()?;
    let newest = stats.documents.iter().map(|document| document.published).chain(stats.last).max();
    if let Some(newest) = newest.filter(|newest| *newest > bounds.latest_hour()) {
        let clock = bounds.latest();
        progress::line(&format!(
            "the store reaches to {newest}, and by the clock nothing after {clock:.0} can be: `allium store mend` removes what lies ahead"
        ));
    }
    Ok(())
}
