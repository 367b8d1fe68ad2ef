//! Queries of relays in addresses: read from the query part and written back in one canonical form.

use allium_analysis::{RelayQuery, SortKey};
use allium_model::{Asn, CountryCode, Fingerprint, RelayFlag};

use crate::error::RequestError;
use crate::params::Params;

/// The states that a list may be limited to, with their labels.
pub(crate) const STATUSES: [(&str, &str); 4] =
    [("current", "seen in the last 7 days"), ("running", "running"), ("down", "down"), ("all", "all on record")];

/// The parameters that select and order relays.
pub(crate) const QUERY_NAMES: [&str; 8] = ["q", "status", "flag", "country", "as", "version", "family", "sort"];

/// The order unless the address says otherwise: that of [`RelayQuery::default`].
pub(crate) const DEFAULT_SORT: &str = "-weight";

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

/// Reads a query.
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

/// The parameters that stand for a query.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_order_is_that_of_queries() {
        let default = RelayQuery::default();
        assert_eq!(sort_value(default.sort, default.descending), DEFAULT_SORT);
    }

    #[test]
    fn queries_are_written_in_one_form() {
        let query = |text: &str| relay_query(&Params::read(text).unwrap()).unwrap();
        let read = query("flag=exit,Guard&country=DE&as=as1&q=%20a%20&sort=nickname&status=current");
        let pairs = query_pairs(&read);
        let written: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(written, ["q=a", "flag=Exit", "flag=Guard", "country=de", "as=AS1", "sort=nickname"]);
        assert_eq!(query(&written.join("&")), read);
    }
}
