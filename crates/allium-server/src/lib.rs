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
mod answers;
mod client;
mod connections;
mod counts;
mod doors;
mod guard;
mod health;
mod lanes;
mod limits;
mod memory;
mod metrics;
mod misuse;
mod notes;
mod outside;
mod proxies;
mod stream;

use std::any::Any;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use allium_model::Timestamp;
use allium_service::workers::SharedStore;
use allium_service::{Site, Snapshot};
use allium_views::route::{Cost, Service};
use allium_views::{Answer, Asked, Parsed, RequestError, Route, render, render_moved};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::header::{self, HeaderMap};
use axum::http::request::Parts;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use tokio::sync::mpsc;
use tokio::sync::watch::Sender;
use tokio::task::JoinSet;
use tower_http::catch_panic::CatchPanicLayer;

use self::accept::prefers;
use self::answers::exports::Exports;
use self::answers::finished::{Coding, Finished, response, with};
use self::answers::{Answers, Key, minute};
use self::connections::places::{Places, Shares};
use self::counts::Counts;
pub use self::doors::{Door, Listen, ListenError, SocketFile};
use self::lanes::{Lanes, Shed};
pub use self::limits::Limits;
use self::memory::Memory;
use self::misuse::Misuse;
use self::outside::Outside;
pub use self::proxies::{Peer, Proxies, Proxy, ProxyError};

/// Time for which a busy connection or stream is safe where all places are taken.
const GRACE: Duration = Duration::from_secs(60);

/// Seconds after which a client may ask again for what was shed.
const AGAIN_SECS: &str = "5";

/// A server of a site. Cheap to clone, shared by all requests.
#[derive(Clone)]
pub struct Server {
    site: Site,
    limits: Limits,
    proxies: Arc<Proxies>,
    places: Arc<Places>,
    listeners: Arc<Places>,
    lanes: Arc<Lanes>,
    answers: Arc<Answers>,
    exports: Arc<Exports>,
    memory: Arc<Memory>,
    counts: Arc<Counts>,
    misuse: Arc<Misuse>,
    /// The store, of which `/metrics` has the size and the failures to write.
    store: Option<Arc<SharedStore>>,
    /// True once the server stops.
    closing: Sender<bool>,
}

