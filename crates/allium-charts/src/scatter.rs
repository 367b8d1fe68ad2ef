//! Two quantities of many things, one dot each.

use serde::Serialize;

use crate::axes::{Frame, Scale, draw_values, draw_values_below};
use crate::canvas::{Anchor, Canvas};
use crate::table::{Cell, Column, Table};
use crate::unit::Unit;

/// Dots.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scatter {
    /// Name of what a dot stands for.
    pub of: String,
    /// Quantity on the horizontal axis.
    pub x_label: String,
    /// Its unit.
    pub x_unit: Unit,
    /// Quantity on the vertical axis.
    pub y_label: String,
    /// Its unit.
    pub y_unit: Unit,
    /// The dots.
    pub dots: Vec<Dot>,
    /// True if both quantities have one unit and the line on which they are equal is drawn.
    pub diagonal: bool,
}

/// A dot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dot {
    /// Words beside it.
    pub label: String,
    /// Address of its page.
    pub href: Option<String>,
    /// Value on the horizontal axis.
    pub x: f64,
    /// Value on the vertical axis.
    pub y: f64,
}

impl Scatter {
    pub(crate) fn table(&self) -> Table {
        let columns = vec![
            Column::new(self.of.clone(), Unit::Number),
            Column::new(self.x_label.clone(), self.x_unit),
            Column::new(self.y_label.clone(), self.y_unit),
        ];
        let row = |dot: &Dot| vec![Cell::linked(&dot.label, dot.href.as_deref()), Cell::number(Some(dot.x)), Cell::number(Some(dot.y))];
        Table { columns, rows: self.dots.iter().map(row).collect() }
    }

    pub(crate) fn draw(&self, canvas: &mut Canvas) {
        let frame = Frame { left: 60.0, right: canvas.width - 24.0, top: canvas.top + 28.0, bottom: canvas.bottom - 48.0 };
        let scale = |value: fn(&Dot) -> f64, start, end| {
            let low = self.dots.iter().map(value).fold(f64::INFINITY, f64::min);
            let high = self.dots.iter().map(value).fold(f64::NEG_INFINITY, f64::max);
            let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
            Scale::round(low, high.max(low + 1e-9), 4.0, start, end)
        };
        let (across, up) = (scale(|dot| dot.x, frame.left, frame.right), scale(|dot| dot.y, frame.bottom, frame.top));
        draw_values(canvas, &frame, &up, self.y_unit);
        draw_values_below(canvas, &frame, &across, self.x_unit);
        let (ink, fill) = (canvas.palette.ink, canvas.palette.lines[0]);
        canvas.words(frame.left, canvas.top + 16.0, Anchor::Start, 12.0, ink, &format!("{} ↑", self.y_label));
        canvas.words(frame.right, canvas.bottom - 8.0, Anchor::End, 12.0, ink, &format!("{} →", self.x_label));
        if self.diagonal {
            let (from, to) = (across.from.max(up.from), across.to.min(up.to));
            let [start, end] = [from, to].map(|value| super::canvas::point(across.at(value), up.at(value)));
            canvas.path(&format!("M{start}L{end}"), &format!("stroke=\"{}\" stroke-dasharray=\"4 3\" fill=\"none\"", canvas.palette.soft));
        }
        let look = format!("fill=\"{fill}\" fill-opacity=\"0.5\"");
        for dot in &self.dots {
            canvas.circle(across.at(dot.x), up.at(dot.y), if self.dots.len() > 200 { 2.2 } else { 4.0 }, &look);
        }
    }
}
