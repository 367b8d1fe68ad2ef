//! Lists that cannot be what the network was: repeated and incomplete ones.
//!
//! *Repeated*: exactly the relays and flags of a list of the last two days, in a network where at least seven changes an hour are
//! expected. It is passed over, as if its hour were not known. *Incomplete*: at least 12 % of the mature relays are missing evenly, so
//! that no scope narrower than the network explains it. Such a list is passed over too and reported as doubtful data; if the next
//! list lacks at least half of the same relays it is believed, and the loss is an outage.

use allium_model::RelayFlag;
use allium_stats::ln_count_tail;
use serde::{Deserialize, Serialize};

use super::losses::LossDispersion;
use crate::book::{NETWORK, RelayIdx};
use crate::cases::Start;
use crate::context::Context;
use crate::incident::{Event, Kind, Status};
use crate::network::Network;
use crate::observation::Observation;
use crate::risk::{Lost, clip};
use crate::scan::{Cluster, Thresholds};
use crate::settings::Settings;

/// Lists that a list is compared with.
const REMEMBERED: usize = 48;
/// Expected changes per hour from which a list without changes is not believed.
const MIN_EXPECTED_CHANGES: f64 = 7.0;

/// Fewest missing relays of an incomplete list.
const MIN_MISSING: usize = 50;

/// Watches for lists that are not to be believed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Quality {
    /// Hashes of the last lists.
    seen: Vec<u64>,
    /// Relays that the last list lacked, sorted, if it was considered incomplete.
    missing: Vec<RelayIdx>,
    /// The index of the case about it.
    case: Option<usize>,
}

impl Quality {
    /// True if a list is to be taken in; opens and ends the case about lists that are not.
    pub(super) fn believe(&mut self, list: &Observation<'_>, usual: &LossDispersion, context: &mut Context<'_>) -> bool {
        if self.is_repeated(list) && usual.expected_per_hour() >= MIN_EXPECTED_CHANGES {
            return false;
        }
        let missing = missing(list, context.network, context.settings);
        let is_confirmed = is_half_in(&self.missing, &missing);
        let hour = list.hour.get();
        if !is_incomplete(&missing, hour, context) || is_confirmed {
            self.end_doubt(hour, is_confirmed, context);
            return true;
        }
        self.doubt(missing, hour, usual, context);
        false
    }

    /// True if one of the last lists had exactly the same relays and flags.
    fn is_repeated(&mut self, list: &Observation<'_>) -> bool {
        let entries = list.listed.iter().map(|(relay, flags)| u64::from(*relay) << 32 | u64::from(flags.bits()));
        let hash = entries.fold(0, |hash: u64, entry| (hash.rotate_left(5) ^ entry).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let is_repeated = self.seen.contains(&hash);
        self.seen.push(hash);
        if self.seen.len() > REMEMBERED {
            self.seen.remove(0);
        }
        is_repeated
    }

    fn doubt(&mut self, missing: Vec<RelayIdx>, hour: i32, usual: &LossDispersion, context: &mut Context<'_>) {
        if self.case.is_none() {
            self.case = Some(open(&missing, hour, usual, context));
        }
        self.missing = missing;
    }

    /// Ends the case: the loss was real where the list is confirmed by the next one.
    fn end_doubt(&mut self, hour: i32, is_confirmed: bool, context: &mut Context<'_>) {
        if let Some(index) = self.case.take() {
            let status = if is_confirmed { Status::Merged } else { Status::Resolved };
            context.cases.change(index, |case| case.end(status, hour));
        }
        self.missing.clear();
    }
}

fn open(missing: &[RelayIdx], hour: i32, usual: &LossDispersion, context: &mut Context<'_>) -> usize {
    let started = context.network.hour();
    let expected = usual.expected_per_hour() * f64::from(hour - started);
    let ln_p = ln_count_tail(missing.len() as u64, expected, usual.dispersion()).unwrap_or(0.0);
    let cluster = Cluster::anywhere(missing.to_vec(), expected, ln_p);
    let detail = Some("incomplete list".to_owned());
    let index = context.open(Start { kind: Kind::DataQuality, detail, flag: 0, cluster: &cluster, started });
    context.cases.change(index, |case| {
        case.detected = hour;
        case.timeline = vec![(hour, Event::Detected(missing.len() as u32))];
    });
    index
}

/// Mature running relays that the list lacks, sorted.
fn missing(list: &Observation<'_>, network: &Network, settings: &Settings) -> Vec<RelayIdx> {
    let mut listed = vec![false; network.tracks().len()];
    let running = list.listed.iter().filter(|(_, flags)| flags.contains(RelayFlag::Running));
    running.for_each(|(relay, _)| listed[*relay as usize] = true);
    let is_mature = |relay: &RelayIdx| network.track(*relay).is_mature(list.hour.get(), settings.mature_hours);
    let mut missing: Vec<RelayIdx> =
        network.running().iter().filter(|relay| !listed[**relay as usize] && is_mature(relay)).copied().collect();
    missing.sort_unstable();
    missing
}

/// True if the relays that a list lacks are many, and no scope narrower than the network explains who they are.
fn is_incomplete(missing: &[RelayIdx], hour: i32, context: &mut Context<'_>) -> bool {
    let (network, settings) = (&*context.network, context.settings);
    let is_large = missing.len() as f64 >= settings.incomplete_share * network.running().len() as f64;
    if !is_large || missing.len() < MIN_MISSING || network.n_lists() <= settings.warm_up_lists {
        return false;
    }
    let elapsed = f64::from(hour - network.hour());
    let risk = |relay: RelayIdx| clip(f64::from(network.track(relay).hazard) * elapsed);
    let pool = missing.iter().map(|relay| Lost { relay: *relay, risk: risk(*relay) }).collect();
    let is_standing = |relay: &&RelayIdx| missing.binary_search(relay).is_err();
    let mut hazards = vec![-1.0; network.tracks().len()];
    network.running().iter().filter(is_standing).for_each(|relay| hazards[*relay as usize] = network.track(*relay).hazard);
    let clusters = context.clusters(pool, &hazards, elapsed, &thresholds(settings, elapsed));
    clusters.first().is_some_and(|cluster| cluster.look.scope == NETWORK)
}

fn thresholds(settings: &Settings, elapsed: f64) -> Thresholds {
    Thresholds {
        min_lost: settings.min_lost,
        min_narrow_lost: 0,
        ln_alpha: settings.ln_alpha_loss,
        ln_alpha_network: settings.ln_alpha_loss,
        dispersion: settings.dispersion,
        network_dispersion: settings.dispersion,
        stable_risk: settings.stable_hazards.map(|hazard| hazard * elapsed),
        uneven: 0.0,
        scatter: None,
    }
}

/// True if at least half of the first set lies in the second; both sorted, and the first not empty.
fn is_half_in(a: &[RelayIdx], b: &[RelayIdx]) -> bool {
    !a.is_empty() && 2 * a.iter().filter(|relay| b.binary_search(relay).is_ok()).count() >= a.len()
}
