//! The spans of a pack, written as text, as a Parquet file.

pub use allium_simulate::spans_file::Form;
use allium_simulate::spans_file::{SpanRow, spans_file};

/// Cells of a line; an empty one is a null.
struct Line<'a>(Vec<&'a str>);

impl Line<'_> {
    fn cell(&self, column: usize) -> Option<&str> {
        Some(self.0[column]).filter(|cell| !cell.is_empty())
    }
}

impl SpanRow for Line<'_> {
    fn fingerprint(&self) -> Option<String> {
        self.cell(0).map(str::to_owned)
    }

    fn first(&self) -> Option<u32> {
        self.cell(1).map(|cell| cell.parse().unwrap())
    }

    fn end(&self) -> Option<u32> {
        self.cell(2).map(|cell| cell.parse().unwrap())
    }

    fn guard(&self) -> Option<bool> {
        self.cell(3).map(|cell| cell == "true")
    }

    fn exit(&self) -> Option<bool> {
        self.cell(4).map(|cell| cell == "true")
    }
}

/// Writes the rows of a CSV text with header as a Parquet file.
///
/// # Panics
/// A line has fewer than five cells, or a list is not a number.
pub fn spans_as_parquet(text: &str, form: Form) -> Vec<u8> {
    let rows: Vec<Line<'_>> = text.lines().skip(1).map(|line| Line(line.split(',').collect())).collect();
    spans_file(&rows, form).unwrap()
}
