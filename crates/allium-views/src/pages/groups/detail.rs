//! `/country/de`, `/as/AS24940` and the other pages of one group: how it is, what it consists of, what would be without it.

use allium_analysis::Recent;
use allium_analysis::groups::{Change, Grade, GroupUptime, Loss, Region, Risk};
use allium_detect::ScopeKind;
use allium_model::{Period, Timestamp};
use allium_service::{Snapshot, View};
use allium_words::format;
use allium_words::inert::inert;

use super::charts;
use super::columns::stars;
use super::geography::{self, operator, percent_words, trend, with_method};
use super::list::{GroupsPage, Section, section, under};
use super::relays::{relay_rows, table as relay_table};
use super::rows::{autonomous_system, country, owned};
use super::{GroupRow, kind_links, period_of, providers, row_of};
use crate::error::RequestError;
use crate::figure::Figure;
use crate::form::Form;
use crate::markup::Html;
use crate::page::{Alternate, Frame, PageHtml, render};
use crate::pages::explore;
use crate::pages::forecasts::{Together, group_panel};
use crate::pages::incidents::Mentions;
use crate::params::Params;
use crate::route::{Data, GroupKind, href};
use crate::table::{Cell, Column, Style, Table};

/// Parts of a group that its page lists.
const PARTS: usize = 10;

/// Renders the page of a group.
pub(super) fn html(
    snapshot: &Snapshot,
    view: &View,
    now: Timestamp,
    kind: GroupKind,
    key: &str,
    params: &Params,
) -> Result<PageHtml, RequestError> {
    let period = period_of(params)?;
    let row = find(view, kind, key)?;
    let table = relay_table(view, kind, &row.key, period);
    let shown = table.html(&relay_rows(view, &row), &table.state(params)?)?;
    let mut sections =
        vec![facts(view, kind, &row, period), uptime(view, &row), months(view, kind, &row), closer(kind, &row), changes(&row)];
    sections.extend(findings(view, kind, &row, period));
    sections.extend(forecast(snapshot, view, kind, &row));
    sections.push(loss(view, &row, period));
    sections.extend(parts(view, kind, &row, period));
    let log = snapshot.incidents();
    let scope = match kind {
        GroupKind::Country => Some(ScopeKind::Country),
        GroupKind::As => Some(ScopeKind::As),
        _ => None,
    };
    let mentions = scope.map(|scope| Mentions::of_location(view, log, scope, &row.key));
    sections.extend(mentions.as_ref().map(incidents));
    sections.push(Section::new("relays", "Relays", Html::words(""), Html::safe(shown)));
    let alternate = Alternate::of(&Data::Group(kind, row.key.clone()));
    let page = Frame::of(snapshot, view, now, section(kind)).with_alternate(alternate).with_charts();
    render(&GroupsPage {
        page: match &mentions {
            Some(mentions) => page.with_feeds("Incidents here", &mentions.query),
            None => page,
        },
        title: inert(&row.words().chars().take(80).collect::<String>()),
        kinds: kind_links_of(kind),
        sentence: sentence(view, &row, period),
        under: under(view, period),
        sections,
    })
}

fn incidents(mentions: &Mentions) -> Section {
    Section::new("incidents", "Incidents", with_method(&mentions.sentence, "incidents"), mentions.list.clone())
}

/// The group and its relays for programs.
pub(super) fn data(view: &View, kind: GroupKind, key: &str, params: &Params, form: Form) -> Result<String, RequestError> {
    let period = period_of(params)?;
    let row = find(view, kind, key)?;
    let table = relay_table(view, kind, &row.key, period);
    let state = table.strict_state(params)?;
    let group = super::list::table(view, kind, period).row_json(&row);
    table.data_of(view.as_of(), group, &relay_rows(view, &row), &state, form)
}

fn find<'a>(view: &'a View, kind: GroupKind, key: &str) -> Result<GroupRow<'a>, RequestError> {
    row_of(view, kind, key).ok_or_else(|| RequestError::no_such_group(kind.noun().0, key))
}

/// Links to the lists; that of this kind is one of them.
fn kind_links_of(kind: GroupKind) -> Html {
    let list = Html::link(kind.list_path(), &Html::words(format!("All {}", kind.noun().1)));
    Html::joined([list, kind_links(kind)], " ")
}

