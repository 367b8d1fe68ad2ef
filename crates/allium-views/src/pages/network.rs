//! `/network`: the network in figures, one list per question.

use allium_analysis::census::NEW_DAYS;
use allium_analysis::groups::{Concentration, Group};
use allium_analysis::statistics::Role;
use allium_analysis::{AroiState, Category, Census};
use allium_model::{Fraction, Period, Timestamp};
use allium_service::{Snapshot, View};
use allium_words::format;
use allium_words::inert::inert;
use askama::Template;

use crate::error::RequestError;
use crate::markup::Html;
use crate::page::{Alternate, Frame, PageHtml, framed, render};
use crate::route::{Data, FixedData, FixedPage, GroupKind};

/// Versions and operating systems that are listed one by one.
const LISTED: usize = 6;

/// The periods of the list of uptime.
const PERIODS: [Period; 4] = [Period::OneMonth, Period::SixMonths, Period::OneYear, Period::FiveYears];

#[derive(Template)]
#[template(path = "network.html")]
struct NetworkPage {
    page: Frame,
    sentence: String,
    cards: Vec<Card>,
}

framed!(NetworkPage);

/// A question with its figures.
struct Card {
    id: &'static str,
    title: &'static str,
    /// Section of the methods that defines its figures, and address of further figures.
    method: &'static str,
    more: Option<(&'static str, &'static str)>,
    facts: Vec<(String, Html)>,
}

/// Renders the page.
pub(crate) fn html(snapshot: &Snapshot, view: &View, now: Timestamp) -> Result<PageHtml, RequestError> {
    let census = view.census();
    let page = NetworkPage {
        page: Frame::of(snapshot, view, now, FixedPage::Home.path()).with_alternate(Alternate::of(&Data::Fixed(FixedData::Census))),
        sentence: sentence(view, census),
        cards: vec![
            relays(view, census),
            uptime(view),
            bandwidth(view, census),
            operators(view, census),
            geography(view, census),
            providers(view, census),
            versions(census),
            platforms(census),
            families(view, census),
            exits(census),
        ],
    };
    render(&page)
}

fn sentence(view: &View, census: &Census) -> String {
    let advertised = census.bandwidth.0.map_or_else(String::new, |bytes| format!("; they advertise {} Gbit/s", format::gigabits(bytes)));
    format!(
        "{} relays run, of {} operators in {} countries and {} autonomous systems{advertised}.",
        format::count(census.n_running as u64),
        format::count(view.operators.n_current() as u64),
        view.report.network.n_countries,
        format::count(view.report.network.n_autonomous_systems as u64)
    )
}

fn count(n: usize) -> Html {
    Html::words(format::count(n as u64))
}

/// A number of a whole, with the share.
fn of(n: usize, whole: usize) -> Html {
    match Fraction::of(n as f64, whole as f64) {
        Some(share) => Html::words(format!("{} ({}\u{a0}%)", format::count(n as u64), format::percent(share, 1))),
        None => Html::unknown(),
    }
}

fn share(share: Option<Fraction>) -> Html {
    share.map_or_else(Html::unknown, |share| Html::words(format!("{}\u{a0}%", format::percent(share, 1))))
}

fn fact(term: impl Into<String>, value: Html) -> (String, Html) {
    (term.into(), value)
}

fn relays(view: &View, census: &Census) -> Card {
    let network = &view.report.network;
    let roles = network.running_by_role;
    let mut facts = vec![
        fact("Running", of(census.n_running, network.n_relays)),
        fact("Guards", of(roles.guard, census.n_running)),
        fact("Exits", of(roles.exit, census.n_running)),
        fact("Middles", of(roles.middle, census.n_running)),
    ];
    let words = ["the last day", "30 days", "six months", "a year"];
    facts.extend(
        NEW_DAYS.iter().zip(words).zip(census.n_new).map(|((_, words), n)| fact(format!("New in {words}"), of(n, census.n_running))),
    );
    let years = |days: f64| format::number(days / 365.25, 1);
    facts.push(fact(
        "Age, mean and median",
        census.age_days.map_or_else(Html::unknown, |(mean, median)| Html::words(format!("{} and {} years", years(mean), years(median)))),
    ));
    Card { id: "relays", title: "Relays", method: "the-network-in-figures", more: Some((FixedPage::Relays.path(), "All relays")), facts }
}

