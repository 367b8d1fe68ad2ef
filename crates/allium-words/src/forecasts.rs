//! Forecasts in words.

use allium_forecast::{Confidence, Label, Summary};

use crate::format;

/// The expected uptime of relays, in a sentence with the figures.
pub fn sentence(summary: &Summary, horizon_days: u16, of_operator: bool) -> String {
    let whose = if of_operator { "this operator's relays that run now" } else { "relays that run now" };
    let (Some(mean), Some((low, high))) = (summary.mean, summary.interval) else {
        return format!("None of {} with a forecast runs now.", format::counted(summary.n_relays, "relay"));
    };
    let spread = format!("eight in ten lie between {}\u{a0}% and {}\u{a0}%", format::percent(low, 1), format::percent(high, 1));
    let below = match summary.n_likely_below_90 {
        0 => "none is".to_owned(),
        1 => "1 is".to_owned(),
        n => format!("{} are", format::count(n as u64)),
    };
    format!(
        "Over the next {horizon_days} days, {whose} are expected to be up {}\u{a0}% of the time on average; {spread}. Of {}, {below} more likely than not to stay below 90\u{a0}%.",
        format::percent(mean, 1),
        format::counted(summary.n_running, "relay"),
    )
}

/// The word of a label.
pub const fn label_word(label: Label) -> &'static str {
    match label {
        Label::Critical => "Critical",
        Label::AtRisk => "At risk",
        Label::Monitor => "Monitor",
        Label::Improving => "Improving",
        Label::Stable => "Stable",
    }
}

/// The word of a confidence.
pub const fn confidence_word(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "High",
        Confidence::Medium => "Medium",
        Confidence::Low => "Low",
    }
}

/// The rule by which a forecast has a confidence.
pub const fn confidence_rule(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "80 % interval at most 5 points wide",
        Confidence::Medium => "at most 25 points wide",
        Confidence::Low => "wider than 25 points",
    }
}

/// The model in words.
pub fn model_word(name: &str) -> &str {
    match name {
        "boosted" => "gradient boosting",
        "conditional" => "conditional quantiles",
        "renewal" => "renewal process",
        other => other,
    }
}

/// A probability in words.
pub fn chance(p: f64) -> &'static str {
    match p {
        p if p < 0.05 => "very unlikely",
        p if p < 0.25 => "unlikely",
        p if p < 0.5 => "rather unlikely",
        p if p < 0.75 => "rather likely",
        p if p < 0.95 => "likely",
        _ => "very likely",
    }
}
