//! `/api/v1`: the same figures for programs. Shares are 0 to 1, times RFC 3339 in UTC, what is absent is `null`.
//!
//! The structs here are the interface that scripts rely on; they are converted by hand from what the analysis returns, so
//! that each can change alone. JSON is written with every character escaped that could mean something to a terminal or
//! a page, which changes nothing for a parser.

mod census;
mod changes;
mod csv;
mod forecasts;
mod incidents;
mod leaderboards;
mod network;
mod operators;
pub(crate) mod quality;
mod relays;
mod search;
mod statistics;

use std::collections::BTreeMap;

use allium_model::{Fraction, Period, Timestamp};
use allium_service::{Snapshot, View};
use allium_words::format::rfc3339;
use serde::Serialize;

pub use self::changes::change_json;
pub use self::forecasts::{AdviceJson, DriverJson, ForecastJson};
pub use self::incidents::IncidentJson;
pub(crate) use self::incidents::{incident, incidents, incidents_jsonl};
pub use self::network::{NetworkJson, NetworkReportJson, network_report_json};
pub(crate) use self::operators::operator;
pub use self::quality::DataQualityJson;
pub(crate) use self::relays::relay;
pub use self::relays::{RelayDetail, RelayListJson, RelaySummary};
pub use self::search::SearchJson;

use crate::error::RequestError;
pub use crate::form::Form;
use crate::form::to_json;
use crate::pages;
use crate::params::Params;
use crate::route::FixedData;
use crate::shown::Shown;

/// One value per period, under the names `1_day` to `5_years`.
pub type ByPeriod<T> = BTreeMap<&'static str, T>;

/// The figures that have one address, a line each: `Name = "/path", [Json, Csv], |shown, form| text`; paths begin behind `/api/v1`.
/// [`crate::route`] makes the addresses of these lines, this module the answers.
macro_rules! each_fixed_data {
    ($make:ident) => {
        $make! {
            /// The network: relays by role, weight, bandwidth, uptime.
            Network = "/network", [Json, Csv], |s, form| network(s.view, &s.params()?, form);
            /// The network counted.
            Census = "/census", [Json], |s, _| census::census(s.view, &s.params()?);
            /// Relays.
            Relays = "/relays", [Json, Csv], |s, form| relays::relays(s.view, &s.params()?, form);
            /// The heaviest relays.
            Top = "/top", [Json, Csv], |s, form| pages::top::data(s.view, &s.params()?, form);
            /// The findings of a question, by kind.
            Search = "/search", [Json], |s, _| search::search(s.view, s.snapshot.incidents(), &s.params()?);
            /// Operators.
            Operators = "/operators", [Json, Csv], |s, form| pages::operators::list::data(s.view, &s.params()?, form);
            /// Domains that contacts claim.
            Domains = "/domains", [Json, Csv], |s, form| pages::operators::domains::data(s.view, &s.params()?, form);
            /// Families.
            Families = "/families", [Json, Csv], |s, form| pages::operators::families::data(s.view, &s.params()?, form);
            /// The first places of all leaderboards.
            Leaderboards = "/leaderboards", [Json, Csv], |s, form| leaderboards::leaderboards(s.view, &s.params()?, form);
            /// Distributions of uptime.
            Statistics = "/statistics", [Json, Csv], |s, form| statistics::statistics(s.view, &s.params()?, form);
            /// Incidents.
            Incidents = "/incidents", [Json, Csv], |s, form| {
                let params = s.params()?;
                incidents(s.view, s.snapshot.incidents().ok_or(RequestError::NoIncidentsYet)?, &params, form)
            };
            /// Forecasts of relays.
            Forecasts = "/forecasts", [Json, Csv], |s, form| pages::forecasts::data(s.view, s.snapshot.outlook(), &s.params()?, form);
            /// Forecasts of relays in few figures.
            ForecastSummary = "/forecasts/summary", [Json], |s, _| forecasts::summary(s.view, s.snapshot.outlook(), &s.params()?);
            /// Forecasts of the network.
            NetworkForecast = "/forecasts/network", [Json, Csv], |s, form| forecasts::network(s.snapshot.outlook(), &s.params()?, form);
            /// The scores of forecasts.
            Scoreboard = "/forecasts/scoreboard", [Json], |s, _| forecasts::scoreboard(s.snapshot, &s.params()?);
            /// Sources, documents, gaps, rejects.
            DataQuality = "/data-quality", [Json, Csv], |s, form| data_quality(s.snapshot, s.view, s.now, &s.params()?, form);
        }
    };
}

each_fixed_data!(fixed_data_answers);

/// `/api/v1/network`
pub(crate) fn network(view: &View, params: &Params, form: Form) -> Result<String, RequestError> {
    params.only(&[])?;
    match form {
        Form::Json => to_json(&NetworkJson::of(view)),
        Form::Csv => csv::network(view),
    }
}

/// `/api/v1/data-quality`
pub(crate) fn data_quality(snapshot: &Snapshot, view: &View, now: Timestamp, params: &Params, form: Form) -> Result<String, RequestError> {
    params.only(&[])?;
    let quality = DataQualityJson::of(view, snapshot.sources(), now);
    match form {
        Form::Json => to_json(&quality),
        Form::Csv => csv::sources(&quality),
    }
}

fn by_period<T>(value: impl Fn(Period) -> T) -> ByPeriod<T> {
    Period::ALL.into_iter().map(|period| (period.name(), value(period))).collect()
}

fn share(fraction: Fraction) -> f64 {
    fraction.get()
}

fn secs(secs: i64) -> String {
    rfc3339(allium_words::format::at_secs(secs))
}

/// An error as the API states it.
#[derive(Debug, Clone, Serialize)]
struct ErrorJson {
    status: u16,
    error: String,
    parameter: Option<String>,
    allowed: Option<String>,
}

/// The error as JSON.
pub(crate) fn error_json(error: &RequestError) -> String {
    let (parameter, allowed) = match error {
        RequestError::BadParameter { name, allowed, .. } => (Some(name.clone()), Some(allowed.clone())),
        RequestError::BadQuestion { allowed, .. } => (Some("q".to_owned()), Some(allowed.clone())),
        _ => (None, None),
    };
    to_json(&ErrorJson { status: error.status(), error: error.to_string(), parameter, allowed }).unwrap_or_default()
}
