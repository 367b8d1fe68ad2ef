//! Spans in which relays were running: Parquet, read column by column.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use allium_model::Fingerprint;
use bytes::Bytes;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader as _, RowGroupReader, SerializedFileReader};
use parquet::schema::types::SchemaDescriptor;

use super::rejects::Rejects;
use super::snapshots::List;
use crate::error::Error;

const COLUMNS: [&str; 5] = ["fingerprint", "first_snapshot", "end_snapshot", "guard", "exit"];
/// Rows decoded at a time.
const BATCH_ROWS: usize = 16_384;
/// Rows accepted; two years of the network of 2026 are 0.6 million.
const MAX_ROWS: i64 = 20_000_000;
/// Rows accepted of a file however small, 40 MB in memory. Each further one takes a byte of the file; real packs have more than five
/// for each row, while a dictionary and runs of equal values let some hundred bytes claim any number of rows.
const FREE_ROWS: i64 = 1_000_000;

/// A stretch of snapshots in which a relay was running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The relay.
    pub fingerprint: Fingerprint,
    /// Indexes in [`Pack::snapshots`](super::Pack::snapshots); never empty.
    pub snapshots: Range<u32>,
    /// True if it had the Guard flag in all of them, false if in none.
    pub guard: bool,
    /// The same of the Exit flag.
    pub exit: bool,
}

/// A span and where it comes from.
struct Numbered {
    span: Span,
    row: u32,
}

/// The spans, sorted by relay and time. Of two spans of a relay that overlap the later one is a reject.
pub(super) fn decode(bytes: Vec<u8>, origin: &str, list: &List, rejects: &mut Rejects) -> Result<Vec<Span>, Error> {
    let mut spans = read_guarded(bytes, origin, list, rejects)?;
    let order = |numbered: &Numbered| (numbered.span.fingerprint, numbered.span.snapshots.start, numbered.row);
    if !spans.is_sorted_by_key(order) {
        spans.sort_unstable_by_key(order);
    }
    let mut disjoint: Vec<Span> = Vec::with_capacity(spans.len());
    for Numbered { span, row } in spans {
        let overlaps = |last: &Span| last.fingerprint == span.fingerprint && last.snapshots.end > span.snapshots.start;
        if disjoint.last().is_some_and(overlaps) {
            rejects.add(origin, || format!("row {row}"), Some(span.fingerprint), "it overlaps another span of this relay");
        } else {
            disjoint.push(span);
        }
    }
    Ok(disjoint)
}

/// As [`read`]; the decoder panics on some damaged files (a negative length in the footer), which is an error like any other.
fn read_guarded(bytes: Vec<u8>, origin: &str, list: &List, rejects: &mut Rejects) -> Result<Vec<Numbered>, Error> {
    // What a panic leaves half done is dropped: the error ends the decoding of the pack.
    let outcome = catch_unwind(AssertUnwindSafe(|| read(bytes, origin, list, rejects)));
    outcome.unwrap_or_else(|_| Err(Error::Table { origin: origin.to_owned(), reason: "damaged Parquet".to_owned() }))
}

/// The good rows as they come.
fn read(bytes: Vec<u8>, origin: &str, list: &List, rejects: &mut Rejects) -> Result<Vec<Numbered>, Error> {
    let error = |reason: String| Error::Table { origin: origin.to_owned(), reason };
    let damaged = |source: ParquetError| error(source.to_string());
    let n_bytes = bytes.len();
    let max_rows = MAX_ROWS.min(FREE_ROWS.saturating_add(i64::try_from(n_bytes).unwrap_or(i64::MAX)));
    let too_many = |n_rows: i64| error(format!("{n_rows} rows in {n_bytes} bytes, more than {max_rows}"));
    let file = SerializedFileReader::new(Bytes::from(bytes)).map_err(damaged)?;
    let metadata = file.metadata().file_metadata();
    let columns = find_columns(metadata.schema_descr()).map_err(error)?;
    if metadata.num_rows() > max_rows {
        return Err(too_many(metadata.num_rows()));
    }
    let mut rows = Rows { list, last: None, row: 0, spans: Vec::new(), origin, rejects };
    for i in 0..file.num_row_groups() {
        let group = file.get_row_group(i).map_err(damaged)?;
        let n_rows = usize::try_from(group.metadata().num_rows()).map_err(|_| error(format!("row group {i} has a negative size")))?;
        if n_rows as i64 > max_rows - i64::from(rows.row) {
            return Err(too_many(i64::from(rows.row).saturating_add(n_rows as i64)));
        }
        read_group(group.as_ref(), &columns, n_rows, &mut rows).map_err(|reason| error(format!("row group {i}: {reason}")))?;
    }
    Ok(rows.spans)
}

