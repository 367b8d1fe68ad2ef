//! Addresses of operators, families, leaderboards and statistics.

use allium_analysis::leaderboards::Category;
use allium_model::{Fingerprint, OperatorId};
use allium_service::Site;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::HeaderMap;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::get;

use super::{answer, api_error, chart_answer, page, page_error, redirect};
use crate::error::RequestError;
use crate::pages::operators::charts::{self, List};
use crate::pages::operators::{domains, families, list, operator};
use crate::pages::{leaderboards, network, statistics, top};
use crate::params::{LONGEST_VALUE, Params};

pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/network", get(network_page))
        .route("/operators", get(operators_page))
        .route("/operator/{id}", get(operator_page))
        .route("/operator/{id}/charts/{file}", get(operator_chart))
        .route("/operators/charts/{file}", get(|state, headers, uri, file| list_chart(state, headers, uri, file, List::Operators)))
        .route("/families/charts/{file}", get(|state, headers, uri, file| list_chart(state, headers, uri, file, List::Families)))
        .route("/domains/charts/{file}", get(|state, headers, uri, file| list_chart(state, headers, uri, file, List::Domains)))
        .route("/top/charts/{file}", get(|state, headers, uri, file| list_chart(state, headers, uri, file, List::Relays)))
        .route("/family/{fingerprint}/charts/{file}", get(family_chart))
        .route("/domains", get(domains_page))
        .route("/families", get(families_page))
        .route("/family/{fingerprint}", get(family_page))
        .route("/leaderboards", get(leaderboards_page))
        .route("/leaderboards/{category}", get(category_page))
        .route("/statistics", get(statistics_page))
        .route("/top", get(top_page))
        .route("/api/v1/census", get(api_census))
        .route("/api/v1/operators", get(api_operators))
        .route("/api/v1/operators.csv", get(api_operators))
        .route("/api/v1/operators/{id}", get(api_operator))
        .route("/api/v1/operators/{id}/relays", get(api_operator_relays))
        .route("/api/v1/operators/{id}/relays.csv", get(api_operator_relays))
        .route("/api/v1/domains", get(api_domains))
        .route("/api/v1/domains.csv", get(api_domains))
        .route("/api/v1/families", get(api_families))
        .route("/api/v1/families.csv", get(api_families))
        .route("/api/v1/families/{fingerprint}", get(api_family))
        .route("/api/v1/leaderboards", get(api_leaderboards))
        .route("/api/v1/leaderboards.csv", get(api_leaderboards))
        .route("/api/v1/leaderboards/{category}", get(api_category))
        .route("/api/v1/statistics", get(api_statistics))
        .route("/api/v1/statistics.csv", get(api_statistics))
        .route("/api/v1/top", get(api_top))
        .route("/api/v1/top.csv", get(api_top))
}

/// The page made with the parameters of the address.
fn with_params(
    site: &Site,
    headers: &HeaderMap,
    uri: &Uri,
    make: impl FnOnce(&allium_service::View, allium_model::Timestamp, &Params) -> Result<String, RequestError>,
) -> Response {
    match Params::of(uri) {
        Ok(params) => page(site, headers, |view, now| make(view, now, &params)),
        Err(error) => page_error(site, &error),
    }
}

async fn network_page(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    with_params(&site, &headers, &uri, |view, now, params| params.only(&[]).and_then(|()| network::html(&site, view, now)))
}

async fn api_census(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    answer(&site, &headers, &uri, |view, params, _| network::data(view, params))
}

async fn operators_page(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    with_params(&site, &headers, &uri, |view, now, params| list::html(&site, view, now, params))
}

async fn domains_page(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    with_params(&site, &headers, &uri, |view, now, params| domains::html(&site, view, now, params))
}

async fn families_page(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    with_params(&site, &headers, &uri, |view, now, params| families::html(&site, view, now, params))
}

async fn top_page(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    with_params(&site, &headers, &uri, |view, now, params| top::html(&site, view, now, params))
}

async fn leaderboards_page(State(site): State<Site>, headers: HeaderMap) -> Response {
    page(&site, &headers, |view, now| leaderboards::html(&site, view, now))
}

async fn statistics_page(State(site): State<Site>, headers: HeaderMap) -> Response {
    page(&site, &headers, |view, now| statistics::html(&site, view, now))
}

async fn category_page(State(site): State<Site>, headers: HeaderMap, uri: Uri, Path(name): Path<String>) -> Response {
    let Some(category) = Category::from_name(&name) else { return page_error(&site, &RequestError::NoSuchPage) };
    with_params(&site, &headers, &uri, |view, now, params| leaderboards::category_html(&site, view, now, category, params))
}

