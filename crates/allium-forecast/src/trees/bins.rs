//! Features as small whole numbers: the histograms of the trees are kept by bin.

/// Most bins of a feature; bin 0 is for what is not known.
pub(crate) const N_BINS: usize = 64;

/// Rows of features, binned.
pub(crate) struct Binned {
    pub(crate) n_features: usize,
    pub(crate) codes: Vec<u8>,
    /// Per feature the largest value of each bin from 1 on; ascending.
    pub(crate) limits: Vec<Vec<f32>>,
}

impl Binned {
    /// Bins rows of `n_features` numbers each, which come in parts of whole rows.
    pub(crate) fn of(parts: &[&[f32]], n_features: usize) -> Self {
        let column = |feature: usize| parts.iter().flat_map(move |part| part.iter().skip(feature).step_by(n_features));
        let limits: Vec<Vec<f32>> = (0..n_features).map(|feature| limits(column(feature))).collect();
        let mut codes = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
        for part in parts {
            codes.extend(part.iter().enumerate().map(|(i, value)| code(&limits[i % n_features], *value)));
        }
        Self { n_features, codes, limits }
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.codes.len() / self.n_features
    }

    pub(crate) fn row(&self, i: usize) -> &[u8] {
        &self.codes[i * self.n_features..(i + 1) * self.n_features]
    }
}

/// The bin of a value among limits.
pub(crate) fn code(limits: &[f32], value: f32) -> u8 {
    if value.is_nan() { 0 } else { 1 + limits.partition_point(|limit| *limit < value).min(limits.len().saturating_sub(1)) as u8 }
}

/// Upper limits of bins of about equal numbers of values; a value that fills a bin alone has its own.
fn limits<'a>(values: impl Iterator<Item = &'a f32>) -> Vec<f32> {
    let mut sorted: Vec<f32> = values.copied().filter(|value| !value.is_nan()).collect();
    sorted.sort_unstable_by(f32::total_cmp);
    let mut limits = Vec::new();
    let mut start = 0;
    while start < sorted.len() && limits.len() < N_BINS - 2 {
        let n_left = N_BINS - 1 - limits.len();
        let end = (start + (sorted.len() - start) / n_left).min(sorted.len() - 1);
        let mut limit = sorted[end];
        let first_of_limit = sorted.partition_point(|value| *value < limit);
        // A value that reaches far beyond this bin gets its own; this one ends before it.
        let after = sorted.partition_point(|value| *value <= limit);
        if first_of_limit > start && after - first_of_limit > 2 * (end - start + 1) {
            limit = sorted[first_of_limit - 1];
        }
        limits.push(limit);
        start = sorted.partition_point(|value| *value <= limit);
    }
    if start < sorted.len() {
        limits.extend(sorted.last());
    }
    limits
}
