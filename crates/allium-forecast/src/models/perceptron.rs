//! A small neural network: two hidden layers, and the classes between the limits of a [`Distribution`] as outputs.
//!
//! Rumelhart, Hinton, Williams (1986), "Learning Representations by Back-Propagating Errors"; Adam of Kingma, Ba (2015). The
//! outputs are the softmax over the classes, summed up to probabilities of at most each limit, so they ascend; the loss is the
//! squared error of these, weighted by the width between limits: the CRPS, as for the trees. Inputs are ranks of the features
//! among the training rows; what is not known is the middle rank. The libraries at hand bring a hundred crates and a graphics
//! stack for what is a hundred lines here.

use allium_stats::SplitMix64;

use super::Predictor;
use super::boosted::{indicators, widths};
use crate::distribution::Distribution;
use crate::features::N_FEATURES;
use crate::training::Training;
use crate::trees::{Binned, N_OUTPUTS};

/// Units of the hidden layers.
const HIDDEN: [usize; 2] = [64, 32];
/// Classes: up to each limit, and above the last one.
const N_CLASSES: usize = N_OUTPUTS + 1;
/// Rows whose gradients are summed before a step.
const BATCH: usize = 256;
/// Rows that are looked at, each drawn from all; at most four for each that there is.
const N_DRAWS: usize = 700_000;
/// The first step; steps shrink to nothing in equal parts.
const RATE: f32 = 3e-3;
/// Share of a weight that a step of rate 1 takes away.
const DECAY: f32 = 1e-3;

/// A trained network.
#[derive(Debug, Clone, PartialEq)]
pub struct Perceptron {
    /// Per feature the upper ends of the classes that make its rank.
    limits: Vec<Vec<f32>>,
    layers: Vec<Layer>,
}

/// Weights, input by input, and offsets.
#[derive(Debug, Clone, PartialEq)]
struct Layer {
    weights: Vec<f32>,
    offsets: Vec<f32>,
}

impl Layer {
    fn drawn(n_in: usize, n_out: usize, dice: &mut SplitMix64) -> Self {
        // He et al. (2015): the variance of the inputs is kept through half-open units.
        let scale = (6.0 / n_in as f64).sqrt();
        let weights = (0..n_in * n_out).map(|_| ((2.0 * dice.unit() - 1.0) * scale) as f32).collect();
        Self { weights, offsets: vec![0.0; n_out] }
    }

    fn zero(&self) -> Self {
        Self { weights: vec![0.0; self.weights.len()], offsets: vec![0.0; self.offsets.len()] }
    }

    fn outputs(&self, inputs: &[f32]) -> Vec<f32> {
        let mut sums = self.offsets.clone();
        for (x, weights) in inputs.iter().zip(self.weights.chunks_exact(sums.len())).filter(|(x, _)| **x != 0.0) {
            sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += x * weight);
        }
        sums
    }

    /// Adds the gradient of this layer to `sum` and gives that of its inputs.
    fn back(&self, inputs: &[f32], gradient: &[f32], sum: &mut Self) -> Vec<f32> {
        sum.offsets.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += g);
        let n_out = gradient.len();
        for (x, sums) in inputs.iter().zip(sum.weights.chunks_exact_mut(n_out)).filter(|(x, _)| **x != 0.0) {
            sums.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += x * g);
        }
        self.weights.chunks_exact(n_out).map(|weights| weights.iter().zip(gradient).map(|(weight, g)| weight * g).sum()).collect()
    }

    fn numbers(&mut self) -> impl Iterator<Item = &mut f32> {
        self.weights.iter_mut().chain(&mut self.offsets)
    }
}

impl Perceptron {
    /// Learns from these rows; the same seed gives the same network.
    pub fn train(training: &Training, seed: u64) -> Self {
        let mut dice = SplitMix64::new(seed);
        let binned = Binned::of(&training.parts(), N_FEATURES);
        let sizes = [N_FEATURES, HIDDEN[0], HIDDEN[1], N_CLASSES];
        let layers: Vec<Layer> = sizes.windows(2).map(|pair| Layer::drawn(pair[0], pair[1], &mut dice)).collect();
        let mut network = Self { limits: binned.limits.clone(), layers };
        let mut steps = Adam::of(&network.layers);
        let n_steps = N_DRAWS.min(4 * training.len()) / BATCH;
        for step in 0..n_steps {
            let mut gradients: Vec<Layer> = network.layers.iter().map(Layer::zero).collect();
            for _ in 0..BATCH {
                let row = (dice.unit() * training.len() as f64) as usize;
                let inputs = network.inputs(binned.row(row));
                network.learn(inputs, &indicators(training.targets[row]), training.weights[row], &mut gradients);
            }
            steps.step(&mut network.layers, &mut gradients, RATE * (1.0 - step as f32 / n_steps as f32));
        }
        network
    }

