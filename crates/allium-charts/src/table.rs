//! The values of a chart as rows and columns, from which the HTML table and the CSV file are made.

use allium_words::csv::to_csv;
use allium_words::format;
use allium_words::inert::csv_cell;

use crate::error::Error;
use crate::unit::Unit;

/// Rows and columns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// The columns, from left to right.
    pub columns: Vec<Column>,
    /// The rows, from top to bottom.
    pub rows: Vec<Vec<Cell>>,
}

/// A column: its name in CSV, its heading on pages, the unit of its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Words beside it.
    pub label: String,
    /// Unit of the values.
    pub unit: Unit,
}

impl Column {
    /// A column whose heading follows from its name.
    pub fn new(label: impl Into<String>, unit: Unit) -> Self {
        let label = label.into();
        let plain = label.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect::<String>();
        Self { name: format!("{}{}", plain.trim_matches('_'), unit.csv_suffix()), label, unit }
    }
}

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Words, possibly a stranger's.
    Text(String),
    /// Words that lead somewhere on this site.
    Link(String, String),
    /// An instant in seconds since 1970-01-01T00:00:00Z.
    Time(i64),
    /// A number in the unit of its column.
    Number(f64),
    /// Nobody measured.
    Missing,
}

impl Cell {
    /// A number, or nothing.
    pub fn number(value: Option<f64>) -> Self {
        value.filter(|v| v.is_finite()).map_or(Self::Missing, Self::Number)
    }

    /// Words with a link where there is one.
    pub fn linked(label: &str, href: Option<&str>) -> Self {
        href.map_or_else(|| Self::Text(label.to_owned()), |href| Self::Link(label.to_owned(), href.to_owned()))
    }

    fn csv(&self) -> String {
        match self {
            Self::Text(text) | Self::Link(text, _) => csv_cell(text),
            Self::Time(secs) => format::rfc3339(format::at_secs(*secs)),
            Self::Number(number) => format::plain(*number),
            Self::Missing => String::new(),
        }
    }

    const fn is_number(&self) -> bool {
        matches!(self, Self::Number(_) | Self::Missing)
    }
}

impl Table {
    /// True if any cell holds a number.
    pub(crate) fn has_numbers(&self) -> bool {
        self.rows.iter().flatten().any(|cell| matches!(cell, Cell::Number(_)))
    }

    /// One header line, `,` between, an empty cell for what is missing.
    ///
    /// # Errors
    /// If a row has another number of cells than there are columns.
    pub fn csv(&self) -> Result<String, Error> {
        let header = self.columns.iter().map(|column| csv_cell(&column.name)).collect();
        Ok(to_csv(header, self.rows.iter().map(|row| row.iter().map(Cell::csv).collect()))?)
    }

    /// True where every cell of a column is a number or missing: such columns are set right.
    pub fn is_numeric(&self, at: usize) -> bool {
        !self.rows.is_empty() && self.rows.iter().all(|row| row.get(at).is_some_and(Cell::is_number))
    }
}
