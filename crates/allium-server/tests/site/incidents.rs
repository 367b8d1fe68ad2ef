//! Incidents for those who follow them: filters, feeds, lines, the stream, and what holders of tokens say.

use std::sync::{Arc, Mutex};

use allium_detect::{Event, Incident, Status};
use allium_model::{IncidentNote, NoteAction};
use allium_server::{Limits, Peer, Server, router};
use allium_service::{IncidentLog, NewNote, NoteStore, Patch, Site, StoreError};
use atom_syndication::Feed;
use axum::body::{Body, BodyDataStream, to_bytes};
use axum::http::{Request, StatusCode};
use futures_util::StreamExt as _;
use tower::ServiceExt as _;

use crate::snapshots::pin_page;
use crate::support::{Answer, HOSTILE, as_of, get, log_of, record, site_of};

const OPEN: &str = "00000000000000a1";
const OVER: &str = "00000000000000a2";

pub(crate) fn site() -> Site {
    site_of(record(30))
}

fn ids(site: &Site, query: &str) -> Vec<String> {
    let answer = get(site, &format!("/api/v1/incidents.jsonl{query}"));
    assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.text());
    let line = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
    answer.text().lines().map(line).collect()
}

#[test]
fn every_filter_leaves_the_incidents_that_fit_in_every_form() {
    let site = site();
    let relay = record(30).relays[0].relay.fingerprint;
    let other = record(30).relays[20].relay.fingerprint;
    for (query, expected) in [
        ("", "a2 a1 a3"),
        ("?status=open", "a1 a3"),
        ("?status=resolved", "a2"),
        ("?kind=flag_loss", "a3"),
        ("?scope=as", "a1"),
        ("?severity=critical", ""),
        ("?since=2026-02-15", "a1 a3"),
        ("?since=2026-02-15T16:00:01Z", ""),
        (&format!("?relay={relay}"), "a2 a1 a3"),
        (&format!("?relay={other}"), ""),
        ("?as=AS24940&status=open", "a1 a3"),
        ("?country=de&kind=outage", "a2 a1"),
    ] {
        let expected: Vec<String> = expected.split_whitespace().map(|id| format!("00000000000000{id}")).collect();
        assert_eq!(ids(&site, query), expected, "{query}");
        let page = get(&site, &format!("/incidents{query}"));
        assert_eq!(page.status, StatusCode::OK, "{query}");
        let table = page.text().split("<h2 id=\"all\">").nth(1).unwrap().to_owned();
        let linked = ["a1", "a2", "a3"].iter().filter(|id| table.contains(&format!("/incident/00000000000000{id}"))).count();
        assert_eq!(linked, expected.len(), "{query}");
        assert_eq!(atom(&site, query).entries.len(), expected.len(), "{query}");
    }
    for query in ["?since=yesterday", "?as=x", "?country=atlantis", "?relay=nobody", "?status=broken", "?colour=red"] {
        for path in ["/incidents", "/incidents.atom", "/incidents.rss", "/api/v1/incidents", "/api/v1/incidents.jsonl"] {
            assert_eq!(get(&site, &format!("{path}{query}")).status, StatusCode::BAD_REQUEST, "{path}{query}");
        }
    }
}

fn atom(site: &Site, query: &str) -> Feed {
    let answer = get(site, &format!("/incidents.atom{query}"));
    assert_eq!(answer.header("content-type"), "application/atom+xml; charset=utf-8");
    answer.text().parse().unwrap()
}

