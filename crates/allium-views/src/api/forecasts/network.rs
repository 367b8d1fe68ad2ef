//! Forecasts of the whole network for programs.

use allium_forecast::network::{NetworkForecast, NetworkScore};
use allium_service::{NetworkOutlook, Outlook};
use serde::Serialize;

use crate::error::RequestError;
use crate::form::{Form, to_json, write_csv};
use crate::pages::forecasts::recent;
use crate::params::Params;

/// The columns of the CSV of the network.
const NETWORK_COLUMNS: [&str; 12] = [
    "figure",
    "horizon_days",
    "recent",
    "q05",
    "q10",
    "q50",
    "q90",
    "q95",
    "n_errors",
    "backtest_mae",
    "backtest_covered_80",
    "backtest_n",
];

#[derive(Serialize)]
struct NetworkForecastsJson {
    as_of: String,
    forecasts: Vec<NetworkForecastJson>,
    /// Scores of this and simpler methods as of past days.
    scores: Vec<NetworkScore>,
}

#[derive(Serialize)]
struct NetworkForecastJson {
    figure: &'static str,
    horizon_days: u16,
    recent: Option<f64>,
    q05: f64,
    q10: f64,
    q50: f64,
    q90: f64,
    q95: f64,
    n_errors: usize,
    backtest_mae: Option<f64>,
    backtest_covered_80: Option<f64>,
    backtest_n: Option<usize>,
}

impl NetworkForecastJson {
    fn of(network: &NetworkOutlook, forecast: &NetworkForecast) -> Self {
        let score = network.score(forecast.figure, forecast.horizon_days);
        let [q05, q10, q50, q90, q95] = forecast.quantiles;
        Self {
            figure: forecast.figure.name(),
            horizon_days: forecast.horizon_days,
            recent: recent(network, forecast),
            q05,
            q10,
            q50,
            q90,
            q95,
            n_errors: forecast.n_errors,
            backtest_mae: score.map(|score| score.mae),
            backtest_covered_80: score.map(|score| score.covered_80),
            backtest_n: score.map(|score| score.n),
        }
    }

    fn csv(&self) -> Vec<String> {
        let optional = |value: Option<String>| value.unwrap_or_default();
        vec![
            self.figure.to_owned(),
            self.horizon_days.to_string(),
            optional(self.recent.map(|value| value.to_string())),
            self.q05.to_string(),
            self.q10.to_string(),
            self.q50.to_string(),
            self.q90.to_string(),
            self.q95.to_string(),
            self.n_errors.to_string(),
            optional(self.backtest_mae.map(|value| value.to_string())),
            optional(self.backtest_covered_80.map(|value| value.to_string())),
            optional(self.backtest_n.map(|value| value.to_string())),
        ]
    }
}

/// `/api/v1/forecasts/network`
pub(crate) fn network(outlook: &Outlook, params: &Params, form: Form) -> Result<String, RequestError> {
    params.only(&[])?;
    let forecasts = outlook.forecasts().map_err(|reason| RequestError::NoForecast(reason.to_owned()))?;
    let network = &forecasts.network;
    let rows: Vec<NetworkForecastJson> = network.forecasts.iter().map(|forecast| NetworkForecastJson::of(network, forecast)).collect();
    match form {
        Form::Csv => write_csv(NETWORK_COLUMNS.map(str::to_owned).to_vec(), rows.iter().map(NetworkForecastJson::csv)),
        Form::Json => {
            to_json(&NetworkForecastsJson { as_of: forecasts.as_of.to_string(), forecasts: rows, scores: network.scores.clone() })
        }
    }
}