fn sentence(view: &View, row: &GroupRow<'_>, period: Period) -> String {
    let figures = &row.figures;
    let name = inert(&row.words().chars().take(80).collect::<String>());
    if figures.n_relays == 0 {
        return format!("{name}: no relay of it was seen in the last 7 days.");
    }
    let size = format!(
        "{name}: {} of {} run now and carry {} of the network's weight",
        format::count(figures.n_running as u64),
        format::counted(figures.n_relays, "relay"),
        percent_words(figures.weight_share)
    );
    let Some(uptime) = figures.uptime[period.index()] else { return format!("{size}; no relay has data over {}.", period.label()) };
    let against = view.groups.network.uptime[period.index()].map_or_else(String::new, |network| {
        format!(", {} points against the network's mean", format::points(uptime.mean.get() - network.mean.get()))
    });
    format!("{size}. Over {} they were up {}\u{a0}% of the time{against}.", period.label(), format::percent(uptime.mean, 1))
}

fn facts(view: &View, kind: GroupKind, row: &GroupRow<'_>, period: Period) -> Section {
    let figures = &row.figures;
    let count = |n: usize| Html::words(format::count(n as u64));
    let roles = figures.running_by_role;
    let by_role = |[guard, middle, exit]: [String; 3]| Html::words(format!("{guard} / {middle} / {exit}"));
    let mut rows = vec![
        ("Relays seen in the last 7 days", count(figures.n_relays)),
        ("Guards / middles / exits running", by_role([roles.guard, roles.middle, roles.exit].map(|n| format::count(n as u64)))),
        (
            "Probability as guard / middle / exit",
            by_role([figures.guard_share, figures.middle_share, figures.exit_share].map(percent_words)),
        ),
        ("Advertised bandwidth, MB/s", Html::known(figures.bandwidth.all, format::megabytes)),
        (
            "Of guards / middles / exits, MB/s",
            by_role(
                [figures.bandwidth.guard, figures.bandwidth.middle, figures.bandwidth.exit]
                    .map(|bytes| crate::markup::words_of(bytes, format::megabytes)),
            ),
        ),
        ("Measured by bandwidth authorities", count(figures.n_measured)),
        ("Operators", count(figures.n_operators)),
        ("Families", count(figures.n_families)),
    ];
    if kind != GroupKind::As {
        rows.push(("Autonomous systems", count(figures.n_autonomous_systems)));
    }
    if kind != GroupKind::Country {
        rows.push(("Countries", count(figures.n_countries)));
        rows.push(("Geography", Html::words(providers::countries(view, row))));
    }
    if let Some(region) = row.region {
        rows.push(("Region", Html::link(&GroupKind::Region.href(&region.to_string()), &Html::words(region.name()))));
    }
    rows.extend([
        ("Oldest relay first seen", Html::first_seen(figures.first_seen)),
        (
            "Mean age of relays",
            figures.mean_age_days.map_or_else(Html::unknown, |days| Html::words(format!("{} years", format::number(days / 365.25, 1)))),
        ),
        ("Exits", Html::words(providers::exit_words(figures))),
        ("Exit policies", policies(row)),
        (
            "Diversity score",
            figures.diversity.map_or_else(Html::unknown, |score| Html::words(format!("{} of 10", format::number(score, 1)))),
        ),
        ("Risk of depending on it", Html::words(Risk::of(figures).name())),
        (
            "Network reliability",
            figures.uptime[period.index()]
                .and_then(|uptime| Grade::of(&uptime))
                .map_or_else(Html::unknown, |grade| Html::joined([stars(grade), Html::words(grade.name())], " ")),
        ),
    ]);
    let definitions = [
        ("shares-of-a-group", "shares"),
        ("roles", "roles"),
        ("operators", "operators"),
        ("exit-policies", "exit policies"),
        ("diversity-score", "diversity score"),
        ("risk-level", "risk level"),
        ("grades", "stars"),
    ];
    let links = definitions.map(|(anchor, name)| Html::link(&href::method(anchor), &Html::words(name)));
    Section::new("facts", "At a glance", Html::joined([Html::words("Definitions:"), Html::joined(links, ", ")], " "), list(&rows))
}

fn policies(row: &GroupRow<'_>) -> Html {
    let policies = row.figures.exit_policies;
    if policies.unknown == row.figures.n_relays {
        return Html::unknown();
    }
    let counts = [
        ("reject all", policies.nothing),
        ("some ports", policies.some),
        ("all ports", policies.everything),
        ("unknown", policies.unknown),
    ];
    let parts = counts.iter().filter(|(_, n)| *n > 0).map(|(name, n)| Html::words(format!("{} {name}", format::count(*n as u64))));
    Html::joined(parts, ", ")
}

