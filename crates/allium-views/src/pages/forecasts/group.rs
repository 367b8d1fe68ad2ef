//! The forecast on the page of a group: what its relays together are likely to do, and what is to be done about them.

use allium_forecast::{Label, Likeness, Summary, Total};
use allium_service::{Forecasts, Outlook, View};
use allium_words::format;
use allium_words::inert::inert;

use super::advice::counts;
use super::{Row, row_of};
use crate::markup::{Html, When};
use crate::route::href;

/// Least distance of the median above the expected value at which it is mentioned.
const SKEWED: f64 = 0.003;

/// The property that relays have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Together {
    /// The operator who runs the relays.
    Operator,
    /// Their autonomous system.
    As,
    /// Their country.
    Country,
}

impl Together {
    fn likeness(self, forecasts: &Forecasts) -> Likeness {
        let likeness = forecasts.likeness;
        match self {
            Self::Operator => likeness.operator,
            Self::As => likeness.autonomous_system,
            Self::Country => likeness.country,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::As => "autonomous system",
            Self::Country => "country",
        }
    }
}

/// The expected mean uptime of relays that run, with its interval.
pub(super) fn total<'a>(
    forecasts: &Forecasts,
    members: impl Iterator<Item = &'a allium_forecast::Forecast>,
    kind: Together,
) -> Option<Total> {
    Total::of(members.filter(|forecast| forecast.running), kind.likeness(forecasts))
}

/// The total in a sentence; `whose` relays they are, such as "its".
pub(super) fn total_sentence(forecasts: &Forecasts, total: &Total, whose: &str) -> String {
    let percent = |share| format::percent(share, 1);
    let relays = match total.n_relays {
        1 => format!("{whose} relay that runs now is"),
        n => format!("{whose} {} relays that run now are", format::count(n as u64)),
    };
    let before = total.recent.map_or_else(String::new, |recent| format!(" (so far {}\u{a0}% over the last 30 days)", percent(recent)));
    format!(
        "Over the next {} days {relays} expected to be up {}\u{a0}% of the time on average{before}; eight chances in ten that this mean lies between {}\u{a0}% and {}\u{a0}%.",
        forecasts.horizon_days,
        percent(total.median),
        percent(total.interval.0),
        percent(total.interval.1)
    )
}

/// Degree to which the interval accounts for relays that fail together.
pub(super) fn likeness_words(forecasts: &Forecasts, total: &Total, kind: Together) -> String {
    let likeness = kind.likeness(forecasts);
    let (low, high) = total.interval_if_independent;
    let basis = match likeness.n_pairs {
        0 => "assumed, as nothing could be measured yet".to_owned(),
        n => format!("measured on {} pairs of relays and their past forecasts", format::count(n as u64)),
    };
    let rare = if total.median.get() - total.mean.get() >= SKEWED {
        format!(" Rare failures of many at once pull the expected value down to {}\u{a0}%.", format::percent(total.mean, 1))
    } else {
        String::new()
    };
    format!(
        "Relays of one {} fare alike (rank correlation {}, {basis}); if each failed for itself the interval would be {}\u{a0}% to {}\u{a0}%.{rare}",
        kind.word(),
        format::number(likeness.rho, 2),
        format::percent(low, 1),
        format::percent(high, 1)
    )
}

/// The panel; `list` is the address of the dashboard of these relays.
pub(crate) fn panel(outlook: &Outlook, view: &View, members: impl Iterator<Item = usize>, kind: Together, list: &str) -> Html {
    let definition = || Html::link(&href::method("forecast-totals"), &Html::words("Definition"));
    let forecasts = match outlook.forecasts() {
        Ok(forecasts) => forecasts,
        Err(reason) => return paragraph("say", &[Html::words(format!("There is no forecast yet: {}.", inert(reason))), definition()]),
    };
    let rows: Vec<Row<'_>> = members
        .filter_map(|relay_idx| row_of(view, forecasts, forecasts.find(&view.record.relays.get(relay_idx)?.relay.fingerprint)?))
        .collect();
    if rows.is_empty() {
        return paragraph("say", &[Html::words("None of its relays has a forecast."), definition()]);
    }
    let total = total(forecasts, rows.iter().map(|row| row.forecast), kind);
    let summary = Summary::of(rows.iter().map(|row| row.forecast));
    let sentence =
        total.as_ref().map_or_else(|| "None of its relays runs now.".to_owned(), |total| total_sentence(forecasts, total, "its"));
    let mut parts = vec![
        paragraph("say", &[Html::words(sentence), definition()]),
        paragraph("say", &[Html::words(labels_sentence(&summary)), Html::words(actions_sentence(counts(rows.iter())))]),
    ];
    parts.push(under(forecasts, total.as_ref(), kind));
    parts.push(paragraph("files", &[Html::link(list, &Html::words("All its forecasts"))]));
    Html::joined(parts, "")
}

fn paragraph(class: &str, parts: &[Html]) -> Html {
    Html::element("p", &[("class", class)], &Html::joined(parts.iter().cloned(), " "))
}

fn labels_sentence(summary: &Summary) -> String {
    let n = |labels: &[Label]| labels.iter().map(|label| summary.n_labelled(*label)).sum::<usize>();
    format!(
        "Of {} with a forecast {} {} stable or improving, {} to monitor, {} at risk or critical.",
        format::counted(summary.n_relays, "relay"),
        format::count(n(&[Label::Stable, Label::Improving]) as u64),
        if n(&[Label::Stable, Label::Improving]) == 1 { "is" } else { "are" },
        format::count(n(&[Label::Monitor]) as u64),
        format::count(n(&[Label::AtRisk, Label::Critical]) as u64),
    )
}

/// Numbers of actions, in a sentence.
pub(super) fn actions_sentence([urgent, scheduled, _]: [usize; 3]) -> String {
    let count = |n: usize| format::count(n as u64);
    match (urgent, scheduled) {
        (0, 0) => "Forecasts call for nothing.".to_owned(),
        (urgent, 0) => format!("Urgent for {}.", format::counted(urgent, "relay")),
        (0, scheduled) => format!("To be scheduled for {}.", format::counted(scheduled, "relay")),
        (urgent, scheduled) => format!("Urgent for {}, to be scheduled for {}.", count(urgent), count(scheduled)),
    }
}

fn under(forecasts: &Forecasts, total: Option<&Total>, kind: Together) -> Html {
    let words = total.map_or_else(String::new, |total| likeness_words(forecasts, total, kind));
    let parts = [
        Html::words("As of the consensus of"),
        Html::safe(When::from(forecasts.as_of)),
        Html::words(format!(", from {}.", forecasts.basis.words())),
        Html::words(words),
    ];
    Html::element("p", &[("class", "under")], &Html::joined(parts, " ").tightened())
}
