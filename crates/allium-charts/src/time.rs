//! Lines over time: values of equal, adjacent intervals, bands around them, events with links.
//!
//! All lines share one grid of intervals, so that the table has one row per interval. Where no line has a value nobody
//! measured, and the picture is hatched.

use serde::Serialize;

use crate::axes::{Frame, Scale, draw_times, draw_values};
use crate::canvas::{Anchor, Canvas, point, text_width};
use crate::palette::DASHES;
use crate::table::{Cell, Column, Table};
use crate::unit::Unit;

/// Lines over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Time {
    /// Unit of the values.
    pub unit: Unit,
    /// Start of each interval and end of the last, in seconds since 1970-01-01T00:00:00Z: one more than there are values.
    pub edges: Vec<i64>,
    /// At most four have colours of their own; further ones repeat them.
    pub lines: Vec<Line>,
    /// Bands, drawn below the lines.
    pub bands: Vec<Band>,
    /// Marks below the lines.
    pub events: Vec<Event>,
    /// True if the axis starts at zero; otherwise it starts below the lowest value.
    pub from_zero: bool,
}

/// A line: one value per interval.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Words beside it.
    pub label: String,
    /// One value per interval; `None` where nobody measured.
    pub values: Vec<Option<f64>>,
}

/// A band: a lower and an upper value per interval, such as quantiles or a prediction interval.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Band {
    /// Words beside it.
    pub label: String,
    /// Lower limit per interval.
    pub low: Vec<Option<f64>>,
    /// Upper limit per interval.
    pub high: Vec<Option<f64>>,
}

/// Something that happened: a mark below the lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// First second, since 1970-01-01T00:00:00Z.
    pub start_secs: i64,
    /// Second after the last, since 1970-01-01T00:00:00Z.
    pub end_secs: i64,
    /// Words beside it.
    pub label: String,
    /// Address of its page.
    pub href: Option<String>,
}

impl Time {
    /// Lines without bands and events, whose axis starts at zero.
    pub const fn new(unit: Unit, edges: Vec<i64>, lines: Vec<Line>) -> Self {
        Self { unit, edges, lines, bands: Vec::new(), events: Vec::new(), from_zero: true }
    }

    pub(crate) fn table(&self) -> Table {
        let column = |label: &str| Column::new(label, self.unit);
        let mut columns = vec![Column::new("Start", Unit::Number), Column::new("End", Unit::Number)];
        columns.extend(self.lines.iter().map(|line| column(&line.label)));
        columns.extend(self.bands.iter().flat_map(|b| [column(&format!("{}, low", b.label)), column(&format!("{}, high", b.label))]));
        let row = |i: usize| {
            let value = |values: &Vec<Option<f64>>| Cell::number(values.get(i).copied().flatten());
            let times = [Cell::Time(self.edges[i]), Cell::Time(self.edges[i + 1])];
            let lines = self.lines.iter().map(|line| value(&line.values));
            times.into_iter().chain(lines).chain(self.bands.iter().flat_map(|band| [value(&band.low), value(&band.high)])).collect()
        };
        Table { columns, rows: (0..self.n()).map(row).collect() }
    }

    fn n(&self) -> usize {
        self.edges.len().saturating_sub(1)
    }

    fn span(&self) -> (i64, i64) {
        (self.edges.first().copied().unwrap_or(0), self.edges.last().copied().unwrap_or(1))
    }