fn list(rows: &[(&str, Html)]) -> Html {
    let item = |(term, value): &(&str, Html)| {
        let pair = [Html::element("dt", &[], &Html::words(term)), Html::element("dd", &[], value)];
        Html::element("div", &[], &Html::joined(pair, ""))
    };
    Html::element("dl", &[("class", "facts two")], &Html::joined(rows.iter().map(item), ""))
}

type UptimeRow = (Period, Option<GroupUptime>, Option<GroupUptime>);

fn uptime(view: &View, row: &GroupRow<'_>) -> Section {
    let rows = Period::ALL.map(|period| (period, row.figures.uptime[period.index()], view.groups.network.uptime[period.index()]));
    let number = |name, label: &'static str, value: fn(&GroupUptime) -> Cell| {
        Column::number(name, label, move |row: &UptimeRow| row.1.as_ref().map_or(Cell::Missing, value)).method("uptime-of-a-group")
    };
    let table = Table {
        path: String::new(),
        api: String::new(),
        caption: "Uptime by period".to_owned(),
        noun: ("period", "periods"),
        columns: vec![
            Column::text("period", "Period", |row: &UptimeRow| Cell::Words(row.0.label().to_owned())).title_of_card(),
            number("mean", "Mean, %", |uptime| Cell::Share(uptime.mean, 2)).about("mean over relays").method("uptime-of-a-group").on_card(),
            number("interval", "95 % interval", |uptime| Cell::interval(uptime.interval))
                .about("95 % confidence interval of the mean")
                .method("interval-of-a-mean")
                .on_card(),
            number("median", "Median, %", |uptime| Cell::Share(uptime.median, 2)),
            number("weighted", "By weight, %", |uptime| Cell::share(uptime.weighted_mean, 2))
                .about("mean by weight")
                .method("weighted-uptime"),
            Column::number("network", "Network, %", |row: &UptimeRow| Cell::share(row.2.map(|network| network.mean), 2))
                .method("uptime-of-a-group")
                .about("mean of the whole network")
                .on_card(),
            number("relays", "Relays", |uptime| Cell::count(uptime.n_relays)).about("relays with data"),
            number("operators", "Operators", |uptime| Cell::count(uptime.n_clusters)).about("operators among them"),
            number("hours", "Relay-hours", |uptime| Cell::Count(uptime.known_hours as u64)).about("relay-hours known"),
        ],
        choices: Vec::new(),
        key: Box::new(|row| row.0.name().to_owned()),
        default_sort: "mean",
        style: Style::default(),
    };
    Section::new("uptime", "Uptime", Html::words(""), Html::safe(table.plain(&rows, rows.len(), None)))
}

/// Month by month, beside the network.
fn months(view: &View, kind: GroupKind, row: &GroupRow<'_>) -> Section {
    let chart = charts::months(view, row);
    let base = format!("{}/charts", row.href(kind));
    let say = "The past of the relays that are in this group today.";
    Section::new("months", "Month by month", with_method(say, "groups"), Html::safe(Figure::of(&chart, &base, "")))
}

/// Links to other drawings of the group.
fn closer(kind: GroupKind, row: &GroupRow<'_>) -> Section {
    let links = explore::links(&explore::word_of(kind, &row.key));
    Section::new("closer", "Look closer", links, Html::words(""))
}

type ChangeRow = (usize, Option<Change>);

fn changes(row: &GroupRow<'_>) -> Section {
    let say = "The last days against as many before, over the relays known in both, less the same change of the whole network.";
    Section::new("changes", "Change", with_method(say, "change"), change_table(&row.figures.changes))
}

/// Changes over the last days as a table.
pub(crate) fn change_table(changes: &[Option<Change>; 3]) -> Html {
    let rows: Vec<ChangeRow> = Recent::DAYS.into_iter().zip(*changes).collect();
    let number = |name, label: &'static str, value: fn(&Change) -> Cell| {
        Column::number(name, label, move |row: &ChangeRow| row.1.as_ref().map_or(Cell::Missing, value)).method("change")
    };
    let table = Table {
        path: String::new(),
        api: String::new(),
        caption: "Change of uptime".to_owned(),
        noun: ("window", "windows"),
        columns: vec![
            Column::text("days", "Window", |row: &ChangeRow| Cell::Words(format!("{} days", row.0))).title_of_card(),
            number("last", "Last, %", |change| Cell::Share(change.last, 2)).about("mean over the last days"),
            number("before", "Before, %", |change| Cell::Share(change.before, 2)).about("mean over as many days before"),
            Column::number("trend", "Against the network, pp", |row: &ChangeRow| trend(row.1))
                .about("change against the network's")
                .method("change")
                .on_card(),
            number("interval", "95 % interval, pp", |change| {
                Cell::Words(format!("{} to {}", format::points(change.low), format::points(change.high)))
            }),
            number("relays", "Relays", |change| Cell::count(change.n_relays)).about("relays known in both"),
        ],
        choices: Vec::new(),
        key: Box::new(|row| row.0.to_string()),
        default_sort: "trend",
        style: Style::default(),
    };
    Html::safe(table.plain(&rows, rows.len(), None))
}

