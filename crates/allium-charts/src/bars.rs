//! Horizontal bars from zero, with lines for what they are compared with. A gauge is a single bar with such lines.

use serde::Serialize;

use crate::axes::{Frame, Scale, draw_values_below};
use crate::canvas::{Anchor, Canvas};
use crate::table::{Cell, Column, Table};
use crate::unit::Unit;

const ROW: f64 = 22.0;

/// Bars, in the order in which they are drawn.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bars {
    /// Unit of the values.
    pub unit: Unit,
    /// Name of what a bar stands for, such as "Country".
    pub of: String,
    /// Name of what the length of a bar shows, such as "Uptime".
    pub what: String,
    /// The bars, from top to bottom.
    pub bars: Vec<Bar>,
    /// Lines across all bars.
    pub references: Vec<Reference>,
    /// The end of the axis; `None` for the largest value.
    pub most: Option<f64>,
}

/// A bar.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bar {
    /// Words beside it.
    pub label: String,
    /// Address of its page.
    pub href: Option<String>,
    /// Its value; `None` where nobody measured.
    pub value: Option<f64>,
    /// Further words behind the value, such as "487 relays".
    pub note: String,
}

/// A value that bars are compared with.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reference {
    /// Words beside it.
    pub label: String,
    /// Its value; `None` where nobody measured.
    pub value: f64,
}

impl Bars {
    pub(crate) fn table(&self) -> Table {
        let columns =
            vec![Column::new(self.of.clone(), Unit::Number), Column::new(self.what.clone(), self.unit), Column::new("Note", Unit::Number)];
        let bars = self
            .bars
            .iter()
            .map(|bar| vec![Cell::linked(&bar.label, bar.href.as_deref()), Cell::number(bar.value), Cell::Text(bar.note.clone())]);
        let references =
            self.references.iter().map(|r| vec![Cell::Text(r.label.clone()), Cell::Number(r.value), Cell::Text("reference".to_owned())]);
        Table { columns, rows: bars.chain(references).collect() }
    }

    pub(crate) fn height(&self) -> f64 {
        let references = if self.references.is_empty() { 0.0 } else { 18.0 };
        self.bars.len() as f64 * ROW + 40.0 + references
    }

    /// The largest value that must fit.
    pub fn top_value(&self) -> f64 {
        let values = self.bars.iter().filter_map(|bar| bar.value).chain(self.references.iter().map(|r| r.value));
        self.most.unwrap_or_else(|| values.fold(0.0, f64::max))
    }

    pub(crate) fn draw(&self, canvas: &mut Canvas) {
        let references = if self.references.is_empty() { 0.0 } else { 18.0 };
        let left = if canvas.is_narrow() { 128.0 } else { 240.0 };
        let frame = Frame { left, right: canvas.width - 150.0, top: canvas.top + 6.0 + references, bottom: canvas.bottom - 26.0 };
        let scale = Scale::round(0.0, self.top_value().max(1e-9), if canvas.is_narrow() { 2.0 } else { 5.0 }, frame.left, frame.right);
        draw_values_below(canvas, &frame, &scale, self.unit);
        for (i, bar) in self.bars.iter().enumerate() {
            draw_bar(canvas, &frame, &scale, (self.unit, frame.top + i as f64 * ROW), bar);
        }
        for reference in &self.references {
            let x = scale.at(reference.value);
            let stroke = format!("stroke=\"{}\" stroke-width=\"1.5\" stroke-dasharray=\"4 3\"", canvas.palette.lines[1]);
            canvas.path(&format!("M{}V{}", super::canvas::point(x, frame.top - 4.0), frame.bottom.round()), &stroke);
            canvas.words(x, frame.top - 8.0, Anchor::Middle, 11.0, canvas.palette.soft, &reference.label);
        }
    }
}

fn draw_bar(canvas: &mut Canvas, frame: &Frame, scale: &Scale, (unit, y): (Unit, f64), bar: &Bar) {
    let (ink, soft, fill) = (canvas.palette.ink, canvas.palette.soft, canvas.palette.lines[0]);
    canvas.words_within((frame.left - 8.0, y + 15.0), Anchor::End, 12.0, ink, &bar.label, frame.left - 12.0);
    let Some(value) = bar.value else {
        canvas.unknown(frame.left, y + 4.0, frame.right - frame.left, ROW - 8.0);
        canvas.words(frame.right + 8.0, y + 15.0, Anchor::Start, 12.0, soft, "no data");
        return;
    };
    canvas.rect(frame.left, y + 4.0, (scale.at(value) - frame.left).max(0.5), ROW - 8.0, fill);
    let note = if bar.note.is_empty() { String::new() } else { format!(", {}", bar.note) };
    let width = canvas.width - frame.right - 10.0;
    canvas.words_within((frame.right + 8.0, y + 15.0), Anchor::Start, 12.0, soft, &format!("{}{note}", unit.with_unit(value)), width);
}