fn uptime(view: &View) -> Card {
    let means = |role: Role| {
        let mean = |period: Period| view.statistics.distribution(role, period).map(|found| format::percent(found.mean, 2));
        let means = PERIODS.map(|period| mean(period).unwrap_or_else(|| "\u{2013}".to_owned()));
        Html::words(means.join(" / "))
    };
    let facts = Role::ALL.into_iter().map(|role| fact(format!("{}, %", role.name()), means(role))).collect();
    Card {
        id: "uptime",
        title: "Mean uptime over 1 month / 6 months / 1 year / 5 years",
        method: "network-percentiles",
        more: Some((FixedPage::Statistics.path(), "Statistics")),
        facts,
    }
}

fn bandwidth(view: &View, census: &Census) -> Card {
    let (advertised, observed) = census.bandwidth;
    let by_role = view.groups.network.bandwidth;
    let gbit = |bytes: Option<u64>| Html::known(bytes, |bytes| format!("{} Gbit/s", format::gigabits(bytes)));
    let facts = vec![
        fact("Advertised", gbit(advertised)),
        fact("Observed", gbit(observed)),
        fact("Of guards", gbit(by_role.guard)),
        fact("Of exits", gbit(by_role.exit)),
        fact("Of middles", gbit(by_role.middle)),
        fact(
            "Per relay, mean and median",
            census.bandwidth_per_relay.map_or_else(Html::unknown, |(mean, median)| {
                Html::words(format!("{} and {} MB/s", format::megabytes(mean as u64), format::megabytes(median as u64)))
            }),
        ),
        fact("At their configured rate", of(census.n_rate_limited, census.n_running)),
        fact("Measured", of(census.n_measured.0, census.n_measured.1)),
        fact(
            "Written so far as graphs tell",
            match view.groups.network.bytes_written {
                Some(bytes) => Html::words(format!("{} TB", format::number(bytes / 1e12, 1))),
                None => Html::unknown(),
            },
        ),
    ];
    Card { id: "bandwidth", title: "Bandwidth", method: "attributes", more: Some((FixedPage::Top.path(), "Heaviest relays")), facts }
}

fn operators(view: &View, census: &Census) -> Card {
    let ranking = view.operators.leaderboards.ranking(Category::ConsensusWeight);
    let top = |n: usize| Fraction::clamped(ranking.iter().take(n).map(|ranked| ranked.score).sum());
    let mut facts = vec![
        fact("Operators with relays", count(view.operators.n_current())),
        fact("Weight of the largest", share(top(1))),
        fact("Weight of the ten largest", share(top(10))),
        fact("Relays without a contact", of(census.n_without_contact, census.n_running)),
    ];
    facts.extend(
        AroiState::ALL.into_iter().zip(census.aroi).map(|(state, n)| fact(format!("Domain {}", state.name()), of(n, census.n_running))),
    );
    Card { id: "operators", title: "Operators", method: "operators", more: Some((FixedPage::Operators.path(), "All operators")), facts }
}

fn geography(view: &View, census: &Census) -> Card {
    let mut facts = concentration(Concentration::of(&view.groups.countries), &view.groups.countries);
    let words = ["Weight in the European Union", "Weight in the Five Eyes", "Weight in the Fourteen Eyes"];
    facts.extend(words.into_iter().zip(census.weight_in).map(|(words, part)| fact(words, share(part))));
    Card {
        id: "geography",
        title: "Countries",
        method: "concentration",
        more: Some((GroupKind::Country.list_path(), "All countries")),
        facts,
    }
}

