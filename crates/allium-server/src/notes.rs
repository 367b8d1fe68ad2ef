//! The only addresses that are written to: notes of holders of tokens about incidents.
//!
//! A program sends JSON with its token in `Authorization: Bearer`; a person types the token into the form of the incident's page.
//! There is no cookie and nothing else that a browser would send by itself, so no other page can make a visitor write.

use std::time::Duration;

use allium_service::{NewNote, Patch, StoreError};
use allium_views::route::{Data, Form, NoteBy, Page};
use allium_views::{Answer, Asked, RequestError, Route, render};
use axum::body::{Body, to_bytes};
use axum::extract::Query;
use axum::http::Uri;
use axum::http::header::{self, HeaderMap};
use axum::response::Response;
use serde::Deserialize;

use crate::answers::finished::{response, with};
use crate::{Server, refused};

/// The largest body that is read, in bytes: the longest text in the widest encoding of a form.
const LARGEST_BODY: usize = 32 * 1_024;

/// The time that a body may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest token that is looked at, in bytes.
const LONGEST_TOKEN: usize = 200;

/// Number of notes that are recorded at the same time; further ones wait.
static WRITERS: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(2);

/// Takes a note about an incident, and answers whoever sent it.
pub(crate) async fn respond(server: &Server, incident: &str, by: NoteBy, headers: &HeaderMap, body: Body) -> Response {
    let site = &server.site;
    let taken = match by {
        NoteBy::Form => take_form(server, incident, body).await,
        NoteBy::Json(action) => take_json(server, incident, headers, body, action).await,
    };
    if matches!(taken, Err(RequestError::WrongToken)) {
        server.counts.token_refused();
        server.misuse.note("notes were refused", "the token is not valid");
    }
    match (taken, by) {
        (Ok(answer), _) => response(answer),
        (Err(error), NoteBy::Form) => refused(&site.snapshot(), &error, false),
        (Err(RequestError::WrongToken), NoteBy::Json(_)) => {
            with(refused(&site.snapshot(), &RequestError::WrongToken, true), header::WWW_AUTHENTICATE, "Bearer")
        }
        (Err(error), NoteBy::Json(_)) => refused(&site.snapshot(), &error, true),
    }
}

/// The body of a request to the API.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct NoteBody {
    text: String,
    into: Option<String>,
}

/// Takes the note of a program; the answer is the incident as it stands after it.
async fn take_json(server: &Server, id: &str, headers: &HeaderMap, body: Body, action: &str) -> Result<Answer, RequestError> {
    let token = bearer(headers).ok_or(RequestError::WrongToken)?;
    let bytes = read(body).await?;
    let note = json(&bytes)?;
    write(server, token, id, action, &note.text, note.into.as_deref()).await?;
    let asked = Asked { query: "", base: "", takes: &|_| false };
    let incident = render(&server.site.snapshot(), server.site.now(), &Route::Data(Data::Incident(id.to_owned()), Form::Json), &asked);
    let status = if incident.status == 200 { 201 } else { incident.status };
    Ok(Answer::not_kept(status, Form::Json.media_type(), incident.body))
}

fn json(bytes: &[u8]) -> Result<NoteBody, RequestError> {
    if bytes.is_empty() {
        return Ok(NoteBody::default());
    }
    serde_json::from_slice(bytes).map_err(|_| RequestError::BadBody("expected a JSON object with text, and into for a merge".to_owned()))
}

/// Takes the note of a person; the answer leads back to the page of the incident.
async fn take_form(server: &Server, id: &str, body: Body) -> Result<Answer, RequestError> {
    let bytes = read(body).await?;
    let bad = || RequestError::BadBody("expected the fields of the form".to_owned());
    let pairs = String::from_utf8(bytes).map_err(|_| bad())?;
    // A form is sent in the same encoding as a query.
    let uri: Uri = format!("/?{pairs}").parse().map_err(|_| bad())?;
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&uri).map_err(|_| bad())?;
    let field = |name: &str| pairs.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str());
    let into = field("into");
    let into = (field("action") == "merge" || !into.trim().is_empty()).then_some(into);
    write(server, field("token").trim(), id, field("action"), field("text"), into).await?;
    Ok(Answer::redirect(303, format!("{}#seen", Page::Incident(id.to_owned()).address())))
}

/// Checks a note, has it recorded, and shows it.
async fn write(server: &Server, token: &str, id: &str, action: &str, text: &str, into: Option<&str>) -> Result<(), RequestError> {
    if token.is_empty() || token.len() > LONGEST_TOKEN {
        return Err(RequestError::WrongToken);
    }
    let site = &server.site;
    let Ok(_permit) = WRITERS.acquire().await else { return Err(RequestError::Internal) };
    let snapshot = site.snapshot();
    let log = snapshot.incidents().ok_or(RequestError::NoIncidentsYet)?;
    let note = NewNote::of(log, id, action, text, into)?;
    let store = site.notes().ok_or(RequestError::MethodNotAllowed)?;
    let token = token.to_owned();
    let work = tokio::task::spawn_blocking(move || store.record(&token, note));
    let written = work.await.map_err(|_| RequestError::Internal)?;
    if written == Err(StoreError::Failed) {
        server.counts.note_failed();
    }
    let notes = written?;
    site.publish([Patch::Notes(notes)]);
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
