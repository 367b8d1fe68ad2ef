//! CSV with named columns, in any order and among others.

use std::borrow::Cow;

use crate::error::Error;

/// A table of which `N` columns are read.
pub(super) struct Table<'a, const N: usize> {
    bytes: &'a [u8],
    reader: csv::Reader<&'a [u8]>,
    record: csv::ByteRecord,
    columns: [usize; N],
}

impl<'a, const N: usize> Table<'a, N> {
    /// Finds the columns by the first line.
    pub(super) fn open(bytes: &'a [u8], origin: &str, names: [&str; N]) -> Result<Self, Error> {
        let error = |reason: String| Error::Table { origin: origin.to_owned(), reason };
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
        let header = reader.byte_headers().map_err(|source| error(source.to_string()))?;
        let mut columns = [0; N];
        for (column, name) in columns.iter_mut().zip(names) {
            *column = header.iter().position(|cell| cell == name.as_bytes()).ok_or_else(|| error(format!("no column {name}")))?;
        }
        Ok(Self { bytes, reader, record: csv::ByteRecord::new(), columns })
    }

    /// The next row that has all columns; `Err` has the line of a bad row and its defect. `None` at the end.
    pub(super) fn next_row(&mut self) -> Option<Result<Row<'_, N>, (u64, String)>> {
        let line = self.reader.position().line();
        match self.reader.read_byte_record(&mut self.record) {
            Ok(false) => return None,
            Err(error) => return Some(Err((line, error.to_string()))),
            Ok(true) => {}
        }
        let line = self.record.position().map_or(line, |position| line_of(self.bytes, position));
        if self.columns.iter().any(|column| self.record.get(*column).is_none()) {
            return Some(Err((line, format!("only {} fields", self.record.len()))));
        }
        Some(Ok(Row { line, record: &self.record, columns: &self.columns }))
    }
}

/// The line on which a row begins. The reader counts from the end of the row before, which with CR LF is before the line feed.
fn line_of(bytes: &[u8], position: &csv::Position) -> u64 {
    let rest = usize::try_from(position.byte()).ok().and_then(|byte| bytes.get(byte..)).unwrap_or_default();
    let breaks = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + breaks.filter(|byte| **byte == b'\n').count() as u64
}

/// One row.
pub(super) struct Row<'a, const N: usize> {
    /// The line on which it begins; the header is on line 1.
    pub(super) line: u64,
    record: &'a csv::ByteRecord,
    columns: &'a [usize; N],
}

impl<'a, const N: usize> Row<'a, N> {
    /// The text of the `i`th of the columns asked for; bytes that are no UTF-8 become U+FFFD.
    pub(super) fn text(&self, i: usize) -> Cow<'a, str> {
        String::from_utf8_lossy(self.record.get(self.columns[i]).unwrap_or_default())
    }
}
