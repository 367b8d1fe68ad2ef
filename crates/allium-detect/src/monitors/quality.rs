//! Lists that cannot be what the network was: repeated and incomplete ones.
//!
//! *Repeated*: exactly the relays and flags of a list of the last two days, in a network where at least seven changes an hour are
//! expected. It is passed over, as if its hour were not known. *Incomplete*: at least 12 % of the mature relays are missing evenly, so
//! that no scope narrower than the network explains it. Such a list is passed over too and reported as doubtful data; if the next
//! list lacks at least half of the same relays it is believed, and the loss is an outage.

use allium_model::RelayFlag;
use serde::{Deserialize, Serialize};

use crate::book::{NETWORK, RelayIdx};
use crate::detector::{Detector, Observation, Step};
use crate::incident::{Event, Kind, Status};
use crate::monitors::losses::whole_network;
use crate::scan::{Lost, Standing, Thresholds, clip, clusters};

/// Lists that a list is compared with.
const REMEMBERED: usize = 48;
/// Expected changes per hour from which a list without changes is not believed.
const MIN_EXPECTED_CHANGES: f64 = 7.0;

/// What is held against the last lists.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Doubt {
    /// Hashes of the last lists.
    seen: Vec<u64>,
    /// Relays that the last list lacked, sorted, if it was held for incomplete.
    missing: Vec<RelayIdx>,
    /// The case about it, plus 1.
    case: usize,
}

impl Detector {
    /// Whether the list is to be taken in.
    pub(crate) fn believe(&mut self, list: &Observation<'_>, step: &mut Step) -> bool {
        if self.is_repeated(list) {
            return false;
        }
        let missing = self.missing(list);
        let is_confirmed = is_half_in(&self.state.doubt.missing, &missing);
        if !self.is_incomplete(&missing, list) || is_confirmed {
            self.end_doubt(list.hour.get(), is_confirmed, step);
            return true;
        }
        self.doubt(missing, list.hour.get(), step);
        false
    }

    fn is_repeated(&mut self, list: &Observation<'_>) -> bool {
        let entries = list.listed.iter().map(|(relay, flags)| u64::from(*relay) << 32 | u64::from(flags.bits()));
        let hash = entries.fold(0, |hash: u64, entry| (hash.rotate_left(5) ^ entry).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let is_repeated = self.state.doubt.seen.contains(&hash) && self.state.network.expected_per_hour >= MIN_EXPECTED_CHANGES;
        let seen = &mut self.state.doubt.seen;
        seen.push(hash);
        if seen.len() > REMEMBERED {
            seen.remove(0);
        }
        is_repeated
    }

    /// Mature running relays that the list lacks.
    fn missing(&self, list: &Observation<'_>) -> Vec<RelayIdx> {
        let state = &self.state;
        let mut listed = vec![false; state.tracks.len()];
        let running = list.listed.iter().filter(|(_, flags)| flags.contains(RelayFlag::Running));
        running.for_each(|(relay, _)| listed[*relay as usize] = true);
        let is_mature = |relay: &RelayIdx| state.tracks[*relay as usize].is_mature(list.hour.get(), self.settings.mature_hours);
        let mut missing: Vec<RelayIdx> =
            state.running.iter().filter(|relay| !listed[**relay as usize] && is_mature(relay)).copied().collect();
        missing.sort_unstable();
        missing
    }

    fn is_incomplete(&mut self, missing: &[RelayIdx], list: &Observation<'_>) -> bool {
        let state = &self.state;
        let is_large = missing.len() as f64 >= self.settings.incomplete_share * state.running.len() as f64;
        if !is_large || missing.len() < 50 || state.n_lists <= self.settings.warm_up_lists {
            return false;
        }
        let elapsed = f64::from(list.hour.get() - state.hour);
        let risk = |relay: RelayIdx| clip(f64::from(state.tracks[relay as usize].hazard) * elapsed);
        let pool = missing.iter().map(|relay| Lost { relay: *relay, risk: risk(*relay) }).collect();
        let is_standing = |relay: &&RelayIdx| missing.binary_search(relay).is_err();
        let mut hazards = vec![-1.0; state.tracks.len()];
        state.running.iter().filter(is_standing).for_each(|relay| hazards[*relay as usize] = state.tracks[*relay as usize].hazard);
        let standing = Standing { relays: &state.running, hazards: &hazards, elapsed };
        let thresholds = Thresholds {
            min_lost: self.settings.min_lost,
            min_narrow_lost: 0,
            ln_alpha: self.settings.ln_alpha_loss,
            ln_alpha_network: self.settings.ln_alpha_loss,
            dispersion: self.settings.dispersion,
            network_dispersion: self.settings.dispersion,
            stable_risk: self.settings.stable_hazards.map(|hazard| hazard * elapsed),
            uneven: 0.0,
            scatter: None,
        };
        clusters(&self.book, pool, &standing, &thresholds, &mut self.scratch).first().is_some_and(|cluster| cluster.look.scope == NETWORK)
    }

    fn doubt(&mut self, missing: Vec<RelayIdx>, hour: i32, step: &mut Step) {
        if self.state.doubt.case == 0 {
            let expected = self.state.network.expected_per_hour * f64::from(hour - self.state.hour);
            let ln_p = allium_stats::ln_count_tail(missing.len() as u64, expected, self.state.network.dispersion).unwrap_or(0.0);
            let cluster = whole_network(missing.clone(), expected, ln_p);
            let mut case = self.case(Kind::DataQuality, Some("incomplete list".to_owned()), 0, &cluster, self.state.hour);
            case.detected = hour;
            case.timeline = vec![(hour, Event::Detected(missing.len() as u32))];
            self.state.doubt.case = self.open(case, step) + 1;
        }
        self.state.doubt.missing = missing;
    }

    fn end_doubt(&mut self, hour: i32, is_confirmed: bool, step: &mut Step) {
        if let Some(place) = self.state.doubt.case.checked_sub(1) {
            let case = &mut self.state.cases[place];
            case.status = if is_confirmed { Status::Merged } else { Status::Resolved };
            case.resolved = Some(hour);
            case.timeline.push((hour, Event::Resolved));
            step.changed.push(place);
        }
        self.state.doubt.case = 0;
        self.state.doubt.missing.clear();
    }
}

/// Whether at least half of the first set lies in the second; both sorted, and the first not empty.
fn is_half_in(a: &[RelayIdx], b: &[RelayIdx]) -> bool {
    !a.is_empty() && 2 * a.iter().filter(|relay| b.binary_search(relay).is_ok()).count() >= a.len()
}
