//! Choices and orders of `/relays`.

use allium_analysis::{Key, RelayQuery, SortKey};
use allium_model::{Period, RelayFlag};
use allium_service::View;
use allium_words::format;
use allium_words::inert::inert;

use crate::pages::members::Member;
use crate::relay_query::{STATUSES, filter_value};
use crate::table::{Choice, Order, TextField, Values};

/// Characters of a country's name in the form.
const NAME_CHARS: usize = 40;

/// Flags that the form offers; others work in the address.
const FLAGS: [RelayFlag; 9] = [
    RelayFlag::Guard,
    RelayFlag::Exit,
    RelayFlag::Fast,
    RelayFlag::Stable,
    RelayFlag::HSDir,
    RelayFlag::V2Dir,
    RelayFlag::Authority,
    RelayFlag::BadExit,
    RelayFlag::MiddleOnly,
];

/// The choices, in the order in which they stand in addresses. The search index acts on them.
pub(super) fn choices<'a>(view: &View, query: &RelayQuery) -> Vec<Choice<'a, Member<'a>>> {
    let asn = TextField { longest: 20, room: Some(10), example: Some("AS24940") };
    let statuses = STATUSES.map(|(value, label)| (value.to_owned(), label.to_owned()));
    let choice = |name, label, values| Choice { name, label, values, fits: None };
    vec![
        choice("status", "State", Values::OneOf(statuses.to_vec())),
        choice("flag", "Flags", Values::Several(flags(query))),
        choice("country", "Country", Values::OneOrAny(countries(view, query))),
        choice("as", "AS", Values::Text(asn)),
        choice("version", "Version", Values::Carried),
        choice("family", "Family", Values::Carried),
    ]
}

/// The names of the flags that are offered, and of those that are asked for.
fn flags(query: &RelayQuery) -> Vec<String> {
    let asked: Vec<&str> = query.filters.iter().filter(|term| term.key == Some(Key::Flag)).map(|term| term.text.as_str()).collect();
    let known = RelayFlag::ALL.into_iter().filter(|flag| FLAGS.contains(flag) || asked.contains(&flag.name())).map(RelayFlag::name);
    let known: Vec<&str> = known.collect();
    let others = asked.iter().filter(|name| !known.contains(name));
    known.iter().chain(others).map(|name| (*name).to_owned()).collect()
}

/// The countries with relays and what is asked for, those with most relays first.
fn countries(view: &View, query: &RelayQuery) -> Vec<(String, String)> {
    let mut known: Vec<_> = view.countries.iter().map(|(code, group)| (code.to_string(), group.name.as_deref(), group.n_relays)).collect();
    if let Some(asked) = filter_value(query, Key::Country).filter(|asked| !known.iter().any(|(code, ..)| code == asked)) {
        known.push((asked.to_owned(), None, 0));
    }
    known.sort_by(|a, b| b.2.cmp(&a.2).then(a.0.cmp(&b.0)));
    known.into_iter().map(country).collect()
}

/// One country, or several that are asked for together.
fn country((value, name, n_relays): (String, Option<&str>, usize)) -> (String, String) {
    let upper = || value.to_uppercase().replace(',', ", ");
    let name = name.map_or_else(upper, |name| inert(&name.chars().take(NAME_CHARS).collect::<String>()));
    let label = if value.contains([',', '?']) { name } else { format!("{name} ({})", format::count(n_relays as u64)) };
    (value, label)
}

/// The orders that the search index knows.
pub(super) fn orders() -> Vec<Order> {
    SortKey::ALL.map(order).to_vec()
}

/// Numbers start with the largest, names with the first.
fn order(key: SortKey) -> Order {
    let is_name =
        matches!(key, SortKey::Nickname | SortKey::Fingerprint | SortKey::Country | SortKey::AutonomousSystem | SortKey::FirstSeen);
    Order { name: key.name(), label: words(key).to_owned(), words: words(key).to_owned(), starts_descending: !is_name }
}

const fn words(key: SortKey) -> &'static str {
    match key {
        SortKey::Match => "match with the question",
        SortKey::ConsensusWeight => "consensus weight",
        SortKey::Bandwidth => "advertised bandwidth",
        SortKey::Nickname => "nickname",
        SortKey::Fingerprint => "fingerprint",
        SortKey::FirstSeen => "first seen",
        SortKey::LastSeen => "last seen",
        SortKey::Country => "country",
        SortKey::AutonomousSystem => "AS number",
        SortKey::Version => "version",
        SortKey::Trend => "trend of uptime",
        SortKey::Downtime => "hours down in the last year",
        SortKey::Uptime(Period::OneDay) => "uptime over 1 day",
        SortKey::Uptime(Period::SevenDays) => "uptime over 7 days",
        SortKey::Uptime(Period::ThirtyDays) => "uptime over 30 days",
        SortKey::Uptime(Period::OneMonth) => "uptime over 1 month",
        SortKey::Uptime(Period::SixMonths) => "uptime over 6 months",
        SortKey::Uptime(Period::OneYear) => "uptime over 1 year",
        SortKey::Uptime(Period::FiveYears) => "uptime over 5 years",
    }
}
