//! Addresses to pages, and what every answer carries: a strict content security policy, validators, compression.
//!
//! Only GET and HEAD are answered, but for what holders of tokens say about incidents ([`notes`]). Nothing of a visitor is kept or logged.

use std::any::Any;

use allium_model::{Fingerprint, Timestamp};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::api::{self, Form};
use crate::charts::{Chart, Look};
use crate::error::RequestError;
use crate::health;
use crate::list::ListState;
use crate::metrics;
use crate::pages::groups::Kind;
use crate::params::Params;
use crate::site::Site;
use crate::view::View;
use crate::{assets, pages};

mod forecasts;
mod incidents;
mod notes;
mod operators;

/// What pages may load: our stylesheet and our pictures; the icon stands in the page.
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What pages with charts may load beside that: our script, and the values that it draws.
const CONTENT_SECURITY_POLICY_CHARTS: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The longest address that is looked at, in bytes.
const LONGEST_ADDRESS: usize = 4_096;

/// How long a page or an answer may be reused before asking again.
const CACHE_PAGES: &str = "public, max-age=60";

/// Assets have their content in their address.
const CACHE_ASSETS: &str = "public, max-age=31536000, immutable";

/// All pages, the API and the assets.
pub fn router(site: Site) -> Router {
    let panicking = site.clone();
    groups()
        .route("/", get(home))
        .route("/relays", get(relays))
        .route("/relay/{fingerprint}", get(relay))
        .route("/relay/{fingerprint}/charts/{file}", get(relay_chart))
        .route("/explore", get(explore))
        .route("/explore/image", get(explore_image))
        .route("/explore/charts/{file}", get(explore_chart))
        .route("/incidents", get(incident_list))
        .route("/incident/{id}", get(incident))
        .route("/incident/{id}/charts/{file}", get(incident_chart))
        .route("/data-quality", get(data_quality))
        .route("/methods", get(methods))
        .merge(operators::routes())
        .merge(forecasts::routes())
        .merge(incidents::routes())
        .merge(notes::routes())
        .route("/api/v1/network", get(api_network))
        .route("/api/v1/network.csv", get(api_network))
        .route("/api/v1/relays", get(api_relays))
        .route("/api/v1/relays.csv", get(api_relays))
        .route("/api/v1/relays/{fingerprint}", get(api_relay))
        .route("/api/v1/incidents", get(api_incidents))
        .route("/api/v1/incidents.csv", get(api_incidents))
        .route("/api/v1/incidents/{id}", get(api_incident))
        .route("/api/v1/data-quality", get(api_data_quality))
        .route("/api/v1/data-quality.csv", get(api_data_quality))
        .route("/healthz", get(health::answer))
        .route("/metrics", get(metrics::answer))
        .route("/robots.txt", get(robots))
        .route("/favicon.ico", get(|headers: HeaderMap| async move { asset(assets::icon_path(), &headers).ok_or(StatusCode::NOT_FOUND) }))
        .route("/assets/{name}", get(named_asset))
        .fallback(no_such_page)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CatchPanicLayer::custom(move |panic: Box<dyn Any + Send>| after_panic(&panicking, &*panic)))
        .layer(from_fn_with_state(site.clone(), guard))
        .layer(CompressionLayer::new())
        .with_state(site)
}

/// The lists of groups, the pages of groups, and both for programs.
fn groups() -> Router<Site> {
    Kind::ALL.into_iter().fold(Router::new(), |router, kind| {
        let (list, page) = (kind.list_path(), kind.page_path());
        let show_list =
            move |State(site): State<Site>, headers: HeaderMap, uri: Uri| async move { group_list(&site, &headers, &uri, kind) };
        let list_data = move |State(site): State<Site>, headers: HeaderMap, uri: Uri| async move {
            answer(&site, &headers, &uri, |view, params, form| pages::groups::list_data(view, kind, params, form))
        };
        let show_page = move |State(site): State<Site>, headers: HeaderMap, uri: Uri, Path(asked): Path<String>| async move {
            group_page(&site, &headers, &uri, kind, &asked)
        };
        let page_data = move |State(site): State<Site>, headers: HeaderMap, uri: Uri, Path(asked): Path<String>| async move {
            group_data(&site, &headers, &uri, kind, &asked)
        };
        let list_chart = move |State(site): State<Site>, headers: HeaderMap, uri: Uri, Path(file): Path<String>| async move {
            chart_answer(&site, &headers, &uri, &file, move |view, params, name| pages::groups::list_chart(view, kind, params, name)).await
        };
        let page_chart = move |State(site): State<Site>, headers: HeaderMap, uri: Uri, Path((key, file)): Path<(String, String)>| async move {
            chart_answer(&site, &headers, &uri, &file, move |view, _, name| pages::groups::group_chart(view, kind, &key, name)).await
        };
        router
            .route(&format!("{list}/charts/{{file}}"), get(list_chart))
            .route(&format!("{page}/{{key}}/charts/{{file}}"), get(page_chart))
            .route(list, get(show_list))
            .route(&format!("{list}.csv"), get(list_data))
            .route(&format!("{page}/{{key}}"), get(show_page))
            .route(&format!("/api/v1{list}"), get(list_data))
            .route(&format!("/api/v1{list}.csv"), get(list_data))
            .route(&format!("/api/v1{list}/{{key}}"), get(page_data))
    })
}

