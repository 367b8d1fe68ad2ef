//! Addresses of forecasts.

use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use axum::http::header::HeaderMap;
use axum::response::Response;
use axum::routing::get;

use super::{answer, page, page_error};
use crate::pages::forecasts;
use crate::params::Params;
use crate::site::Site;

pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/forecasts", get(forecasts_page))
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
