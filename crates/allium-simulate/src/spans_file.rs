//! The spans of a presence pack as a Parquet file: which relay was on which lists, and with which flags.

use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

const SCHEMA: &str = "message spans {
    optional binary fingerprint (STRING);
    optional int32 first_snapshot (INTEGER(32, false));
    optional int32 end_snapshot (INTEGER(32, false));
    optional boolean guard;
    optional boolean exit;
}";

/// A row. Packs have no empty cells; readers must get along with them.
pub trait SpanRow {
    /// The relay.
    fn fingerprint(&self) -> Option<String>;
    /// The first list that shows it so.
    fn first(&self) -> Option<u32>;
    /// The list after the last one.
    fn end(&self) -> Option<u32>;
    /// The flag Guard.
    fn guard(&self) -> Option<bool>;
    /// The flag Exit.
    fn exit(&self) -> Option<bool>;
}

/// Form of a file.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// Compression of every column.
    pub compression: Compression,
    /// Cells that recur are written once.
    pub dictionary: bool,
    /// Rows in a row group.
    pub group_rows: usize,
}

impl Default for Form {
    /// As the real packs.
    fn default() -> Self {
        Self { compression: Compression::ZSTD(ZstdLevel::default()), dictionary: true, group_rows: usize::MAX }
    }
}

/// Writes the file into memory.
///
/// # Errors
/// Errors of the Parquet library; writing into memory meets none.
pub fn spans_file<R: SpanRow>(rows: &[R], form: Form) -> Result<Vec<u8>, ParquetError> {
    let properties = WriterProperties::builder().set_compression(form.compression).set_dictionary_enabled(form.dictionary).build();
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
    for rows in rows.chunks(form.group_rows).chain(rows.is_empty().then_some(rows)) {
        let mut group = writer.next_row_group()?;
        column::<ByteArrayType, R>(&mut group, rows, |row| row.fingerprint().map(|text| ByteArray::from(text.into_bytes())))?;
        column::<Int32Type, R>(&mut group, rows, |row| row.first().map(u32::cast_signed))?;
        column::<Int32Type, R>(&mut group, rows, |row| row.end().map(u32::cast_signed))?;
        column::<BoolType, R>(&mut group, rows, R::guard)?;
        column::<BoolType, R>(&mut group, rows, R::exit)?;
        group.close()?;
    }
    writer.into_inner()
}

/// Writes the next column.
fn column<T: DataType, R>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    rows: &[R],
    cell: impl Fn(&R) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else { return Err(ParquetError::General("no column left".to_owned())) };
    let cells: Vec<Option<T::T>> = rows.iter().map(cell).collect();
    let levels: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
    let values: Vec<T::T> = cells.into_iter().flatten().collect();
    column.typed::<T>().write_batch(&values, Some(&levels), None)?;
    column.close()
}
