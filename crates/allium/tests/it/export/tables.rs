//! Tables of both formats as text: RFC 3339 instants, `true` and `false`, nothing where a cell is null.

use std::fs::File;
use std::path::Path;

use allium_model::Timestamp;
use allium_words::inert::csv_cell;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;

/// A table.
pub(crate) struct Table {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    /// The cell of a row in a column.
    pub(crate) fn cell<'a>(&self, row: &'a [String], column: &str) -> &'a String {
        &row[self.columns.iter().position(|name| name == column).unwrap()]
    }
}

/// A CSV file.
pub(crate) fn read_csv(path: &Path) -> Table {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let texts = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
    let columns = texts(reader.headers().unwrap());
    Table { columns, rows: reader.records().map(|record| texts(&record.unwrap())).collect() }
}

/// A Parquet file with text as it is in CSV.
pub(crate) fn read_parquet(path: &Path) -> Table {
    read(path, csv_cell)
}

/// A Parquet file with text as it is.
pub(crate) fn read_parquet_exactly(path: &Path) -> Table {
    read(path, str::to_owned)
}

fn read(path: &Path, text: impl Fn(&str) -> String) -> Table {
    let file = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let columns = file.metadata().file_metadata().schema().get_fields().iter().map(|field| field.name().to_owned()).collect();
    let cells = |row: parquet::record::Row| row.get_column_iter().map(|(_, field)| cell(field, &text)).collect();
    let rows = file.get_row_iter(None).unwrap().map(|row| cells(row.unwrap())).collect();
    Table { columns, rows }
}

fn cell(field: &Field, text: impl Fn(&str) -> String) -> String {
    match field {
        Field::Null => String::new(),
        Field::Str(value) => text(value),
        Field::Bool(value) => value.to_string(),
        Field::Long(value) => value.to_string(),
        Field::Double(value) => format!("{value:?}"),
        Field::TimestampMicros(value) => Timestamp::from_microsecond(*value).unwrap().to_string(),
        other => panic!("no column has cells such as {other:?}"),
    }
}
