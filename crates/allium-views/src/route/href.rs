//! Addresses of pages that other pages link to most.

use std::fmt::Display;

use allium_analysis::Question;
use allium_analysis::leaderboards::Category;
use allium_model::{Fingerprint, OperatorId};
use allium_words::inert::url_encoded;

/// The address of the figures of a list or page, for programs.
pub(crate) const API: &str = "/api/v1";

/// The page with all definitions.
pub(crate) const METHODS: &str = "/methods";

/// The page of a relay.
pub(crate) fn relay(fingerprint: &Fingerprint) -> String {
    format!("/relay/{fingerprint}")
}

/// The page of an operator.
pub(crate) fn operator(id: &OperatorId) -> String {
    format!("/operator/{id}")
}

/// The page of a family.
pub(crate) fn family(key: &Fingerprint) -> String {
    format!("/family/{key}")
}

/// The page of a leaderboard.
pub(crate) fn leaderboard(category: Category) -> String {
    format!("/leaderboards/{}", category.name())
}

/// The page of an incident.
pub(crate) fn incident(id: &str) -> String {
    format!("/incident/{}", url_encoded(id))
}

/// The relays that a word finds. A word that is no question of its own is looked for as it stands.
pub(crate) fn search(word: &str) -> String {
    format!("/relays?q={}", url_encoded(&as_question(word)))
}

/// A question for a word: the word, or the word in quotes where it would be understood as something that it is not.
pub(crate) fn as_question(word: &str) -> String {
    let quoted = || format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""));
    if Question::parse(word).is_ok() { word.to_owned() } else { quoted() }
}

/// The folder of a page's charts.
pub(crate) fn charts(page: impl Display) -> String {
    format!("{page}/charts")
}

/// The definition of a figure.
pub(crate) fn method(anchor: &str) -> String {
    format!("{METHODS}#{anchor}")
}
