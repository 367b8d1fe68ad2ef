//! Correlations of each with each, −1 to 1, written into coloured cells.

use allium_words::format;
use serde::Serialize;

use crate::canvas::{Anchor, Canvas};
use crate::picture::Size;
use crate::table::{Cell, Column, Table};
use crate::unit::Unit;

/// A symmetric matrix.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Matrix {
    /// Words beside the rows and columns.
    pub labels: Vec<String>,
    /// Rows of as many values as there are labels.
    pub values: Vec<Vec<Option<f64>>>,
}

impl Matrix {
    pub(crate) fn table(&self) -> Table {
        let first = Column { name: "of".to_owned(), label: "Correlation of".to_owned(), unit: Unit::Number };
        let columns = std::iter::once(first).chain(self.labels.iter().map(|label| Column::new(label.clone(), Unit::Number))).collect();
        let row = |(label, values): (&String, &Vec<Option<f64>>)| {
            std::iter::once(Cell::Text(label.clone())).chain(values.iter().map(|value| Cell::number(*value))).collect()
        };
        Table { columns, rows: self.labels.iter().zip(&self.values).map(row).collect() }
    }

    fn cell(&self, size: Size) -> (f64, f64) {
        let left = if size == Size::Narrow { 96.0 } else { 200.0 };
        (left, ((size.width() - left - 12.0) / self.labels.len().max(1) as f64).min(96.0))
    }

    pub(crate) fn height(&self, size: Size) -> f64 {
        self.labels.len() as f64 * self.cell(size).1.min(40.0) + 52.0
    }

    pub(crate) fn draw(&self, canvas: &mut Canvas) {
        let (left, width) = self.cell(canvas.look.size);
        let (height, top) = (width.min(40.0), canvas.top + 44.0);
        for (i, label) in self.labels.iter().enumerate() {
            let y = if i % 2 == 0 { top - 8.0 } else { top - 24.0 };
            // The last ends with its column, so that it is not cut at the edge.
            let is_last = i + 1 == self.labels.len();
            let (x, anchor) =
                if is_last { (left + (i as f64 + 1.0) * width, Anchor::End) } else { (left + (i as f64 + 0.5) * width, Anchor::Middle) };
            canvas.words_within((x, y), anchor, 11.0, canvas.palette.ink, label, width * 1.9);
            let y = top + i as f64 * height + height / 2.0 + 4.0;
            canvas.words_within((left - 8.0, y), Anchor::End, 12.0, canvas.palette.ink, label, left - 12.0);
        }
        for (i, row) in self.values.iter().enumerate() {
            for (j, value) in row.iter().enumerate() {
                let (x, y) = (left + j as f64 * width, top + i as f64 * height);
                let Some(value) = value else {
                    canvas.unknown(x, y, width - 1.0, height - 1.0);
                    continue;
                };
                let class = ((value.clamp(-1.0, 1.0) + 1.0) * 5.0).round() as usize;
                let fill = canvas.palette.scale[class];
                canvas.rect(x, y, width - 1.0, height - 1.0, fill);
                let words = super::palette::ink_on(fill);
                canvas.words(x + width / 2.0, y + height / 2.0 + 4.0, Anchor::Middle, 11.0, words, &format::number(*value, 2));
            }
        }
    }
}
