//! The forecast of a relay for programs.

use std::collections::BTreeMap;

use allium_forecast::advice::Advice;
use allium_model::{Fingerprint, Fraction};
use allium_service::Outlook;
use serde::Serialize;

/// A forecast as the API tells it. Shares are 0 to 1.
#[derive(Debug, Clone, Serialize)]
pub struct ForecastJson {
    /// The newest consensus that was looked at.
    pub as_of: String,
    /// Days that it reaches ahead.
    pub horizon_days: u16,
    /// Name of the model that made it.
    pub model: String,
    /// True if the relay was Running in that consensus.
    pub running: bool,
    /// Its uptime over the 30 days before.
    pub recent_uptime: Option<f64>,
    /// Expected uptime.
    pub mean: f64,
    /// Quantiles `q05` to `q95`.
    pub quantiles: BTreeMap<String, f64>,
    /// Probability of less than 0.9.
    pub p_below_90: f64,
    /// Probability that it is never Running again within the horizon.
    pub p_gone: f64,
    /// The forecast in one word.
    pub label: &'static str,
    /// Confidence in it: a word.
    pub confidence: &'static str,
    /// Data that it rests on: `own_record` or `published_graphs`.
    pub basis: &'static str,
    /// Its drivers, the strongest first.
    pub drivers: Vec<DriverJson>,
    /// Advice that follows from it, where there is any.
    pub advice: Option<AdviceJson>,
}

/// A driver of a forecast.
#[derive(Debug, Clone, Serialize)]
pub struct DriverJson {
    /// Its subject.
    pub subject: &'static str,
    /// By how much the mean is higher for it; negative where it is lower.
    pub effect: f64,
}

/// Advice for a relay.
#[derive(Debug, Clone, Serialize)]
pub struct AdviceJson {
    /// `urgent`, `scheduled` or `watch`.
    pub urgency: &'static str,
    /// The action to take.
    pub action: String,
    /// Why.
    pub reason: String,
    /// The effect that the action can have.
    pub effect: String,
    /// Beginning and end of the best window.
    pub window: Option<(String, String)>,
}

impl AdviceJson {
    fn of(advice: &Advice) -> Self {
        Self {
            urgency: advice.urgency.name(),
            action: advice.action(),
            reason: advice.why(),
            effect: advice.effect(),
            window: advice.window.map(|window| (window.start.to_string(), window.end().to_string())),
        }
    }
}

impl ForecastJson {
    /// The forecast of a relay, where there is one.
    pub(crate) fn of(outlook: &Outlook, fingerprint: &Fingerprint) -> Option<Self> {
        let forecasts = outlook.forecasts().ok()?;
        let forecast = forecasts.find(fingerprint)?;
        let quantile = |(level, share): (&f64, &Fraction)| (format!("q{:02}", (level * 100.0).round()), share.get());
        Some(Self {
            as_of: forecasts.as_of.to_string(),
            horizon_days: forecasts.horizon_days,
            model: forecasts.model.name.clone(),
            running: forecast.running,
            recent_uptime: forecast.recent.map(Fraction::get),
            mean: forecast.mean.get(),
            quantiles: allium_forecast::LEVELS.iter().zip(&forecast.quantiles).map(quantile).collect(),
            p_below_90: forecast.p_below_90.get(),
            p_gone: forecast.p_gone.get(),
            label: forecast.label.name(),
            confidence: forecast.confidence.name(),
            basis: forecasts.basis.name(),
            drivers: forecasts.drivers(fingerprint).iter().map(|d| DriverJson { subject: d.group.subject(), effect: d.effect }).collect(),
            advice: forecasts.advice(forecast).map(AdviceJson::of),
        })
    }
}
