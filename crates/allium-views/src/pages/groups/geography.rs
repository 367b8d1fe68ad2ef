//! Geography of Tor and its reliability: regions, anomalies, ranking.

use allium_analysis::Recent;
use allium_analysis::groups::{Against, Anomaly, Change, Direction, Explanation, Group, GroupUptime, Region};
use allium_charts::Chart;
use allium_model::{Fraction, Period};
use allium_service::View;
use allium_words::format;
use allium_words::inert::url_encoded;

use super::charts::{self, RANKED_RELAYS, ranked, regions_in_order};
use super::list::Section;
use super::rows::country;
use super::{GroupRow, PERIOD};
use crate::figure::Figure;
use crate::foreign::Foreign;
use crate::markup::Html;
use crate::route::{Data, GroupKind, href};
use crate::table::{Cell, Column, Style, Table};

/// Anomalies on the page; the rest is counted.
const LISTED: usize = 12;

/// The answer of the page.
pub(super) fn sentence(view: &View, period: Period, n_countries: &str) -> String {
    let ranked = ranked(view, GroupKind::Country, period);
    let words = |row: &&(GroupRow<'_>, GroupUptime)| format!("{} ({}\u{a0}%)", charts::short(&row.0.label), format::percent(row.1.mean, 1));
    match (ranked.first(), ranked.last()) {
        (Some(best), Some(worst)) if ranked.len() > 1 => format!(
            "Tor runs in {n_countries} countries; of those with {RANKED_RELAYS} relays or more, relays in {} are up most and relays in {} least.",
            words(&best),
            words(&worst)
        ),
        _ => format!("Tor runs in {n_countries} countries."),
    }
}

/// Everything before the list.
pub(super) fn sections(view: &View, period: Period) -> Vec<Section> {
    vec![map(view, period), ranking(view, period), anomalies(view, period), regions(view, period)]
}

/// Relays and their reliability on a map.
fn map(view: &View, period: Period) -> Section {
    let say = "Each country by the mean uptime of its relays.";
    Section::new("map", "Map", with_method(say, "uptime-of-a-group"), figure(GroupKind::Country, period, &charts::map(view, period)))
}

fn ranking(view: &View, period: Period) -> Section {
    let say = "Mean over relays, each counted once, with its 95\u{a0}% interval.";
    let body = figure(GroupKind::Country, period, &charts::ranking(view, GroupKind::Country, period));
    Section::new("ranking", "Highest uptime", with_method(say, "interval-of-a-mean"), body)
}

/// A chart of a list as a part of its page.
pub(super) fn figure(kind: GroupKind, period: Period, chart: &Chart) -> Html {
    Html::safe(Figure::of(chart, &format!("{}/charts", kind.list_path()), &period_query(period)))
}

/// The query part that stands for a period.
pub(super) fn period_query(period: Period) -> String {
    if period == PERIOD { String::new() } else { format!("?period={}", period.name()) }
}

fn anomalies(view: &View, period: Period) -> Section {
    let found = view.anomalies(period);
    let n = found.len();
    let say = match n {
        0 => "No country is unlike the rest of its subregion, or unlike its own past, beyond chance.".to_owned(),
        1 => "One country is unlike its subregion or its own past, beyond chance.".to_owned(),
        n if n > LISTED => {
            format!("{n} findings beyond chance: countries unlike their subregion or their own past. The {LISTED} least likely:")
        }
        n => format!("{n} findings beyond chance: countries unlike their subregion or their own past, the least likely first."),
    };
    let items: Vec<Html> = found.iter().take(LISTED).map(|anomaly| finding(view, anomaly)).collect();
    let body = list_of(&items);
    Section::new("anomalies", "Anomalies", with_method(&say, "anomalies"), body)
}

/// Findings as a list; nothing where there are none.
pub(super) fn list_of(items: &[Html]) -> Html {
    let items: Vec<Html> = items.iter().map(|item| Html::element("li", &[], item)).collect();
    if items.is_empty() { Html::words("") } else { Html::element("ul", &[("class", "findings")], &Html::joined(items, "")) }
}

/// An anomaly in a sentence.
pub(super) fn finding(view: &View, anomaly: &Anomaly) -> Html {
    let row = view.groups.country(anomaly.country).map(country);
    let name = row.map_or_else(
        || Html::words(anomaly.country.as_str().to_uppercase()),
        |row| Html::link(&row.href(GroupKind::Country), &Html::safe(Foreign::short(&row.label))),
    );
    let side = if anomaly.difference < 0.0 { "below" } else { "above" };
    let reference = match anomaly.against {
        Against::Subregion(region) => Html::joined([Html::words(format!("{side} the rest of")), region_link(region)], " "),
        Against::Past { days } => Html::words(format!("{side} what the {days} days before and the network's change let expect")),
    };
    let figures = format!(
        ": {}\u{a0}% against {}\u{a0}%, {} of {} affected, {}",
        format::percent(anomaly.uptime, 1),
        format::percent(anomaly.expected, 1),
        anomaly.n_affected,
        format::counted(anomaly.n_relays, "relay"),
        unlikely(anomaly.p_value)
    );
    let points = Html::element("strong", &[], &Html::words(format!("{} points", format::points(anomaly.difference))));
    Html::joined(
        [name, Html::words(" "), points, Html::words(" "), reference, Html::words(figures), Html::words(". "), explained(view, anomaly)],
        "",
    )
}

/// A p-value in words.
pub(super) fn unlikely(p_value: f64) -> String {
    match p_value {
        p if p < 1e-6 => "less than once in a million by chance".to_owned(),
        p => format!("about once in {} by chance", format::count((1.0 / p).round() as u64)),
    }
}

fn explained(view: &View, anomaly: &Anomaly) -> Html {
    match &anomaly.explanation {
        Some(Explanation::AutonomousSystem(asn)) => {
            let name = view.groups.autonomous_system(*asn).and_then(|group| group.name.clone()).unwrap_or_default();
            let link = Html::link(&GroupKind::As.href(&asn.to_string()), &Html::words(asn));
            Html::joined([Html::words("Most of it is due to"), link, Html::safe(Foreign::short(&name))], " ")
        }
        Some(Explanation::Operator(id)) => Html::joined([Html::words("Most of it is due to the operator"), operator(&id.to_string())], " "),
        None => Html::words("No single operator or autonomous system explains half of it."),
    }
}

/// An operator by its id, which may be a domain that a stranger chose.
pub(super) fn operator(id: &str) -> Html {
    Html::link(&format!("/operator/{}", url_encoded(id)), &Html::safe(Foreign::short(id)))
}

fn region_link(region: Region) -> Html {
    Html::link(&GroupKind::Region.href(&region.to_string()), &Html::words(region.name()))
}

fn regions(view: &View, period: Period) -> Section {
    let table = region_table(period);
    let say = "Regions of the United Nations' M49 standard. Changes are against the network's own change over the same days.";
    let groups = regions_in_order(view);
    Section::new("regions", "Regions and their trends", with_method(say, "regions"), Html::safe(table.plain(&groups, groups.len(), None)))
}

fn region_table<'a>(period: Period) -> Table<'a, &'a Group<Region>> {
    let uptime = move |group: &&'a Group<Region>| group.figures.uptime[period.index()];
    let window = |i: usize| {
        Column::number(["d7", "d30", "d90"][i], format!("{} days, pp", Recent::DAYS[i]), move |group: &&'a Group<Region>| {
            trend(group.figures.changes[i])
        })
        .about(format!("change over {} days against the network's, percentage points", Recent::DAYS[i]))
        .method("change")
    };
    Table {
        path: GroupKind::Region.list_path().to_owned(),
        api: Data::Groups(GroupKind::Region).address(),
        caption: "Uptime by region".to_owned(),
        noun: GroupKind::Region.noun(),
        columns: vec![
            Column::text("name", "Region", |group: &&'a Group<Region>| Cell::Markup {
                html: Html::element("span", &[("class", if group.key.is_subregion() { "part" } else { "whole" })], &region_link(group.key)),
                plain: group.key.name().to_owned(),
                rank: 0.0,
            })
            .title_of_card(),
            Column::number("relays", "Relays", |group: &&'a Group<Region>| Cell::count(group.figures.n_relays)).method("current-relays"),
            Column::number("uptime", "Up, %", move |group: &&'a Group<Region>| Cell::share(uptime(group).map(|f| f.mean), 2))
                .about(format!("mean uptime over {}", period.label()))
                .method("uptime-of-a-group")
                .on_card(),
            Column::number("interval", "95 % interval", move |group: &&'a Group<Region>| {
                Cell::interval(uptime(group).and_then(|f| f.interval))
            })
            .about("95 % confidence interval of the mean")
            .method("interval-of-a-mean"),
            window(0),
            window(1).on_card(),
            window(2),
            Column::number("weight", "Weight, %", |group: &&'a Group<Region>| Cell::share(group.figures.weight_share, 2))
                .about("share of consensus weight")
                .method("shares-of-a-group")
                .on_card(),
        ],
        choices: Vec::new(),
        key: Box::new(|group| group.key.to_string()),
        default_sort: "-weight",
        style: Style::default(),
    }
}

/// A change with its direction as a word.
pub(super) fn trend(change: Option<Change>) -> Cell {
    let Some(change) = change else { return Cell::Missing };
    let word = direction_word(change.direction());
    let html = Html::words(format!("{} {word}", format::points(change.against_network)));
    Cell::Markup { html, plain: change.against_network.to_string(), rank: change.against_network }
}

/// A direction with its sign.
pub(crate) const fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::Improving => "\u{2197} improving",
        Direction::Stable => "\u{2192} stable",
        Direction::Declining => "\u{2198} declining",
    }
}

/// A sentence with a link to its definition.
pub(super) fn with_method(say: &str, anchor: &str) -> Html {
    Html::joined([Html::words(say), Html::link(&href::method(anchor), &Html::words("Definition"))], " ")
}

/// A share in words, one decimal.
pub(super) fn percent_words(share: Option<Fraction>) -> String {
    share.map_or_else(|| format::NO_DATA.to_owned(), |share| format!("{}\u{a0}%", format::percent(share, 1)))
}
