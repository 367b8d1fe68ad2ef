//! Flows between states: states of the beginning at the left, of the end at the right, streams as wide as their number.

use serde::Serialize;

use crate::canvas::{Anchor, Canvas, point};
use crate::table::{Cell, Column, Table};
use crate::unit::Unit;
use allium_words::format;

const HEIGHT: f64 = 360.0;
const GAP: f64 = 14.0;

/// Streams between two moments.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flow {
    /// Name of what flows, such as "Relays".
    pub of: String,
    /// Time at which the left states hold, in words.
    pub from: String,
    /// Time at which the right states hold, in words.
    pub to: String,
    /// The states in their order, the same on both sides.
    pub states: Vec<String>,
    /// Streams that carry anything.
    pub streams: Vec<Stream>,
}

/// A stream from state to state, by their indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Stream {
    /// Index of the state before.
    pub from: usize,
    /// Index of the state after.
    pub to: usize,
    /// Number of values behind it.
    pub n: u64,
}

impl Flow {
    pub(crate) fn table(&self) -> Table {
        let columns = vec![
            Column { name: "from".to_owned(), label: format!("State {}", self.from), unit: Unit::Number },
            Column { name: "to".to_owned(), label: format!("State {}", self.to), unit: Unit::Number },
            Column::new(self.of.clone(), Unit::Count),
        ];
        let state = |at: usize| Cell::Text(self.states.get(at).cloned().unwrap_or_default());
        let row = |stream: &Stream| vec![state(stream.from), state(stream.to), Cell::Number(stream.n as f64)];
        Table { columns, rows: self.streams.iter().map(row).collect() }
    }

    pub(crate) const fn height(&self) -> f64 {
        HEIGHT
    }

    pub(crate) fn draw(&self, canvas: &mut Canvas) {
        let label = if canvas.is_narrow() { 92.0 } else { 180.0 };
        let (left, right, top) = (label, canvas.width - label, canvas.top + 28.0);
        let total: u64 = self.streams.iter().map(|stream| stream.n).sum();
        let used = self.states.len().saturating_sub(1) as f64 * GAP;
        let scale = (canvas.bottom - top - 12.0 - used) / total.max(1) as f64;
        let (soft, ink) = (canvas.palette.soft, canvas.palette.ink);
        canvas.words(4.0, top - 12.0, Anchor::Start, 11.0, soft, &self.from);
        canvas.words(canvas.width - 4.0, top - 12.0, Anchor::End, 11.0, soft, &self.to);
        let sums = |side: fn(&Stream) -> usize| self.sums(side);
        let (mut starts, mut ends) = (stacked(&sums(|s| s.from), top, scale), stacked(&sums(|s| s.to), top, scale));
        for (side, x, anchor, tops) in [(sums(|s| s.from), left, Anchor::End, &starts), (sums(|s| s.to), right, Anchor::Start, &ends)] {
            for ((state, n), y) in self.states.iter().zip(side).zip(tops).filter(|((_, n), _)| *n > 0) {
                // The number stands first, where a narrow picture does not cut it off.
                let words = format!("{} {state}", format::count(n));
                let at = if anchor == Anchor::End { x - 6.0 } else { x + 14.0 };
                canvas.rect(x, *y, 8.0, (n as f64 * scale).max(1.0), ink);
                canvas.words_within((at, y + (n as f64 * scale / 2.0) + 4.0), anchor, 12.0, ink, &words, label - 18.0);
            }
        }
        for stream in &self.streams {
            let thickness = stream.n as f64 * scale;
            let (Some(from), Some(to)) = (starts.get_mut(stream.from), ends.get_mut(stream.to)) else { continue };
            let colour = canvas.palette.lines[stream.from % 4];
            canvas.path(&ribbon((left + 8.0, *from), (right, *to), thickness.max(0.6)), &format!("fill=\"{colour}\" fill-opacity=\"0.4\""));
            (*from, *to) = (*from + thickness, *to + thickness);
        }
    }

    fn sums(&self, side: fn(&Stream) -> usize) -> Vec<u64> {
        (0..self.states.len()).map(|state| self.streams.iter().filter(|s| side(s) == state).map(|s| s.n).sum()).collect()
    }
}

/// The tops of blocks of these sizes below each other.
fn stacked(sums: &[u64], top: f64, scale: f64) -> Vec<f64> {
    let heights = sums.iter().map(|n| if *n > 0 { *n as f64 * scale + GAP } else { 0.0 });
    heights.scan(top, |at, height| Some(std::mem::replace(at, *at + height))).collect()
}

fn ribbon(from: (f64, f64), to: (f64, f64), thickness: f64) -> String {
    let middle = f64::midpoint(from.0, to.0);
    let curve = |y0: f64, x1: f64, y1: f64| format!("C{} {} {}", point(middle, y0), point(middle, y1), point(x1, y1));
    format!(
        "M{}{}L{}{}z",
        point(from.0, from.1),
        curve(from.1, to.0, to.1),
        point(to.0, to.1 + thickness),
        curve(to.1 + thickness, from.0, from.1 + thickness)
    )
}
