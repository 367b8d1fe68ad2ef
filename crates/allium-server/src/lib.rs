//! The pages of Allium over HTTP.
//!
//! Input: requests, and a [`Site`] with the newest snapshot. Output: responses. Each request becomes a [`Route`], whose answer
//! `allium-views` makes; here it gets what belongs to HTTP: a strict content security policy, validators, compression, the stream of
//! changes, and the notes that holders of tokens send. What pages show is deliberately unknown here.
//!
//! Only GET and HEAD are answered, but for notes about incidents. Nothing of a visitor is kept or logged.
//!
//! ```
//! use std::sync::Arc;
//! use allium_server::router;
//! use allium_service::{Site, SiteInfo};
//! let site = Site::new(SiteInfo::default(), Arc::new(|| "2026-02-15T19:00:00Z".parse().unwrap()));
//! let app: axum::Router = router(site.clone());
//! // Workers publish to the site whatever is to be shown next.
//! ```

mod accept;
mod doors;
mod guard;
mod health;
mod metrics;
mod notes;
mod outside;
mod proxies;
mod response;
mod stream;

use std::any::Any;
use std::future::Future;
use std::io;
use std::sync::Arc;

use allium_model::Timestamp;
use allium_service::{Site, Snapshot};
use allium_views::route::{Cost, Service};
use allium_views::{Answer, Asked, Parsed, RequestError, Route, render, render_moved};
use axum::Router;
use axum::extract::connect_info::Connected;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::header::{self, HeaderMap};
use axum::http::request::Parts;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::serve::IncomingStream;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Semaphore;
use tokio::sync::watch::Sender;
use tokio::task::JoinSet;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use self::accept::{accepts, prefers};
pub use self::doors::{Door, Listen, ListenError, SocketFile};
use self::outside::Outside;
pub use self::proxies::{Peer, Proxies, Proxy, ProxyError};
use self::response::{response, with};

/// Number of pictures that are drawn at the same time; further requests wait.
static PICTURES: Semaphore = Semaphore::const_new(4);

/// Number of clients that may listen to changes at a time.
const MAX_LISTENERS: usize = 64;

/// A server of a site. Cheap to clone, shared by all requests.
#[derive(Clone)]
pub struct Server {
    site: Site,
    listeners: Arc<Semaphore>,
    proxies: Arc<Proxies>,
    /// True once the server stops.
    closing: Sender<bool>,
}

impl Server {
    /// A server of what the site shows.
    pub fn new(site: Site) -> Self {
        let listeners = Arc::new(Semaphore::new(MAX_LISTENERS));
        Self { site, listeners, proxies: Arc::default(), closing: Sender::new(false) }
    }

    /// The same server, which believes these proxies instead of those on this machine.
    #[must_use]
    pub fn trusting(self, proxies: Proxies) -> Self {
        Self { proxies: Arc::new(proxies), ..self }
    }

    /// All pages, the API, the assets, and what only a running server answers.
    pub fn router(&self) -> Router {
        let site = self.site.clone();
        Router::new()
            .fallback(respond)
            .layer(CatchPanicLayer::custom(move |panic: Box<dyn Any + Send>| after_panic(&site.snapshot(), &*panic)))
            .layer(from_fn_with_state(self.clone(), guard::guard))
            .layer(CompressionLayer::new())
            .with_state(self.clone())
    }

    /// Ends all streams of changes: the server stops.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Serves at all doors until `stop` completes. After that no connection is accepted, streams end, and requests under way are answered.
    ///
    /// # Errors
    /// A listener fails.
    pub async fn serve(self, doors: Vec<Door>, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let mut open = JoinSet::new();
        for door in doors {
            open.spawn(self.clone().serve_at(door));
        }
        let first = tokio::select! {
            () = stop => None,
            ended = open.join_next() => ended,
        };
        self.close();
        let rest = open.join_all().await;
        first.map(|ended| ended.unwrap_or_else(|error| Err(io::Error::other(error)))).into_iter().chain(rest).collect()
    }

    /// Serves at a door until the server closes.
    async fn serve_at(self, door: Door) -> io::Result<()> {
        let mut closing = self.closing.subscribe();
        let service = self.router().into_make_service_with_connect_info::<Peer>();
        // The sender lives in the server, so it is not gone before.
        let closed = async move { drop(closing.wait_for(|closing| *closing).await) };
        match door {
            Door::Tcp(listener) => axum::serve(listener, service).with_graceful_shutdown(closed).await,
            Door::Unix(listener, _file) => axum::serve(listener, service).with_graceful_shutdown(closed).await,
        }
    }
}

