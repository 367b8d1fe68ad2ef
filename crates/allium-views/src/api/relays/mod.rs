//! Relays for programs: a list, and everything of one.

mod attributes;
mod detail;
mod summary;

use allium_service::{Outlook, View};
use serde::Serialize;

pub use self::detail::RelayDetail;
pub(super) use self::detail::StripJson;
pub use self::summary::RelaySummary;

use super::csv;
use super::forecasts::ForecastJson;
use crate::error::RequestError;
use crate::form::{Form, to_json};
use crate::pages;
use crate::params::Params;
use crate::relay_query::{QUERY_NAMES, relay_query};

/// Relays in an answer unless the address says otherwise.
const LIMIT: usize = 100;

/// The most relays in one JSON answer.
const MAX_LIMIT: usize = 1_000;

/// A page of a list of relays.
#[derive(Debug, Clone, Serialize)]
pub struct RelayListJson<'a> {
    /// The newest consensus taken in.
    pub as_of: String,
    /// Relays that fit.
    pub n_relays: usize,
    /// The value of `cursor` for the next page.
    pub next_cursor: Option<String>,
    /// The relays of this page.
    pub relays: Vec<RelaySummary<'a>>,
}

impl<'a> RelayListJson<'a> {
    fn of(view: &'a View, page: &[usize], n_relays: usize, has_more: bool) -> Self {
        let relays: Vec<RelaySummary<'a>> =
            page.iter().filter_map(|i| view.relay(*i)).map(|(record, report)| RelaySummary::of(record, report)).collect();
        let next_cursor = relays.last().filter(|_| has_more).map(|relay| relay.fingerprint.clone());
        Self { as_of: view.as_of().to_string(), n_relays, next_cursor, relays }
    }
}

/// `/api/v1/relays`
pub(crate) fn relays(view: &View, params: &Params, form: Form) -> Result<String, RequestError> {
    let names: Vec<_> = QUERY_NAMES.into_iter().chain(["limit", "cursor"]).collect();
    params.only(&names)?;
    let found = view.select(&relay_query(view, params)?);
    let start = after_cursor(view, params, &found)?;
    // A spreadsheet wants everything at once; a program can follow cursors.
    let limit = match form {
        Form::Json => params.number("limit", 1..=MAX_LIMIT)?.unwrap_or(LIMIT),
        Form::Csv => params.number("limit", 1..=1_000_000)?.unwrap_or(usize::MAX),
    };
    let end = start.saturating_add(limit).min(found.len());
    let page = &found[start..end];
    match form {
        Form::Csv => pages::relays::csv(view, page),
        Form::Json => to_json(&RelayListJson::of(view, page, found.len(), end < found.len())),
    }
}

/// `/api/v1/relays/<FINGERPRINT>`
pub(crate) fn relay(view: &View, outlook: &Outlook, params: &Params, relay_idx: usize, form: Form) -> Result<String, RequestError> {
    params.only(&[])?;
    let (record, report) = view.relay(relay_idx).ok_or(RequestError::Internal)?;
    let detail = RelayDetail { forecast: ForecastJson::of(outlook, &record.relay.fingerprint), ..RelayDetail::of(view, record, report) };
    match form {
        Form::Json => to_json(&detail),
        Form::Csv => csv::strips(&detail),
    }
}

/// The index of the relay behind the one that the cursor names.
fn after_cursor(view: &View, params: &Params, found: &[usize]) -> Result<usize, RequestError> {
    let Some(text) = params.one("cursor")? else { return Ok(0) };
    let allowed = "a next_cursor of the same list; if the network has moved on since, start again without it";
    let relay_idx = text.parse().ok().and_then(|fingerprint| view.relay_idx(&fingerprint));
    let index = relay_idx.and_then(|wanted| found.iter().position(|i| *i == wanted));
    index.map(|index| index + 1).ok_or_else(|| RequestError::bad("cursor", text, allowed))
}
