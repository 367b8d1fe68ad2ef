//! The table: one line per attack.

use std::io::Write as _;

/// Outcome of an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Held,
    Fault,
    /// It could not be carried out here.
    Skipped,
}

/// An attack, what may come of it at most, and what came of it.
#[derive(Debug)]
pub(crate) struct Row {
    attack: String,
    limit: String,
    figure: String,
    outcome: Outcome,
}

impl Row {
    /// A row that is held or not.
    pub(crate) fn new(attack: &str, limit: &str, figure: String, held: bool) -> Self {
        let outcome = if held { Outcome::Held } else { Outcome::Fault };
        Self { attack: attack.to_owned(), limit: limit.to_owned(), figure, outcome }
    }

    /// A row of an attack that cannot be carried out here.
    pub(crate) fn skipped(attack: &str, limit: &str, reason: &str) -> Self {
        Self { attack: attack.to_owned(), limit: limit.to_owned(), figure: reason.to_owned(), outcome: Outcome::Skipped }
    }

    /// A row of an attack during which something unforeseen happened: a fault.
    pub(crate) fn broken(attack: &str, error: &anyhow::Error) -> Self {
        Self::new(attack, "carried out to its end", format!("{error:#}"), false)
    }
}

/// The lines that were printed.
#[derive(Debug, Default)]
pub(crate) struct Table {
    n_held: usize,
    n_faults: usize,
    n_skipped: usize,
}

impl Table {
    /// A table with its heading.
    pub(crate) fn begun() -> anyhow::Result<Self> {
        writeln!(std::io::stdout(), "{:<62} {:<44} {:<96} outcome", "attack", "limit", "figure")?;
        Ok(Self::default())
    }

    /// Prints the rows of an attack; an attack that broke off is a row as well.
    pub(crate) fn add(&mut self, attack: &str, rows: anyhow::Result<Vec<Row>>) -> anyhow::Result<()> {
        let rows = rows.unwrap_or_else(|error| vec![Row::broken(attack, &error)]);
        rows.iter().try_for_each(|row| self.print(row))
    }

    fn print(&mut self, row: &Row) -> anyhow::Result<()> {
        let (word, count) = match row.outcome {
            Outcome::Held => ("held", &mut self.n_held),
            Outcome::Fault => ("FAULT", &mut self.n_faults),
            Outcome::Skipped => ("skipped", &mut self.n_skipped),
        };
        *count += 1;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{:<62} {:<44} {:<96} {word}", row.attack, row.limit, row.figure)?;
        Ok(out.flush()?)
    }

    /// Prints the sums; true if nothing is at fault.
    pub(crate) fn end(&self) -> anyhow::Result<bool> {
        writeln!(std::io::stdout(), "{} held, {} FAULT, {} skipped", self.n_held, self.n_faults, self.n_skipped)?;
        Ok(self.n_faults == 0)
    }
}