fn group_list(site: &Site, headers: &HeaderMap, uri: &Uri, kind: Kind) -> Response {
    match Params::of(uri) {
        Ok(params) => page(site, headers, |view, now| pages::groups::list_html(site, view, now, kind, &params)),
        Err(error) => page_error(site, &error),
    }
}

/// A page at its one address; CSV where the key ends so.
fn group_page(site: &Site, headers: &HeaderMap, uri: &Uri, kind: Kind, asked: &str) -> Response {
    if asked.ends_with(".csv") {
        return group_data(site, headers, uri, kind, asked);
    }
    let Some(key) = kind.canonical(asked) else { return page_error(site, &RequestError::no_such_group(kind.noun().0, asked)) };
    if key != asked {
        return redirect(StatusCode::PERMANENT_REDIRECT, &kind.href(&key));
    }
    match Params::of(uri) {
        Ok(params) => page(site, headers, |view, now| pages::groups::group_html(site, view, now, kind, &key, &params)),
        Err(error) => page_error(site, &error),
    }
}

fn group_data(site: &Site, headers: &HeaderMap, uri: &Uri, kind: Kind, asked: &str) -> Response {
    let asked = asked.strip_suffix(".csv").unwrap_or(asked);
    answer(site, headers, uri, |view, params, form| {
        let key = kind.canonical(asked).ok_or_else(|| RequestError::no_such_group(kind.noun().0, asked))?;
        pages::groups::group_data(view, kind, &key, params, form)
    })
}

async fn home(State(site): State<Site>, headers: HeaderMap) -> Response {
    page(&site, &headers, |view, now| pages::home::html(&site, view, now))
}

async fn relays(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    let state = match Params::of(&uri).and_then(|params| ListState::of(&params)) {
        Ok(state) => state,
        Err(error) => return page_error(&site, &error),
    };
    match named_relay(&site, &state) {
        Some(fingerprint) => redirect(StatusCode::SEE_OTHER, &format!("/relay/{fingerprint}")),
        None => page(&site, &headers, |view, now| pages::relays::html(&site, view, now, &state)),
    }
}

async fn relay(State(site): State<Site>, headers: HeaderMap, uri: Uri, Path(asked): Path<String>) -> Response {
    let Ok(fingerprint) = asked.parse::<Fingerprint>() else {
        return page(&site, &headers, |_, _| Err(RequestError::NoSuchRelay(asked.chars().take(60).collect())));
    };
    let canonical = fingerprint.to_string();
    if canonical != asked {
        return redirect(StatusCode::PERMANENT_REDIRECT, &format!("/relay/{canonical}"));
    }
    let outlook = site.outlook();
    page(&site, &headers, |view, now| {
        let relay_idx = view.relay_idx(&fingerprint).ok_or(RequestError::NoSuchRelay(canonical))?;
        pages::relay::html(&site, view, now, relay_idx, pages::relay::Choice::of(&Params::of(&uri)?)?, &outlook)
    })
}

async fn relay_chart(State(site): State<Site>, headers: HeaderMap, uri: Uri, Path((asked, file)): Path<(String, String)>) -> Response {
    let (log, outlook) = (site.incidents(), site.outlook());
    chart_answer(&site, &headers, &uri, &file, move |view, params, name| {
        let fingerprint = asked.parse().map_err(|_| RequestError::NoSuchPage)?;
        let relay_idx = view.relay_idx(&fingerprint).ok_or(RequestError::NoSuchPage)?;
        if name == "forecast" {
            return pages::forecasts::relay_chart(view, &outlook, params, relay_idx);
        }
        let chart = pages::relay::chart(view, params, relay_idx, name)?;
        Ok(pages::relay::with_incidents(chart, view, log.as_deref(), fingerprint))
    })
    .await
}

async fn explore(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    slow_page(site, headers, move |site, view, now| pages::explore::html(site, view, now, &Params::of(&uri)?)).await
}

