//! Connections from accept to end: how many there may be, how long each may wait, and what happens when there are too many.
//!
//! A connection without a request under way is worth nothing, so it ends after some seconds, and at once where its place is needed.
//! A client that takes no byte of an answer for some time, or not the whole of it for longer, loses its connection.

pub(crate) mod activity;
pub(crate) mod places;

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, Response, StatusCode, Version, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch::Receiver;
use tokio::sync::{Semaphore, mpsc};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt as _;

use self::activity::Activity;
use self::places::Place;
use crate::client::Client;
use crate::doors::Door;
use crate::proxies::Peer;
use crate::{RequestError, Server};

/// Rest after a failure to accept: descriptors are short, and some will be free soon.
const REST: Duration = Duration::from_millis(50);

/// The answer where there is no place.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 38\r\nConnection: close\r\n\r\nToo many connections. Try again later.";

/// Clients that get this answer at a time; those beyond are dropped without one.
static REFUSALS: Semaphore = Semaphore::const_new(64);

/// Time in which a client that is refused may send its request and take the answer.
const REFUSING: Duration = Duration::from_secs(2);

/// Streams that a client of HTTP/2 may have open at a time.
const MAX_STREAMS: u32 = 64;

/// Most bytes of a request's head, and of what is written ahead of a client.
const BUFFER: usize = 64 << 10;

/// Bytes that the system takes of an answer before any is sent.
const UNSENT: u32 = 128 << 10;

/// Accepts connections at a door until the server closes. `alive` is held by each connection until it ends.
pub(crate) async fn accept(server: Server, door: Door, alive: mpsc::Sender<Infallible>) -> io::Result<()> {
    let router = server.router();
    let mut closing = server.closing.subscribe();
    loop {
        let accepted = tokio::select! {
            accepted = next(&door) => accepted,
            () = closed(&mut closing) => return Ok(()),
        };
        match accepted {
            Ok((stream, peer)) => admit(&server, &router, stream, peer, alive.clone()),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                server.counts.refused("descriptors");
                server.misuse.note("connections could not be accepted", &error.to_string());
                tokio::time::sleep(REST).await;
            }
        }
    }
}

/// A connection of either kind.
enum Stream {
    Tcp(TcpStream),
    Unix(tokio::net::UnixStream),
}

async fn next(door: &Door) -> io::Result<(Stream, Peer)> {
    match door {
        Door::Tcp(listener) => listener.accept().await.map(|(stream, from)| (Stream::Tcp(stream), Peer::from(from))),
        Door::Unix(listener, _file) => listener.accept().await.map(|(stream, _)| (Stream::Unix(stream), Peer::Unix)),
    }
}

/// True if the client went away before it was accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

fn admit(server: &Server, router: &Router, stream: Stream, peer: Peer, alive: mpsc::Sender<Infallible>) {
    let place = server.places.take(Client::of_peer(peer, &server.proxies));
    match (stream, place) {
        (Stream::Tcp(stream), Some(place)) => {
            if let Err(error) = tuned(&stream, server.limits.stalled) {
                tracing::debug!(%error, "a connection could not be tuned");
            }
            tokio::spawn(converse(server.clone(), router.clone(), stream, peer, place, alive));
        }
        (Stream::Unix(stream), Some(place)) => {
            tokio::spawn(converse(server.clone(), router.clone(), stream, peer, place, alive));
        }
        (stream, None) => {
            server.counts.refused("full");
            server.misuse.note("connections were refused", "all places are taken");
            if let Ok(permit) = REFUSALS.try_acquire() {
                tokio::spawn(async move {
                    let _permit = permit;
                    // The client may be gone.
                    let _ = match stream {
                        Stream::Tcp(stream) => tokio::time::timeout(REFUSING, refuse(stream)).await,
                        Stream::Unix(stream) => tokio::time::timeout(REFUSING, refuse(stream)).await,
                    };
                });
            }
        }
    }
}

/// Says that there is no place. What the client sent is read first: unread bytes would take the answer from it.
async fn refuse(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let _n_read = stream.read(&mut [0; 4096]).await?;
    stream.write_all(FULL).await?;
    stream.shutdown().await
}

/// Sends at once, holds little that is not sent, and finds out that the other end is gone.
fn tuned(stream: &TcpStream, stalled: Duration) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_tcp_user_timeout(Some(stalled))?;
    socket.set_tcp_notsent_lowat(UNSENT)?;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(stalled).with_interval(stalled / 3).with_retries(3))
}

/// Answers the requests of one connection until it ends.
async fn converse<S>(server: Server, router: Router, stream: S, peer: Peer, place: Place, _alive: mpsc::Sender<Infallible>)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let limits = server.limits;
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.stalled));
    let activity = Arc::clone(&place.activity);
    let service = service_fn(move |request| answered(router.clone(), Arc::clone(&activity), peer, request));
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(BUFFER);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(limits.stalled).keep_alive_timeout(limits.stalled);
    builder.http2().max_concurrent_streams(MAX_STREAMS).max_send_buf_size(BUFFER).max_header_list_size(BUFFER as u32);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(Box::pin(stream)), service));
    let mut closing = server.closing.subscribe();
    let reason = tokio::select! {
        // Whatever broke a connection is its client's business.
        _ended = connection.as_mut() => return,
        () = place.activity.asked_to_end() => "room",
        reason = place.activity.overdue(&limits) => reason,
        () = closed(&mut closing) => {
            connection.as_mut().graceful_shutdown();
            // It ends by itself as soon as its requests are answered; one that has none is dropped.
            tokio::select! {
                _ended = connection.as_mut() => return,
                _reason = place.activity.overdue(&limits) => return,
                () = without_request(&place.activity) => return,
            }
        }
    };
    server.counts.ended(reason);
}

/// Completes when the server closes.
async fn closed(closing: &mut Receiver<bool>) {
    // The sender lives in the server, so it is not gone before.
    drop(closing.wait_for(|closing| *closing).await);
}

/// Completes when no request is under way.
async fn without_request(activity: &Activity) {
    while activity.idle_since().is_none() {
        tokio::time::sleep(REST).await;
    }
    // The end of the last answer is on its way to the system.
    tokio::time::sleep(REST).await;
}

/// Answers one request; it is under way until the last byte of its answer is taken.
async fn answered(
    router: Router,
    activity: Arc<Activity>,
    peer: Peer,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let under_way = activity.begin();
    if request.version() == Version::HTTP_11 && !names_one_host(request.headers()) {
        return Ok(without_host());
    }
    request.extensions_mut().insert(ConnectInfo(peer));
    request.extensions_mut().insert(under_way.clone());
    // In a box, so that a connection without a request is small.
    let response = Box::pin(router.oneshot(request.map(Body::new))).await?;
    Ok(response.map(|body| Body::new(Held { body, _under_way: under_way })))
}

/// True if there is one header `Host`, whose value can be a host with or without a port, or is empty (RFC 9112, 3.2).
fn names_one_host(headers: &HeaderMap) -> bool {
    let can_be = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:[]".contains(byte);
    let mut hosts = headers.get_all(header::HOST).iter();
    hosts.next().is_some_and(|host| host.as_bytes().iter().all(can_be)) && hosts.next().is_none()
}

/// The answer to a request that names no host, two, or what is none.
fn without_host() -> Response<Body> {
    let mut response = Response::new(Body::from(RequestError::BadHost.to_string()));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// The body of an answer, with its request under way until it is sent.
struct Held {
    body: Body,
    _under_way: activity::Request,
}

impl hyper::body::Body for Held {
    type Data = axum::body::Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        std::pin::Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.body.size_hint()
    }
}
