//! Effects of incidents as stored weights have them: the share of path selection that their relays had, and where weight was afterwards.
//!
//! The detector knows the weights that relays have at present, and a relay that is down has none. So the share that is shown is
//! measured in the last weighed consensus within a day before the incident; where the store has none, it is what the relays are last
//! known to have. Both are functions of the store: a replay gives the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use allium_detect::explain::{Effect, Loss, Shift, WeightAt, effect};
use allium_detect::{Detector, Incident, RelayInfo, Scope, ScopeKind};
use allium_history::{Error, HourWeights, Store};
use allium_model::{ConsensusHour, Fingerprint, NetworkRecord, RelayFlags, span_at};
use serde::{Deserialize, Serialize};

/// Hours before and after an incident in which weights are looked for.
const REACH: i32 = 24;

/// Effects are measured for incidents of so many days.
const RECENT_DAYS: i32 = 90;

type Weights = BTreeMap<Fingerprint, WeightAt>;

/// Measured shares and effects of incidents, by their index among all.
#[derive(Debug, Default)]
pub struct Effects {
    /// `None` where the store has no weights of that time.
    shares: BTreeMap<usize, Option<f64>>,
    effects: BTreeMap<usize, Arc<Effect>>,
}

impl Effects {
    /// Looks for the weights of incidents that changed, were not looked at, or are so young that weights may have come since.
    /// Without a network only shares are measured, no effects.
    ///
    /// # Errors
    /// If the store cannot be read; then nothing has changed.
    pub fn measure(
        &mut self,
        store: &dyn Store,
        detector: &Detector,
        incidents: &BTreeMap<usize, Arc<Incident>>,
        changed: &[usize],
        network: Option<&NetworkRecord>,
    ) -> Result<(), Error> {
        let Some(as_of) = detector.hour() else { return Ok(()) };
        let is_due = |index: &usize, incident: &Incident| {
            !self.shares.contains_key(index) || changed.contains(index) || incident.detected_at >= as_of.plus(-REACH - 1)
        };
        let due = incidents.iter().filter(|(index, incident)| is_due(index, incident)).map(|(index, incident)| (*index, incident.as_ref()));
        let mut measuring = Measuring { detector, network, as_of, due: due.collect(), before: BTreeMap::new(), found: Self::default() };
        let ranges = measuring.ranges();
        let hours: Vec<_> = ranges.iter().map(|(_, range)| *range).collect();
        store.hour_weights(&hours, &mut |i, weights| measuring.take(ranges[i].0, weights))?;
        let Self { shares, effects } = measuring.finish();
        self.shares.extend(shares);
        self.effects.extend(effects);
        Ok(())
    }

    /// The incident with its measured share of path selection, else with what its relays are last known to have.
    pub fn weighed(&self, index: usize, incident: &Incident, detector: &Detector) -> Incident {
        let known = |relay: &Fingerprint| detector.find(relay).and_then(|relay| detector.relay(relay).weight);
        let last_known = || incident.relays.iter().filter_map(known).reduce(|a, b| a + b).map(|share| share.min(1.0));
        let measured = self.shares.get(&index).copied().flatten();
        incident.clone().weighed(measured.or_else(last_known))
    }

    /// The effects of incidents that are recent as of an hour, by id.
    pub fn recent(&self, incidents: &BTreeMap<usize, Arc<Incident>>, as_of: ConsensusHour) -> BTreeMap<String, Arc<Effect>> {
        let of = |(index, effect): (&usize, &Arc<Effect>)| {
            let incident = incidents.get(index).filter(|incident| is_recent(incident, as_of))?;
            Some((incident.id.clone(), Arc::clone(effect)))
        };
        self.effects.iter().filter_map(of).collect()
    }

    /// Everything measured, in the form in which it is saved.
    pub(super) fn save(&self) -> SavedEffects {
        SavedEffects {
            shares: self.shares.iter().map(|(index, share)| (*index, *share)).collect(),
            effects: self.effects.iter().map(|(index, effect)| (*index, SavedEffect::of(effect))).collect(),
        }
    }

    /// Everything that was saved.
    pub(super) fn restore(saved: SavedEffects) -> Self {
        Self {
            shares: saved.shares.into_iter().collect(),
            effects: saved.effects.into_iter().map(|(index, effect)| (index, Arc::new(effect.into()))).collect(),
        }
    }
}

fn is_recent(incident: &Incident, as_of: ConsensusHour) -> bool {
    incident.detected_at > as_of.plus(-24 * RECENT_DAYS)
}

/// A range of hours of which the weights are wanted, by the index of the incident.
#[derive(Debug, Clone, Copy)]
enum Wanted {
    Before(usize),
    After(usize),
}

/// Measurements under way.
struct Measuring<'a> {
    detector: &'a Detector,
    network: Option<&'a NetworkRecord>,
    as_of: ConsensusHour,
    due: BTreeMap<usize, &'a Incident>,
    /// Weights before incidents whose effects are measured.
    before: BTreeMap<usize, (ConsensusHour, Weights)>,
    found: Effects,
}

