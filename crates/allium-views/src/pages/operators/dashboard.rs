//! The part of an operator's page that says how it stands, where it is heading, and what it could do.

use allium_analysis::Recent;
use allium_analysis::groups::{Expansion, GroupFigures};
use allium_analysis::operators::{Achievements, Advice, Advised, Benchmark, LastIssue, achievements};
use allium_charts::{Bar, Bars, Chart, Kind as ChartKind, Reference, Unit};
use allium_model::Fraction;
use allium_service::View;
use allium_words::format;
use allium_words::inert::inert;

use super::operator::class_words;
use super::relay;
use crate::error::RequestError;
use crate::figure::Figure;
use crate::foreign::Foreign;
use crate::markup::Html;
use crate::pages::groups::{self};
use crate::params::Params;
use crate::route::GroupKind;

/// An operator's standing on its page.
pub(super) struct Dashboard {
    pub(super) standing: String,
    pub(super) tiles: Vec<Tile>,
    pub(super) benchmark: Option<Html>,
    pub(super) trend: String,
    pub(super) changes: Html,
    pub(super) months: Html,
}

/// A figure with its name, what it rests on, and where it is defined.
pub(super) struct Tile {
    pub(super) name: &'static str,
    pub(super) value: Html,
    pub(super) under: String,
}

impl Dashboard {
    /// Dashboard of the operator at this index; `base` is the address of its charts, `n_badges` the number of its badges.
    pub(super) fn of(view: &View, operator_idx: usize, base: &str, n_badges: usize) -> Self {
        let members = &view.operators.list()[operator_idx].members;
        let figures = view.groups.figures(&view.groups.member_indices(members));
        let standing = standing(view, operator_idx);
        Self {
            standing: standing.as_ref().map_or_else(|| "None of its relays has a figure yet.".to_owned(), standing_words),
            tiles: standing.as_ref().map_or_else(Vec::new, |standing| tiles(view, standing, n_badges)),
            benchmark: standing
                .as_ref()
                .and_then(|standing| benchmark(view, standing))
                .map(|chart| Html::safe(Figure::of(&chart, base, ""))),
            trend: trend_words(&figures),
            changes: groups::change_table(&figures.changes),
            months: Html::safe(Figure::of(&groups::months_chart(view, members, "This operator"), base, "")),
        }
    }
}

/// Facts that advice for the operator at this index rests on.
pub(crate) fn advised(view: &View, operator_idx: usize) -> Advised<'_> {
    Advised { record: &view.record, report: &view.report, operators: &view.operators, groups: &view.groups, operator_idx }
}

/// Standing of the operator at this index.
pub(crate) fn standing(view: &View, operator_idx: usize) -> Option<Achievements> {
    achievements(&view.report, &view.operators, operator_idx, |i| relay(view, i).and_then(|relay| relay.consensus_weight).unwrap_or(0))
}

fn standing_words(standing: &Achievements) -> String {
    format!(
        "Score {}\u{a0}%, {}: hours up over hours observed of all its relays together in {}.",
        format::percent(standing.score, 2),
        standing.grade.name(),
        standing.period.label()
    )
}

fn tiles(view: &View, standing: &Achievements, n_badges: usize) -> Vec<Tile> {
    let period = standing.period.label();
    let issue = match standing.last_issue {
        None => ("\u{2013}".to_owned(), "outages are not known".to_owned()),
        Some(LastIssue::Ongoing) => ("0".to_owned(), "a relay is out now".to_owned()),
        Some(LastIssue::Days(days)) => (format::count(days.unsigned_abs()), "since an outage of any relay ended".to_owned()),
        Some(LastIssue::NoneIn(days)) => {
            (format!("over {}", format::count(days.unsigned_abs())), "no outage of any relay is known".to_owned())
        }
    };
    let best = standing.best.and_then(|best| Some((best, relay(view, best.relay_idx)?)));
    let mut tiles = vec![
        Tile {
            name: "Excellent relays",
            value: Html::words(format!("{} of {}", format::count(standing.n_excellent as u64), format::count(standing.n_relays as u64))),
            under: format!("up 97\u{a0}% of {period} or more"),
        },
        Tile { name: "Days since an issue", value: Html::words(issue.0), under: issue.1 },
    ];
    tiles.extend(best.map(|(best, relay)| Tile {
        name: "Best relay",
        value: Html::words(format!("{}\u{a0}%", format::percent(best.uptime, 2))),
        under: format!("{}, over {period}", inert(&relay.display_name().chars().take(19).collect::<String>())),
    }));
    tiles.push(Tile {
        name: "Awards",
        value: Html::words(format::count(n_badges as u64)),
        under: "leaderboards with a place among the first 25".to_owned(),
    });
    tiles
}

