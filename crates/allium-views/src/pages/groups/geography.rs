//! Where Tor runs and how reliably: regions, anomalies, ranking.

use allium_analysis::Recent;
use allium_analysis::groups::{Against, Anomaly, Change, Direction, Explanation, Group, GroupUptime, Region};
use allium_model::{Fraction, Period};

use super::columns::span;
use super::list::Section;
use super::rows::country;
use super::{GroupRow, Kind, rows};
use crate::format;
use crate::markup::{Html, Percent};
use crate::table::{Cell, Column, Table};
use crate::text::{Foreign, inert};
use crate::view::View;

/// Relays that a country needs to be ranked.
const RANKED_RELAYS: usize = 20;

/// Countries in the ranking.
const RANKED: usize = 10;

/// Anomalies on the page; the rest is counted.
const TOLD: usize = 12;

/// The answer of the page.
pub(super) fn sentence(view: &View, period: Period, n_countries: &str) -> String {
    let ranked = ranked(view, period);
    let told = |row: &&(GroupRow<'_>, GroupUptime)| format!("{} ({}\u{a0}%)", inert(&row.0.label), format::percent(row.1.mean, 1));
    match (ranked.first(), ranked.last()) {
        (Some(best), Some(worst)) if ranked.len() > 1 => format!(
            "Tor runs in {n_countries} countries; of those with {RANKED_RELAYS} relays or more, relays in {} are up most and relays in {} least.",
            told(&best),
            told(&worst)
        ),
        _ => format!("Tor runs in {n_countries} countries."),
    }
}

/// Everything before the list.
pub(super) fn sections(view: &View, period: Period) -> Vec<Section> {
    vec![ranking(view, period), anomalies(view, period), regions(view, period)]
}

/// Countries with enough relays, the best first.
fn ranked(view: &View, period: Period) -> Vec<(GroupRow<'_>, GroupUptime)> {
    let mut ranked: Vec<_> = rows(view, Kind::Country)
        .into_iter()
        .filter_map(|row| row.figures.uptime[period.index()].map(|uptime| (row, uptime)))
        .filter(|(_, uptime)| uptime.n_relays >= RANKED_RELAYS)
        .collect();
    ranked.sort_by(|a, b| b.1.mean.get().total_cmp(&a.1.mean.get()).then_with(|| a.0.key.cmp(&b.0.key)));
    ranked
}

fn ranking(view: &View, period: Period) -> Section {
    let ranked = ranked(view, period);
    let bars: Vec<Html> = ranked.iter().take(RANKED).map(|(row, uptime)| bar(Kind::Country, row, uptime)).collect();
    let say = format!(
        "The {} of {} countries with {RANKED_RELAYS} relays or more whose relays were up most over {}, with 95\u{a0}% intervals of the mean.",
        bars.len(),
        ranked.len(),
        period.label()
    );
    let body = if bars.is_empty() {
        Html::words("No country has so many relays with data.")
    } else {
        Html::element("ol", &[("class", "bars")], &Html::joined(bars, ""))
    };
    Section::new("ranking", "Highest uptime", with_method(&say, "interval-of-a-mean"), body)
}

/// A group as a bar of its uptime.
pub(super) fn bar(kind: Kind, row: &GroupRow<'_>, uptime: &GroupUptime) -> Html {
    let name = Html::link(&row.href(kind), &Html::safe(Foreign::short(&row.words())));
    let level = (uptime.mean.get() * 100.0).floor() as usize;
    let picture = Html::element("meter", &[("min", "0"), ("max", "100"), ("value", &level.to_string())], &Html::words(level));
    let interval = uptime.interval.map_or_else(String::new, |(low, high)| format!(" ({})", span(low, high)));
    let figures = format!("\u{a0}%{interval}, {}", format::counted(uptime.n_relays, "relay"));
    let words = Html::joined([Html::safe(Percent(Some(uptime.mean), 1)), Html::words(figures)], "");
    let part = |class: &str, inner: &Html| Html::element("span", &[("class", class)], inner);
    Html::element("li", &[], &Html::joined([part("who", &name), picture, part("fig", &words)], " "))
}

fn anomalies(view: &View, period: Period) -> Section {
    let found = view.groups.anomalies(period);
    let n = found.len();
    let say = match n {
        0 => "No country is unlike the rest of its subregion, or unlike its own past, beyond chance.".to_owned(),
        1 => "One country is unlike its subregion or its own past, beyond chance.".to_owned(),
        n if n > TOLD => {
            format!("{n} findings beyond chance: countries unlike their subregion or their own past. The {TOLD} least likely:")
        }
        n => format!("{n} findings beyond chance: countries unlike their subregion or their own past, the least likely first."),
    };
    let items: Vec<Html> = found.iter().take(TOLD).map(|anomaly| Html::element("li", &[], &told(view, anomaly))).collect();
    let body = if items.is_empty() { Html::words("") } else { Html::element("ul", &[("class", "findings")], &Html::joined(items, "")) };
    Section::new("anomalies", "Anomalies", with_method(&say, "anomalies"), body)
}

/// An anomaly in a sentence.
pub(super) fn told(view: &View, anomaly: &Anomaly) -> Html {
    let row = view.groups.country(anomaly.country).map(country);
    let name = row.map_or_else(
        || Html::words(anomaly.country.as_str().to_uppercase()),
        |row| Html::link(&row.href(Kind::Country), &Html::safe(Foreign::short(&row.label))),
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
            let link = Html::link(&Kind::As.href(&asn.to_string()), &Html::words(asn));
            Html::joined([Html::words("Most of it is due to"), link, Html::safe(Foreign::short(&name))], " ")
        }
        Some(Explanation::Operator(id)) => Html::joined([Html::words("Most of it is due to the operator"), operator(&id.to_string())], " "),
        None => Html::words("No single operator or autonomous system explains half of it."),
    }
}