/// Forecast for the relays of a country or an autonomous system.
fn forecast(snapshot: &Snapshot, view: &View, kind: GroupKind, row: &GroupRow<'_>) -> Option<Section> {
    let (together, name) = match kind {
        GroupKind::Country => (Together::Country, "country"),
        GroupKind::As => (Together::As, "as"),
        _ => return None,
    };
    let list = format!("/forecasts?{name}={}", allium_words::inert::url_encoded(&row.key));
    let members = row.members.iter().map(|member| view.groups.members[*member as usize].relay_idx);
    let body = group_panel(snapshot.outlook(), view, members, together, &list);
    Some(Section::new("forecast", "The next 30 days", Html::words(""), body))
}

/// Unusual facts about a country or an autonomous system.
fn findings(view: &View, kind: GroupKind, row: &GroupRow<'_>, period: Period) -> Option<Section> {
    let (anchor, items): (&str, Vec<Html>) = match kind {
        GroupKind::Country => {
            let found = view.anomalies(period).iter().filter(|anomaly| anomaly.country.as_str() == row.key);
            ("anomalies", found.map(|anomaly| geography::finding(view, anomaly)).collect())
        }
        GroupKind::As => {
            let found = view.as_alerts(period).iter().filter(|alert| alert.asn.to_string() == row.key);
            ("provider-alerts", found.map(|alert| providers::finding(view, alert)).collect())
        }
        _ => return None,
    };
    let say = if items.is_empty() { "Nothing beyond chance." } else { "Differences beyond chance:" };
    Some(Section::new("findings", "Needs attention", with_method(say, anchor), geography::list_of(&items)))
}

/// Links beside each other, each large enough to touch.
fn links(links: Vec<Html>) -> Html {
    Html::element("span", &[("class", "kinds")], &Html::joined(links, " "))
}

/// The network without the group.
fn loss(view: &View, row: &GroupRow<'_>, period: Period) -> Section {
    let loss: Loss = view.groups.without(&row.members, &row.figures, period);
    let total = view.groups.network.running_by_role;
    let of = |n: usize, total: usize| Html::words(format!("{} of {}", format::count(n as u64), format::count(total as u64)));
    let share = |share| Html::words(percent_words(share));
    let countries: Vec<Html> =
        loss.countries.iter().map(|c| Html::link(&GroupKind::Country.href(c.as_str()), &Html::words(c.as_str().to_uppercase()))).collect();
    let rows = vec![
        ("Running relays", of(loss.n_running, view.groups.network.n_running)),
        ("Guards", of(loss.n_guards, total.guard)),
        ("Exits", of(loss.n_exits, total.exit)),
        ("Consensus weight", share(loss.weight_share)),
        ("Guard probability", share(loss.guard_share)),
        ("Exit probability", share(loss.exit_share)),
        ("Advertised bandwidth", share(loss.bandwidth_share)),
        ("Countries left without a relay", if countries.is_empty() { Html::words("none") } else { links(countries) }),
        ("Operators left without a relay", Html::words(format::count(loss.n_operators as u64))),
        ("Mean uptime of the rest", Html::words(percent_words(loss.uptime))),
    ];
    let say = format!(
        "Should all these relays leave at once, the network would lose {} of its weight and {} of its exit probability.",
        percent_words(loss.weight_share),
        percent_words(loss.exit_share)
    );
    Section::new("without", "The network without it", with_method(&say, "without-a-group"), list(&rows))
}

/// Parts of the group: autonomous systems, countries, operators.
fn parts(view: &View, kind: GroupKind, row: &GroupRow<'_>, period: Period) -> Vec<Section> {
    let groups = &view.groups;
    let mut sections = Vec::new();
    if kind != GroupKind::As {
        let found = groups.heaviest_systems(&row.members, &view.record, period, PARTS);
        let rows = found.groups.iter().map(|group| owned(group, autonomous_system(group))).collect();
        let more = (kind == GroupKind::Country).then(|| (format!("/as?country={}", row.key), "All".to_owned()));
        sections.push(part("systems", GroupKind::As, "Autonomous systems", (rows, found.n_groups), period, more));
    }
    if kind != GroupKind::Country {
        let found = groups.heaviest_countries(&row.members, &view.record, period, PARTS);
        let rows = found.groups.iter().map(|group| owned(group, country(group))).collect();
        let region = (kind == GroupKind::Region).then(|| row.key.parse::<Region>().ok()).flatten();
        let more = region.map(|region| (format!("/countries?region={region}"), "All".to_owned()));
        sections.push(part("countries", GroupKind::Country, "Countries", (rows, found.n_groups), period, more));
    }
    sections.push(operators(view, row, period));
    sections
}

