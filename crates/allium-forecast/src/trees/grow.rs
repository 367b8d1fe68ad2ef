//! Growing one regression tree with a vector in each leaf, best split first.

use super::bins::{Binned, N_BINS};
use super::{Growth, LANES, Node, WEIGHT};

/// Sums over the rows of a node, per feature and bin.
type Histogram = Vec<[f32; LANES]>;

struct Leaf {
    rows: std::ops::Range<usize>,
    histogram: Histogram,
    total: [f32; LANES],
    split: Option<Split>,
    node: usize,
}

#[derive(Clone, Copy)]
struct Split {
    gain: f32,
    slot: usize,
    bin: u8,
}

pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    /// Per node the feature's bin up to which rows go left, for rows in binned form.
    pub(crate) bins: Vec<u8>,
    pub(crate) leaves: Vec<[f32; LANES]>,
}

/// Grows a tree on `rows`. `gradients` holds weighted residuals and, in the lane [`WEIGHT`], the weight.
pub(crate) fn grow(binned: &Binned, gradients: &[[f32; LANES]], rows: &mut [u32], features: &[usize], growth: &Growth) -> Tree {
    let mut tree = Tree { nodes: vec![Node::Leaf(0)], bins: vec![0], leaves: Vec::new() };
    let histogram = histogram(binned, gradients, rows, features);
    let mut open = vec![leaf(0..rows.len(), histogram, 0, growth)];
    while open.len() < growth.max_leaves {
        let best = open
            .iter()
            .enumerate()
            .filter_map(|(i, leaf)| Some((i, leaf.split?)))
            .max_by(|a, b| a.1.gain.total_cmp(&b.1.gain).then(b.0.cmp(&a.0)));
        let Some((i, split)) = best else { break };
        let parent = open.swap_remove(i);
        let feature = features[split.slot];
        let middle = partition(binned, &mut rows[parent.rows.clone()], feature, split.bin) + parent.rows.start;
        let (left, right) = (tree.nodes.len(), tree.nodes.len() + 1);
        // Everything known is above the least number; infinity would have no form in the model's file.
        let limit = binned.limits[feature].get(usize::from(split.bin).wrapping_sub(1)).copied().unwrap_or(f32::MIN);
        tree.nodes[parent.node] = Node::Split { feature: feature as u16, limit, left: left as u32 };
        tree.bins[parent.node] = split.bin;
        tree.nodes.extend([Node::Leaf(0), Node::Leaf(0)]);
        tree.bins.extend([0, 0]);
        let (rows_left, rows_right) = (parent.rows.start..middle, middle..parent.rows.end);
        let is_left_smaller = rows_left.len() <= rows_right.len();
        let smaller = if is_left_smaller { &rows_left } else { &rows_right };
        let small = self::histogram(binned, gradients, &rows[smaller.clone()], features);
        let mut large = parent.histogram;
        large.iter_mut().zip(&small).for_each(|(sum, part)| sum.iter_mut().zip(part).for_each(|(a, b)| *a -= b));
        let (histogram_left, histogram_right) = if is_left_smaller { (small, large) } else { (large, small) };
        open.push(leaf(rows_left, histogram_left, left, growth));
        open.push(leaf(rows_right, histogram_right, right, growth));
    }
    open.sort_by_key(|leaf| leaf.node);
    for leaf in open {
        tree.nodes[leaf.node] = Node::Leaf(tree.leaves.len() as u32);
        let scale = growth.rate / (leaf.total[WEIGHT] + growth.l2);
        tree.leaves.push(leaf.total.map(|sum| sum * scale));
    }
    tree
}

fn leaf(rows: std::ops::Range<usize>, histogram: Histogram, node: usize, growth: &Growth) -> Leaf {
    let mut total = [0.0; LANES];
    histogram[..N_BINS].iter().for_each(|part| total.iter_mut().zip(part).for_each(|(a, b)| *a += b));
    let split = best_split(&histogram, &total, growth);
    Leaf { rows, histogram, total, split, node }
}

fn histogram(binned: &Binned, gradients: &[[f32; LANES]], rows: &[u32], features: &[usize]) -> Histogram {
    let mut sums = vec![[0.0f32; LANES]; features.len() * N_BINS];
    for row in rows {
        let gradient = &gradients[*row as usize];
        let codes = binned.row(*row as usize);
        for (slot, feature) in features.iter().enumerate() {
            let sum = &mut sums[slot * N_BINS + usize::from(codes[*feature])];
            for lane in 0..LANES {
                sum[lane] += gradient[lane];
            }
        }
    }
    sums
}

fn score(sums: &[f32; LANES], l2: f32) -> f32 {
    let squares: f32 = sums[..WEIGHT].iter().map(|sum| sum * sum).sum();
    squares / (sums[WEIGHT] + l2)
}

fn best_split(histogram: &Histogram, total: &[f32; LANES], growth: &Growth) -> Option<Split> {
    let before = score(total, growth.l2);
    let mut best: Option<Split> = None;
    for (slot, bins) in histogram.chunks_exact(N_BINS).enumerate() {
        let mut left = [0.0f32; LANES];
        for (bin, part) in bins[..N_BINS - 1].iter().enumerate() {
            if part[WEIGHT] <= 0.0 {
                continue;
            }
            left.iter_mut().zip(part).for_each(|(a, b)| *a += b);
            let mut right = *total;
            right.iter_mut().zip(&left).for_each(|(a, b)| *a -= b);
            if left[WEIGHT] < growth.min_weight || right[WEIGHT] < growth.min_weight {
                continue;
            }
            let gain = score(&left, growth.l2) + score(&right, growth.l2) - before;
            if gain > growth.min_gain && best.is_none_or(|best| gain > best.gain) {
                best = Some(Split { gain, slot, bin: bin as u8 });
            }
        }
    }
    best
}

/// Moves rows that go left to the front, keeping their order; returns how many there are.
fn partition(binned: &Binned, rows: &mut [u32], feature: usize, bin: u8) -> usize {
    let (left, right): (Vec<u32>, Vec<u32>) = rows.iter().partition(|row| binned.row(**row as usize)[feature] <= bin);
    rows[..left.len()].copy_from_slice(&left);
    rows[left.len()..].copy_from_slice(&right);
    left.len()
}