/// An operator by its id, which may be a domain that a stranger chose.
pub(super) fn operator(id: &str) -> Html {
    Html::safe(Foreign::short(id))
}

fn region_link(region: Region) -> Html {
    Html::link(&Kind::Region.href(&region.to_string()), &Html::words(region.name()))
}

fn regions(view: &View, period: Period) -> Section {
    let table = region_table(period);
    let say = "Regions of the United Nations' M49 standard. Changes are against the network's own change over the same days.";
    // Continents first, each with its parts.
    let order = |group: &&Group<Region>| (group.key.within().unwrap_or(group.key).name(), group.key.is_subregion(), group.key.name());
    let mut groups: Vec<&Group<Region>> = view.groups.regions.iter().collect();
    groups.sort_by_key(order);
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
        path: "/regions".to_owned(),
        api: "/api/v1/regions".to_owned(),
        caption: "Uptime by region".to_owned(),
        noun: Kind::Region.noun(),
        columns: vec![
            Column::text("name", "Region", |group: &&'a Group<Region>| Cell::Markup {
                html: Html::element("span", &[("class", if group.key.is_subregion() { "part" } else { "whole" })], &region_link(group.key)),
                plain: group.key.name().to_owned(),
                rank: 0.0,
            })
            .title_of_card(),
            Column::number("relays", "Relays", |group: &&'a Group<Region>| Cell::count(group.figures.n_relays)),
            Column::number("uptime", "Up, %", move |group: &&'a Group<Region>| Cell::share(uptime(group).map(|f| f.mean), 2))
                .about(format!("mean uptime over {}", period.label()))
                .method("uptime-of-a-group")
                .on_card(),
            Column::number("interval", "95 % interval", move |group: &&'a Group<Region>| {
                uptime(group).and_then(|f| f.interval).map_or(Cell::Missing, |(low, high)| Cell::Words(span(low, high)))
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
pub(super) const fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::Improving => "\u{2197} improving",
        Direction::Stable => "\u{2192} stable",
        Direction::Declining => "\u{2198} declining",
    }
}

/// A sentence with a link to its definition.
pub(super) fn with_method(say: &str, anchor: &str) -> Html {
    Html::joined([Html::words(say), Html::link(&format!("/methods#{anchor}"), &Html::words("Definition"))], " ")
}

/// A share in words, one decimal.
pub(super) fn percent_words(share: Option<Fraction>) -> String {
    share.map_or_else(|| format::NO_DATA.to_owned(), |share| format!("{}\u{a0}%", format::percent(share, 1)))
}
