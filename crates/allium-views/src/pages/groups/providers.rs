//! Autonomous systems as providers of relays: ranking, concentration, alerts, trends.

use std::collections::BTreeSet;

use allium_analysis::groups::{
    AsAlert, AsAlertKind, Concentration, ConcentrationLevel, Direction, Grade, Group, GroupFigures, GroupUptime, Groups, Risk,
};
use allium_model::{Asn, Period};
use allium_service::View;
use allium_words::format;

use super::GroupRow;
use super::charts::{RANKED, RANKED_RELAYS, largest, ranked};
use super::columns::stars;
use super::geography::{figure, list_of, with_method};
use super::list::Section;
use crate::foreign::Foreign;
use crate::markup::Html;
use crate::pages::operators::dashboard::expansion_words;
use crate::route::{Data, GroupKind};
use crate::table::{Cell, Column, Style, Table};

/// Countries that are recommended.
const EXPANSIONS: usize = 5;

/// Alerts on the page; the rest is counted.
const LISTED: usize = 10;

/// Everything before the list.
pub(super) fn sections(view: &View, period: Period) -> Vec<Section> {
    vec![ranking(view, period), alerts(view, period), trends(view), concentration(view, period), recommendations(view, period)]
}

struct Provider<'a> {
    row: GroupRow<'a>,
    uptime: GroupUptime,
}

fn ranking(view: &View, period: Period) -> Section {
    let ranked: Vec<Provider<'_>> = ranked(view, GroupKind::As, period).into_iter().map(|(row, uptime)| Provider { row, uptime }).collect();
    let say = format!(
        "The best of {} autonomous systems with {RANKED_RELAYS} relays or more, by mean uptime over {}.",
        format::count(ranked.len() as u64),
        period.label()
    );
    let more = Some(("/as?sort=-uptime&min=25".to_owned(), "More".to_owned()));
    let table = provider_table(view, period);
    Section::new("ranking", "Highest uptime", with_method(&say, "grades"), Html::safe(table.plain(&ranked, RANKED, more)))
}

