//! Axes: where marks stand, and from value to pixel.

use allium_model::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{Span, ToSpan};

use crate::canvas::{Anchor, Canvas};
use crate::unit::Unit;
use allium_words::format;

/// The rectangle in which data is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Frame {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
}

/// From values to pixels along one side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) step: f64,
    start: f64,
    end: f64,
}

impl Scale {
    /// A scale over `[low, high]` widened to round numbers, with about `n` marks, between two pixels.
    pub(crate) fn round(low: f64, high: f64, n: f64, start: f64, end: f64) -> Self {
        let step = round_step((high - low).max(1e-9) / n.max(1.0));
        Self { from: (low / step + 1e-9).floor() * step, to: (high / step - 1e-9).ceil() * step, step, start, end }
    }

    /// A scale exactly over `[low, high]`.
    pub(crate) const fn exact(low: f64, high: f64, start: f64, end: f64) -> Self {
        Self { from: low, to: high, step: 1.0, start, end }
    }

    /// A scale exactly over `[low, high]` with about `n` marks at round numbers.
    pub(crate) fn marked(low: f64, high: f64, n: f64, start: f64, end: f64) -> Self {
        Self { step: Self::round(low, high, n, start, end).step, ..Self::exact(low, high, start, end) }
    }

    /// The pixel of a value; values outside lie on the edge.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let share = if self.to > self.from && value.is_finite() { (value - self.from) / (self.to - self.from) } else { 0.0 };
        self.start + share.clamp(0.0, 1.0) * (self.end - self.start)
    }

    /// The marks.
    pub(crate) fn ticks(&self) -> Vec<f64> {
        let first = (self.from / self.step - 1e-6).ceil();
        let n = ((self.to / self.step + 1e-6).floor() - first).clamp(0.0, 50.0) as u32;
        (0..=n).map(|i| (first + f64::from(i)) * self.step).collect()
    }
}

/// 1, 2, 2.5 or 5 times a power of ten: the smallest that is not less.
fn round_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= step * 0.999).unwrap_or(power * 10.0)
}

/// Lines across with their values at the left.
pub(crate) fn draw_values(canvas: &mut Canvas, frame: &Frame, scale: &Scale, unit: Unit) {
    let (line, soft) = (canvas.palette.line, canvas.palette.soft);
    for tick in scale.ticks() {
        let y = scale.at(tick).round() + 0.5;
        canvas.line((frame.left, y), (frame.right, y), line);
        canvas.words(frame.left - 6.0, y + 4.0, Anchor::End, 11.0, soft, &unit.tick(tick, scale.step));
    }
    if !unit.axis().is_empty() {
        canvas.words(frame.left, frame.top - 8.0, Anchor::End, 11.0, soft, unit.axis());
    }
}

/// Values below, with short marks.
pub(crate) fn draw_values_below(canvas: &mut Canvas, frame: &Frame, scale: &Scale, unit: Unit) {
    let (line, soft) = (canvas.palette.line, canvas.palette.soft);
    for tick in scale.ticks() {
        let x = scale.at(tick).round() + 0.5;
        canvas.line((x, frame.top), (x, frame.bottom), line);
        canvas.words(x, frame.bottom + 16.0, Anchor::Middle, 11.0, soft, &unit.tick(tick, scale.step));
    }
}

/// Instants below, at round hours, days, months or years.
pub(crate) fn draw_times(canvas: &mut Canvas, frame: &Frame, from_secs: i64, to_secs: i64) {
    let scale = Scale::exact(from_secs as f64, to_secs as f64, frame.left, frame.right);
    let most = if canvas.is_narrow() { 5 } else { 12 };
    let (edge, soft) = (canvas.palette.edge, canvas.palette.soft);
    canvas.line((frame.left, frame.bottom + 0.5), (frame.right, frame.bottom + 0.5), edge);
    for (secs, label) in time_ticks(from_secs, to_secs, most) {
        let x = scale.at(secs as f64).round() + 0.5;
        canvas.line((x, frame.bottom), (x, frame.bottom + 4.0), edge);
        canvas.words(x, frame.bottom + 17.0, Anchor::Middle, 11.0, soft, &label);
    }
}

