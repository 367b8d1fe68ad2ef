//! A table as Parquet: typed columns, compressed with zstd, in row groups of a bounded number of rows.
//!
//! Text is exact. Instants are microseconds since 1970-01-01T00:00:00Z, marked as UTC.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::table::{Cell, Column, Kind, Sink};

/// Rows held in memory and written as one group.
const GROUP_ROWS: usize = 65_536;
/// Version of `docs/export.md` that is written into files.
const FORMAT: (&str, &str) = ("allium.export", "1");
const MICROS_PER_SEC: i64 = 1_000_000;

/// A file that is being written.
pub(super) struct ParquetFile {
    writer: SerializedFileWriter<BufWriter<File>>,
    columns: Vec<Buffer>,
    n_rows: usize,
}

impl ParquetFile {
    pub(super) fn create(path: &Path, name: &str, columns: &'static [Column]) -> anyhow::Result<Self> {
        let schema = Arc::new(parse_message_type(&schema(name, columns))?);
        let (key, version) = FORMAT;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_key_value_metadata(Some(vec![KeyValue::new(key.to_owned(), version.to_owned())]))
            .build();
        let writer = SerializedFileWriter::new(BufWriter::new(File::create_new(path)?), schema, Arc::new(properties))?;
        Ok(Self { writer, columns: columns.iter().map(Buffer::of).collect(), n_rows: 0 })
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        if self.n_rows == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.columns {
            column.write(&mut group)?;
        }
        group.close()?;
        self.n_rows = 0;
        Ok(())
    }
}

impl Sink for ParquetFile {
    fn row(&mut self, cells: &[Cell<'_>]) -> anyhow::Result<()> {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.push(*cell)?;
        }
        self.n_rows += 1;
        if self.n_rows == GROUP_ROWS { self.flush() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> anyhow::Result<()> {
        self.flush()?;
        let file = self.writer.into_inner()?.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.sync_all().context("cannot write it to the disk")
    }
}

/// The schema in Parquet's own language.
fn schema(name: &str, columns: &[Column]) -> String {
    let column = |column: &Column| {
        let presence = if column.optional { "optional" } else { "required" };
        let (kind, logical) = match column.kind {
            Kind::Text => ("binary", " (STRING)"),
            Kind::Time => ("int64", " (TIMESTAMP(MICROS,true))"),
            Kind::Flag => ("boolean", ""),
            Kind::Number => ("int64", ""),
            Kind::Real => ("double", ""),
        };
        format!("{presence} {kind} {}{logical};", column.name)
    };
    format!("message {name} {{ {} }}", columns.iter().map(column).collect::<Vec<_>>().join(" "))
}

/// The cells of a column that are not written yet.
struct Buffer {
    column: Column,
    values: Values,
    /// One per row: 1 where there is a value. Not used where every row has one.
    levels: Vec<i16>,
}

enum Values {
    Text(Vec<ByteArray>),
    Flag(Vec<bool>),
    Number(Vec<i64>),
    Real(Vec<f64>),
}

impl Buffer {
    fn of(column: &Column) -> Self {
        let values = match column.kind {
            Kind::Text => Values::Text(Vec::new()),
            Kind::Flag => Values::Flag(Vec::new()),
            Kind::Time | Kind::Number => Values::Number(Vec::new()),
            Kind::Real => Values::Real(Vec::new()),
        };
        Self { column: *column, values, levels: Vec::new() }
    }

    fn push(&mut self, cell: Cell<'_>) -> anyhow::Result<()> {
        match (&mut self.values, cell) {
            (_, Cell::Null) => ensure!(self.column.optional, "column {} has no value in some row", self.column.name),
            (Values::Text(values), Cell::Text(text)) => values.push(ByteArray::from(text)),
            (Values::Flag(values), Cell::Flag(held)) => values.push(held),
            (Values::Number(values), Cell::Number(number)) => values.push(number),
            (Values::Number(values), Cell::Time(hour)) => values.push(hour.start_secs() * MICROS_PER_SEC),
            (Values::Number(values), Cell::Instant(at)) => values.push(at.as_microsecond()),
            (Values::Real(values), Cell::Real(number)) => values.push(number),
            (_, cell) => anyhow::bail!("column {} cannot hold {cell:?}", self.column.name),
        }
        self.levels.push(i16::from(cell != Cell::Null));
        Ok(())
    }

    /// Writes the cells as the next column of the group, and forgets them.
    fn write<W: std::io::Write + Send>(&mut self, group: &mut SerializedRowGroupWriter<'_, W>) -> anyhow::Result<()> {
        let levels = self.column.optional.then_some(&self.levels[..]);
        match &mut self.values {
            Values::Text(values) => write::<ByteArrayType, W>(group, values, levels)?,
            Values::Flag(values) => write::<BoolType, W>(group, values, levels)?,
            Values::Number(values) => write::<Int64Type, W>(group, values, levels)?,
            Values::Real(values) => write::<DoubleType, W>(group, values, levels)?,
        }
        self.levels.clear();
        Ok(())
    }
}

fn write<T: DataType, W: std::io::Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &mut Vec<T::T>,
    levels: Option<&[i16]>,
) -> anyhow::Result<()> {
    let mut column = group.next_column()?.context("more columns than the schema has")?;
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()?;
    values.clear();
    Ok(())
}
