//! Figures for programs, by route.

use allium_model::Timestamp;
use allium_service::Snapshot;

use super::view_of;
use crate::answer::Answer;
use crate::api::{self, Form};
use crate::error::RequestError;
use crate::pages::operators::{families, operator};
use crate::pages::{groups, leaderboards};
use crate::route::Data;
use crate::shown::Shown;

/// Answers figures in a form. The form may follow from the header `Accept`, so the answer varies with it.
pub(super) fn answer(snapshot: &Snapshot, now: Timestamp, data: &Data, form: Form, query: &str) -> Answer {
    let shown = match view_of(snapshot) {
        Ok(view) => Shown { snapshot, view, now, query },
        Err(error) => return Answer::error_json(&error),
    };
    let answer = match text(&shown, data, form) {
        Ok(text) => Answer::of(form.media_type(), snapshot.modified_by(now), text),
        Err(error) => Answer::error_json(&error),
    };
    Answer { vary: Some("accept"), ..answer }
}

fn text(shown: &Shown<'_>, data: &Data, form: Form) -> Result<String, RequestError> {
    let (snapshot, view, params) = (shown.snapshot, shown.view, shown.params()?);
    match data {
        Data::Fixed(data) => data.text(shown, form),
        Data::Groups(kind) => groups::list_data(view, *kind, &params, form),
        Data::Group(kind, asked) => {
            let key = kind.canonical(asked).ok_or_else(|| RequestError::no_such_group(kind.noun().0, asked))?;
            groups::group_data(view, *kind, &key, &params, form)
        }
        Data::Relay(fingerprint) => {
            let relay_idx = view.relay_idx(fingerprint).ok_or_else(|| RequestError::NoSuchRelay(fingerprint.to_string()))?;
            api::relay(view, snapshot.outlook(), &params, relay_idx, form)
        }
        Data::Operator(id) => params.only(&[]).and_then(|()| api::operator(view, snapshot.past_standings(), id)),
        Data::OperatorRelays(id) => operator::relays_data(view, id, &params, form),
        Data::Family(key) => families::family_data(view, key, &params, form),
        Data::Leaderboard(category) => leaderboards::category_data(view, snapshot.past_standings(), *category, &params, form),
        Data::Incident(id) => api::incident(view, snapshot.incidents().ok_or(RequestError::NoIncidentsYet)?, id, &params, form),
    }
}