/// Round instants in `[from, to)`, at most `most`, with their labels.
pub(crate) fn time_ticks(from_secs: i64, to_secs: i64, most: usize) -> Vec<(i64, String)> {
    let steps: [(Span, i64); 12] = [
        (2.hours(), 7_200),
        (6.hours(), 21_600),
        (1.day(), 86_400),
        (2.days(), 172_800),
        (7.days(), 604_800),
        (14.days(), 1_209_600),
        (1.month(), 2_629_800),
        (2.months(), 5_259_600),
        (3.months(), 7_889_400),
        (6.months(), 15_778_800),
        (1.year(), 31_557_600),
        (5.years(), 157_788_000),
    ];
    let length = to_secs.saturating_sub(from_secs).max(1);
    let fits = |secs: i64| length / secs < most as i64;
    let (step, step_secs) = steps.into_iter().find(|(_, secs)| fits(*secs)).unwrap_or((50.years(), 1_577_880_000));
    let mut ticks = Vec::new();
    let mut at = floor_to(Offset::UTC.to_datetime(format::at_secs(from_secs)), step_secs);
    while ticks.len() <= most {
        let Ok(secs) = Offset::UTC.to_timestamp(at).map(Timestamp::as_second) else { break };
        if secs >= to_secs {
            break;
        }
        if secs >= from_secs {
            ticks.push((secs, time_label(at, step_secs)));
        }
        let Ok(next) = at.checked_add(step) else { break };
        at = next;
    }
    ticks
}

/// The last round moment before.
fn floor_to(at: DateTime, step_secs: i64) -> DateTime {
    let midnight = |date: jiff::civil::Date| date.to_datetime(jiff::civil::Time::midnight());
    let date = at.date();
    match step_secs {
        0..86_400 => midnight(date),
        86_400..172_800 => midnight(date),
        172_800..2_629_800 => midnight(date.first_of_month()),
        2_629_800..31_557_600 => midnight(date.first_of_year()),
        _ => jiff::civil::date(date.year() - date.year() % 5, 1, 1).to_datetime(jiff::civil::Time::midnight()),
    }
}

fn time_label(at: DateTime, step_secs: i64) -> String {
    let is_midnight = at.hour() == 0;
    match step_secs {
        0..86_400 if !is_midnight => format!("{:02}:00", at.hour()),
        0..2_629_800 => format!("{} {}", at.day(), format::month_name(at.month())),
        2_629_800..31_557_600 if at.month() != 1 => format::month_name(at.month()).to_owned(),
        _ => at.year().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_cover_the_values() {
        let scale = Scale::round(0.913, 1.0, 4.0, 100.0, 0.0);
        assert_eq!(scale.ticks().len(), 5);
        assert!(scale.from <= 0.913 && (scale.to - 1.0).abs() < 1e-9);
        assert_eq!(scale.at(scale.to), 0.0);
        assert_eq!(Unit::Share.tick(0.975, scale.step), "97.5\u{a0}%");
        assert_eq!(Scale::round(0.0, 0.0, 4.0, 3.0, 1.0).at(f64::NAN), 3.0);
    }

    #[test]
    fn time_marks_are_round_and_few() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_second();
        let labels =
            |from: &str, to: &str, most| time_ticks(at(from), at(to), most).into_iter().map(|(_, label)| label).collect::<Vec<_>>();
        assert_eq!(labels("2025-02-15T19:00:00Z", "2026-02-15T19:00:00Z", 5), ["Apr", "Jul", "Oct", "2026"]);
        assert_eq!(
            labels("2021-02-15T19:00:00Z", "2026-02-15T19:00:00Z", 12),
            ["Jul", "2022", "Jul", "2023", "Jul", "2024", "Jul", "2025", "Jul", "2026"]
        );
        assert_eq!(labels("2026-02-14T19:00:00Z", "2026-02-15T19:00:00Z", 5), ["15 Feb", "06:00", "12:00", "18:00"]);
    }
}