fn providers(view: &View, census: &Census) -> Card {
    let systems = &view.groups.autonomous_systems;
    let mut facts = concentration(Concentration::of(systems), systems);
    facts.push(fact("With a single running relay", count(census.n_single_relay_systems)));
    Card {
        id: "providers",
        title: "Autonomous systems",
        method: "concentration",
        more: Some((GroupKind::As.list_path(), "All autonomous systems")),
        facts,
    }
}

fn concentration<K>(found: Option<Concentration>, groups: &[Group<K>]) -> Vec<(String, Html)> {
    let Some(found) = found else { return vec![fact("With relays", count(groups.len()))] };
    let mut facts = vec![fact("With running relays", count(found.n_groups))];
    let top = Concentration::TOP.iter().zip(found.top);
    facts.extend(top.map(|(n, part)| fact(format!("Weight of the largest {n}"), share(Some(part)))));
    facts.push(fact("Herfindahl\u{2013}Hirschman index", Html::words(format::number(found.hhi.get(), 3))));
    facts.push(fact("Effective number", Html::words(format::number(found.effective, 1))));
    facts
}

fn named(counts: &[(String, usize)], whole: usize) -> Vec<(String, Html)> {
    let short = |name: &str| inert(&name.chars().take(40).collect::<String>());
    let mut facts: Vec<(String, Html)> = counts.iter().take(LISTED).map(|(name, n)| fact(short(name), of(*n, whole))).collect();
    let rest: usize = counts.iter().skip(LISTED).map(|(_, n)| n).sum();
    if rest > 0 {
        facts.push(fact(format!("{} others", counts.len() - LISTED), of(rest, whole)));
    }
    facts
}

fn versions(census: &Census) -> Card {
    let mut facts = vec![
        fact("Recommended", of(census.n_recommended.0, census.n_recommended.1)),
        fact("Able to prove a family by key", of(census.n_family_keys.0, census.n_family_keys.1)),
    ];
    facts.extend(named(&census.versions, census.n_running));
    Card {
        id: "versions",
        title: "Versions",
        method: "the-network-in-figures",
        more: Some((GroupKind::Version.list_path(), "All versions")),
        facts,
    }
}

fn platforms(census: &Census) -> Card {
    Card {
        id: "platforms",
        title: "Operating systems",
        method: "groups",
        more: Some((GroupKind::Platform.list_path(), "All platforms")),
        facts: named(&census.platforms, census.n_running),
    }
}

fn families(view: &View, census: &Census) -> Card {
    let families = view.operators.families.iter().filter(|family| family.n_relays > 0);
    let (n, largest) = families.fold((0, 0), |(n, largest), family| (n + 1, family.n_relays.max(largest)));
    let facts = vec![
        fact("Families of two and more", count(n)),
        fact("Relays of the largest", count(largest)),
        fact("Running relays in families", of(census.n_in_families, census.n_running)),
        fact("Running relays that stand alone", of(census.n_running.saturating_sub(census.n_in_families), census.n_running)),
    ];
    Card { id: "families", title: "Families", method: "families", more: Some((FixedPage::Families.path(), "All families")), facts }
}

fn exits(census: &Census) -> Card {
    let total: usize = census.exits.iter().sum();
    let words = ["Exits to every port", "Exits to some ports", "Exits to no port by IPv4", "Exits of unknown policy"];
    let mut facts: Vec<(String, Html)> = words.into_iter().zip(census.exits).map(|(words, n)| fact(words, of(n, total))).collect();
    facts.push(fact("Relays with an IPv6 address", of(census.n_ipv6, census.n_running)));
    Card { id: "exits", title: "Exit policies and IPv6", method: "exit-policies", more: Some(("/flag/Exit", "All exits")), facts }
}