async fn operator_page(State(site): State<Site>, headers: HeaderMap, uri: Uri, Path(asked): Path<String>) -> Response {
    let Some(id) = operator_id(&asked) else { return page_error(&site, &RequestError::NoSuchPage) };
    let canonical = id.to_string();
    if canonical != asked {
        return redirect(StatusCode::PERMANENT_REDIRECT, &format!("/operator/{canonical}"));
    }
    with_params(&site, &headers, &uri, |view, now, params| operator::html(&site, view, now, &id, params))
}

async fn list_chart(State(site): State<Site>, headers: HeaderMap, uri: Uri, Path(file): Path<String>, list: List) -> Response {
    chart_answer(&site, &headers, &uri, &file, move |view, params, name| charts::chart(view, params, list, name)).await
}

async fn family_chart(State(site): State<Site>, headers: HeaderMap, uri: Uri, Path((asked, file)): Path<(String, String)>) -> Response {
    let Ok(key) = asked.parse::<Fingerprint>() else { return page_error(&site, &RequestError::NoSuchPage) };
    chart_answer(&site, &headers, &uri, &file, move |view, params, name| families::chart(view, params, &key, name)).await
}

async fn operator_chart(State(site): State<Site>, headers: HeaderMap, uri: Uri, Path((asked, file)): Path<(String, String)>) -> Response {
    let Some(id) = operator_id(&asked) else { return page_error(&site, &RequestError::NoSuchPage) };
    chart_answer(&site, &headers, &uri, &file, move |view, params, name| operator::chart(view, params, &id, name)).await
}

/// One page per family: every other member's fingerprint leads to it.
async fn family_page(State(site): State<Site>, headers: HeaderMap, uri: Uri, Path(asked): Path<String>) -> Response {
    let Ok(fingerprint) = asked.parse::<Fingerprint>() else { return page_error(&site, &RequestError::NoSuchPage) };
    let key = site.view().and_then(|view| families::key_of(&view, &fingerprint));
    match key {
        // Keys change when a smaller fingerprint joins, so the redirect is for now.
        Some(key) if key.to_string() != asked => redirect(StatusCode::TEMPORARY_REDIRECT, &format!("/family/{key}")),
        _ => with_params(&site, &headers, &uri, |view, now, params| families::family_html(&site, view, now, &fingerprint, params)),
    }
}

async fn api_operators(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    answer(&site, &headers, &uri, list::data)
}

async fn api_operator(State(site): State<Site>, headers: HeaderMap, uri: Uri, Path(asked): Path<String>) -> Response {
    match operator_id(&asked) {
        Some(id) => {
            let past = site.past_standings();
            answer(&site, &headers, &uri, |view, params, _| params.only(&[]).and_then(|()| operator::data(view, past.as_deref(), &id)))
        }
        None => api_error(&RequestError::NoSuchPage),
    }
}

async fn api_operator_relays(State(site): State<Site>, headers: HeaderMap, uri: Uri, Path(asked): Path<String>) -> Response {
    match operator_id(&asked) {
        Some(id) => answer(&site, &headers, &uri, |view, params, form| operator::relays_data(view, &id, params, form)),
        None => api_error(&RequestError::NoSuchPage),
    }
}

async fn api_domains(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    answer(&site, &headers, &uri, domains::data)
}

async fn api_families(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    answer(&site, &headers, &uri, families::data)
}

async fn api_family(State(site): State<Site>, headers: HeaderMap, uri: Uri, Path(asked): Path<String>) -> Response {
    let digits = asked.strip_suffix(".csv").unwrap_or(&asked);
    match digits.parse::<Fingerprint>() {
        Ok(key) => answer(&site, &headers, &uri, |view, params, form| families::family_data(view, &key, params, form)),
        Err(_) => api_error(&RequestError::NoSuchPage),
    }
}

async fn api_leaderboards(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    answer(&site, &headers, &uri, leaderboards::data)
}

async fn api_category(State(site): State<Site>, headers: HeaderMap, uri: Uri, Path(asked): Path<String>) -> Response {
    match Category::from_name(asked.strip_suffix(".csv").unwrap_or(&asked)) {
        Some(category) => {
            let past = site.past_standings();
            answer(&site, &headers, &uri, |view, params, form| leaderboards::category_data(view, past.as_deref(), category, params, form))
        }
        None => api_error(&RequestError::NoSuchPage),
    }
}

async fn api_statistics(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    answer(&site, &headers, &uri, statistics::data)
}

async fn api_top(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    answer(&site, &headers, &uri, top::data)
}

fn operator_id(asked: &str) -> Option<OperatorId> {
    (asked.len() <= 2 * LONGEST_VALUE).then(|| asked.parse().ok()).flatten()
}
