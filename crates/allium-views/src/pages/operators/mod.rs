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
use askama::Template;

use crate::markup::Html;
use crate::page::Page;
use crate::table::TableHtml;
use crate::text::{Foreign, inert};
use crate::view::View;

/// A page that is a sentence and a table.
#[derive(Template)]
#[template(path = "list.html")]
pub(crate) struct ListPage {
    pub(crate) page: Page,
    pub(crate) title: &'static str,
    pub(crate) sentence: String,
    pub(crate) under: String,
    /// Where the words of the sentence are defined.
    pub(crate) method: &'static str,
    /// Neighbouring pages.
    pub(crate) links: Vec<(&'static str, &'static str)>,
    /// What stands before the table.
    pub(crate) before: Html,
    pub(crate) table: TableHtml,
}

/// What an operator is called: the proven domain, else its contact, else the nickname of a member of its family.
pub(crate) fn operator_name(view: &View, operator_idx: usize) -> String {
    let Some(operator) = view.operators.list().get(operator_idx) else { return String::new() };
    if let OperatorId::Domain(domain) = &operator.id {
        return domain.to_string();
    }
    let contact = view.operators.figures[operator_idx].contact_of.and_then(|i| relay(view, i)?.contact.as_deref());
    let first = operator.members.first().and_then(|i| relay(view, *i));
    match (contact.or_else(|| first?.contact.as_deref()), first) {
        (Some(contact), _) => contact.split_whitespace().collect::<Vec<_>>().join(" "),
        (None, Some(relay)) => format!("family of {}", relay.display_name()),
        (None, None) => operator.id.to_string(),
    }
}

/// How it is known that relays are one operator's.
pub(crate) const fn identity(id: &OperatorId) -> &'static str {
    match id {
        OperatorId::Domain(_) => "proven domain",
        OperatorId::Family(_) => "family",
        OperatorId::Contact(_) => "contact",
    }
}

/// Where the page of an operator is.
pub(crate) fn operator_path(id: &OperatorId) -> String {
    format!("/operator/{id}")
}

/// A link to the operator of the relay at this place; a dash where nobody can tell who that is.
pub(crate) fn operator_link(view: &View, relay_idx: usize) -> Html {
    let Some(place) = view.operators.directory.of_relay.get(relay_idx).copied().flatten() else { return Html::words("\u{2013}") };
    let id = &view.operators.list()[place as usize].id;
    Html::link(&operator_path(id), &Html::safe(Foreign::short(&operator_name(view, place as usize))))
}

/// What its relays claim, in words: `example.org, claimed by 3 relays, validated for 2`.
fn claim_words(figures: &OperatorFigures) -> Option<String> {
    let domain = figures.claimed_domain.as_ref()?;
    let [validated, ..] = figures.by_aroi;
    let state = if validated > 0 { format!("validated for {validated}") } else { "not validated".to_owned() };
    Some(format!("{}, {state}", inert(domain.as_str())))
}

fn relay(view: &View, relay_idx: u32) -> Option<&Relay> {
    view.record.relays.get(relay_idx as usize).map(|record| &record.relay)
}
