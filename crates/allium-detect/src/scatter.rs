//! Losses of relays that share nothing: who left means more than how many.
//!
//! Every lost relay counts with `w = ln(1 + ε / p)`, the logarithm of how much more probable its loss is if something struck one relay
//! in 1/ε anywhere, `p` being its probability of leaving by chance. Of the relays of one operator, family or /24 only the least
//! likely one counts: they leave together for reasons of their own. The sum is compared with a compound Poisson sum around the
//! probabilities of all relays, whose level and spread are those of the last lists.

use std::collections::{BTreeSet, VecDeque};

use allium_stats::{ln_compound_tail, median};
use serde::{Deserialize, Serialize};

use crate::book::{Book, ScopeIdx};
use crate::risk::{Lost, Standing};
use crate::scope::ScopeKind;

/// The share of relays that something scattered strikes, to weigh losses by.
const EPSILON: f64 = 1e-3;
/// Classes of probabilities, per doubling.
const PER_OCTAVE: f64 = 3.0;
/// Lists from which level and spread are measured.
const LISTS: usize = 336;
/// The median of the square of a standard normal variable.
const MEDIAN_OF_CHI_SQUARE: f64 = 0.4549;

/// The weight of the losses of a window, and of those expected.
#[derive(Debug, Clone, Default)]
pub(crate) struct Weighed {
    seen: f64,
    /// Expected losses and their weight, by class of probability.
    jumps: Vec<(f64, f64)>,
}

/// The variation of the weights of losses.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scale {
    /// Seen over expected: a median.
    level: f64,
    /// Variance over what Poisson counts would have.
    spread: f64,
}

/// The weights of losses in the last lists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scatter {
    /// Seen, expected and variance.
    recent: VecDeque<(f64, f64, f64)>,
    pub(crate) scale: Scale,
}

impl Default for Scatter {
    fn default() -> Self {
        Self { recent: VecDeque::new(), scale: Scale { level: 1.0, spread: 1.5 } }
    }
}

fn weight(risk: f64) -> f64 {
    (EPSILON / risk).ln_1p()
}

/// Weighs the losses in a pool against those expected of everybody.
pub(crate) fn weigh(book: &Book, pool: &[Lost], standing: &Standing<'_>) -> Weighed {
    let mut rates = [0.0; 64];
    let class = |risk: f64| ((-risk.log2()).max(0.0) * PER_OCTAVE) as usize;
    let risks = standing.risks(standing.relays).chain(pool.iter().map(|lost| lost.risk));
    risks.for_each(|risk| rates[class(risk).min(63)] += risk);
    let middle = |class: usize| (-(class as f64 + 0.5) / PER_OCTAVE).exp2();
    let jumps = rates.into_iter().enumerate().filter(|(_, rate)| *rate > 0.0).map(|(class, rate)| (rate, weight(middle(class)))).collect();
    Weighed { seen: least_likely(book, pool).map(|lost| weight(lost.risk)).sum(), jumps }
}

/// Of every operator, family and /24 the lost relay that was the least likely to leave.
fn least_likely<'a>(book: &'a Book, pool: &[Lost]) -> impl Iterator<Item = Lost> + 'a {
    let mut ordered = pool.to_vec();
    ordered.sort_by(|a, b| a.risk.total_cmp(&b.risk).then(a.relay.cmp(&b.relay)));
    let is_close = |scope: &ScopeIdx| matches!(book.scope(*scope).kind, ScopeKind::Operator | ScopeKind::Family | ScopeKind::Prefix);
    let mut known = BTreeSet::new();
    ordered.into_iter().filter(move |lost| {
        let close: Vec<ScopeIdx> = book.scopes_of(lost.relay).iter().copied().filter(|scope| is_close(scope)).collect();
        let is_first = close.iter().all(|scope| !known.contains(scope));
        known.extend(close);
        is_first
    })
}

impl Weighed {
    fn moment(&self, power: i32) -> f64 {
        self.jumps.iter().map(|(rate, weight)| rate * weight.powi(power)).sum()
    }

    /// The logarithm of the probability that losses weigh so much by chance.
    pub(crate) fn ln_p(&self, scale: Scale) -> f64 {
        let Scale { level, spread } = scale;
        let jumps: Vec<(f64, f64)> = self.jumps.iter().map(|(rate, weight)| (rate * level / spread, weight * spread)).collect();
        ln_compound_tail(&jumps, self.seen).unwrap_or(0.0)
    }
}

impl Scatter {
    /// Takes in a list in which nothing struck.
    pub(crate) fn learn(&mut self, weighed: &Weighed) {
        self.recent.push_back((weighed.seen, weighed.moment(1), weighed.moment(2)));
        if self.recent.len() > LISTS {
            self.recent.pop_front();
        }
        let ratios: Vec<f64> = self.recent.iter().map(|(seen, expected, _)| seen / expected.max(1e-3)).collect();
        let level = median(&ratios).unwrap_or(1.0).clamp(0.1, 2.0);
        let surprise = |(seen, expected, variance): &(f64, f64, f64)| (seen - level * expected).powi(2) / (level * variance).max(1e-3);
        let surprises: Vec<f64> = self.recent.iter().map(surprise).collect();
        let spread = (median(&surprises).unwrap_or(1.0) / MEDIAN_OF_CHI_SQUARE).clamp(1.0, 4.0);
        self.scale = Scale { level, spread };
    }
}
