//! Units of what charts show, and how their values are written.

use allium_model::Fraction;
use serde::Serialize;

use allium_words::format;

/// Unit of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A share of a whole, 0 to 1; shown in percent.
    Share,
    /// A number of things.
    Count,
    /// Bytes per second; shown in Gbit/s.
    BytesPerSec,
    /// Hours.
    Hours,
    /// A number without a unit.
    Number,
}

impl Unit {
    /// The unit behind the name of a column, such as `, %`.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Share => ", %",
            Self::BytesPerSec => ", Gbit/s",
            Self::Hours => ", h",
            Self::Count | Self::Number => "",
        }
    }

    /// Suffix that names the unit in the name of a CSV column.
    pub const fn csv_suffix(self) -> &'static str {
        match self {
            Self::BytesPerSec => "_bytes_per_sec",
            Self::Hours => "_hours",
            Self::Share | Self::Count | Self::Number => "",
        }
    }

    /// The value for people, without the unit.
    pub fn text(self, value: f64) -> String {
        match self {
            Self::Share => Fraction::clamped(value).map_or_else(|| format::NO_DATA.to_owned(), |share| format::percent(share, 2)),
            Self::Count if value >= 100.0 || value.fract().abs() < 1e-9 => format::count(value.round().max(0.0) as u64),
            Self::Count => format::number(value, 1),
            Self::BytesPerSec => format::number(value * 8.0 / 1e9, 2),
            Self::Hours => format::number(value, 1),
            Self::Number => format::number(value, 3),
        }
    }

    /// The value with its unit.
    pub fn with_unit(self, value: f64) -> String {
        let text = self.text(value);
        match self {
            Self::Share => format!("{text}\u{a0}%"),
            Self::BytesPerSec => format!("{text}\u{a0}Gbit/s"),
            Self::Hours => format!("{text}\u{a0}h"),
            Self::Count | Self::Number => text,
        }
    }

    /// A mark of an axis whose marks are `step` apart.
    pub fn tick(self, value: f64, step: f64) -> String {
        let (scaled, step, unit) = match self {
            Self::Share => (value * 100.0, step * 100.0, "\u{a0}%"),
            Self::BytesPerSec => (value * 8.0 / 1e9, step * 8.0 / 1e9, ""),
            // Long numbers would not fit beside the axis.
            Self::Count if step >= 1e5 && value != 0.0 => (value / 1e6, step / 1e6, "\u{a0}M"),
            Self::Count | Self::Hours | Self::Number => (value, step, ""),
        };
        if scaled.abs() >= 1_000.0 && step >= 1.0 {
            return format!("{}{}{unit}", if scaled < 0.0 { "\u{2212}" } else { "" }, format::count(scaled.abs().round() as u64));
        }
        let is_whole = |decimals: &usize| (step * 10f64.powi(*decimals as i32)).fract() < 1e-6 || *decimals == 6;
        let decimals = (0..7).find(is_whole).unwrap_or(6);
        format!("{}{unit}", format::number(scaled, decimals))
    }

    /// Label of an axis.
    pub const fn axis(self) -> &'static str {
        match self {
            Self::BytesPerSec => "Gbit/s",
            Self::Hours => "hours",
            Self::Share | Self::Count | Self::Number => "",
        }
    }
}
