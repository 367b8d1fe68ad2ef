//! Onionoo's, directory servers' and CollecTor's HTTP service on the loopback interface, for a network that may go on living.
//!
//! `/summary`, `/details`, `/bandwidth`, `/weights`, `/uptime` and `/clients` (always empty) answer `GET` as Onionoo does: conditional
//! requests, `Cache-Control`, gzip for bodies above 2,048 bytes where accepted, parameters, 400 for what it does not
//! understand, 404 elsewhere. A consensus is visible from the network's `now` on. With [`ServeOptions::hour_every`] the network
//! lives on in accelerated time; with [`Faults`] the service misbehaves as scripted.
//!
//! Of the directory protocol there are `/tor/status-vote/current/consensus`, `/tor/status-vote/current/consensus-microdesc` and
//! `/tor/keys/all`, each also with `.z`; of CollecTor `/index/index.json`, the same with `.gz`, and below `/recent/relay-descriptors/`
//! the consensuses of both flavours of the last 72 hours and certificates of each year. `/presence/` has the three files of a pack of the
//! whole history, `/truth.jsonl` what really happened.
//!
//! Limits: Onionoo's `Last-Modified` is 75 minutes after the newest consensus, in the network's time; the orders and searches beyond
//! those listed in [`query`] are answered with 400.

mod answer;
mod faults;
mod files;
mod pack;
pub mod query;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::time::{Instant, MissedTickBehavior};

use crate::Network;
use answer::Documents;
pub use faults::{Fault, Faults};
use files::{Files, Resource};
use pack::Packs;

/// Settings of the server.
#[derive(Debug, Clone, Default)]
pub struct ServeOptions {
    /// Accelerated time: one more consensus after each such duration; `None` for a network that stands still.
    pub hour_every: Option<Duration>,
    /// Faults that wait for requests; a clone adds more while the service runs.
    pub faults: Faults,
}

/// A network that the service and others share.
pub type Handle = Arc<RwLock<Network>>;

/// Serves until the task is dropped.
///
/// # Errors
/// A listener that is not on the loopback interface, or that breaks.
pub async fn serve(network: Handle, listener: TcpListener, options: ServeOptions) -> io::Result<()> {
    refuse_strangers(listener.local_addr()?)?;
    let service = Arc::new(Service {
        documents: Documents::new(network.clone()),
        files: Files::new(network.clone()),
        packs: Packs::new(network.clone()),
        faults: options.faults,
    });
    let router = Router::new().fallback(handle).with_state(service.clone());
    let life = async {
        match options.hour_every {
            Some(hour) => live_on(network, &service.documents, hour).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        served = async { axum::serve(listener, router).await } => served,
        lived = life => lived,
    }
}

/// A simulation must not pass for the real thing: it is for this machine only.
fn refuse_strangers(address: SocketAddr) -> io::Result<()> {
    if address.ip().is_loopback() {
        return Ok(());
    }
    let reason = format!("the simulated network is served on the loopback interface only, not on {address}");
    Err(io::Error::new(io::ErrorKind::PermissionDenied, reason))
}

/// Holds one consensus after the other.
async fn live_on(network: Handle, documents: &Documents, hour: Duration) -> io::Result<()> {
    let mut ticks = tokio::time::interval_at(Instant::now() + hour, hour.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let network = network.clone();
        let lived = tokio::task::spawn_blocking(move || {
            let mut network = network.write().unwrap_or_else(PoisonError::into_inner);
            let before = network.newest();
            network.advance();
            (network.now(), network.newest().filter(|newest| Some(*newest) != before))
        });
        match lived.await.map_err(io::Error::other)? {
            (_, Some(newest)) => {
                documents.published_now();
                tracing::info!(valid_after = %newest, "the simulated network has a new consensus");
            }
            (now, None) => tracing::info!(hour = %now, "the simulated network publishes nothing in this hour"),
        }
    }
}

/// State that requests share.
struct Service {
    documents: Documents,
    files: Files,
    packs: Packs,
    faults: Faults,
}

/// Kind of path.
enum Asked {
    Onionoo(answer::Kind),
    File(Resource),
    Pack(pack::Resource),
}

impl Asked {
    fn of_path(path: &str) -> Option<Self> {
        let file = || Resource::of_path(path).map(Self::File);
        answer::Kind::of_path(path).map(Self::Onionoo).or_else(file).or_else(|| pack::Resource::of_path(path).map(Self::Pack))
    }
}

async fn handle(State(service): State<Arc<Service>>, method: Method, uri: Uri, headers: header::HeaderMap) -> Response {
    let Some(asked) = Asked::of_path(uri.path()) else {
        return error(StatusCode::NOT_FOUND, "no such document");
    };
    if method != Method::GET {
        return error(StatusCode::METHOD_NOT_ALLOWED, "only GET is understood");
    }
    let fault = service.faults.next_for(uri.path());
    if let Some(Fault::Slow(pause)) = &fault {
        tokio::time::sleep(*pause).await;
    }
    let query = uri.query().unwrap_or_default().to_owned();
    let answered = tokio::task::spawn_blocking(move || match (asked, query::Query::parse(&query)) {
        (Asked::File(resource), _) => service.files.answer(resource, &headers, fault.as_ref()),
        (Asked::Pack(resource), _) => service.packs.answer(resource, &headers, fault.as_ref()),
        (Asked::Onionoo(kind), Ok(query)) => service.documents.answer(kind, &query, &headers, fault.as_ref()),
        (Asked::Onionoo(_), Err(reason)) => error(StatusCode::BAD_REQUEST, &reason),
    });
    answered.await.unwrap_or_else(|_| error(StatusCode::INTERNAL_SERVER_ERROR, "the document could not be made"))
}

/// The page that a fault puts in place of any document; `None` where there is a document after all.
pub(crate) fn error_page(fault: &Fault) -> Option<Response> {
    let status = match fault {
        Fault::Status(status) => StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        Fault::Html => StatusCode::OK,
        Fault::Truncated(_) | Fault::Older(_) | Fault::Slow(_) => return None,
    };
    Some(error(status, "the service misbehaves as scripted"))
}

/// An error as servlet containers answer it: a page of HTML.
pub(crate) fn error(status: StatusCode, reason: &str) -> Response {
    let reason = reason.replace('&', "&amp;").replace('<', "&lt;");
    let page = format!(
        "<html>\n<head><title>Error {status}</title></head>\n<body><h2>HTTP ERROR {status}</h2>\n<p>{reason}</p></body>\n</html>\n"
    );
    (status, [(header::CONTENT_TYPE, "text/html;charset=iso-8859-1")], page).into_response()
}
