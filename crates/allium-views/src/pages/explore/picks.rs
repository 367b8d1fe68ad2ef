//! The form in which things are picked: what is picked as ticked boxes, what is near at hand as empty ones, and a field for any other.

use allium_service::View;

use super::state::{Measure, Range, Show, State};
use super::subjects::{Subject, largest_countries, largest_operators, largest_systems, word_of};
use crate::error::RequestError;
use crate::route::GroupKind;

/// Things of a kind that are offered.
const OFFERED: usize = 6;

/// Subjects that can be picked.
pub(super) struct Picks {
    /// Parameters that the form keeps.
    pub(super) kept: Vec<(&'static str, String)>,
    /// Subjects that are picked.
    pub(super) picked: Vec<Pick>,
    /// Subjects that are offered beside these, by kind.
    pub(super) offered: Vec<(&'static str, Vec<Pick>)>,
    /// Addresses that pick the largest of a kind at once.
    pub(super) largest: Vec<(&'static str, String)>,
}

/// A box.
pub(super) struct Pick {
    pub(super) word: String,
    pub(super) label: String,
}

impl Picks {
    /// Picks that the page of this state offers.
    pub(super) fn of(view: &View, state: &State) -> Result<Self, RequestError> {
        let pick = |word: &str| Subject::of(view, word).map(|subject| Pick { label: subject.label, word: subject.word });
        let picked = state.with.iter().map(|word| pick(word)).collect::<Result<Vec<_>, _>>()?;
        let near = near_at_hand(view);
        let is_new = |word: &&String| !picked.iter().any(|pick| pick.word == **word);
        let offer = |words: &[String]| words.iter().filter(is_new).filter_map(|word| pick(word).ok()).collect::<Vec<_>>();
        let offered = near.iter().map(|(label, words)| (*label, offer(words))).filter(|(_, picks)| !picks.is_empty()).collect();
        let with = |words: &[String]| format!("{}{}", super::PATH, State { with: words.to_vec(), ..state.clone() }.query());
        let four = |words: &Vec<String>| with(&words[..words.len().min(4)]);
        let largest = near.iter().map(|(label, words)| (*label, four(words))).collect();
        Ok(Self { kept: kept(state), picked, offered, largest })
    }
}

/// The largest of each kind, as words.
fn near_at_hand(view: &View) -> [(&'static str, Vec<String>); 4] {
    [
        ("Operators", largest_operators(view, OFFERED)),
        ("Autonomous systems", largest_systems(view, OFFERED).iter().map(ToString::to_string).collect()),
        ("Countries", largest_countries(view, OFFERED).iter().map(ToString::to_string).collect()),
        ("Flags", ["Guard", "Exit", "Fast", "Stable"].map(|flag| word_of(GroupKind::Flag, flag)).to_vec()),
    ]
}

fn kept(state: &State) -> Vec<(&'static str, String)> {
    let mut kept = vec![("show", state.show.name().to_owned())];
    if state.show == Show::Trend && state.measure != Measure::Uptime {
        kept.push(("measure", state.measure.name().to_owned()));
    }
    if !matches!(state.range, Range::Custom(..)) {
        kept.push(("range", state.range.name().to_owned()));
    }
    kept
}
