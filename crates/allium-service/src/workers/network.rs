//! The network as the store holds it: loaded at the start, and again whenever a source or a proof has changed the store.

use crate::View;
use allium_analysis::NetworkReport;

use super::{Context, Next, Step, Worker};
use crate::snapshot::{Patch, Snapshot};

/// Loads the network.
pub struct Network {
    /// Reason why there is nothing to show while the store is empty; `None` where sources say how it goes with them.
    pub if_empty: Option<&'static str>,
}

impl Worker for Network {
    fn name(&self) -> &'static str {
        "network"
    }

    fn first(&self) -> Next {
        Next::Now
    }

    fn step(&mut self, _: &Snapshot, context: &Context) -> anyhow::Result<Step> {
        let store = context.store.read()?;
        let step = Step::then(Next::Stored).with(Patch::Sources(store.sources()?));
        let Some(record) = store.load()? else {
            return Ok(self.if_empty.into_iter().fold(step, |step, reason| step.with(Patch::Waiting(reason.to_owned()))));
        };
        let report = NetworkReport::compute_in_parallel(&record);
        tracing::info!(as_of = %record.as_of, relays = report.network.n_relays, running = report.network.n_running, "view published");
        Ok(step.with(Patch::Network(Box::new(View::new(record, report)))))
    }

    fn only_reads(&self) -> bool {
        true
    }
}
