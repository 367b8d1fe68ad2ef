//! Advice on pages: what to do, why, what it can bring, and when it disturbs least.

use allium_forecast::advice::{Advice, Urgency, Window};
use allium_service::{Outlook, View};
use allium_words::format;

use super::{Row, row_of};
use crate::markup::{Html, When};
use crate::pages::relay::relay_link;

/// Recommendations of one urgency.
pub(super) struct Recommended {
    pub(super) heading: &'static str,
    pub(super) about: &'static str,
    pub(super) href: String,
    pub(super) n: usize,
    pub(super) n_text: String,
    pub(super) items: Vec<Html>,
    pub(super) n_more: usize,
}

/// Advice for a relay, for pages that show more of the relay than its forecast.
pub(crate) struct RelayAdvice<'a> {
    /// Index of the relay in the record.
    pub(crate) relay_idx: u32,
    /// Advice that follows from the forecast.
    pub(crate) advice: &'a Advice,
}

/// Advice that follows from the forecasts of these relays: the likeliest to fail first, as in [`recommended`].
pub(crate) fn relay_advice<'a>(view: &'a View, outlook: &'a Outlook, members: impl Iterator<Item = usize>) -> Vec<RelayAdvice<'a>> {
    let Ok(forecasts) = outlook.forecasts() else { return Vec::new() };
    let row = |relay_idx: usize| {
        let forecast = forecasts.find(&view.record.relays.get(relay_idx)?.relay.fingerprint)?;
        Some((u32::try_from(relay_idx).ok()?, row_of(view, forecasts, forecast)?))
    };
    let mut rows: Vec<(u32, Row<'a>)> = members.filter_map(row).filter(|(_, row)| row.advice.is_some()).collect();
    rows.sort_by(|(_, a), (_, b)| by_risk(a, b));
    rows.into_iter().filter_map(|(relay_idx, row)| Some(RelayAdvice { relay_idx, advice: row.advice? })).collect()
}

fn by_risk(a: &Row<'_>, b: &Row<'_>) -> std::cmp::Ordering {
    b.forecast.p_below_90.get().total_cmp(&a.forecast.p_below_90.get()).then(a.forecast.fingerprint.cmp(&b.forecast.fingerprint))
}

/// Numbers of relays in these rows that have advice of each urgency, in the order of [`Urgency::ALL`].
pub(super) fn counts<'a, 'b: 'a>(rows: impl Iterator<Item = &'a Row<'b>>) -> [usize; 3] {
    let mut counts = [0; 3];
    for advice in rows.filter_map(|row| row.advice) {
        counts[advice.urgency as usize] += 1;
    }
    counts
}

/// Recommendations for these rows by urgency, each with at most `shown` relays: those likeliest to fail first. `base` is the
/// address of the list that they are part of.
pub(super) fn recommended<'a, 'b: 'a>(rows: impl Iterator<Item = &'a Row<'b>>, shown: usize, base: &str) -> Vec<Recommended> {
    let mut advised: Vec<(&Row<'_>, &Advice)> = rows.filter_map(|row| Some((row, row.advice?))).collect();
    advised.sort_by(|(a, _), (b, _)| by_risk(a, b));
    let of = |urgency: Urgency| {
        let of_it: Vec<_> = advised.iter().filter(|(_, advice)| advice.urgency == urgency).collect();
        let n_shown = if urgency == Urgency::Watch { shown.min(3) } else { shown };
        let separator = if base.contains('?') { '&' } else { '?' };
        Recommended {
            heading: heading(urgency),
            about: about(urgency),
            href: format!("{base}{separator}todo={}#list", urgency.name()),
            n: of_it.len(),
            n_text: format::count(of_it.len() as u64),
            items: of_it.iter().take(n_shown).map(|(row, advice)| item(row, advice)).collect(),
            n_more: of_it.len().saturating_sub(n_shown),
        }
    };
    Urgency::ALL.into_iter().map(of).collect()
}

/// The word of an urgency.
pub(super) const fn heading(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::Urgent => "Urgent",
        Urgency::Scheduled => "Scheduled",
        Urgency::Watch => "Watch",
    }
}

const fn about(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::Urgent => "down, or at least even odds of less than 90 %",
        Urgency::Scheduled => "at least one chance in four of less than 90 %, or declining",
        Urgency::Watch => "neither sure to stay above 95 % nor likely to fall below 90 %",
    }
}

fn item(row: &Row<'_>, advice: &Advice) -> Html {
    Html::joined([Html::element("strong", &[], &relay_link(&row.record.relay)), in_words(advice)], " ")
}

/// The advice in sentences.
pub(super) fn in_words(advice: &Advice) -> Html {
    let mut parts = vec![Html::element("span", &[], &Html::words(format!("{}.", advice.action()))), Html::words(advice.why())];
    if advice.urgency != Urgency::Watch {
        parts.push(Html::words(advice.effect()));
    }
    parts.extend(advice.window.map(window));
    Html::joined(parts, " ")
}

/// The window in which a relay is missed least.
pub(crate) fn window(window: Window) -> Html {
    let why = if window.usual { "its outages tend to begin then anyway" } else { "most other relays run then" };
    let parts = [
        Html::words("Best window:"),
        Html::words(window.slot.weekday_name()),
        Html::safe(When::from(window.start)),
        Html::words("to"),
        Html::safe(When::from(window.end())),
        Html::words(format!("({why}).")),
    ];
    Html::joined(parts, " ")
}
