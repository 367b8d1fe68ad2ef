//! Spans written as text, as a Parquet file.

use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int32Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

/// Form in which a file is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    pub(crate) compression: Compression,
    pub(crate) dictionary: bool,
    /// Rows in a row group.
    pub(crate) group_rows: usize,
}

impl Default for Form {
    /// As the real packs.
    fn default() -> Self {
        Self { compression: Compression::ZSTD(ZstdLevel::default()), dictionary: true, group_rows: usize::MAX }
    }
}

const SCHEMA: &str = "message spans {
    optional binary fingerprint (STRING);
    optional int32 first_snapshot (INTEGER(32, false));
    optional int32 end_snapshot (INTEGER(32, false));
    optional boolean guard;
    optional boolean exit;
}";

/// The rows of a CSV text with header; an empty cell is a null.
pub(crate) fn spans_as_parquet(text: &str, form: Form) -> Vec<u8> {
    let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let properties = WriterProperties::builder().set_compression(form.compression).set_dictionary_enabled(form.dictionary).build();
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).unwrap();
    for rows in rows.chunks(form.group_rows.min(rows.len())) {
        let mut group = writer.next_row_group().unwrap();
        let column = |i: usize| rows.iter().map(move |row| Some(row[i]).filter(|cell| !cell.is_empty()));
        write::<ByteArrayType>(&mut group, column(0).map(|cell| cell.map(ByteArray::from)));
        for i in [1, 2] {
            write::<Int32Type>(&mut group, column(i).map(|cell| cell.map(|cell| cell.parse::<u32>().unwrap().cast_signed())));
        }
        for i in [3, 4] {
            write::<BoolType>(&mut group, column(i).map(|cell| cell.map(|cell| cell == "true")));
        }
        group.close().unwrap();
    }
    writer.into_inner().unwrap()
}

fn write<T: DataType>(group: &mut SerializedRowGroupWriter<'_, Vec<u8>>, cells: impl Iterator<Item = Option<T::T>>) {
    let cells: Vec<Option<T::T>> = cells.collect();
    let levels: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
    let values: Vec<T::T> = cells.into_iter().flatten().collect();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<T>().write_batch(&values, Some(&levels), None).unwrap();
    column.close().unwrap();
}
