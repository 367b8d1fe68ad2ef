//! The rows that a question finds: by the texts of their columns, and by the relays that stand behind them.
//!
//! A list of relays finds those that fit the question, as the search of all relays does. A list of groups finds those that have such a
//! relay; words that have no form of their own are looked for in the texts of the group itself. A list with nothing behind its rows
//! knows only such words.

use allium_analysis::{Condition, Question, QuestionError, Term};
use allium_service::View;

use super::Table;
use crate::error::RequestError;
use crate::params::Params;

/// The thing that a row is about.
pub(crate) enum Search<'a, R> {
    /// Nothing but its texts.
    Texts,
    /// A relay, by its index in the record.
    Relay(&'a View, RelayOf<'a, R>),
    /// The relays of a group.
    Group(&'a View, RelaysOf<'a, R>),
}

type RelayOf<'a, R> = Box<dyn Fn(&R) -> Option<usize> + 'a>;
type RelaysOf<'a, R> = Box<dyn Fn(&R) -> Vec<usize> + 'a>;

/// A test of rows against a term.
type RowFits<'t, R> = Box<dyn Fn(&R) -> bool + 't>;

impl<'a, R> Search<'a, R> {
    /// Rows that are relays.
    pub(crate) fn relay(view: &'a View, of: impl Fn(&R) -> Option<usize> + 'a) -> Self {
        Self::Relay(view, Box::new(of))
    }

    /// Rows that have relays; those that have left the network count for nothing.
    pub(crate) fn group(view: &'a View, of: impl Fn(&R) -> Vec<usize> + 'a) -> Self {
        Self::Group(view, Box::new(of))
    }

    const fn view(&self) -> Option<&'a View> {
        match self {
            Self::Texts => None,
            Self::Relay(view, _) | Self::Group(view, _) => Some(view),
        }
    }
}

impl<R> Table<'_, R> {
    /// The question that an address asks of the list.
    pub(super) fn question(&self, params: &Params) -> Result<Question, RequestError> {
        let text = params.one("q")?.unwrap_or_default();
        let question = match self.style.search.view() {
            Some(view) => view.question(text),
            None => Question::parse(text).and_then(only_words),
        };
        question.map_err(|error| RequestError::question(text, &error))
    }

    /// The test that a term is for rows.
    pub(super) fn row_test<'t>(&'t self, term: &'t Term) -> RowFits<'t, R> {
        match &self.style.search {
            Search::Texts => Box::new(|row| self.holds(row, term)),
            Search::Relay(view, of) => Box::new(|row| of(row).is_some_and(|i| view.relay_fits(i, term)) || self.holds(row, term)),
            Search::Group(view, of) => {
                let fitting = fitting_relays(view, term);
                let has_one = move |row: &R| of(row).into_iter().any(|i| fitting.get(i).copied().unwrap_or(false));
                Box::new(move |row| self.holds(row, term) || has_one(row))
            }
        }
    }

    /// True if a text of the row holds a word, or is it where the word could stand for something else.
    fn holds(&self, row: &R, term: &Term) -> bool {
        if term.key.is_some() {
            return false;
        }
        term.any.iter().any(|condition| match condition {
            Condition::Text(part) => self.texts(row).iter().any(|text| text.contains(part.as_str())),
            Condition::Named(whole) => self.texts(row).iter().any(|text| text == whole),
            _ => false,
        })
    }

    /// The texts that are searched, in lower case.
    fn texts(&self, row: &R) -> Vec<String> {
        let searched = self.columns.iter().filter(|column| column.is_searched);
        searched.filter_map(|column| (column.cell)(row).text().map(str::to_lowercase)).chain([(self.key)(row).to_lowercase()]).collect()
    }
}

/// For each relay, whether it is current and fits a term by more than a text: texts are those of the group.
fn fitting_relays(view: &View, term: &Term) -> Vec<bool> {
    let is_text = |condition: &Condition| matches!(condition, Condition::Text(_) | Condition::Named(_));
    let any = term.any.iter().filter(|condition| term.key.is_some() || !is_text(condition)).cloned().collect();
    let term = Term { any, ..term.clone() };
    let reports = view.report.relays.iter().enumerate();
    reports.map(|(relay_idx, report)| report.current && view.relay_fits(relay_idx, &term)).collect()
}

/// Refuses terms that ask for more than words.
fn only_words(question: Question) -> Result<Question, QuestionError> {
    let is_word = |term: &&Term| term.key.is_none() && term.any.iter().any(|c| matches!(c, Condition::Text(_) | Condition::Named(_)));
    match question.terms().iter().find(|term| !is_word(term)) {
        Some(term) => Err(QuestionError::out_of_place(&term.to_string(), "words; this list has no relays behind its rows")),
        None => Ok(question),
    }
}
