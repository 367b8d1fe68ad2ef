//! Tables, independent of the format in which they are written.

use std::ops::ControlFlow;

use allium_model::{ConsensusHour, Fraction, Timestamp};

/// A column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// True if cells may be [`Cell::Null`].
    pub(super) optional: bool,
}

/// Type of the cells of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// An instant: UTC.
    Time,
    Flag,
    /// A whole number.
    Number,
    /// A number with a fraction.
    Real,
}

/// A value in a row; of the kind of its column or nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'a> {
    Null,
    Text(&'a str),
    Time(ConsensusHour),
    /// A time that need be no whole hour.
    Instant(Timestamp),
    Flag(bool),
    Number(i64),
    Real(f64),
}

/// A file that takes the rows of a table.
pub(super) trait Sink {
    /// Adds a row with one cell per column.
    fn row(&mut self, cells: &[Cell<'_>]) -> anyhow::Result<()>;

    /// Writes what is left, through to the disk.
    fn finish(self: Box<Self>) -> anyhow::Result<()>;
}

/// Lets a question to the store give its answers to a table, until one cannot be written.
pub(super) fn until_it_fails(
    ask: impl FnOnce(&mut dyn FnMut(anyhow::Result<()>) -> ControlFlow<()>) -> Result<(), allium_history::Error>,
) -> anyhow::Result<()> {
    let mut written = Ok(());
    ask(&mut |outcome| {
        written = outcome;
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    written
}

impl Column {
    pub(super) const fn required(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, optional: false }
    }

    pub(super) const fn optional(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, optional: true }
    }
}

impl<'a> Cell<'a> {
    /// Absent and empty text are one: nothing.
    pub(super) fn text(text: Option<&'a str>) -> Self {
        text.filter(|text| !text.is_empty()).map_or(Self::Null, Self::Text)
    }

    pub(super) fn time(hour: Option<ConsensusHour>) -> Self {
        hour.map_or(Self::Null, Self::Time)
    }

    pub(super) fn number(number: Option<u32>) -> Self {
        number.map_or(Self::Null, |number| Self::Number(number.into()))
    }

    /// A count; those beyond what signed numbers hold cannot come from a store.
    pub(super) const fn count(count: u64) -> Self {
        Self::Number(count.cast_signed())
    }
    pub(super) fn real(number: Option<f64>) -> Self {
        // -0 + 0 is 0, and every other number stays as it is.
        number.map_or(Self::Null, |number| Self::Real(number + 0.0))
    }

    pub(super) fn share(share: Option<Fraction>) -> Self {
        Self::real(share.map(Fraction::get))
    }
}
