//! Scores of many origins in one table.

use super::{Event, FORMAT, OriginScores, Scoreboard, Scores};
use crate::past::Past;
use crate::scores::{ReliabilityBin, calibration_error};

impl Scoreboard {
    /// The scoreboard of these origins of a history, in any order.
    pub fn new(past: &Past, horizon_days: u16, mut origins: Vec<OriginScores>) -> Self {
        origins.sort_by(|a, b| a.origin.cmp(&b.origin));
        let mean = means(&origins);
        let text = |hour: Option<&allium_model::ConsensusHour>| hour.map_or(String::new(), ToString::to_string);
        Self { format: FORMAT, horizon_days, data: [text(past.hours().first()), text(past.hours().last())], origins, mean }
    }
}

impl OriginScores {
    /// True if it counts in means: the horizon is known, and no flood under way.
    pub fn is_usual(&self) -> bool {
        self.complete && !self.flood
    }
}

/// One line per model and stratum, in the order of the first origin.
fn means(origins: &[OriginScores]) -> Vec<Scores> {
    let usual: Vec<&OriginScores> = origins.iter().filter(|origin| origin.is_usual()).collect();
    let Some(first) = usual.first() else { return Vec::new() };
    let is_same = |a: &Scores, b: &Scores| a.model == b.model && a.stratum == b.stratum;
    let all = |line: &Scores| -> Vec<&Scores> { usual.iter().flat_map(|o| &o.scores).filter(|other| is_same(line, other)).collect() };
    first.scores.iter().map(|line| mean(line, &all(line))).collect()
}

fn mean(line: &Scores, all: &[&Scores]) -> Scores {
    let n: usize = all.iter().map(|scores| scores.n).sum();
    let by_origin = |value: &dyn Fn(&Scores) -> f64| all.iter().map(|scores| value(scores)).sum::<f64>() / all.len() as f64;
    let by_relay = |value: &dyn Fn(&Scores) -> f64| all.iter().map(|scores| value(scores) * scores.n as f64).sum::<f64>() / n as f64;
    Scores {
        n,
        crps: by_origin(&|scores| scores.crps),
        skill: by_origin(&|scores| scores.skill),
        mae: by_origin(&|scores| scores.mae),
        within_5: by_origin(&|scores| scores.within_5),
        covered: std::array::from_fn(|i| by_relay(&|scores| scores.covered[i])),
        covered_shares: std::array::from_fn(|i| by_relay(&|scores| scores.covered_shares[i])),
        width_80: by_origin(&|scores| scores.width_80),
        below_90: mean_event(&all.iter().map(|scores| (scores.n, &scores.below_90)).collect::<Vec<_>>()),
        gone: mean_event(&all.iter().map(|scores| (scores.n, &scores.gone)).collect::<Vec<_>>()),
        pit: (0..line.pit.len()).map(|i| by_relay(&|scores| scores.pit.get(i).copied().unwrap_or(0.0))).collect(),
        ..line.clone()
    }
}

fn mean_event(all: &[(usize, &Event)]) -> Event {
    let n: usize = all.iter().map(|(n, _)| n).sum();
    let mean =
        |value: &dyn Fn(&Event) -> Option<f64>| allium_stats::mean(&all.iter().filter_map(|(_, event)| value(event)).collect::<Vec<_>>());
    let reliability = pooled(&all.iter().flat_map(|(_, event)| &event.reliability).copied().collect::<Vec<_>>());
    Event {
        rate: all.iter().map(|(n, event)| event.rate * *n as f64).sum::<f64>() / n.max(1) as f64,
        brier: mean(&|event| event.brier),
        auc: mean(&|event| event.auc),
        calibration_error: calibration_error(&reliability),
        reliability,
    }
}

/// The bins of several origins put together by their tenth of the probability.
fn pooled(bins: &[ReliabilityBin]) -> Vec<ReliabilityBin> {
    let tenth = |bin: &ReliabilityBin| ((bin.forecast * 10.0) as usize).min(9);
    let pool = |k: usize| {
        let inside: Vec<&ReliabilityBin> = bins.iter().filter(|bin| tenth(bin) == k).collect();
        let n: usize = inside.iter().map(|bin| bin.n).sum();
        let mean = |value: &dyn Fn(&ReliabilityBin) -> f64| inside.iter().map(|bin| value(bin) * bin.n as f64).sum::<f64>() / n as f64;
        (n > 0).then(|| ReliabilityBin { forecast: mean(&|bin| bin.forecast), observed: mean(&|bin| bin.observed), n })
    };
    (0..10).filter_map(pool).collect()
}