impl Measuring<'_> {
    /// The ranges to look into, both ends included; that before an incident comes before that after it.
    fn ranges(&mut self) -> Vec<(Wanted, (ConsensusHour, ConsensusHour))> {
        let mut ranges = Vec::new();
        for (index, incident) in &self.due {
            ranges.push((Wanted::Before(*index), (incident.started_at.plus(-REACH), incident.started_at)));
            if self.network.is_some() && is_recent(incident, self.as_of) {
                ranges.push((Wanted::After(*index), (incident.detected_at, incident.detected_at.plus(REACH).min(self.as_of))));
            }
            self.found.shares.insert(*index, None);
        }
        ranges
    }

    fn take(&mut self, wanted: Wanted, weights: &HourWeights) {
        match wanted {
            Wanted::Before(index) => {
                let incident = self.due[&index];
                self.found.shares.insert(index, share(weights, incident));
                if let Some(network) = self.network.filter(|_| is_recent(incident, self.as_of)) {
                    self.before.insert(index, (weights.hour, at(weights, network)));
                }
            }
            Wanted::After(index) => {
                let Some((before, network)) = self.before.remove(&index).zip(self.network) else { return };
                self.compare(index, &before, Some((weights.hour, &at(weights, network))));
            }
        }
    }

    /// Measures the effect of an incident between two consensuses, or before it where there is none after it.
    fn compare(&mut self, index: usize, before: &(ConsensusHour, Weights), after: Option<(ConsensusHour, &Weights)>) {
        let detector = self.detector;
        let scopes_of = |relay: &Fingerprint| detector.find(relay).map_or_else(Vec::new, |relay| scopes(detector.relay(relay)));
        let found = effect(self.due[&index], (before.0, &before.1), after, &scopes_of);
        self.found.effects.insert(index, Arc::new(found));
    }

    fn finish(mut self) -> Effects {
        for (index, before) in std::mem::take(&mut self.before) {
            self.compare(index, &before, None);
        }
        self.found
    }
}

/// [`Effects`] in the form in which they are saved.
#[derive(Serialize, Deserialize)]
pub(super) struct SavedEffects {
    shares: Vec<(usize, Option<f64>)>,
    effects: Vec<(usize, SavedEffect)>,
}

/// [`Effect`] in the form in which it is saved.
#[derive(Serialize, Deserialize)]
struct SavedEffect {
    hour: i32,
    n_weighed: usize,
    weight_share: f64,
    positions: Option<[f64; 3]>,
    scopes: Vec<(Scope, f64, f64)>,
    after: Option<i32>,
    shifts: Vec<(Scope, f64, f64)>,
}

impl SavedEffect {
    fn of(effect: &Effect) -> Self {
        let Effect { loss, after, shifts } = effect.clone();
        Self {
            hour: loss.hour.get(),
            n_weighed: loss.n_weighed,
            weight_share: loss.weight_share,
            positions: loss.positions,
            scopes: loss.scopes,
            after: after.map(ConsensusHour::get),
            shifts: shifts.into_iter().map(|Shift { scope, before, after }| (scope, before, after)).collect(),
        }
    }
}

impl From<SavedEffect> for Effect {
    fn from(saved: SavedEffect) -> Self {
        let SavedEffect { n_weighed, weight_share, positions, scopes, .. } = saved;
        let loss = Loss { hour: ConsensusHour::new(saved.hour), n_weighed, weight_share, positions, scopes };
        let shift = |(scope, before, after)| Shift { scope, before, after };
        Self { loss, after: saved.after.map(ConsensusHour::new), shifts: saved.shifts.into_iter().map(shift).collect() }
    }
}

/// The share of consensus weight that the relays had together; `None` where none of them is weighed.
fn share(weights: &HourWeights, incident: &Incident) -> Option<f64> {
    let weight = incident.relays.iter().filter_map(|relay| weights.weight_of(relay)).map(|weight| weight as f64).reduce(|a, b| a + b)?;
    (weights.total() > 0.0).then(|| (weight / weights.total()).min(1.0))
}

fn at(weights: &HourWeights, network: &NetworkRecord) -> Weights {
    let of = |(relay, weight): &(Fingerprint, u64)| {
        let positions = weights.probabilities(flags_at(network, relay, weights.hour), *weight);
        let known: Vec<f64> = positions.into_iter().flatten().collect();
        let share = if weights.total() > 0.0 { *weight as f64 / weights.total() } else { 0.0 };
        (*relay, WeightAt { share, positions: known.try_into().ok() })
    };
    weights.relays.iter().map(of).collect()
}

fn flags_at(network: &NetworkRecord, relay: &Fingerprint, hour: ConsensusHour) -> RelayFlags {
    let span = network.find(relay).and_then(|index| span_at(&network.relays[index].spans, hour));
    span.map_or_else(RelayFlags::default, |span| span.state.flags)
}

/// The scopes whose shares are measured.
fn scopes(info: &RelayInfo) -> Vec<Scope> {
    let country = info.country.map(|country| (ScopeKind::Country, country.to_string()));
    let system = info.asn.map(|asn| (ScopeKind::As, asn.to_string()));
    let operator = info.operator.as_ref().map(|operator| (ScopeKind::Operator, operator.to_string()));
    [country, system, operator].into_iter().flatten().map(|(kind, key)| Scope { kind, key }).collect()
}