/// Its mean uptime among the quantiles of its peers, as bars.
fn benchmark(view: &View, standing: &Achievements) -> Option<Chart> {
    let found = standing.benchmark.as_ref()?;
    let own =
        Bar { label: "This operator".to_owned(), href: None, value: Some(standing.mean.get()), note: "mean of its relays".to_owned() };
    let peer = |(level, quantile): (f64, Fraction)| Bar {
        label: format!("{} % of peers are below", (level * 100.0).round()),
        href: None,
        value: Some(quantile.get()),
        note: match standing.mean.get() - quantile.get() {
            difference if difference.abs() < 5e-5 => "as this operator".to_owned(),
            difference => format!("this operator {} points", format::points(difference)),
        },
    };
    let mut bars: Vec<Bar> = Benchmark::LEVELS.into_iter().zip(found.quantiles).map(peer).collect();
    let idx = bars.iter().position(|bar| bar.value < own.value).unwrap_or(bars.len());
    bars.insert(idx, own);
    let network = view.groups.network.uptime[standing.period.index()];
    let bars = Bars {
        unit: Unit::Share,
        of: "Quantile".to_owned(),
        what: "Uptime".to_owned(),
        bars,
        references: network
            .into_iter()
            .map(|uptime| Reference { label: "All relays, mean".to_owned(), value: uptime.mean.get() })
            .collect(),
        most: Some(1.0),
    };
    let title = format!(
        "Mean uptime over {} among {} operators with {}.",
        standing.period.label(),
        format::count(found.n_operators as u64),
        class_words(found.class)
    );
    let note = format!("As of the consensus of {}, from {}.", format::hour(view.as_of()), view.origin_words());
    Some(Chart::new("benchmark", title, note, ChartKind::Bars(bars)))
}

/// The chart of that name of the operator at this index.
pub(crate) fn chart(view: &View, params: &Params, operator_idx: usize, name: &str) -> Result<Chart, RequestError> {
    params.only(&[])?;
    match name {
        "months" => Ok(groups::months_chart(view, &view.operators.list()[operator_idx].members, "This operator")),
        "benchmark" => standing(view, operator_idx).and_then(|standing| benchmark(view, &standing)).ok_or(RequestError::NoSuchPage),
        _ => Err(RequestError::NoSuchPage),
    }
}

fn trend_words(figures: &GroupFigures) -> String {
    let last = figures.changes[2].map(|change| (Recent::DAYS[2], change)).or_else(|| figures.changes[1].map(|c| (Recent::DAYS[1], c)));
    let Some((days, change)) = last else { return "Its days are not known well enough to tell a trend.".to_owned() };
    format!(
        "In the last {days} days its relays were up {} points {} than in the {days} before, the change of the whole network taken off: {}.",
        format::points(change.against_network.abs()).trim_start_matches('+'),
        if change.against_network < 0.0 { "less" } else { "more" },
        groups::direction(change.direction())
    )
}

fn percent(share: Option<Fraction>, decimals: usize) -> String {
    share.map_or_else(|| "an unknown share".to_owned(), |share| format!("{}\u{a0}%", format::percent(share, decimals)))
}

/// The action, why, to what effect.
pub(super) type AdviceWords = (Html, String, Html);

