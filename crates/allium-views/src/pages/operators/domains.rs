//! `/domains`: which domains relays claim, and which of them say so themselves.

use allium_analysis::operators::DomainFigures;
use allium_model::{AroiDomain, OperatorId, Timestamp};
use allium_service::{Snapshot, View};
use allium_words::format;
use allium_words::inert::inert;

use super::{ListPage, figures};
use crate::error::RequestError;
use crate::form::Form;
use crate::page::{Alternate, Frame, PageHtml, render};
use crate::params::Params;
use crate::route::{Data, FixedData, FixedPage, href};
use crate::table::{Cell, Choice, Column, Search, Style, Table, Values};

struct Row<'a> {
    domain: &'a AroiDomain,
    figures: &'a DomainFigures,
}

/// Findings about all relays that claim a domain, best first.
const STATES: [&str; 5] = ["validated", "validated in part", "unauthorised", "misconfigured", "unchecked"];

impl Row<'_> {
    fn state(&self) -> &'static str {
        let [validated, unauthorised, misconfigured, ..] = self.figures.by_aroi;
        match (validated, unauthorised, misconfigured) {
            (validated, ..) if validated == self.figures.claimed.n_relays => STATES[0],
            (1.., ..) => STATES[1],
            (_, 1.., _) => STATES[2],
            (_, _, 1..) => STATES[3],
            _ => STATES[4],
        }
    }

    fn methods(&self) -> String {
        self.figures.methods.iter().map(|method| method.name()).collect::<Vec<_>>().join(", ")
    }

    fn reason(&self) -> Cell {
        self.figures.reasons.first().map_or(Cell::Nothing, |(reason, _)| Cell::Words(inert(reason)))
    }
}

fn rows(view: &View) -> Vec<Row<'_>> {
    view.operators.domains.iter().map(|(domain, figures)| Row { domain, figures }).collect()
}

fn table(view: &View) -> Table<'_, Row<'_>> {
    let href = |row: &Row<'_>| {
        let id = OperatorId::Domain(row.domain.clone());
        let is_operator = view.operators.directory.position(&id).is_some();
        if is_operator { href::operator(&id) } else { href::search(row.domain.as_str()) }
    };
    let mut columns = vec![
        Column::text("domain", "Domain", move |row: &Row<'_>| Cell::link(row.domain.as_str(), href(row))).method("aroi").title_of_card(),
        Column::text("state", "State", |row: &Row<'_>| Cell::Words(row.state().to_owned())).method("aroi").badge_of_card(),
        Column::number("n_validated", "Validated", |row: &Row<'_>| Cell::count(row.figures.n_validated))
            .about("relays that the domain names")
            .method("aroi"),
        Column::number("n_unauthorised", "Unauthorised", |row: &Row<'_>| Cell::count(row.figures.by_aroi[1])).method("aroi").more(),
        Column::number("n_misconfigured", "Misconfigured", |row: &Row<'_>| Cell::count(row.figures.by_aroi[2])).method("aroi").more(),
        Column::number("n_unchecked", "Unchecked", |row: &Row<'_>| Cell::count(row.figures.by_aroi[3])).method("aroi").more(),
        Column::text("method", "Method", |row: &Row<'_>| Cell::Words(row.methods())).method("aroi").more(),
        Column::text("reason", "Why", Row::reason).about("the most frequent reason why a relay is not validated").method("aroi"),
        Column::number("checked_at", "Checked", |row: &Row<'_>| row.figures.checked_at.map_or(Cell::Missing, Cell::Instant))
            .method("aroi")
            .more(),
    ];
    columns.extend(figures::columns(|row: &Row<'_>| &row.figures.claimed));
    let options = std::iter::once("any").chain(STATES).map(|value| (value.to_owned(), value.to_owned()));
    Table {
        path: FixedPage::Domains.path().to_owned(),
        api: Data::Fixed(FixedData::Domains).address(),
        caption: "Claimed domains".to_owned(),
        noun: ("domain", "domains"),
        columns,
        choices: vec![Choice {
            name: "state",
            label: "State",
            values: Values::OneOf(options.collect()),
            fits: Some(Box::new(|row: &Row<'_>, value| row.state() == value)),
        }],
        key: Box::new(|row| row.domain.to_string()),
        default_sort: "-weight_share",
        style: Style { search: Search::group(view, |row: &Row<'_>| claimants(view, row.domain)), ..Style::default() },
    }
}

/// Indices of the relays that claim a domain.
fn claimants(view: &View, domain: &AroiDomain) -> Vec<usize> {
    let claims = |i: &usize| view.operators.directory.aroi_contact(*i).domain() == Some(domain);
    (0..view.record.relays.len()).filter(claims).collect()
}

/// Renders the page.
pub(crate) fn html(snapshot: &Snapshot, view: &View, now: Timestamp, params: &Params) -> Result<PageHtml, RequestError> {
    let (table, rows) = (table(view), rows(view));
    let state = table.strict_state(params)?;
    let claimed: usize = rows.iter().map(|row| row.figures.claimed.n_relays).sum();
    let validated: usize = rows.iter().map(|row| row.figures.n_validated).sum();
    let page = ListPage {
        page: Frame::of(snapshot, view, now, FixedPage::Operators.path()).with_alternate(Alternate::of(&Data::Fixed(FixedData::Domains))).with_charts(),
        title: "Claimed domains",
        sentence: format!(
            "{} claim {}; {} of them are named by the domain that they claim.",
            format::counted(claimed, "relay"),
            format::counted(rows.len(), "domain"),
            format::count(validated as u64)
        ),
        under: "Anybody can write anybody's domain into a contact. Here relays are counted under the domain that they claim; an operator's page counts those that are proven."
            .to_owned(),
        method: "aroi",
        links: vec![(FixedPage::Operators.path(), "Operators"), (FixedPage::Families.path(), "Families")],
        before: super::charts::section(view, super::charts::List::Domains),
        table: table.html(&rows, &state)?,
    };
    render(&page)
}

/// The same for programs.
pub(crate) fn data(view: &View, params: &Params, form: Form) -> Result<String, RequestError> {
    let table = table(view);
    table.data(view.as_of(), &rows(view), params, form)
}