fn part(
    id: &'static str,
    kind: GroupKind,
    title: &str,
    (rows, n): (Vec<GroupRow<'static>>, usize),
    period: Period,
    more: Option<(String, String)>,
) -> Section {
    let say = Html::words("The heaviest first; all figures are of the relays in this group only.");
    let table = brief(kind.noun(), period, move |row| Cell::link(&row.words(), row.href(kind)));
    Section::new(id, title, say, Html::safe(table.first_of(&rows, n, more)))
}

fn operators(view: &View, row: &GroupRow<'_>, period: Period) -> Section {
    let found = view.groups.heaviest_operators(&row.members, period, PARTS);
    let named = found.groups.iter().map(|group| {
        let id = view.groups.operators[group.key as usize].to_string();
        let base = GroupRow {
            key: id.clone(),
            label: id,
            name: None,
            region: None,
            figures: std::borrow::Cow::Borrowed(&group.figures),
            members: std::borrow::Cow::Borrowed(&group.members),
        };
        owned(group, base)
    });
    let rows: Vec<GroupRow<'static>> = named.collect();
    let n_unknown = row.members.iter().filter(|member| view.groups.members[**member as usize].operator.is_none()).count();
    let say = format!("As far as operators can be told; {} have none.", format::counted(n_unknown, "relay"));
    let name = |row: &GroupRow<'static>| Cell::Markup { html: operator(&row.label), plain: row.label.clone(), rank: 0.0 };
    let table = brief(("operator", "operators"), period, name);
    Section::new("operators", "Operators", with_method(&say, "operators"), Html::safe(table.first_of(&rows, found.n_groups, None)))
}

/// The few columns of a part of a group.
fn brief(
    noun: (&'static str, &'static str),
    period: Period,
    name: impl Fn(&GroupRow<'static>) -> Cell + 'static,
) -> Table<'static, GroupRow<'static>> {
    let uptime = move |row: &GroupRow<'static>| row.figures.uptime[period.index()];
    Table {
        path: String::new(),
        api: String::new(),
        caption: format!("The heaviest {} of this group", noun.1),
        noun,
        columns: vec![
            Column::text("name", "Name", name).title_of_card(),
            Column::number("relays", "Relays", |row: &GroupRow<'static>| Cell::count(row.figures.n_relays))
                .method("current-relays")
                .on_card(),
            Column::number("running", "Running", |row: &GroupRow<'static>| Cell::count(row.figures.n_running)).method("current-relays"),
            Column::number("uptime", "Up, %", move |row| Cell::share(uptime(row).map(|f| f.mean), 2))
                .about(format!("mean uptime over {}", period.label()))
                .method("uptime-of-a-group")
                .on_card(),
            Column::number("interval", "95 % interval", move |row| Cell::interval(uptime(row).and_then(|f| f.interval)))
                .about("95 % confidence interval of the mean")
                .method("interval-of-a-mean"),
            Column::number("change", "30 days, pp", |row: &GroupRow<'static>| trend(row.figures.changes[1]))
                .about("change over 30 days against the network's")
                .method("change"),
            Column::number("weight", "Weight, %", |row: &GroupRow<'static>| Cell::share(row.figures.weight_share, 2))
                .about("share of the network's consensus weight")
                .method("shares-of-a-group")
                .on_card(),
            Column::number("guards", "Guards", |row: &GroupRow<'static>| Cell::count(row.figures.running_by_role.guard)).method("roles"),
            Column::number("exits", "Exits", |row: &GroupRow<'static>| Cell::count(row.figures.running_by_role.exit)).method("roles"),
            Column::number("bandwidth", "MB/s", |row: &GroupRow<'static>| Cell::known(row.figures.bandwidth.all, Cell::Rate))
                .method("bandwidth-of-a-group")
                .about("advertised bandwidth, MB/s"),
        ],
        choices: Vec::new(),
        key: Box::new(|row| row.key.clone()),
        default_sort: "-weight",
        style: Style::default(),
    }
}