    /// The lowest and the highest value.
    fn extent(&self) -> (f64, f64) {
        let bands = self.bands.iter().flat_map(|band| band.low.iter().chain(&band.high));
        let values = self.lines.iter().flat_map(|line| &line.values).chain(bands).flatten();
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)));
        if low > high { (0.0, 1.0) } else { (low, high) }
    }

    fn value_scale(&self, frame: &Frame) -> Scale {
        let (low, high) = self.extent();
        let (low, high) = match self.unit {
            // Shares end at 1 wherever they come near it.
            Unit::Share if high > 0.5 => (if self.from_zero { 0.0 } else { low.min(0.98) }, 1.0),
            _ if self.from_zero => (low.min(0.0), high.max(if self.unit == Unit::Count { 1.0 } else { 1e-6 })),
            _ if low == high => (low - 0.5, high + 0.5),
            _ => (low, high),
        };
        Scale::round(low, high, 4.0, frame.bottom, frame.top)
    }

    pub(crate) fn draw(&self, canvas: &mut Canvas) {
        let frame = self.frame(canvas);
        let (from, to) = self.span();
        let time = Scale::exact(from as f64, to as f64, frame.left, frame.right);
        let values = self.value_scale(&frame);
        self.draw_unknown(canvas, &frame, &time);
        draw_values(canvas, &frame, &values, self.unit);
        draw_times(canvas, &frame, from, to);
        self.bands.iter().for_each(|band| draw_band(canvas, band, &self.edges, (&time, &values)));
        for (i, line) in self.lines.iter().enumerate() {
            let d = self.line_path(line, &time, &values);
            let (colour, dash) = (canvas.palette.lines[i % 4], DASHES[i % 4]);
            let dash = if dash.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dash}\"") };
            canvas.path(&d, &format!("fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.6\" stroke-linejoin=\"round\"{dash}"));
        }
        self.draw_labels(canvas, &frame, &values);
        self.draw_events(canvas, &time);
    }

    fn frame(&self, canvas: &Canvas) -> Frame {
        let widest = self.lines.iter().map(|line| text_width(&line.label, 12.0)).fold(0.0, f64::max);
        let right = if self.lines.len() < 2 { 16.0 } else { (widest + 20.0).min(canvas.width * 0.3) };
        let events = if self.events.is_empty() { 0.0 } else { 12.0 };
        Frame { left: 60.0, right: canvas.width - right, top: canvas.top + 20.0, bottom: canvas.bottom - 28.0 - events }
    }

    /// Hatches where no line has a value.
    fn draw_unknown(&self, canvas: &mut Canvas, frame: &Frame, time: &Scale) {
        let missing = |i: &usize| self.lines.iter().all(|line| line.values.get(*i).copied().flatten().is_none());
        let all: Vec<bool> = (0..self.n()).map(|i| missing(&i)).collect();
        let mut i = 0;
        while i < all.len() {
            let end = (i..all.len()).find(|j| all[*j] != all[i]).unwrap_or(all.len());
            if all[i] {
                let (x, to) = (time.at(self.edges[i] as f64), time.at(self.edges[end] as f64));
                canvas.unknown(x, frame.top, to - x, frame.bottom - frame.top);
            }
            i = end;
        }
    }

    /// A line through the middles of its intervals, broken at gaps; a lone value becomes a short stroke.
    fn line_path(&self, line: &Line, time: &Scale, values: &Scale) -> String {
        let mut d = String::new();
        let value = |i: usize| line.values.get(i).copied().flatten().filter(|v| v.is_finite());
        for i in 0..self.n() {
            let Some(v) = value(i) else { continue };
            let (x, y) = (time.at((self.edges[i] + self.edges[i + 1]) as f64 / 2.0), values.at(v));
            let follows = i > 0 && value(i - 1).is_some();
            d.push_str(if follows { "L" } else { "M" });
            d.push_str(&point(x, y));
            if !follows && value(i + 1).is_none() {
                d.push_str("h1.5");
            }
        }
        d
    }

    /// Names at the ends of lines, moved apart where they would touch.
    fn draw_labels(&self, canvas: &mut Canvas, frame: &Frame, values: &Scale) {
        if self.lines.len() < 2 {
            return;
        }
        let last = |line: &Line| line.values.iter().rev().flatten().next().copied();
        let mut ends: Vec<(f64, usize)> = self.lines.iter().enumerate().filter_map(|(i, l)| last(l).map(|v| (values.at(v), i))).collect();
        ends.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut lowest = frame.top - 14.0;
        for (y, i) in ends {
            let y = y.max(lowest + 14.0).min(frame.bottom + 14.0);
            lowest = y;
            let colour = canvas.palette.lines[i % 4];
            let width = canvas.width - frame.right - 10.0;
            canvas.words_within((frame.right + 8.0, y + 4.0), Anchor::Start, 12.0, colour, &self.lines[i].label, width);
        }
    }

    /// A row of marks below the axis.
    fn draw_events(&self, canvas: &mut Canvas, time: &Scale) {
        let (down, y) = (canvas.palette.lines[1], canvas.bottom - 10.0);
        for event in &self.events {
            let (x, to) = (time.at(event.start_secs as f64), time.at(event.end_secs as f64));
            canvas.rect(x, y, (to - x).max(2.0), 6.0, down);
        }
    }
}

fn draw_band(canvas: &mut Canvas, band: &Band, edges: &[i64], (time, values): (&Scale, &Scale)) {
    let both = |i: usize| band.low.get(i).copied().flatten().zip(band.high.get(i).copied().flatten());
    let n = edges.len().saturating_sub(1);
    let colour = canvas.palette.lines[0];
    let mut i = 0;
    while i < n {
        let end = (i..n).find(|j| both(*j).is_none()).unwrap_or(n);
        let middle = |j: usize| time.at((edges[j] + edges[j + 1]) as f64 / 2.0);
        let upper = (i..end).filter_map(|j| both(j).map(|(_, high)| point(middle(j), values.at(high))));
        let lower = (i..end).rev().filter_map(|j| both(j).map(|(low, _)| point(middle(j), values.at(low))));
        let outline: Vec<String> = upper.chain(lower).collect();
        if !outline.is_empty() {
            canvas.path(&format!("M{}z", outline.join("L")), &format!("fill=\"{colour}\" fill-opacity=\"0.18\""));
        }
        i = end + 1;
    }
}
