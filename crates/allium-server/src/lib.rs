//! The pages of Allium over HTTP.
//!
//! Input: requests, and a [`Site`] with what is shown. Output: responses. Each request becomes a [`Route`], whose answer `allium-views`
//! makes; here it gets what belongs to HTTP: a strict content security policy, validators, compression, the stream of changes, and the
//! notes that holders of tokens send. What pages show is deliberately unknown here.
//!
//! Only GET and HEAD are answered, but for [`notes`]. Nothing of a visitor is kept or logged.
//!
//! ```
//! use std::sync::Arc;
//! use allium_server::router;
//! use allium_views::{Site, SiteInfo};
//! let clock = Arc::new(|| "2026-02-15T19:00:00Z".parse().unwrap());
//! let site = Site::new(SiteInfo { version: "0.1.0".to_owned(), ..SiteInfo::default() }, clock);
//! let app = router(site.clone());
//! // Later, for each consensus: site.set_view(View::new(record, report));
//! # let _: axum::Router = app;
//! ```

mod accept;
mod guard;
mod health;
mod metrics;
mod notes;
mod response;
mod stream;

use std::any::Any;

use allium_views::route::{Cost, Service};
use allium_views::{Answer, Asked, Parsed, RequestError, Route, Site, render, render_moved};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::header::{self, HeaderMap};
use axum::http::request::Parts;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use self::accept::accepts;
use self::response::{response, with};

/// How many pictures are drawn at the same time; further requests wait.
static PICTURES: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(4);

/// All pages, the API, the assets, and what only a running server answers.
pub fn router(site: Site) -> Router {
    let panicking = site.clone();
    Router::new()
        .fallback(respond)
        .layer(CatchPanicLayer::custom(move |panic: Box<dyn Any + Send>| after_panic(&panicking, &*panic)))
        .layer(from_fn_with_state(site.clone(), guard::guard))
        .layer(CompressionLayer::new())
        .with_state(site)
}

async fn respond(State(site): State<Site>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let for_programs = is_for_programs(parts.uri.path());
    match Route::parse(parts.uri.path()) {
        Err(error) => refused(&site, &error, for_programs),
        Ok(Parsed::Route(Route::Service(Service::Note { incident, by }))) if parts.method == Method::POST => {
            notes::respond(&site, &incident, by, &parts.headers, body).await
        }
        Ok(Parsed::Route(Route::Service(Service::Note { .. }))) => not_allowed(&site, for_programs),
        Ok(_) if !matches!(parts.method, Method::GET | Method::HEAD) => not_allowed(&site, for_programs),
        Ok(Parsed::Route(Route::Service(Service::Changes))) => stream::respond(site, &parts),
        Ok(Parsed::Route(Route::Service(Service::Health))) => response(health::answer(&site), &parts.headers),
        Ok(Parsed::Route(Route::Service(Service::Metrics))) => response(metrics::answer(&site), &parts.headers),
        Ok(parsed) => shown(site, parsed, parts).await,
    }
}

/// What the pages answer: on a thread that serves others where it is made quickly, else on one of its own.
async fn shown(site: Site, parsed: Parsed, parts: Parts) -> Response {
    let (cost, is_data) = match &parsed {
        Parsed::Route(route) => (route.cost(), route.is_for_programs()),
        Parsed::Moved(_) => (Cost::Light, false),
    };
    if cost == Cost::Light {
        return response(answer(&site, parsed, &parts), &parts.headers);
    }
    // Nobody closes it.
    let _permit = if cost == Cost::Picture { PICTURES.acquire().await.ok() } else { None };
    let headers = parts.headers.clone();
    let work = tokio::task::spawn_blocking({
        let site = site.clone();
        move || answer(&site, parsed, &parts)
    });
    match work.await {
        Ok(answer) => response(answer, &headers),
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            refused(&site, &RequestError::Internal, is_data)
        }
    }
}

fn answer(site: &Site, parsed: Parsed, parts: &Parts) -> Answer {
    let takes = |coding: &str| accepts(&parts.headers, &header::ACCEPT_ENCODING, coding);
    let asked = Asked { query: parts.uri.query().unwrap_or_default(), base: &base(site, &parts.headers), takes: &takes };
    match parsed {
        Parsed::Route(route) if accepts(&parts.headers, &header::ACCEPT, "text/csv") => render(site, site.now(), &route.as_csv(), &asked),
        Parsed::Route(route) => render(site, site.now(), &route, &asked),
        Parsed::Moved(page) => render_moved(site, site.now(), &page, &asked),
    }
}

/// What our addresses start with: as configured, else as the client calls us.
fn base(site: &Site, headers: &HeaderMap) -> String {
    if let Some(address) = &site.info().address {
        return address.trim_end_matches('/').to_owned();
    }
    let is_host = |host: &&str| host.len() <= 255 && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".:-[]".contains(&b));
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).filter(is_host);
    host.map_or_else(String::new, |host| format!("http://{host}"))
}

/// Whether programs ask at this path, so that errors are JSON and other sites may read the answer.
fn is_for_programs(path: &str) -> bool {
    path.starts_with("/api/")
}

/// An error, in the form that who asked can read.
fn refused(site: &Site, error: &RequestError, for_programs: bool) -> Response {
    let answer = if for_programs { Answer::error_json(error) } else { Answer::error_page(site, error) };
    response(answer, &HeaderMap::new())
}

fn not_allowed(site: &Site, for_programs: bool) -> Response {
    with(refused(site, &RequestError::MethodNotAllowed, for_programs), header::ALLOW, "GET, HEAD")
}

fn after_panic(site: &Site, panic: &(dyn Any + Send)) -> Response {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    tracing::error!(panic = text.unwrap_or_default(), "a page could not be made");
    refused(site, &RequestError::Internal, false)
}
