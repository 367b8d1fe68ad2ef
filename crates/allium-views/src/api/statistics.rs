//! Distributions of uptime and their correlations for programs.

use allium_analysis::statistics::{Correlation, Distribution};
use allium_model::Fraction;
use allium_service::View;
use serde::Serialize;

use crate::error::RequestError;
use crate::form::{Form, to_json, write_csv};
use crate::params::Params;

/// The columns of the CSV, which has the distributions.
const HEADER: [&str; 16] = [
    "role",
    "period",
    "n_relays",
    "mean",
    "std_dev",
    "q05",
    "q25",
    "median",
    "q75",
    "q90",
    "q95",
    "q99",
    "far_out_below",
    "n_far_out",
    "n_zero",
    "n_full",
];

#[derive(Serialize)]
struct StatisticsJson {
    as_of: String,
    distributions: Vec<DistributionJson>,
    correlations: Vec<CorrelationJson>,
}

#[derive(Serialize)]
struct DistributionJson {
    role: &'static str,
    period: &'static str,
    n_relays: usize,
    mean: f64,
    std_dev: Option<f64>,
    q05: f64,
    q25: f64,
    median: f64,
    q75: f64,
    q90: f64,
    q95: f64,
    q99: f64,
    far_out_below: f64,
    n_far_out: usize,
    n_zero: usize,
    n_full: usize,
}

#[derive(Serialize)]
struct CorrelationJson {
    short: &'static str,
    long: &'static str,
    n_relays: usize,
    spearman: Option<f64>,
    pearson: Option<f64>,
}

fn distribution_json(found: &Distribution) -> DistributionJson {
    let [q05, q25, median, q75, q90, q95, q99] = found.quantiles.map(Fraction::get);
    DistributionJson {
        role: found.role.name(),
        period: found.period.name(),
        n_relays: found.n_relays,
        mean: found.mean.get(),
        std_dev: found.std_dev,
        q05,
        q25,
        median,
        q75,
        q90,
        q95,
        q99,
        far_out_below: found.far_out_below,
        n_far_out: found.n_far_out,
        n_zero: found.n_zero,
        n_full: found.n_full,
    }
}

fn correlation_json(pair: &Correlation) -> CorrelationJson {
    CorrelationJson {
        short: pair.short.name(),
        long: pair.long.name(),
        n_relays: pair.n_relays,
        spearman: pair.spearman,
        pearson: pair.pearson,
    }
}

/// `/api/v1/statistics`
pub(crate) fn statistics(view: &View, params: &Params, form: Form) -> Result<String, RequestError> {
    params.only(&[])?;
    let distributions: Vec<DistributionJson> = view.statistics.distributions.iter().map(distribution_json).collect();
    match form {
        Form::Json => {
            let correlations = view.statistics.correlations.iter().map(correlation_json).collect();
            to_json(&StatisticsJson { as_of: view.as_of().to_string(), distributions, correlations })
        }
        Form::Csv => write_csv(HEADER.map(str::to_owned).to_vec(), distributions.iter().map(line)),
    }
}

fn line(d: &DistributionJson) -> Vec<String> {
    let start = vec![d.role.to_owned(), d.period.to_owned(), d.n_relays.to_string(), d.mean.to_string()];
    let spread = d.std_dev.map_or_else(String::new, |deviation| deviation.to_string());
    let quantiles = [d.q05, d.q25, d.median, d.q75, d.q90, d.q95, d.q99, d.far_out_below].map(|q| q.to_string());
    let counts = [d.n_far_out, d.n_zero, d.n_full].map(|n| n.to_string());
    start.into_iter().chain([spread]).chain(quantiles).chain(counts).collect()
}
