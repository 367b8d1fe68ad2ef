//! One file per page: its data, its template, how it is put together from a view.

pub(crate) mod data_quality;
pub(crate) mod earlier;
pub(crate) mod error;
pub(crate) mod explore;
pub(crate) mod forecasts;
pub(crate) mod groups;
pub(crate) mod home;
pub(crate) mod incident;
pub(crate) mod incidents;
pub(crate) mod issues;
pub(crate) mod leaderboards;
pub(crate) mod members;
pub(crate) mod methods;
pub(crate) mod network;
pub(crate) mod operators;
pub(crate) mod relay;
pub(crate) mod relays;
pub(crate) mod statistics;
pub(crate) mod top;
