//! `/families` and `/family/<FINGERPRINT>`: relays that name each other.

use allium_analysis::operators::{FamilyState, MemberFigures};
use allium_charts::Chart;
use allium_model::{Family, Fingerprint, Period, Timestamp};
use allium_service::{Snapshot, View};
use allium_words::format;
use askama::Template;

use super::{ListPage, figures, operator_link, relay};
use crate::error::RequestError;
use crate::figure::Figure;
use crate::foreign::Foreign;
use crate::form::Form;
use crate::markup::{Html, short_fingerprint};
use crate::page::{Alternate, Frame, PageHtml, framed, render};
use crate::pages::groups;
use crate::pages::members::{self, Member};
use crate::params::Params;
use crate::route::{Data, FixedData, FixedPage, href};
use crate::table::{Cell, Column, Search, Style, Table, TableHtml};

struct Row<'a> {
    family: &'a Family,
    figures: &'a MemberFigures,
}

/// The families with a current relay, by key.
fn rows(view: &View) -> Vec<Row<'_>> {
    let all = view.operators.directory.families.families.iter().zip(&view.operators.families);
    all.map(|(family, figures)| Row { family, figures }).filter(|row| row.figures.n_relays > 0).collect()
}

fn table(view: &View) -> Table<'_, Row<'_>> {
    let name =
        |row: &Row<'_>| heaviest(view, row.family).map_or_else(String::new, |i| relay(view, i).map_or("", |r| r.display_name()).to_owned());
    let operator = |row: &Row<'_>| {
        row.family.members.first().map_or(Cell::Nothing, |i| Cell::Markup {
            html: operator_link(view, *i as usize),
            plain: view.operators.id_of(*i as usize).map_or_else(String::new, ToString::to_string),
            rank: 0.0,
        })
    };
    let mut columns = vec![
        Column::text("heaviest_relay", "Heaviest relay", move |row: &Row<'_>| Cell::link(&name(row), href::family(&row.family.key)))
            .about("nickname of its heaviest relay")
            .method("families")
            .title_of_card(),
        Column::text("key", "Key", |row: &Row<'_>| Cell::Words(short_fingerprint(&row.family.key)))
            .about("the smallest fingerprint of the family, its first digits")
            .badge_of_card(),
        Column::text("operator", "Operator", operator).unsorted().method("operators"),
    ];
    columns.extend(figures::columns(|row: &Row<'_>| row.figures));
    columns.push(Column::text("fingerprint", "Smallest fingerprint", |row: &Row<'_>| Cell::Words(row.family.key.to_string())).more());
    Table {
        path: FixedPage::Families.path().to_owned(),
        api: Data::Fixed(FixedData::Families).address(),
        caption: "Families".to_owned(),
        noun: ("family", "families"),
        columns,
        choices: Vec::new(),
        key: Box::new(|row| row.family.key.to_string()),
        default_sort: "-weight_share",
        style: Style {
            search: Search::group(view, |row: &Row<'_>| row.family.members.iter().map(|i| *i as usize).collect()),
            ..Style::default()
        },
    }
}

/// The heaviest member; the first of equals.
pub(super) fn heaviest(view: &View, family: &Family) -> Option<u32> {
    family.members.iter().copied().max_by_key(|i| (relay(view, *i).and_then(|relay| relay.consensus_weight), std::cmp::Reverse(*i)))
}

/// Renders the list.
pub(crate) fn html(snapshot: &Snapshot, view: &View, now: Timestamp, params: &Params) -> Result<PageHtml, RequestError> {
    let (table, rows) = (table(view), rows(view));
    let state = table.strict_state(params)?;
    let page = ListPage {
        page: Frame::of(snapshot, view, now, FixedPage::Operators.path())
            .with_alternate(Alternate::of(&Data::Fixed(FixedData::Families)))
            .with_charts(),
        title: "Families",
        sentence: sentence(view, &rows),
        under: "A family is a group of relays that name each other; clients never use two of one family in one circuit.".to_owned(),
        method: "families",
        links: vec![(FixedPage::Operators.path(), "Operators"), (FixedPage::Domains.path(), "Claimed domains")],
        before: Html::joined([network_states(view), super::charts::section(view, super::charts::List::Families)], ""),
        table: table.html(&rows, &state)?,
    };
    render(&page)
}

/// The list for programs.
pub(crate) fn data(view: &View, params: &Params, form: Form) -> Result<String, RequestError> {
    let table = table(view);
    table.data(view.as_of(), &rows(view), params, form)
}

/// All current relays by the state of their families, as a list of facts.
fn network_states(view: &View) -> Html {
    let current: Vec<u32> = (0..view.record.relays.len() as u32).filter(|i| view.report.relays[*i as usize].current).collect();
    let item = |(term, value): (String, String)| {
        let pair = [Html::element("dt", &[], &Html::words(term)), Html::element("dd", &[], &Html::words(value))];
        Html::element("div", &[], &Html::joined(pair, ""))
    };
    let items = states(&Member::current(view, &current)).into_iter().map(item);
    let list = Html::element("dl", &[("class", "facts two")], &Html::joined(items, ""));
    let head = Html::element("h2", &[("id", "states")], &Html::words("Relays by state"));
    let say = Html::element(
        "p",
        &[("class", "small")],
        &Html::joined(
            [
                Html::words("Current relays by what they say of their family; mixed and alleged ones are misconfigured."),
                Html::link(&href::method("families"), &Html::words("Definition")),
            ],
            " ",
        ),
    );
    Html::element("section", &[("aria-labelledby", "states")], &Html::joined([head, list, say], ""))
}

fn sentence(view: &View, rows: &[Row<'_>]) -> String {
    let members: usize = rows.iter().map(|row| row.figures.n_relays).sum();
    let current = || view.record.relays.iter().zip(&view.report.relays).enumerate().filter(|(_, (_, report))| report.current);
    let alone = current().filter(|(i, _)| view.operators.directory.families.of_relay[*i].is_none()).count();
    let misconfigured = current().filter(|(_, (record, _))| FamilyState::of(&record.relay).is_misconfigured()).count();
    let largest = rows.iter().map(|row| row.figures.n_relays).max().unwrap_or(0);
    format!(
        "{} of {} are in {}, the largest with {}; {} stand alone. {} relays that do not name them back.",
        format::count(members as u64),
        format::counted(members + alone, "relay"),
        format::counted_as(rows.len(), "family", "families"),
        format::count(largest as u64),
        format::count(alone as u64),
        if misconfigured == 1 { "One names".to_owned() } else { format!("{} name", format::count(misconfigured as u64)) },
    )
}

#[derive(Template)]
#[template(path = "family.html")]
struct FamilyPage {
    page: Frame,
    title: String,
    name: String,
    key: Fingerprint,
    answer: String,
    operator: Html,
    closer: Html,
    one_sided: Vec<Html>,
    states: Vec<(String, String)>,
    facts: Vec<(&'static str, Html)>,
    changes: Html,
    months: Html,
    table: TableHtml,
}

framed!(FamilyPage);

/// The key of the family that a relay is in; `None` for relays that stand alone.
pub(crate) fn key_of(view: &View, fingerprint: &Fingerprint) -> Option<Fingerprint> {
    let families = &view.operators.directory.families;
    let family_idx = families.of_relay.get(view.relay_idx(fingerprint)?).copied().flatten()?;
    families.families.get(family_idx as usize).map(|family| family.key)
}

fn family_of<'a>(view: &'a View, key: &Fingerprint) -> Result<(&'a Family, &'a MemberFigures), RequestError> {
    let families = &view.operators.directory.families;
    let family_idx = view.relay_idx(key).and_then(|i| families.of_relay[i]).ok_or(RequestError::NoSuchPage)? as usize;
    Ok((&families.families[family_idx], &view.operators.families[family_idx]))
}

/// Renders the page of the family with this key.
pub(crate) fn family_html(
    snapshot: &Snapshot,
    view: &View,
    now: Timestamp,
    key: &Fingerprint,
    params: &Params,
) -> Result<PageHtml, RequestError> {
    let (family, figures) = family_of(view, key)?;
    let members = Member::current(view, &family.members);
    let path = href::family(key);
    let api = Data::Family(*key).address();
    let table = members::table(view, path, api.clone());
    let state = table.strict_state(params)?;
    let name = heaviest(view, family).and_then(|i| relay(view, i)).map_or("", |relay| relay.display_name()).to_owned();
    let one_sided = members.iter().filter(|member| FamilyState::of(member.relay()).is_misconfigured());
    let page = FamilyPage {
        page: Frame::of(snapshot, view, now, FixedPage::Operators.path()).with_alternate(Alternate::of(&Data::Family(*key))).with_charts(),
        title: format!("Family of {}", allium_words::inert::inert(&name)),
        answer: answer(figures),
        operator: family.members.first().map_or_else(Html::unknown, |i| operator_link(view, *i as usize)),
        closer: crate::pages::explore::links(&format!("family:{key}")),
        states: states(&members),
        facts: facts(figures),
        changes: groups::change_table(&view.groups.figures(&view.groups.member_indices(&family.members)).changes),
        months: Html::safe(Figure::of(&groups::months_chart(view, &family.members, "This family"), &href::charts(href::family(key)), "")),
        one_sided: one_sided.take(members::SHOWN).map(|member| crate::pages::relay::relay_link(member.relay())).collect(),
        table: table.html(&members, &state)?,
        key: *key,
        name,
    };
    render(&page)
}

/// Numbers of relays in each state, with the relays that are reached through others only.
fn states(members: &[Member<'_>]) -> Vec<(String, String)> {
    let count = |fits: &dyn Fn(&Member<'_>) -> bool| format::count(members.iter().filter(|member| fits(member)).count() as u64);
    let of = |state: FamilyState| (state.name().to_owned(), count(&|member| FamilyState::of(member.relay()) == state));
    let mut rows: Vec<(String, String)> = FamilyState::ALL.map(of).to_vec();
    rows.push(("with indirect members".to_owned(), count(&|member| !member.relay().indirect_family.is_empty())));
    rows
}

fn facts(figures: &MemberFigures) -> Vec<(&'static str, Html)> {
    let counts = |counts: &[usize]| Html::words(counts.iter().map(|n| format::count(*n as u64)).collect::<Vec<_>>().join(", "));
    let roles = figures.running_by_role;
    vec![
        ("Guards, exits, others running", counts(&[roles.guard, roles.exit, roles.middle])),
        ("Bandwidth, advertised", Html::known(figures.advertised_bandwidth, |bytes| format!("{} MB/s", format::megabytes(bytes)))),
        (
            "Countries, autonomous systems, operating systems",
            counts(&[figures.n_countries, figures.n_autonomous_systems, figures.n_platforms]),
        ),
        ("First relay seen", Html::first_seen(figures.first_seen)),
    ]
}

/// A chart of a family's page.
pub(crate) fn chart(view: &View, params: &Params, key: &Fingerprint, name: &str) -> Result<Chart, RequestError> {
    params.only(&[])?;
    let (family, _) = family_of(view, key)?;
    if name == "months" { Ok(groups::months_chart(view, &family.members, "This family")) } else { Err(RequestError::NoSuchPage) }
}

/// The members of a family for programs.
pub(crate) fn family_data(view: &View, key: &Fingerprint, params: &Params, form: Form) -> Result<String, RequestError> {
    let (family, _) = family_of(view, key)?;
    let table = members::table(view, href::family(key), Data::Family(*key).address());
    table.data(view.as_of(), &Member::current(view, &family.members), params, form)
}

/// Number, weight and reliability of the relays.
pub(super) fn answer(figures: &MemberFigures) -> String {
    let uptime = [Period::SixMonths, Period::OneMonth].into_iter().find_map(|period| figures.uptime[period.index()].map(|u| (period, u)));
    let reliability = uptime.map_or_else(String::new, |(period, uptime)| {
        format!(" Over {} they were up {}\u{a0}% of the time on average.", period.label(), format::percent(uptime.mean, 2))
    });
    let weight = figures
        .weight_share
        .map_or_else(String::new, |share| format!(", with {}\u{a0}% of the network's weight", format::percent(share, 3)));
    format!("{} of {} run now{weight}.{reliability}", format::count(figures.n_running as u64), format::counted(figures.n_relays, "relay"))
}
