//! A table as CSV: a header, RFC 3339 instants in UTC, `true` and `false`, and nothing where a cell is null.
//!
//! Text that strangers wrote is inert: no cell is a formula, and characters that deceive are written as their code point.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use allium_words::inert::csv_cell;
use anyhow::Context as _;

use super::table::{Cell, Column, Sink};

/// A file that is being written.
pub(super) struct CsvFile {
    writer: csv::Writer<BufWriter<File>>,
}

impl CsvFile {
    pub(super) fn create(path: &Path, columns: &[Column]) -> anyhow::Result<Self> {
        let mut writer = csv::Writer::from_writer(BufWriter::new(File::create_new(path)?));
        writer.write_record(columns.iter().map(|column| column.name))?;
        Ok(Self { writer })
    }
}

impl Sink for CsvFile {
    fn row(&mut self, cells: &[Cell<'_>]) -> anyhow::Result<()> {
        for cell in cells {
            match cell {
                Cell::Null => self.writer.write_field("")?,
                Cell::Text(text) => self.writer.write_field(csv_cell(text))?,
                Cell::Time(hour) => self.writer.write_field(hour.to_string())?,
                Cell::Instant(at) => self.writer.write_field(at.to_string())?,
                Cell::Flag(held) => self.writer.write_field(if *held { "true" } else { "false" })?,
                Cell::Number(number) => self.writer.write_field(number.to_string())?,
                // As short as it can be read back exactly, and never mistaken for a whole number.
                Cell::Real(number) => self.writer.write_field(format!("{number:?}"))?,
            }
        }
        Ok(self.writer.write_record(None::<&[u8]>)?)
    }

    fn finish(self: Box<Self>) -> anyhow::Result<()> {
        // The error of the writer holds the writer, which is no cause.
        let buffer = self.writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
        let file = buffer.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.sync_all().context("cannot write it to the disk")
    }
}
