//! `/countries`, `/as` and the other lists of groups.

use allium_analysis::groups::{Concentration, Group};
use allium_charts::Chart;
use allium_model::{Period, Timestamp};
use allium_service::{Snapshot, View};
use allium_words::format;
use askama::Template;

use super::columns::columns;
use super::{GroupRow, charts, geography, kind_links, period_of, period_options, providers, rows};
use crate::error::RequestError;
use crate::form::Form;
use crate::markup::Html;
use crate::page::{Alternate, Frame, PageHtml, framed, render};
use crate::params::Params;
use crate::route::{Data, GroupKind, href};
use crate::table::{Choice, Search, Style, Table, Values};

#[derive(Template)]
#[template(path = "groups.html")]
pub(super) struct GroupsPage {
    pub(super) page: Frame,
    pub(super) title: String,
    pub(super) kinds: Html,
    pub(super) sentence: String,
    pub(super) under: Html,
    pub(super) sections: Vec<Section>,
}

framed!(GroupsPage);

/// A part of a page: a heading, a sentence, the evidence.
pub(super) struct Section {
    pub(super) id: &'static str,
    pub(super) title: String,
    pub(super) say: Html,
    pub(super) body: Html,
}

impl Section {
    /// A part with everything in it.
    pub(super) fn new(id: &'static str, title: impl Into<String>, say: Html, body: Html) -> Self {
        Self { id, title: title.into(), say, body }
    }
}

/// Renders the page.
pub(super) fn html(snapshot: &Snapshot, view: &View, now: Timestamp, kind: GroupKind, params: &Params) -> Result<PageHtml, RequestError> {
    let period = period_of(params)?;
    let rows = rows(view, kind);
    let table = table(view, kind, period);
    let shown = table.html(&rows, &table.state(params)?)?;
    let mut sections = match kind {
        GroupKind::Country | GroupKind::Region => geography::sections(view, period),
        GroupKind::As => providers::sections(view, period),
        GroupKind::FirstSeen => vec![with_chart("years", "By year", kind, period, &charts::years(view), "attributes")],
        GroupKind::Flag | GroupKind::Platform | GroupKind::Version => {
            vec![with_chart("largest", "Most weight", kind, period, &charts::largest(view, kind), "shares-of-a-group")]
        }
    };
    sections.push(Section::new("list", format!("All {}", kind.noun().1), Html::words(""), Html::safe(shown)));
    let alternate = Alternate::of(&Data::Groups(kind));
    render(&GroupsPage {
        page: Frame::of(snapshot, view, now, section(kind)).with_alternate(alternate).with_charts(),
        title: kind.label().to_owned(),
        kinds: kind_links(kind),
        sentence: sentence(view, kind, period, &rows),
        under: under(view, period),
        sections,
    })
}

fn with_chart(id: &'static str, title: &str, kind: GroupKind, period: Period, chart: &Chart, anchor: &str) -> Section {
    let definition = Html::link(&href::method(anchor), &Html::words("Definition"));
    Section::new(id, title, definition, geography::figure(kind, period, chart))
}

/// The list for programs.
pub(super) fn data(view: &View, kind: GroupKind, params: &Params, form: Form) -> Result<String, RequestError> {
    let rows = rows(view, kind);
    let table = table(view, kind, period_of(params)?);
    table.data(view.as_of(), &rows, params, form)
}

/// The entry of the navigation to which a kind belongs.
pub(super) const fn section(kind: GroupKind) -> &'static str {
    match kind {
        GroupKind::Country | GroupKind::Region => GroupKind::Country.list_path(),
        _ => GroupKind::As.list_path(),
    }
}

/// Data that figures rest on, in a line under the answer.
pub(super) fn under(view: &View, period: Period) -> Html {
    let n = view.groups.network.uptime[period.index()].map_or(0, |uptime| uptime.n_relays);
    let words = format!(
        "Mean over relays of their uptime over {}, each relay counted once; {} of {} with data, from {}. ",
        period.label(),
        format::count(n as u64),
        format::counted(view.groups.network.n_relays, "relay"),
        view.origin_words()
    );
    Html::joined([Html::words(words), Html::link(&href::method("uptime-of-a-group"), &Html::words("Definition"))], "")
}

