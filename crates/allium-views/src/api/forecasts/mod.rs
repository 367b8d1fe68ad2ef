//! Forecasts for programs: of a relay, of many relays in few figures, of the network, and the scores of forecasts.

mod network;
mod relay;
mod summary;

use allium_service::Snapshot;

pub(crate) use self::network::network;
pub use self::relay::{AdviceJson, DriverJson, ForecastJson};
pub(crate) use self::summary::summary;

use crate::error::RequestError;
use crate::params::Params;

/// `/api/v1/forecasts/scoreboard`: the file of the evaluation as it stands.
pub(crate) fn scoreboard(snapshot: &Snapshot, params: &Params) -> Result<String, RequestError> {
    params.only(&[])?;
    snapshot.scoreboard().map(|board| board.text.clone()).ok_or(RequestError::NoSuchPage)
}