async fn explore_image(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    slow_page(site, headers, move |site, view, now| pages::explore::image_html(site, view, now, &Params::of(&uri)?)).await
}

async fn explore_chart(State(site): State<Site>, headers: HeaderMap, uri: Uri, Path(file): Path<String>) -> Response {
    let (log, sizes) = (site.incidents(), site.sizes());
    chart_answer(&site, &headers, &uri, &file, move |view, params, name| {
        Ok(pages::explore::chart(view, &sizes, params, name)?.marked_by_all(view, log.as_deref()))
    })
    .await
}

async fn incident_list(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    let log = site.incidents();
    page(&site, &headers, |view, now| pages::incidents::html(&site, view, now, log.as_deref(), &Params::of(&uri)?))
}

async fn incident(State(site): State<Site>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    page(&site, &headers, |view, now| {
        let log = site.incidents().ok_or(RequestError::NoIncidentsYet)?;
        let incident = log.get(&id).ok_or(RequestError::NoSuchPage)?;
        pages::incident::html(&site, view, now, &log, incident)
    })
}

async fn incident_chart(State(site): State<Site>, headers: HeaderMap, uri: Uri, Path((id, file)): Path<(String, String)>) -> Response {
    let log = site.incidents();
    chart_answer(&site, &headers, &uri, &file, move |view, params, name| {
        params.only(&[])?;
        pages::incident::chart(view, &*log.ok_or(RequestError::NoIncidentsYet)?, &id, name)
    })
    .await
}

async fn data_quality(State(site): State<Site>, headers: HeaderMap) -> Response {
    page(&site, &headers, |view, now| pages::data_quality::html(&site, view, now))
}

async fn methods(State(site): State<Site>, headers: HeaderMap) -> Response {
    match pages::methods::html(&site) {
        Ok(html) => validated(&headers, "text/html; charset=utf-8", None, html),
        Err(error) => page_error(&site, &error),
    }
}

async fn api_network(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    answer(&site, &headers, &uri, api::network)
}

async fn api_relays(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    // The whole network as CSV takes tens of milliseconds: not on a thread that serves others.
    let work = tokio::task::spawn_blocking(move || answer(&site, &headers, &uri, api::relays));
    work.await.unwrap_or_else(|_| api_error(&RequestError::Internal))
}

async fn api_relay(State(site): State<Site>, headers: HeaderMap, uri: Uri, Path(asked): Path<String>) -> Response {
    let digits = asked.strip_suffix(".csv").unwrap_or(&asked);
    let outlook = site.outlook();
    answer(&site, &headers, &uri, |view, params, form| {
        let relay_idx = digits.parse().ok().and_then(|fingerprint| view.relay_idx(&fingerprint));
        let relay_idx = relay_idx.ok_or_else(|| RequestError::NoSuchRelay(digits.chars().take(60).collect()))?;
        api::relay(view, &outlook, params, relay_idx, form)
    })
}

async fn api_incidents(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    answer(&site, &headers, &uri, |view, params, form| {
        let log = site.incidents().ok_or(RequestError::NoIncidentsYet)?;
        api::incidents(view, &log, params, form)
    })
}

async fn api_incident(State(site): State<Site>, headers: HeaderMap, uri: Uri, Path(asked): Path<String>) -> Response {
    let id = asked.strip_suffix(".csv").unwrap_or(&asked);
    answer(&site, &headers, &uri, |view, params, form| {
        let log = site.incidents().ok_or(RequestError::NoIncidentsYet)?;
        api::incident(view, &log, id, params, form)
    })
}

async fn api_data_quality(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    answer(&site, &headers, &uri, |view, params, form| api::data_quality(&site, view, params, form))
}

async fn robots() -> impl IntoResponse {
    // Lists in every order are the same relays again and again.
    let text = "User-agent: *\nDisallow: /relays?\nDisallow: /api/\n";
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=86400")], text)
}

async fn named_asset(State(site): State<Site>, headers: HeaderMap, uri: Uri) -> Response {
    asset(uri.path(), &headers).unwrap_or_else(|| page_error(&site, &RequestError::NoSuchPage))
}

async fn no_such_page(State(site): State<Site>, uri: Uri) -> Response {
    error_for(&site, &uri, &RequestError::NoSuchPage)
}

