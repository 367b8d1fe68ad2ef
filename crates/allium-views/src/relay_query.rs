//! Queries of relays in addresses: read from the query part and written back in one canonical form.

use allium_analysis::{Key, RelayQuery, SortKey, Term};
use allium_service::View;

use crate::error::RequestError;
use crate::params::Params;

/// The states that a list may be limited to, with their labels.
pub(crate) const STATUSES: [(&str, &str); 4] =
    [("current", "seen in the last 7 days"), ("running", "running"), ("down", "down"), ("all", "all on record")];

/// The parameters that select and order relays.
pub(crate) const QUERY_NAMES: [&str; 8] = ["q", "status", "flag", "country", "as", "version", "family", "sort"];

/// The order unless the address says otherwise: that of [`RelayQuery::default`].
const DEFAULT_SORT: &str = "-weight";

/// The order of what a question finds unless the address says otherwise: what it names exactly comes first.
const DEFAULT_SORT_OF_FOUND: &str = "-match";

/// The parameters that are terms of a question by another way.
const FILTERS: [(&str, Key); 5] =
    [("flag", Key::Flag), ("country", Key::Country), ("as", Key::As), ("version", Key::Version), ("family", Key::Family)];

/// The value of `status` that stands for a query.
const fn status_of(query: &RelayQuery) -> &'static str {
    match (query.running, query.include_gone) {
        (Some(true), _) => "running",
        (Some(false), _) => "down",
        (None, true) => "all",
        (None, false) => "current",
    }
}

/// The value of `sort` that stands for a query: the name of the key, with `-` where the largest comes first.
fn sort_value(key: SortKey, descending: bool) -> String {
    format!("{}{}", if descending { "-" } else { "" }, key.name())
}

/// The order of a query unless the address says otherwise.
pub(crate) fn default_sort(query: &RelayQuery) -> &'static str {
    if query.question.is_empty() { DEFAULT_SORT } else { DEFAULT_SORT_OF_FOUND }
}

/// Reads a query.
pub(crate) fn relay_query(view: &View, params: &Params) -> Result<RelayQuery, RequestError> {
    let question = params.question(view)?;
    let default_key = if question.is_empty() { SortKey::ConsensusWeight } else { SortKey::Match };
    let (running, include_gone) = status(params)?;
    let (sort, descending) = sort(params, (default_key, true))?;
    Ok(RelayQuery { question, filters: filters(view, params)?, running, include_gone, sort, descending })
}

/// The parameters that are terms, each flag for itself.
fn filters(view: &View, params: &Params) -> Result<Vec<Term>, RequestError> {
    let mut terms = Vec::new();
    for (name, key) in FILTERS {
        let values: Vec<&str> = match key {
            Key::Flag => params.all(name).flat_map(|value| value.split(',')).collect(),
            _ => params.one(name)?.into_iter().collect(),
        };
        for value in values {
            terms.push(term(view, name, key, value)?);
        }
    }
    Ok(terms)
}

/// The term that a parameter stands for.
pub(crate) fn term(view: &View, name: &str, key: Key, value: &str) -> Result<Term, RequestError> {
    let read = key.read(value).and_then(|term| view.check(&term).map(|()| term));
    read.map_err(|error| RequestError::bad(name, value, error.allowed()))
}

/// The parameters that stand for a query.
pub(crate) fn query_pairs(query: &RelayQuery) -> Vec<(&'static str, String)> {
    let mut pairs = Vec::new();
    let mut push = |name, value: Option<String>| pairs.extend(value.map(|value| (name, value)));
    push("q", (!query.question.is_empty()).then(|| query.question.to_string()));
    push("status", (status_of(query) != status_of(&RelayQuery::default())).then(|| status_of(query).to_owned()));
    for (name, key) in FILTERS {
        query.filters.iter().filter(|term| term.key == Some(key)).for_each(|term| push(name, Some(term.text.clone())));
    }
    let order = sort_value(query.sort, query.descending);
    push("sort", (order != default_sort(query)).then_some(order));
    pairs
}

/// The value of a filter, as addresses write it.
pub(crate) fn filter_value(query: &RelayQuery, key: Key) -> Option<&str> {
    query.filters.iter().find(|term| term.key == Some(key)).map(|term| term.text.as_str())
}

fn status(params: &Params) -> Result<(Option<bool>, bool), RequestError> {
    match params.one("status")? {
        None | Some("current") => Ok((None, false)),
        Some("running") => Ok((Some(true), false)),
        Some("down") => Ok((Some(false), false)),
        Some("all") => Ok((None, true)),
        Some(other) => Err(RequestError::bad("status", other, STATUSES.map(|(name, _)| name).join(", "))),
    }
}

fn sort(params: &Params, default: (SortKey, bool)) -> Result<(SortKey, bool), RequestError> {
    let Some(text) = params.one("sort")? else { return Ok(default) };
    let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
    let allowed = || format!("{}; each with a leading - for the largest first", SortKey::ALL.map(SortKey::name).join(", "));
    SortKey::from_name(name).map(|key| (key, descending)).ok_or_else(|| RequestError::bad("sort", text, allowed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_order_is_that_of_queries() {
        let default = RelayQuery::default();
        assert_eq!(sort_value(default.sort, default.descending), DEFAULT_SORT);
    }
}
