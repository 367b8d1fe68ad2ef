//! Rows of cells over time: heat strips of a few things, uptime images of hundreds of relays.
//!
//! Cells are shares (0 to 1) in the classes of the uptime strips; a missing one is hatched.

use serde::Serialize;

use crate::axes::{Frame, Scale, draw_times};
use crate::canvas::{Anchor, Canvas};
use crate::table::{Cell, Column, Table};
use crate::unit::Unit;

/// Rows of cells that share one grid of intervals.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Heat {
    /// Name of what a row stands for, such as "Relay".
    pub of: String,
    /// Name of what a cell shows, such as "Uptime".
    pub what: String,
    /// Start of each interval and end of the last, in seconds since 1970-01-01T00:00:00Z.
    pub edges: Vec<i64>,
    /// The rows, from top to bottom.
    pub rows: Vec<HeatRow>,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeatRow {
    /// Words beside it.
    pub label: String,
    /// Address of its page.
    pub href: Option<String>,
    /// One share per interval; `None` where nobody measured.
    pub cells: Vec<Option<f64>>,
}

impl Heat {
    /// One row per stretch of equal cells.
    pub(crate) fn table(&self) -> Table {
        let columns = ["From", "To"].map(|name| Column::new(name, Unit::Number));
        let columns =
            [Column::new(self.of.clone(), Unit::Number)].into_iter().chain(columns).chain([Column::new(self.what.clone(), Unit::Share)]);
        let rows = self.rows.iter().flat_map(|row| {
            runs(&row.cells).map(|(from, to)| {
                let times = [Cell::Time(self.edges[from]), Cell::Time(self.edges[to])];
                let label = Cell::linked(&row.label, row.href.as_deref());
                std::iter::once(label).chain(times).chain([Cell::number(row.cells[from])]).collect()
            })
        });
        Table { columns: columns.collect(), rows: rows.collect() }
    }

    fn row_height(&self) -> f64 {
        match self.rows.len() {
            0..=12 => 24.0,
            13..=60 => 14.0,
            _ => 10.0,
        }
    }

    pub(crate) fn height(&self) -> f64 {
        self.rows.len() as f64 * self.row_height() + 36.0
    }

    pub(crate) fn draw(&self, canvas: &mut Canvas) {
        let left = if canvas.is_narrow() { 84.0 } else { 170.0 };
        let frame = Frame { left, right: canvas.width - 12.0, top: canvas.top + 6.0, bottom: canvas.bottom - 26.0 };
        let (Some(from), Some(to)) = (self.edges.first().copied(), self.edges.last().copied()) else { return };
        let time = Scale::exact(from as f64, to as f64, frame.left, frame.right);
        let height = self.row_height();
        let gap = if height > 12.0 { 2.0 } else { 1.0 };
        for (i, row) in self.rows.iter().enumerate() {
            let y = frame.top + i as f64 * height;
            let size = (height - 1.0).min(12.0);
            canvas.words_within(
                (frame.left - 6.0, y + height / 2.0 + size * 0.36),
                Anchor::End,
                size,
                canvas.palette.ink,
                &row.label,
                left - 8.0,
            );
            for (start, end) in runs(&row.cells) {
                let (x, right) = (time.at(self.edges[start] as f64), time.at(self.edges[end] as f64));
                match row.cells[start] {
                    Some(share) => canvas.rect(x, y, right - x, height - gap, canvas.palette.uptime(share)),
                    None => canvas.unknown(x, y, right - x, height - gap),
                }
            }
        }
        draw_times(canvas, &frame, from, to);
    }
}

/// Stretches `[from, to)` of equal cells.
fn runs(cells: &[Option<f64>]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let first = *cells.get(at)?;
        let end = (at..cells.len()).find(|i| cells[*i] != first).unwrap_or(cells.len());
        let run = (at, end);
        at = end;
        Some(run)
    })
}