async fn method_not_allowed(State(site): State<Site>, uri: Uri) -> Response {
    let mut response = error_for(&site, &uri, &RequestError::MethodNotAllowed);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

/// A page made from the newest view.
fn page(site: &Site, headers: &HeaderMap, make: impl FnOnce(&View, Timestamp) -> Result<String, RequestError>) -> Response {
    let Some(view) = site.view() else { return page_error(site, &RequestError::NoDataYet(site.waiting_for())) };
    match make(&view, site.now()) {
        Ok(html) => {
            // Text from the network is escaped, so this can only be our own element.
            let has_script = html.contains("<script ");
            let mut response = validated(headers, "text/html; charset=utf-8", Some(view.modified()), html);
            if has_script {
                response.extensions_mut().insert(HasScript);
            }
            response
        }
        Err(error) => page_error(site, &error),
    }
}

/// The same where making it may take long when nobody asked for it before: on a thread that serves nobody else.
async fn slow_page(
    site: Site,
    headers: HeaderMap,
    make: impl FnOnce(&Site, &View, Timestamp) -> Result<String, RequestError> + Send + 'static,
) -> Response {
    let work = tokio::task::spawn_blocking({
        let site = site.clone();
        move || page(&site, &headers, |view, now| make(&site, view, now))
    });
    work.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a page could not be made");
        page_error(&site, &RequestError::Internal)
    })
}

/// Marks the answer of a page that loads our script.
#[derive(Clone, Copy)]
struct HasScript;

/// An answer of the API made from the newest view.
fn answer(
    site: &Site,
    headers: &HeaderMap,
    uri: &Uri,
    make: impl FnOnce(&View, &Params, Form) -> Result<String, RequestError>,
) -> Response {
    let Some(view) = site.view() else { return api_error(&RequestError::NoDataYet(site.waiting_for())) };
    let form = form_of(uri, headers);
    let content_type = match form {
        Form::Json => "application/json",
        Form::Csv => "text/csv; charset=utf-8; header=present",
    };
    let made = Params::of(uri).and_then(|params| make(&view, &params, form));
    let mut response = made.map_or_else(|error| api_error(&error), |body| validated(headers, content_type, Some(view.modified()), body));
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
    response
}

/// A chart of a page made from the newest view, in the form that `file` (`NAME.png`, `.svg`, `.csv`, `.json`) asks for.
///
/// Pictures take up to some tens of milliseconds: they are made on a thread that serves nobody else, a few at a time.
async fn chart_answer(
    site: &Site,
    headers: &HeaderMap,
    uri: &Uri,
    file: &str,
    make: impl FnOnce(&View, &Params, &str) -> Result<Chart, RequestError> + Send + 'static,
) -> Response {
    let Some(view) = site.view() else { return page_error(site, &RequestError::NoDataYet(site.waiting_for())) };
    let Some((name, extension)) = file.rsplit_once('.').map(|(name, extension)| (name.to_owned(), extension.to_owned())) else {
        return page_error(site, &RequestError::NoSuchPage);
    };
    let params = match Params::of(uri) {
        Ok(params) => params,
        Err(error) => return page_error(site, &error),
    };
    let Ok(_permit) = PICTURES.acquire().await else { return page_error(site, &RequestError::Internal) };
    let modified = view.modified();
    let work = tokio::task::spawn_blocking(move || {
        let look = Look::of(&params)?;
        let chart = make(&view, &params.without(&Look::NAMES), &name)?;
        Ok(match extension.as_str() {
            "png" => ("image/png", chart.png(look)?),
            "svg" => ("image/svg+xml", chart.svg(look).into_bytes()),
            "csv" => ("text/csv; charset=utf-8; header=present", chart.csv()?.into_bytes()),
            "json" => ("application/json", chart.json()?.into_bytes()),
            _ => return Err(RequestError::NoSuchPage),
        })
    });
    match work.await.unwrap_or(Err(RequestError::Internal)) {
        Ok((content_type, bytes)) => validated(headers, content_type, Some(modified), bytes),
        Err(error) => page_error(site, &error),
    }
}

/// How many charts are drawn at the same time; further requests wait.
static PICTURES: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(4);

/// CSV by the ending of the path or by what the client accepts; JSON otherwise.
fn form_of(uri: &Uri, headers: &HeaderMap) -> Form {
    let accepts_csv =
        headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).any(|value| value.contains("text/csv"));
    if uri.path().ends_with(".csv") || accepts_csv { Form::Csv } else { Form::Json }
}

/// The relay that a search names by its whole fingerprint, where nothing else is asked.
fn named_relay(site: &Site, state: &ListState) -> Option<Fingerprint> {
    let fingerprint: Fingerprint = state.query.text.trim().parse().ok()?;
    let plain = state.with(|query| *query = allium_analysis::RelayQuery { text: query.text.clone(), ..Default::default() });
    let is_plain = plain.query == state.query && state.page == 1;
    (is_plain && site.view()?.find(&fingerprint).is_some()).then_some(fingerprint)
}

