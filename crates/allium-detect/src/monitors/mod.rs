//! The monitors, each of which watches for one kind of incident and owns what it has learned for that.

mod capacity;
mod declines;
mod flag_losses;
mod losses;
mod quality;
mod surges;

use serde::{Deserialize, Serialize};

pub use capacity::Capacity;

use crate::context::Context;
use crate::observation::Observation;
use crate::settings::Settings;

/// All monitors with their state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Monitors {
    quality: quality::Quality,
    surges: surges::Surges,
    losses: losses::Losses,
    declines: declines::Declines,
    flag_losses: flag_losses::FlagLosses,
    capacity: capacity::Capacities,
}

impl Monitors {
    /// True if a list that the network has not taken in is to be believed.
    pub(crate) fn believe(&mut self, list: &Observation<'_>, context: &mut Context<'_>) -> bool {
        self.quality.believe(list, self.losses.dispersion(), context)
    }

    /// Steps every monitor after the network took in a list. Until the detector has warmed up they only learn.
    pub(crate) fn step(&mut self, context: &mut Context<'_>) {
        if context.network.n_lists() > context.settings.warm_up_lists {
            self.surges.step(context);
            self.losses.step(context);
            self.declines.step(context);
            self.flag_losses.step(context);
            self.capacity.step(context);
        }
        self.surges.learn(context);
    }

    /// Exits and guards against what is usual.
    pub(crate) fn capacity(&self, settings: &Settings) -> Vec<Capacity> {
        self.capacity.reports(settings)
    }
}