impl Connected<IncomingStream<'_, TcpListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self::from(*stream.remote_addr())
    }
}

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(_: IncomingStream<'_, UnixListener>) -> Self {
        Self::Unix
    }
}

/// The router of a server that is never closed.
pub fn router(site: Site) -> Router {
    Server::new(site).router()
}

async fn respond(State(server): State<Server>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let (snapshot, now) = (server.site.snapshot(), server.site.now());
    let for_programs = is_for_programs(parts.uri.path());
    match Route::parse(parts.uri.path()) {
        Err(error) => refused(&snapshot, &error, for_programs),
        Ok(Parsed::Route(Route::Service(Service::Note { incident, by }))) if parts.method == Method::POST => {
            notes::respond(&server.site, &incident, by, &parts.headers, body).await
        }
        Ok(parsed @ Parsed::Moved(Route::Service(Service::Note { .. }))) if parts.method == Method::POST => {
            shown(snapshot, now, parsed, parts).await
        }
        Ok(Parsed::Route(Route::Service(Service::Note { .. }))) => not_allowed(&snapshot, for_programs),
        Ok(_) if !matches!(parts.method, Method::GET | Method::HEAD) => not_allowed(&snapshot, for_programs),
        Ok(Parsed::Route(Route::Service(Service::Changes))) => stream::respond(&server, &parts),
        Ok(Parsed::Route(Route::Service(Service::Health))) => {
            response(health::answer(&snapshot, &server.site.workers(), now), &parts.headers)
        }
        Ok(Parsed::Route(Route::Service(Service::Metrics))) => {
            response(metrics::answer(&snapshot, &server.site.workers(), now), &parts.headers)
        }
        Ok(parsed) => shown(snapshot, now, parsed, parts).await,
    }
}

/// Answer of the pages: on a thread that serves others where it is made quickly, else on one of its own.
async fn shown(snapshot: Arc<Snapshot>, now: Timestamp, parsed: Parsed, parts: Parts) -> Response {
    let (cost, for_programs) = match &parsed {
        Parsed::Route(route) => (route.cost(), route.is_for_programs()),
        Parsed::Moved(_) => (Cost::Light, false),
    };
    if cost == Cost::Light {
        return response(answer(&snapshot, now, parsed, &parts), &parts.headers);
    }
    // Nobody closes it.
    let _permit = if cost == Cost::Picture { PICTURES.acquire().await.ok() } else { None };
    let headers = parts.headers.clone();
    let work = tokio::task::spawn_blocking({
        let snapshot = Arc::clone(&snapshot);
        move || answer(&snapshot, now, parsed, &parts)
    });
    match work.await {
        Ok(answer) => response(answer, &headers),
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            refused(&snapshot, &RequestError::Internal, for_programs)
        }
    }
}

fn answer(snapshot: &Snapshot, now: Timestamp, parsed: Parsed, parts: &Parts) -> Answer {
    let takes = |coding: &str| accepts(&parts.headers, &header::ACCEPT_ENCODING, coding);
    let base = parts.extensions.get::<Outside>().map(Outside::base).unwrap_or_default();
    let asked = Asked { query: parts.uri.query().unwrap_or_default(), base: &base, takes: &takes };
    match parsed {
        Parsed::Route(route) if prefers(&parts.headers, &header::ACCEPT, "text/csv", "application/json") => {
            render(snapshot, now, &route.as_csv(), &asked)
        }
        Parsed::Route(route) => render(snapshot, now, &route, &asked),
        Parsed::Moved(route) => render_moved(snapshot, now, &route, &asked),
    }
}

/// True if programs ask at this path, so that errors are JSON and other sites may read the answer.
fn is_for_programs(path: &str) -> bool {
    path.starts_with("/api/")
}

/// An error, in the form that who asked can read.
fn refused(snapshot: &Snapshot, error: &RequestError, for_programs: bool) -> Response {
    let answer = if for_programs { Answer::error_json(error) } else { Answer::error_page(snapshot, error) };
    response(answer, &HeaderMap::new())
}

fn not_allowed(snapshot: &Snapshot, for_programs: bool) -> Response {
    with(refused(snapshot, &RequestError::MethodNotAllowed, for_programs), header::ALLOW, "GET, HEAD")
}

fn after_panic(snapshot: &Snapshot, panic: &(dyn Any + Send)) -> Response {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    tracing::error!(panic = text.unwrap_or_default(), "a page could not be made");
    refused(snapshot, &RequestError::Internal, false)
}