    /// Ranks from -1.7 to 1.7: about as wide as a standard normal.
    fn inputs(&self, codes: &[u8]) -> Vec<f32> {
        let rank = |(code, limits): (&u8, &Vec<f32>)| match code {
            0 => 0.0,
            code => 1.7 * ((2.0 * f32::from(*code) - 1.0) / limits.len() as f32 - 1.0),
        };
        codes.iter().zip(&self.limits).map(rank).collect()
    }

    /// The values of all layers, inputs first; the last ones are no probabilities yet.
    fn values(&self, inputs: Vec<f32>) -> Vec<Vec<f32>> {
        let mut values = vec![inputs];
        for (i, layer) in self.layers.iter().enumerate() {
            let mut outputs = layer.outputs(&values[i]);
            if i + 1 < self.layers.len() {
                outputs.iter_mut().for_each(|output| *output = output.max(0.0));
            }
            values.push(outputs);
        }
        values
    }

    /// Adds the gradients of the loss of one row.
    fn learn(&self, inputs: Vec<f32>, truth: &[f32; N_OUTPUTS], weight: f32, gradients: &mut [Layer]) {
        let values = self.values(inputs);
        let classes = softmax(&values[self.layers.len()]);
        // From the loss to the classes: a class counts in every limit at or above it.
        let mut by_class = [0.0f32; N_CLASSES];
        let at_most = summed(&classes);
        let weights = widths();
        for k in (0..N_OUTPUTS).rev() {
            by_class[k] = by_class[k + 1] + weights[k] * (at_most[k] - truth[k]);
        }
        let mean: f32 = by_class.iter().zip(&classes).map(|(g, p)| g * p).sum();
        let mut gradient: Vec<f32> = by_class.iter().zip(&classes).map(|(g, p)| weight * p * (g - mean)).collect();
        for i in (0..self.layers.len()).rev() {
            gradient = self.layers[i].back(&values[i], &gradient, &mut gradients[i]);
            gradient.iter_mut().zip(&values[i]).filter(|(_, value)| **value <= 0.0).for_each(|(g, _)| *g = 0.0);
        }
    }
}

impl Predictor for Perceptron {
    fn predict(&self, row: &[f32]) -> Distribution {
        let codes: Vec<u8> = row.iter().zip(&self.limits).map(|(value, limits)| crate::trees::code(limits, *value)).collect();
        let values = self.values(self.inputs(&codes));
        Distribution::near(summed(&softmax(&values[self.layers.len()])).map(f64::from))
    }
}

fn softmax(values: &[f32]) -> Vec<f32> {
    let highest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = values.iter().map(|value| (value - highest).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

fn summed(classes: &[f32]) -> [f32; N_OUTPUTS] {
    let mut sum = 0.0;
    std::array::from_fn(|k| {
        sum += classes[k];
        sum
    })
}

/// Means of gradients and of their squares over the last steps.
struct Adam {
    means: Vec<Layer>,
    squares: Vec<Layer>,
    n: i32,
}

impl Adam {
    fn of(layers: &[Layer]) -> Self {
        let zero = || layers.iter().map(Layer::zero).collect();
        Self { means: zero(), squares: zero(), n: 0 }
    }

    fn step(&mut self, layers: &mut [Layer], gradients: &mut [Layer], rate: f32) {
        self.n += 1;
        let (unbias_mean, unbias_square) = (1.0 - 0.9f32.powi(self.n), 1.0 - 0.999f32.powi(self.n));
        let state = self.means.iter_mut().zip(&mut self.squares);
        for ((layer, gradient), (mean, square)) in layers.iter_mut().zip(gradients).zip(state) {
            let state = mean.numbers().zip(square.numbers());
            for ((number, gradient), (mean, square)) in layer.numbers().zip(gradient.numbers()).zip(state) {
                let gradient = *gradient / BATCH as f32;
                *mean += 0.1 * (gradient - *mean);
                *square += 0.001 * (gradient * gradient - *square);
                *number -= rate * ((*mean / unbias_mean) / ((*square / unbias_square).sqrt() + 1e-8) + DECAY * *number);
            }
        }
    }
}
