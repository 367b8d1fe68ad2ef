//! A server on loopback with a scripted answer for each path.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, StatusCode};

/// A scripted answer.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// This body, named as compressed so.
    Body(Vec<u8>, Option<&'static str>),
    /// This status and no body.
    Status(u16),
    /// Not modified if asked with a condition, else this body.
    UnlessModified(Vec<u8>),
    /// No answer for this long.
    Silence(Duration),
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
}

#[derive(Clone, Default)]
struct Shared {
    replies: Arc<Mutex<HashMap<String, Reply>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// A running server.
pub(crate) struct Server {
    pub(crate) url: String,
    shared: Shared,
}

impl Server {
    pub(crate) async fn start<const N: usize>(replies: [(&str, Reply); N]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Shared::default();
        let router = Router::new().fallback(answer).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let server = Self { url, shared };
        replies.into_iter().for_each(|(path, reply)| server.set(path, reply));
        server
    }

    pub(crate) fn set(&self, path: &str, reply: Reply) {
        self.shared.replies.lock().unwrap().insert(path.to_owned(), reply);
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    pub(crate) fn asked_paths(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.path).collect()
    }
}

async fn answer(State(shared): State<Shared>, request: Request) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let is_conditional = request.headers().contains_key("if-modified-since");
    shared.asked.lock().unwrap().push(Asked { path: path.clone(), headers: request.headers().clone() });
    let reply = shared.replies.lock().unwrap().get(&path).cloned().unwrap_or(Reply::Status(404));
    let (status, encoding, body) = match reply {
        Reply::Body(body, encoding) => (200, encoding, body),
        Reply::Status(status) => (status, None, Vec::new()),
        Reply::UnlessModified(_) if is_conditional => (304, None, Vec::new()),
        Reply::UnlessModified(body) => (200, None, body),
        Reply::Silence(duration) => {
            tokio::time::sleep(duration).await;
            (200, None, Vec::new())
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    if let Some(encoding) = encoding {
        response.headers_mut().insert("content-encoding", encoding.parse().unwrap());
    }
    response
}
