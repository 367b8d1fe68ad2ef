//! Charts, by the page that they stand on.

use allium_model::Timestamp;

use super::Shown;
use crate::answer::Answer;
use crate::charts::{Chart, Look};
use crate::error::RequestError;
use crate::pages::operators::{families, operator};
use crate::pages::{forecasts, groups, incident, relay};
use crate::params::Params;
use crate::route::{ChartFile, ChartForm, Page};
use crate::site::Site;

/// Answers a chart in the form that its file asks for.
pub(super) fn answer(site: &Site, now: Timestamp, page: &Page, file: &ChartFile, query: &str) -> Answer {
    let Some(view) = site.view() else { return Answer::error_page(site, &RequestError::NoDataYet(site.waiting_for())) };
    let shown = Shown { site, view: &view, now, query };
    match bytes(&shown, page, file) {
        Ok(bytes) => Answer::of(file.form.media_type(), Some(view.modified()), bytes),
        Err(error) => Answer::error_page(site, &error),
    }
}

fn bytes(shown: &Shown<'_>, page: &Page, file: &ChartFile) -> Result<Vec<u8>, RequestError> {
    let params = shown.params()?;
    let look = Look::of(&params)?;
    let chart = of_page(shown, page, &params.without(&Look::NAMES), &file.name)?;
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
    let (site, view) = (shown.site, shown.view);
    match page {
        Page::Fixed(page) => page.chart(shown, params, name),
        Page::Groups(kind) => groups::list_chart(view, *kind, params, name),
        Page::Group(kind, key) => groups::group_chart(view, *kind, key, name),
        Page::Relay(fingerprint) => {
            let relay_idx = view.relay_idx(fingerprint).ok_or(RequestError::NoSuchPage)?;
            if name == "forecast" {
                return forecasts::relay_chart(view, &site.outlook(), params, relay_idx);
            }
            let chart = relay::chart(view, params, relay_idx, name)?;
            Ok(relay::with_incidents(chart, view, site.incidents().as_deref(), *fingerprint))
        }
        Page::Operator(id) => operator::chart(view, params, id, name),
        Page::Family(key) => families::chart(view, params, key, name),
        Page::Incident(id) => {
            params.only(&[])?;
            incident::chart(view, &*site.incidents().ok_or(RequestError::NoIncidentsYet)?, id, name)
        }
        Page::Methods | Page::Leaderboard(_) => Err(RequestError::NoSuchPage),
    }
}
