//! Any number of relays, families, autonomous systems and countries beside the distribution over the network.

use allium_analysis::quantile;
use allium_model::{Asn, CountryCode, Fingerprint};

use super::charts::{as_label, note, uptime};
use super::state::{MOST_COMPARED, State};
use crate::charts::{Bar, Bars, Chart, Kind, Reference, Unit, country_name};
use crate::error::RequestError;
use crate::format;
use crate::view::{Members, View};

/// The levels of the network that things are compared with.
const LEVELS: [(f64, &str); 5] = [
    (0.95, "network, 95 % quantile"),
    (0.75, "network, 75 % quantile"),
    (0.5, "network, median"),
    (0.25, "network, 25 % quantile"),
    (0.05, "network, 5 % quantile"),
];

/// The comparison: what was asked for, or the autonomous systems with the most relays.
pub(super) fn chart(view: &View, state: &State) -> Result<Chart, RequestError> {
    let bars = match state.with.trim() {
        "" => largest_systems(view, state),
        text => asked(view, state, text)?,
    };
    let all: Vec<f64> = view.members(Members::Network).into_iter().filter_map(|i| uptime(view, i, state.range)).collect();
    let references: Vec<Reference> = LEVELS
        .iter()
        .filter_map(|(level, label)| quantile(&all, *level).map(|value| Reference { label: (*label).to_owned(), value }))
        .collect();
    let median = quantile(&all, 0.5).unwrap_or(0.0);
    let above = bars.iter().filter(|bar| bar.value.is_some_and(|value| value >= median)).count();
    let title = format!(
        "{above} of {} reach the median relay of the network over {} ({}).",
        bars.len(),
        state.range.words(),
        Unit::Share.told(median)
    );
    let bars = Bars { unit: Unit::Share, of: "Compared".to_owned(), what: "Uptime".to_owned(), bars, references, most: Some(1.0) };
    let rest = format!("Groups: mean over their current relays. Network: {} relays.", format::count(all.len() as u64));
    Ok(Chart::new("compare", title, note(view, &rest), Kind::Bars(bars)))
}

fn largest_systems(view: &View, state: &State) -> Vec<Bar> {
    let mut systems: Vec<_> = view.autonomous_systems.iter().collect();
    systems.sort_by_key(|(asn, group)| (std::cmp::Reverse(group.n_relays), **asn));
    systems
        .into_iter()
        .take(12)
        .map(|(asn, _)| group_bar(view, state, as_label(view, *asn), format!("/as/{asn}"), Members::As(*asn)))
        .collect()
}

fn asked(view: &View, state: &State, text: &str) -> Result<Vec<Bar>, RequestError> {
    let words: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let allowed = || "fingerprints, AS numbers such as AS24940 and country codes such as de, with spaces between, at most 40";
    if words.len() > MOST_COMPARED {
        return Err(RequestError::bad("with", text, allowed()));
    }
    words.into_iter().map(|word| bar(view, state, word).ok_or_else(|| RequestError::bad("with", word, allowed()))).collect()
}

fn bar(view: &View, state: &State, word: &str) -> Option<Bar> {
    if let Ok(fingerprint) = word.parse::<Fingerprint>() {
        let relay_idx = view.relay_idx(&fingerprint)?;
        let relay = &view.record.relays.get(relay_idx)?.relay;
        let (label, href) = (relay.display_name().to_owned(), Some(format!("/relay/{fingerprint}")));
        return Some(Bar { label, href, value: uptime(view, relay_idx, state.range), note: "relay".to_owned() });
    }
    if let Some(code) = (word.len() == 2).then(|| word.to_ascii_lowercase().parse::<CountryCode>().ok()).flatten() {
        let label = country_name(code).unwrap_or_else(|| word.to_uppercase());
        return Some(group_bar(view, state, label, format!("/country/{code}"), Members::Country(code)));
    }
    let asn: Asn = word.parse().ok()?;
    Some(group_bar(view, state, as_label(view, asn), format!("/as/{asn}"), Members::As(asn)))
}

fn group_bar(view: &View, state: &State, label: String, href: String, members: Members) -> Bar {
    let members = view.members(members);
    let values: Vec<f64> = members.iter().filter_map(|i| uptime(view, *i, state.range)).collect();
    let value = (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
    Bar { label, href: Some(href), value, note: format::counted(members.len(), "relay") }
}
