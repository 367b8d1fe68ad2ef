//! Boosted regression trees whose leaves hold a vector: one model for all thresholds of a distribution.
//!
//! Friedman (2001), "Greedy Function Approximation"; histograms and best-first growth as in LightGBM (Ke et al. 2017); vector
//! leaves as in Zhang, Jung (2021), "GBDT-MO". The loss is the squared error of every lane, each with its own weight, so that
//! for indicators of thresholds the sum is the Brier score of each and, with the widths between thresholds as weights, the CRPS.

mod bins;
mod grow;

use allium_stats::SplitMix64;
pub(crate) use bins::{Binned, code};
use serde::{Deserialize, Serialize};

/// Numbers that travel together through the histograms.
const LANES: usize = 16;
/// The lane that holds the weight of a row.
const WEIGHT: usize = LANES - 1;
/// Number of outputs of a model.
pub(crate) const N_OUTPUTS: usize = LANES - 1;

/// The way in which trees work together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ensemble {
    /// Each tree corrects the sum of those before it.
    Boosted,
    /// Each tree is grown on its own and the mean counts: a random forest (Breiman 2001).
    Forest,
}

/// Settings for growing trees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Growth {
    /// The way in which trees work together.
    pub ensemble: Ensemble,
    /// Number of trees.
    pub n_trees: usize,
    /// Most leaves of a tree.
    pub max_leaves: usize,
    /// Least weight of the rows of a leaf.
    pub min_weight: f32,
    /// Least gain of a split.
    pub min_gain: f32,
    /// Share of a leaf's correction that is applied.
    pub rate: f32,
    /// Added to the weight of a leaf: pulls it towards no correction.
    pub l2: f32,
    /// Share of the rows that a tree sees.
    pub row_share: f64,
    /// Share of the features that a tree sees.
    pub feature_share: f64,
    /// The same seed gives the same trees.
    pub seed: u64,
}

/// A node of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) enum Node {
    /// Rows whose feature is above `limit` go to node `left + 1`, all others, also unknown ones, to `left`.
    Split { feature: u16, limit: f32, left: u32 },
    /// The number of the leaf.
    Leaf(u32),
}

/// A trained model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Boosted {
    start: [f32; N_OUTPUTS],
    trees: Vec<Tree>,
}

/// One tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Tree {
    nodes: Vec<Node>,
    leaves: Vec<[f32; N_OUTPUTS]>,
}

/// The examples that a model is trained on: rows of `n_features` numbers, and per row its targets and its weight.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Examples<'a> {
    /// Features, row after row, in parts of whole rows.
    pub values: &'a [&'a [f32]],
    /// Numbers in a row.
    pub n_features: usize,
    /// Targets of each row.
    pub targets: &'a [[f32; N_OUTPUTS]],
    /// Weight of each row.
    pub weights: &'a [f32],
    /// Weight of each output.
    pub output_weights: [f32; N_OUTPUTS],
}

