//! What a chart draws, as rows and columns: the HTML table and the CSV file.

use std::fmt::Write as _;

use super::unit::Unit;
use crate::error::RequestError;
use crate::format;
use crate::markup::{Html, When};
use crate::text::{Foreign, csv_cell};

/// Rows and columns.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// A column: its name in CSV, its heading on pages, the unit of its numbers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) unit: Unit,
}

impl Column {
    /// A column whose heading follows from its name.
    pub(crate) fn new(label: impl Into<String>, unit: Unit) -> Self {
        let label = label.into();
        let plain = label.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect::<String>();
        Self { name: format!("{}{}", plain.trim_matches('_'), unit.csv_suffix()), label, unit }
    }
}

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
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
    pub(crate) fn number(value: Option<f64>) -> Self {
        value.filter(|v| v.is_finite()).map_or(Self::Missing, Self::Number)
    }

    /// Words with a link where there is one.
    pub(crate) fn linked(label: &str, href: Option<&str>) -> Self {
        href.map_or_else(|| Self::Text(label.to_owned()), |href| Self::Link(label.to_owned(), href.to_owned()))
    }

    fn csv(&self) -> String {
        match self {
            Self::Text(text) | Self::Link(text, _) => csv_cell(text),
            Self::Time(secs) => format::rfc3339(format::at_secs(*secs)),
            Self::Number(number) => number.to_string(),
            Self::Missing => String::new(),
        }
    }

    fn html(&self, unit: Unit) -> Html {
        match self {
            Self::Text(text) => Html::safe(Foreign::long(text)),
            Self::Link(text, href) => Html::link(href, &Html::safe(Foreign::long(text))),
            Self::Time(secs) => Html::safe(When(format::at_secs(*secs))),
            Self::Number(number) => Html::words(unit.text(*number)),
            Self::Missing => Html::unknown(),
        }
    }

    const fn is_number(&self) -> bool {
        matches!(self, Self::Number(_) | Self::Missing)
    }
}

impl Table {
    /// Whether any cell holds a number.
    pub(crate) fn has_numbers(&self) -> bool {
        self.rows.iter().flatten().any(|cell| matches!(cell, Cell::Number(_)))
    }

    /// One header line, `,` between, an empty cell for what is missing.
    pub(crate) fn csv(&self) -> Result<String, RequestError> {
        let header = self.columns.iter().map(|column| csv_cell(&column.name)).collect();
        crate::api::write_csv(header, self.rows.iter().map(|row| row.iter().map(Cell::csv).collect()))
    }

    /// The table as HTML, the first `limit` rows of it.
    pub(crate) fn html(&self, caption: &str, limit: usize) -> String {
        let mut out = String::from("<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table class=\"k\">");
        let _ = write!(out, "<caption>{}</caption><thead><tr>", Html::words(caption));
        for (at, column) in self.columns.iter().enumerate() {
            let label = Html::safe(Foreign::long(&column.label));
            let _ = write!(out, "<th scope=\"col\"{}>{label}{}</th>", self.class(at), column.unit.suffix());
        }
        out.push_str("</tr></thead><tbody>");
        for row in self.rows.iter().take(limit) {
            out.push_str("<tr>");
            for (at, (cell, column)) in row.iter().zip(&self.columns).enumerate() {
                let (open, close) = if at == 0 { ("th scope=\"row\"", "th") } else { ("td", "td") };
                let _ = write!(out, "<{open}{}>{}</{close}>", self.class(at), cell.html(column.unit));
            }
            out.push_str("</tr>");
        }
        out.push_str("</tbody></table></div>");
        out
    }

    /// Columns of numbers are set right.
    fn class(&self, at: usize) -> &'static str {
        let is_numeric = !self.rows.is_empty() && self.rows.iter().all(|row| row.get(at).is_some_and(Cell::is_number));
        if is_numeric { " class=\"n\"" } else { "" }
    }
}
