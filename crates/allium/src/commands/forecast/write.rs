//! The forms of a forecast.

use std::io::{self, Write};

use allium_forecast::{Forecast, Model};
use allium_model::{ConsensusHour, Fraction};
use serde_json::{Map, Value, json};

/// The columns; scripts rely on them.
const COLUMNS: [&str; 15] = [
    "fingerprint",
    "as_of",
    "horizon_days",
    "model",
    "mean",
    "q05",
    "q10",
    "q25",
    "q50",
    "q75",
    "q90",
    "q95",
    "p_below_90",
    "p_gone",
    "label",
];

/// The quantiles among the columns.
const QUANTILES: [(&str, f64); 7] = [("q05", 0.05), ("q10", 0.1), ("q25", 0.25), ("q50", 0.5), ("q75", 0.75), ("q90", 0.9), ("q95", 0.95)];

/// A row per relay, by fingerprint.
pub(super) fn csv(out: &mut impl Write, model: &Model, forecasts: &[Forecast]) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record(COLUMNS)?;
    for forecast in forecasts {
        let mut row = vec![
            forecast.fingerprint.to_string(),
            forecast.as_of.to_string(),
            forecast.horizon_days.to_string(),
            model.kind().name().to_owned(),
            share(forecast.mean),
        ];
        row.extend(QUANTILES.iter().filter_map(|(_, level)| forecast.quantile(*level)).map(share));
        row.extend([share(forecast.p_below_90), share(forecast.p_gone), forecast.label.name().to_owned()]);
        table.write_record(row)?;
    }
    table.flush()
}

fn share(share: Fraction) -> String {
    format!("{:.6}", share.get())
}

/// The same with the model's scores.
pub(super) fn json(out: &mut impl Write, model: &Model, as_of: ConsensusHour, forecasts: &[Forecast]) -> io::Result<()> {
    let (n_origins, n_rows) = model.n_origins_and_rows();
    let scores: Vec<Value> = model.scores().iter().map(|score| json!({"model": score.model, "crps": score.crps, "n": score.n})).collect();
    let document = json!({
        "as_of": as_of.to_string(),
        "horizon_days": model.horizon_days(),
        "model": {
            "name": model.kind().name(),
            "trained_as_of": model.trained_as_of().to_string(),
            "first_origin": model.first_origin().map(|origin| origin.to_string()),
            "n_origins": n_origins,
            "n_rows": n_rows,
            "held_out_scores": scores,
        },
        "relays": forecasts.iter().map(relay).collect::<Vec<_>>(),
    });
    serde_json::to_writer(&mut *out, &document).map_err(io::Error::from)?;
    writeln!(out)
}

fn relay(forecast: &Forecast) -> Value {
    let quantiles: Map<String, Value> =
        QUANTILES.iter().filter_map(|(name, level)| Some(((*name).to_owned(), json!(forecast.quantile(*level)?.get())))).collect();
    json!({
        "fingerprint": forecast.fingerprint.to_string(),
        "running": forecast.running,
        "recent_uptime": forecast.recent.map(Fraction::get),
        "mean": forecast.mean.get(),
        "quantiles": quantiles,
        "p_below_90": forecast.p_below_90.get(),
        "p_gone": forecast.p_gone.get(),
        "label": forecast.label.name(),
        "confidence": forecast.confidence.name(),
    })
}
