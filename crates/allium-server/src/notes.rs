//! The only addresses that take something: what holders of tokens say about incidents.
//!
//! A program sends JSON with its token in `Authorization: Bearer`; a person types the token into the form of the incident's page.
//! There is no cookie and nothing else that a browser would send by itself, so no other page can make a visitor write.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Deserialize;
use std::time::Duration;

use super::{api_error, page_error, redirect};
use crate::api;
use crate::desk::Said;
use crate::error::RequestError;
use crate::params::Params;
use crate::site::Site;

/// The largest body that is read, in bytes: the longest text in the widest encoding of a form.
const LARGEST_BODY: usize = 32 * 1_024;

/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest token that is looked at, in bytes.
const LONGEST_TOKEN: usize = 200;

/// How many notes are taken down at the same time; further ones wait.
static WRITERS: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(2);

pub(super) fn routes() -> Router<Site> {
    let of = |action: &'static str| post(move |site, id, headers, request| write_json(site, id, headers, request, action));
    Router::new()
        .route("/api/v1/incidents/{id}/acknowledge", of("acknowledge"))
        .route("/api/v1/incidents/{id}/annotations", of("annotate"))
        .route("/api/v1/incidents/{id}/merge", of("merge"))
        .route("/incident/{id}/notes", post(write_form))
}

/// The body of a request to the API.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct NoteBody {
    text: String,
    into: Option<String>,
}

async fn write_json(
    State(site): State<Site>,
    Path(id): Path<String>,
    headers: HeaderMap,
    request: Request,
    action: &'static str,
) -> Response {
    match json_written(&site, &id, &headers, request.into_body(), action).await {
        Ok(json) => {
            (StatusCode::CREATED, [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], json).into_response()
        }
        Err(error) => {
            let is_token = error == RequestError::WrongToken;
            let mut response = api_error(&error);
            if is_token {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            response
        }
    }
}

async fn json_written(site: &Site, id: &str, headers: &HeaderMap, body: Body, action: &str) -> Result<String, RequestError> {
    let token = bearer(headers).ok_or(RequestError::WrongToken)?;
    let bytes = read(body).await?;
    let said: NoteBody = if bytes.is_empty() {
        NoteBody::default()
    } else {
        serde_json::from_slice(&bytes)
            .map_err(|_| RequestError::BadBody("expected a JSON object with text, and into for a merge".to_owned()))?
    };
    write(site, token, id, action, &said.text, said.into.as_deref()).await?;
    let (view, log) = site.view().zip(site.incidents()).ok_or(RequestError::NoIncidentsYet)?;
    api::incident(&view, &log, id, &Params::default(), api::Form::Json)
}

async fn write_form(State(site): State<Site>, Path(id): Path<String>, request: Request) -> Response {
    match form_written(&site, &id, request.into_body()).await {
        Ok(()) => redirect(StatusCode::SEE_OTHER, &format!("/incident/{}#seen", crate::text::url_encoded(&id))),
        Err(error) => page_error(&site, &error),
    }
}

async fn form_written(site: &Site, id: &str, body: Body) -> Result<(), RequestError> {
    let bytes = read(body).await?;
    let bad = || RequestError::BadBody("expected the fields of the form".to_owned());
    let pairs = String::from_utf8(bytes).map_err(|_| bad())?;
    // A form is sent in the same encoding as a query.
    let uri: Uri = format!("/?{pairs}").parse().map_err(|_| bad())?;
    let axum::extract::Query(pairs) = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&uri).map_err(|_| bad())?;
    let field = |name: &str| pairs.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str());
    let into = field("into");
    let into = (field("action") == "merge" || !into.trim().is_empty()).then_some(into);
    write(site, field("token").trim(), id, field("action"), field("text"), into).await
}

/// Checks what is said, has it taken down, and shows it.
async fn write(site: &Site, token: &str, id: &str, action: &str, text: &str, into: Option<&str>) -> Result<(), RequestError> {
    if token.is_empty() || token.len() > LONGEST_TOKEN {
        return Err(RequestError::WrongToken);
    }
    let Ok(_permit) = WRITERS.acquire().await else { return Err(RequestError::Internal) };
    let log = site.incidents().ok_or(RequestError::NoIncidentsYet)?;
    let said = Said::of(&log, id, action, text, into)?;
    let desk = site.desk().ok_or(RequestError::MethodNotAllowed)?;
    let token = token.to_owned();
    let work = tokio::task::spawn_blocking(move || desk.take_down(&token, said));
    let notes = work.await.map_err(|_| RequestError::Internal)??;
    site.set_notes(&notes);
    Ok(())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

async fn read(body: Body) -> Result<Vec<u8>, RequestError> {
    match tokio::time::timeout(PATIENCE, to_bytes(body, LARGEST_BODY)).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(_)) => Err(RequestError::BodyTooLarge),
        Err(_) => Err(RequestError::BadBody("the body did not arrive in time".to_owned())),
    }
}
