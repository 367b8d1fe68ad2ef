//! `/operators`: who runs how much of the network, and how reliably.

use allium_analysis::operators::OperatorFigures;
use allium_model::{OperatorId, Period, Timestamp};
use allium_service::{Snapshot, View};
use allium_words::format;

use super::{ListPage, figures, identity};
use crate::error::RequestError;
use crate::form::Form;
use crate::page::{Alternate, Frame, PageHtml, render};
use crate::params::Params;
use crate::route::{Data, FixedData, FixedPage, href};
use crate::table::{Cell, Choice, Column, Search, Style, Table, Values};

/// An operator with a current relay.
pub(crate) struct Row<'a> {
    operator_idx: usize,
    id: &'a OperatorId,
    figures: &'a OperatorFigures,
}

/// The operators with a current relay, by id.
fn rows(view: &View) -> Vec<Row<'_>> {
    let all = view.operators.list().iter().zip(&view.operators.figures).enumerate();
    let rows = all.map(|(operator_idx, (operator, figures))| Row { operator_idx, id: &operator.id, figures });
    rows.filter(|row| row.figures.members.n_relays > 0).collect()
}

fn table(view: &View) -> Table<'_, Row<'_>> {
    let mut columns = vec![
        Column::text("name", "Operator", |row: &Row<'_>| Cell::link(&view.operator_name(row.operator_idx), href::operator(row.id)))
            .method("operators")
            .title_of_card(),
        Column::text("known_by", "Known by", |row: &Row<'_>| Cell::Words(identity(row.id).to_owned()))
            .about("how it is known that the relays are one operator's")
            .method("operators")
            .badge_of_card(),
    ];
    columns.extend(figures::columns(|row: &Row<'_>| &row.figures.members));
    let peers = |row: &Row<'_>| Cell::share(row.figures.peers[Period::SixMonths.index()].map(|rank| rank.percentile), 0);
    columns.extend([
        Column::number("peers_6_months", "Better than, %", peers)
            .about("share of operators of like size with a lower uptime over 6 months")
            .method("operators-of-like-size"),
        Column::number("n_validated", "Validated", |row: &Row<'_>| Cell::count(row.figures.by_aroi[0]))
            .about("relays that the claimed domain names")
            .method("aroi"),
        Column::text("claimed_domain", "Claimed domain", |row: &Row<'_>| {
            row.figures.claimed_domain.as_ref().map_or(Cell::Nothing, |domain| Cell::name(domain.as_str()))
        })
        .about("the domain that most of its relays claim; proven only where the operator is known by it")
        .method("aroi")
        .more(),
        Column::text("id", "Id", |row: &Row<'_>| Cell::Words(row.id.to_string())).more(),
    ]);
    let options = |values: &[(&str, &str)]| values.iter().map(|(value, label)| ((*value).to_owned(), (*label).to_owned())).collect();
    Table {
        path: FixedPage::Operators.path().to_owned(),
        api: Data::Fixed(FixedData::Operators).address(),
        caption: "Operators".to_owned(),
        noun: ("operator", "operators"),
        columns,
        choices: vec![
            Choice {
                name: "known_by",
                label: "Known by",
                values: Values::OneOf(options(&[
                    ("any", "anything"),
                    ("domain", "proven domain"),
                    ("family", "family"),
                    ("contact", "contact"),
                ])),
                fits: Some(Box::new(|row: &Row<'_>, value| identity(row.id).ends_with(value))),
            },
            Choice {
                name: "min",
                label: "Relays",
                values: Values::OneOf(options(&[
                    ("1", "1 and more"),
                    ("2", "2 and more"),
                    ("5", "5 and more"),
                    ("10", "10 and more"),
                    ("25", "25 and more"),
                ])),
                fits: Some(Box::new(|row: &Row<'_>, value| value.parse().is_ok_and(|min: usize| row.figures.members.n_relays >= min))),
            },
        ],
        key: Box::new(|row| row.id.to_string()),
        default_sort: "-weight_share",
        style: Style {
            search: Search::group(view, |row: &Row<'_>| {
                view.operators.list()[row.operator_idx].members.iter().map(|i| *i as usize).collect()
            }),
            ..Style::default()
        },
    }
}

/// Renders the page.
pub(crate) fn html(snapshot: &Snapshot, view: &View, now: Timestamp, params: &Params) -> Result<PageHtml, RequestError> {
    let (table, rows) = (table(view), rows(view));
    let state = table.strict_state(params)?;
    let page = ListPage {
        page: Frame::of(snapshot, view, now, FixedPage::Operators.path())
            .with_alternate(Alternate::of(&Data::Fixed(FixedData::Operators)))
            .with_charts(),
        title: "Operators",
        sentence: sentence(view, &rows),
        under: under(view),
        method: "operators",
        links: vec![
            (FixedPage::Families.path(), "Families"),
            (FixedPage::Domains.path(), "Claimed domains"),
            (FixedPage::Leaderboards.path(), "Leaderboards"),
        ],
        before: super::charts::section(view, super::charts::List::Operators),
        table: table.html(&rows, &state)?,
    };
    render(&page)
}

/// The same for programs.
pub(crate) fn data(view: &View, params: &Params, form: Form) -> Result<String, RequestError> {
    let table = table(view);
    table.data(view.as_of(), &rows(view), params, form)
}

fn sentence(view: &View, rows: &[Row<'_>]) -> String {
    let proven = rows.iter().filter(|row| matches!(row.id, OperatorId::Domain(_))).count();
    let mut shares: Vec<f64> = rows.iter().filter_map(|row| row.figures.members.weight_share).map(allium_model::Fraction::get).collect();
    shares.sort_by(|a, b| b.total_cmp(a));
    let top = allium_model::Fraction::clamped(shares.iter().take(10).sum()).unwrap_or(allium_model::Fraction::ZERO);
    let n_known: usize = rows.iter().map(|row| row.figures.members.n_relays).sum();
    format!(
        "{} run {} of {} relays; the ten heaviest have {}\u{a0}% of the weight. {} proven a domain.",
        format::counted(rows.len(), "known operator"),
        format::count(n_known as u64),
        format::count((n_known + view.operators.n_unknown) as u64),
        format::percent(top, 1),
        match proven {
            0 => "None has".to_owned(),
            1 => "One has".to_owned(),
            n => format!("{} have", format::count(n as u64)),
        }
    )
}

fn under(view: &View) -> String {
    format!(
        "An operator is a proven domain, else a family of relays that name each other, else a contact. Of {} that give neither, nobody can tell who runs them; they are nobody's here.",
        format::counted(view.operators.n_unknown, "relay")
    )
}