/// Marks a response with the kind of what was asked for.
#[derive(Debug, Clone, Copy)]
struct Kind(&'static str);

impl Server {
    /// A server of what the site shows.
    pub fn new(site: Site) -> Self {
        Self::within(site, Limits::default())
    }

    /// A server of what the site shows, within other limits.
    pub fn within(site: Site, limits: Limits) -> Self {
        let shares = |total, each| Places::new(Shares { total, each, grace: GRACE });
        Self {
            site,
            limits,
            proxies: Arc::default(),
            places: shares(limits.max_connections, limits.max_connections_per_address),
            listeners: shares(limits.max_listeners, limits.max_listeners_per_address),
            lanes: Arc::default(),
            answers: Arc::new(Answers::new(limits.cache_bytes)),
            exports: Arc::new(Exports::new(limits.exports_bytes)),
            memory: Arc::default(),
            counts: Arc::default(),
            misuse: Arc::default(),
            store: None,
            closing: Sender::new(false),
        }
    }

    /// The same server, which believes these proxies instead of those on this machine.
    #[must_use]
    pub fn trusting(self, proxies: Proxies) -> Self {
        Self { proxies: Arc::new(proxies), ..self }
    }

    /// The same server, whose metrics show this store.
    #[must_use]
    pub fn showing(self, store: Arc<SharedStore>) -> Self {
        Self { store: Some(store), ..self }
    }

    /// All pages, the API, the assets, and what only a running server answers.
    pub fn router(&self) -> Router {
        let site = self.site.clone();
        Router::new()
            .fallback(respond)
            .layer(CatchPanicLayer::custom(move |panic: Box<dyn Any + Send>| after_panic(&site.snapshot(), &*panic)))
            .layer(from_fn_with_state(self.clone(), guard::guard))
            .with_state(self.clone())
    }

    /// Ends all streams of changes, and connections without a request: the server stops.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Serves at all doors until `stop` completes. After that no connection is accepted, streams end, and requests under way are answered.
    ///
    /// # Errors
    /// A listener fails.
    pub async fn serve(self, doors: Vec<Door>, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let (alive, mut gone) = mpsc::channel(1);
        let mut open = JoinSet::new();
        for door in doors {
            open.spawn(connections::accept(self.clone(), door, alive.clone()));
        }
        drop(alive);
        let first = tokio::select! {
            () = stop => None,
            ended = open.join_next() => ended,
        };
        self.close();
        let rest = open.join_all().await;
        // Nothing is ever sent: it ends with the last connection.
        while gone.recv().await.is_some() {}
        first.map(|ended| ended.unwrap_or_else(|error| Err(io::Error::other(error)))).into_iter().chain(rest).collect()
    }
}

/// The router of a server that is never closed.
pub fn router(site: Site) -> Router {
    Server::new(site).router()
}

async fn respond(State(server): State<Server>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let parsed = Route::parse(parts.uri.path());
    let kind = Kind(parsed.as_ref().map_or("none", kind_of));
    let mut response = answered(&server, parsed, parts, body).await;
    response.extensions_mut().insert(kind);
    response
}

async fn answered(server: &Server, parsed: Result<Parsed, RequestError>, parts: Parts, body: axum::body::Body) -> Response {
    let (snapshot, now) = (server.site.snapshot(), server.site.now());
    let for_programs = is_for_programs(parts.uri.path());
    match parsed {
        Err(error) => refused(&snapshot, &error, for_programs),
        Ok(Parsed::Route(Route::Service(Service::Note { incident, by }))) if parts.method == Method::POST => {
            notes::respond(server, &incident, by, &parts.headers, body).await
        }
        Ok(parsed @ Parsed::Moved(Route::Service(Service::Note { .. }))) if parts.method == Method::POST => {
            shown(server, snapshot, now, parsed, parts).await
        }
        Ok(Parsed::Route(Route::Service(Service::Note { .. }))) => only(&snapshot, for_programs, &RequestError::OnlyPost, "POST"),
        Ok(_) if !matches!(parts.method, Method::GET | Method::HEAD) => {
            only(&snapshot, for_programs, &RequestError::MethodNotAllowed, "GET, HEAD")
        }
        Ok(Parsed::Route(Route::Service(Service::Changes))) => stream::respond(server, &parts),
        Ok(Parsed::Route(Route::Service(Service::Health))) => response(health::answer(&snapshot, &server.site.workers(), now)),
        Ok(Parsed::Route(Route::Service(Service::Metrics))) => response(metrics::answer(server, &snapshot, now)),
        Ok(parsed) => shown(server, snapshot, now, parsed, parts).await,
    }
}

/// Answer of the pages: one that is kept, else one that its lane makes.
async fn shown(server: &Server, snapshot: Arc<Snapshot>, now: Timestamp, parsed: Parsed, parts: Parts) -> Response {
    let parsed = match parsed {
        Parsed::Route(route) if as_csv(&parts.headers) => Parsed::Route(route.as_csv()),
        parsed => parsed,
    };
    let (cost, for_programs) = match &parsed {
        Parsed::Route(route) => (route.cost(), route.is_for_programs()),
        Parsed::Moved(_) => (Cost::Light, false),
    };
    let outside = parts.extensions.get::<Outside>().cloned().unwrap_or_default();
    let key = key(&snapshot, now, &parsed, &parts, &outside);
    let (method, headers) = (parts.method.clone(), parts.headers.clone());
    // A date of modification that lies ahead is left out, so such an answer is not the one of a second later.
    let may_be_kept = snapshot.modified() <= now;
    let made = {
        let (snapshot, exports, coding) = (Arc::clone(&snapshot), Arc::clone(&server.exports), key.coding);
        let make = move || {
            let mut finished = Finished::complete(answer(&snapshot, now, parsed, &parts, &outside), outside.path(), coding, &exports)?;
            finished.may_be_kept &= may_be_kept;
            Ok(finished)
        };
        async move { server.lanes.run(cost, make).await? }
    };
    match server.answers.get(key, made).await {
        Ok(found) => {
            server.counts.kept(found.result);
            server.watch_memory();
            found.finished.response(&method, &headers)
        }
        Err(Shed) => {
            server.counts.shed(lanes::name(cost));
            server.misuse.note("requests were shed", lanes::name(cost));
            with(refused(&snapshot, &RequestError::Busy, for_programs), header::RETRY_AFTER, AGAIN_SECS)
        }
    }
}

impl Server {
    /// Gives up the answers that are kept where the memory is over its budget.
    fn watch_memory(&self) {
        let is_over = self.memory.resident().is_some_and(|resident| resident > self.limits.memory_bytes);
        if is_over && self.misuse.note("the memory is over its budget", "serve.memory_mb") {
            self.answers.clear();
        }
    }
}

/// Everything that an answer depends on.
fn key(snapshot: &Snapshot, now: Timestamp, parsed: &Parsed, parts: &Parts, outside: &Outside) -> Key {
    let names_the_service = matches!(parsed, Parsed::Route(Route::Feed(_)));
    Key {
        generation: snapshot.generation(),
        minute: minute(now),
        address: parts.uri.path_and_query().map_or("/", |address| address.as_str()).into(),
        as_csv: as_csv(&parts.headers),
        base: if names_the_service { outside.base().into() } else { Box::default() },
        path: outside.path().into(),
        coding: Coding::of(&parts.headers),
    }
}

fn as_csv(headers: &HeaderMap) -> bool {
    prefers(headers, &header::ACCEPT, "text/csv", "application/json")
}

fn answer(snapshot: &Snapshot, now: Timestamp, parsed: Parsed, parts: &Parts, outside: &Outside) -> Answer {
    let takes = |coding: &str| accept::accepts(&parts.headers, &header::ACCEPT_ENCODING, coding);
    let base = outside.base();
    let asked = Asked { query: parts.uri.query().unwrap_or_default(), base: &base, takes: &takes };
    match parsed {
        Parsed::Route(route) => render(snapshot, now, &route, &asked),
        Parsed::Moved(route) => render_moved(snapshot, now, &route, &asked),
    }
}

/// The kind of what was asked for, as metrics name it.
const fn kind_of(parsed: &Parsed) -> &'static str {
    match parsed {
        Parsed::Moved(_) => "redirect",
        Parsed::Route(Route::Page(_)) => "page",
        Parsed::Route(Route::Chart(..)) => "chart",
        Parsed::Route(Route::Data(..) | Route::IncidentLines) => "data",
        Parsed::Route(Route::Feed(_) | Route::Calendar(_)) => "feed",
        Parsed::Route(Route::Asset(_) | Route::Icon | Route::Robots) => "asset",
        Parsed::Route(Route::Service(Service::Changes)) => "stream",
        Parsed::Route(Route::Service(Service::Note { .. })) => "note",
        Parsed::Route(Route::Service(_)) => "probe",
    }
}

/// True if programs ask at this path, so that errors are JSON and other sites may read the answer.
fn is_for_programs(path: &str) -> bool {
    path.starts_with("/api/")
}

/// An error, in the form that who asked can read.
fn refused(snapshot: &Snapshot, error: &RequestError, for_programs: bool) -> Response {
    let answer = if for_programs { Answer::error_json(error) } else { Answer::error_page(snapshot, error) };
    response(answer)
}

/// The refusal of a method, with those that are allowed.
fn only(snapshot: &Snapshot, for_programs: bool, error: &RequestError, allowed: &str) -> Response {
    with(refused(snapshot, error, for_programs), header::ALLOW, allowed)
}

fn after_panic(snapshot: &Snapshot, panic: &(dyn Any + Send)) -> Response {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    tracing::error!(panic = text.unwrap_or_default(), "a page could not be made");
    refused(snapshot, &RequestError::Internal, false)
}
