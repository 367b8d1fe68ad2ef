//! The network counted, for programs.

use allium_analysis::AroiState;
use allium_analysis::census::NEW_DAYS;
use allium_model::Fraction;
use allium_service::View;
use serde_json::{Map, Value, json};

use crate::error::RequestError;
use crate::form::to_json;
use crate::params::Params;

/// `/api/v1/census`
pub(crate) fn census(view: &View, params: &Params) -> Result<String, RequestError> {
    params.only(&[])?;
    let census = view.census();
    let [union, five, fourteen] = census.weight_in.map(|part| part.map(Fraction::get));
    to_json(&json!({
        "as_of": view.as_of().to_string(),
        "n_running": census.n_running,
        "n_new": counts(NEW_DAYS.iter().map(|days| format!("{days}_days")).zip(census.n_new)),
        "n_age_known": census.n_dated,
        "mean_age_days": census.age_days.map(|age| age.0),
        "median_age_days": census.age_days.map(|age| age.1),
        "advertised_bandwidth_bytes_per_sec": census.bandwidth.0,
        "observed_bandwidth_bytes_per_sec": census.bandwidth.1,
        "n_rate_limited": census.n_rate_limited,
        "n_measured": census.n_measured.0,
        "n_ipv6": census.n_ipv6,
        "exits": { "every_port": census.exits[0], "some_ports": census.exits[1], "no_port": census.exits[2], "unknown": census.exits[3] },
        "weight_share_in": { "european_union": union, "five_eyes": five, "fourteen_eyes": fourteen },
        "n_single_relay_systems": census.n_single_relay_systems,
        "n_recommended": census.n_recommended.0,
        "n_family_keys": census.n_family_keys.0,
        "n_without_contact": census.n_without_contact,
        "n_in_families": census.n_in_families,
        "aroi": counts(AroiState::ALL.map(|state| state.name().to_owned()).into_iter().zip(census.aroi)),
        "versions": counts(census.versions.iter().cloned()),
        "platforms": counts(census.platforms.iter().cloned()),
    }))
}

/// Counts by name.
fn counts(counted: impl Iterator<Item = (String, usize)>) -> Map<String, Value> {
    counted.map(|(name, n)| (name, n.into())).collect()
}
