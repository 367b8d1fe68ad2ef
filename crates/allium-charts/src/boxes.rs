//! Box plots: median, quartiles, and the 5 % and 95 % quantiles of distributions beside each other.

use serde::Serialize;

use crate::axes::{Frame, Scale, draw_values_below};
use crate::canvas::{Anchor, Canvas};
use crate::table::{Cell, Column, Table};
use crate::unit::Unit;

const ROW: f64 = 26.0;

/// Distributions of one quantity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Boxes {
    /// Unit of the values.
    pub unit: Unit,
    /// Name of what a row stands for, such as "Country".
    pub of: String,
    /// The rows, from top to bottom.
    pub rows: Vec<BoxRow>,
}

/// A distribution: quantiles at 5, 25, 50, 75 and 95 %.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BoxRow {
    /// Words beside it.
    pub label: String,
    /// Address of its page.
    pub href: Option<String>,
    /// Number of values behind it.
    pub n: usize,
    /// The 5th, 25th, 50th, 75th and 95th percentile.
    pub quantiles: Option<[f64; 5]>,
}

impl Boxes {
    pub(crate) fn table(&self) -> Table {
        let names = ["5 %", "25 %", "Median", "75 %", "95 %"];
        let csv = ["q05", "q25", "median", "q75", "q95"];
        let quantiles =
            names.into_iter().zip(csv).map(|(label, name)| Column { name: name.to_owned(), label: label.to_owned(), unit: self.unit });
        let columns =
            [Column::new(self.of.clone(), Unit::Number), Column::new("Relays", Unit::Count)].into_iter().chain(quantiles).collect();
        let row = |row: &BoxRow| {
            let quantiles = (0..5).map(|i| Cell::number(row.quantiles.map(|q| q[i])));
            [Cell::linked(&row.label, row.href.as_deref()), Cell::Number(row.n as f64)].into_iter().chain(quantiles).collect()
        };
        Table { columns, rows: self.rows.iter().map(row).collect() }
    }

    pub(crate) fn height(&self) -> f64 {
        self.rows.len() as f64 * ROW + 40.0
    }

    pub(crate) fn draw(&self, canvas: &mut Canvas) {
        let left = if canvas.is_narrow() { 128.0 } else { 240.0 };
        let frame = Frame { left, right: canvas.width - 90.0, top: canvas.top + 6.0, bottom: canvas.bottom - 28.0 };
        let values = || self.rows.iter().filter_map(|row| row.quantiles).flatten();
        let low = values().fold(f64::INFINITY, f64::min);
        let high = values().fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
        let scale = Scale::round(low, high, if canvas.is_narrow() { 2.0 } else { 5.0 }, frame.left, frame.right);
        draw_values_below(canvas, &frame, &scale, self.unit);
        for (i, row) in self.rows.iter().enumerate() {
            draw_row(canvas, &frame, &scale, (self.unit, frame.top + i as f64 * ROW), row);
        }
    }
}

fn draw_row(canvas: &mut Canvas, frame: &Frame, scale: &Scale, (unit, y): (Unit, f64), row: &BoxRow) {
    let (ink, soft) = (canvas.palette.ink, canvas.palette.soft);
    canvas.words_within((frame.left - 8.0, y + 17.0), Anchor::End, 12.0, ink, &row.label, frame.left - 12.0);
    let Some(quantiles) = row.quantiles else {
        canvas.unknown(frame.left, y + 6.0, frame.right - frame.left, ROW - 12.0);
        return;
    };
    let [low, first, median, third, high] = quantiles.map(|q| scale.at(q));
    let middle = y + ROW / 2.0;
    canvas.line((low, middle), (high, middle), ink);
    canvas.rect(first, y + 6.0, (third - first).max(1.0), ROW - 12.0, canvas.palette.scale[6]);
    canvas.rect(median - 1.0, y + 4.0, 2.0, ROW - 8.0, canvas.palette.lines[1]);
    canvas.words(frame.right + 8.0, y + 17.0, Anchor::Start, 12.0, soft, &unit.with_unit(quantiles[2]));
}
