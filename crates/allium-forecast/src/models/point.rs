//! Models that give one number, with the distribution of what followed such numbers.

use super::Predictor;
use crate::distribution::{Distribution, LIMITS};
use crate::features::{N_FEATURES, column};
use crate::training::Training;

/// Number of classes of equal size that numbers fall into.
const N_CLASSES: usize = 25;
/// Added to the diagonal of the normal equations, per row: standardised features that say the same share their weight.
const RIDGE: f64 = 1e-3;

/// A feature, found by name once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column(usize);

impl Column {
    /// The column of that name; the first one if there is none.
    pub fn new(name: &str) -> Self {
        Self(column(name).unwrap_or(0))
    }

    /// Its value in a row; 0 where that is not known.
    pub fn of(self, row: &[f32]) -> f64 {
        let value = f64::from(row[self.0]);
        if value.is_nan() { 0.0 } else { value }
    }
}

/// A number for a row of features.
type Number = Box<dyn Fn(&[f32]) -> f64 + Send + Sync>;

/// One number per row, and what it stands for.
pub struct Point {
    number: Number,
    /// The outcomes that followed; without any class, the number itself is the forecast.
    classes: Classes,
}

impl Point {
    /// Exactly that feature.
    pub fn exactly(column: Column) -> Self {
        Self { number: Box::new(move |row| column.of(row)), classes: Classes(Vec::new()) }
    }

    /// Empirical Bayes (Robbins 1956; Efron, Morris 1975): the uptime of the last 30 days pulled towards the mean of the relay's
    /// age class, the more the less of it is known; the strength is the one that the training rows fit best.
    pub fn train_shrinkage(training: &Training) -> Self {
        let errors = STRENGTHS_DAYS.map(|strength| squared_error(training, &shrunk(strength)));
        let best = (0..errors.len()).min_by(|a, b| errors[*a].total_cmp(&errors[*b])).unwrap_or(0);
        Self::with_classes(training, Box::new(shrunk(STRENGTHS_DAYS[best])))
    }

    /// Linear regression on all features.
    pub fn train_linear(training: &Training) -> Self {
        let linear = Linear::train(training);
        Self::with_classes(training, Box::new(move |row| linear.predict(row)))
    }

    fn with_classes(training: &Training, number: Number) -> Self {
        let classes = Classes::of(training.rows().map(&number).zip(training.targets.iter().copied()));
        Self { number, classes }
    }
}

/// The outcomes that followed numbers of one model, in classes of equal size.
pub(crate) struct Classes(Vec<(f64, Distribution)>);

impl Classes {
    /// The classes of these numbers and what followed each.
    pub(crate) fn of(rows: impl Iterator<Item = (f64, f64)>) -> Self {
        let mut rows: Vec<(f64, f64)> = rows.collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let size = rows.len().div_ceil(N_CLASSES).max(1);
        let class = |rows: &[(f64, f64)]| {
            let targets: Vec<f64> = rows.iter().map(|(_, target)| *target).collect();
            Some((rows.last()?.0, Distribution::of_sample(&targets)?))
        };
        Self(rows.chunks(size).filter_map(class).collect())
    }

    /// The outcomes that followed numbers like this one; without any class, exactly the number.
    pub(crate) fn after(&self, number: f64) -> Distribution {
        let at = self.0.partition_point(|(end, _)| *end < number).min(self.0.len().saturating_sub(1));
        let exactly = || Distribution::near(LIMITS.map(|limit| if number <= limit { 1.0 } else { 0.0 }));
        self.0.get(at).map_or_else(exactly, |(_, distribution)| *distribution)
    }
}

impl Predictor for Point {
    fn predict(&self, row: &[f32]) -> Distribution {
        self.classes.after((self.number)(row))
    }
}

/// Days of the class's mean that stand beside the relay's own.
const STRENGTHS_DAYS: [f64; 4] = [1.0, 3.0, 7.0, 15.0];

fn shrunk(strength_days: f64) -> impl Fn(&[f32]) -> f64 + Send + Sync {
    let [own, class, age] = ["up_30d", "age_class_kept_30d", "age_days"].map(Column::new);
    move |row| {
        let n = age.of(row).clamp(0.0, 30.0);
        (own.of(row) * n + class.of(row) * strength_days) / (n + strength_days)
    }
}

fn squared_error(training: &Training, number: &dyn Fn(&[f32]) -> f64) -> f64 {
    training.rows().zip(&training.targets).map(|(row, target)| (number(row) - target).powi(2)).sum()
}

/// Ordinary least squares with a little ridge, on standardised features; what is not known counts as the mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    means: Vec<f64>,
    scales: Vec<f64>,
    weights: Vec<f64>,
    mean: f64,
}

impl Linear {
    /// Fits the weights.
    pub fn train(training: &Training) -> Self {
        let column = |j: usize| training.column(j).map(f64::from).filter(|v| !v.is_nan());
        let mean_of = |j: usize| column(j).sum::<f64>() / column(j).count().max(1) as f64;
        let means: Vec<f64> = (0..N_FEATURES).map(mean_of).collect();
        let spread = |j: usize| (column(j).map(|v| (v - means[j]).powi(2)).sum::<f64>() / column(j).count().max(1) as f64).sqrt();
        let scales: Vec<f64> = (0..N_FEATURES).map(spread).map(|scale| if scale > 0.0 { 1.0 / scale } else { 0.0 }).collect();
        let mean = allium_stats::mean(&training.targets).unwrap_or(0.0);
        let mut linear = Self { means, scales, weights: vec![0.0; N_FEATURES], mean };
        let mut squares = vec![vec![0.0; N_FEATURES]; N_FEATURES];
        let mut products = vec![0.0; N_FEATURES];
        for (row, target) in training.rows().zip(&training.targets) {
            let row = linear.standardised(row);
            for (i, x) in row.iter().enumerate() {
                products[i] += x * (target - mean);
                squares[i][..=i].iter_mut().zip(&row).for_each(|(sum, y)| *sum += x * y);
            }
        }
        (0..N_FEATURES).for_each(|i| squares[i][i] += RIDGE * training.len() as f64 + 1e-9);
        linear.weights = solved(squares, products);
        linear
    }

    /// The number for a row.
    pub fn predict(&self, row: &[f32]) -> f64 {
        self.mean + self.standardised(row).iter().zip(&self.weights).map(|(x, weight)| x * weight).sum::<f64>()
    }

    fn standardised(&self, row: &[f32]) -> Vec<f64> {
        let one = |(j, value): (usize, &f32)| if value.is_nan() { 0.0 } else { (f64::from(*value) - self.means[j]) * self.scales[j] };
        row.iter().enumerate().map(one).collect()
    }
}

/// Solves `squares · x = products` for a positive definite matrix, given by its lower half: Cholesky.
fn solved(mut squares: Vec<Vec<f64>>, mut products: Vec<f64>) -> Vec<f64> {
    let n = products.len();
    for i in 0..n {
        for j in 0..=i {
            let inner: f64 = (0..j).map(|k| squares[i][k] * squares[j][k]).sum();
            let rest = squares[i][j] - inner;
            squares[i][j] = if i == j { rest.max(1e-12).sqrt() } else { rest / squares[j][j] };
        }
        let inner: f64 = (0..i).map(|k| squares[i][k] * products[k]).sum();
        products[i] = (products[i] - inner) / squares[i][i];
    }
    for i in (0..n).rev() {
        let inner: f64 = (i + 1..n).map(|k| squares[k][i] * products[k]).sum();
        products[i] = (products[i] - inner) / squares[i][i];
    }
    products
}
