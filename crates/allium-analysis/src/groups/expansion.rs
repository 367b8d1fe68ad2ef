//! Countries in which a relay would make the network more diverse: they carry little and are reliable; with the gain as a number.
//!
//! Diversity over countries is the effective number 1 / Σ p² of their shares of consensus weight. The gain of a relay of some weight in
//! a country is that number with the relay less the number without it, everything else unchanged.

use std::collections::BTreeSet;

use allium_model::{Asn, CountryCode, Fraction, Period};

use super::{Group, Groups, Region};

/// Relays with a figure that a country and a provider need.
const MIN_RELAYS: usize = 5;

/// A country with less than this share of the weight is under-used.
const UNDER_USED: f64 = 0.01;

/// A country in which a relay would add to the diversity of the network.
#[derive(Debug, Clone, PartialEq)]
pub struct Expansion {
    /// The country.
    pub country: CountryCode,
    /// Its subregion of M49.
    pub subregion: Option<Region>,
    /// Its share of consensus weight so far.
    pub weight_share: Fraction,
    /// Mean uptime of its relays.
    pub uptime: Fraction,
    /// An under-used autonomous system there with at least the network's mean uptime, the best of them.
    pub provider: Option<Asn>,
    /// The effective number of countries of the network without the relay.
    pub before: f64,
    /// The same with it.
    pub after: f64,
}

impl Groups {
    /// Up to `n` under-used countries whose relays are at least as reliable as the network's over a period, the best of each subregion,
    /// largest gain first; those in `used` are left out. The gain is that of one relay of consensus weight `weight`.
    pub fn expansions(&self, period: Period, weight: f64, used: &BTreeSet<CountryCode>, n: usize) -> Vec<Expansion> {
        let Some(network) = self.network.uptime[period.index()] else { return Vec::new() };
        let weights = || self.countries.iter().map(|group| group.figures.consensus_weight.unwrap_or(0) as f64);
        let (total, squares): (f64, f64) = weights().fold((0.0, 0.0), |(sum, squares), w| (sum + w, squares + w * w));
        if squares <= 0.0 || weight <= 0.0 {
            return Vec::new();
        }
        let before = total * total / squares;
        let candidate = |group: &Group<CountryCode>| {
            let uptime = group.figures.uptime[period.index()]?;
            let share = group.figures.weight_share.filter(|share| share.get() < UNDER_USED)?;
            let fits = uptime.n_relays >= MIN_RELAYS && uptime.mean >= network.mean && !used.contains(&group.key);
            let own = group.figures.consensus_weight.unwrap_or(0) as f64;
            let after = (total + weight) * (total + weight) / (squares + 2.0 * weight * own + weight * weight);
            fits.then(|| Expansion {
                country: group.key,
                subregion: Region::subregion_of(group.key).or_else(|| Region::of(group.key)),
                weight_share: share,
                uptime: uptime.mean,
                provider: None,
                before,
                after,
            })
        };
        let mut found: Vec<Expansion> = self.countries.iter().filter_map(candidate).collect();
        found.sort_by(|a, b| b.after.total_cmp(&a.after).then(b.uptime.get().total_cmp(&a.uptime.get())).then(a.country.cmp(&b.country)));
        let mut subregions = BTreeSet::new();
        found.retain(|expansion| expansion.subregion.is_some_and(|region| subregions.insert(region)));
        found.truncate(n);
        for expansion in &mut found {
            expansion.provider = self.alternatives(expansion.country, None, period).first().copied();
        }
        found
    }
}
