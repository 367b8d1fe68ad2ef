//! The forecast on a relay's page, and the same for programs.

use allium_forecast::Forecast;
use allium_model::{Fingerprint, Fraction, Timestamp};
use serde::Serialize;

use super::words::{chance, confidence_rule, confidence_word, label_html, model_word};
use super::{href_with, percent, probability};
use crate::format;
use crate::markup::{Html, When};
use crate::outlook::{Forecasts, Outlook};
use crate::text::inert;

/// Where the axis of a fan may begin, in percent: the highest that shows nearly all of it.
const AXIS_STARTS: [f64; 5] = [99.0, 95.0, 90.0, 50.0, 0.0];

/// What a relay's page says of the weeks ahead.
pub(crate) struct Panel {
    pub(crate) sentence: Html,
    pub(crate) under: Html,
    pub(crate) fan: Option<Fan>,
    pub(crate) facts: Vec<(&'static str, Html)>,
    pub(crate) quantiles: Vec<(&'static str, Html)>,
}

/// The distribution as stretches of a bar.
pub(crate) struct Fan {
    pub(crate) words: String,
    pub(crate) start: String,
    /// Class and length in whole percent of the axis.
    pub(crate) stretches: Vec<(&'static str, u32)>,
}

impl Panel {
    /// What is known of the weeks ahead of a relay.
    pub(crate) fn of(outlook: &Outlook, fingerprint: &Fingerprint, now: Timestamp) -> Self {
        let forecasts = match outlook.forecasts() {
            Ok(forecasts) => forecasts,
            Err(reason) => return Self::without(format!("There is no forecast: {}.", inert(reason))),
        };
        match forecasts.find(fingerprint) {
            Some(forecast) => Self::with(forecasts, forecast, now),
            None => Self::without(
                "There is no forecast: our own record of consensuses has not listed this relay in the last 7 days.".to_owned(),
            ),
        }
    }

    fn without(sentence: String) -> Self {
        let under = Html::link("/methods#forecast", &Html::words("Definition"));
        Self { sentence: Html::words(sentence), under, fan: None, facts: Vec::new(), quantiles: Vec::new() }
    }

    fn with(forecasts: &Forecasts, forecast: &Forecast, now: Timestamp) -> Self {
        Self {
            sentence: sentence(forecasts, forecast),
            under: under(forecasts, now),
            fan: fan(forecast),
            facts: facts(forecast),
            quantiles: quantiles(forecast),
        }
    }
}

fn sentence(forecasts: &Forecasts, forecast: &Forecast) -> Html {
    let days = forecasts.horizon_days;
    let figures = match (forecast.quantile(0.1), forecast.quantile(0.5), forecast.quantile(0.9)) {
        (Some(low), Some(median), Some(high)) => format!(
            "Over the next {days} days it is as likely to be up more than {}\u{a0}% of the time as less; with a chance of 80\u{a0}% the figure lies between {}\u{a0}% and {}\u{a0}%. Less than 90\u{a0}% is {} ({}\u{a0}%).",
            format::percent(median, 1),
            format::percent(low, 1),
            format::percent(high, 1),
            chance(forecast.p_below_90.get()),
            format::percent(forecast.p_below_90, 0),
        ),
        _ => format!("Over the next {days} days it is expected to be up {}\u{a0}% of the time.", format::percent(forecast.mean, 1)),
    };
    Html::joined([label_html(forecast.label), Html::words(figures)], " ")
}

fn under(forecasts: &Forecasts, now: Timestamp) -> Html {
    let words = format!(
        "({}), from our own record of consensuses; model: {}.",
        format::relative(forecasts.as_of.start(), now),
        inert(model_word(&forecasts.model.name))
    );
    let parts = [
        Html::words("As of the consensus of"),
        Html::safe(When::from(forecasts.as_of)),
        Html::words(words),
        Html::link("/methods#forecast", &Html::words("Definition")),
        Html::link("/forecasts", &Html::words("All forecasts")),
    ];
    Html::joined(parts, " ")
}

fn facts(forecast: &Forecast) -> Vec<(&'static str, Html)> {
    let confidence = format!("{}: {}", confidence_word(forecast.confidence), confidence_rule(forecast.confidence));
    vec![
        ("Uptime of the last 30 days, %", forecast.recent.map_or_else(Html::unknown, |share| percent(share, 2))),
        ("Expected uptime, %", percent(forecast.mean, 2)),
        ("Less than 90 % uptime", Html::words(probability(forecast.p_below_90))),
        ("Never Running again", Html::words(probability(forecast.p_gone))),
        (
            "Label",
            Html::joined(
                [Html::link(&href_with("label", forecast.label.name()), &label_html(forecast.label)), Html::words(forecast.label.rule())],
                " ",
            ),
        ),
        ("Confidence", Html::words(confidence)),
    ]
}

fn quantiles(forecast: &Forecast) -> Vec<(&'static str, Html)> {
    const SHOWN: [(&str, f64); 7] =
        [("5 %", 0.05), ("10 %", 0.1), ("25 %", 0.25), ("Median", 0.5), ("75 %", 0.75), ("90 %", 0.9), ("95 %", 0.95)];
    SHOWN.into_iter().filter_map(|(label, level)| Some((label, percent(forecast.quantile(level)?, 2)))).collect()
}

/// The 90, 80 and 50 % intervals around the median, on an axis that ends at 100 %.
fn fan(forecast: &Forecast) -> Option<Fan> {
    let ends: Vec<f64> = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95]
        .into_iter()
        .map(|level| forecast.quantile(level).map(|q| q.get() * 100.0))
        .collect::<Option<_>>()?;
    let start = AXIS_STARTS.into_iter().find(|start| *start <= ends[0]).unwrap_or(0.0);
    let place = |percent: f64| ((percent - start) / (100.0 - start) * 100.0).round().clamp(0.0, 100.0) as u32;
    let places: Vec<u32> = ends.iter().map(|end| place(*end)).collect();
    const BANDS: [&str; 6] = ["f5", "f4", "f3", "f3", "f4", "f5"];
    let mut stretches = vec![("f0", places[0])];
    for (i, class) in BANDS.into_iter().enumerate() {
        if i == 3 {
            stretches.push(("fm", 0));
        }
        stretches.push((class, places[i + 1] - places[i]));
    }
    stretches.push(("f0", 100 - places[6]));
    let words = format!(
        "Median {:.1} %; half of the chance between {:.1} % and {:.1} %; 90 % of it between {:.1} % and {:.1} %",
        ends[3], ends[2], ends[4], ends[0], ends[6]
    );
    Some(Fan { words, start: format!("{start:.0}\u{a0}%"), stretches })
}

/// A forecast as the API tells it. Shares are 0 to 1.
#[derive(Debug, Clone, Serialize)]
pub struct ForecastJson {
    /// The newest consensus that was looked at.
    pub as_of: String,
    /// How far it reaches.
    pub horizon_days: u16,
    /// Which model made it.
    pub model: String,
    /// Whether the relay was Running in that consensus.
    pub running: bool,
    /// Its uptime over the 30 days before.
    pub recent_uptime: Option<f64>,
    /// Expected uptime.
    pub mean: f64,
    /// Quantiles `q05` to `q95`.
    pub quantiles: std::collections::BTreeMap<String, f64>,
    /// Probability of less than 0.9.
    pub p_below_90: f64,
    /// Probability that it is never Running again within the horizon.
    pub p_gone: f64,
    /// The forecast in one word.
    pub label: &'static str,
    /// How sure it is.
    pub confidence: &'static str,
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
        })
    }
}