/// A piece of advice in words.
pub(super) fn in_words(view: &View, operator_idx: usize, advice: &Advice) -> AdviceWords {
    let name = |i: u32| relay(view, i).map_or_else(Html::unknown, |relay| Html::safe(Foreign::short(relay.display_name())));
    let words = |text: String| Html::words(text);
    let counted = |n: usize| format::counted(n, "relay");
    match advice {
        Advice::BringBack { relays, share_of_operator, share_of_network } => (
            words(format!("Bring back {}", counted(relays.len()))),
            "Seen in the last 7 days, not running now.".to_owned(),
            words(format!("Up to {} of your weight, {} of the network's.", percent(*share_of_operator, 1), percent(*share_of_network, 3))),
        ),
        Advice::LookAfter { relay_idx, period, uptime, median, gain } => (
            Html::joined([words("Look after".to_owned()), name(*relay_idx)], " "),
            format!(
                "Up {}\u{a0}% of {}, where half of its siblings were up {}\u{a0}% or more.",
                format::percent(*uptime, 1),
                period.label(),
                format::percent(*median, 1)
            ),
            words(format!("As its siblings, it would raise your mean by {} points.", format::points(*gain).trim_start_matches('+'))),
        ),
        Advice::Declining { relay_idx, trend } => (
            Html::joined([words("Look after".to_owned()), name(*relay_idx)], " "),
            format!(
                "Its daily uptime falls by {} points in 30 days (95\u{a0}% interval {} to {}, {} days).",
                format::points(trend.per_30_days.abs()).trim_start_matches('+'),
                format::points(trend.low),
                format::points(trend.high),
                trend.n_days
            ),
            words("A fall that goes on ends in lost flags and clients.".to_owned()),
        ),
        Advice::Update { relays, weight_share } => (
            words(format!("Update Tor on {}", counted(relays.len()))),
            "The directory authorities do not recommend their version.".to_owned(),
            words(format!("{} of your weight would run a recommended version again.", percent(*weight_share, 1))),
        ),
        Advice::NameBack { relays } => (
            words("Complete the family".to_owned()),
            format!(
                "{} {} relays as family that do not name them back.",
                counted(relays.len()),
                if relays.len() == 1 { "names" } else { "name" }
            ),
            words("Clients then never use two of your relays in one circuit.".to_owned()),
        ),
        Advice::Prove { domain, n_relays } => (
            Html::joined([words("Prove".to_owned()), Html::safe(Foreign::short(domain.as_str()))], " "),
            format!("{} claim it without a proof that can be checked.", counted(*n_relays)),
            words("Validated relays are known as yours wherever they run.".to_owned()),
        ),
        Advice::Spread { asn, share, before, after } => (
            words("Place the next relay with another provider".to_owned()),
            format!("{} of your running relays are in one autonomous system, {asn}.", percent(Some(*share), 0)),
            words(format!(
                "One relay elsewhere raises your effective number of providers from {} to {}.",
                format::number(*before, 2),
                format::number(*after, 2)
            )),
        ),
        Advice::Expand { expansions, weight, before, after } => expand(view, operator_idx, expansions, *weight, (*before, *after)),
        Advice::Combine { relays, share_of_network } => (
            words(format!("Consider putting {} together", counted(relays.len()))),
            "Each carries less than a tenth of the median weight of your relays.".to_owned(),
            words(format!("Together they are {} of the network's weight.", percent(*share_of_network, 3))),
        ),
    }
}

fn expand(view: &View, operator_idx: usize, expansions: &[Expansion], weight: f64, (before, after): (f64, f64)) -> AdviceWords {
    let country = |expansion: &Expansion| expansion_words(view, expansion);
    let n_countries = view.operators.figures[operator_idx].members.n_countries;
    let effect = Html::words(format!(
        "One relay of consensus weight {} there raises the effective number of countries of yours from {} to {}.",
        format::count(weight as u64),
        format::number(before, 2),
        format::number(after, 2)
    ));
    let reason = format!(
        "Your running relays are in {}; these carry little of the network's weight and their relays are up at least as much as the network's.",
        if n_countries == 1 { "1 country".to_owned() } else { format!("{n_countries} countries") }
    );
    let list = Html::joined(expansions.iter().map(country), "; ");
    (Html::joined([Html::words("Consider a relay in a country that has few:"), list], " "), reason, effect)
}

/// A country to expand to: where, with whom, and what it does for the network.
pub(crate) fn expansion_words(view: &View, expansion: &Expansion) -> Html {
    let name = view.groups.country(expansion.country).and_then(|group| group.name.clone());
    let name = name.unwrap_or_else(|| expansion.country.as_str().to_uppercase());
    let link = Html::link(&GroupKind::Country.href(expansion.country.as_str()), &Html::safe(Foreign::short(&name)));
    let provider =
        expansion.provider.map_or_else(|| Html::words(""), |asn| Html::joined([Html::words(" with "), groups::as_link(view, asn)], ""));
    let figures = format!(
        " ({}\u{a0}% of the weight, up {}\u{a0}%, {} for the network's effective number of countries)",
        format::percent(expansion.weight_share, 2),
        format::percent(expansion.uptime, 1),
        gain_words(expansion)
    );
    Html::joined([link, provider, Html::words(figures)], "")
}

fn gain_words(expansion: &Expansion) -> String {
    let gain = expansion.after - expansion.before;
    format!("{}{}", if gain < 0.0 { "\u{2212}" } else { "+" }, format::number(gain.abs(), 4))
}
