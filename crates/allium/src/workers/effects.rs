//! What the stored weights tell of incidents: the share of path selection that their relays had, and where weight was afterwards.
//!
//! The detector knows the weights that relays have at present, and a relay that is down has none. So the share that is shown is
//! measured in the last weighed consensus within a day before the incident; where the store has none, it is what the relays are last
//! known to have. Both are functions of the store: a replay gives the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use allium_detect::explain::{Effect, WeightAt, effect};
use allium_detect::{Detector, Incident, RelayInfo, Scope, ScopeKind};
use allium_history::{Error, HourWeights, SqliteHistory};
use allium_model::{ConsensusHour, Fingerprint, NetworkRecord, RelayFlags};

/// Hours before and after an incident in which weights are looked for.
const REACH: i32 = 24;

/// Effects are worked out for incidents of so many days.
const RECENT_DAYS: i32 = 90;

type Weights = BTreeMap<Fingerprint, WeightAt>;

/// What is known of incidents by their place among all.
#[derive(Debug, Default)]
pub struct Effects {
    shares: BTreeMap<usize, Option<f64>>,
    effects: BTreeMap<usize, Arc<Effect>>,
}

/// Which weights a range of hours is asked for.
#[derive(Debug, Clone, Copy)]
enum Wanted {
    Before(usize),
    After(usize),
}

impl Effects {
    /// Looks for the weights of incidents that changed, were not looked at, or are so young that weights may have come since.
    /// Without a network no effects are worked out, only shares.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn measure(
        &mut self,
        store: &SqliteHistory,
        detector: &Detector,
        incidents: &BTreeMap<usize, Arc<Incident>>,
        changed: &[usize],
        network: Option<&NetworkRecord>,
    ) -> Result<(), Error> {
        let Some(as_of) = detector.hour() else { return Ok(()) };
        let is_due = |place: &usize, incident: &Incident| {
            !self.shares.contains_key(place) || changed.contains(place) || incident.detected_at >= as_of.plus(-REACH - 1)
        };
        let due: BTreeMap<usize, &Incident> = incidents
            .iter()
            .filter(|(place, incident)| is_due(place, incident))
            .map(|(place, incident)| (*place, incident.as_ref()))
            .collect();
        let is_recent = |incident: &Incident| network.is_some() && incident.detected_at > as_of.plus(-24 * RECENT_DAYS);
        let mut ranges = Vec::new();
        for (place, incident) in &due {
            ranges.push((Wanted::Before(*place), (incident.started_at.plus(-REACH), incident.started_at)));
            if is_recent(incident) {
                ranges.push((Wanted::After(*place), (incident.detected_at, incident.detected_at.plus(REACH).min(as_of))));
            }
            self.shares.insert(*place, None);
        }
        let hours: Vec<_> = ranges.iter().map(|(_, range)| *range).collect();
        let mut before: BTreeMap<usize, (ConsensusHour, Weights)> = BTreeMap::new();
        let scopes_of = |relay: &Fingerprint| detector.find(relay).map_or_else(Vec::new, |relay| scopes(detector.relay(relay)));
        store.hour_weights(&hours, |i, weights| match ranges[i].0 {
            Wanted::Before(place) => {
                self.shares.insert(place, share(weights, due[&place]));
                if let Some(network) = network.filter(|_| is_recent(due[&place])) {
                    before.insert(place, (weights.hour, at(weights, network)));
                }
            }
            Wanted::After(place) => {
                let Some(((hour, earlier), network)) = before.remove(&place).zip(network) else { return };
                let later = at(weights, network);
                let found = effect(due[&place], (hour, &earlier), Some((weights.hour, &later)), &scopes_of);
                self.effects.insert(place, Arc::new(found));
            }
        })?;
        for (place, (hour, earlier)) in before {
            self.effects.insert(place, Arc::new(effect(due[&place], (hour, &earlier), None, &scopes_of)));
        }
        Ok(())
    }

    /// The incident with its measured share of path selection, else with what its relays are last known to have.
    pub fn weighed(&self, place: usize, incident: &Incident, detector: &Detector) -> Incident {
        let known = |relay: &Fingerprint| detector.find(relay).and_then(|relay| detector.relay(relay).weight);
        let last_known = || incident.relays.iter().filter_map(known).reduce(|a, b| a + b).map(|share| share.min(1.0));
        let measured = self.shares.get(&place).copied().flatten();
        incident.clone().weighed(measured.or_else(last_known))
    }

    /// The effects of incidents that are recent as of an hour, by id.
    pub fn recent(&self, incidents: &BTreeMap<usize, Arc<Incident>>, as_of: ConsensusHour) -> BTreeMap<String, Arc<Effect>> {
        let is_recent = |incident: &Incident| incident.detected_at > as_of.plus(-24 * RECENT_DAYS);
        let of = |(place, effect): (&usize, &Arc<Effect>)| {
            let incident = incidents.get(place).filter(|incident| is_recent(incident))?;
            Some((incident.id.clone(), Arc::clone(effect)))
        };
        self.effects.iter().filter_map(of).collect()
    }
}

/// The share of consensus weight that the relays had together; `None` where none of them is weighed.
fn share(weights: &HourWeights, incident: &Incident) -> Option<f64> {
    let weight = incident.relays.iter().filter_map(|relay| weights.of(relay)).map(|weight| weight as f64).reduce(|a, b| a + b)?;
    (weights.total() > 0.0).then(|| (weight / weights.total()).min(1.0))
}

fn at(weights: &HourWeights, network: &NetworkRecord) -> Weights {
    let of = |(relay, weight): &(Fingerprint, u64)| {
        let positions = weights.probabilities(flags_at(network, relay, weights.hour), *weight);
        let told: Vec<f64> = positions.into_iter().flatten().collect();
        let share = if weights.total() > 0.0 { *weight as f64 / weights.total() } else { 0.0 };
        (*relay, WeightAt { share, positions: told.try_into().ok() })
    };
    weights.relays.iter().map(of).collect()
}

fn flags_at(network: &NetworkRecord, relay: &Fingerprint, hour: ConsensusHour) -> RelayFlags {
    let place = network.relays.binary_search_by_key(relay, |record| record.relay.fingerprint);
    let record = place.ok().map(|place| &network.relays[place]);
    let span = record.and_then(|record| record.spans.get(record.spans.partition_point(|span| span.end <= hour)));
    span.filter(|span| span.start <= hour).map_or_else(RelayFlags::default, |span| span.state.flags)
}

/// The scopes that shares are told of.
fn scopes(info: &RelayInfo) -> Vec<Scope> {
    let country = info.country.map(|country| (ScopeKind::Country, country.to_string()));
    let system = info.asn.map(|asn| (ScopeKind::As, asn.to_string()));
    let operator = info.operator.as_ref().map(|operator| (ScopeKind::Operator, operator.to_string()));
    [country, system, operator].into_iter().flatten().map(|(kind, key)| Scope { kind, key }).collect()
}
