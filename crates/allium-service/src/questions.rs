//! Questions about a view: read against what is on record, and compared with its relays.

use allium_analysis::{Question, QuestionError, Term};

use crate::view::View;

impl View {
    /// Reads a question about what is on record.
    ///
    /// # Errors
    /// A part is not understood, or names a flag or a country that does not exist.
    pub fn question(&self, text: &str) -> Result<Question, QuestionError> {
        let question = Question::parse(text)?;
        question.terms().iter().try_for_each(|term| self.index.check(term))?;
        Ok(question)
    }

    /// Checks that the flag or country that a term names exists.
    ///
    /// # Errors
    /// It does not.
    pub fn check(&self, term: &Term) -> Result<(), QuestionError> {
        self.index.check(term)
    }

    /// True if the relay at this index fits a term.
    pub fn relay_fits(&self, relay_idx: usize, term: &Term) -> bool {
        relay_idx < self.record.relays.len() && self.index.fits(relay_idx, term, &self.record)
    }

    /// True if a term names exactly the relay at this index.
    pub fn relay_is_named_by(&self, relay_idx: usize, term: &Term) -> bool {
        relay_idx < self.record.relays.len() && self.index.is_named_by(relay_idx, term, &self.record)
    }
}
