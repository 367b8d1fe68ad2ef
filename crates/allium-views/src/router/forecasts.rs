//! Addresses of forecasts.

use allium_model::{Fingerprint, OperatorId};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::http::header::HeaderMap;
use axum::response::Response;
use axum::routing::get;

use super::{answer, chart_answer, page, page_error, validated};
use crate::calendar;
use crate::error::RequestError;
use crate::pages::forecasts;
use crate::params::Params;
use crate::site::Site;

pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/forecasts", get(forecasts_page))
        .route("/forecasts/charts/{file}", get(network_chart))
        .route("/forecasts/scoreboard", get(scoreboard_page))
        .route("/forecasts/scoreboard/charts/{file}", get(scoreboard_chart))
        .route("/relay/{fingerprint}/maintenance.ics", get(relay_calendar))
        .route("/operator/{id}/maintenance.ics", get(operator_calendar))
        .route("/api/v1/forecasts/network", get(api_network))
        .route("/api/v1/forecasts/network.csv", get(api_network))
        .route("/api/v1/forecasts/scoreboard", get(api_scoreboard))
        .route("/api/v1/forecasts", get(api_forecasts))
        .route("/api/v1/forecasts.csv", get(api_forecasts))
        .route("/api/v1/forecasts/summary", get(api_summary))
}

async fn forecasts_page(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    let outlook = site.outlook();
    match Params::of(&uri) {
        Ok(params) => page(&site, &headers, |view, now| forecasts::html(&site, view, now, &outlook, &params)),
        Err(error) => page_error(&site, &error),
    }
}

async fn api_forecasts(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    let outlook = site.outlook();
    answer(&site, &headers, &uri, |view, params, form| forecasts::data(view, &outlook, params, form))
}

async fn api_summary(State(site): State<Site>, uri: Uri) -> Response {
    let outlook = site.outlook();
    // JSON only, whatever else a client would take.
    answer(&site, &HeaderMap::new(), &uri, |view, params, _| forecasts::summary_data(view, &outlook, params))
}

async fn network_chart(State(site): State<Site>, headers: HeaderMap, uri: Uri, Path(file): Path<String>) -> Response {
    let outlook = site.outlook();
    chart_answer(&site, &headers, &uri, &file, move |_, params, name| forecasts::network_chart(&outlook, params, name)).await
}

async fn api_network(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    let outlook = site.outlook();
    answer(&site, &headers, &uri, |_, params, form| forecasts::network_data(&outlook, params, form))
}

async fn scoreboard_page(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    match Params::of(&uri) {
        Ok(params) => page(&site, &headers, |view, now| forecasts::scoreboard::html(&site, view, now, &params)),
        Err(error) => page_error(&site, &error),
    }
}

async fn scoreboard_chart(State(site): State<Site>, headers: HeaderMap, uri: Uri, Path(file): Path<String>) -> Response {
    let of = site.clone();
    chart_answer(&site, &headers, &uri, &file, move |_, params, name| forecasts::scoreboard::chart(&of, params, name)).await
}

async fn api_scoreboard(State(site): State<Site>, uri: Uri) -> Response {
    // JSON only, whatever else a client would take.
    answer(&site, &HeaderMap::new(), &uri, |_, params, _| forecasts::scoreboard::data(&site, params))
}

async fn relay_calendar(State(site): State<Site>, headers: HeaderMap, Path(asked): Path<String>) -> Response {
    calendar_answer(&site, &headers, |view, outlook| {
        let fingerprint: Option<Fingerprint> = asked.parse().ok();
        let relay_idx = fingerprint.and_then(|fingerprint| view.relay_idx(&fingerprint));
        calendar::of_relay(view, outlook, relay_idx.ok_or_else(|| RequestError::NoSuchRelay(asked.chars().take(60).collect()))?)
    })
}

async fn operator_calendar(State(site): State<Site>, headers: HeaderMap, Path(asked): Path<String>) -> Response {
    calendar_answer(&site, &headers, |view, outlook| {
        let id: Option<OperatorId> = asked.parse().ok();
        let found = id.as_ref().and_then(|id| view.operators.find(id));
        let (place, _) = found.ok_or_else(|| RequestError::no_such_group("operator", &asked))?;
        calendar::of_operator(view, outlook, &view.operators.list()[place])
    })
}

/// A calendar made from the newest view and forecasts.
fn calendar_answer(
    site: &Site,
    headers: &HeaderMap,
    make: impl FnOnce(&crate::view::View, &crate::outlook::Outlook) -> Result<String, RequestError>,
) -> Response {
    let Some(view) = site.view() else { return page_error(site, &RequestError::NoDataYet(site.waiting_for())) };
    match make(&view, &site.outlook()) {
        Ok(calendar) => validated(headers, "text/calendar; charset=utf-8", Some(view.modified()), calendar),
        Err(error) => page_error(site, &error),
    }
}
