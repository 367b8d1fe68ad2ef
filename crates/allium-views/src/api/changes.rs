//! Changes of incidents, as the stream gives them out.

use allium_service::{Change, IncidentLog};
use allium_words::format::rfc3339;
use serde::Serialize;

use super::IncidentJson;
use crate::form::to_json;

/// A change, with the incident as it stands.
#[derive(Serialize)]
struct ChangeJson<'a> {
    id: &'a str,
    change: &'static str,
    at: String,
    incident_id: &'a str,
    /// `null` where it was withdrawn: the detector made it part of another one.
    incident: Option<IncidentJson<'a>>,
}

/// A change as a line of JSON.
pub fn change_json(change: &Change, log: &IncidentLog) -> String {
    let incident = log.get(&change.incident).map(|incident| IncidentJson::of_log(incident, log));
    let line = ChangeJson { id: &change.id, change: change.what, at: rfc3339(change.at), incident_id: &change.incident, incident };
    to_json(&line).unwrap_or_default().trim_end().to_owned()
}
