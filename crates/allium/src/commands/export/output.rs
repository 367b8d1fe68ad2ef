//! A table on its way to a file of the format that is asked for.

use std::path::Path;

use super::csv_file::CsvFile;
use super::parquet_file::ParquetFile;
use super::table::{Cell, Column, Sink};
use crate::cli::TableFormat;

/// A table whose file appears with its first row: programs that guess types from a file of no rows guess wrong.
pub(super) struct Table<'a> {
    dir: &'a Path,
    name: &'static str,
    columns: &'static [Column],
    format: TableFormat,
    file: Option<Box<dyn Sink>>,
    n_rows: u64,
}

impl<'a> Table<'a> {
    pub(super) fn new(dir: &'a Path, name: &'static str, columns: &'static [Column], format: TableFormat) -> Self {
        Self { dir, name, columns, format, file: None, n_rows: 0 }
    }

    /// Makes the file, with or without rows.
    pub(super) fn open(&mut self) -> anyhow::Result<&mut Box<dyn Sink>> {
        let (name, columns) = (self.name, self.columns);
        Ok(match (&mut self.file, self.format) {
            (Some(file), _) => file,
            (file, TableFormat::Parquet) => {
                let path = self.dir.join(format!("{name}.parquet"));
                file.insert(Box::new(ParquetFile::create(&path, name, columns)?))
            }
            (file, TableFormat::Csv) => file.insert(Box::new(CsvFile::create(&self.dir.join(format!("{name}.csv")), columns)?)),
        })
    }

    /// Adds a row with one cell per column.
    pub(super) fn row(&mut self, cells: &[Cell<'_>]) -> anyhow::Result<()> {
        self.n_rows += 1;
        self.open()?.row(cells)
    }

    /// Brings it to the disk; returns how many rows it has.
    pub(super) fn finish(self) -> anyhow::Result<u64> {
        if let Some(file) = self.file {
            file.finish()?;
        }
        Ok(self.n_rows)
    }
}
