//! What a list of relays shows, as its address says it: read from the query part and written back in one canonical form.

use allium_analysis::{RelayQuery, SortKey};
use allium_model::{Asn, CountryCode, Fingerprint, RelayFlag};
use allium_words::inert::inert;

use crate::error::RequestError;
use crate::params::{Params, query_string};

/// Rows of a page unless the address says otherwise.
const PER_PAGE: usize = 50;

/// Rows that a page may have.
pub(crate) const PER_PAGE_CHOICES: [usize; 2] = [50, 100];

/// The states that a list may be limited to, with their labels.
pub(crate) const STATUSES: [(&str, &str); 4] =
    [("current", "seen in the last 7 days"), ("running", "running"), ("down", "down"), ("all", "all on record")];

/// The parameters that select and order relays.
pub(crate) const QUERY_NAMES: [&str; 8] = ["q", "status", "flag", "country", "as", "version", "family", "sort"];

/// A list of relays: which, in which order, which page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ListState {
    pub(crate) query: RelayQuery,
    pub(crate) page: usize,
    pub(crate) per_page: usize,
    /// Whether every column is shown.
    pub(crate) all_columns: bool,
}

impl ListState {
    /// Reads the state from the query part of an address.
    pub(crate) fn of(params: &Params) -> Result<Self, RequestError> {
        let per_page = params.number("per", 1..=usize::MAX)?.unwrap_or(PER_PAGE);
        if !PER_PAGE_CHOICES.contains(&per_page) {
            return Err(RequestError::bad("per", &per_page.to_string(), "50 or 100"));
        }
        let all_columns = match params.one("columns")? {
            None => false,
            Some("all") => true,
            Some(other) => return Err(RequestError::bad("columns", other, "all")),
        };
        Ok(Self { query: relay_query(params)?, page: params.number("page", 1..=1_000_000)?.unwrap_or(1), per_page, all_columns })
    }

    /// The address of this state on the page.
    pub(crate) fn href(&self) -> String {
        let mut pairs = query_pairs(&self.query);
        if self.per_page != PER_PAGE {
            pairs.push(("per", self.per_page.to_string()));
        }
        if self.all_columns {
            pairs.push(("columns", "all".to_owned()));
        }
        if self.page != 1 {
            pairs.push(("page", self.page.to_string()));
        }
        format!("/relays{}", query_string(&pairs))
    }

    /// The address of the same selection under another path, all pages at once.
    pub(crate) fn href_at(&self, path: &str) -> String {
        format!("{path}{}", query_string(&query_pairs(&self.query)))
    }

    /// The same list on another page.
    pub(crate) fn on_page(&self, page: usize) -> Self {
        Self { page, ..self.clone() }
    }

    /// The first page of the same list with something changed.
    pub(crate) fn with(&self, change: impl FnOnce(&mut RelayQuery)) -> Self {
        let mut state = self.on_page(1);
        change(&mut state.query);
        state
    }

    /// The search text as it may stand on a page.
    pub(crate) fn q_shown(&self) -> String {
        inert(&self.query.text)
    }
}

/// The value of `status` that stands for a query.
pub(crate) const fn status_of(query: &RelayQuery) -> &'static str {
    match (query.running, query.include_gone) {
        (Some(true), _) => "running",
        (Some(false), _) => "down",
        (None, true) => "all",
        (None, false) => "current",
    }
}

/// The value of `sort` that stands for a query: the name of the key, with `-` where the largest comes first.
pub(crate) fn sort_value(key: SortKey, descending: bool) -> String {
    format!("{}{}", if descending { "-" } else { "" }, key.name())
}

/// Reads which relays are meant and in which order.
pub(crate) fn relay_query(params: &Params) -> Result<RelayQuery, RequestError> {
    let default = RelayQuery::default();
    let (running, include_gone) = status(params)?;
    let (sort, descending) = sort(params, (default.sort, default.descending))?;
    Ok(RelayQuery {
        text: params.one("q")?.unwrap_or_default().to_owned(),
        flags: params.all("flag").flat_map(|value| value.split(',')).map(flag).collect::<Result<_, _>>()?,
        running,
        country: parsed::<CountryCode>(params, "country", "a country code of two letters, such as de")?,
        asn: parsed::<Asn>(params, "as", "an AS number, such as AS24940")?,
        version: params.one("version")?.map(str::to_owned),
        family_of: parsed::<Fingerprint>(params, "family", "a fingerprint of 40 hexadecimal digits")?,
        include_gone,
        sort,
        descending,
    })
}

/// The parameters that say the same as a query.
pub(crate) fn query_pairs(query: &RelayQuery) -> Vec<(&'static str, String)> {
    let default = RelayQuery::default();
    let mut pairs = Vec::new();
    let mut push = |name, value: Option<String>| pairs.extend(value.map(|value| (name, value)));
    push("q", (!query.text.is_empty()).then(|| query.text.clone()));
    push("status", (status_of(query) != status_of(&default)).then(|| status_of(query).to_owned()));
    query.flags.iter().for_each(|flag| push("flag", Some(flag.name().to_owned())));
    push("country", query.country.map(|country| country.to_string()));
    push("as", query.asn.map(|asn| asn.to_string()));
    push("version", query.version.clone());
    push("family", query.family_of.map(|fingerprint| fingerprint.to_string()));
    let is_default_order = (query.sort, query.descending) == (default.sort, default.descending);
    push("sort", (!is_default_order).then(|| sort_value(query.sort, query.descending)));
    pairs
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

fn flag(text: &str) -> Result<RelayFlag, RequestError> {
    let same = |flag: &RelayFlag| flag.name().eq_ignore_ascii_case(text.trim());
    RelayFlag::ALL.into_iter().find(same).ok_or_else(|| RequestError::bad("flag", text, RelayFlag::ALL.map(RelayFlag::name).join(", ")))
}

fn parsed<T: std::str::FromStr>(params: &Params, name: &str, allowed: &str) -> Result<Option<T>, RequestError> {
    params.one(name)?.map(|text| text.parse().map_err(|_| RequestError::bad(name, text, allowed))).transpose()
}