/// The table of a kind; uptime is that of a period.
pub(super) fn table<'a>(view: &'a View, kind: GroupKind, period: Period) -> Table<'a, GroupRow<'a>> {
    let mut choices = vec![
        Choice { name: "period", label: "Period", values: Values::OneOf(period_options()), fits: None },
        Choice {
            name: "min",
            label: "At least",
            values: Values::OneOf([1, 3, 5, 10, 25, 100].map(|n| (n.to_string(), format::counted(n, "relay"))).to_vec()),
            fits: Some(Box::new(|row: &GroupRow<'a>, value: &str| value.parse().is_ok_and(|least: usize| row.figures.n_relays >= least))),
        },
    ];
    match kind {
        GroupKind::Country => choices.push(regions(view)),
        GroupKind::As => choices.push(countries(view)),
        _ => {}
    }
    Table {
        path: kind.list_path().to_owned(),
        api: Data::Groups(kind).address(),
        caption: format!("{}, uptime over {}", kind.label(), period.label()),
        noun: kind.noun(),
        columns: columns(kind, period),
        choices,
        key: Box::new(|row| row.key.clone()),
        default_sort: if kind == GroupKind::FirstSeen { "-name" } else { "-weight_share" },
        style: Style { search: Search::group(view, |row: &GroupRow<'a>| relays_of(view, row)), ..Style::default() },
    }
}

/// Indices of a group's relays in the record.
fn relays_of(view: &View, row: &GroupRow<'_>) -> Vec<usize> {
    row.members.iter().map(|member| view.groups.members[*member as usize].relay_idx).collect()
}

fn regions<'a>(view: &'a View) -> Choice<'a, GroupRow<'a>> {
    let option = |group: &Group<allium_analysis::groups::Region>| (group.key.to_string(), group.key.name().to_owned());
    Choice {
        name: "region",
        label: "Region",
        values: Values::OneOf(std::iter::once((String::new(), "any".to_owned())).chain(view.groups.regions.iter().map(option)).collect()),
        fits: Some(Box::new(|row, value| {
            row.region.is_some_and(|region| region.to_string() == value || region.within().is_some_and(|r| r.to_string() == value))
        })),
    }
}

fn countries<'a>(view: &'a View) -> Choice<'a, GroupRow<'a>> {
    let members = &view.groups.members;
    let mut options: Vec<(String, String)> = rows(view, GroupKind::Country)
        .into_iter()
        .map(|row| (row.key.clone(), allium_words::inert::inert(&row.label.chars().take(40).collect::<String>())))
        .collect();
    options.sort_by(|a, b| a.1.cmp(&b.1));
    options.insert(0, (String::new(), "any".to_owned()));
    Choice {
        name: "country",
        label: "With relays in",
        values: Values::OneOf(options),
        fits: Some(Box::new(move |row, value| {
            row.members.iter().any(|member| members[*member as usize].country.is_some_and(|country| country.as_str() == value))
        })),
    }
}

fn sentence(view: &View, kind: GroupKind, period: Period, rows: &[GroupRow<'_>]) -> String {
    let heaviest = rows.iter().max_by(|a, b| {
        let weight = |row: &GroupRow<'_>| row.figures.consensus_weight;
        weight(a).cmp(&weight(b)).then_with(|| b.key.cmp(&a.key))
    });
    let Some(heaviest) = heaviest.filter(|row| row.figures.n_running > 0) else {
        return format!("No relay is known by {} yet.", kind.noun().0);
    };
    let share =
        heaviest.figures.weight_share.map_or_else(|| "an unknown share".to_owned(), |s| format!("{}\u{a0}%", format::percent(s, 1)));
    let name = allium_words::inert::inert(&heaviest.words().chars().take(60).collect::<String>());
    let n = format::count(rows.iter().filter(|row| row.figures.n_running > 0).count() as u64);
    match kind {
        GroupKind::Country | GroupKind::Region => geography::sentence(view, period, &n),
        GroupKind::As => {
            let top = Concentration::of(&view.groups.autonomous_systems).map_or_else(String::new, |concentration| {
                format!("; the ten largest carry {}\u{a0}%", format::percent(concentration.top[3], 1))
            });
            format!("{n} autonomous systems run Tor; {name} carries {share} of its weight{top}.")
        }
        GroupKind::Flag => format!("Relays hold {n} kinds of flags; relays with {name} carry {share} of the weight."),
        GroupKind::Platform => format!("Relays run on {n} platforms; {share} of the weight is on {name}."),
        GroupKind::Version => format!("Relays run {n} versions of Tor; {share} of the weight is on {name}."),
        GroupKind::FirstSeen => {
            format!("The relays that run now appeared on {n} different days; those of {name} carry the most weight, {share}.")
        }
    }
}