/// The number of a leaf column, and whether it may hold nulls.
#[derive(Clone, Copy)]
struct Leaf {
    column_idx: usize,
    is_optional: bool,
}

fn find_columns(schema: &SchemaDescriptor) -> Result<[Leaf; 5], String> {
    let mut leaves = [Leaf { column_idx: 0, is_optional: false }; 5];
    for (leaf, name) in leaves.iter_mut().zip(COLUMNS) {
        let is_it = |column: &&parquet::schema::types::ColumnDescPtr| column.path().parts() == [name];
        let column_idx = schema.columns().iter().position(|column| is_it(&column)).ok_or_else(|| format!("no column {name}"))?;
        let column = schema.column(column_idx);
        if column.max_rep_level() != 0 || column.max_def_level() > 1 {
            return Err(format!("column {name} is a list"));
        }
        *leaf = Leaf { column_idx, is_optional: column.max_def_level() == 1 };
    }
    Ok(leaves)
}

fn read_group(group: &dyn RowGroupReader, leaves: &[Leaf; 5], n_rows: usize, rows: &mut Rows<'_>) -> Result<(), String> {
    let open = |i: usize| group.get_column_reader(leaves[i].column_idx).map_err(|source| source.to_string());
    let unexpected = |i: usize| format!("column {} is of another type", COLUMNS[i]);
    let ColumnReader::ByteArrayColumnReader(fingerprint) = open(0)? else { return Err(unexpected(0)) };
    let ColumnReader::Int32ColumnReader(first) = open(1)? else { return Err(unexpected(1)) };
    let ColumnReader::Int32ColumnReader(end) = open(2)? else { return Err(unexpected(2)) };
    let ColumnReader::BoolColumnReader(guard) = open(3)? else { return Err(unexpected(3)) };
    let ColumnReader::BoolColumnReader(exit) = open(4)? else { return Err(unexpected(4)) };
    let mut fingerprints = Column::<ByteArrayType>::new(fingerprint, leaves[0]);
    let (mut firsts, mut ends) = (Column::<Int32Type>::new(first, leaves[1]), Column::<Int32Type>::new(end, leaves[2]));
    let (mut guards, mut exits) = (Column::<BoolType>::new(guard, leaves[3]), Column::<BoolType>::new(exit, leaves[4]));
    let mut n_left = n_rows;
    while n_left > 0 {
        let n = n_left.min(BATCH_ROWS);
        let numbers = firsts.next_cells(n)?.zip(ends.next_cells(n)?);
        let flags = guards.next_cells(n)?.zip(exits.next_cells(n)?);
        for ((fingerprint, (first, end)), (guard, exit)) in fingerprints.next_cells(n)?.zip(numbers).zip(flags) {
            let cells =
                (|| Some(Cells { fingerprint: fingerprint?, snapshots: index(*first?)..index(*end?), guard: *guard?, exit: *exit? }))();
            rows.add(cells);
        }
        n_left -= n;
    }
    Ok(())
}

/// Parquet keeps unsigned numbers in signed columns of the same width.
const fn index(cell: i32) -> u32 {
    cell.cast_unsigned()
}