/// The content with an entity tag made from it; 304 where the client has it.
fn validated(headers: &HeaderMap, content_type: &'static str, modified: Option<Timestamp>, body: impl Into<Vec<u8>>) -> Response {
    let body: Vec<u8> = body.into();
    // Weak, because compression changes the bytes and not what they say.
    let tag = format!("W/\"{:016x}\"", assets::content_hash(&body));
    let modified = modified.map(http_date);
    let is_same = match headers.get(header::IF_NONE_MATCH) {
        Some(tags) => tags.to_str().is_ok_and(|tags| tags.split(',').any(|t| t.trim() == tag)),
        None => modified.is_some() && headers.get(header::IF_MODIFIED_SINCE).and_then(|date| date.to_str().ok()) == modified.as_deref(),
    };
    let mut response = if is_same { StatusCode::NOT_MODIFIED.into_response() } else { body.into_response() };
    let answered = response.headers_mut();
    answered.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    answered.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE_PAGES));
    insert(answered, header::ETAG, &tag);
    if let Some(modified) = modified {
        insert(answered, header::LAST_MODIFIED, &modified);
    }
    response
}

/// The asset at this path; `None` where there is none.
fn asset(path: &str, headers: &HeaderMap) -> Option<Response> {
    let found = assets::find(path, |coding| accepts_coding(headers, coding))?;
    let mut response = ([(header::CONTENT_TYPE, found.media_type), (header::CACHE_CONTROL, CACHE_ASSETS)], found.bytes).into_response();
    if let Some(encoding) = found.encoding {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    Some(response)
}

/// Whether the client names this content coding and does not refuse it (RFC 9110, 12.5.3).
fn accepts_coding(headers: &HeaderMap, coding: &str) -> bool {
    let offers = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    offers.map(|offer| offer.split_once(';').unwrap_or((offer, ""))).any(|(name, weight)| {
        let refused = weight.trim().strip_prefix("q=").and_then(|q| q.parse().ok()) == Some(0.0);
        name.trim().eq_ignore_ascii_case(coding) && !refused
    })
}

fn redirect(status: StatusCode, to: &str) -> Response {
    let mut response = status.into_response();
    insert(response.headers_mut(), header::LOCATION, to);
    response
}

fn error_for(site: &Site, uri: &Uri, error: &RequestError) -> Response {
    if uri.path().starts_with("/api/") { api_error(error) } else { page_error(site, error) }
}

fn page_error(site: &Site, error: &RequestError) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (error.status(), headers, pages::error::html(site, error)).into_response()
}

fn api_error(error: &RequestError) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (error.status(), headers, api::error_json(error)).into_response()
}

fn after_panic(site: &Site, panic: &(dyn Any + Send)) -> Response {
    let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    tracing::error!(panic = said.unwrap_or_default(), "a page could not be made");
    page_error(site, &RequestError::Internal)
}

/// Refuses oversized addresses before anything looks at them, and adds what every answer carries.
async fn guard(State(site): State<Site>, request: Request, next: Next) -> Response {
    let uri = request.uri().clone();
    let is_too_long = uri.path_and_query().is_some_and(|address| address.as_str().len() > LONGEST_ADDRESS);
    let mut response = if is_too_long { error_for(&site, &uri, &RequestError::TooLong) } else { next.run(request).await };
    carry(&site, &uri, &mut response);
    response
}

fn carry(site: &Site, uri: &Uri, response: &mut Response<Body>) {
    let is_api = uri.path().starts_with("/api/");
    let is_html = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let has_script = response.extensions().get::<HasScript>().is_some();
    let headers = response.headers_mut();
    let always = [
        (header::CONTENT_SECURITY_POLICY, if has_script { CONTENT_SECURITY_POLICY_CHARTS } else { CONTENT_SECURITY_POLICY }),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), if is_api { "cross-origin" } else { "same-origin" }),
        (HeaderName::from_static("permissions-policy"), "browsing-topics=(), camera=(), geolocation=(), microphone=()"),
    ];
    for (name, value) in always {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_api {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    if let Some(onion) = site.info().onion.as_deref().filter(|_| is_html) {
        let address = uri.path_and_query().map_or("/", |address| address.as_str());
        insert(headers, HeaderName::from_static("onion-location"), &format!("{}{address}", onion.trim_end_matches('/')));
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// `Sun, 15 Feb 2026 18:00:00 GMT`
fn http_date(instant: Timestamp) -> String {
    instant.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
