//! Numbers of values per class, with marks for single values.

use serde::Serialize;

use crate::axes::{Frame, Scale, draw_values, draw_values_below};
use crate::canvas::{Anchor, Canvas};
use crate::table::{Cell, Column, Table};
use crate::unit::Unit;

/// Counts of values in classes `[edge, next edge)`; the last class holds its upper edge too.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Histogram {
    /// Unit of the values.
    pub unit: Unit,
    /// Name of what is counted, such as "Relays".
    pub of: String,
    /// Limits of the intervals or classes: one more than there are values.
    pub edges: Vec<f64>,
    /// Number of values per class.
    pub counts: Vec<u64>,
    /// Values that are named on the axis.
    pub marks: Vec<Mark>,
    /// The count that every class would have if values were spread evenly, where that is to be seen.
    pub level: Option<f64>,
}

/// A single value to find among the others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mark {
    /// Words beside it.
    pub label: String,
    /// Its value; `None` where nobody measured.
    pub value: f64,
}

impl Histogram {
    /// Counts values; those outside the edges are left out. Edges must rise.
    pub fn of(unit: Unit, of: &str, edges: Vec<f64>, values: impl IntoIterator<Item = f64>) -> Self {
        let mut counts = vec![0; edges.len().saturating_sub(1)];
        for value in values {
            let n_below = edges.partition_point(|edge| *edge <= value);
            let is_last_edge = edges.last() == Some(&value);
            if let Some(count) = counts.get_mut(if is_last_edge { n_below.wrapping_sub(2) } else { n_below.wrapping_sub(1) }) {
                *count += 1;
            }
        }
        Self { unit, of: of.to_owned(), edges, counts, marks: Vec::new(), level: None }
    }

    /// `n` equal classes over `[low, high]`.
    pub fn equal(unit: Unit, of: &str, (low, high): (f64, f64), n: u32, values: impl IntoIterator<Item = f64>) -> Self {
        let edges = (0..=n).map(|i| if i == n { high } else { low + (high - low) * f64::from(i) / f64::from(n.max(1)) }).collect();
        Self::of(unit, of, edges, values)
    }

    pub(crate) fn table(&self) -> Table {
        let columns = vec![Column::new("From", self.unit), Column::new("To", self.unit), Column::new(self.of.clone(), Unit::Count)];
        let row = |(edges, count): (&[f64], &u64)| vec![Cell::Number(edges[0]), Cell::Number(edges[1]), Cell::Number(*count as f64)];
        Table { columns, rows: self.edges.windows(2).zip(&self.counts).map(row).collect() }
    }

    pub(crate) fn draw(&self, canvas: &mut Canvas) {
        let frame = Frame { left: 60.0, right: canvas.width - 24.0, top: canvas.top + 24.0, bottom: canvas.bottom - 28.0 };
        let (Some(low), Some(high)) = (self.edges.first(), self.edges.last()) else { return };
        let most = self.counts.iter().copied().max().unwrap_or(0).max(1) as f64;
        let across = Scale::marked(*low, *high, 5.0, frame.left, frame.right);
        let up = Scale::round(0.0, most, 4.0, frame.bottom, frame.top);
        draw_values(canvas, &frame, &up, Unit::Count);
        draw_values_below(canvas, &frame, &across, self.unit);
        for (edges, count) in self.edges.windows(2).zip(&self.counts) {
            let (x, right, y) = (across.at(edges[0]), across.at(edges[1]), up.at(*count as f64));
            canvas.rect(x + 0.5, y, (right - x - 1.0).max(0.5), frame.bottom - y, canvas.palette.lines[0]);
        }
        if let Some(level) = self.level {
            let (y, colour) = (up.at(level), canvas.palette.lines[1]);
            let line = format!("M{}H{}", super::canvas::point(frame.left, y), frame.right.round());
            canvas.path(&line, &format!("stroke=\"{colour}\" stroke-width=\"1.5\" stroke-dasharray=\"6 4\""));
        }
        for mark in &self.marks {
            let (x, colour) = (across.at(mark.value), canvas.palette.lines[1]);
            canvas.path(
                &format!("M{}V{}", super::canvas::point(x, frame.top - 6.0), frame.bottom.round()),
                &format!("stroke=\"{colour}\" stroke-width=\"2\""),
            );
            canvas.words(x, frame.top - 10.0, Anchor::Middle, 11.0, canvas.palette.ink, &mark.label);
        }
    }
}
