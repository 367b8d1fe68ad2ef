//! Groups of relays: lists, and a page for each group.
//!
//! One [`GroupKind`] per way to group, all with the same columns, addresses and forms; countries and autonomous systems have more to
//! say, in [`geography`] and [`providers`].

mod charts;
mod columns;
mod detail;
mod geography;
mod list;
mod providers;
mod relays;
mod rows;

use allium_model::{Period, Timestamp};
use allium_service::{Snapshot, View};

use crate::error::RequestError;
use crate::form::Form;
use crate::markup::Html;
use crate::page::PageHtml;
use crate::params::Params;
use crate::route::GroupKind;

pub(crate) use charts::{group_chart, list_chart, months_chart};
pub(crate) use detail::change_table;
pub(crate) use geography::direction_word as direction;
pub(crate) use providers::as_link;
pub(crate) use rows::{GroupRow, row_of, rows};

/// The period of a page unless its address says otherwise.
const PERIOD: Period = Period::OneMonth;

/// Links to the lists of all kinds.
fn kind_links(current: GroupKind) -> Html {
    let link = |kind: GroupKind| match kind == current {
        true => Html::words(kind.label()),
        false => Html::link(kind.list_path(), &Html::words(kind.label())),
    };
    Html::joined(GroupKind::ALL.map(link), " ")
}

/// The period that an address asks for.
fn period_of(params: &Params) -> Result<Period, RequestError> {
    let Some(text) = params.one("period")? else { return Ok(PERIOD) };
    Period::from_name(text).ok_or_else(|| RequestError::bad("period", text, Period::ALL.map(Period::name).join(", ")))
}

/// The periods that forms offer, the default first.
fn period_options() -> Vec<(String, String)> {
    let others = Period::ALL.into_iter().filter(|period| *period != PERIOD);
    std::iter::once(PERIOD).chain(others).map(|period| (period.name().to_owned(), period.label().to_owned())).collect()
}

/// Renders a list.
pub(crate) fn list_html(
    snapshot: &Snapshot,
    view: &View,
    now: Timestamp,
    kind: GroupKind,
    params: &Params,
) -> Result<PageHtml, RequestError> {
    list::html(snapshot, view, now, kind, params)
}

/// A list for programs.
pub(crate) fn list_data(view: &View, kind: GroupKind, params: &Params, form: Form) -> Result<String, RequestError> {
    list::data(view, kind, params, form)
}

/// Renders the page of a group.
pub(crate) fn group_html(
    snapshot: &Snapshot,
    view: &View,
    now: Timestamp,
    kind: GroupKind,
    key: &str,
    params: &Params,
) -> Result<PageHtml, RequestError> {
    detail::html(snapshot, view, now, kind, key, params)
}

/// A group and its relays for programs.
pub(crate) fn group_data(view: &View, kind: GroupKind, key: &str, params: &Params, form: Form) -> Result<String, RequestError> {
    detail::data(view, kind, key, params, form)
}