impl Boosted {
    /// Trains a model per seed, two at a time: they differ in the rows and features that their trees see.
    pub(crate) fn train(examples: &Examples<'_>, growth: &Growth, seeds: &[u64]) -> Vec<Self> {
        let binned = &Binned::of(examples.values, examples.n_features);
        let one = |seed: u64| Self::train_one(binned, examples, &Growth { seed, ..*growth });
        let side_by_side = |seeds: &[u64]| {
            std::thread::scope(|scope| {
                let running: Vec<_> = seeds.iter().map(|seed| scope.spawn(move || one(*seed))).collect();
                running.into_iter().map(|model| model.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect::<Vec<_>>()
            })
        };
        seeds.chunks(2).flat_map(side_by_side).collect()
    }

    fn train_one(binned: &Binned, examples: &Examples<'_>, growth: &Growth) -> Self {
        let start = weighted_means(examples);
        let scale = examples.output_weights.map(f32::sqrt);
        let mut fitted = vec![start; examples.targets.len()];
        let mut gradients = vec![[0.0f32; LANES]; fitted.len()];
        let mut dice = SplitMix64::new(growth.seed);
        let mut trees = Vec::with_capacity(growth.n_trees);
        for _ in 0..growth.n_trees {
            for (i, gradient) in gradients.iter_mut().enumerate() {
                let (weight, target, fit) = (examples.weights[i], &examples.targets[i], &fitted[i]);
                for k in 0..N_OUTPUTS {
                    gradient[k] = weight * scale[k] * (target[k] - fit[k]);
                }
                gradient[WEIGHT] = weight;
            }
            let mut rows: Vec<u32> = (0..binned.n_rows() as u32).filter(|_| dice.unit() < growth.row_share).collect();
            let features = choose(&mut dice, examples.n_features, growth.feature_share);
            let tree = grow::grow(binned, &gradients, &mut rows, &features, growth);
            let share = if growth.ensemble == Ensemble::Forest { 1.0 / growth.n_trees as f32 } else { 1.0 };
            let unscaled = |leaf: &[f32; LANES]| std::array::from_fn(|k| if scale[k] > 0.0 { share * leaf[k] / scale[k] } else { 0.0 });
            let leaves: Vec<[f32; N_OUTPUTS]> = tree.leaves.iter().map(unscaled).collect();
            for (i, fit) in fitted.iter_mut().enumerate().filter(|_| growth.ensemble == Ensemble::Boosted) {
                let leaf = &leaves[leaf_of_codes(&tree, binned.row(i))];
                fit.iter_mut().zip(leaf).for_each(|(fit, step)| *fit += step);
            }
            trees.push(Tree { nodes: tree.nodes, leaves });
        }
        Self { start, trees }
    }

    /// True if every row of `n_features` numbers reaches a leaf: a model read from a file may be anything.
    pub(crate) fn is_sound(&self, n_features: usize) -> bool {
        let is_sound = |tree: &Tree| {
            let fits = |(i, node): (usize, &Node)| match node {
                Node::Leaf(leaf) => (*leaf as usize) < tree.leaves.len(),
                Node::Split { feature, left, .. } => {
                    usize::from(*feature) < n_features && (*left as usize) > i && (*left as usize) + 1 < tree.nodes.len()
                }
            };
            !tree.nodes.is_empty() && tree.nodes.iter().enumerate().all(fits)
        };
        self.trees.iter().all(is_sound)
    }

    /// The outputs for one row of features.
    pub(crate) fn predict(&self, row: &[f32]) -> [f32; N_OUTPUTS] {
        let mut sum = self.start;
        for tree in &self.trees {
            let leaf = &tree.leaves[leaf_of_row(&tree.nodes, row)];
            sum.iter_mut().zip(leaf).for_each(|(sum, step)| *sum += step);
        }
        sum
    }
}

fn weighted_means(examples: &Examples<'_>) -> [f32; N_OUTPUTS] {
    let total: f64 = examples.weights.iter().map(|weight| f64::from(*weight)).sum();
    std::array::from_fn(|k| {
        let sum: f64 = examples.targets.iter().zip(examples.weights).map(|(target, weight)| f64::from(target[k] * weight)).sum();
        if total > 0.0 { (sum / total) as f32 } else { 0.0 }
    })
}

fn leaf_of_codes(tree: &grow::Tree, codes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        match tree.nodes[at] {
            Node::Leaf(leaf) => return leaf as usize,
            Node::Split { feature, left, .. } => at = left as usize + usize::from(codes[usize::from(feature)] > tree.bins[at]),
        }
    }
}

fn leaf_of_row(nodes: &[Node], row: &[f32]) -> usize {
    let mut at = 0;
    loop {
        match nodes[at] {
            Node::Leaf(leaf) => return leaf as usize,
            Node::Split { feature, limit, left } => at = left as usize + usize::from(row[usize::from(feature)] > limit),
        }
    }
}

/// A share of the numbers below `n`, at least one of them, ascending.
fn choose(dice: &mut SplitMix64, n: usize, share: f64) -> Vec<usize> {
    let n_chosen = ((n as f64 * share).round() as usize).clamp(1, n);
    let mut keyed: Vec<(u64, usize)> = (0..n).map(|i| (dice.bits(), i)).collect();
    keyed.sort_unstable();
    let mut chosen: Vec<usize> = keyed.into_iter().take(n_chosen).map(|(_, i)| i).collect();
    chosen.sort_unstable();
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_of_what_is_known_from_what_is_not_comes_back_from_its_file() {
        let values = [f32::NAN, 1.0].repeat(50);
        let targets: Vec<_> = values.iter().map(|value| [f32::from(u8::from(value.is_nan())); N_OUTPUTS]).collect();
        let (weights, output_weights) = ([1.0; 100], [1.0; N_OUTPUTS]);
        let examples = Examples { values: &[&values], n_features: 1, targets: &targets, weights: &weights, output_weights };
        let growth = Growth {
            ensemble: Ensemble::Boosted,
            n_trees: 1,
            max_leaves: 2,
            min_weight: 1.0,
            min_gain: 0.0,
            rate: 1.0,
            l2: 0.0,
            row_share: 1.0,
            feature_share: 1.0,
            seed: 1,
        };
        let model = Boosted::train(&examples, &growth, &[1]).remove(0);
        assert_eq!([f32::NAN, 1.0].map(|value| model.predict(&[value])[0]), [1.0, 0.0]);
        let file = serde_json::to_string(&model).expect("numbers can be written");
        assert_eq!(serde_json::from_str::<Boosted>(&file).ok(), Some(model), "{file}");
    }
}
