//! Charts, by the page that they stand on.

use allium_charts::Chart;
use allium_model::Timestamp;
use allium_service::Snapshot;

use super::view_of;
use crate::answer::Answer;
use crate::error::RequestError;
use crate::pages::operators::{families, operator};
use crate::pages::{forecasts, groups, incident, relay};
use crate::params::Params;
use crate::route::{ChartFile, ChartForm, Page};
use crate::shown::Shown;

/// Answers a chart in the form that its file asks for.
pub(super) fn answer(snapshot: &Snapshot, now: Timestamp, page: &Page, file: &ChartFile, query: &str) -> Answer {
    let shown = view_of(snapshot).map(|view| Shown { snapshot, view, now, query });
    match shown.and_then(|shown| bytes(&shown, page, file)) {
        Ok(bytes) => Answer::of(file.form.media_type(), snapshot.modified_by(now), bytes),
        Err(error) => Answer::error_page(snapshot, &error),
    }
}

fn bytes(shown: &Shown<'_>, page: &Page, file: &ChartFile) -> Result<Vec<u8>, RequestError> {
    let params = shown.params()?;
    let look = params.look()?;
    let chart = of_page(shown, page, &params.without(&Params::LOOK), &file.name)?;
    Ok(match file.form {
        ChartForm::Png => chart.png(look)?,
        ChartForm::Svg => chart.svg(look).into_bytes(),
        ChartForm::Csv => chart.csv()?.into_bytes(),
        ChartForm::Json => chart.json()?.into_bytes(),
    })
}

/// The chart of that name of a page, with what the address says.
pub(crate) fn chart(shown: &Shown<'_>, page: &Page, name: &str) -> Result<Chart, RequestError> {
    of_page(shown, page, &shown.params()?, name)
}

fn of_page(shown: &Shown<'_>, page: &Page, params: &Params, name: &str) -> Result<Chart, RequestError> {
    let (snapshot, view) = (shown.snapshot, shown.view);
    match page {
        Page::Fixed(page) => page.chart(shown, params, name),
        Page::Groups(kind) => groups::list_chart(view, *kind, params, name),
        Page::Group(kind, key) => groups::group_chart(view, *kind, key, name),
        Page::Relay(fingerprint) => {
            let relay_idx = view.relay_idx(fingerprint).ok_or(RequestError::NoSuchPage)?;
            if name == "forecast" {
                return forecasts::relay_chart(view, snapshot.outlook(), params, relay_idx);
            }
            let chart = relay::chart(view, params, relay_idx, name)?;
            Ok(relay::with_incidents(chart, view, snapshot.incidents(), *fingerprint))
        }
        Page::Operator(id) => operator::chart(view, params, id, name),
        Page::Family(key) => families::chart(view, params, key, name),
        Page::Incident(id) => {
            params.only(&[])?;
            incident::chart(view, snapshot.incidents().ok_or(RequestError::NoIncidentsYet)?, id, name)
        }
        Page::Methods | Page::Leaderboard(_) => Err(RequestError::NoSuchPage),
    }
}
