//! Figures of the parts of the world, beside the map.

use std::collections::BTreeSet;

use allium_analysis::groups::Region;
use allium_charts::{Bar, Bars, Chart, Kind};
use allium_model::CountryCode;
use allium_service::{Members, View};
use allium_words::format;

use super::charts::{note, unit, value};
use super::state::{Measure, State};
use crate::route::GroupKind;

/// The parts in the order in which they are shown: continents, the Americas in two.
const PARTS: [(&str, &[&str]); 6] = [
    ("Europe", &["150"]),
    ("Northern America", &["021"]),
    ("Latin America and the Caribbean", &["005", "013", "029"]),
    ("Asia", &["142"]),
    ("Africa", &["002"]),
    ("Oceania", &["009"]),
];

/// The parts of the world by the measure of the map; Antarctica too, where nobody runs relays yet.
pub(super) fn chart(view: &View, state: &State) -> Chart {
    let members = view.members(Members::Network);
    let is_mean = state.measure == Measure::Uptime;
    let mut bars: Vec<Bar> = PARTS
        .iter()
        .map(|(label, codes)| {
            let regions: Vec<Region> = codes.iter().filter_map(|code| code.parse().ok()).collect();
            let lies_in = |code: CountryCode| {
                let own = [Region::of(code), Region::subregion_of(code)];
                own.into_iter().flatten().any(|region| regions.contains(&region))
            };
            let countries: BTreeSet<CountryCode> = view.countries.keys().copied().filter(|code| lies_in(*code)).collect();
            let is_inside = |i: &usize| view.record.relays[*i].relay.country.is_some_and(|code| countries.contains(&code));
            let inside: Vec<usize> = members.iter().copied().filter(is_inside).collect();
            bar(view, state, label, codes, &inside, is_mean)
        })
        .collect();
    bars.push(bar(view, state, "Antarctica", &[], &[], is_mean));
    let is_known = |bar: &&Bar| bar.value.is_some();
    let title = match (bars.iter().find(is_known), is_mean) {
        (None, _) => format!("Parts of the world: nothing is known of {}.", state.range.words()),
        (Some(_), true) => format!("Mean uptime of relays by part of the world over {}.", state.range.words()),
        (Some(_), false) => "The same by part of the world.".to_owned(),
    };
    let kind = Bars {
        unit: unit(state.measure),
        of: "Part of the world".to_owned(),
        what: state.measure.label().to_owned(),
        bars,
        references: Vec::new(),
        most: is_mean.then_some(1.0),
    };
    Chart::new("regions", title, note(view, "Regions of the United Nations' M49; current relays by GeoIP."), Kind::Bars(kind))
}

fn bar(view: &View, state: &State, label: &str, codes: &[&str], inside: &[usize], is_mean: bool) -> Bar {
    let values: Vec<f64> = inside.iter().filter_map(|i| value(view, *i, state.measure, state.range)).collect();
    let sum: f64 = values.iter().sum();
    let figure = (!values.is_empty()).then(|| if is_mean { sum / values.len() as f64 } else { sum });
    let href = match codes {
        // Regions without relays have no page.
        [code] if !inside.is_empty() => Some(GroupKind::Region.href(code)),
        _ => None,
    };
    let note = if inside.is_empty() { "no relays".to_owned() } else { format::counted(inside.len(), "relay") };
    Bar { label: label.to_owned(), href, value: figure, note }
}