/// A column of a row group, read batch by batch.
struct Column<T: DataType> {
    reader: ColumnReaderImpl<T>,
    is_optional: bool,
    values: Vec<T::T>,
    levels: Vec<i16>,
}

impl<T: DataType> Column<T> {
    fn new(reader: ColumnReaderImpl<T>, leaf: Leaf) -> Self {
        Self { reader, is_optional: leaf.is_optional, values: Vec::new(), levels: Vec::new() }
    }

    /// The next `n` cells; `None` is a null.
    fn next_cells(&mut self, n: usize) -> Result<impl Iterator<Item = Option<&T::T>>, String> {
        self.values.clear();
        self.levels.clear();
        let levels = self.is_optional.then_some(&mut self.levels);
        let (n_read, ..) = self.reader.read_records(n, levels, None, &mut self.values).map_err(|source| source.to_string())?;
        if n_read != n {
            return Err("a column is shorter than the others".to_owned());
        }
        let mut values = self.values.iter();
        let (levels, is_optional) = (&self.levels, self.is_optional);
        Ok((0..n).map(move |i| if is_optional && levels.get(i) != Some(&1) { None } else { values.next() }))
    }
}

/// A row without nulls.
struct Cells<'a> {
    fingerprint: &'a ByteArray,
    snapshots: Range<u32>,
    guard: bool,
    exit: bool,
}

/// Takes rows in.
struct Rows<'a> {
    list: &'a List,
    /// The fingerprint of the row before: rows of one relay follow each other.
    last: Option<(ByteArray, Fingerprint)>,
    /// Rows so far.
    row: u32,
    spans: Vec<Numbered>,
    origin: &'a str,
    rejects: &'a mut Rejects,
}

impl Rows<'_> {
    fn add(&mut self, cells: Option<Cells<'_>>) {
        self.row += 1;
        let row = self.row;
        match cells.ok_or((None, "a field is empty".to_owned())).and_then(|cells| self.span(&cells)) {
            Ok(Some(span)) => self.spans.push(Numbered { span, row }),
            Ok(None) => {}
            Err((relay, reason)) => self.rejects.add(self.origin, || format!("row {row}"), relay, reason),
        }
    }

    /// `None` if every snapshot of the span is itself a reject.
    fn span(&mut self, cells: &Cells<'_>) -> Result<Option<Span>, (Option<Fingerprint>, String)> {
        let fingerprint = self.fingerprint(cells.fingerprint).map_err(|reason| (None, reason))?;
        let snapshots = self.indexes(&cells.snapshots).map_err(|reason| (Some(fingerprint), reason))?;
        Ok((!snapshots.is_empty()).then_some(Span { fingerprint, snapshots, guard: cells.guard, exit: cells.exit }))
    }

    fn fingerprint(&mut self, cell: &ByteArray) -> Result<Fingerprint, String> {
        if let Some((_, fingerprint)) = self.last.as_ref().filter(|(last, _)| last.data() == cell.data()) {
            return Ok(*fingerprint);
        }
        let text = String::from_utf8_lossy(cell.data());
        let fingerprint: Fingerprint = text.parse().map_err(|error: allium_model::identity::ParseError| error.to_string())?;
        self.last = Some((cell.clone(), fingerprint));
        Ok(fingerprint)
    }

    fn indexes(&self, numbers: &Range<u32>) -> Result<Range<u32>, String> {
        let Range { start, end } = *numbers;
        if start >= end {
            return Err(format!("it ends at {end}, not after its start at {start}"));
        }
        let listed = &self.list.indexes;
        if !listed.contains(&start) || !listed.contains(&(end - 1)) {
            return Err(format!("snapshots {start} to {} are not all within {} to {}", end - 1, listed.start(), listed.end()));
        }
        let index_of = |number: u32| self.list.snapshots.partition_point(|snapshot| snapshot.index < number) as u32;
        Ok(index_of(start)..index_of(end))
    }
}
