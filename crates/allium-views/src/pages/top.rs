//! `/top`: the relays with the most consensus weight.

use allium_model::{Fraction, Timestamp};
use allium_service::{Snapshot, View};
use allium_words::format;

use crate::error::RequestError;
use crate::form::Form;
use crate::page::{Alternate, Frame, PageHtml, render};
use crate::pages::members::{self, Member};
use crate::pages::operators::ListPage;
use crate::params::Params;
use crate::route::{Data, FixedData, FixedPage};
use crate::table::Table;

/// Number of relays at the top.
const TOP: usize = 500;

/// The heaviest running relays, heaviest first; of equals by fingerprint.
fn heaviest(view: &View) -> Vec<Member<'_>> {
    let weight = |i: &usize| view.record.relays[*i].relay.consensus_weight;
    let mut running: Vec<usize> = (0..view.record.relays.len())
        .filter(|i| view.record.relays[*i].relay.running && view.report.relays[*i].current && weight(i).is_some())
        .collect();
    running.sort_by_key(|i| (std::cmp::Reverse(weight(i)), *i));
    running.into_iter().take(TOP).filter_map(|i| Member::at(view, i)).collect()
}

fn table(view: &View) -> Table<'_, Member<'_>> {
    Table {
        default_sort: "-consensus_weight",
        ..members::table(view, FixedPage::Top.path().to_owned(), Data::Fixed(FixedData::Top).address())
    }
}

/// Renders the page.
pub(crate) fn html(snapshot: &Snapshot, view: &View, now: Timestamp, params: &Params) -> Result<PageHtml, RequestError> {
    let (table, rows) = (table(view), heaviest(view));
    let state = table.strict_state(params)?;
    let weight: u64 = rows.iter().filter_map(|row| row.relay().consensus_weight).fold(0, u64::saturating_add);
    let share = view.report.network.consensus_weight.and_then(|all| Fraction::of(weight as f64, all as f64));
    let page = ListPage {
        page: Frame::of(snapshot, view, now, FixedPage::Relays.path())
            .with_alternate(Alternate::of(&Data::Fixed(FixedData::Top)))
            .with_charts(),
        title: "Heaviest relays",
        sentence: format!(
            "The {} heaviest of {} running relays have {} of the consensus weight.",
            format::count(rows.len() as u64),
            format::count(view.report.network.n_running as u64),
            share.map_or_else(|| "an unknown share".to_owned(), |share| format!("{}\u{a0}%", format::percent(share, 1)))
        ),
        under: "Clients choose relays by weight, so most circuits go through these.".to_owned(),
        method: "weight-shares",
        links: vec![(FixedPage::Relays.path(), "All relays"), (FixedPage::Operators.path(), "Operators")],
        before: crate::pages::operators::charts::section(view, crate::pages::operators::charts::List::Relays),
        table: table.html(&rows, &state)?,
    };
    render(&page)
}

/// The same for programs.
pub(crate) fn data(view: &View, params: &Params, form: Form) -> Result<String, RequestError> {
    let table = table(view);
    table.data(view.as_of(), &heaviest(view), params, form)
}
