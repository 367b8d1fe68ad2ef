//! Advice for an operator, in one list: what figures of today call for, and what forecasts of the weeks ahead call for. Where both
//! are about the same relay it stands once, with both reasons.

use allium_analysis::operators::{Advice, Portfolio, advice};
use allium_forecast::advice::{Reason, Urgency};
use allium_service::{Outlook, View};
use allium_words::format;

use super::dashboard::{AdviceWords, advised, in_words};
use super::relay;
use crate::markup::Html;
use crate::pages::forecasts::{RelayAdvice, relay_advice, window};
use crate::pages::relay::relay_link;

/// Relays that a piece of advice names.
const NAMED: usize = 8;

/// Pieces of advice of one urgency on the page; the rest is counted.
const SHOWN: usize = 6;

/// Advice of one urgency.
pub(super) struct AdviceGroup {
    pub(super) heading: &'static str,
    pub(super) class: &'static str,
    pub(super) about: &'static str,
    pub(super) items: Vec<AdviceItem>,
    /// Link to the advice that is not shown.
    pub(super) more: Option<Html>,
}

/// A piece of advice: what, why, to what effect, for which relays.
pub(super) struct AdviceItem {
    pub(super) what: Html,
    pub(super) reason: Html,
    pub(super) effect: Html,
    pub(super) relays: Vec<Html>,
}

/// Time by which something is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Due(Urgency),
    /// Whenever it suits.
    Standing,
}

impl When {
    const ALL: [Self; 4] = [Self::Due(Urgency::Urgent), Self::Due(Urgency::Scheduled), Self::Due(Urgency::Watch), Self::Standing];

    /// Time by which the advice of today's figures is to be followed.
    const fn of(advice: &Advice) -> Self {
        match advice {
            Advice::BringBack { .. } => Self::Due(Urgency::Urgent),
            Advice::LookAfter { .. } | Advice::Declining { .. } | Advice::Update { .. } => Self::Due(Urgency::Scheduled),
            Advice::NameBack { .. } | Advice::Prove { .. } | Advice::Spread { .. } | Advice::Expand { .. } | Advice::Combine { .. } => {
                Self::Standing
            }
        }
    }

    /// Heading, class of its mark, and what it means.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Due(Urgency::Urgent) => ("Urgent", "sev error", "down, or at least even odds of less than 90 % uptime"),
            Self::Due(Urgency::Scheduled) => ("Scheduled", "sev warning", "at the next suitable time"),
            Self::Due(Urgency::Watch) => ("Watch", "sev", "nothing to do yet"),
            Self::Standing => ("In the long run", "sev", "whenever it suits"),
        }
    }
}

/// The advice for the operator at this index, the most urgent first; `list` is the address of its forecasts.
pub(super) fn groups(view: &View, outlook: &Outlook, operator_idx: usize, details: &Portfolio, list: &str) -> Vec<AdviceGroup> {
    let members = &view.operators.list()[operator_idx].members;
    let standing = advice(&advised(view, operator_idx), details);
    let ahead = relay_advice(view, outlook, members.iter().map(|relay_idx| *relay_idx as usize));
    let mut all = merged(view, operator_idx, &standing, &ahead);
    let group = |when: When| {
        let (heading, class, about) = when.words();
        let mut items: Vec<AdviceItem> = all.extract_if(.., |(each, _)| *each == when).map(|(_, item)| item).collect();
        let n_more = items.len().saturating_sub(SHOWN);
        items.truncate(SHOWN);
        let todo = match when {
            When::Due(urgency) => format!("{list}&todo={}#list", urgency.name()),
            When::Standing => list.to_owned(),
        };
        let more = (n_more > 0).then(|| Html::link(&todo, &Html::words(format!("{} more", format::count(n_more as u64)))));
        (!items.is_empty()).then_some(AdviceGroup { heading, class, about, items, more })
    };
    When::ALL.into_iter().filter_map(group).collect()
}

