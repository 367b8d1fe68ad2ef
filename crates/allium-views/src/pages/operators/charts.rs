//! The charts of the lists of operators, families, claimed domains and heaviest relays: who has most weight.

use allium_analysis::operators::MemberFigures;
use allium_charts::{Bar, Bars, Chart, Kind, Unit};
use allium_model::Fraction;
use allium_service::View;
use allium_words::format;
use allium_words::inert::inert;

use super::relay;
use crate::error::RequestError;
use crate::figure::Figure;
use crate::markup::Html;
use crate::params::Params;
use crate::route::{FixedPage, href};

/// Bars of a chart.
const SHOWN: usize = 10;

/// A list that has a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    /// `/operators`.
    Operators,
    /// `/families`.
    Families,
    /// `/domains`.
    Domains,
    /// `/top`.
    Relays,
}

impl List {
    /// Address of its charts.
    fn base(self) -> String {
        let page = match self {
            Self::Operators => FixedPage::Operators,
            Self::Families => FixedPage::Families,
            Self::Domains => FixedPage::Domains,
            Self::Relays => FixedPage::Top,
        };
        href::charts(page.path())
    }

    const fn of(self) -> (&'static str, &'static str) {
        match self {
            Self::Operators => ("Operator", "operators"),
            Self::Families => ("Family", "families"),
            Self::Domains => ("Domain", "claimed domains"),
            Self::Relays => ("Relay", "relays"),
        }
    }
}

/// The part of a list's page with its chart.
pub(crate) fn section(view: &View, list: List) -> Html {
    let chart = largest(view, list);
    let head = Html::element("h2", &[("id", "largest")], &Html::words("Most weight"));
    let say =
        Html::element("p", &[("class", "small")], &Html::link(&href::method("weight-shares"), &Html::words("Definition of weight shares")));
    let parts = [head, Html::safe(Figure::of(&chart, &list.base(), "")), say];
    Html::element("section", &[("aria-labelledby", "largest")], &Html::joined(parts, ""))
}

/// The chart of that name of a list.
pub(crate) fn chart(view: &View, params: &Params, list: List, name: &str) -> Result<Chart, RequestError> {
    params.only(&[])?;
    if name == "largest" { Ok(largest(view, list)) } else { Err(RequestError::NoSuchPage) }
}

/// Weight, what orders equals, the bar.
type Weighed = (Option<u64>, usize, Bar);

fn largest(view: &View, list: List) -> Chart {
    let mut bars = weighed(view, list);
    let n = bars.len();
    bars.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let bars: Vec<Bar> = bars.into_iter().take(SHOWN).map(|(_, _, bar)| bar).collect();
    let (one, many) = list.of();
    let known: Vec<f64> = bars.iter().filter_map(|bar| bar.value).collect();
    let together = if known.is_empty() { None } else { Fraction::clamped(known.iter().sum()) };
    let title = format!(
        "The {} heaviest of {} {many} have {} of the consensus weight.",
        bars.len(),
        format::count(n as u64),
        together.map_or_else(|| "an unknown share".to_owned(), |share| format!("{}\u{a0}%", format::percent(share, 1)))
    );
    let note = format!("Running relays. As of the consensus of {}, from {}.", format::hour(view.as_of()), view.origin_words());
    let kind = Bars { unit: Unit::Share, of: one.to_owned(), what: "Share of weight".to_owned(), bars, references: Vec::new(), most: None };
    Chart::new("largest", title, note, Kind::Bars(kind))
}

fn weighed(view: &View, list: List) -> Vec<Weighed> {
    let short = |text: &str| inert(&text.chars().take(60).collect::<String>());
    let bar = |label: String, href: String, figures: &MemberFigures| Bar {
        label,
        href: Some(href),
        value: figures.weight_share.map(Fraction::get),
        note: format::counted(figures.n_running, "running relay"),
    };
    let operators = &view.operators;
    match list {
        List::Operators => {
            let all = operators.list().iter().zip(&operators.figures).enumerate();
            let current = all.filter(|(_, (_, figures))| figures.members.n_relays > 0);
            current
                .map(|(i, (operator, figures))| {
                    let label = short(&view.operator_name(i));
                    (figures.members.consensus_weight, i, bar(label, href::operator(&operator.id), &figures.members))
                })
                .collect()
        }
        List::Families => {
            let all = operators.directory.families.families.iter().zip(&operators.families).enumerate();
            all.filter(|(_, (_, figures))| figures.n_relays > 0)
                .map(|(i, (family, figures))| {
                    let heaviest = super::families::heaviest(view, family).and_then(|i| relay(view, i));
                    let label = short(heaviest.map_or("", |relay| relay.display_name()));
                    (figures.consensus_weight, i, bar(label, href::family(&family.key), figures))
                })
                .collect()
        }
        List::Domains => {
            let bar = |(i, (domain, figures)): (usize, (&allium_model::AroiDomain, &allium_analysis::operators::DomainFigures))| {
                let href = href::search(domain.as_str());
                (figures.claimed.consensus_weight, i, bar(short(domain.as_str()), href, &figures.claimed))
            };
            operators.domains.iter().enumerate().map(bar).collect()
        }
        List::Relays => {
            let running = view.record.relays.iter().enumerate().filter(|(_, record)| record.relay.running);
            running
                .map(|(i, record)| {
                    let relay = &record.relay;
                    let bar = Bar {
                        label: short(relay.display_name()),
                        href: Some(href::relay(&relay.fingerprint)),
                        value: relay.consensus_weight_fraction.map(Fraction::get),
                        note: relay.as_name.as_deref().map_or_else(String::new, short),
                    };
                    (relay.consensus_weight, i, bar)
                })
                .collect()
        }
    }
}
