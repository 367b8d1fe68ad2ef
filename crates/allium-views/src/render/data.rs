//! Figures for programs, by route.

use allium_model::Timestamp;

use super::Shown;
use crate::answer::Answer;
use crate::api::{self, Form};
use crate::error::RequestError;
use crate::pages::operators::{families, operator};
use crate::pages::{groups, leaderboards};
use crate::route::Data;
use crate::site::Site;

/// Answers figures in a form. The form may follow from the header `Accept`, so the answer varies with it.
pub(super) fn answer(site: &Site, now: Timestamp, data: &Data, form: Form, query: &str) -> Answer {
    let Some(view) = site.view() else { return Answer::error_json(&RequestError::NoDataYet(site.waiting_for())) };
    let shown = Shown { site, view: &view, now, query };
    let answer = match text(&shown, data, form) {
        Ok(text) => Answer::of(form.media_type(), Some(view.modified()), text),
        Err(error) => Answer::error_json(&error),
    };
    Answer { vary: Some("accept"), ..answer }
}

fn text(shown: &Shown<'_>, data: &Data, form: Form) -> Result<String, RequestError> {
    let (site, view, params) = (shown.site, shown.view, shown.params()?);
    match data {
        Data::Fixed(data) => data.text(shown, form),
        Data::Groups(kind) => groups::list_data(view, *kind, &params, form),
        Data::Group(kind, asked) => {
            let key = kind.canonical(asked).ok_or_else(|| RequestError::no_such_group(kind.noun().0, asked))?;
            groups::group_data(view, *kind, &key, &params, form)
        }
        Data::Relay(fingerprint) => {
            let relay_idx = view.relay_idx(fingerprint).ok_or_else(|| RequestError::NoSuchRelay(fingerprint.to_string()))?;
            api::relay(view, &site.outlook(), &params, relay_idx, form)
        }
        Data::Operator(id) => params.only(&[]).and_then(|()| operator::data(view, site.past_standings().as_deref(), id)),
        Data::OperatorRelays(id) => operator::relays_data(view, id, &params, form),
        Data::Family(key) => families::family_data(view, key, &params, form),
        Data::Leaderboard(category) => leaderboards::category_data(view, site.past_standings().as_deref(), *category, &params, form),
        Data::Incident(id) => api::incident(view, &*site.incidents().ok_or(RequestError::NoIncidentsYet)?, id, &params, form),
    }
}
