//! `/operators`, `/domains`, `/families`, `/operator/<id>`, `/family/<FINGERPRINT>`: who runs the network, and how reliably.

mod advice;
pub(crate) mod charts;
pub(crate) mod claim;
pub(crate) mod dashboard;
pub(crate) mod domains;
pub(crate) mod families;
mod figures;
pub(crate) mod list;
pub(crate) mod operator;

use allium_analysis::operators::OperatorFigures;
use allium_model::{OperatorId, Relay};
use allium_service::View;
use allium_words::inert::inert;
use askama::Template;

use crate::foreign::Foreign;
use crate::markup::Html;
use crate::page::{Frame, framed};
use crate::route::href;
use crate::table::TableHtml;

/// A page that is a sentence and a table.
#[derive(Template)]
#[template(path = "list.html")]
pub(crate) struct ListPage {
    pub(crate) page: Frame,
    pub(crate) title: &'static str,
    pub(crate) sentence: String,
    pub(crate) under: String,
    /// Section of the methods that defines the words of the sentence.
    pub(crate) method: &'static str,
    /// Neighbouring pages.
    pub(crate) links: Vec<(&'static str, &'static str)>,
    /// Content before the table.
    pub(crate) before: Html,
    pub(crate) table: TableHtml,
}

framed!(ListPage);

/// Ground on which relays count as one operator's.
pub(crate) const fn identity(id: &OperatorId) -> &'static str {
    match id {
        OperatorId::Domain(_) => "proven domain",
        OperatorId::Family(_) => "family",
        OperatorId::Contact(_) => "contact",
    }
}

/// A link to the operator of the relay at this index; a dash where the operator is unknown.
pub(crate) fn operator_link(view: &View, relay_idx: usize) -> Html {
    let Some(operator_idx) = view.operators.directory.of_relay.get(relay_idx).copied().flatten() else { return Html::words("\u{2013}") };
    let id = &view.operators.list()[operator_idx as usize].id;
    Html::link(&href::operator(id), &Html::safe(Foreign::short(&view.operator_name(operator_idx as usize))))
}

/// Claim of an operator's relays, in words: `example.org, claimed by 3 relays, validated for 2`.
fn claim_words(figures: &OperatorFigures) -> Option<String> {
    let domain = figures.claimed_domain.as_ref()?;
    let [validated, ..] = figures.by_aroi;
    let state = if validated > 0 { format!("validated for {validated}") } else { "not validated".to_owned() };
    Some(format!("{}, {state}", inert(domain.as_str())))
}

fn relay(view: &View, relay_idx: u32) -> Option<&Relay> {
    view.record.relays.get(relay_idx as usize).map(|record| &record.relay)
}