fn provider_table<'a>(view: &'a View, period: Period) -> Table<'a, Provider<'a>> {
    Table {
        path: GroupKind::As.list_path().to_owned(),
        api: Data::Groups(GroupKind::As).address(),
        caption: format!("Autonomous systems with the highest uptime over {}", period.label()),
        noun: GroupKind::As.noun(),
        columns: vec![
            Column::text("name", "Autonomous system", |p: &Provider<'a>| Cell::link(&p.row.words(), p.row.href(GroupKind::As)))
                .title_of_card(),
            Column::text("stars", "Network reliability", |p: &Provider<'a>| grade_cell(&p.uptime))
                .about("grade of uptime")
                .method("grades")
                .badge_of_card(),
            Column::number("uptime", "Up, %", |p: &Provider<'a>| Cell::Share(p.uptime.mean, 2))
                .about("mean uptime of relays")
                .method("uptime-of-a-group")
                .on_card(),
            Column::number("interval", "95 % interval", |p: &Provider<'a>| Cell::interval(p.uptime.interval))
                .about("95 % confidence interval of the mean")
                .method("interval-of-a-mean"),
            Column::number("relays", "Relays", |p: &Provider<'a>| Cell::count(p.row.figures.n_relays)).method("current-relays").on_card(),
            Column::number("weight", "Weight, %", |p: &Provider<'a>| Cell::share(p.row.figures.weight_share, 2))
                .about("share of consensus weight")
                .method("shares-of-a-group")
                .on_card(),
            Column::text("geography", "Geography", move |p: &Provider<'a>| Cell::Words(countries(view, &p.row))),
            Column::number("age", "Mean age, years", move |p: &Provider<'a>| {
                p.row.figures.mean_age_days.map_or(Cell::Missing, |days| Cell::Number(days / 365.25, 1))
            })
            .method("attributes"),
            Column::text("exits", "Exits", |p: &Provider<'a>| Cell::Words(exit_words(&p.row.figures)))
                .about("how many of its relays are exits")
                .method("exit-policies"),
            Column::number("diversity", "Diversity", |p: &Provider<'a>| {
                p.row.figures.diversity.map_or(Cell::Missing, |score| Cell::Number(score, 1))
            })
            .about("diversity score, 0 to 10")
            .method("diversity-score"),
            Column::text("risk", "Risk", |p: &Provider<'a>| Cell::Words(Risk::of(&p.row.figures).name().to_owned()))
                .about("risk level")
                .method("risk-level"),
        ],
        choices: Vec::new(),
        key: Box::new(|p| p.row.key.clone()),
        default_sort: "-uptime",
        style: Style::default(),
    }
}

fn grade_cell(uptime: &GroupUptime) -> Cell {
    let Some(grade) = Grade::of(uptime) else { return Cell::Nothing };
    let html = Html::joined([stars(grade), Html::words(grade.name())], " ");
    Cell::Markup { html, plain: grade.name().to_owned(), rank: f64::from(grade.stars()) }
}

/// Number of countries, and the one with most relays.
pub(super) fn countries(view: &View, row: &GroupRow<'_>) -> String {
    let main = view.groups.main_country(&row.members).map(|country| country.as_str().to_uppercase());
    match (row.figures.n_countries, main) {
        (1, Some(main)) => main,
        (n, Some(main)) => format!("{main} and {} more", n - 1),
        _ => "unknown".to_owned(),
    }
}

/// Number of exits, in words.
pub(super) fn exit_words(figures: &GroupFigures) -> String {
    match (figures.running_by_role.exit, figures.n_running) {
        (_, 0) => "none runs".to_owned(),
        (0, _) => "no exits".to_owned(),
        (exits, running) if exits == running => "all exits".to_owned(),
        (exits, running) => format!("mixed, {}\u{a0}% exits", exits * 100 / running),
    }
}

fn concentration(view: &View, period: Period) -> Section {
    let groups = &view.groups;
    let systems = Concentration::of(&groups.autonomous_systems);
    let countries = Concentration::of(&groups.countries);
    let Some(systems) = systems else {
        return Section::new("concentration", "Concentration", Html::words("No relay has consensus weight yet."), Html::words(""));
    };
    let verdict = if systems.is_well_spread() { "below" } else { "above" };
    let level = match systems.level() {
        ConcentrationLevel::Low => "low",
        ConcentrationLevel::Moderate => "moderate",
        ConcentrationLevel::High => "high",
    };
    let say = format!(
        "The ten largest of {} autonomous systems carry {}\u{a0}% of the weight, {verdict} the 40\u{a0}% that we call good; concentration is {level}.",
        format::count(systems.n_groups as u64),
        format::percent(systems.top[3], 1)
    );
    let rows = [Some(("Autonomous systems", systems)), countries.map(|countries| ("Countries", countries))];
    let rows: Vec<(&str, Concentration)> = rows.into_iter().flatten().collect();
    let table = Html::safe(concentration_table().plain(&rows, rows.len(), None));
    let body = Html::joined([table, figure(GroupKind::As, period, &largest(view, GroupKind::As))], "");
    Section::new("concentration", "Concentration", with_method(&say, "concentration"), body)
}

/// Actions that operators and the network could take: dominance, alerts to watch, where to go.
fn recommendations(view: &View, period: Period) -> Section {
    let groups = &view.groups;
    let risky: Vec<&Group<Asn>> = groups.autonomous_systems.iter().filter(|group| Risk::of(&group.figures) != Risk::Low).collect();
    let mut items = vec![match Concentration::of(&groups.countries) {
        Some(countries) => Html::words(format!(
            "Relays are in {} countries, as spread as {} with equal weight.",
            countries.n_groups,
            format::number(countries.effective, 1)
        )),
        None => Html::words("No relay has consensus weight yet."),
    }];
    items.push(match risky.len() {
        0 => Html::words("Keep it so: no autonomous system carries more than 5\u{a0}% of the weight or of guard or exit probability."),
        _ => {
            let links = Html::joined(risky.iter().map(|group| as_link(view, group.key)), ", ");
            Html::joined([Html::words("Place relays elsewhere than with those that the network depends on most:"), links], " ")
        }
    });
    let watched: Vec<Html> = view.as_alerts(period).iter().take(RANKED).map(|alert| as_link(view, alert.asn)).collect();
    if !watched.is_empty() {
        items.push(Html::joined([Html::words("Watch those that are below the network or fall:"), Html::joined(watched, ", ")], " "));
    }
    let expansions = groups.expansions(period, mean_weight(groups), &BTreeSet::new(), EXPANSIONS);
    let sentences: Vec<Html> = expansions.iter().map(|expansion| expansion_words(view, expansion)).collect();
    if !sentences.is_empty() {
        items.push(Html::joined(
            [Html::words("Consider relays in countries that have few and are reliable:"), Html::joined(sentences, "; ")],
            " ",
        ));
    }
    let say = "From the figures above; effects are those of one relay of mean weight.";
    Section::new("recommendations", "Recommendations", with_method(say, "advice"), list_of(&items))
}

/// The mean consensus weight of running relays.
fn mean_weight(groups: &Groups) -> f64 {
    groups.network.consensus_weight.unwrap_or(0) as f64 / (groups.network.n_running as f64).max(1.0)
}

fn concentration_table<'a>() -> Table<'a, (&'static str, Concentration)> {
    type Row = (&'static str, Concentration);
    let top = |i: usize| {
        Column::number(["top_1", "top_3", "top_5", "top_10"][i], format!("Largest {}, %", Concentration::TOP[i]), move |row: &Row| {
            Cell::Share(row.1.top[i], 1)
        })
        .method("concentration")
        .about(format!("share of weight of the largest {}", Concentration::TOP[i]))
    };
    Table {
        path: GroupKind::As.list_path().to_owned(),
        api: Data::Groups(GroupKind::As).address(),
        caption: "Concentration of consensus weight".to_owned(),
        noun: ("way to group", "ways to group"),
        columns: vec![
            Column::text("by", "By", |row: &Row| Cell::Words(row.0.to_owned())).title_of_card(),
            Column::number("n", "Number", |row: &Row| Cell::count(row.1.n_groups)).method("concentration"),
            top(0),
            top(1),
            top(2),
            top(3).on_card(),
            Column::number("hhi", "Index", |row: &Row| Cell::Number(row.1.hhi.get(), 3))
                .method("concentration")
                .about("Herfindahl–Hirschman index")
                .on_card(),
            Column::number("effective", "Effective number", |row: &Row| Cell::Number(row.1.effective, 1)).method("concentration").on_card(),
        ],
        choices: Vec::new(),
        key: Box::new(|row| row.0.to_owned()),
        default_sort: "-hhi",
        style: Style::default(),
    }
}

fn alerts(view: &View, period: Period) -> Section {
    let found = view.as_alerts(period);
    let say = match found.len() {
        0 => "No autonomous system is below the network's uptime, or falls against it, beyond chance.".to_owned(),
        n if n > LISTED => format!("{n} findings beyond chance; those of the {LISTED} heaviest autonomous systems:"),
        n => format!("{n} findings beyond chance, the heaviest autonomous system first."),
    };
    let items: Vec<Html> = found.iter().take(LISTED).map(|alert| finding(view, alert)).collect();
    let body = list_of(&items);
    Section::new("alerts", "Needs attention", with_method(&say, "provider-alerts"), body)
}

/// An alert in sentences: what, how many, what to do.
pub(super) fn finding(view: &View, alert: &AsAlert) -> Html {
    let points = format::points(alert.difference);
    let (what, reason) = match alert.kind {
        AsAlertKind::Declining => (format!(" declining, {points} points against the network's change: "), "fell by more than a point"),
        AsAlertKind::BelowNetwork => (format!(" below the network's mean, {points} points: "), "below that mean"),
    };
    let n = format!("{} {reason}. ", format::counted(alert.n_affected, "relay"));
    let mut parts = vec![as_link(view, alert.asn), Html::words(what), Html::words(n)];
    parts.push(advice(view, alert));
    Html::joined(parts, "")
}

fn advice(view: &View, alert: &AsAlert) -> Html {
    let country = alert.country.map_or_else(String::new, |country| format!(" in {}", country.as_str().to_uppercase()));
    if alert.alternatives.is_empty() {
        return Html::words(format!("Ask the provider about it; no under-used alternative with better uptime{country} has five relays."));
    }
    let links = Html::joined(alert.alternatives.iter().map(|asn| as_link(view, *asn)), ", ");
    Html::joined(
        [
            Html::words(format!("Ask the provider about it, or place relays with an under-used one{country} with better uptime: ")),
            links,
            Html::words("."),
        ],
        "",
    )
}

/// An autonomous system with its name.
pub(crate) fn as_link(view: &View, asn: Asn) -> Html {
    let name = view.groups.autonomous_system(asn).and_then(|group| group.name.as_deref());
    let number = Html::words(asn);
    let label = name.map_or_else(|| number.clone(), |name| Html::joined([number.clone(), Html::safe(Foreign::short(name))], " "));
    Html::link(&GroupKind::As.href(&asn.to_string()), &label)
}

/// The direction of every autonomous system over 30 days.
fn trends(view: &View) -> Section {
    let of = |direction: Direction| -> Vec<&Group<Asn>> {
        let changing = |group: &&Group<Asn>| group.figures.changes[1].is_some_and(|change| change.direction() == direction);
        let mut groups: Vec<_> = view.groups.autonomous_systems.iter().filter(changing).collect();
        groups.sort_by(|a, b| b.figures.consensus_weight.cmp(&a.figures.consensus_weight).then(a.key.cmp(&b.key)));
        groups
    };
    let lists = [("Improving", of(Direction::Improving)), ("Declining", of(Direction::Declining))];
    let n_stable = of(Direction::Stable).len();
    let say = format!(
        "Over 30 days {} improved and {} declined against the network; {} stayed as they were.",
        format::count(lists[0].1.len() as u64),
        format::count(lists[1].1.len() as u64),
        format::count(n_stable as u64)
    );
    let body = Html::joined(lists.iter().filter(|(_, groups)| !groups.is_empty()).map(|(name, groups)| trend_list(view, name, groups)), "");
    Section::new("trends", "The last 30 days", with_method(&say, "change"), body)
}

fn trend_list(view: &View, name: &str, groups: &[&Group<Asn>]) -> Html {
    let item = |group: &&Group<Asn>| {
        let points = group.figures.changes[1].map_or_else(String::new, |change| format!(" {}", format::points(change.against_network)));
        Html::joined([as_link(view, group.key), Html::words(points)], "")
    };
    let more = if groups.len() > RANKED { format!(" and {} more", groups.len() - RANKED) } else { String::new() };
    let items = Html::joined(groups.iter().take(RANKED).map(item), ", ");
    Html::element(
        "p",
        &[],
        &Html::joined(
            [Html::element("strong", &[], &Html::words(name)), Html::words(": "), items, Html::words(more), Html::words(".")],
            "",
        ),
    )
}
