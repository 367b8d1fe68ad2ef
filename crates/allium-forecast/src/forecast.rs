//! The forecast of one relay's next weeks, in the form that pages and exports use.

use allium_model::{ConsensusHour, Fingerprint, Fraction};

use crate::distribution::LEVELS;
use crate::features::Group;
use crate::stated::Stated;

/// The days that forecasts reach ahead by default.
pub const HORIZON_DAYS: u16 = 30;

/// The forecast of one relay's uptime: the share of known consensuses after `as_of` in which it will be Running.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// The relay.
    pub fingerprint: Fingerprint,
    /// The newest consensus that was looked at.
    pub as_of: ConsensusHour,
    /// Its reach.
    pub horizon_days: u16,
    /// The mean.
    pub mean: Fraction,
    /// Quantiles at [`LEVELS`], ascending.
    pub quantiles: [Fraction; 19],
    /// Probability of less than 0.9.
    pub p_below_90: Fraction,
    /// Probability that it is never Running again within the horizon.
    pub p_gone: Fraction,
    /// Its uptime over the 30 days before, or since it was first listed.
    pub recent: Option<Fraction>,
    /// True if it was Running in the newest consensus.
    pub running: bool,
    /// The forecast in one word.
    pub label: Label,
    /// Its certainty.
    pub confidence: Confidence,
}

/// The parts that a forecast is summed up from.
pub(crate) struct Outlook {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) as_of: ConsensusHour,
    pub(crate) horizon_days: u16,
    pub(crate) stated: Stated,
    pub(crate) recent: Option<f64>,
    pub(crate) running: bool,
}

impl Forecast {
    /// The forecast that states this outlook.
    pub(crate) fn of(outlook: &Outlook) -> Self {
        let share = |x: f64| Fraction::clamped(x).unwrap_or(Fraction::ZERO);
        let distribution = &outlook.stated.distribution;
        let quantiles = outlook.stated.quantiles().map(share);
        let recent = outlook.recent.and_then(Fraction::clamped);
        let p_below_90 = share(distribution.p_below_90());
        let (q10, q50, q90) = (quantiles[1].get(), quantiles[9].get(), quantiles[17].get());
        Self {
            fingerprint: outlook.fingerprint,
            as_of: outlook.as_of,
            horizon_days: outlook.horizon_days,
            mean: share(distribution.mean()),
            quantiles,
            p_below_90,
            p_gone: share(distribution.p_zero()),
            recent,
            running: outlook.running,
            label: Label::of(p_below_90.get(), q10, q50, recent.map(Fraction::get)),
            confidence: Confidence::of_width(q90 - q10),
        }
    }

    /// The quantile at a level, which must be one of [`LEVELS`].
    pub fn quantile(&self, level: f64) -> Option<Fraction> {
        LEVELS.iter().position(|l| (l - level).abs() < 1e-9).map(|i| self.quantiles[i])
    }
}

/// A forecast in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Label {
    /// Less likely than not to reach 0.9: the probability of less is at least 0.5.
    Critical,
    /// The probability of less than 0.9 is at least 0.25.
    AtRisk,
    /// Neither, and the median lies at least 0.02 above the uptime of the last 30 days.
    Improving,
    /// None of these, and nine times in ten at least 0.95.
    Stable,
    /// Anything else.
    Monitor,
}

impl Label {
    /// All of them, the worst first.
    pub const ALL: [Self; 5] = [Self::Critical, Self::AtRisk, Self::Monitor, Self::Improving, Self::Stable];

    /// The word in tables, such as `at_risk`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::AtRisk => "at_risk",
            Self::Improving => "improving",
            Self::Stable => "stable",
            Self::Monitor => "monitor",
        }
    }

    /// The rule in a sentence.
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Critical => "at least even odds of less than 90 % uptime in the next 30 days",
            Self::AtRisk => "at least one chance in four of less than 90 % uptime in the next 30 days",
            Self::Improving => "the median of the next 30 days is at least 2 points above the last 30 days",
            Self::Stable => "nine chances in ten of at least 95 % uptime in the next 30 days",
            Self::Monitor => "neither likely to fall below 90 % nor sure to stay above 95 %",
        }
    }

    fn of(p_below_90: f64, q10: f64, q50: f64, recent: Option<f64>) -> Self {
        match (p_below_90, recent) {
            (p, _) if p >= 0.5 => Self::Critical,
            (p, _) if p >= 0.25 => Self::AtRisk,
            (_, Some(recent)) if q50 - recent >= 0.02 => Self::Improving,
            _ if q10 >= 0.95 => Self::Stable,
            _ => Self::Monitor,
        }
    }
}

/// The certainty of a forecast, by the width of its 80 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// The interval is at most 0.05 wide.
    High,
    /// At most 0.25.
    Medium,
    /// Wider.
    Low,
}

impl Confidence {
    /// All of them, the surest first.
    pub const ALL: [Self; 3] = [Self::High, Self::Medium, Self::Low];

    /// The word in tables, such as `high`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }

    fn of_width(width: f64) -> Self {
        match width {
            w if w <= 0.05 => Self::High,
            w if w <= 0.25 => Self::Medium,
            _ => Self::Low,
        }
    }
}

/// A driver of a forecast: the change of the mean because these features are as they are, and not as usual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Driver {
    /// The features.
    pub group: Group,
    /// The rise of the mean through it; negative where it falls.
    pub effect: f64,
}

impl Driver {
    /// In words: what the features are about and which way they push.
    pub fn sentence(&self) -> String {
        let way = if self.effect < 0.0 { "lowers" } else { "raises" };
        format!("{} {way} the expected uptime by {:.1} points", self.group.subject(), self.effect.abs() * 100.0)
    }
}