/// All advice with its time; of one time that with forecasts first, the likeliest to fail before the others.
fn merged(view: &View, operator_idx: usize, standing: &[Advice], ahead: &[RelayAdvice<'_>]) -> Vec<(When, AdviceItem)> {
    let in_words = |advice: &Advice| in_words(view, operator_idx, advice);
    let about = |relay_idx: u32| standing.iter().find(|advice| about_one(advice) == Some(relay_idx));
    let mut all: Vec<(When, AdviceItem)> = Vec::new();
    let mut brought_back: &[u32] = &[];
    for advice in standing {
        if let Advice::BringBack { relays, .. } = advice {
            brought_back = relays;
            all.push((When::of(advice), bring_back(view, relays, in_words(advice), ahead)));
        }
    }
    let mut watched: Vec<u32> = Vec::new();
    for each in ahead.iter().filter(|each| !(is_down(each) && brought_back.contains(&each.relay_idx))) {
        match (each.advice.urgency, about(each.relay_idx)) {
            (Urgency::Watch, None) => watched.push(each.relay_idx),
            (Urgency::Urgent, today) => all.push((When::Due(Urgency::Urgent), of_relay(view, each, today.map(in_words)))),
            (_, today) => all.push((When::Due(Urgency::Scheduled), of_relay(view, each, today.map(in_words)))),
        }
    }
    if !watched.is_empty() {
        all.push((When::Due(Urgency::Watch), watch(view, &watched)));
    }
    let is_covered = |advice: &Advice| {
        matches!(advice, Advice::BringBack { .. }) || about_one(advice).is_some_and(|i| ahead.iter().any(|each| each.relay_idx == i))
    };
    all.extend(
        standing
            .iter()
            .filter(|advice| !is_covered(advice))
            .map(|advice| (When::of(advice), plain(view, advice.relays(), in_words(advice)))),
    );
    all
}

/// The relay that the advice of today's figures is about, where it is about a single one.
const fn about_one(advice: &Advice) -> Option<u32> {
    match advice {
        Advice::LookAfter { relay_idx, .. } | Advice::Declining { relay_idx, .. } => Some(*relay_idx),
        _ => None,
    }
}

const fn is_down(each: &RelayAdvice<'_>) -> bool {
    matches!(each.advice.reason, Reason::Down(_))
}

fn plain(view: &View, relays: &[u32], (what, reason, effect): AdviceWords) -> AdviceItem {
    AdviceItem { what, reason: Html::words(reason), effect, relays: named(view, relays, |_| None) }
}

/// Relays that are down, each with what its past weeks show.
fn bring_back(view: &View, relays: &[u32], (what, reason, effect): AdviceWords, ahead: &[RelayAdvice<'_>]) -> AdviceItem {
    let more = |relay_idx: u32| {
        let each = ahead.iter().find(|each| each.relay_idx == relay_idx && is_down(each))?;
        Some(Html::words(format!("{}. {}", each.advice.action(), each.advice.why())))
    };
    AdviceItem { what, reason: Html::words(reason), effect, relays: named(view, relays, more) }
}

/// Links to the first of these relays, each with further words, and the number of the others.
fn named(view: &View, relays: &[u32], more: impl Fn(u32) -> Option<Html>) -> Vec<Html> {
    let link = |i: &u32| {
        let link = relay(view, *i).map(relay_link)?;
        Some(match more(*i) {
            Some(words) => Html::joined([link, Html::words(": "), words], ""),
            None => link,
        })
    };
    let rest = relays.len().saturating_sub(NAMED);
    let rest = (rest > 0).then(|| Html::words(format!("and {} more", format::count(rest as u64))));
    relays.iter().take(NAMED).filter_map(link).chain(rest).collect()
}

/// Advice that follows from a forecast, and what figures of today add.
fn of_relay(view: &View, each: &RelayAdvice<'_>, today: Option<AdviceWords>) -> AdviceItem {
    let advice = each.advice;
    let link = relay(view, each.relay_idx).map_or_else(Html::unknown, relay_link);
    // Advice only to watch becomes advice to look after the relay where figures of today call for it.
    let is_watched = advice.urgency == Urgency::Watch;
    let what = if is_watched { "Look after it".to_owned() } else { advice.action() };
    let mut reasons = vec![Html::words(advice.why())];
    let mut effects = if is_watched { Vec::new() } else { vec![Html::words(advice.effect())] };
    if let Some((_, reason, effect)) = today {
        reasons.push(Html::words(reason));
        effects.push(effect);
    }
    effects.extend(advice.window.map(window));
    AdviceItem {
        what: Html::joined([link, Html::words(format!(": {what}"))], ""),
        reason: Html::joined(reasons, " "),
        effect: Html::joined(effects, " "),
        relays: Vec::new(),
    }
}

/// Relays of which a forecast is not yet sure.
fn watch(view: &View, relays: &[u32]) -> AdviceItem {
    AdviceItem {
        what: Html::words(format!("Look again in a week at {}", format::counted(relays.len(), "relay"))),
        reason: Html::words("Neither sure to stay above 95 % nor likely to fall below 90 %."),
        effect: Html::words("In a week the forecast will have become surer."),
        relays: named(view, relays, |_| None),
    }
}