#[test]
fn feeds_have_stable_ids_the_time_of_the_last_change_and_nothing_active() {
    let site = site();
    let feed = atom(&site, "");
    assert_eq!(feed.updated.to_rfc3339(), "2026-02-15T17:00:00+00:00");
    let titles: Vec<&str> = feed.entries.iter().map(|entry| entry.title.value.as_str()).collect();
    assert_eq!(titles[0], "4 relays in AS24940 (Example Hosting) left together");
    let ids: Vec<&str> = feed.entries.iter().map(|entry| entry.id.as_str()).collect();
    assert_eq!(ids[0], "urn:uuid:616c6c69-0000-8010-8000-756d000000a1", "the same for ever");
    let over = feed.entries.iter().find(|entry| entry.links[0].href.ends_with(OVER)).unwrap();
    assert_eq!(
        (over.published.unwrap().to_rfc3339(), over.updated.to_rfc3339()),
        ("2026-02-11T19:00:00+00:00".to_owned(), "2026-02-15T17:00:00+00:00".to_owned())
    );
    let shown = format!("{} {}", over.title.value, over.content.as_ref().unwrap().value.as_ref().unwrap());
    assert!(shown.contains("<b>&\"'[U+202E][U+0000][U+000B]]]>[U+000D][U+000A]=1+1[U+FFFF]"), "{shown}");
    assert_eq!(over.title.r#type, atom_syndication::TextType::Text);
    assert_eq!(atom(&site, "?kind=outage").id, atom(&site, "?kind=outage").id);
    assert_ne!(atom(&site, "?kind=outage").id, feed.id);

    let answer = get(&site, "/incidents.rss");
    assert_eq!(answer.header("content-type"), "application/rss+xml; charset=utf-8");
    let channel = rss::Channel::read_from(answer.bytes.as_slice()).unwrap();
    assert_eq!(channel.items.len(), 3);
    let item = channel.items.iter().find(|item| item.link().unwrap().ends_with(OVER)).unwrap();
    assert!(item.title().unwrap().contains("&lt;b&gt;&amp;"), "text for those who take it for HTML: {item:?}");
    assert_eq!((item.pub_date().unwrap(), item.guid().unwrap().permalink), ("Wed, 11 Feb 2026 19:00:00 +0000", false));
    assert_eq!(item.guid().unwrap().value, over.id);
    assert!(!answer.text().contains(HOSTILE) && !answer.text().contains('\u{B}'));
}

#[test]
fn pages_lead_to_their_feeds() {
    let site = site();
    let relay = record(30).relays[0].relay.fingerprint;
    for (page, feed) in [
        ("/incidents".to_owned(), "/incidents.atom".to_owned()),
        ("/".to_owned(), "/incidents.atom".to_owned()),
        (format!("/relay/{relay}"), format!("/incidents.atom?relay={relay}")),
        ("/as/AS24940".to_owned(), "/incidents.atom?as=AS24940".to_owned()),
        ("/country/de".to_owned(), "/incidents.atom?country=de".to_owned()),
    ] {
        let text = get(&site, &page).text();
        assert!(text.contains("type=\"application/atom+xml\" title=\""), "{page}");
        assert!(text.contains(&format!("href=\"{feed}\"")), "{page} has no {feed}");
        assert_eq!(get(&site, &feed).status, StatusCode::OK, "{feed}");
    }
}

/// A stream of changes, read event by event.
struct Listening {
    body: BodyDataStream,
    rest: String,
}

impl Listening {
    async fn to(server: &Server, last_seen: Option<&str>) -> Self {
        let request = Request::builder().uri("/api/v1/incidents/stream");
        let request = match last_seen {
            Some(id) => request.header("Last-Event-ID", id),
            None => request,
        };
        let response = server.router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!((response.status(), &response.headers()["content-type"]), (StatusCode::OK, &"text/event-stream".parse().unwrap()));
        Self { body: response.into_body().into_data_stream(), rest: String::new() }
    }

    /// The next event that has data; `None` at the end.
    async fn next(&mut self) -> Option<serde_json::Value> {
        loop {
            if let Some((event, rest)) = self.rest.split_once("\n\n") {
                let data = event.lines().find_map(|line| line.strip_prefix("data: ").map(str::to_owned));
                self.rest = rest.to_owned();
                match data {
                    Some(data) => return Some(serde_json::from_str(&data).unwrap()),
                    None => continue,
                }
            }
            self.rest.push_str(std::str::from_utf8(&self.body.next().await?.unwrap()).unwrap());
        }
    }
}

/// The log of the site after one incident was resolved, one withdrawn, and another opened.
fn later() -> IncidentLog {
    let before = log_of(&record(30));
    let mut incidents: Vec<Arc<Incident>> =
        before.incidents().iter().filter(|incident| incident.id != "00000000000000a3").cloned().collect();
    let at = as_of().next();
    for incident in incidents.iter_mut().filter(|incident| incident.id == OPEN) {
        let mut resolved = Incident { status: Status::Resolved, resolved_at: Some(at), ..(**incident).clone() };
        resolved.timeline.push((at, Event::Resolved));
        *incident = Arc::new(resolved);
    }
    let opened = Incident {
        id: "00000000000000a4".to_owned(),
        timeline: vec![(at, Event::Detected(4))],
        detected_at: at,
        ..(*incidents[0]).clone()
    };
    incidents.push(Arc::new(opened));
    let mut watched = before.watched;
    watched.as_of = Some(at);
    IncidentLog::new(watched, Vec::new(), incidents)
}

#[tokio::test]
async fn each_change_is_told_once_and_a_listener_goes_on_where_it_stopped() {
    let site = site();
    let server = Server::new(site.clone());
    let mut listening = Listening::to(&server, None).await;
    site.publish([Patch::Incidents(Box::new(later()))]);
    let mut changes = Vec::new();
    for _ in 0..3 {
        changes.push(listening.next().await.unwrap());
    }
    let what: Vec<_> = changes.iter().map(|change| (change["change"].as_str().unwrap(), change["incident_id"].as_str().unwrap())).collect();
    assert_eq!(what, [("resolved", OPEN), ("withdrawn", "00000000000000a3"), ("opened", "00000000000000a4")]);
    assert_eq!(changes[0]["incident"]["status"], "resolved");
    assert_eq!(changes[1]["incident"], serde_json::Value::Null);
    // One that was away for the last two.
    let mut returned = Listening::to(&server, changes[0]["id"].as_str()).await;
    assert_eq!(returned.next().await.unwrap(), changes[1]);
    assert_eq!(returned.next().await.unwrap(), changes[2]);
    // Another service with the same record knows the names of what is on timelines.
    let restarted = site_of(record(30));
    restarted.publish([Patch::Incidents(Box::new(later()))]);
    let id = changes[0]["id"].as_str().unwrap();
    assert_eq!(Listening::to(&Server::new(restarted), Some(id)).await.next().await.unwrap()["change"], "withdrawn");
    let unknown = Listening::to(&server, Some("who knows")).await.next().await.unwrap();
    assert_eq!(unknown["change"], "reset");
    server.close();
    assert!(listening.next().await.is_none(), "the stream ends with the service");
}

#[tokio::test]
async fn no_more_than_the_limit_may_listen() {
    let server = Server::within(site(), Limits { max_listeners: 4, ..Limits::default() });
    let mut listening = Vec::new();
    for _ in 0..4 {
        listening.push(Listening::to(&server, None).await);
    }
    let request = || Request::builder().uri("/api/v1/incidents/stream").body(Body::empty()).unwrap();
    let refused = server.router().oneshot(request()).await.unwrap();
    assert_eq!((refused.status(), &refused.headers()["retry-after"]), (StatusCode::SERVICE_UNAVAILABLE, &"60".parse().unwrap()));
    listening.pop();
    assert_eq!(server.router().oneshot(request()).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn one_client_has_a_share_of_the_listeners_and_leaves_the_others_theirs() {
    let limits = Limits { max_listeners: 10, max_listeners_per_address: 2, ..Limits::default() };
    let server = Server::within(site(), limits);
    let from = |client: &str| {
        let request = Request::builder().uri("/api/v1/incidents/stream").header("x-forwarded-for", client);
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(axum::extract::ConnectInfo(Peer::At([127, 0, 0, 1].into())));
        server.router().oneshot(request)
    };
    let (first, second) = (from("192.0.2.1").await.unwrap(), from("192.0.2.1").await.unwrap());
    assert_eq!([first.status(), second.status()], [StatusCode::OK; 2]);
    assert_eq!(from("192.0.2.1").await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(from("192.0.2.2").await.unwrap().status(), StatusCode::OK);
}

/// A store that knows one token and keeps notes in memory.
#[derive(Default)]
struct Memory(Mutex<Vec<IncidentNote>>);

impl NoteStore for Memory {
    fn record(&self, token: &str, note: NewNote) -> Result<Vec<IncidentNote>, StoreError> {
        if token != "good" {
            return Err(StoreError::WrongToken);
        }
        let mut notes = self.0.lock().unwrap();
        let id = notes.len() as i64 + 1;
        let NewNote { incident, action, text } = note;
        notes.push(IncidentNote { id, incident, at: "2026-02-15T19:46:00Z".parse().unwrap(), by: HOSTILE.to_owned(), action, text });
        Ok(notes.clone())
    }
}

fn post(site: &Site, address: &str, headers: &[(&str, &str)], body: String) -> Answer {
    let mut request = Request::builder().method("POST").uri(address);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let response = router(site.clone()).oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        Answer { status: parts.status, headers: parts.headers, bytes: to_bytes(body, usize::MAX).await.unwrap().to_vec() }
    })
}

fn api(site: &Site, what: &str, token: &str, body: &str) -> Answer {
    post(site, &format!("/api/v1/incidents/{what}"), &[("Authorization", &format!("Bearer {token}"))], body.to_owned())
}

#[test]
fn holders_of_tokens_acknowledge_annotate_and_merge_and_everybody_sees_it() {
    let site = site().with_notes(Arc::new(Memory::default()));
    let acknowledged = api(&site, &format!("{OPEN}/acknowledge"), "good", "");
    assert_eq!(acknowledged.status, StatusCode::CREATED, "{}", acknowledged.text());
    assert_eq!(acknowledged.json()["acknowledged_at"], "2026-02-15T19:46:00Z");
    let text = format!("{HOSTILE} <script>alert(1)</script>");
    let noted = api(&site, &format!("{OPEN}/annotations"), "good", &serde_json::json!({ "text": text }).to_string());
    assert_eq!(noted.json()["notes"][1]["action"], "annotate", "{}", noted.text());
    let merged = api(&site, "00000000000000a3/merge", "good", &format!("{{\"into\":\"{OPEN}\"}}"));
    assert_eq!(merged.json()["merged_into"], OPEN, "{}", merged.text());

    let page = get(&site, &format!("/incident/{OPEN}")).text();
    pin_page(&site, "incident-with-notes", &format!("/incident/{OPEN}"));
    assert!(!page.contains("<script>alert") && !page.contains('\u{202E}'));
    assert!(get(&site, "/incidents").text().contains("1 incident is open"), "what is merged is not counted twice");
    let feed = atom(&site, "");
    let entry = feed.entries.iter().find(|entry| entry.links[0].href.ends_with(OPEN)).unwrap();
    assert_eq!(entry.updated.to_rfc3339(), "2026-02-15T19:46:00+00:00", "a note is a change");
    assert!(entry.content.as_ref().unwrap().value.as_ref().unwrap().contains("noted: <b>"));
    assert_eq!(get(&site, &format!("/api/v1/incidents/{OPEN}")).json()["merged_from"][0], "00000000000000a3");
    let separated = api(&site, "00000000000000a3/merge", "good", "{\"into\":null}");
    assert_eq!(separated.json()["merged_into"], serde_json::Value::Null);
    // A new consensus leaves what people said where it is.
    site.publish([Patch::Incidents(Box::new(later()))]);
    assert_eq!(get(&site, &format!("/api/v1/incidents/{OPEN}")).json()["notes"].as_array().unwrap().len(), 2);
}

#[test]
fn what_is_said_without_a_token_or_out_of_bounds_is_refused() {
    let memory = Arc::new(Memory::default());
    let site = site().with_notes(memory.clone());
    let long = serde_json::json!({ "text": "x".repeat(2_001) }).to_string();
    let huge = serde_json::json!({ "text": "x".repeat(40_000) }).to_string();
    for (what, token, body, status) in [
        ("acknowledge", "bad", "", StatusCode::UNAUTHORIZED),
        ("acknowledge", "", "", StatusCode::UNAUTHORIZED),
        ("acknowledge", "good", "not json", StatusCode::BAD_REQUEST),
        ("acknowledge", "good", "{\"colour\":1}", StatusCode::BAD_REQUEST),
        ("annotations", "good", "", StatusCode::BAD_REQUEST),
        ("annotations", "good", "{\"text\":\"x\",\"into\":\"00000000000000a2\"}", StatusCode::BAD_REQUEST),
        ("annotations", "good", &long, StatusCode::BAD_REQUEST),
        ("annotations", "good", &huge, StatusCode::PAYLOAD_TOO_LARGE),
        ("merge", "good", "{\"into\":\"00000000000000ff\"}", StatusCode::BAD_REQUEST),
        ("merge", "good", "{\"into\":\"00000000000000a1\"}", StatusCode::BAD_REQUEST),
    ] {
        let answer = api(&site, &format!("{OPEN}/{what}"), token, body);
        assert_eq!(answer.status, status, "{what} {body:.40}: {}", answer.text());
    }
    assert_eq!(api(&site, "00000000000000ff/acknowledge", "good", "").status, StatusCode::NOT_FOUND);
    assert_eq!(api(&site, &format!("{OPEN}/acknowledge"), "bad", "").header("www-authenticate"), "Bearer");
    let circle = format!("{{\"into\":\"{OVER}\"}}");
    assert_eq!(api(&site, &format!("{OPEN}/merge"), "good", &circle).status, StatusCode::CREATED);
    assert_eq!(api(&site, &format!("{OVER}/merge"), "good", &format!("{{\"into\":\"{OPEN}\"}}")).status, StatusCode::BAD_REQUEST);
    assert_eq!(memory.0.lock().unwrap().len(), 1, "only the note that was recorded");
    for (method, address) in [
        ("GET", format!("/api/v1/incidents/{OPEN}/merge")),
        ("POST", format!("/incident/{OPEN}")),
        ("PUT", format!("/incident/{OPEN}/notes")),
    ] {
        assert_eq!(crate::support::ask(&site, method, &address, &[]).status, StatusCode::METHOD_NOT_ALLOWED, "{method} {address}");
    }
    let no_store = self::site();
    assert_eq!(api(&no_store, &format!("{OPEN}/acknowledge"), "good", "").status, StatusCode::METHOD_NOT_ALLOWED);
}

#[test]
fn the_form_works_without_scripts() {
    let memory = Arc::new(Memory::default());
    let site = site().with_notes(memory.clone());
    let page = get(&site, &format!("/incident/{OPEN}")).text();
    assert!(
        page.contains(&format!("method=\"post\" action=\"/incident/{OPEN}/notes\"")) && page.contains("type=\"password\" name=\"token\"")
    );
    let form = |body: &str| {
        post(&site, &format!("/incident/{OPEN}/notes"), &[("Content-Type", "application/x-www-form-urlencoded")], body.to_owned())
    };
    let taken = form("action=annotate&into=&text=one%0D%0Acable%26co&token=good");
    assert_eq!((taken.status, taken.header("location")), (StatusCode::SEE_OTHER, &*format!("/incident/{OPEN}#seen")));
    let note = memory.0.lock().unwrap()[0].clone();
    assert_eq!((note.action, note.text.as_str()), (NoteAction::Annotate, "one cable&co"));
    for (body, status) in [
        ("action=annotate&text=x&token=bad", StatusCode::UNAUTHORIZED),
        ("action=annotate&text=x", StatusCode::UNAUTHORIZED),
        ("action=drop&token=good", StatusCode::BAD_REQUEST),
        ("action=merge&into=00000000000000a2&token=good", StatusCode::SEE_OTHER),
        ("action=separate&into=&token=good", StatusCode::SEE_OTHER),
    ] {
        let answer = form(body);
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
        assert!(status == StatusCode::SEE_OTHER || answer.header("content-type").starts_with("text/html"));
    }
}

#[test]
fn the_monitor_takes_no_parameters() {
    let site = site();
    assert_eq!(get(&site, "/monitor?x=1").status, StatusCode::BAD_REQUEST);
}

#[test]
fn whoever_was_touched_by_an_incident_says_so() {
    let site = site();
    let relay = record(30).relays[0].relay.fingerprint;
    let untouched = record(30).relays[20].relay.fingerprint;
    for (page, sentence) in [
        (format!("/relay/{relay}"), "Part of 3 incidents, 2 of them open."),
        (format!("/relay/{untouched}"), "Part of no incident on record."),
        ("/as/AS24940".to_owned(), "Part of 3 incidents, 2 of them open."),
        ("/country/de".to_owned(), "Part of 3 incidents, 2 of them open."),
        ("/".to_owned(), "2 incidents are open"),
    ] {
        let text = get(&site, &page).text();
        assert!(text.contains(sentence), "{page}");
        assert_eq!(text.contains(&format!("/incident/{OPEN}")), sentence.starts_with("Part of 3"), "{page}");
    }
    let chart = get(&site, &format!("/relay/{relay}/charts/uptime.json?period=7_days")).text();
    assert_eq!(chart.matches(&format!("/incident/{OPEN}")).count(), 1, "an outage that was part of an incident is marked once: {chart}");
}

#[test]
fn the_hypotheses_of_an_incident_add_up() {
    let site = site();
    let json = get(&site, &format!("/api/v1/incidents/{OPEN}")).json();
    let total: f64 = json["hypotheses"].as_array().unwrap().iter().map(|hypothesis| hypothesis["probability"].as_f64().unwrap()).sum();
    assert!((total - 1.0).abs() < 0.01, "{json}");
    assert_eq!((json["effect"].is_null(), json["n_exits"].as_u64()), (true, Some(2)));
}
